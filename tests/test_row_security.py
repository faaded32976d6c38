"""Row-level security below the application: raw SQL on a reader's connection sees what its scope lets
through, whatever the statement forgot to say.
"""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo

from muster.access.engine.scope import OPERATOR, Scope
from muster.catalogue import CATALOGUE
from muster.config import DOOR_OPTIONS, DOOR_ROLE
from muster.instance import Instance, open_instance
from muster.keeping.follower import catch_up
from muster.keeping.replay import changed_tables, rebuild
from muster.keeping.securing import READER_ROLE, all_guards, secure
from tests.conftest import Play, Server
from tests.table import TOWN, events, named

# Two grids, G1 and G2, with a site each; p4 of G2 was swabbed at the site of G1, w1 lives nowhere.
SCENE = """
    07:00  SiteListed      X1  area=G1
    07:00  SiteListed      X2  area=G2
    07:10  ResidentListed  q1  building=H1 name=甲一 number=11010519491231002X phone=13800001111
    07:10  ResidentListed  q2  building=H3 name=乙二 number=440524188001010014 phone=13900002222
    07:10  ResidentListed  w1  source=walk_in name=丙三 number=E12345678
    08:20  TubeSealed      T1  members=p1,q1,p4,w1 round=R1 site=X1
    08:30  TubeSealed      T2  members=q2,p4 round=R1 site=X2
    12:00  ResultReleased  r1  barcode=T1 outcome=positive lab=L1
    12:00  ResultReleased  r2  barcode=T2 outcome=negative lab=L2
"""
NOTHING = Scope()
GRID = Scope(
    figure_areas=frozenset({named("G1")}), people_areas=frozenset({named("G1")}),
    name_areas=frozenset({named("G1")}), login="worker",
)  # fmt: skip
SITE = replace(GRID, sites=frozenset({named("X1")}))
LAB = Scope(labs=frozenset({"L1"}), login="lab")
FIGURES = Scope(figures=True, login="inspector")
OWN = Scope(own=frozenset({named("q1")}), login="resident")
SYSTEM = Scope(system=True, login="admin")
PEOPLE = ("registry.resident", "vault.identity", "vault.search", "sampling.specimen", "lab.recall")


async def seen(muster: Instance, scope: Scope, sql: str) -> list[Any]:
    async with muster.readers.scoped(scope) as conn:
        rows = await (await conn.execute(sql.encode())).fetchall()
    return [row[0] if len(row) == 1 else row for row in rows]


async def scene(muster: Instance) -> None:
    await muster.door.append(events(TOWN + SCENE.strip("\n")))
    async with muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)


def ids(*names: str) -> set[UUID]:
    return {named(name) for name in names}


def test_without_a_scope_nothing_about_people_is_seen(play: Play):
    async def story(muster: Instance) -> None:
        await scene(muster)
        async with await psycopg.AsyncConnection.connect(
            muster.conninfo, options=f"-c role={READER_ROLE}"
        ) as conn:
            for guard in all_guards(CATALOGUE):
                if guard.seen not in ("everyone", "true"):
                    rows = await (
                        await conn.execute(f"SELECT * FROM {guard.table}".encode())
                    ).fetchall()
                    public = {"ledger.event"} & {guard.table}
                    assert public or rows == [], guard.table
        types = "SELECT DISTINCT type FROM ledger.event"
        about_people = {"ResidentListed", "TubeSealed", "ResultReleased", "RecallOrdered"}
        assert about_people.isdisjoint(await seen(muster, NOTHING, types))
        assert about_people <= set(await seen(muster, OPERATOR, types))

    play(story)


