"""Importing a file over HTTP: sent in pieces, looked at, checked before anything is stored, fed, stopped,
begun again after its server was killed, and its bad rows handed back.
"""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from muster.access.decide import Grant
from muster.cli.running import serving
from muster.config import IMPORT_PART_LIMIT_BYTES, Rates
from muster.core.clock import now
from muster.instance import Instance
from muster.intake import feeding
from muster.intake.feeding import feed_waiting
from muster.keeping.follower import catch_up
from muster.keeping.retention import end_automatic
from tests.browsers import Browser, Door, someone
from tests.conftest import Play
from tests.import_files import lines, number, one
from tests.table import events, named
from tests.table_files import workbook

POST = Grant("command_post", everywhere=True)
ONE = "/v1/imports/00000000-0000-4000-8000-000000000000"
# Every route that is asked here, for tests/test_routes.py.
ANSWERED = {
    ("GET", "/v1/import-rules"), ("GET", "/v1/imports"), ("POST", "/v1/imports"), ("GET", ONE),
    ("POST", f"{ONE}/parts/0"), ("GET", f"{ONE}/columns"), ("POST", f"{ONE}/columns"),
    ("POST", f"{ONE}/check"), ("POST", f"{ONE}/start"), ("POST", f"{ONE}/stop"),
    ("POST", f"{ONE}/discard"), ("GET", f"{ONE}/faults"), ("GET", f"{ONE}/rejects"),
}  # fmt: skip
ROSTER = "姓名,证件号码,楼栋,房号\n"
CITY = """
    07:00  AreaListed  C   level=city code=370600 name=烟台市
    07:00  AreaListed  D   level=district parent=C code=370602 name=芝罘区
    07:00  AreaListed  B1  level=building parent=D code=B1 name=B1
    07:00  AreaListed  E   level=district parent=C code=370611 name=福山区
    07:00  AreaListed  B2  level=building parent=E code=B2 name=B2
"""
Story = Callable[[Instance, Browser], Awaitable[Any]]


@asynccontextmanager
async def at_the_desk(muster: Instance, login: str, *grants: Grant) -> AsyncIterator[Browser]:
    """Somebody signed in with a second factor, at a served Muster that feeds nothing by itself."""
    await someone(muster, login, *grants)
    async with (
        serving(muster, rates=Rates(0, 0, 0)) as (_, address),
        Door(address).signed_in(login) as browser,
    ):
        await browser.set_up_codes()
        yield browser


