"""The demonstration of call-ups: teachers placed in twelve streets within half an hour, even groups, an aid team over
compounds overnight, and a night shift that relieves the day at every site, no-shows refilled. Played time, the same
decisions as at a desk.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from muster.catalogue import CATALOGUE
from muster.cli import demo_teams
from muster.cli.demo import ROOT, DemoWouldMix
from muster.cli.importing import example_areas, run_import
from muster.cli.output import Out
from muster.core.clock import now
from muster.core.ids import derived
from muster.core.problems import Problem
from muster.exercise import callup
from muster.exercise.callup import Figures, Stage
from muster.instance import Instance
from muster.keeping.follower import catch_up
from muster.workforce import decide
from muster.workforce.booking import LimitBroken
from muster.workforce.engine.limits import Limits
from muster.workforce.engine.posts import Role

PEOPLE = 20_000
TEACHERS, CLOCK_MINUTES = 650, 30
SITES, NO_SHOWS = 448, 0.04
AT_A_SITE: tuple[tuple[Role, int], ...] = (("sampler", 2), ("registrar", 1), ("queue_guide", 1))
PART = 1_000  # demands of one call-up
LIMITS = Limits()
_ADDED = ("needed", "asked", "declined", "silent", "placed", "arrived")
SHOWN = ("scene", "needed", "asked", "declined", "silent", "placed", "arrived", "minutes")


class ClockMissed(Problem):
    """The demonstration did not reach what it shows: {what}. That is a defect of Muster."""

    zh = "演示未达到目标：{what}。这是 Muster 的缺陷。"
    status = 500


async def run_callup_demo(
    out: Out, muster: Instance, folder: Path, *, address: str, people: int, seed: int
) -> dict[str, Any]:
    """Everything `muster demo callup` does, on an open and serving Muster; the document it prints. Raises
    ClockMissed, DemoWouldMix."""
    share = min(1.0, people / PEOPLE)
    began = now().replace(second=0, microsecond=0) - timedelta(hours=48)
    stage = callup.staged(muster, seed=seed, at=began)
    if others := await stage.rows("others", root=ROOT):
        raise DemoWouldMix(areas=", ".join(one["name"] for one in others))
    await run_import(out, muster, "areas", example_areas())
    async with muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)
    streets = [one["area"] for one in await stage.rows("areas", level="street")]
    communities = await stage.rows("areas", level="community")
    areas = [one["area"] for one in communities]
    schools, others = max(2, round(100 * share)), max(3, round(200 * share))
    await callup.units(stage, areas, schools=schools, others=others)
    staff = folder / "staff.csv"
    callup.staff_file(
        staff, people, [one["code"] for one in communities], schools=schools, others=others,
        random=stage.random,
    )  # fmt: skip
    await run_import(out, muster, "staff", staff)
    await callup.trained(stage)
    (district,) = await stage.rows("areas", level="district")
    paper = muster.settings.home / "groups.pdf"
    scenes = {
        "teachers": await _teachers(out, stage, streets, schools, round(TEACHERS * share)),
        "groups": await demo_teams.groups(
            stage,
            district["area"],
            people=max(28, round(demo_teams.IN_GROUPS * share)),
            count=demo_teams.GROUPS,
            paper=paper,
            language=out.language,
        ),
        "aid_team": await demo_teams.aid(
            stage,
            district["area"],
            areas,
            people=max(20, round(demo_teams.AID_PEOPLE * share)),
            compounds=max(15, round(demo_teams.COMPOUNDS * share)),
        ),
        "shift_change": await _shift_change(out, stage, areas, max(4, round(SITES * share))),
    }
    limits = await _limits(stage, areas[0])
    shown = [{"scene": out.word(name), **asdict(of)} for name, of in scenes.items()]
    out.table(shown, SHOWN)
    for name, of in scenes.items():
        if of.arrived < of.needed:
            raise ClockMissed(what=f"{name}: {of.arrived} / {of.needed}")
    if empty := scenes["aid_team"].more["with_nobody"]:
        raise ClockMissed(what=f"aid_team: {empty}")
    out.say(f"The composition of the groups, to print: {paper}", f"各组构成（可打印）：{paper}")
    return {name: asdict(of) for name, of in scenes.items()} | {"limits": limits}


async def _teachers(
    out: Out, stage: Stage, streets: Sequence[UUID], schools: int, needed: int
) -> Figures:
    """So many teachers of schools, each street its part, who must stand there half an hour after the order."""
    parts = [needed // len(streets) + (n < needed % len(streets)) for n in range(len(streets))]
    wanted: list[tuple[UUID, UUID | None, Role, int]] = [
        (street, None, "queue_guide", part)
        for street, part in zip(streets, parts, strict=True)
        if part
    ]
    arrive_by = stage.at + timedelta(minutes=CLOCK_MINUTES)
    needs = await callup.demands(stage, wanted, arrive_by, hours=4, arrive_by=arrive_by)
    teachers = [derived("unit", f"SCH-{n}") for n in range(schools)]
    with out.progress(out.pick("teachers arrive", "教师到岗")) as bar:
        found = await callup.played(
            stage, "教师支援", needs, answer_minutes=4, most_minutes=90, units=teachers,
            said=lambda minute, arrived, of: bar(arrived, of, minute),
        )  # fmt: skip
    if found.minutes > CLOCK_MINUTES:
        raise ClockMissed(what=f"{found.minutes} > {CLOCK_MINUTES} min")
    return found


async def _shift_change(out: Out, stage: Stage, areas: Sequence[UUID], count: int) -> Figures:
    """Every site has its day shift; twelve hours later the night comes, some do not, others are asked for
    them, and each of the day hands over to one of the night."""
    places = await callup.sites(stage, areas, count)
    wanted: list[tuple[UUID, UUID | None, Role, int]] = [
        (area, site, role, many) for site, area in places for role, many in AT_A_SITE
    ]
    morning = stage.at + timedelta(hours=3)
    evening = morning + timedelta(hours=12)
    stage.at = morning - timedelta(hours=1)
    day, came = await _shift(out, stage, "白班", wanted, morning, absent=0.0)
    stage.at = evening - timedelta(hours=1)
    night, found = await _shift(out, stage, "夜班", wanted, evening, absent=NO_SHOWS)
    stage.at = max(stage.at, evening)
    relieved = await callup.handed_over(stage, day, night)
    if relieved < came.needed:
        raise ClockMissed(what=f"{relieved} / {came.needed}")
    return replace(found, more=found.more | {"sites": count, "handed_over": relieved})


async def _shift(
    out: Out, stage: Stage, name: str, wanted: Sequence[Any], starts_at: datetime, *, absent: float
) -> tuple[list[UUID], Figures]:
    """One shift, in call-ups of as many demands as one may have; who does not come is replaced."""
    needs = await callup.demands(stage, wanted, starts_at, hours=12)
    began, ended, found = stage.at, stage.at, list[Figures]()
    for n, first in enumerate(range(0, len(needs), PART)):
        stage.at = began
        with out.progress(f"{name} {n + 1}") as bar:
            found.append(await callup.played(
                stage, f"{name} {n + 1}", needs[first : first + PART], answer_minutes=10, most_minutes=180,
                absent=absent, gone_at=starts_at + timedelta(minutes=5) if absent else None, every=3,
                said=lambda minute, arrived, of, bar=bar: bar(arrived, of, minute),
            ))  # fmt: skip
        ended = max(ended, stage.at)
    stage.at = ended
    sums = {one: sum(getattr(each, one) for each in found) for one in _ADDED}
    gone = sum(one.more.get("no_shows", 0) for one in found)
    return needs, Figures(
        **sums, minutes=max(one.minutes for one in found), more={"no_shows": gone}
    )


async def _limits(stage: Stage, area: UUID) -> dict[str, int]:
    """Nobody stands past a limit but by somebody's name: a shift that would break one is refused, and lifted
    with a reason only."""
    (needed,) = await callup.demands(
        stage, [(area, None, "queue_guide", 1)], stage.at + timedelta(hours=1), hours=6
    )
    (tired,) = await stage.rows("just_left")
    async with stage.muster.pool.connection() as conn:
        door, at, actor = stage.muster.door, stage.at, callup.ACTOR
        try:
            await decide.post(conn, door, needed, tired["staff"], actor=actor, at=at)
            raise ClockMissed(what="too_little_rest")
        except LimitBroken:
            pass
        await decide.post(
            conn, door, needed, tired["staff"], overridden=["too_little_rest"], reason="无人可派，本人同意",
            actor=actor, at=at,
        )  # fmt: skip
    over = await stage.rows(
        "past_limits", rest_hours=LIMITS.rest_hours, shift_hours=LIMITS.shift_hours
    )
    unnamed = [one for one in over if not one["named"]]
    if unnamed or not over:
        raise ClockMissed(what=f"{len(unnamed)} / {len(over)} > {LIMITS.shift_hours} h")
    return {"refused": 1, "past_a_limit_by_name": len(over), "past_a_limit_without": len(unnamed)}
