"""Decisions taken at the desk: reference data is listed anew, a listing is taken back, a recalled person
was told.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from muster.core.ids import derived, uuid7
from muster.core.problems import Problem
from muster.core.rows import row
from muster.desk.engine.changes import RESTORABLE
from muster.lab.events import MemberReached
from muster.ledger.door import Door
from muster.ledger.event import Body, Event
from muster.registry.events import AreaListed, DenominatorDeclared, UnitListed
from muster.sampling.events import SiteListed

Conn = psycopg.AsyncConnection[Any]
_HERE = "muster.desk"


class CannotBeTakenBack(Problem):
    """This cannot be taken back: {reason}. Change it again instead."""

    zh = "无法撤销：{reason}。请改为重新修改。"
    status = 409


class CodeTaken(Problem):
    """The code {code} is another one's already. Choose another code, or change what bears it."""

    zh = "编码 {code} 已被使用。请换一个编码，或直接修改已有的那一个。"
    status = 409


async def note_contact(
    door: Door, *, tube: UUID, person: UUID, recall: UUID, how: str, actor: str, at: datetime
) -> None:
    """A recalled member was told to come, or could not be found."""
    body = msgspec.convert({"person": person, "recall": recall, "how": how}, MemberReached)
    await _append(door, body, tube, actor=actor, at=at)


async def list_area(
    door: Door, found: dict[str, Any], changed: dict[str, Any], *, actor: str, at: datetime
) -> UUID:
    """An area is listed with another name, kind, floors or lift; code, level and place stay."""
    kept = ("code", "level", "name", "parent", "kind", "floors", "lift")
    body = msgspec.convert({name: found[name] for name in kept} | changed, AreaListed)
    return await _append(door, body, found["area"], actor=actor, at=at)


async def list_site(
    door: Door, body: SiteListed, *, site: UUID | None, actor: str, at: datetime
) -> UUID:
    """A site is listed, or listed anew; its id."""
    subject = site or derived("site", body.code)
    await _append(door, body, subject, actor=actor, at=at)
    return subject


async def list_unit(
    door: Door, body: UnitListed, *, unit: UUID | None, actor: str, at: datetime
) -> UUID:
    """A unit is listed, or listed anew; its id."""
    subject = unit or derived("unit", body.code)
    await _append(door, body, subject, actor=actor, at=at)
    return subject


async def declare(
    door: Door, area: UUID, *, people: int, source: str, on: date, actor: str, at: datetime
) -> UUID:
    """Somebody says how many people an area holds; every such word stays, with its source and day."""
    body = DenominatorDeclared(people=people, source=source, on=on)
    return await _append(door, body, area, actor=actor, at=at)


async def take_back(conn: Conn, door: Door, event: UUID, *, actor: str, at: datetime) -> UUID:
    """List again what stood before a listing. Raises CannotBeTakenBack. The new event's id."""
    found = await row(conn, _HERE, "history.sql:event", event=event)
    if found is None or found["type"] not in RESTORABLE:
        raise CannotBeTakenBack(reason="not a listing")
    if not found["latest"]:
        raise CannotBeTakenBack(reason="listed again since")
    if found["before"] is None:
        raise CannotBeTakenBack(reason="first listing")
    body = msgspec.convert(found["before"], Body.types[found["type"]])
    return await _append(door, body, found["subject"], actor=actor, at=at)


async def _append(door: Door, body: Body, subject: UUID, *, actor: str, at: datetime) -> UUID:
    event = Event(uuid7(), type(body).__name__, subject, at, at, at, actor, body)
    await door.append([event])
    return event.id
