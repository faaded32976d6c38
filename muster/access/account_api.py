"""HTTP for administrators: accounts, their roles, enrolment links and slips, their sessions. They see
who holds an account, never a password, and no resident.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.access import asking, decide, enrolment, queries, sessions, slips
from muster.access.decide import Grant
from muster.access.engine.roles import RoleName
from muster.access.events import AccountKind
from muster.config import PAGE_LIMIT
from muster.core.clock import now
from muster.core.paging import Page
from muster.guarding import principal
from muster.papers.templates import template
from muster.papers.typesetting import press, set_paper
from muster.web import After, Ask, Code, Format, Label, Limit, language, listing, muster

Time = Annotated[datetime, Meta(tz=True)]


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role and where it is held, places by code or id. Times left out are the account's."""

    role: RoleName
    everywhere: bool = False
    area: Code | None = None
    site: Code | None = None
    lab: Code | None = None
    person: UUID | None = None
    team: Code | None = None
    starts_at: Time | None = None
    ends_at: Time | None = None


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new account. Guests and aid teams need an end."""

    login: Code
    kind: AccountKind = "staff"
    name: Label | None = None
    phone: Code | None = None
    starts_at: Time | None = None
    ends_at: Time | None = None
    roles: Annotated[list[Place], Meta(max_length=20)] = []


class Ending(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a role ends."""

    reason: Literal["left", "mistake", "other"]