def test_a_grid_worker_sees_the_grids_people_wherever_they_were_swabbed(play: Play):
    async def story(muster: Instance) -> None:
        await scene(muster)
        for scope in (GRID, SITE):
            people = set(await seen(muster, scope, "SELECT resident FROM registry.resident"))
            more = ids("w1") if scope is SITE else set()
            assert people == ids("p1", "p2", "p3", "q1") | more
            named_ = set(await seen(muster, scope, "SELECT resident FROM vault.identity"))
            assert named_ == ids("q1") | more
            searched = await seen(muster, scope, "SELECT resident FROM vault.search")
            assert set(searched) == ids("q1")
            recalled = set(await seen(muster, scope, "SELECT person FROM lab.recall"))
            assert ids("p1", "q1") <= recalled
        figures = "SELECT DISTINCT building FROM coverage.building"
        assert set(await seen(muster, GRID, figures)) == ids("H1", "H2")
        assert set(await seen(muster, OPERATOR, figures)) == ids("H1", "H2", "H3")

    play(story)


def test_a_site_sees_its_tubes_and_who_is_in_them(play: Play):
    async def story(muster: Instance) -> None:
        await scene(muster)
        members = "SELECT person FROM sampling.specimen WHERE tube = '{}'"
        first, second = (members.format(named(tube)) for tube in ("T1", "T2"))
        assert set(await seen(muster, SITE, first)) == ids("p1", "q1", "p4", "w1")
        assert await seen(muster, SITE, second) == []
        assert set(await seen(muster, SITE, "SELECT tube FROM sampling.tube")) == ids("T1")
        results = "SELECT result FROM lab.result"
        assert set(await seen(muster, SITE, results)) == ids("r1")

    play(story)


def test_a_laboratory_sees_codes_and_its_own_results_and_nobody(play: Play):
    async def story(muster: Instance) -> None:
        await scene(muster)
        for table in (*PEOPLE, "sampling.stance", "sampling.twice", "registry.alias"):
            assert await seen(muster, LAB, f"SELECT * FROM {table}") == [], table
        assert set(await seen(muster, LAB, "SELECT barcode FROM sampling.tube")) == {"T1", "T2"}
        assert set(await seen(muster, LAB, "SELECT barcode FROM lab.result")) == {"T1"}
        assert set(await seen(muster, LAB, "SELECT barcode FROM lab.outcome")) == {"T1"}
        bodies = "SELECT body::text FROM ledger.event WHERE type LIKE 'Tube%'"
        assert await seen(muster, LAB, bodies) == []

    play(story)


@pytest.mark.parametrize("scope", [FIGURES, SYSTEM])
def test_who_counts_or_keeps_the_system_sees_nobody(play: Play, scope: Scope):
    async def story(muster: Instance) -> None:
        await scene(muster)
        for table in PEOPLE:
            assert await seen(muster, scope, f"SELECT * FROM {table}") == [], table
        sums = await seen(muster, scope, "SELECT building FROM coverage.building")
        assert bool(sums) == scope.figures

    play(story)


def test_a_resident_sees_themselves(play: Play):
    async def story(muster: Instance) -> None:
        await scene(muster)
        for table, column in (
            ("registry.resident", "resident"), ("vault.identity", "resident"),
            ("sampling.specimen", "person"), ("lab.recall", "person"),
        ):  # fmt: skip
            assert set(await seen(muster, OWN, f"SELECT {column} FROM {table}")) == ids("q1"), table
        assert await seen(muster, OWN, "SELECT resident FROM vault.search") == []
        assert set(await seen(muster, OWN, "SELECT tube FROM lab.outcome")) == ids("T1")

    play(story)


def test_scopes_do_not_stay_on_a_connection(play: Play):
    async def story(muster: Instance) -> None:
        await scene(muster)
        count = "SELECT count(*) FROM registry.resident"
        for _ in range(3):
            assert await seen(muster, OPERATOR, count) == [8]
            assert await seen(muster, NOTHING, count) == [0]
            assert await seen(muster, GRID, count) == [4]

    play(story)


