"""Decisions about teams and about aid: formed, joined, dissolved; agreed, sent, arrived, released. What is said
twice is one.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from muster.core.ids import derived, uuid7
from muster.core.problems import Problem
from muster.ledger.door import Door
from muster.ledger.event import Body, Event
from muster.teams import queries
from muster.teams.engine.colours import colour_of
from muster.teams.engine.grouping import Worker, even_groups, spread_of
from muster.teams.events import (
    AidAgreed,
    AidReleased,
    DutyCarried,
    LodgingGiven,
    TeamFormed,
    TeamJoined,
    TeamLeft,
    WaveArrived,
    WaveSent,
    WhyOut,
)
from muster.workforce.events import PostingWithdrawn

Conn = queries.Conn


class TeamCodeTaken(Problem):
    """There is a team {code} in this area already. Change that one, or take another code."""

    zh = "该区域已有编号为“{code}”的队伍。请修改该队伍，或换一个编号。"
    status = 409


class TeamDissolved(Problem):
    """The team {code} was dissolved. Form another one."""

    zh = "队伍“{code}”已解散，请另行组建。"
    status = 409


class TooFewForGroups(Problem):
    """{people} people cannot make {groups} groups: some would be empty. Ask for fewer groups."""

    zh = "{people} 人不能分成 {groups} 组：会有空组。请减少组数。"


class AidTimesUnfit(Problem):
    """It cannot be from {starts_at} to {ends_at}: the end must come after the beginning."""

    zh = "时间不能是 {starts_at} 至 {ends_at}：结束须晚于开始。"


class NotArrivedYet(Problem):
    """The wave {number} is not there yet: the host confirms its arrival first."""

    zh = "第 {number} 批尚未抵达：请接收方先确认抵达。"
    status = 409


@dataclass(frozen=True)
class Group:
    """A group that was, or would be, formed, and who is in it."""

    team: UUID
    code: str
    marking: str
    members: tuple[Worker, ...]


async def form(conn: Conn, door: Door, body: TeamFormed, *, actor: str, at: datetime) -> UUID:
    """Form a team; its id, which follows from its area and code. Raises TeamCodeTaken."""
    team = derived("team", body.area, body.code)
    await _free(conn, team, body.code)
    await door.append([_event(body, team, actor, at)])
    return team


async def change(
    conn: Conn, door: Door, team: UUID, body: TeamFormed, *, actor: str, at: datetime
) -> None:
    """Say anew what a team is. Raises TeamUnknown, TeamDissolved."""
    await _living(conn, team)
    await door.append([_event(body, team, actor, at)])


async def dissolve(conn: Conn, door: Door, team: UUID, *, actor: str, at: datetime) -> None:
    """There is no such team any more, and nobody is in it. Raises TeamUnknown."""
    found = await queries.team(conn, str(team))
    if found["dissolved"]:
        return
    said = {name: found[name] for name in TeamFormed.__struct_fields__ if name != "dissolved"}
    body = msgspec.convert(said | {"dissolved": True}, TeamFormed)
    gone = await queries.member_ids(conn, [team])
    await door.append([
        _event(body, team, actor, at), *(_event(TeamLeft(team), one, actor, at) for one in gone)
    ])  # fmt: skip


async def join(
    conn: Conn, door: Door, team: UUID, staff: Sequence[UUID], *, actor: str, at: datetime
) -> int:
    """People work in a team from now on, and in no other of its kind; how many are new in it. Raises
    TeamUnknown, TeamDissolved."""
    found = await _living(conn, team)
    here = set(await queries.member_ids(conn, [team]))
    new = [one for one in dict.fromkeys(staff) if one not in here]
    await door.append([_event(TeamJoined(team, found["kind"]), one, actor, at) for one in new])
    return len(new)


async def leave(
    conn: Conn, door: Door, team: UUID, staff: Sequence[UUID], *, why: WhyOut, actor: str, at: datetime
) -> int:  # fmt: skip
    """People do not work in a team any more; how many did."""
    here = set(await queries.member_ids(conn, [team]))
    gone = [one for one in dict.fromkeys(staff) if one in here]
    await door.append([_event(TeamLeft(team, why), one, actor, at) for one in gone])
    return len(gone)


async def group_evenly(
    conn: Conn, door: Door, body: TeamFormed, staff: Sequence[UUID], count: int, *, dry: bool, actor: str,
    at: datetime,
) -> list[Group]:  # fmt: skip
    """So many teams like `body`, with a number behind code and name, made even of these people. `dry`: only
    what would be. Raises TooFewForGroups, TeamCodeTaken."""
    people = [
        Worker(one["staff"], one["unit"], frozenset(one["skills"]), one["sex"])
        for one in await queries.workers(conn, staff)
    ]
    if len(people) < count:
        raise TooFewForGroups(people=len(people), groups=count)
    made, events = [], list[Event]()
    for number, members in enumerate(await asyncio.to_thread(even_groups, people, count)):
        code = f"{body.code}-{number + 1:0{len(str(count))}}"
        team = derived("team", body.area, code)
        await _free(conn, team, code)
        marking = colour_of(number)
        told = msgspec.structs.replace(
            body, code=code, name=f"{body.name} {number + 1}", marking=marking
        )
        events.append(_event(told, team, actor, at))
        events += [_event(TeamJoined(team, body.kind), one.staff, actor, at) for one in members]
        made.append(Group(team, code, marking, tuple(members)))
    if not dry:
        await door.append(events)
    return made


def unevenness(groups: Sequence[Group]) -> dict[str, int]:
    """By how many people two groups differ most: in size, and in each skill and sex."""
    held = [one.members for one in groups]
    sizes = [len(one) for one in held]
    features = sorted({f for members in held for one in members for f in one.features})
    told = {f"{kind}:{name}": spread_of(held, (kind, name)) for kind, name in features}
    return {"size": max(sizes) - min(sizes)} | told


async def agree(
    door: Door, body: AidAgreed, *, aid: UUID | None = None, actor: str, at: datetime
) -> UUID:
    """Note what was agreed with another place; its id. Said again, the later word counts. Raises
    AidTimesUnfit."""
    _check_times(body.starts_at, body.ends_at)
    id_ = aid or uuid7()
    await door.append([_event(body, id_, actor, at)])
    return id_


async def send(door: Door, body: WaveSent, *, actor: str, at: datetime) -> UUID:
    """Note that a wave sets out; its id follows from the aid and its number. Raises AidTimesUnfit."""
    _check_times(body.leaves_at, body.arrives_by)
    wave = derived("wave", body.aid, str(body.number))
    await door.append([_event(body, wave, actor, at)])
    return wave


async def arrive(
    conn: Conn, door: Door, wave: UUID, count: int, *, actor: str, at: datetime
) -> None:
    """The host confirms that a wave is here. Raises WaveUnknown."""
    if (await queries.wave(conn, wave))["arrived"] != count:
        await door.append([_event(WaveArrived(count), wave, actor, at)])


async def carry(
    door: Door, staff: Sequence[UUID], *, days: int, on: date, actor: str, at: datetime
) -> None:
    """These people come with so many days of duty on end behind them."""
    await door.append(
        [_event(DutyCarried(days, on), one, actor, at) for one in dict.fromkeys(staff)]
    )


async def lodge(
    door: Door, staff: Sequence[UUID], body: LodgingGiven, *, actor: str, at: datetime
) -> None:
    """Where these people sleep and who feeds them."""
    await door.append([_event(body, one, actor, at) for one in dict.fromkeys(staff)])


async def release(
    conn: Conn, door: Door, aid: UUID, *, wave: UUID | None = None, actor: str, at: datetime
) -> list[UUID]:
    """An aid, or one wave of it, is not needed any more: places its people have not come to yet are free
    again. Whoever stands somewhere is relieved as anybody else. Who is released. Raises NotArrivedYet."""
    if wave is None:
        found = await queries.aid(conn, str(aid))
    elif (found := await queries.wave(conn, wave))["arrived_at"] is None:
        raise NotArrivedYet(number=found["number"])
    people = [one["staff"] for one in await queries.sent(conn, aid, wave=wave)]
    places = await queries.waiting(conn, people, at=at)
    events = [_event(PostingWithdrawn("not_needed"), one, actor, at) for one in places]
    if found["released_at"] is None:
        events.append(_event(AidReleased(at), wave or aid, actor, at))
    await door.append(events)
    return people


async def _free(conn: Conn, team: UUID, code: str) -> None:
    try:
        if not (await queries.team(conn, str(team)))["dissolved"]:
            raise TeamCodeTaken(code=code)
    except queries.TeamUnknown:
        return


async def _living(conn: Conn, team: UUID) -> dict[str, Any]:
    found = await queries.team(conn, str(team))
    if found["dissolved"]:
        raise TeamDissolved(code=found["code"])
    return found


def _check_times(starts_at: datetime, ends_at: datetime) -> None:
    if ends_at <= starts_at:
        raise AidTimesUnfit(starts_at=starts_at, ends_at=ends_at)


def _event(body: Body, subject: UUID, actor: str, at: datetime) -> Event:
    return Event(uuid7(), type(body).__name__, subject, at, at, at, actor, body)