@pytest.fixture(autouse=True)
def nobody_else_feeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test says when a file that waits is taken up."""
    monkeypatch.setattr(feeding, "IMPORT_LOOK_SECONDS", 3_600)


def desk(play: Play, story: Story, *grants: Grant) -> None:
    async def inside(muster: Instance) -> None:
        await muster.door.append(events(CITY))
        async with muster.pool.connection() as conn:
            await catch_up(conn, muster.door.catalogue)
        async with at_the_desk(muster, "lead", *(grants or (POST,))) as browser:
            await story(muster, browser)

    play(inside)


async def sent(browser: Browser, content: bytes, name: str = "roster.csv") -> dict[str, Any]:
    made = await browser.done("/v1/imports", {"name": name, "size_bytes": len(content)})
    for part in range(0, len(content), made["part_bytes"]):
        at = f"/v1/imports/{made['id']}/parts/{part // made['part_bytes']}"
        answer = await browser.http.post(at, content=content[part : part + made["part_bytes"]])
        assert answer.status_code == 200, answer.text
        made = answer.json()
    return made


async def worked(muster: Instance, browser: Browser, id_: str, what: str) -> dict[str, Any]:
    await browser.done(f"/v1/imports/{id_}/{what}")
    await feed_waiting(muster)
    return await browser.get(f"/v1/imports/{id_}")


def figures(found: dict[str, Any]) -> tuple[str, int, int, int, int, int]:
    names = ("state", "rows", "stored", "unchanged", "joined", "rejected")
    return tuple(found[name] for name in names)  # type: ignore[return-value]


GOOD = [("王一", number(), "B1", "101"), ("李二", number(sequence=3), "B1", "102")]
MIXED = ROSTER + lines(
    *GOOD, ("赵三", "370602199001010000", "B1", "103"), ("", number(sequence=5), "B9", "")
)


def test_every_fault_is_told_before_anything_is_stored(play: Play):
    async def story(muster: Instance, browser: Browser) -> None:
        made = await sent(browser, MIXED.encode("gb18030"))
        assert (made["state"], made["kind"]) == ("received", "residents")
        looked = await browser.get(f"/v1/imports/{made['id']}/columns")
        assert (looked["encoding"], looked["header_line"], looked["missing"]) == ("gb18030", 1, [])
        assert [(c["header"], c["field"], c["examples"][0]) for c in looked["columns"]] == [
            ("姓名", "name", "王一"), ("证件号码", "number", number()),
            ("楼栋", "building", "B1"), ("房号", "room", "101"),
        ]  # fmt: skip
        assert await browser.refused(f"/v1/imports/{made['id']}/start") == "import-elsewhere"
        checked = await worked(muster, browser, made["id"], "check")
        assert figures(checked) == ("checked", 4, 2, 0, 0, 2)
        assert await one(muster, "SELECT count(*) FROM registry.resident") == 0
        faults = await browser.get(f"/v1/imports/{made['id']}/faults")
        assert [(f["line"], f["header"], f["slug"]) for f in faults["items"]] == [
            (4, "证件号码", "document-invalid"), (5, "姓名", "cell-missing"),
            (5, "楼栋", "area-code-unknown"),
        ]  # fmt: skip
        assert faults["items"][2]["zh"].startswith("没有编码为“B9”的区域")
        assert faults["items"][2]["en"].startswith('No area has the code "B9"')
        assert faults["items"][0]["raw"][0] == "赵三"

    desk(play, story)


def test_the_rejected_rows_are_corrected_and_fed_again(play: Play):
    async def story(muster: Instance, browser: Browser) -> None:
        made = await sent(browser, MIXED.encode())
        await worked(muster, browser, made["id"], "check")
        done = await worked(muster, browser, made["id"], "start")
        assert figures(done) == ("done", 4, 2, 0, 0, 2)
        answer = await browser.http.get(f"/v1/imports/{made['id']}/rejects")
        text = answer.content.decode("utf-8-sig")
        rejected = list(csv.reader(io.StringIO(text)))
        assert [row[0] for row in rejected] == ["姓名", "赵三", ""]
        assert "没有编码为" in rejected[2][4]
        assert "No area" in rejected[2][4]
        fixed = text.replace("370602199001010000", number(sequence=7)).replace("B9", "B1")
        again = await sent(browser, fixed.encode(), "rejected.csv")
        await worked(muster, browser, again["id"], "check")
        assert figures(await worked(muster, browser, again["id"], "start"))[:3] == ("done", 2, 1)
        assert await one(muster, "SELECT count(*) FROM registry.resident") == 3

    desk(play, story)


def test_columns_are_chosen_by_hand(play: Play):
    async def story(muster: Instance, browser: Browser) -> None:
        text = "谁,号,栋\n" + lines(("王一", number(), "B1"))
        made = await sent(browser, text.encode())
        at = f"/v1/imports/{made['id']}/columns"
        looked = await browser.get(f"{at}?kind=residents")
        assert set(looked["missing"]) == {"name", "building"}
        columns = {"name": "谁", "number": "号", "building": "栋"}
        wrong = {"kind": "residents", "columns": columns | {"room": "栋"}}
        assert await browser.refused(at, wrong) == "column-unfit"
        await browser.done(at, {"kind": "residents", "columns": columns})
        assert (await browser.get(at))["missing"] == []
        await worked(muster, browser, made["id"], "check")
        assert figures(await worked(muster, browser, made["id"], "start"))[:3] == ("done", 1, 1)

    desk(play, story)


def test_a_file_comes_in_pieces_in_any_order_and_twice(play: Play, tmp_path: Path):
    async def story(muster: Instance, browser: Browser) -> None:
        text = ROSTER + lines(*(("某人", "", "B1", n) for n in range(300_000)))
        content = text.encode()
        made = await browser.done("/v1/imports", {"name": "r.csv", "size_bytes": len(content)})
        parts = range(-(-len(content) // IMPORT_PART_LIMIT_BYTES))
        assert len(parts) == 2
        found: dict[str, Any] = {}
        for number_ in (*reversed(parts), 0):
            start = number_ * IMPORT_PART_LIMIT_BYTES
            at = f"/v1/imports/{made['id']}/parts/{number_}"
            whole = content[start : start + IMPORT_PART_LIMIT_BYTES]
            short = await browser.http.post(at, content=whole[:-1])
            assert short.status_code in (200, 400)  # after the last piece nothing is taken
            answer = await browser.http.post(at, content=whole)
            assert answer.status_code == 200
            found = answer.json()
        assert (found["state"], found["received_bytes"]) == ("received", len(content))
        async with muster.pool.connection() as conn:
            cursor = await conn.execute("SELECT sealed FROM registry.import_part")
            assert all("某人".encode() not in row[0] for row in await cursor.fetchall())

    desk(play, story)


def test_what_is_no_table_is_told_at_once(play: Play):
    async def story(_muster: Instance, browser: Browser) -> None:
        made = await sent(browser, b"%PDF-1.7 something", "list.pdf")
        assert (made["state"], made["problem"]["slug"]) == ("failed", "not-a-table")
        assert made["problem"]["zh"].startswith("list.pdf")
        big = {"name": "x.csv", "size_bytes": 1 << 40}
        assert await browser.refused("/v1/imports", big) == "import-file-too-large"

    desk(play, story)


def test_a_workbook_is_fed_like_a_file(play: Play, tmp_path: Path):
    async def story(muster: Instance, browser: Browser) -> None:
        path = workbook(tmp_path / "areas.xlsx", [
            ["编码", "级别", "名称", "上级"], ["S1", "街道", "东山街道", "370602"],
            ["G1", "社区", "一社区", "S1"], ["X", "社区", "无上级", "NONE"],
        ])  # fmt: skip
        made = await sent(browser, path.read_bytes(), "areas.xlsx")
        assert made["kind"] == "areas"
        checked = await worked(muster, browser, made["id"], "check")
        assert figures(checked) == ("checked", 3, 2, 0, 0, 1)
        assert figures(await worked(muster, browser, made["id"], "start"))[:3] == ("done", 3, 2)
        again = await sent(browser, path.read_bytes(), "areas.xlsx")
        assert figures(await worked(muster, browser, again["id"], "check"))[2:4] == (0, 2)

    desk(play, story)


def test_nobody_imports_beyond_their_area(play: Play):
    async def story(muster: Instance, browser: Browser) -> None:
        rules = await browser.get("/v1/import-rules")
        assert rules["kinds"] == ["units", "sites", "residents", "staff", "trainings"]
        text = ROSTER + lines(GOOD[0], ("李二", number(sequence=3), "B2", "1"))
        made = await sent(browser, text.encode())
        checked = await worked(muster, browser, made["id"], "check")
        assert figures(checked)[2:] == (1, 0, 0, 1)
        assert checked["summary"][0]["slug"] == "beyond-your-areas"
        assert figures(await worked(muster, browser, made["id"], "start"))[2] == 1
        assert await one(muster, "SELECT DISTINCT actor FROM ledger.event e"
                         " WHERE type IN ('ResidentListed', 'ImportStarted')") == "lead"  # fmt: skip
        areas = await sent(browser, "编码,级别,名称,上级\nS1,街道,东山,370602\n".encode())
        wrong = {"kind": "areas"}
        assert await browser.refused(f"/v1/imports/{areas['id']}/columns", wrong) == "forbidden"
        assert await browser.refused(f"/v1/imports/{areas['id']}/check") == "forbidden"

    desk(play, story, Grant("area_lead", area=named("D")))


def test_another_s_file_is_not_seen(play: Play):
    async def story(muster: Instance, browser: Browser) -> None:
        made = await sent(browser, MIXED.encode())
        await worked(muster, browser, made["id"], "check")
        async with at_the_desk(muster, "other", POST) as other:
            for path in ("", "/columns", "/faults", "/rejects"):
                answer = await other.ask("GET", f"/v1/imports/{made['id']}{path}")
                assert answer.status_code == 404
            assert await other.refused(f"/v1/imports/{made['id']}/start") == "import-unknown"
            (seen,) = (await other.get("/v1/imports"))["items"]
            assert (seen["made_by"], seen["mine"], seen["rejected"]) == ("lead", False, 2)
            assert len(seen["hash"]) == 64

    desk(play, story)


def test_the_wrong_file_ends_early(play: Play, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feeding, "IMPORT_FAULTS_LIMIT", 10)

    async def story(muster: Instance, browser: Browser) -> None:
        text = ROSTER + lines(*(("某人", "", "NONE", n) for n in range(50)))
        made = await sent(browser, text.encode())
        found = await worked(muster, browser, made["id"], "check")
        assert (found["state"], found["problem"]["slug"]) == ("failed", "too-many-faults")

    desk(play, story)


def test_a_file_is_discarded(play: Play):
    async def story(muster: Instance, browser: Browser) -> None:
        made = await sent(browser, MIXED.encode())
        await browser.done(f"/v1/imports/{made['id']}/discard")
        assert await one(muster, "SELECT count(*) FROM registry.import_part") == 0
        assert (await browser.get(f"/v1/imports/{made['id']}"))["state"] == "discarded"
        assert await browser.refused(f"/v1/imports/{made['id']}/check") == "file-over"

    desk(play, story)


def test_what_was_not_fed_ends_by_itself(play: Play):
    async def story(muster: Instance, browser: Browser) -> None:
        made = await sent(browser, MIXED.encode())
        await worked(muster, browser, made["id"], "check")
        kept = "SELECT (SELECT count(*) FROM registry.import_part)" \
            " + (SELECT count(*) FROM registry.import_fault)"  # fmt: skip
        assert await one(muster, kept) == 2
        async with muster.pool.connection() as conn:
            await end_automatic(conn, now())
            assert await one(muster, kept) == 2
            await conn.execute("UPDATE registry.import SET expires_at = made_at")
            await end_automatic(conn, now())
        assert await one(muster, kept) == 0
        assert await browser.refused(f"/v1/imports/{made['id']}/start") == "file-over"

    desk(play, story)