class Closing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an account is closed."""

    reason: Literal["left", "expired", "misuse", "mistake", "other"]


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`reset_second_factor`: the phone was lost; codes and passkeys are set up anew."""

    reset_second_factor: bool = False


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose slips to print; left out: of everybody who has not enrolled."""

    logins: Annotated[list[Code], Meta(max_length=PAGE_LIMIT)] | None = None


@get("/v1/accounts", right="accounts")
async def list_accounts(
    request: Ask, after: After = None, limit: Limit = 100, format: Format = "json"
) -> Page | Response[bytes]:
    """Accounts by login, with their roles and whether they have enrolled."""
    here = muster(request)
    async with here.pool.connection() as conn:
        return await listing(
            lambda a, n: queries.accounts(conn, here.vault, at=now(), after=a, limit=n),
            after=after, limit=limit, format=format, name="accounts",
        )  # fmt: skip


@get("/v1/accounts/{account:str}", right="accounts")
async def show_account(request: Ask, account: FromPath[str]) -> dict[str, Any]:
    """An account, by login or id, with every role it has or had."""
    here = muster(request)
    async with here.pool.connection() as conn:
        id_ = (await queries.account_by_login(conn, account))["account"]
        return await queries.account(conn, here.vault, id_)


@post("/v1/accounts", right="accounts", status_code=201)
async def open_account(request: Ask, data: JSONBody[Opening]) -> dict[str, UUID]:
    """Open an account with its first roles."""
    who, here, at = principal(request), muster(request), now()
    async with here.pool.connection() as conn:
        grants = [await _placed(conn, one) for one in data.roles]
        account = await decide.open_account(
            conn, here.door, here.vault, login=data.login, kind=data.kind, name=data.name,
            phone=data.phone, starts_at=data.starts_at or at, ends_at=data.ends_at,
            grants=grants, actor=who.login, at=at,
        )  # fmt: skip
    return {"account": account}


@post("/v1/accounts/{account:uuid}/roles", right="accounts", status_code=201)
async def grant_role(
    request: Ask, account: FromPath[UUID], data: JSONBody[Place]
) -> dict[str, UUID]:
    """Give an account a role."""
    who, here = principal(request), muster(request)
    async with here.pool.connection() as conn:
        holding = await decide.grant(
            conn, here.door, account, wanted=await _placed(conn, data), actor=who.login, at=now()
        )
        await sessions.end_all(conn, account, at=now())  # they sign in anew with what they may now
    asking.forget(request)
    return {"holding": holding}


@post("/v1/accounts/{account:uuid}/roles/{holding:uuid}/end", right="accounts", status_code=204)
async def end_role(
    request: Ask, account: FromPath[UUID], holding: FromPath[UUID], data: JSONBody[Ending]
) -> None:
    """End a role."""
    who, here = principal(request), muster(request)
    async with here.pool.connection() as conn:
        await decide.end_role(
            conn, here.door, account, holding=holding, reason=data.reason, actor=who.login, at=now()
        )
    asking.forget(request)


@post("/v1/accounts/{account:uuid}/roles/{holding:uuid}/move", right="accounts", status_code=201)
async def move_role(
    request: Ask, account: FromPath[UUID], holding: FromPath[UUID], data: JSONBody[Place]
) -> dict[str, UUID]:
    """Give a role another place."""
    who, here = principal(request), muster(request)
    async with here.pool.connection() as conn:
        moved = await decide.move_role(
            conn, here.door, account, holding=holding, wanted=await _placed(conn, data),
            actor=who.login, at=now(),
        )  # fmt: skip
    asking.forget(request)
    return {"holding": moved}


@post("/v1/accounts/{account:uuid}/close", right="accounts", status_code=204)
async def close_account(request: Ask, account: FromPath[UUID], data: JSONBody[Closing]) -> None:
    """Close an account; its sessions end."""
    who, here, at = principal(request), muster(request), now()
    async with here.pool.connection() as conn:
        await decide.close_account(
            conn, here.door, account, reason=data.reason, actor=who.login, at=at
        )
        await sessions.end_all(conn, account, at=at)
    asking.forget(request)


@post("/v1/accounts/{account:uuid}/enrolment", right="accounts", status_code=201)
async def make_link(request: Ask, account: FromPath[UUID], data: JSONBody[Link]) -> dict[str, str]:
    """A one-time link by which the holder sets a (new) password; shown this once."""
    who, here = await asking.signed(request), muster(request)
    sessions.check_fresh(who)
    async with here.pool.connection() as conn:
        code = await enrolment.new_code(
            conn, account, actor=who.login, at=now(), reset_factors=data.reset_second_factor
        )
    return {"link": slips.link(asking.site(request).origin, code)}


@post("/v1/accounts/slips", right="accounts", status_code=201)
async def print_slips(
    request: Ask, data: JSONBody[Wanted], format: FromQuery[Literal["html", "pdf"]] = "html"
) -> Response[bytes]:
    """Slips to print, as a page or PDF: one with a QR code for everybody who has not enrolled."""
    who, here = await asking.signed(request), muster(request)
    sessions.check_fresh(who)
    desk = press(here.settings.home, here.settings.fonts) if format == "pdf" else None
    async with here.pool.connection() as conn:
        made = await slips.made(
            conn, here.vault, logins=data.logins, address=asking.site(request).origin,
            actor=who.login, zone=here.settings.timezone, at=now(),
        )  # fmt: skip
    if desk:
        told = {"language": language(request), "foot": who.login, "slips": made}
        form = template("slips", here.settings.home / "templates")
        content = (await set_paper(desk, form, msgspec.to_builtins(told), moment=now())).content
    else:
        content = slips.page(made).encode()
    # To be saved and printed from there: pages shown from here may not bring styles along.
    headers = {
        "cache-control": "no-store",
        "content-disposition": f'attachment; filename="slips.{format}"',
    }  # fmt: skip
    kind = "application/pdf" if format == "pdf" else "text/html"
    return Response(content, media_type=kind, headers=headers)


@get("/v1/accounts/{account:uuid}/sessions", right="accounts")
async def list_account_sessions(request: Ask, account: FromPath[UUID]) -> list[dict[str, Any]]:
    """The sessions of an account that are in use."""
    async with muster(request).pool.connection() as conn:
        return await sessions.listing(conn, account, at=now())


@delete("/v1/accounts/{account:uuid}/sessions", right="accounts", status_code=200)
async def revoke_account_sessions(request: Ask, account: FromPath[UUID]) -> dict[str, int]:
    """End all sessions of an account."""
    async with muster(request).pool.connection() as conn:
        ended = await sessions.end_all(conn, account, at=now())
    asking.forget(request)
    return {"ended": ended}


@delete("/v1/accounts/{account:uuid}/sessions/{session:uuid}", right="accounts", status_code=204)
async def revoke_account_session(
    request: Ask, account: FromPath[UUID], session: FromPath[UUID]
) -> None:
    """End one session of an account."""
    async with muster(request).pool.connection() as conn:
        await sessions.end(conn, session, account=account, at=now())
    asking.forget(request)


async def _placed(conn: queries.Conn, data: Place) -> Grant:
    return await decide.placed(conn, **msgspec.structs.asdict(data))


HANDLERS = [
    list_accounts, show_account, open_account, grant_role, end_role, move_role, close_account,
    make_link, print_slips, list_account_sessions, revoke_account_sessions, revoke_account_session,
]  # fmt: skip
