"""Who gets a place: judged under the door's lock, so of two hundred who say yes to fifty places at once fifty get
one, and nobody stands in two places, whichever district called first.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg

from muster.core.problems import Problem
from muster.core.rows import rows
from muster.ledger.event import Event
from muster.workforce.engine.limits import Limits, Person, Shift, broken
from muster.workforce.events import StaffPosted

_HERE = "muster.workforce"
Conn = psycopg.AsyncConnection[Any]


class NoPlaceLeft(Problem):
    """All places here are taken. Thank you: you are not needed this time."""

    zh = "这里的名额已满。感谢响应，本次无需前往。"
    status = 409


class StandsElsewhere(Problem):
    """This person already has a place at that time ({when}). Decline one of the two first."""

    zh = "该人员在这段时间（{when}）已有岗位。请先退出其中一个。"
    status = 409


class LimitBroken(Problem):
    """This shift would break a limit: {what}. Take somebody else, or let a person in charge override it with
    name and reason."""

    zh = "该班次将突破限制：{what}。请改派他人，或由负责人署名说明理由后放行。"
    status = 409


class NotCleared(Problem):
    """Something befell this person at a post, and nobody has cleared them for duty. Clear them first
    (`POST /v1/incidents/…/clear`), or take somebody else."""

    zh = "该人员发生过事件，尚未批准返岗。请先批准返岗，或改派他人。"
    status = 409


@dataclass(frozen=True)
class Booking:
    """Who sends a posting: it is judged like this, not like an upload."""

    limits: Limits


@dataclass
class _Standing:
    """What is known under the lock, with what this transaction has let through so far."""

    left: dict[UUID, int]
    shifts: dict[UUID, list[Shift]] = field(default_factory=lambda: defaultdict(list))
    people: dict[UUID, Person] = field(default_factory=dict)


async def judge(conn: Conn, sent: Sequence[tuple[Booking, Event]]) -> dict[UUID, Problem]:
    """The problems of postings that may not be. One that is stored already is no problem."""
    asked = [(by, one, one.body) for by, one in sent if isinstance(one.body, StaffPosted)]
    if not asked:
        return {}
    known = {row["id"] for row in await rows(
        conn, _HERE, "postings_known", ids=[one.id for _, one, _ in asked])}  # fmt: skip
    standing = await _standing(conn, [body for _, one, body in asked if one.id not in known])
    refused: dict[UUID, Problem] = {}
    for by, one, body in asked:
        if one.id in known:
            continue
        if problem := _problem(standing, body, by.limits):
            refused[one.id] = problem
            continue
        standing.left[body.demand] -= 1
        standing.shifts[body.staff].append(Shift(body.starts_at, body.ends_at))
    return refused


def _problem(standing: _Standing, body: StaffPosted, limits: Limits) -> Problem | None:
    if standing.left.get(body.demand, 0) <= 0:
        return NoPlaceLeft()
    shift = Shift(body.starts_at, body.ends_at)
    others = standing.shifts[body.staff]
    person = standing.people.get(body.staff, Person())
    found = broken(shift, others, body.role, person, limits)
    if "not_cleared" in found:
        return NotCleared()
    if "double_booked" in found:
        clash = next(one for one in others if one.overlaps(shift))
        return StandsElsewhere(when=f"{clash.starts_at:%m-%d %H:%M}-{clash.ends_at:%H:%M}")
    if over := [one for one in found if one not in body.overridden]:
        return LimitBroken(what=", ".join(over))
    return None


async def _standing(conn: Conn, bodies: Sequence[StaffPosted]) -> _Standing:
    if not bodies:
        return _Standing({})
    demands, staff = {body.demand for body in bodies}, {body.staff for body in bodies}
    left = {row["demand"]: row["left"] for row in await rows(
        conn, _HERE, "places_left", demands=list(demands))}  # fmt: skip
    far = timedelta(days=2)  # no chain of shifts without a rest is longer
    found = await rows(
        conn, _HERE, "shifts_of", staff=list(staff),
        since=min(body.starts_at for body in bodies) - far,
        until=max(body.ends_at for body in bodies) + far,
    )  # fmt: skip
    standing = _Standing(left)
    for row in found:
        if row["starts_at"] < row["ends_at"]:  # who was relieved before it began stood no time
            standing.shifts[row["staff"]].append(Shift(row["starts_at"], row["ends_at"]))
    for row in await rows(conn, _HERE, "people_at_posts", staff=list(staff),
                          on=min(body.starts_at for body in bodies)):  # fmt: skip
        standing.people[row["staff"]] = Person(
            row["birth_year"], row["fit"], frozenset(row["trained"] or ()), row["hurt"]
        )
    return standing
