"""Questions about the tree down to the door: figures, who lives there, whose way it is. Reads only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
import psycopg

from muster.config import DOORS_LIMIT, PAGE_LIMIT
from muster.core.paging import Page, decode, page
from muster.core.rows import row, rows
from muster.registry.events import Sex, State
from muster.sampling.events import Reason, RefusalReason
from muster.visits.events import Outcome

_HERE = "muster.visits"
# Who goes from door to door, or leads those who do.
WALKERS = ["grid_worker", "squad", "sampler", "area_lead"]
Conn = psycopg.AsyncConnection[Any]
# sampled, and no answer yet; or none but invalid ones
Waiting = Literal["pending", "invalid"]
Standing = Literal["sampled", "exempt", "away", "refused", "missing"]


class TreeFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Persons by how they stand; `swabs` are person-times. expected = sampled + exempt + away + refused +
    missing, sampled = resulted + invalid + pending."""

    expected: int
    sampled: int
    resulted: int
    invalid: int
    pending: int
    recalled: int
    recall_open: int
    exempt: int
    away: int
    refused: int
    missing: int
    swabs: int


class TreeLine(TreeFigures, frozen=True, kw_only=True):
    """An area with its figures and how many areas are right under it."""

    area: UUID
    code: str
    name: str
    level: str
    parent: UUID | None
    children: int


class AreaName(msgspec.Struct, frozen=True):
    """An area, briefly."""

    area: UUID
    code: str
    name: str
    level: str


class Branch(msgspec.Struct, frozen=True):
    """The areas under an area with their figures, their sum, and as of when; of a closed round those of
    the sheet it was closed on. The denominator is the roster."""

    line: list[AreaName]
    items: list[TreeLine]
    total: TreeFigures
    as_of: datetime | None
    behind_events: int
    closed: bool


class DoorPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody behind a door and how they stand in the round. `stance`: what they said, which can be taken
    back; `every_round`: it is said for all rounds. `visit`: what came of the last visit to them."""

    person: UUID
    room: str | None
    name: str | None
    birth_year: int | None
    sex: Sex | None
    group: str | None
    state: State
    has_phone: bool
    standing: Standing
    sampled_at: datetime | None
    stance: UUID | None
    reason: Literal[Reason, RefusalReason] | None
    every_round: bool
    stance_at: datetime | None
    visit: Outcome | None
    visited_at: datetime | None
    again_at: datetime | None


class Calling(msgspec.Struct, frozen=True):
    """A building was called down to be swabbed: when, by whom and to which site."""

    called_at: datetime
    called_by: str
    site_name: str | None


class Doors(msgspec.Struct, frozen=True):
    """Who lives in a building (or in an area itself), room by room, and when they were called down, the
    last calling first. `more`: not all are listed."""

    line: list[AreaName]
    people: list[DoorPerson]
    calls: list[Calling]
    as_of: datetime
    more: bool


class Walker(msgspec.Struct, frozen=True):
    """Somebody who may be sent from door to door in an area: their role and where they hold it. `whole`:
    it covers all of the area."""

    login: str
    role: str
    area_name: str
    whole: bool


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """Whose way an area is, by when, and what is missing there by now (None once the round is closed)."""

    task: UUID
    login: str
    area: UUID
    area_code: str
    area_name: str
    level: str
    state: Literal["issued", "acknowledged", "done", "withdrawn"]
    issued_at: datetime
    issued_by: str
    due_at: datetime
    acknowledged_at: datetime | None
    done_at: datetime | None
    outcome: str | None
    overdue: bool
    missing: int | None
    expected: int | None


async def branch(
    conn: Conn, round: dict[str, Any], *, area: UUID | None = None, areas: Sequence[UUID] = ()
) -> Branch:
    """The areas right under an area, or some areas themselves, with a round's figures."""
    closed = round["closed_at"] is not None
    found = await rows(
        conn, _HERE, "closed_tree" if closed else "tree", round=round["round"], area=area,
        areas=list(areas),
    )  # fmt: skip
    as_of = {"as_of": round["closed_at"], "behind_events": 0}
    if not closed:
        as_of = await row(conn, _HERE, "as_of") or {"as_of": None, "behind_events": 0}
    items = msgspec.convert(found, list[TreeLine])
    sums = {
        name: sum(getattr(one, name) for one in items) for name in TreeFigures.__struct_fields__
    }
    return Branch(
        await line(conn, area) if area else [], items, TreeFigures(**sums), as_of["as_of"],
        max(0, as_of["behind_events"]), closed,
    )  # fmt: skip


