"""From peace to emergency and back: what is wrong with a template, each shape raised and stood down, two who
raise at once, a command killed in the middle.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from muster.catalogue import CATALOGUE
from muster.config import Settings
from muster.core.clock import now
from muster.instance import Instance
from muster.keeping.verify import verify
from muster.ledger.door import LOCK
from muster.posture import decide, queries, templates
from muster.posture.templates import Fault, Template
from muster.registry.queries import area
from tests.conftest import Play, second_server
from tests.table import events

SHAPES = Path(__file__).parents[1] / "examples" / "posture"
CITY = """
    07:00  AreaListed  Q   level=district code=Q name=Q
    07:00  AreaListed  S1  level=street code=S1 name=S1 parent=Q
    07:00  AreaListed  S2  level=street code=S2 name=S2 parent=Q
    07:00  AreaListed  C1  level=community code=C1 name=C1 parent=S1
    07:00  AreaListed  C2  level=community code=C2 name=C2 parent=S2
    07:00  AreaListed  G1  level=grid code=G1 name=G1 parent=C1
    07:00  AreaListed  G2  level=grid code=G2 name=G2 parent=C2
    07:00  AreaListed  Z   level=district code=Z name=Z
    07:00  AccountOpened  a1  login=lin kind=staff starts_at=07:00