def test_what_the_roles_may_do_to_tables(play: Play):
    """The reader changes nothing; the door adds events and neither changes nor removes one; what no
    guard speaks of is closed to both."""

    async def story(muster: Instance) -> None:
        guarded = {guard.table for guard in all_guards(CATALOGUE)}
        sql = """
            SELECT n.nspname || '.' || c.relname, p.privilege FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE'))
                AS p (privilege)
            WHERE c.relkind IN ('r', 'v', 'p') AND n.nspname NOT LIKE 'pg\\_%%'
                AND n.nspname <> 'information_schema'
                AND has_table_privilege(%s, c.oid, p.privilege)"""

        async def may(role: str) -> set[tuple[str, str]]:
            async with muster.pool.connection() as conn:
                return set(await (await conn.execute(sql.encode(), [role])).fetchall())

        assert {(table, what) for table, what in await may(READER_ROLE)} == {
            (table, "SELECT") for table in guarded
        }
        door = await may(DOOR_ROLE)
        assert {what for table, what in door if table == "ledger.event"} == {"SELECT", "INSERT"}
        assert {what for table, what in door if table == "ledger.batch"} == {"SELECT", "INSERT"}
        views = {projection.view for projection in CATALOGUE.projections}
        assert {table for table, _ in door} <= guarded | views

    play(story)


def test_the_door_cannot_change_an_event(play: Play):
    async def story(muster: Instance) -> None:
        await scene(muster)
        for sql in ("UPDATE ledger.event SET actor = 'x'", "DELETE FROM ledger.event"):
            async with await psycopg.AsyncConnection.connect(
                muster.conninfo, options=DOOR_OPTIONS
            ) as conn:
                with pytest.raises(errors.InsufficientPrivilege):
                    await conn.execute(sql.encode())

    play(story)


def test_rebuilt_tables_are_guarded_as_before(play: Play):
    async def story(muster: Instance) -> None:
        await scene(muster)
        for changed in ("registry.span", "sampling.tube", "vault.search"):
            async with await psycopg.AsyncConnection.connect(
                muster.conninfo, autocommit=True
            ) as conn:
                forget = "UPDATE ledger.read_table SET hash = '' WHERE name = %s"
                await conn.execute(forget, [changed])
                await rebuild(conn, CATALOGUE, await changed_tables(conn, CATALOGUE))
                assert not await secure(conn, CATALOGUE)
            assert len(await seen(muster, GRID, "SELECT * FROM registry.resident")) == 4
            assert await seen(muster, GRID, "SELECT resident FROM vault.search") == [named("q1")]
            assert set(await seen(muster, SITE, "SELECT tube FROM sampling.tube")) == ids("T1")
            assert await seen(muster, NOTHING, "SELECT * FROM vault.identity") == []

    play(story)


def test_an_owner_without_superuser_is_enough(server: Server, template: str):
    """The owner may make roles and databases and is nothing more; it too sees through policies."""
    server.run("CREATE ROLE muster_plain LOGIN CREATEROLE NOSUPERUSER")
    try:
        server.run("CREATE DATABASE muster_plain OWNER muster_plain TEMPLATE template0")
        for role in (DOOR_ROLE, READER_ROLE):
            server.run(f"GRANT {role} TO muster_plain")  # made by another database's owner before
        settings = server.settings("muster_plain")
        url = make_conninfo(settings.database_url or "", user="muster_plain")
        settings.home.mkdir()

        async def story(muster: Instance) -> None:
            await scene(muster)
            assert await seen(muster, GRID, "SELECT count(*) FROM registry.resident") == [4]
            async with muster.pool.connection() as conn:
                row = await (
                    await conn.execute("SELECT count(*) FROM registry.resident")
                ).fetchone()
            assert row == (8,)

        async def inside() -> None:
            async with open_instance(replace(settings, database_url=url)) as muster:
                await story(muster)

        asyncio.run(inside())
    finally:
        server.run("DROP DATABASE IF EXISTS muster_plain WITH (FORCE)")
        server.run("DROP ROLE muster_plain")
