"""A call-up played out: people asked, who refuse, stay silent, come late or not at all, while the clock moves on by
minutes. Everything goes through the same decisions as at a desk or behind a link; only the time is played.
"""

import asyncio
import csv
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from muster.core.ids import derived, uuid7
from muster.core.problems import Problem
from muster.core.rows import rows
from muster.instance import Instance
from muster.ledger.event import Event
from muster.registry.events import UnitListed
from muster.sampling.events import SiteListed
from muster.workforce import decide, queries, relief
from muster.workforce.engine.posts import Role
from muster.workforce.events import CallUpOpened, DemandRaised, TrainingPassed

ACTOR = "exercise"
SILENT, REFUSING = 0.35, 0.10
AT_ONCE = 16  # answers on their way at the same time
_HERE = "muster.exercise"
Said = Callable[[int, int, int], None]


@dataclass(frozen=True)
class Figures:
    """What came of a scene. `minutes`: from the order until the last who was needed stood there."""

    needed: int
    asked: int
    declined: int
    silent: int
    placed: int
    arrived: int
    minutes: int
    more: dict[str, int] = field(default_factory=dict)


@dataclass
class Stage:
    """Where a scene is played: an open Muster, chance, and the time it is."""

    muster: Instance
    random: Random
    at: datetime

    async def each(self, work: Sequence[Awaitable[Any]]) -> None:
        """Many things at the same time, as they come from many phones."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(task: Awaitable[Any]) -> None:
            async with gate:
                await task

        await asyncio.gather(*(one(task) for task in work))

    async def say(self, said: Sequence[tuple[UUID, Any]]) -> None:
        """Things that are so, from the time on that it is."""
        at = self.at
        await self.muster.door.append([
            Event(uuid7(), type(body).__name__, subject, at, at, at, ACTOR, body) for subject, body in said
        ])  # fmt: skip

    async def rows(self, name: str, **values: Any) -> list[dict[str, Any]]:
        async with self.muster.pool.connection() as conn:
            return await rows(conn, _HERE, f"callup.sql:{name}", **values)


def staged(muster: Instance, *, seed: int, at: datetime) -> Stage:
    """A stage on which the same seed plays the same chances."""
    return Stage(muster, Random(f"{seed}/callup"), at)


async def units(stage: Stage, areas: Sequence[UUID], *, schools: int, others: int) -> None:
    """Schools, and units of other kinds, spread over areas."""
    kinds = ("organ", "hospital", "enterprise", "property", "volunteers")
    listed = [
        UnitListed(f"SCH-{n}", "school", areas[n % len(areas)], f"第{n + 1}学校")
        for n in range(schools)
    ] + [
        UnitListed(f"UNIT-{n}", kinds[n % len(kinds)], areas[n % len(areas)], f"单位{n + 1}")
        for n in range(others)
    ]
    await stage.say([(derived("unit", one.code), one) for one in listed])


def staff_file(
    path: Path, people: int, areas: Sequence[str], *, schools: int, others: int, random: Random
) -> None:
    """A list as units hand it in; everybody has a phone of their own."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(
            ["姓名", "工号", "单位编码", "手机", "居住小区编码", "性别", "出生日期", "技能"]
        )
        for n in range(people):
            unit = f"SCH-{n % schools}" if n % 3 == 0 else f"UNIT-{n % others}"
            skill = "护理" if n % 7 == 0 else "驾驶" if n % 7 == 1 else ""
            born = f"{random.randint(1962, 2001)}-01-01"
            table.writerow([
                f"职工{n}", n, unit, f"138{n:08}", areas[n % len(areas)], "女" if n % 2 else "男", born, skill,
            ])  # fmt: skip


async def sites(stage: Stage, areas: Sequence[UUID], count: int) -> list[tuple[UUID, UUID]]:
    """So many sites, spread over areas: each with its area."""
    made = [(derived("site", f"POST-{n}"), areas[n % len(areas)]) for n in range(count)]
    await stage.say([
        (site, SiteListed(f"POST-{n}", f"采样点{n + 1}", area=area)) for n, (site, area) in enumerate(made)
    ])  # fmt: skip
    return made


async def trained(stage: Stage) -> None:
    """A third of the people for swabbing, a third for registering."""
    found = await stage.rows("register")
    roles: tuple[Role, ...] = ("sampler", "registrar")
    await stage.say([
        (one["staff"], TrainingPassed(roles[n % 3], stage.at.date() - timedelta(days=30)))
        for n, one in enumerate(found) if n % 3 < 2
    ])  # fmt: skip


async def demands(
    stage: Stage, wanted: Sequence[tuple[UUID, UUID | None, Role, int]], starts_at: datetime, *, hours: int,
    arrive_by: datetime | None = None,
) -> list[UUID]:  # fmt: skip
    """What places need: (area, site, role, count) each."""
    ids = [uuid7() for _ in wanted]
    ends_at = starts_at + timedelta(hours=hours)
    decide.check_shift(starts_at, ends_at, stage.at)
    await stage.say([
        (id_, DemandRaised(area, role, count, starts_at, ends_at, site, arrive_by))
        for id_, (area, site, role, count) in zip(ids, wanted, strict=True)
    ])  # fmt: skip
    return ids


