"""Accounts of those who were sent: valid in the host's area only, from their arrival to their release."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from muster.access import decide as access
from muster.access.queries import AccountUnknown
from muster.access.sealing import Sealer
from muster.core.ids import derived
from muster.ledger.door import Door
from muster.teams import decide, queries

AidRole = Literal["grid_worker", "sampler", "squad", "courier"]  # what those sent do outdoors


@dataclass(frozen=True)
class Opened:
    """An account of one of those sent, by its login; `new`: it was made just now."""

    staff: UUID
    account: UUID
    login: str
    new: bool


def account_of(aid: UUID, staff: UUID) -> UUID:
    """The account somebody has in an aid: one, whoever asks for it and how often."""
    return derived("aid account", aid, staff)


def login_of(account: UUID) -> str:
    return f"aid-{account.hex[-10:]}"


async def open_accounts(
    conn: queries.Conn, door: Door, vault: Sealer, aid: dict[str, Any], *, role: AidRole, actor: str,
    at: datetime,
) -> list[Opened]:  # fmt: skip
    """An account each for those who are here and have none, in the host's area, until the aid ends."""
    people = [one for one in await queries.sent(conn, aid["aid"])
              if one["here"] and one["released_at"] is None]  # fmt: skip
    names = await queries.names(conn, [one["staff"] for one in people])
    made = []
    for one in people:
        account = account_of(aid["aid"], one["staff"])
        new = not await _exists(conn, login_of(account))
        if new:
            starts_at = max(aid["starts_at"], one["arrived_at"] or aid["starts_at"])
            await access.open_account(
                conn, door, vault, login=login_of(account), kind="aid", name=names.get(one["staff"]),
                starts_at=starts_at, ends_at=aid["ends_at"], account=account,
                grants=[access.Grant(role, area=aid["host"])], actor=actor, at=at,
            )  # fmt: skip
        made.append(Opened(one["staff"], account, login_of(account), new))
    return made


async def release(
    conn: queries.Conn, door: Door, aid: UUID, *, wave: UUID | None = None, actor: str, at: datetime
) -> tuple[int, int]:
    """Release an aid or one wave of it: how many people, how many of whose accounts were closed."""
    people = await decide.release(conn, door, aid, wave=wave, actor=actor, at=at)
    return len(people), await _close(conn, door, aid, people, actor=actor, at=at)


async def _close(
    conn: queries.Conn, door: Door, aid: UUID, people: Sequence[UUID], *, actor: str, at: datetime
) -> int:
    closed = 0
    for staff in people:
        try:
            await access.close_account(
                conn, door, account_of(aid, staff), reason="left", actor=actor, at=at
            )
            closed += 1
        except (AccountUnknown, access.AccountIsClosed):
            continue  # never had one, or it has run out
    return closed


async def _exists(conn: queries.Conn, login: str) -> bool:
    cursor = await conn.execute("SELECT 1 FROM access.account WHERE login = %s", [login])
    return await cursor.fetchone() is not None
