"""Questions about accounts: who there is, what they hold, where. Names are sealed and opened here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from muster.access.engine.scope import Holding
from muster.access.sealing import Sealer
from muster.config import PAGE_LIMIT
from muster.core.paging import Page, decode, page
from muster.core.problems import Problem
from muster.core.rows import row, rows

Conn = psycopg.AsyncConnection[Any]
_HERE = "muster.access"
_NIL = UUID(int=0)


class AccountUnknown(Problem):
    """There is no account "{login}"."""

    zh = "没有账号“{login}”。"
    status = 404


class PlaceUnknown(Problem):
    """There is no {kind} "{place}"."""

    zh = "没有 {kind}“{place}”。"
    status = 404


def account_in_force(found: dict[str, Any], at: datetime) -> bool:
    """Whether an account's row says that it has begun, has not ended and was not closed."""
    ended = found["ends_at"] is not None and found["ends_at"] <= at
    return found["closed_at"] is None and found["starts_at"] <= at and not ended


async def account_by_login(conn: Conn, login: str) -> dict[str, Any]:
    """The account of a login or an id, the open one if several had it. Raises AccountUnknown."""
    found = await row(conn, _HERE, "account_by_login", login=tidy_login(login))
    if found is None and (id_ := _uuid(login)):
        found = await row(conn, _HERE, "account", account=id_)
    if found is None:
        raise AccountUnknown(login=login)
    return found


async def accounts(
    conn: Conn, vault: Sealer, *, at: datetime, after: str | None = None, limit: int = PAGE_LIMIT
) -> Page:
    """All accounts by login, with their holders' names and the roles they have or will have."""
    login, last = decode(after, str, UUID) or ("", _NIL)
    found = await rows(conn, _HERE, "accounts", at=at, after=login, last=last, limit=limit + 1)
    for one in found:
        one |= {name: opened_name(vault, one[name]) for name in ("name", "phone")}
    return page(found, limit, ("login", "account"))


async def account(conn: Conn, vault: Sealer, account: UUID) -> dict[str, Any]:
    """An account with its holder's name and every role it has or had. Raises AccountUnknown."""
    found = await row(conn, _HERE, "account", account=account)
    if found is None:
        raise AccountUnknown(login=account)
    found |= {name: opened_name(vault, found[name]) for name in ("name", "phone")}
    return {**found, "roles": await holdings(conn, [account])}


async def holdings(conn: Conn, accounts: Sequence[UUID]) -> list[dict[str, Any]]:
    """Every role of the accounts, past ones too, with the names and codes of their places."""
    return await rows(conn, _HERE, "holdings", accounts=list(accounts))


async def holdings_of(conn: Conn, account: UUID) -> tuple[Holding, ...]:
    """Every role of one account as values."""
    return tuple(as_holding(one) for one in await holdings(conn, [account]))


def as_holding(found: dict[str, Any]) -> Holding:
    return Holding(**{name: found[name] for name in _HOLDING})


_HOLDING = tuple(Holding.__dataclass_fields__)


async def unenrolled(
    conn: Conn, vault: Sealer, *, at: datetime, logins: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """Open accounts of people who cannot sign in yet, with their names; of these logins, if given."""
    wanted = None if logins is None else [tidy_login(one) for one in logins]
    found = await rows(conn, _HERE, "unenrolled", at=at, logins=wanted)
    for one in found:
        one["name"] = opened_name(vault, one["name"])
    return found


async def area_id(conn: Conn, text: str) -> UUID:
    """The area of a code or id. Raises PlaceUnknown."""
    return await _place(conn, "area", text)


async def site_id(conn: Conn, text: str) -> UUID:
    """The site of a code or id. Raises PlaceUnknown."""
    return await _place(conn, "site", text)


async def _place(conn: Conn, kind: str, text: str) -> UUID:
    found = await row(conn, _HERE, f"place_{kind}", text=text)
    if found is None:
        raise PlaceUnknown(kind=kind, place=text)
    return found[kind]


def tidy_login(text: str) -> str:
    """Logins are compared without regard to case and blanks around them."""
    return text.strip().lower()


def opened_name(vault: Sealer, sealed: bytes | None) -> str | None:
    return vault.open(bytes(sealed)).decode() if sealed else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
