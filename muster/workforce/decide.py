"""Decisions about who carries it: what is needed, who is asked, who comes. What is said twice is one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from muster.core.ids import derived, uuid7
from muster.core.problems import Problem
from muster.ledger.door import Door
from muster.ledger.event import Body, Event
from muster.workforce import queries
from muster.workforce.booking import Booking, NoPlaceLeft
from muster.workforce.engine.choosing import Candidate, Need, Rates, choose, expected
from muster.workforce.engine.limits import NEVER, Broken, Limits, Person, Shift, broken
from muster.workforce.engine.posts import POSTS
from muster.workforce.events import (
    Answer,
    Arrival,
    ArrivedAtPost,
    CallAnswered,
    CallUpClosed,
    CallUpOpened,
    DemandRaised,
    How,
    PostingWithdrawn,
    Relieved,
    StaffCalledUp,
    StaffPosted,
    WhyNotPosted,
)

Conn = psycopg.AsyncConnection[Any]
EARLY = timedelta(hours=4)  # before the shift somebody may already stand there


class ShiftUnfit(Problem):
    """The shift cannot be from {starts_at} to {ends_at}: it must end after it begins, last no more than two
    days, and not be over."""

    zh = "班次不能是 {starts_at} 至 {ends_at}：结束须晚于开始，不超过两天，且尚未结束。"


class DemandUnknown(Problem):
    """There is no demand {demand}. `GET /v1/call-ups/…` lists those of a call-up."""

    zh = "没有用人需求 {demand}。"
    status = 404


class CallUpIsClosed(Problem):
    """The call-up {name} is closed: nobody else is asked. Open another one for what is still missing."""

    zh = "召集“{name}”已结束，不再通知他人。如仍缺人，请另行召集。"
    status = 409


class NotThereYet(Problem):
    """The shift begins at {starts_at}: come back when it is time."""

    zh = "班次 {starts_at} 开始，请到时再签到。"
    status = 409


class PlaceNotTheirs(Problem):
    """This person has no place here any more. Ask whoever leads the site."""

    zh = "该人员在此已没有岗位。请询问点位负责人。"
    status = 409


class NeverLifted(Problem):
    """Nobody may stand in two places at once, nor anywhere before they are cleared after an incident: {what}
    cannot be overridden."""

    zh = "任何人不能同时在两处，事件后未批准返岗者不得上岗：{what} 不可放行。"
    status = 409


class ReasonMissing(Problem):
    """A limit is broken knowingly ({what}) only with a reason: write one. It stands on the daily report with
    your name."""

    zh = "放行限制（{what}）须写明理由，并与署名一并列入日报。"


@dataclass(frozen=True)
class Wave:
    """Who was asked by one turn of a call-up: how many, and how many more should have been but nobody was
    left to ask."""

    wave: int
    asked: int
    nobody_left: int


async def raise_demand(
    door: Door, body: DemandRaised, *, demand: UUID | None = None, actor: str, at: datetime
) -> UUID:
    """Say what a place needs; its id. Raises ShiftUnfit."""
    check_shift(body.starts_at, body.ends_at, at)
    id_ = demand or uuid7()
    await door.append([_event(body, id_, actor, at)])
    return id_


def check_shift(starts_at: datetime, ends_at: datetime, at: datetime) -> None:
    """Raises ShiftUnfit."""
    if not starts_at < ends_at <= starts_at + timedelta(days=2) or ends_at <= at:
        raise ShiftUnfit(starts_at=starts_at, ends_at=ends_at)


async def open_call_up(
    conn: Conn,
    door: Door,
    body: CallUpOpened,
    *,
    call_up: UUID | None = None,
    actor: str,
    at: datetime,
) -> tuple[UUID, Wave]:
    """Open a call-up and ask the first. Raises DemandUnknown."""
    known = {one["demand"] for one in await queries.open_needs(conn, body.demands, at=at)}
    if missing := [one for one in body.demands if one not in known]:
        raise DemandUnknown(demand=missing[0])
    id_ = call_up or uuid7()
    await door.append([_event(body, id_, actor, at)])
    wave = await top_up(conn, door, {
        "call_up": id_, "demands": list(body.demands), "answer_minutes": body.answer_minutes,
        "units": list(body.units), "areas": list(body.areas), "closed_at": None, "opened_by": actor,
    }, at=at)  # fmt: skip
    return id_, wave


async def top_up(conn: Conn, door: Door, call_up: dict[str, Any], *, at: datetime) -> Wave:
    """Ask as many more as are needed so that all places are expected to be taken: for those who refused,
    stayed silent, or gave their place back. In the name of whoever opened the call-up."""
    wave = await queries.last_wave(conn, call_up["call_up"]) + 1
    if call_up["closed_at"] is not None:
        return Wave(wave, 0, 0)
    rates = await queries.rates(conn, at=at)
    short = []
    for one in await queries.open_needs(conn, call_up["demands"], at=at):
        missing = one["missing"] - expected(one["waiting"], rates)
        if missing > 0 and one["ends_at"] > at:
            short.append(one | {"short": missing})
    events, nobody_left = [], 0
    limits = await queries.limits(conn, at=at)
    for starts_at, ends_at in sorted({(one["starts_at"], one["ends_at"]) for one in short}):
        needs = [one for one in short if (one["starts_at"], one["ends_at"]) == (starts_at, ends_at)]
        chosen = await _chosen(
            conn, call_up, needs, Shift(starts_at, ends_at), rates, limits, at=at
        )
        for need in needs:
            asked = chosen[need["demand"]]
            events += [_summons(call_up, need["demand"], one, wave, at) for one in asked]
        nobody_left += sum(1 for one in needs if not chosen[one["demand"]])
    await door.append(events)
    return Wave(wave, len(events), nobody_left)


async def _chosen(
    conn: Conn, call_up: dict[str, Any], needs: Sequence[dict[str, Any]], shift: Shift, rates: Rates,
    limits: Limits, *, at: datetime,
) -> dict[UUID, list[UUID]]:  # fmt: skip
    people = await queries.candidates(
        conn,
        call_up["call_up"],
        shift,
        units=call_up["units"],
        areas=call_up["areas"],
        limits=limits,
        at=at,
    )
    wanted = [
        Need(one["demand"], one["short"], tuple(one["line"]), _may(one, people, shift, limits))
        for one in needs
    ]
    candidates = (
        Candidate(one["staff"], one["unit"], one["asked_at"], tuple(one["line"])) for one in people
    )
    # Among tens of thousands that takes a while: in a thread others are answered meanwhile.
    return await asyncio.to_thread(choose, wanted, candidates, rates)


async def propose(conn: Conn, demand: UUID, *, most: int, at: datetime) -> list[UUID]:
    """Who could fill a place, best first: as a call-up would ask them. Raises DemandUnknown."""
    if (found := await queries.demand(conn, demand)) is None:
        raise DemandUnknown(demand=demand)
    (need,) = await queries.open_needs(conn, [demand], at=at)
    anybody = {"call_up": UUID(int=0), "units": [], "areas": []}
    shift = Shift(found["starts_at"], found["ends_at"])
    chosen = await _chosen(
        conn, anybody, [need | {"short": most}], shift, await queries.rates(conn, at=at),
        await queries.limits(conn, at=at), at=at,
    )  # fmt: skip
    return chosen[demand][:most]


def _may(
    need: dict[str, Any], people: Sequence[dict[str, Any]], shift: Shift, limits: Limits
) -> frozenset[UUID] | None:
    """Who of the people may fill a need; None where anybody may."""
    post, skill = POSTS[need["role"]], need["skill"]
    if not (post.trained or post.suit or skill):
        return None
    return frozenset(
        one["staff"]
        for one in people
        if (skill is None or skill in (one["proven"] or () if need["proven"] else one["skills"]))
        and not broken(
            shift, (), need["role"],
            Person(one["birth_year"], one["fit"], frozenset(one["trained"] or ())), limits,
        )
    )  # fmt: skip


def _summons(call_up: dict[str, Any], demand: UUID, staff: UUID, wave: int, at: datetime) -> Event:
    """Nobody is asked twice in one call-up: the id follows from both."""
    body = StaffCalledUp(
        call_up["call_up"],
        demand,
        staff,
        min(wave, 1_000),
        at + timedelta(minutes=call_up["answer_minutes"]),
    )
    id_ = derived("summons", call_up["call_up"], staff)
    return Event(
        derived("called up", id_), "StaffCalledUp", id_, at, at, at, call_up["opened_by"], body
    )


async def close_call_up(
    conn: Conn, door: Door, call_up: dict[str, Any], *, actor: str, at: datetime
) -> None:
    """Ask nobody else: whoever has not answered is told that they are not needed."""
    if call_up["closed_at"] is None:
        body = CallUpClosed("stopped")
        await door.append([_event(body, call_up["call_up"], actor, at)])


async def answer(
    conn: Conn, door: Door, summons: UUID, said: Answer, *, how: How, actor: str, at: datetime
) -> dict[str, Any]:
    """Say yes or no to a summons, as often as minds change while it lasts; how it then stands. Whoever says
    yes has a place or is told why not. Raises SummonsUnknown, NoPlaceLeft, StandsElsewhere, LimitBroken."""
    asked = await queries.summons(conn, summons)
    before = await queries.postings_of_summons(conn, summons)
    held = [one for one in before if one["state"] != "withdrawn"]
    word = _event(CallAnswered(said, how), summons, actor, at)
    if said == "declined":
        events = [_event(PostingWithdrawn("declined"), one["posting"], actor, at) for one in held
                  if one["state"] == "posted"]  # fmt: skip
        if asked["state"] != "declined" or events:
            await door.append([word, *events])
    elif not held:
        if asked["closed_at"] is not None or asked["ends_at"] <= at:
            raise NoPlaceLeft()
        posting = derived("posting", summons, len(before))
        body = StaffPosted(
            asked["staff"],
            asked["demand"],
            asked["role"],
            asked["starts_at"],
            asked["ends_at"],
            summons,
        )
        posted = Event(derived("posted", posting), "StaffPosted", posting, at, at, at, actor, body)
        problem, *_ = await door.append(
            [posted, word], sender=Booking(await queries.limits(conn, at=at))
        )
        if isinstance(problem, Problem):
            raise problem
    return await queries.summons(conn, summons)


async def post(
    conn: Conn, door: Door, demand: UUID, staff: UUID, *, overridden: Sequence[Broken] = (),
    reason: str | None = None, actor: str, at: datetime, posting: UUID | None = None,
) -> UUID:  # fmt: skip
    """Give somebody a place without asking; limits that are broken knowingly stand in the event with who
    decided, why in the vault. Raises DemandUnknown, NoPlaceLeft, StandsElsewhere, LimitBroken,
    NeverLifted."""
    found = await queries.demand(conn, demand)
    if found is None:
        raise DemandUnknown(demand=demand)
    if never := NEVER & set(overridden):
        raise NeverLifted(what=", ".join(sorted(never)))
    body = StaffPosted(
        staff, demand, found["role"], found["starts_at"], found["ends_at"],
        overridden=tuple(overridden),
    )  # fmt: skip
    id_ = posting or uuid7()
    event = Event(derived("posted", id_), "StaffPosted", id_, at, at, at, actor, body, note=reason)
    (said,) = await door.append([event], sender=Booking(await queries.limits(conn, at=at)))
    if isinstance(said, Problem):
        raise said
    return id_


async def withdraw_posting(
    conn: Conn, door: Door, posting: UUID, *, why: WhyNotPosted, actor: str, at: datetime
) -> None:
    """Free a place. Who stands there is relieved instead. Raises PostingUnknown, PlaceNotTheirs."""
    found = await queries.posting(conn, posting)
    if found["state"] in ("arrived", "left"):
        raise PlaceNotTheirs()
    if found["state"] == "posted":
        await door.append([_event(PostingWithdrawn(why), posting, actor, at)])


async def arrive(
    conn: Conn, door: Door, posting: UUID, *, how: Arrival, actor: str, at: datetime
) -> None:
    """Say that somebody stands at their post. Raises PostingUnknown, PlaceNotTheirs, NotThereYet."""
    found = await queries.posting(conn, posting)
    if found["state"] == "withdrawn":
        raise PlaceNotTheirs()
    if at < found["starts_at"] - EARLY:
        raise NotThereYet(starts_at=found["starts_at"])
    if found["state"] == "posted":
        id_ = derived("arrived", posting)
        await door.append(
            [Event(id_, "ArrivedAtPost", posting, at, at, at, actor, ArrivedAtPost(how))]
        )


async def relieve(
    conn: Conn, door: Door, posting: UUID, *, by: UUID | None = None, actor: str, at: datetime
) -> None:
    """Say that somebody has left their post. Raises PostingUnknown, PlaceNotTheirs."""
    found = await queries.posting(conn, posting)
    if found["state"] not in ("arrived", "left"):
        raise PlaceNotTheirs()
    if found["state"] == "arrived":
        id_ = derived("relieved", posting)
        await door.append([Event(id_, "Relieved", posting, at, at, at, actor, Relieved(by))])


def _event(body: Body, subject: UUID, actor: str, at: datetime) -> Event:
    return Event(uuid7(), type(body).__name__, subject, at, at, at, actor, body)
