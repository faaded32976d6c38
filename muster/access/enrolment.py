"""Enrolment: one-time codes of 256 bits, printed on a slip or shown at the first start, by which the
holder of an account sets a password. No default password exists anywhere.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from muster.access import throttle
from muster.access.decide import Grant, open_account
from muster.access.passwords import check_strength, set_password
from muster.access.queries import AccountUnknown, opened_name
from muster.access.sealing import Sealer, new_token, token_hash
from muster.access.sessions import end_all
from muster.config import ENROLMENT_HOURS
from muster.core.problems import Problem
from muster.core.rows import row
from muster.ledger.door import Door

Conn = psycopg.AsyncConnection[Any]
_HERE = "muster.access"
FIRST = "first start"


class CodeUnusable(Problem):
    """This enrolment code is unknown, used, expired or replaced by a newer one. Ask for a new one."""

    zh = "该注册码不存在、已使用、已过期或已被新的代替。请索取新的注册码。"
    status = 410


class LoginWanted(Problem):
    """The first administrator chooses a login, such as a staff number."""

    zh = "首位管理员须自定登录名，例如工号。"
    status = 422


@dataclass(frozen=True)
class Invitation:
    """What a code is good for. Without an account: to become the first administrator."""

    account: UUID | None
    login: str | None


async def first_link(conn: Conn, at: datetime) -> str | None:
    """The code by which the first administrator is made, or None if somebody is administrator.

    `serve` prints `{address}/enrol#CODE` to standard error at every start until then; each call
    makes a new code and voids those before it. The code is in the link's fragment, which browsers
    do not send, so that no log ever has it; never put it into a query or a log yourself.
    """
    found = await row(conn, _HERE, "administrators", at=at, holding=None, account=None)
    if found and found["count"]:
        return None
    return await _new_code(conn, None, made_by=FIRST, at=at, hours=ENROLMENT_HOURS, reset=False)


async def new_code(
    conn: Conn, account: UUID, *, actor: str, at: datetime, hours: int = ENROLMENT_HOURS,
    reset_factors: bool = False,
) -> str:  # fmt: skip
    """A code for an account; older unused ones are void. `reset_factors`: whoever uses it sets a
    second factor up anew, for a phone that was lost."""
    found = await row(conn, _HERE, "account", account=account)
    if found is None:
        raise AccountUnknown(login=account)
    return await _new_code(conn, account, made_by=actor, at=at, hours=hours, reset=reset_factors)


async def look(conn: Conn, code: str, *, at: datetime) -> Invitation:
    """What a code is good for, without using it. Raises CodeUnusable."""
    found = await row(conn, _HERE, "code", hash=token_hash(code), at=at)
    if found is None or not _usable(found, at):
        raise CodeUnusable()
    return Invitation(found["account"], found["login"])


async def enrol(
    conn: Conn, door: Door, vault: Sealer, *, code: str, password: str, login: str | None,
    name: str | None, at: datetime,
) -> UUID:  # fmt: skip
    """Use a code: set the account's password, end its sessions and void what was tried for it. The
    first administrator's account is opened by this. Its id."""
    invited = await look(conn, code, at=at)
    if invited.account is None and not login:
        raise LoginWanted()
    known = [word for word in (invited.login, login, name) if word]
    if invited.account and (found := await row(conn, _HERE, "account", account=invited.account)):
        known.append(opened_name(vault, found["name"]) or "")
    await check_strength(password, known)
    async with conn.transaction():
        # The code is taken first: of two that use it together one finds it used.
        used = await row(conn, _HERE, "use_code", hash=token_hash(code), at=at)
        if used is None:
            raise CodeUnusable()
        account = invited.account
        if account is None:
            assert login
            account = await _first_administrator(conn, door, vault, login=login, name=name, at=at)
        if used["reset_factors"]:
            await row(conn, _HERE, "reset_factors", account=account)
        await set_password(conn, account, password, at=at)
        await end_all(conn, account, at=at)
    await throttle.pardon(conn, vault, invited.login or login or "")
    return account


async def _first_administrator(
    conn: Conn, door: Door, vault: Sealer, *, login: str, name: str | None, at: datetime
) -> UUID:
    # Again, now that the code is taken: somebody may have become administrator since it was made.
    found = await row(conn, _HERE, "administrators", at=at, holding=None, account=None)
    if found and found["count"]:
        raise CodeUnusable()
    return await open_account(
        conn, door, vault, login=login, kind="staff", name=name, starts_at=at, ends_at=None,
        grants=[Grant("administrator", everywhere=True)], actor=FIRST, at=at,
    )  # fmt: skip


def _usable(found: dict[str, Any], at: datetime) -> bool:
    """Whether the code is the first administrator's, or its account can still be used."""
    if found["account"] is None:
        return True
    ended = found["ends_at"] is not None and found["ends_at"] <= at
    return found["login"] is not None and found["closed_at"] is None and not ended


async def _new_code(
    conn: Conn, account: UUID | None, *, made_by: str, at: datetime, hours: int, reset: bool
) -> str:
    code = new_token()
    await row(
        conn, _HERE, "keep_code", hash=token_hash(code), account=account, made_by=made_by, at=at,
        expires_at=at + timedelta(hours=hours), reset_factors=reset,
    )  # fmt: skip
    return code