async def played(
    stage: Stage, name: str, needs: Sequence[UUID], *, answer_minutes: int, most_minutes: int,
    units: Sequence[UUID] = (), absent: float = 0.0, gone_at: datetime | None = None,
    every: int = 1, said: Said | None = None,
) -> Figures:  # fmt: skip
    """Call people up and move on minute by minute until all who are needed stand there: some never answer,
    some refuse, of those who said yes a share (`absent`) does not come. From `gone_at` on the places of
    those are free, and others are asked: `every` so many minutes."""
    body = CallUpOpened(name, tuple(needs), answer_minutes, tuple(units))
    async with stage.muster.pool.connection() as conn:
        call_up, _ = await decide.open_call_up(
            conn, stage.muster.door, body, actor=ACTOR, at=stage.at
        )
        needed = sum(one["count"] for one in await queries.open_needs(conn, needs, at=stage.at))
    crowd = _Crowd(stage, answer_minutes, absent)
    sums, minute, gone = dict.fromkeys(_SUMS, 0), 0, 0
    for minute in range(1, most_minutes + 1):
        stage.at += timedelta(minutes=1)
        await crowd.speak(await stage.rows("waiting", call_up=call_up, heard=list(crowd.speaks_at)))
        await crowd.arrive()
        if gone_at is not None and stage.at >= gone_at:
            gone += await _freed(stage, needs, keep=crowd.coming)
        async with stage.muster.pool.connection() as conn:
            if minute % every == 0:
                found = await queries.call_up(conn, str(call_up))
                await decide.top_up(conn, stage.muster.door, found, at=stage.at)
            board = await queries.board(conn, needs, at=stage.at)
        sums = {one: sum(line[one] for line in board) for one in _SUMS}
        if said:
            said(minute, sums["arrived"], needed)
        if sums["arrived"] >= needed:
            break
    silent = sums["silent"] + sums["waiting"] + sums["withdrawn"]
    return Figures(
        needed, sums["asked"], sums["declined"], silent, sums["placed"], sums["arrived"], minute,
        {"no_shows": gone} if absent else {},
    )  # fmt: skip


_SUMS = ("asked", "declined", "waiting", "silent", "withdrawn", "placed", "arrived")


@dataclass
class _Crowd:
    """Those who were asked: when each speaks, if ever, and when they will be there."""

    stage: Stage
    answer_minutes: int
    absent: float
    speaks_at: dict[UUID, datetime | None] = field(default_factory=dict)
    coming: dict[UUID, datetime] = field(default_factory=dict)

    async def speak(self, asked: Sequence[dict[str, Any]]) -> None:
        """A third says nothing; the others speak within the time they have."""
        random, at = self.stage.random, self.stage.at
        for one in asked:
            later = at + timedelta(minutes=random.randrange(self.answer_minutes))
            self.speaks_at[one["summons"]] = None if random.random() < SILENT else later
        now = [one for one, speaks in self.speaks_at.items() if speaks is not None and speaks <= at]
        for one in now:
            self.speaks_at[one] = None
        chances = [(one, random.random(), random.random(), random.randint(3, 12)) for one in now]
        await self.stage.each([self._answer(*chance) for chance in chances])

    async def _answer(self, summons: UUID, chance: float, comes: float, road: int) -> None:
        """A tenth of all refuses; who says yes is on the way, but for those who will not come."""
        stage = self.stage
        said: Any = "declined" if chance < REFUSING / (1 - SILENT) else "accepted"
        async with stage.muster.pool.connection() as conn:
            try:
                stands = await decide.answer(
                    conn, stage.muster.door, summons, said, how="link", actor=ACTOR, at=stage.at
                )
            except Problem:
                return  # all places are taken, or theirs is elsewhere: they were told so
        if said == "accepted" and stands["posting"] and comes >= self.absent:
            self.coming[stands["posting"]] = stage.at + timedelta(minutes=road)

    async def arrive(self) -> None:
        """Those whose road is over check in."""
        due = [one for one, at in self.coming.items() if at <= self.stage.at]
        await self.stage.each([self._check_in(one) for one in due])
        for one in due:
            del self.coming[one]

    async def _check_in(self, posting: UUID) -> None:
        async with self.stage.muster.pool.connection() as conn:
            await decide.arrive(
                conn,
                self.stage.muster.door,
                posting,
                how="place_code",
                actor=ACTOR,
                at=self.stage.at,
            )


async def _freed(stage: Stage, needs: Sequence[UUID], *, keep: dict[UUID, datetime]) -> int:
    """Free the places of those who should have come and are not on their way; how many they are."""
    away = await stage.rows("not_come", demands=list(needs))
    gone = [one["posting"] for one in away if one["posting"] not in keep]

    async def free(posting: UUID) -> None:
        async with stage.muster.pool.connection() as conn:
            await decide.withdraw_posting(
                conn, stage.muster.door, posting, why="no_show", actor=ACTOR, at=stage.at
            )

    await stage.each([free(one) for one in gone])
    return len(gone)


async def handed_over(stage: Stage, before: Sequence[UUID], after: Sequence[UUID]) -> int:
    """Everybody of one shift hands over to somebody of the next at the same place, in the same role."""
    pairs = await stage.rows("pairs", before=list(before), after=list(after))

    async def over(posting: UUID, to: UUID) -> None:
        async with stage.muster.pool.connection() as conn:
            await relief.hand_over(
                conn, stage.muster.door, posting, to=to, open_matters=0, note=None, leave=True, actor=ACTOR,
                at=stage.at,
            )  # fmt: skip

    await stage.each([over(one["posting"], one["to_posting"]) for one in pairs])
    return len(pairs)
