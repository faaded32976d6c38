"""Two scenes of the demonstration of call-ups: people formed into groups whose composition is printed, and an aid
team from elsewhere spread over compounds overnight.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from muster.catalogue import CATALOGUE
from muster.core.clock import now
from muster.core.ids import derived, uuid7
from muster.exercise import callup
from muster.exercise.callup import Figures, Stage
from muster.keeping.follower import catch_up
from muster.papers.room import foot
from muster.papers.team_sheets import team_lists
from muster.papers.templates import template
from muster.papers.typesetting import press, set_paper
from muster.registry.events import AreaListed, UnitListed
from muster.teams import assigning, decide, queries
from muster.teams.assigning import Wish
from muster.teams.events import AidAgreed, TeamFormed, TeamJoined, WaveSent
from muster.workforce import decide as calling
from muster.workforce import queries as workforce
from muster.workforce.events import StaffListed

GROUPS, IN_GROUPS, HOURS = 14, 140, 3
AID_PEOPLE, COMPOUNDS = 200, 159


async def groups(
    stage: Stage, area: UUID, *, people: int, count: int, paper: Path, language: str
) -> Figures:
    """So many people called up within three hours, formed into even groups, the composition printed."""
    starts_at = stage.at + timedelta(hours=HOURS)
    needs = await callup.demands(stage, [(area, None, "door_worker", people)], starts_at, hours=8)
    found = await callup.played(
        stage, "十四个小组", needs, answer_minutes=15, most_minutes=60 * HOURS
    )
    came = [one["staff"] for one in await stage.rows("came", demands=needs)]
    muster = stage.muster
    async with muster.pool.connection() as conn:
        team = TeamFormed("G", "小组", "group", area)
        made = await decide.group_evenly(
            conn, muster.door, team, came, count, dry=False, actor=callup.ACTOR, at=stage.at
        )
        pages = []
        for one in made:
            told = await queries.team(conn, str(one.team))
            listed = (await queries.members(conn, one.team)).items
            pages.append((told, listed, await queries.composed(conn, one.team, year=stage.at.year)))
    data = team_lists(pages, language=language, foot=foot(language, callup.ACTOR, now()))
    settings = muster.settings
    printed = await set_paper(
        press(settings.home, settings.fonts), template("team", settings.home / "templates"), data, moment=now(),
        form="pdf",
    )  # fmt: skip
    paper.write_bytes(printed.content)
    uneven = decide.unevenness(made)
    more = {
        "groups": len(made),
        "sizes_differ_by": uneven["size"],
        "printed_bytes": len(printed.content),
    }
    return Figures(
        found.needed, found.asked, found.declined, found.silent, found.placed, found.arrived, found.minutes,
        more,
    )  # fmt: skip


async def aid(
    stage: Stage, host: UUID, communities: Sequence[UUID], *, people: int, compounds: int
) -> Figures:
    """So many who come from elsewhere in the evening; in the morning somebody stands in every compound."""
    muster, began = stage.muster, stage.at
    unit, agreed = derived("unit", "AID"), uuid7()
    await stage.say(
        [(unit, UnitListed(code="AID", kind="organ", area=communities[0], name="支援单位"))]
    )
    await stage.say([
        (derived("compound", str(n)),
         AreaListed(code=f"CMP-{n}", name=f"小区{n + 1}", level="compound",
                    parent=communities[n % len(communities)]))
        for n in range(compounds)
    ])  # fmt: skip
    helpers = [uuid7() for _ in range(people)]
    await stage.say(
        [(one, StaffListed(unit, number=f"A{n}", birth_year=1990)) for n, one in enumerate(helpers)]
    )
    ends_at = stage.at + timedelta(days=14)
    body = AidAgreed(
        "支援队", "邻市", host, "cadres", stage.at, ends_at, unit=unit, meals="三餐送到"
    )
    async with muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)
        await decide.agree(muster.door, body, aid=agreed, actor=callup.ACTOR, at=stage.at)
        wave = await decide.send(
            muster.door, WaveSent(agreed, 1, stage.at, stage.at + timedelta(hours=3), people),
            actor=callup.ACTOR, at=stage.at,
        )  # fmt: skip
        team = await decide.form(
            conn, muster.door, TeamFormed("AID", "支援队", "aid", host, aid=agreed, wave=wave),
            actor=callup.ACTOR, at=stage.at,
        )  # fmt: skip
        await stage.say([(one, TeamJoined(team, "aid")) for one in helpers])
        stage.at += timedelta(hours=3)
        await decide.arrive(conn, muster.door, wave, people, actor=callup.ACTOR, at=stage.at)
        morning = stage.at + timedelta(hours=8)
        wish = Wish("door_worker", morning, morning + timedelta(hours=10))
        found = await queries.aid(conn, str(agreed))
        zone = muster.settings.timezone
        plan = await assigning.plan(conn, found, wish, zone=zone, at=stage.at)
        refused = await assigning.assign(
            muster.door, plan, wish, limits=await workforce.limits(conn, at=stage.at), actor=callup.ACTOR,
            at=stage.at,
        )  # fmt: skip
    stage.at = morning
    demands = [one.demand for one in plan.filled]
    here = await stage.rows("not_come", demands=demands)
    await stage.each([_check_in(stage, one["posting"]) for one in here])
    async with muster.pool.connection() as conn:
        board = await workforce.board(conn, demands, at=stage.at)
    arrived = sum(line["arrived"] for line in board)
    more = {"compounds": len(board), "with_nobody": sum(line["arrived"] == 0 for line in board),
            "refused": len(refused)}  # fmt: skip
    minutes = int((stage.at - began) / timedelta(minutes=1))
    return Figures(people, people, 0, 0, len(here), arrived, minutes, more)


async def _check_in(stage: Stage, posting: UUID) -> None:
    async with stage.muster.pool.connection() as conn:
        await calling.arrive(
            conn, stage.muster.door, posting, how="place_code", actor=callup.ACTOR, at=stage.at
        )
