"""The scanning station in a real browser: what whoever stands at it scans, presses and sees."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from muster.access.decide import Grant
from muster.core.clock import now
from muster.instance import Instance
from muster.lab.engine.assay import usual
from tests.browsers import PASSWORD, Door, someone, visit
from tests.conftest import Play
from tests.laboratory import adopt, load, open_list, prepare, run, sign
from tests.table import TOWN, events, time_of

playwright = pytest.importorskip(
    "playwright.async_api", reason="NOT RUN: the package playwright is not here"
)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
# On CI a missing browser is a failure, not an excuse.
with_browser = pytest.mark.skipif(
    not CHROMIUM and not os.environ.get("CI"), reason="NOT RUN: there is no Chromium here"
)

# Sealed an hour ago and on the way to L1: a box of four, one of which will be missing; N1 is in no box.
ON_THE_WAY = (
    TOWN.rstrip()
    + """
    08:00  TubeSealed  T1  members=p1,p2 round=R1 barcode=B1
    08:00  TubeSealed  T2  members=p3 round=R1 barcode=B2
    08:00  TubeSealed  T3  members=p4 round=R1 barcode=B3
    08:00  TubeSealed  T4  members=p9 round=R1 barcode=B4
    08:00  TubeSealed  T5  members=p1 round=R1 barcode=N1
    08:30  LabListed   L1  wells_since=06:00
    08:50  BoxPacked   X1  code=BOX1 tubes=B1,B2,B3,B4 bound_for=L1
    08:50  BoxPacked   X2  code=BOX2 tubes= bound_for=L1
