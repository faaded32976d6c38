"""Calling people up: who is asked, who gets a place, who comes; nobody twice, never more than are needed."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from muster.catalogue import CATALOGUE
from muster.core.clock import now
from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.instance import Instance
from muster.keeping.follower import catch_up
from muster.ledger.event import Event
from muster.workforce import decide, queries
from muster.workforce.booking import LimitBroken, NoPlaceLeft, StandsElsewhere
from muster.workforce.events import (
    CallUpOpened,
    DemandRaised,
    HardshipFlagged,
    StaffAway,
    StaffListed,
    TrainingPassed,
)
from tests.conftest import Play, second_server
from tests.table import STREET_UNITS, events, named

U1, U2, G1, G2 = (named(one) for one in ("U1", "U2", "G1", "G2"))
ACTOR = "tester"


class Scene:
    """A street with a school and an office, and so many people of each."""

    def __init__(self, muster: Instance) -> None:
        self.muster, self.at = muster, now()
        self.starts_at = (self.at + timedelta(hours=1)).replace(microsecond=0)

    async def staff(
        self, count: int, *, unit: UUID = U1, home: UUID = G1, **said: Any
    ) -> list[UUID]:
        ids = [uuid7() for _ in range(count)]
        await self.say([(one, StaffListed(unit=unit, home=home, **said)) for one in ids])
        return ids

    async def say(self, said: list[tuple[UUID, Any]]) -> None:
        at = self.at
        answers = await self.muster.door.append([
            Event(uuid7(), type(body).__name__, subject, at, at, at, ACTOR, body) for subject, body in said
        ])  # fmt: skip
        assert set(answers) <= {"stored"}

    async def demand(
        self, count: int, *, area: UUID = G1, hours: int = 4, after: int = 0, **said: Any
    ) -> UUID:
        starts_at = self.starts_at + timedelta(hours=after)
        facts: Any = {"role": "queue_guide"} | said
        ends_at = starts_at + timedelta(hours=hours)
        body = DemandRaised(area=area, count=count, starts_at=starts_at, ends_at=ends_at, **facts)
        return await decide.raise_demand(self.muster.door, body, actor=ACTOR, at=self.at)

    async def call_up(self, *demands: UUID, minutes: int = 5) -> UUID:
        async with self.muster.pool.connection() as conn:
            await catch_up(conn, CATALOGUE)
            body = CallUpOpened(name="教师", demands=demands, answer_minutes=minutes)
            id_, self.wave = await decide.open_call_up(
                conn, self.muster.door, body, actor=ACTOR, at=self.at
            )
        return id_

    async def asked(self, demand: UUID, state: str = "called") -> list[UUID]:
        return [one["summons"] for one in await self.rows(
            "SELECT summons FROM workforce.summons WHERE demand = %s AND state = %s ORDER BY called_at, summons",
            demand, state)]  # fmt: skip

    async def answer(
        self, summons: UUID, said: Any = "accepted", muster: Instance | None = None
    ) -> Any:
        here = muster or self.muster
        async with here.pool.connection() as conn:
            return await decide.answer(
                conn, here.door, summons, said, how="link", actor=ACTOR, at=self.at
            )

    async def board(self, *demands: UUID) -> list[dict[str, Any]]:
        async with self.muster.pool.connection() as conn:
            return await queries.board(conn, demands, at=self.at)

    async def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        async with self.muster.pool.connection() as conn:
            cursor = await conn.execute(sql.encode(), values)
            names = [one.name for one in cursor.description or ()]
            return [dict(zip(names, one, strict=True)) for one in await cursor.fetchall()]

    async def top_up(self, call_up: UUID) -> decide.Wave:
        async with self.muster.pool.connection() as conn:
            found = await queries.call_up(conn, str(call_up))
            return await decide.top_up(conn, self.muster.door, found, at=self.at)


def acted(play: Play, act: Any) -> None:
    async def story(muster: Instance) -> None:
        await muster.door.append(events(STREET_UNITS))
        await act(Scene(muster))

    play(story)


def test_more_are_asked_than_are_needed_and_the_rest_is_told(play: Play):
    async def act(scene: Scene) -> None:
        await scene.staff(60)
        demand = await scene.demand(10)
        await scene.call_up(demand)
        asked = await scene.asked(demand)
        assert len(asked) == 19  # ten places at 55 %
        for one in asked[:10]:
            assert (await scene.answer(one))["posting_state"] == "posted"
        (line,) = await scene.board(demand)
        assert (line["placed"], line["accepted"], line["withdrawn"], line["waiting"]) == (
            10,
            10,
            9,
            0,
        )

    acted(play, act)


def test_two_hundred_say_yes_at_once_to_fifty_places(play: Play):
    """Over two servers: exactly fifty have a place, and the others are told why not."""

    async def act(scene: Scene) -> None:
        staff = await scene.staff(200)
        demand = await scene.demand(50)
        call_up = await scene.call_up(demand)
        asked = set(await scene.asked(demand))
        rest = await scene.rows(
            "SELECT s.staff FROM workforce.staff s"
            " WHERE NOT EXISTS (SELECT FROM workforce.summons k WHERE k.staff = s.staff)"
        )
        found = {"call_up": call_up, "answer_minutes": 5, "opened_by": ACTOR}
        more = [decide._summons(found, demand, one["staff"], 2, scene.at) for one in rest]
        await scene.muster.door.append(more)
        everybody = [*asked, *(one.subject for one in more)]
        assert len(everybody) == len(staff)
        async with second_server(scene.muster.settings) as other:
            said = await asyncio.gather(
                *(
                    scene.answer(one, muster=[scene.muster, other][n % 2])
                    for n, one in enumerate(everybody)
                ),
                return_exceptions=True,
            )
        refused = [one for one in said if isinstance(one, Problem)]
        assert {type(one) for one in refused} == {NoPlaceLeft}
        assert len(said) - len(refused) == 50
        (line,) = await scene.board(demand)
        assert (line["placed"], line["accepted"]) == (50, 200)
        assert len({one["staff"] for one in await scene.rows(
            "SELECT staff FROM workforce.posting")}) == 50  # fmt: skip

    acted(play, act)


def test_nobody_stands_in_two_places(play: Play):
    """Not even called by two at the same moment, and said yes to both at once."""

    async def act(scene: Scene) -> None:
        (one,) = await scene.staff(1)
        here, there = await scene.demand(1), await scene.demand(1, area=G2, after=2)
        later = await scene.demand(1, area=G2, after=4, hours=2)
        first = {"call_up": uuid7(), "answer_minutes": 5, "opened_by": ACTOR}
        summons = [
            decide._summons(first | {"call_up": uuid7()}, to, one, 1, scene.at)
            for to in (here, there, later)
        ]
        await scene.muster.door.append(summons)
        said = await asyncio.gather(
            *(scene.answer(each.subject) for each in summons[:2]), return_exceptions=True
        )
        assert [type(each) for each in said if isinstance(each, Problem)] == [StandsElsewhere]
        taken = [n for n, each in enumerate(said) if not isinstance(each, Problem)]
        await scene.answer(summons[taken[0]].subject, "declined")
        await scene.answer(summons[0].subject)
        assert (await scene.answer(summons[2].subject))["posting_state"] == "posted"

    acted(play, act)


def test_who_refuses_or_stays_silent_is_filled_in_for(play: Play):
    async def act(scene: Scene) -> None:
        await scene.staff(80)
        demand = await scene.demand(10)
        call_up = await scene.call_up(demand, minutes=5)
        first = await scene.asked(demand)
        for one in first[:4]:
            await scene.answer(one)
        for one in first[4:14]:
            await scene.answer(one, "declined")
        assert (await scene.top_up(call_up)).asked > 0  # who refused
        waiting = await scene.asked(demand)
        scene.at += timedelta(minutes=6)  # the first are silent by now
        wave = await scene.top_up(call_up)
        assert (wave.wave, wave.asked >= 6) == (3, True)
        assert not set(first) & (set(await scene.asked(demand)) - set(waiting))
        for one in await scene.asked(demand):
            if (await scene.board(demand))[0]["placed"] < 10:
                await scene.answer(one)
        assert (await scene.top_up(call_up)).asked == 0

    acted(play, act)


def test_a_place_given_back_is_asked_for_again(play: Play):
    async def act(scene: Scene) -> None:
        await scene.staff(40)
        demand = await scene.demand(5)
        call_up = await scene.call_up(demand)
        yes = (await scene.asked(demand))[:5]
        for one in yes:
            await scene.answer(one)
        assert (await scene.top_up(call_up)).asked == 0
        await scene.answer(yes[0], "declined")
        assert (await scene.board(demand))[0]["placed"] == 4
        assert (await scene.top_up(call_up)).asked == 2

    acted(play, act)


def test_who_is_asked(play: Play):
    """Nobody away, with a hardship of their own, of a shift just before, or without the training."""

    async def act(scene: Scene) -> None:
        fine, away, spared, busy, green, unfit, old = await scene.staff(7, birth_year=1985)
        passed = TrainingPassed("sampler", (scene.at - timedelta(days=9)).date())
        over = TrainingPassed(
            "sampler", (scene.at - timedelta(days=90)).date(), scene.at.date() - timedelta(days=1)
        )
        await scene.say([
            *((one, passed) for one in (fine, away, spared, busy, unfit, old)), (green, over),
            (away, StaffAway(scene.starts_at + timedelta(hours=3), scene.starts_at + timedelta(days=1))),
            (spared, HardshipFlagged()),
            (unfit, StaffListed(U1, birth_year=1985, fit=False)), (old, StaffListed(U1, birth_year=1950)),
        ])  # fmt: skip
        before = await scene.demand(1, after=-2, hours=3)
        async with scene.muster.pool.connection() as conn:
            await decide.post(conn, scene.muster.door, before, busy, actor=ACTOR, at=scene.at)
        demand = await scene.demand(7, role="sampler", after=2)
        await scene.call_up(demand)
        found = await scene.rows("SELECT staff FROM workforce.summons WHERE demand = %s", demand)
        assert [one["staff"] for one in found] == [fine]
        assert scene.wave == decide.Wave(1, 1, 0)

    acted(play, act)


def test_a_limit_is_broken_only_by_name_and_two_places_never(play: Play):
    async def act(scene: Scene) -> None:
        (one,) = await scene.staff(1)
        day, night = await scene.demand(1, hours=12), await scene.demand(1, after=13, hours=6)
        other = await scene.demand(1, after=1)
        async with scene.muster.pool.connection() as conn:
            door = scene.muster.door
            await decide.post(conn, door, day, one, actor=ACTOR, at=scene.at)
            with pytest.raises(LimitBroken, match="too_little_rest"):
                await decide.post(conn, door, night, one, actor=ACTOR, at=scene.at)
            with pytest.raises(StandsElsewhere):
                await decide.post(
                    conn, door, other, one, overridden=["too_long"], actor=ACTOR, at=scene.at
                )
            with pytest.raises(decide.NeverLifted):
                await decide.post(
                    conn, door, other, one, overridden=["double_booked"], actor=ACTOR, at=scene.at
                )
            await decide.post(
                conn, door, night, one, overridden=["too_little_rest"], reason="无人可替", actor="chief",
                at=scene.at,
            )  # fmt: skip
        found = await scene.rows(
            "SELECT posted_by, overridden FROM workforce.posting WHERE demand = %s", night
        )
        assert found == [{"posted_by": "chief", "overridden": ["too_little_rest"]}]

    acted(play, act)


def test_who_said_yes_is_not_who_stands_there(play: Play):
    async def act(scene: Scene) -> None:
        await scene.staff(10)
        demand = await scene.demand(2)
        await scene.call_up(demand)
        stands, stays = (await scene.asked(demand))[:2]
        places = [(await scene.answer(one))["posting"] for one in (stands, stays)]
        async with scene.muster.pool.connection() as conn:
            door = scene.muster.door
            with pytest.raises(decide.PlaceNotTheirs):
                await decide.relieve(conn, door, places[0], actor=ACTOR, at=scene.at)
            for _ in range(2):  # scanned twice is once
                await decide.arrive(
                    conn, door, places[0], how="place_code", actor=ACTOR, at=scene.at
                )
            with pytest.raises(decide.PlaceNotTheirs):
                await decide.withdraw_posting(
                    conn, door, places[0], why="no_show", actor=ACTOR, at=scene.at
                )
            (line,) = await scene.board(demand)
            assert (line["accepted"], line["placed"], line["arrived"]) == (2, 2, 1)
            await decide.relieve(conn, door, places[0], actor=ACTOR, at=scene.at)
        (line,) = await scene.board(demand)
        assert (line["placed"], line["arrived"], line["gone"]) == (2, 1, 1)

    acted(play, act)


def test_a_call_up_that_is_over_asks_nobody(play: Play):
    async def act(scene: Scene) -> None:
        await scene.staff(10)
        demand = await scene.demand(2)
        call_up = await scene.call_up(demand)
        asked = await scene.asked(demand)
        async with scene.muster.pool.connection() as conn:
            found = await queries.call_up(conn, "教师")
            assert found["call_up"] == call_up
            await decide.close_call_up(conn, scene.muster.door, found, actor=ACTOR, at=scene.at)
        assert await scene.asked(demand) == []
        assert (await scene.top_up(call_up)).asked == 0
        with pytest.raises(NoPlaceLeft):
            await scene.answer(asked[0])

    acted(play, act)
