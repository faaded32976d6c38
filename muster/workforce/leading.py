"""Decisions about places and people: who leads, who answers for the homes, what somebody is to do, what proof of a
skill was seen, how hot it is. What is said twice is one.
"""

from datetime import date, datetime
from uuid import UUID

from muster.core.ids import uuid7
from muster.ledger.door import Door
from muster.ledger.event import Body, Event
from muster.workforce import decide, queries
from muster.workforce.events import (
    HeatRead,
    LeadPart,
    OwnerNamed,
    PlaceLed,
    SkillProven,
    WorkGiven,
)


async def name_lead(
    door: Door, place: UUID, part: LeadPart, staff: UUID | None, *, actor: str, at: datetime
) -> None:
    """Say who leads a place, or nobody."""
    await door.append([_event(PlaceLed(part, staff), place, actor, at)])


async def name_owner(
    door: Door, area: UUID, staff: UUID | None, *, actor: str, at: datetime
) -> None:
    """Say who answers for the homes in an area, or nobody."""
    await door.append([_event(OwnerNamed(staff), area, actor, at)])


async def give_work(
    conn: queries.Conn, door: Door, posting: UUID, what: str, *, actor: str, at: datetime
) -> None:
    """Say what somebody is to do at a post. Raises PostingUnknown, PlaceNotTheirs."""
    if (await queries.posting(conn, posting))["state"] not in ("posted", "arrived"):
        raise decide.PlaceNotTheirs()
    await door.append([_event(WorkGiven(what), posting, actor, at)])


async def prove(
    door: Door, staff: UUID, *, skill: str, issuer: str, on: date, until: date | None, number: str | None,
    actor: str, at: datetime,
) -> None:  # fmt: skip
    """Note a proof of a skill that was shown; its number goes to the vault."""
    body = SkillProven(skill, issuer, on, until)
    await door.append([Event(uuid7(), "SkillProven", staff, at, at, at, actor, body, note=number)])


async def read_heat(door: Door, area: UUID, decidegrees: int, *, actor: str, at: datetime) -> None:
    """Say how hot it is in an area."""
    await door.append([_event(HeatRead(decidegrees), area, actor, at)])


def _event(body: Body, subject: UUID, actor: str, at: datetime) -> Event:
    return Event(uuid7(), type(body).__name__, subject, at, at, at, actor, body)