async def line(conn: Conn, area: UUID) -> list[AreaName]:
    return msgspec.convert(await rows(conn, _HERE, "line", area=area), list[AreaName])


async def within_round(conn: Conn, round: dict[str, Any], areas: Sequence[UUID]) -> list[UUID]:
    """Of some areas those that lie in a round's."""
    found = await rows(conn, _HERE, "within_round", areas=list(areas), round_areas=round["areas"])
    return [one["area"] for one in found]


async def doors(conn: Conn, round: UUID, area: UUID) -> list[dict[str, Any]]:
    """Who lives in an area itself, one more than are shown at most; to be masked by whoever shows it."""
    return await rows(conn, _HERE, "doors", round=round, area=area, limit=DOORS_LIMIT + 1)


async def calls(conn: Conn, round: UUID, area: UUID) -> list[Calling]:
    """When a building was called down in a round, the last calling first."""
    found = await rows(conn, _HERE, "calls", round=round, area=area, limit=PAGE_LIMIT)
    return [Calling(*one.values()) for one in found]


async def standing_of(conn: Conn, round: UUID, person: UUID) -> dict[str, Any] | None:
    return await row(conn, _HERE, "standing_of", round=round, person=person)


async def said(conn: Conn, event: UUID) -> dict[str, Any] | None:
    return await row(conn, _HERE, "said", event=event)


async def walkers(
    conn: Conn, area: UUID, *, at: datetime, login: str | None = None
) -> list[Walker]:
    """Who may be sent from door to door in an area; whether one account may."""
    found = await rows(conn, _HERE, "walkers", area=area, at=at, roles=WALKERS, login=login)
    return [Walker(one["login"], one["role"], one["area_name"], one["whole"]) for one in found]


async def assignments(conn: Conn, round: UUID, area: UUID, *, at: datetime) -> list[Assignment]:
    """Whose way is which under an area, open ones first."""
    found = await rows(conn, _HERE, "assignments", round=round, area=area, at=at, limit=PAGE_LIMIT)
    return msgspec.convert(found, list[Assignment])


async def assignment(conn: Conn, task: UUID) -> dict[str, Any] | None:
    return await row(conn, _HERE, "assignment", task=task)


async def standing_assignment(conn: Conn, round: UUID, area: UUID) -> dict[str, Any] | None:
    return await row(conn, _HERE, "standing_assignment", round=round, area=area)


async def unplaced(conn: Conn, round: UUID) -> int:
    """Who was sampled in a round and lives nowhere on the roster."""
    found = await row(conn, _HERE, "unplaced", round=round)
    return found["persons"] if found else 0


async def waiting(
    conn: Conn, round: UUID, area: UUID, what: Waiting, *, after: str | None = None,
    limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """Who keeps a round open though sampled, in the order of the walk."""
    place, room, resident = decode(after, int, str, UUID) or (None, None, None)
    found = await rows(
        conn, _HERE, "waiting", round=round, area=area, what=what, place=place, room=room,
        resident=resident, limit=limit + 1,
    )  # fmt: skip
    return page(found, limit, ("place", "room", "resident"))


async def unplaced_people(
    conn: Conn, round: UUID, *, after: str | None = None, limit: int = PAGE_LIMIT
) -> Page:
    """Who was sampled in a round and lives nowhere on the roster."""
    (last,) = decode(after, UUID) or (None,)
    found = await rows(conn, _HERE, "unplaced_people", round=round, after=last, limit=limit + 1)
    return page(found, limit, ("resident",))
