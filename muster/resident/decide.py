"""What residents record of themselves, and what becomes of a request to be swabbed at home."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec
import psycopg

from muster.core.ids import derived
from muster.core.problems import Problem
from muster.core.text import fold
from muster.ledger.door import Door
from muster.ledger.event import Event, body_bytes
from muster.registry.events import SELF, ResidentListed
from muster.registry.vault import Identity, Vault
from muster.resident import queries
from muster.resident.engine.form import Listed
from muster.sampling.events import (
    HomeOutcome,
    HomeReason,
    HomeSamplingAsked,
    HomeSamplingClosed,
)

Conn = psycopg.AsyncConnection[Any]


class HomeRequestUnknown(Problem):
    """There is no such request, or none of yours to see."""

    zh: ClassVar[str] = "没有该申请，或不在您的范围内。"
    status: ClassVar[int] = 404


async def list_oneself(door: Door, vault: Vault, *, page: UUID, who: Listed, at: datetime) -> UUID:
    """List somebody by what they typed; their id. `page`: the id the form was given. The same form sent
    twice is one event; sent again with another phone or address, a correction; of another document or
    name, another person. Ids follow from it by a key that nobody outside has: no one else's can be
    aimed at, nor an older one be claimed."""
    known_by = (
        (who.kind or "-", who.number) if who.number else (fold(who.name), str(who.birth_date))
    )
    resident = _keyed(vault, "listed", str(page), *known_by)
    body = ResidentListed(
        source="self", building=who.building, room=who.room,
        birth_year=who.birth_date.year if who.birth_date else None,
        sex=who.sex,  # type: ignore[arg-type]
    )  # fmt: skip
    identity = Identity(
        name=who.name, kind=who.kind,  # type: ignore[arg-type]
        number=who.number, phone=who.phone, birth_date=who.birth_date,
    )  # fmt: skip
    said = (body_bytes(body) + msgspec.json.encode(identity)).hex()
    id_ = _keyed(vault, "listing", str(resident), said)
    await door.append(
        [Event(id_, "ResidentListed", resident, at, at, at, SELF, body, identity=identity)]
    )
    return resident


def _keyed(vault: Vault, *parts: str) -> UUID:
    return UUID(bytes=vault.hash("self", *parts), version=4)


async def ask_home_sampling(
    conn: Conn, door: Door, *, resident: UUID, reason: HomeReason, at: datetime
) -> None:
    """Ask for somebody to be swabbed at home, once until that is over."""
    known = await queries.home_requests(conn, resident)
    if any(one["open"] for one in known):
        return
    last = known[0]["request"] if known else "none"
    id_ = derived("home-sampling", resident, last)  # sent twice it is one
    body = HomeSamplingAsked(reason=reason)
    await door.append([Event(id_, type(body).__name__, resident, at, at, at, SELF, body)])


async def close_home_sampling(
    door: Door, found: dict[str, Any], *, outcome: HomeOutcome, actor: str, at: datetime
) -> None:
    """Say what became of a request; the first word stands."""
    if found["outcome"] is not None:
        return
    body, request = HomeSamplingClosed(outcome=outcome), found["request"]
    id_ = derived("home-sampling-closed", request, actor)
    event = Event(
        id_, type(body).__name__, found["recorded"], at, at, at, actor, body, cause=request
    )
    await door.append([event])
