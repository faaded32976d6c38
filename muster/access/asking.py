"""What this domain's handlers share: whose session a request is, how a session is given with its
cookie, where the browser is.
"""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response
from litestar.datastructures import Cookie

from muster.access import queries, sessions
from muster.access.engine.roles import ROLES
from muster.access.passkeys import Site
from muster.access.sealing import Sealer
from muster.access.sessions import NotSignedIn, Opened, Signed
from muster.access.throttle import TooManyAttempts
from muster.config import SESSION_HOURS
from muster.core.clock import now
from muster.core.rows import row
from muster.web import Ask, muster, problem_response

_HERE = "muster.access"


class Who(msgspec.Struct, frozen=True):
    """Who is signed in, what they may do where, what they have to do first (`limited`), and the
    token that their requests carry in the header x-muster-csrf."""

    account: UUID
    login: str
    name: str | None
    kind: str
    roles: list[dict[str, Any]]
    rights: list[str]
    csrf: str
    limited: str | None
    second_factor: bool
    method: str


async def signed(request: Ask) -> Signed:
    """Whose session the request is. Raises NotSignedIn, CrossSiteRequest."""
    check_site(request)
    token = request.cookies.get(cookie_of(request))
    if not token:
        raise NotSignedIn()
    async with muster(request).pool.connection() as conn:
        found = await sessions.resolve(conn, token, now())
    if found is None:
        raise NotSignedIn()
    check_site(request, csrf=found.csrf)
    return found


def check_site(request: Ask, csrf: str | None = None) -> None:
    """Raises CrossSiteRequest."""
    headers = request.headers
    problem = sessions.csrf_problem(
        method=request.method, csrf=csrf, sent=headers.get(sessions.CSRF_HEADER),
        origin=headers.get("origin"), fetch_site=headers.get("sec-fetch-site"),
        host=headers.get("host", ""),
    )  # fmt: skip
    if problem:
        raise problem


async def who(request: Ask, of: Signed) -> Who:
    """Who is signed in, with what they hold at this moment."""
    async with muster(request).pool.connection() as conn:
        return await _who(conn, of, muster(request).vault)


async def _who(conn: queries.Conn, of: Signed, vault: Sealer) -> Who:
    account = await row(conn, _HERE, "account", account=of.account) or {}
    held, at = await queries.holdings(conn, [of.account]), now()
    force = [one for one in held if queries.as_holding(one).holds_at(at)]
    rights = {right for one in force for right in ROLES[one["role"]].rights} | {"signed_in"}
    return Who(
        of.account, of.login, queries.opened_name(vault, account.get("name")), of.kind,
        [{name: one[name] for name in _SHOWN} for one in force],
        ["signed_in"] if of.limited else sorted(rights), of.csrf, of.limited, of.has_factor,
        of.method,
    )  # fmt: skip


_SHOWN = (
    "role", "everywhere", "area_code", "area_name", "site_code", "site_name", "lab", "team",
    "starts_at", "ends_at",
)  # fmt: skip


async def given(request: Ask, opened: Opened) -> Response[Who]:
    """A session just opened or renewed: who it is, and the cookie with its token."""
    forget(request)
    async with muster(request).pool.connection() as conn:
        found = await sessions.resolve(conn, opened.token, now())
        if found is None:
            raise NotSignedIn()
        holder = await _who(conn, found, muster(request).vault)
    cookie = made_cookie(request, cookie_of(request), opened.token, SESSION_HOURS * 3600)
    return Response(holder, status_code=200, cookies=[cookie])


def forget(request: Ask) -> None:
    """What anybody may do has changed, or a session ended: look everybody up again."""
    request.app.state.principals.forget()


def cookie_of(request: Ask) -> str:
    return sessions.cookie_name(request.url.scheme, request.url.hostname or "")


def made_cookie(
    request: Ask, name: str, value: str, seconds: int, *, strict: bool = True
) -> Cookie:
    """Out of reach of scripts and of other sites, and of plain http but on this machine itself."""
    return Cookie(
        name, value=value, max_age=seconds, path="/", httponly=True,
        secure=cookie_of(request) == sessions.COOKIE, samesite="strict" if strict else "lax",
    )  # fmt: skip


def address(request: Ask) -> str:
    """Where the request comes from, as the server or its proxy says."""
    return request.client.host if request.client else ""


def agent(request: Ask) -> str:
    return request.headers.get("user-agent", "")


def site(request: Ask) -> Site:
    return Site(f"{request.url.scheme}://{request.headers.get('host', '')}")


def told_when(request: Ask, error: TooManyAttempts) -> Response[dict[str, object]]:
    """A lock-out, with when to try again."""
    answer = problem_response(request, error)
    answer.headers["retry-after"] = str(error.facts["seconds"])
    return answer


PATIENCE: Any = {TooManyAttempts: told_when}  # what handlers that count attempts pass on
