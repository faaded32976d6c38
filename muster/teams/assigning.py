"""People of an aid over the places of its host: each place gets somebody, the larger ones more, who has been on
duty longest rests first. The places are ordinary demands, so the door judges each posting as any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from muster.config import AID_PLACES_LIMIT
from muster.core.ids import derived, uuid7
from muster.core.problems import Problem
from muster.ledger.door import Door
from muster.ledger.event import Event
from muster.teams import queries
from muster.teams.engine.duty import days_on_duty
from muster.teams.engine.spreading import Helper, Spot, rested, seat, spread
from muster.workforce import queries as workforce
from muster.workforce.booking import Booking
from muster.workforce.decide import check_shift
from muster.workforce.engine.limits import Limits, Person, Shift, broken
from muster.workforce.engine.posts import Role
from muster.workforce.events import DemandRaised, StaffPosted

_FAR = timedelta(days=2)  # no chain of shifts without a rest is longer


class NobodyToAssign(Problem):
    """Nobody of this aid is here to be assigned: their wave has not arrived, they were released, or they are in
    no team of it. `POST /v1/waves/…/arrival` confirms an arrival, `POST /v1/teams/…/join` puts people into a
    team."""

    zh = "该支援没有可安排的人员：批次尚未抵达、已结束支援，或人员尚未编入其队伍。"
    status = 409


class NowhereToAssign(Problem):
    """There is no place of the level {level} under the host's area. Name another level."""

    zh = "接收区域下没有“{level}”一级的地点，请换一个层级。"
    status = 409


class TooManyPlaces(Problem):
    """More than {most} places lie under the host's area. Assign the aid to a smaller area."""

    zh = "接收区域下的地点超过 {most} 个。请缩小接收区域。"


@dataclass(frozen=True)
class Wish:
    """What people of an aid are to do, where and when. `rest`: how many of them rest at least."""

    role: Role
    starts_at: datetime
    ends_at: datetime
    level: str = "compound"
    rest: int = 0


@dataclass(frozen=True)
class Filled:
    """A place with who goes there; `placed`: who had a place there before."""

    demand: UUID
    spot: dict[str, Any]
    placed: int
    people: tuple[UUID, ...]


@dataclass(frozen=True)
class Plan:
    """Who goes where, who rests, and who cannot go because of what."""

    filled: tuple[Filled, ...]
    resting: tuple[Helper, ...]
    unfit: dict[UUID, str]


async def plan(
    conn: queries.Conn, aid: dict[str, Any], wish: Wish, *, zone: str, at: datetime
) -> Plan:
    """Who would go where. Raises ShiftUnfit, NobodyToAssign, NowhereToAssign, TooManyPlaces."""
    check_shift(wish.starts_at, wish.ends_at, at)
    here = [one for one in await queries.sent(conn, aid["aid"])
            if one["here"] and (one["released_at"] is None or one["released_at"] > wish.starts_at)]  # fmt: skip
    if not here:
        raise NobodyToAssign()
    places = await queries.spots(conn, aid["host"], wish.level)
    if not places:
        raise NowhereToAssign(level=wish.level)
    if len(places) > AID_PLACES_LIMIT:
        raise TooManyPlaces(most=AID_PLACES_LIMIT)
    limits = await workforce.limits(conn, at=at)
    fit, unfit = await _fit(conn, here, wish, limits, zone)
    going, resting = rested(fit, wish.rest, limits.days)
    when = [time.astimezone(UTC).isoformat() for time in (wish.starts_at, wish.ends_at)]
    demands = [derived("aid demand", aid["aid"], one["area"], wish.role, *when) for one in places]
    placed = await queries.placed(conn, demands)
    had = [placed.get(one, 0) for one in demands]
    wanted = spread(len(going) + sum(had), [one["size"] for one in places])
    counts = _open(wanted, had, len(going))
    spots = [Spot(one["area"], one["size"], tuple(one["line"])) for one in places]
    seated = seat(going, spots, counts)
    filled = tuple(
        Filled(demand, place, before, tuple(one.staff for one in people))
        for demand, place, before, people in zip(demands, places, had, seated, strict=True)
    )
    return Plan(filled, tuple(resting), unfit)


async def assign(
    door: Door, planned: Plan, wish: Wish, *, limits: Limits, actor: str, at: datetime
) -> dict[UUID, str]:
    """Carry a plan out: raise what the places need and give people their places. Who was refused under the
    door's lock, and by which problem: they were given a place elsewhere meanwhile."""
    raised = [
        _event(
            DemandRaised(
                one.spot["area"], wish.role, one.placed + len(one.people), wish.starts_at, wish.ends_at
            ),
            one.demand, actor, at,
        )
        for one in planned.filled if one.people
    ]  # fmt: skip
    await door.append(raised)
    posted = [
        _posted(one.demand, staff, wish, actor, at)
        for one in planned.filled for staff in one.people
    ]  # fmt: skip
    answers = await door.append(posted, sender=Booking(limits))
    return {
        event.body.staff: said.slug
        for event, said in zip(posted, answers, strict=True)
        if isinstance(said, Problem) and isinstance(event.body, StaffPosted)
    }


def _posted(demand: UUID, staff: UUID, wish: Wish, actor: str, at: datetime) -> Event:
    posting = uuid7()
    body = StaffPosted(staff, demand, wish.role, wish.starts_at, wish.ends_at)
    return Event(derived("posted", posting), "StaffPosted", posting, at, at, at, actor, body)


async def _fit(
    conn: queries.Conn, here: Sequence[dict[str, Any]], wish: Wish, limits: Limits, zone: str
) -> tuple[list[Helper], dict[UUID, str]]:
    """Who could stand the shift, with their days on duty; the others with what they would break."""
    staff, shift = [one["staff"] for one in here], Shift(wish.starts_at, wish.ends_at)
    others: dict[UUID, list[Shift]] = {}
    for one in await queries.shifts(
        conn, staff, since=wish.starts_at - _FAR, until=wish.ends_at + _FAR
    ):
        if one["starts_at"] < one["ends_at"]:
            others.setdefault(one["staff"], []).append(Shift(one["starts_at"], one["ends_at"]))
    known = {one["staff"]: one for one in await queries.standing(
        conn, staff, zone=zone, at=wish.starts_at, until=wish.ends_at)}  # fmt: skip
    today = wish.starts_at.astimezone(ZoneInfo(zone)).date()
    fit, unfit = list[Helper](), dict[UUID, str]()
    for one in here:
        who = known.get(one["staff"])
        if who is None or who["away"]:
            unfit[one["staff"]] = "away"
            continue
        person = Person(who["birth_year"], who["fit"], frozenset(who["trained"]), who["hurt"])
        if over := broken(shift, others.get(one["staff"], ()), wish.role, person, limits):
            unfit[one["staff"]] = over[0]
            continue
        days = days_on_duty(set(who["days"]), today, carried=one["days"] or 0, on=one["up_to"])
        fit.append(Helper(one["staff"], tuple(one["line"]), days))
    return fit, unfit


def _open(wanted: Sequence[int], had: Sequence[int], people: int) -> list[int]:
    """How many more go to each place: what is wanted less who is there, as long as people last."""
    counts, left = [], people
    for want, has in zip(wanted, had, strict=True):
        more = min(left, max(0, want - has))
        counts.append(more)
        left -= more
    return counts


def _event(body: DemandRaised, subject: UUID, actor: str, at: datetime) -> Event:
    return Event(uuid7(), "DemandRaised", subject, at, at, at, actor, body)