"""
GROUP = '[[group]]\ncode = "{}"\nname = "N"\nname_en = "N"\n'
HEAD = 'code = "T"\nname = "N"\nname_en = "N"\n'


def template(*groups: str) -> Template:
    read = templates.read((HEAD + "".join(groups)).encode())
    assert isinstance(read, Template)
    return read


def shape(name: str) -> Template:
    read = templates.read((SHAPES / f"{name}.toml").read_bytes())
    assert isinstance(read, Template)
    return read


async def select(muster: Instance, sql: str) -> list[Any]:
    async with muster.pool.connection() as conn:
        return await (await conn.execute(sql.encode())).fetchall()


async def city(muster: Instance) -> None:
    await muster.door.append(events(CITY))


async def kept(muster: Instance, what: Template) -> None:
    async with muster.pool.connection() as conn:
        await decide.prepare(conn, muster.door, what, actor="desk", at=now())


async def raised(
    muster: Instance, code: str, where: str = "Q", *, rehearsal: bool = False
) -> decide.Raised:
    async with muster.pool.connection() as conn:
        return await decide.raise_command(
            conn, muster.door, code, area=await area(conn, where), rehearsal=rehearsal,
            actor="desk", at=now(),
        )  # fmt: skip


async def stood_down(muster: Instance, where: str = "Q") -> None:
    async with muster.pool.connection() as conn:
        await decide.stand_down(
            conn, muster.door, area=await area(conn, where), actor="desk", at=now()
        )


TASKS = (
    "SELECT state, count(*)::int FROM hq.task WHERE kind = 'command' GROUP BY state ORDER BY state"
)


def test_every_fault_is_said_with_its_place(play: Play):
    what = template(
        GROUP.format("A") + 'parent = "B"\n',
        GROUP.format("B") + 'parent = "A"\nlead = "nobody"\n',
        GROUP.format("C") + 'parent = "X"\narea = "NOWHERE"\neach = "village"\nrole = "king"\n',
        GROUP.format("D") + 'lead = "lin"\n',
        GROUP.format("D") + 'lead = "lin"\ndeputy = "gone"\n',
    )

    async def story(muster: Instance) -> None:
        await city(muster)
        async with muster.pool.connection() as conn:
            found = await decide.faults(conn, what, at=now())
            assert [(one.place, one.english.split(":")[0], one.warning) for one in found] == [
                ("D", "2 groups have this code", False),
                ("A", "stands below itself", False),
                ("A", "nobody leads it", True),
                ("B", "stands below itself", False),
                ("B", "no account nobody in force", False),
                ("C", "no group X", False),
                ("C", "no area NOWHERE", False),
                (
                    "C",
                    "`each` must be one of city, district, street, community, compound, grid",
                    False,
                ),
                ("C", "has `each` and `area`", False),
                ("C", "nobody holds a role king", False),
                ("D", "no account gone in force", False),
                ("lead lin", "leads 2 groups", True),
            ]
            with pytest.raises(decide.PostureTemplateUnfit):
                await decide.prepare(conn, muster.door, what, actor="desk", at=now())
        assert await select(muster, "SELECT code FROM posture.template") == []

    play(story)


@pytest.mark.parametrize("content", [b"code = ", b"\xff", b'code = "T"', b"wrong = 1"])
def test_a_file_that_is_no_template_says_so(content: bytes):
    read = templates.read(content)
    assert isinstance(read, Fault)
    assert read.place == "file"


@pytest.mark.parametrize(
    ("name", "groups", "tasks"),
    [("eleven-groups", 11, 22), ("one-six-n", 9, 12), ("four-levels", 7, 7)],
)
def test_each_shape_is_raised_and_stood_down(play: Play, name: str, groups: int, tasks: int):
    async def story(muster: Instance) -> None:
        await city(muster)
        await kept(muster, shape(name))
        await raised(muster, name)
        other = await raised(muster, name, "Z")  # the uninvolved district
        z = len([t for one in other.groups for t in one.tasks])
        async with muster.pool.connection() as conn:
            standing = await queries.standing(conn, (await area(conn, "Q"))["area"])
            assert standing is not None
            shown = (await queries.groups(conn, standing["command"])).items
        assert (len(shown), sum(one["open"] for one in shown)) == (groups, tasks)
        await stood_down(muster)
        assert await select(muster, TASKS) == [("issued", z), ("withdrawn", tasks)]
        with pytest.raises(queries.NoCommandStands):
            await stood_down(muster)
        await raised(muster, name)
        assert await select(muster, TASKS) == [("issued", z + tasks), ("withdrawn", tasks)]
        async with muster.pool.connection() as conn:
            assert await verify(conn, CATALOGUE) == []

    play(story)


def test_four_levels_stand_each_below_the_one_above_it(play: Play):
    async def story(muster: Instance) -> None:
        await city(muster)
        await kept(muster, shape("four-levels"))
        await raised(muster, "four-levels")
        assert await select(
            muster,
            "SELECT w.code, a.code, p.code, b.code FROM posture.working_group w"
            " JOIN registry.area a ON a.area = w.area"
            " LEFT JOIN posture.working_group p ON p.working_group = w.parent"
            " LEFT JOIN registry.area b ON b.area = p.area ORDER BY w.place",
        ) == [
            ("DISTRICT", "Q", None, None),
            ("STREET", "S1", "DISTRICT", "Q"),
            ("STREET", "S2", "DISTRICT", "Q"),
            ("COMMUNITY", "C1", "STREET", "S1"),
            ("COMMUNITY", "C2", "STREET", "S2"),
            ("GRID", "G1", "COMMUNITY", "C1"),
            ("GRID", "G2", "COMMUNITY", "C2"),
        ]

    play(story)


def test_a_rehearsal_says_what_would_be_and_stores_nothing(play: Play):
    async def story(muster: Instance) -> None:
        await city(muster)
        await kept(muster, shape("one-six-n"))
        ((before,),) = await select(muster, "SELECT count(*) FROM ledger.event")
        planned = await raised(muster, "one-six-n", rehearsal=True)
        assert await select(muster, "SELECT count(*) FROM ledger.event") == [(before,)]
        real = await raised(muster, "one-six-n")
        assert planned == real

    play(story)


def test_of_two_who_raise_at_once_one_does(database: Settings, play: Play):
    async def story(muster: Instance) -> None:
        await city(muster)
        await kept(muster, shape("one-six-n"))
        await kept(muster, shape("eleven-groups"))
        async with second_server(database) as other:
            said = await asyncio.gather(
                raised(muster, "one-six-n"), raised(other, "eleven-groups"), return_exceptions=True
            )
        assert sorted(type(one).__name__ for one in said) == ["CommandStands", "Raised"]
        with pytest.raises(decide.CommandStands):
            await raised(muster, "one-six-n")
        assert await select(muster, "SELECT count(*)::int FROM posture.command") == [(1,)]

    play(story)


def test_a_new_lead_must_have_an_account_and_gets_the_tasks(play: Play):
    async def story(muster: Instance) -> None:
        await city(muster)
        await kept(muster, shape("one-six-n"))
        await raised(muster, "one-six-n")
        async with muster.pool.connection() as conn:
            here = {"area": await area(conn, "Q"), "deputy": None, "actor": "desk", "at": now()}
            for code, place, lead, problem in (
                ("HQ", None, "gone", decide.LeadUnknown),
                ("FIELD", None, "lin", decide.GroupUnknown),
                ("NONE", None, "lin", decide.GroupUnknown),
            ):
                with pytest.raises(problem):
                    await decide.lead(conn, muster.door, code, place=place, lead=lead, **here)
            await decide.lead(conn, muster.door, "FIELD", place="S2", lead="lin", **here)
        assert await select(
            muster,
            "SELECT k.state, k.login, a.code FROM hq.task k LEFT JOIN registry.area a ON a.area = k.area"
            " WHERE k.role = 'area_lead' OR k.login = 'lin' ORDER BY 1, 2, 3",
        ) == [
            ("issued", "lin", None),
            ("issued", "lin", None),
            ("issued", None, "S1"),
            ("issued", None, "S1"),
            ("withdrawn", None, "S2"),
            ("withdrawn", None, "S2"),
        ]

    play(story)


def test_killed_in_the_middle_the_same_command_completes_it(database: Settings, play: Play):
    async def prepared(muster: Instance) -> None:
        await city(muster)
        await kept(muster, shape("four-levels"))

    async def whole(muster: Instance) -> None:
        ((stands,),) = await select(muster, "SELECT count(*)::int FROM posture.command")
        assert await select(
            muster,
            "SELECT (SELECT count(*)::int FROM posture.working_group), (SELECT count(*)::int FROM hq.task)",
        ) == [(7 * stands, 7 * stands)]
        if not stands:
            await raised(muster, "four-levels")
        assert await select(muster, TASKS) == [("issued", 7)]

    play(prepared)
    environment = {**os.environ, "DATABASE_URL": database.database_url or "",
                   "MUSTER_HOME": str(database.home), "MUSTER_KEY_FILE": str(database.key_file)}  # fmt: skip
    command = [sys.executable, "-m", "muster", "posture", "raise", "four-levels", "--area", "Q"]
    with psycopg.connect(database.database_url or "", autocommit=True) as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # it stops before the door
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            while process.poll() is None:
                waits = conn.execute(
                    "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND database ="
                    " (SELECT oid FROM pg_database WHERE datname = current_database())"
                ).fetchone()
                if waits and waits[0]:
                    process.send_signal(signal.SIGKILL)
                time.sleep(0.01)
            assert process.returncode == -signal.SIGKILL
    play(whole)
