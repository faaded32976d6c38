"""HTTP for enrolment codes, with the one small page that takes them, and for a city's own identity
provider.
"""

from importlib import resources
from typing import Annotated, Any

import msgspec
from litestar import MediaType, Response, get, post
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta

from muster.access import asking, enrolment, oidc, sessions
from muster.access.asking import Who
from muster.config import CEREMONY_SECONDS, PASSWORD_LENGTH_MOST, Oidc
from muster.core.clock import now
from muster.web import Ask, Code, Label, muster

Password = Annotated[str, Meta(max_length=PASSWORD_LENGTH_MOST)]
Token = Annotated[str, Meta(min_length=1, max_length=200)]
_STATE = "muster-oidc"
_AFTERWARDS = "/"


class EnrolmentCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A one-time code, from the fragment of its link."""

    code: Token


class Enrolment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A one-time code and the password it sets; the first administrator chooses a login too."""

    code: Token
    password: Password
    login: Code | None = None
    name: Label | None = None


@post("/v1/enrolments/look", right="public", status_code=200)
async def look_at_code(request: Ask, data: JSONBody[EnrolmentCode]) -> dict[str, Any]:
    """What a code is good for: whose account, or (`first`) to become the first administrator."""
    asking.check_site(request)
    async with muster(request).pool.connection() as conn:
        invited = await enrolment.look(conn, data.code, at=now())
    return {"login": invited.login, "first": invited.account is None}


@post("/v1/enrolments", right="public", status_code=200)
async def use_code(request: Ask, data: JSONBody[Enrolment]) -> Response[Who]:
    """Set a password with a one-time code, and sign in."""
    asking.check_site(request)
    here, at = muster(request), now()
    async with here.pool.connection() as conn:
        account = await enrolment.enrol(
            conn, here.door, here.vault, code=data.code, password=data.password, login=data.login,
            name=data.name, at=at,
        )  # fmt: skip
        opened = await sessions.open_session(
            conn, account, method="enrolment", second=False, agent=asking.agent(request), at=at
        )
    return await asking.given(request, opened)


@get("/enrol", right="public", media_type=MediaType.HTML, sync_to_thread=False)
def show_enrolment() -> Response[bytes]:
    """The page an enrolment link opens; the code stays in the browser until it is posted."""
    return _file("enrol.html", "text/html")


@get("/enrol.js", right="public", media_type="text/javascript", sync_to_thread=False)
def show_enrolment_script() -> Response[bytes]:
    """What the page does."""
    return _file("enrol.js", "text/javascript")


@get("/enrol.css", right="public", media_type="text/css", sync_to_thread=False)
def show_enrolment_style() -> Response[bytes]:
    """How the page looks."""
    return _file("enrol.css", "text/css")


def _file(name: str, kind: str) -> Response[bytes]:
    content = resources.files("muster.access").joinpath(name).read_bytes()
    headers = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
    return Response(content, media_type=kind, headers=headers)  # the charset is added to texts


@get("/v1/oidc/start", right="public", status_code=303)
async def begin_oidc(request: Ask) -> Response[None]:
    """Send the browser to the identity provider."""
    here = muster(request)
    provider = _provider(request)
    async with here.pool.connection() as conn:
        begun = await oidc.begin(conn, here.vault, provider, redirect=_redirect(request), at=now())
    # Lax: the browser comes back from another site, and must bring it along.
    cookie = asking.made_cookie(
        request, _state_name(request), begun.state, CEREMONY_SECONDS, strict=False
    )
    headers = {"location": begun.address}
    return Response(None, status_code=303, headers=headers, cookies=[cookie])


@get("/v1/oidc/callback", right="public")
async def end_oidc(
    request: Ask,
    code: Annotated[str, QueryParameter(name="code", max_length=4000)] = "",
    oidc_state: Annotated[str, QueryParameter(name="state", max_length=200)] = "",
) -> Response[Any]:
    """Where the identity provider sends the browser back to."""
    here, at = muster(request), now()
    provider = _provider(request)
    kept = request.cookies.get(_state_name(request), "")
    async with here.pool.connection() as conn:
        known = await oidc.finish(
            conn, here.vault, provider, code=code, state=oidc_state, kept=kept, at=at
        )
        opened = await sessions.open_session(
            conn, known.account, method="oidc", second=known.second, agent=asking.agent(request),
            at=at,
        )  # fmt: skip
    given = await asking.given(request, opened)
    gone = asking.made_cookie(request, _state_name(request), "", 0, strict=False)
    # A page, not a redirect: a strict cookie is not sent along one that began at another site.
    return Response(
        _BACK.encode(), media_type="text/html", cookies=[*given.cookies, gone],
        headers={"cache-control": "no-store", "referrer-policy": "no-referrer"},
    )  # fmt: skip


_BACK = f"""<!doctype html><html lang="zh"><meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={_AFTERWARDS}"><title>Muster 集结</title>
<p>已登录。<a href="{_AFTERWARDS}">继续</a> <span lang="en">Signed in.
<a href="{_AFTERWARDS}">Go on</a></span></p></html>"""


def _provider(request: Ask) -> Oidc:
    provider = muster(request).settings.oidc
    if provider is None:
        raise oidc.OidcNotSet()
    return provider


def _redirect(request: Ask) -> str:
    return f"{asking.site(request).origin}/v1/oidc/callback"


def _state_name(request: Ask) -> str:
    secure = asking.cookie_of(request) == sessions.COOKIE
    return f"__Host-{_STATE}" if secure else _STATE


HANDLERS = [
    look_at_code, use_code, show_enrolment, show_enrolment_script, show_enrolment_style, begin_oidc,
    end_oidc,
]  # fmt: skip
