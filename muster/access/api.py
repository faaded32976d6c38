"""HTTP for whoever signs in: with a password, their sessions, the undertaking, their password. What
else this domain answers is in the files beside it, named …_api.py.
"""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from muster.access import (
    account_api,
    asking,
    decide,
    enrolment_api,
    factor_api,
    factors,
    passwords,
    queries,
    sessions,
    sign_in,
    throttle,
    undertaking,
)
from muster.access.asking import PATIENCE, Who, signed
from muster.config import PASSWORD_LENGTH_MOST
from muster.core.clock import now
from muster.core.rows import row
from muster.web import Ask, Code, muster

Password = Annotated[str, Meta(max_length=PASSWORD_LENGTH_MOST)]
_HERE = "muster.access"


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A login and its password."""

    login: Code
    password: Password


class Edition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The edition of the undertaking that was read and is signed."""

    edition: Code


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The present password, and the one instead of it."""

    password: Password
    new_password: Password


class OwnPhone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number on which the holder of an account is called at work."""

    phone: Code | None


@get("/v1/session", right="signed_in")
async def show_session(request: Ask) -> Who:
    """Who is signed in."""
    return await asking.who(request, await signed(request))


@post("/v1/session", right="public", status_code=200, exception_handlers=PATIENCE)
async def begin_session(request: Ask, data: JSONBody[Credentials]) -> Response[Who]:
    """Sign in with a password. `limited` says what is still to be done, such as a second factor."""
    asking.check_site(request)
    here = muster(request)
    opened = await sign_in.sign_in(
        here.pool, here.vault, login=data.login, password=data.password,
        address=asking.address(request), agent=asking.agent(request), at=now(),
    )  # fmt: skip
    return await asking.given(request, opened)


@delete("/v1/session", right="signed_in", status_code=204)
async def end_session(request: Ask) -> Response[None]:
    """Sign out."""
    who = await signed(request)
    async with muster(request).pool.connection() as conn:
        await sessions.end(conn, who.session, account=who.account, at=now())
    asking.forget(request)
    return Response(
        None,
        status_code=204,
        cookies=[asking.made_cookie(request, asking.cookie_of(request), "", 0)],
    )


@get("/v1/session/undertaking", right="public", sync_to_thread=False)
def show_undertaking() -> dict[str, Any]:
    """The confidentiality undertaking that is signed before first access."""
    return {"edition": undertaking.EDITION, **undertaking.TEXT}


@post("/v1/session/undertaking", right="signed_in", status_code=200)
async def sign_undertaking(request: Ask, data: JSONBody[Edition]) -> Response[Who]:
    """Sign the undertaking's present edition."""
    who, here = await signed(request), muster(request)
    if data.edition != undertaking.EDITION:
        raise decide.EditionReplaced(edition=undertaking.EDITION)
    await decide.sign_undertaking(here.door, who.account, actor=who.login, at=now())
    async with here.pool.connection() as conn:
        opened = await sessions.renew(conn, who.session, proved=False, at=now())
    return await asking.given(request, opened)


@get("/v1/session/sessions", right="signed_in")
async def list_sessions(request: Ask) -> list[dict[str, Any]]:
    """One's own sessions in use, newest first; `current` is the one that asks."""
    who = await signed(request)
    async with muster(request).pool.connection() as conn:
        found = await sessions.listing(conn, who.account, at=now())
    return [{**one, "current": one["session"] == who.session} for one in found]


@delete("/v1/session/sessions/{session:uuid}", right="signed_in", status_code=204)
async def revoke_session(request: Ask, session: FromPath[UUID]) -> None:
    """End one of one's own sessions."""
    who = await signed(request)
    async with muster(request).pool.connection() as conn:
        await sessions.end(conn, session, account=who.account, at=now())
    asking.forget(request)


@delete("/v1/session/sessions", right="signed_in", status_code=200)
async def revoke_sessions(request: Ask) -> dict[str, int]:
    """End all of one's own sessions but the one that asks."""
    who = await signed(request)
    async with muster(request).pool.connection() as conn:
        ended = await sessions.end_all(conn, who.account, at=now(), but=who.session)
    asking.forget(request)
    return {"ended": ended}


@post("/v1/session/password", right="signed_in", status_code=200, exception_handlers=PATIENCE)
async def change_password(request: Ask, data: JSONBody[Change]) -> Response[Who]:
    """Change one's password; all other sessions end."""
    who, here, at = await signed(request), muster(request), now()
    factors.check_passed(who)
    one = throttle.trying(here.vault, who.login, asking.address(request))
    async with here.pool.connection() as conn:
        await throttle.check(conn, one, at=at)
        found = await row(conn, _HERE, "account_by_login", login=who.login)
        if not found or not await passwords.matches(found["hash"], data.password):
            await throttle.failed(conn, one, at=at)
            raise sign_in.WrongSignIn()
        name = queries.opened_name(here.vault, found["name"])
        await passwords.check_strength(data.new_password, [who.login, name or "", data.password])
        await passwords.set_password(conn, who.account, data.new_password, at=at)
        await sessions.end_all(conn, who.account, at=at, but=who.session)
        opened = await sessions.renew(conn, who.session, at=at)
    return await asking.given(request, opened)


@get("/v1/session/contact", right="signed_in")
async def show_contact(request: Ask) -> OwnPhone:
    """The number on which one is called at work."""
    who, here = await signed(request), muster(request)
    async with here.pool.connection() as conn:
        return OwnPhone((await queries.account(conn, here.vault, who.account))["phone"])


@put("/v1/session/contact", right="signed_in", status_code=200)
async def change_contact(request: Ask, data: JSONBody[OwnPhone]) -> OwnPhone:
    """Say on which number one is called at work, or that there is none."""
    who, here = await signed(request), muster(request)
    async with here.pool.connection() as conn:
        await decide.set_phone(conn, here.vault, who.account, data.phone)
    return OwnPhone(decide.tidy_phone(data.phone))


HANDLERS = [
    show_session, begin_session, end_session, show_undertaking, sign_undertaking, list_sessions,
    revoke_session, revoke_sessions, change_password, show_contact,
    change_contact,
    *factor_api.HANDLERS, *enrolment_api.HANDLERS, *account_api.HANDLERS,
]  # fmt: skip
