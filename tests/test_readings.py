"""The record of reads: one row an answer, found by the person it was about, altered by nobody; and the
watermark of what leaves as a file.
"""

import zipfile
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from muster.access.readings import note_reading, people_in, readings_about, readings_by
from muster.core.clock import now
from muster.instance import Instance
from muster.intake.export import Mark, write_rows
from muster.intake.faults import Row
from muster.intake.tables import Column, open_table
from muster.keeping.retention import clocks, end_decided
from tests.conftest import Play
from tests.senders import query
from tests.table import TOWN, events, named

MERGED = "08:00  ResidentsMerged  p2  into=p1"


async def looked(muster: Instance, who: str, people: list[str], **more: object) -> None:
    facts = {"device": "", "what": "GET /v1/people", "why": "", "masked": True, "at": now()} | more
    async with muster.pool.connection() as conn:
        await note_reading(conn, who=who, people=[named(p) for p in people], **facts)  # type: ignore[arg-type]


def test_who_looked_is_found_under_every_id_of_a_person(play: Play):
    async def story(muster: Instance) -> None:
        await muster.door.append(events(TOWN + MERGED))
        await looked(muster, "g1", ["p1", "p3"])
        await looked(muster, "g2", ["p2"], why="call_back", masked=False)
        await looked(muster, "g3", ["p4"])
        await looked(muster, "g4", [])
        async with muster.pool.connection() as conn:
            about = (await readings_about(conn, named("p1"))).items
            assert [(row["who"], row["why"], row["masked"]) for row in about] == [
                ("g2", "call_back", False), ("g1", "", True)
            ]  # fmt: skip
            assert (await readings_about(conn, named("p2"))).items == about
            assert (await readings_about(conn, named("p9"))).items == []
            page = await readings_about(conn, named("p1"), limit=1)
            rest = await readings_about(conn, named("p1"), limit=1, after=page.next)
            assert [*page.items, *rest.items] == about
            assert [row["count"] for row in (await readings_by(conn, "g1")).items] == [2]
            assert len((await readings_by(conn)).items) == 3, "an empty answer is about nobody"

    play(story)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE access.reading SET who = 'somebody else'",
        "DELETE FROM access.reading",
        "TRUNCATE access.reading",
        "SET session_replication_role = replica; DELETE FROM access.reading",
        "UPDATE access.reading SET who = 'x' WHERE set_config('muster.retention', 'on', true) = 'on'",
    ],
)
def test_nobody_alters_a_record(play: Play, sql: str):
    """The tables' owner neither; only the keeping time ends it."""

    async def story(muster: Instance) -> None:
        await looked(muster, "g1", ["p1"])
        async with muster.pool.connection() as conn:
            with pytest.raises(psycopg.Error, match="append-only"):
                async with conn.transaction():
                    await conn.execute(sql.encode())
        assert await query(muster, "SELECT who FROM access.reading") == ["g1"]

    play(story)


def test_a_record_ends_when_its_keeping_time_does(play: Play):
    async def story(muster: Instance) -> None:
        await looked(muster, "old", ["p1"], at=now() - timedelta(days=400))
        await looked(muster, "new", ["p1"])
        async with muster.pool.connection() as conn:
            due = {row["kind"]: (row["days"], row["due"]) for row in await clocks(conn, now())}
            assert due["readings"] == (365, 1)
            assert (await end_decided(conn, now()))["readings"] == 1
        assert await query(muster, "SELECT who FROM access.reading") == ["new"]
        policy = "06:00  PolicyAdopted  x  name=reading_days value=500 since=06:00"
        await muster.door.append(events(policy))
        async with muster.pool.connection() as conn:
            kinds = {row["kind"]: row["days"] for row in await clocks(conn, now())}
        assert kinds["readings"] == 500, "an adopted edition counts"

    play(story)


def test_a_reader_can_add_a_record_and_see_none(play: Play):
    async def story(muster: Instance) -> None:
        async with muster.pool.connection() as conn, conn.transaction():
            await conn.execute("SET LOCAL ROLE muster_reader")
            await note_reading(
                conn, who="g1", device="", what="x", why="", masked=True, people=[named("p1")],
                at=now(),
            )  # fmt: skip
            assert (await (await conn.execute("SELECT * FROM access.reading")).fetchall()) == []
        assert await query(muster, "SELECT who FROM access.reading") == ["g1"]

    play(story)


def test_whom_a_list_is_about():
    p1, p2, t1 = named("p1"), named("p2"), named("T1")
    rows = [{"resident": p1, "tube": t1}, {"tube": t1, "members": [{"person": p2}]}, {"one": None}]
    assert people_in(rows) == {p1, p2}


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_file_says_who_took_it_and_can_be_fed_back(tmp_path: Path, suffix: str):
    """The watermark is its last line, and no row of it when it is read again."""
    file, mark = tmp_path / f"list{suffix}", Mark.new("g1", now())
    rows = [["张一", "101"], ["张二", "102"]]
    assert write_rows(file, ["姓名", "房号"], rows, mark=mark) == 2
    with open_table(file, [Column("name", ("姓名",), True), Column("room", ("房号",))]) as table:
        found = list(table.rows())
    assert [one.cells for one in found if isinstance(one, Row)] == [
        ("张一", "101"),
        ("张二", "102"),
    ]
    assert len(found) == 2
    if suffix == ".csv":
        last = file.read_text(encoding="utf-8-sig").splitlines()[-1]
        assert str(mark.export) in last
        assert "g1" in last
        assert "2 行" in last
    else:
        with zipfile.ZipFile(file) as parts:
            core, sheet = (parts.read(n) for n in ("docProps/core.xml", "xl/worksheets/sheet1.xml"))
        assert str(mark.export).encode() in core
        assert b"<oddFooter>" in sheet