"""
)
AS = {"receiver": "lab_receiver", "operator": "lab_operator", "anna": "lab_releaser",
      "boris": "lab_releaser"}  # fmt: skip


class Desk:
    """A page at the station, and the hands at its keyboard."""

    def __init__(self, page: Any) -> None:
        self.page = page

    async def scan(self, *codes: str) -> None:
        """As a keyboard-wedge scanner does: the code and Enter."""
        for code in codes:
            await self.page.keyboard.type(code)
            await self.page.keyboard.press("Enter")

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def goes_to(self, key: str, title: str) -> None:
        """A single key chooses; it waits a moment, for a scanner types faster than people."""
        await self.chooses(key)
        await self.sees(title, within="#title")

    async def chooses(self, key: str) -> None:
        """Press a key as soon as it is offered."""
        shown = key.replace("Escape", "Esc")
        offered = self.page.locator("#keys kbd").get_by_text(shown, exact=True)
        await playwright.expect(offered).to_be_visible()
        await self.press(key)

    async def sees(self, *texts: str, within: str = "#work") -> None:
        """Each text comes to be seen there."""
        for text in texts:
            await playwright.expect(self.page.locator(within)).to_contain_text(text)

    async def hears(self, kind: str, *texts: str) -> None:
        """The verdict comes, in this colour and with these words."""
        await playwright.expect(self.page.locator("#verdict")).to_have_class(kind)
        await self.sees(*texts, within="#verdict")

    async def counts(self, **figures: int) -> None:
        for name, figure in figures.items():
            one = self.page.locator(f".counts .{name} dd")
            await playwright.expect(one).to_have_text(str(figure))


@asynccontextmanager
async def station(door: Door, login: str, *, language: str = "en-GB") -> AsyncIterator[Desk]:
    """Somebody signs in at a station; nothing on the page may fail or come from outside."""
    failed: list[str] = []
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            context = await browser.new_context(locale=language)
            page = await context.new_page()
            page.on("pageerror", lambda error: failed.append(str(error)))
            page.on("request", lambda one: None if one.url.startswith((door.address, "data:"))
                    else failed.append(one.url))  # fmt: skip
            desk = Desk(page)
            await page.goto(f"{door.address}/station")
            await signs_in(desk, login)
            yield desk
        finally:
            await browser.close()
    assert failed == []


async def signs_in(desk: Desk, login: str) -> None:
    await desk.page.locator("#login").fill(login)
    await desk.page.locator("#secret").fill(PASSWORD)
    await desk.press("Enter")


def at_the_station(story: Callable[[Instance, Door], Awaitable[None]]) -> Callable[[Play], None]:
    """A test that is a story in the laboratory L1, with an account for each of its roles."""

    async def prepared(muster: Instance, door: Door) -> None:
        for login, role in AS.items():
            await someone(muster, login, Grant(role, lab="L1"))  # type: ignore[arg-type]
        await story(muster, door)

    def test(play: Play) -> None:
        visit(play, prepared)

    return with_browser(test)


async def just_now(muster: Instance, table: str = ON_THE_WAY) -> None:
    """The events of a table, with 09:00 as the present."""
    later = now() - time_of("09:00") - timedelta(seconds=5)
    sent = [
        replace(one, at=one.at + later, device_at=one.at + later, received_at=one.at + later)
        for one in events(table)
    ]
    assert set(await muster.door.append(sent)) == {"stored"}
    await adopt(muster, usual(), edition="E1")


async def found(muster: Instance) -> dict[str, str]:
    """Barcode → what did not agree."""
    async with muster.pool.connection() as conn:
        cursor = await conn.execute(
            "SELECT barcode, kind FROM lab.discrepancy WHERE state = 'open' ORDER BY barcode"
        )
        return dict(await cursor.fetchall())


@at_the_station
async def test_a_box_is_received(muster: Instance, door: Door) -> None:
    """One tube is missing, one is extra, one leaks, one is scanned twice by mistake."""
    await just_now(muster)
    async with station(door, "receiver") as desk:
        await desk.sees("1 Receive boxes", "3 Open list")
        assert "Load a plate" not in await desk.page.inner_text("#work"), "not a receiver's work"
        await desk.goes_to("1", "Receive boxes")
        await desk.sees("Scan the box's label")
        await desk.scan("BOX1")
        await desk.hears("good", "Box BOX1", "4 tubes expected")
        await desk.scan("B1")
        await desk.hears("good", "Received", "B1")
        await desk.counts(scanned=1, expected=4, left=3)
        await desk.press("F2")
        await desk.sees("The next tube: Leaking", within="#next")
        await desk.scan("B2")
        await desk.hears("bad", "Leaking", "Bag it")
        await desk.scan("B1")
        await desk.hears("bad", "Scanned twice", "F8")
        await desk.press("F8")
        await desk.hears("note", "Undone", "B1")
        await desk.scan("N1")
        await desk.hears("bad", "Extra", "put it aside")
        await desk.scan("ＢＯＸ１")
        await desk.hears("note", "the label of this box")
        await desk.scan("B3")
        await desk.hears("good", "Received", "B3")
        await desk.counts(scanned=4, left=1)
        await desk.press("F9")
        await desk.hears("note", "1 tubes are not scanned", "press Enter")
        await desk.sees("B4", within="section.left")
        await desk.press("Enter")
        await desk.hears("bad", "Box BOX1 is done", "1 missing")
        await desk.sees("Scan the box's label")
    assert await found(muster) == {"B2": "leaking", "B4": "missing", "N1": "extra"}


@at_the_station
async def test_scans_outlive_the_connection_the_page_and_the_session(
    muster: Instance, door: Door
) -> None:
    await just_now(muster)
    async with station(door, "receiver") as desk:
        await desk.goes_to("1", "Receive boxes")
        await desk.scan("BOX1", "B1", "B2")  # the second before the answer to the first
        await desk.counts(scanned=2, left=2)
        await desk.page.context.set_offline(True)
        await desk.scan("B3")
        await desk.sees("scans are kept", within="#line")
        await desk.scan("B4")
        await desk.hears("wait", "Kept", "B4: not sent yet")
        await desk.counts(scanned=2, unsent=2)
        await desk.press("F9")
        await desk.hears("bad", "2 scans are not sent yet")
        await desk.page.context.set_offline(False)
        await desk.counts(scanned=4, left=0)
        await playwright.expect(desk.page.locator("#line")).to_be_hidden()

        await desk.page.reload()
        await desk.hears("note", "Box BOX1", "4 scanned")

        await desk.page.context.clear_cookies()
        await desk.scan("N1")
        await desk.sees("The session is over", within="#door")
        await signs_in(desk, "receiver")
        await desk.hears("bad", "Extra", "N1")
        await desk.press("F9")
        await desk.hears("bad", "Box BOX1 is done", "0 missing")
    assert await found(muster) == {"N1": "extra"}


@at_the_station
async def test_a_scan_whose_answer_was_lost_is_no_second_scan(muster: Instance, door: Door) -> None:
    await just_now(muster)
    async with station(door, "receiver") as desk:
        await desk.goes_to("1", "Receive boxes")
        await desk.scan("BOX1")
        await desk.hears("good", "Box BOX1")

        async def arrives_and_answers_nothing(route: Any) -> None:
            await route.fetch()
            await route.abort()

        await desk.page.route("**/scans", arrives_and_answers_nothing, times=2)
        await desk.scan("B1", "N1")
        await desk.hears("bad", "Extra", "N1")
        await desk.counts(scanned=2, left=3)
        await desk.scan("B2", "B3", "B4")
        await desk.counts(scanned=5, left=0)
        await desk.press("F9")
        await desk.hears("bad", "Box BOX1 is done")
    assert await found(muster) == {"N1": "extra"}


@at_the_station
async def test_a_plate_is_loaded(muster: Instance, door: Door) -> None:
    """In Chinese; wrong tubes are refused as they are scanned."""
    await prepare(muster)
    await load(muster, "P0", {"A01": "B4"})
    async with station(door, "operator", language="zh-CN") as desk:
        await desk.sees("2 装板", "3 待办列表")
        await desk.goes_to("2", "装板")
        await desk.scan("P0")
        await desk.hears("bad", "板 P0 已于")
        await desk.scan("P1")
        await desk.sees("选择布局", "96 孔")
        await desk.press("1")
        await desk.sees("板 P1：下一管放入 A01")
        await desk.scan("B1")
        await desk.hears("good", "A01", "B1")
        await desk.scan("B1")
        await desk.hears("bad", "已在本板 A01")
        await desk.scan("B4")
        await desk.hears("bad", "B4 · 已在板 P0 的 A01")
        await desk.scan("N9")
        await desk.hears("bad", "N9", "未接收")
        await desk.scan("B2", "B3")
        await desk.hears("good", "C01", "B3")
        await desk.press("Backspace")
        await desk.hears("note", "已撤销", "C01 B3")
        await desk.page.reload()
        await desk.goes_to("2", "装板")
        await desk.sees("板 P1：下一管放入 C01")
        assert await desk.page.locator(".well.tube").count() == 3  # two, and the legend's
        await load(muster, "P2", {"A01": "B2"})  # somebody else was quicker
        await desk.press("F9")
        await desk.hears("bad", "涉及的孔：B01 B2")
        await desk.press("F8")
        await desk.press("F9")
        await desk.hears("good", "板 P1 已装载 1 管")
    assert await open_list(muster) == {"B1": "run", "B2": "run", "B3": "load", "B4": "run"}


@at_the_station
async def test_results_are_released(muster: Instance, door: Door) -> None:
    """Negatives at once by one person, a positive by a second one who sees the Ct values."""
    await prepare(muster)
    await load(muster, "P1", {"A01": "B1", "B01": "B2", "C01": "B3", "D01": "B4"})
    readings = {
        "A01": "B1 22.5 23 27",
        "B01": "B2 - - 26",
        "C01": "B3 35 36 28",
        "D01": "B4 21 22 27",
    }
    await run(muster, "P1", readings)
    await sign(muster, "boris", "B1", "B3")
    async with door.signed_in("anna") as browser:
        app, _ = await browser.set_up_codes()
    async with station(door, "anna") as desk:
        await desk.page.locator("#code").fill(await fresh_code(app))
        await desk.press("Enter")
        await desk.sees("4 Release results")
        await desk.goes_to("4", "Release results")
        await desk.sees("Negative 1", "B1", "Positive", "boris signed first", "22.50")
        await desk.chooses("A")
        await desk.hears("note", "Release 1 results?")
        await desk.scan("YB1")  # a tube that is scanned here signs nothing
        await desk.hears("bad", "No scan is wanted here")
        await desk.chooses("A")
        await desk.hears("note", "Release 1 results?")
        await desk.press("Enter")
        await desk.hears("good", "1 released")
        await desk.chooses("Y")
        await desk.hears("good", "B1 is released")
        await desk.sees("boris signed first", "B3", "35.00")
        await desk.chooses("N")
        await desk.chooses("3")
        await desk.hears("note", "B3 is declined")
        await desk.sees("Yours is the first signature", "B4")
        await desk.chooses("Y")
        await desk.hears("good", "B4 waits for another person")
        await desk.sees("another person has to confirm: 1")
        await desk.goes_to("Escape", "L1")
        await desk.goes_to("3", "Open list")
        await desk.sees("5 Second signature 1", "B4", "P1 · D01")
    assert await open_list(muster) == {"B1": "done", "B2": "done", "B3": "repeat", "B4": "confirm"}


async def fresh_code(app: Any) -> str:
    """A code of the clock that was not used to set the clock up."""
    return app.at(now() + timedelta(seconds=app.interval))


@with_browser
@pytest.mark.parametrize("width", [360, 1280])
def test_no_text_is_cut(play: Play, width: int) -> None:
    """On a narrow phone as on a screen, in both languages, nothing sticks out sideways."""

    async def story(muster: Instance, door: Door) -> None:
        await just_now(muster)
        await someone(
            muster, "both", Grant("lab_receiver", lab="L1"), Grant("lab_operator", lab="L1")
        )
        async with station(door, "both", language="zh-CN") as desk:
            await desk.page.set_viewport_size({"width": width, "height": 800})
            for key, title, scans, seen in (
                ("1", "接收样本", ["BOX1", "B1", "N1"], "多出"),
                ("2", "装板", ["P1"], "选择布局"),
                ("3", "待办列表", [], "B1"),
            ):
                await desk.goes_to(key, title)
                await desk.scan(*scans)
                await desk.sees(seen)
                for _ in range(2):
                    await desk.page.locator("#language").click()
                    wide = await desk.page.evaluate("document.documentElement.scrollWidth")
                    assert wide <= width, (title, wide)
                await desk.goes_to("Escape", "L1")

    visit(play, story)


def test_the_page_brings_all_it_needs_and_no_more(play: Play) -> None:
    async def story(muster: Instance, door: Door) -> None:
        async with httpx.AsyncClient(base_url=door.address, trust_env=False) as http:
            page = await http.get("/station")
            assert page.headers["content-type"].startswith("text/html")
            assert "default-src 'self'" in page.headers["content-security-policy"]
            assert "unsafe" not in page.headers["content-security-policy"]
            assert "style=" not in page.text
            for name in ("station.css", "station.js", "station_frame.js", "station_words.js"):
                assert (await http.get(f"/station/{name}")).is_success, name
            for name in ("station_api.py", "..%2Fapi.py"):
                assert (await http.get(f"/station/{name}")).status_code == 404, name
            assert (await http.get("/v1/station")).status_code == 401

    visit(play, story)
