"""Residents' pages on a small phone in a real Chromium, in both languages: one lists oneself and a relative,
shows the codes, asks for a result, and it leaves the screen.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from muster.core.clock import now
from muster.hardening import Front
from muster.instance import Instance
from muster.ledger.event import Event
from muster.registry.engine.personal_code import code_of, grouped
from tests.browsers import Door
from tests.browsers import visit as visiting
from tests.conftest import Play
from tests.console.browser import (
    CHROMIUM,
    LOCALES,
    Desk,
    playwright,
    settled,
    watch,
    with_browser,
)
from tests.senders import query
from tests.table import events, named, time_of

SCENE = """
    07:00  AreaListed      S1  level=street name=环翠街道
    07:00  AreaListed      C1  level=community parent=S1 name=海滨社区
    07:00  AreaListed      G1  level=grid parent=C1 name=第一网格
    07:00  AreaListed      G2  level=grid parent=C1 name=第二网格
    07:00  AreaListed      H1  parent=G1 name=海滨花园1号楼
    07:00  AreaListed      H2  parent=G1 name=海滨花园2号楼
    07:00  AreaListed      H3  parent=G2 name=文化路15号楼
    07:05  SiteListed      X1  area=G1 name=海滨广场
    07:05  SiteListed      X2  area=G2 name=文化路小学
    07:06  SiteOpened      X1
    07:06  SiteOpened      X2
    07:10  ResidentListed  p1  building=H1 room=101 name=张丽华 number=11010519491231002X phone=13800001234
    07:10  ResidentListed  p2  building=H1 room=102 name=王伟 phone=13900005678
    07:20  RoundOpened     R1  areas=S1 name=第三轮
    08:00  TubeSealed      T1  members=p1,p2 round=R1 site=X1 barcode=B1
    08:50  QueueCounted    X1  waiting=12 wait_minutes=9
    08:50  QueueCounted    X2  waiting=0
    08:55  ResultReleased  r1  barcode=B1 outcome={outcome}
"""


def today(scene: str) -> list[Event]:
    """The events of a table with its 09:00 as the present, in their bodies too."""
    later = now() - time_of("09:00") - timedelta(seconds=5)

    def moved(body: Any) -> Any:
        said = {name: getattr(body, name) for name in body.__struct_fields__}
        times = {name: at + later for name, at in said.items() if isinstance(at, datetime)}
        return msgspec.structs.replace(body, **times)

    return [
        replace(one, at=one.at + later, device_at=one.device_at + later,
                received_at=one.received_at + later, body=moved(one.body))
        for one in events(scene)
    ]  # fmt: skip


class Phone(Desk):
    """A small phone, in nobody's particular hands."""

    async def go(self, path: str) -> None:
        await self.page.goto(f"{self.door.address}{path}")
        await playwright.expect(self.page.locator("h1").first).to_be_visible()


@asynccontextmanager
async def phone(door: Door, language: str, *, scripts: bool = True) -> AsyncIterator[Phone]:
    failed: list[str] = []
    async with door.browser() as http, playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            context = await browser.new_context(
                locale=LOCALES[language], viewport={"width": 360, "height": 740},
                timezone_id="Asia/Shanghai", java_script_enabled=scripts,
            )  # fmt: skip
            page = await context.new_page()
            watch(page, door, failed)
            yield Phone(page, door, language, http)
            assert await context.cookies() == []
        finally:
            await browser.close()
    assert failed == []


def on_a_phone(
    play: Play, language: str, story: Any, *, outcome: str = "negative", **more: Any
) -> None:
    async def inside(muster: Instance, door: Door) -> None:
        assert set(await muster.door.append(today(SCENE.format(outcome=outcome)))) == {"stored"}
        await settled(muster)
        async with phone(door, language, **more) as one:
            await story(muster, one)

    visiting(play, inside, front=Front())


both = pytest.mark.parametrize("language", ["zh", "en"])


async def listing(one: Phone) -> None:
    await one.page.locator("#name").fill("李雷")
    await one.page.locator("#number").fill("34052419800101001X")
    await one.page.locator("#phone").fill("13700009999")
    await one.page.locator("#building").select_option(str(named("H2")))
    await one.page.locator("#room").fill("3-602")


@both
@with_browser
def test_one_lists_oneself_and_a_relative_and_has_both_codes(play: Play, language: str):
    async def story(muster: Instance, one: Phone) -> None:
        await one.go("/r")
        await one.look("resident-start", "small")
        await one.go("/r/s/X1")
        await one.sees("海滨广场", one.say("12 人排队", "12 waiting"), one.say("实测", "measured"))
        await one.page.locator("#number").fill("34052419800101002X")
        await one.press("Tab")
        await one.sees(one.say("可能输错", "seems to be wrong"), within="#number-said")
        await one.look("resident-list", "small")
        await listing(one)
        await one.press("Tab")
        await one.sees(one.say("格式正确", "well formed"), within="#number-said")
        await one.page.locator("main form button").first.click()
        await one.sees("李*", within=".code")
        await one.look("resident-code", "small")
        await one.page.locator("summary").click()
        assert await one.page.locator("#phone").input_value() == "13700009999"
        assert await one.page.locator("#building").input_value() == str(named("H2"))
        await one.page.locator("#name").fill("李小雷")
        await one.page.locator("#kind").select_option("none")
        await one.page.locator("#birth_date").fill("20210506")
        await one.look("resident-relative", "small")
        await one.page.locator("main form button").first.click()
        await playwright.expect(one.page.locator(".code")).to_have_count(2)
        await one.look("resident-codes", "small")
        await one.page.locator("header button").click()  # the other language, the same codes
        await playwright.expect(one.page.locator(".code")).to_have_count(2)
        await one.sees(one.say("Codes of 2 people", "个人码（2 人）"), within="h1")
        assert await one.page.evaluate("localStorage.length + sessionStorage.length") == 0
        listed = "SELECT count(*) FROM registry.resident WHERE self_listed"
        assert await query(muster, listed) == [2]

    on_a_phone(play, language, story)


@both
@with_browser
def test_a_result_is_seen_and_leaves_the_screen(play: Play, language: str):
    async def story(muster: Instance, one: Phone) -> None:
        await one.go(f"/r/result#{grouped(code_of(named('p1')))}")
        assert await one.page.locator("#code").input_value() == grouped(code_of(named("p1")))
        assert "#" not in one.page.url
        await one.look("resident-ask", "small")
        await one.page.locator("#fact").fill("0000")
        await one.page.locator("main button").click()
        await one.sees(one.say("没有找到", "Not found"))
        await one.page.locator("#fact").fill("19491231")
        await one.page.locator("main button").click()
        await one.sees("张*华", one.say("阴性", "negative"), "海滨广场", "第三轮", "文化路小学")
        await one.sees(one.say("本轮已采样", "been swabbed in it"))
        await one.misses("张丽华", "13800001234")
        await one.look("resident-result", "small")
        await one.page.locator("#reason").select_option("bedridden")
        await one.page.locator("form[action='/r/home'] button").click()
        await one.sees(one.say("社区会安排上门", "arrange a visit"))
        await one.page.locator("header button").click()
        await one.sees(one.say("closes in", "秒自动关闭"), within="#left")
        await one.page.locator("#finish").click()
        await one.page.wait_for_url("**/r?lang=*")
        # Nothing in the history holds the result or the fact.
        assert await one.page.go_back() is None
        await one.misses("张*华", within="body")
        await one.misses("19491231", within="body")

    on_a_phone(play, language, story)


@both
@with_browser
def test_a_recall_says_what_to_do_and_time_runs_out(play: Play, language: str):
    async def story(muster: Instance, one: Phone) -> None:
        await one.page.clock.install()
        await one.go("/r/result")
        await one.page.locator("#code").fill(code_of(named("p2")))
        await one.page.locator("#fact").fill("5678")
        await one.page.locator("main button").click()
        await one.sees(one.say("不等于您是阳性", "does not mean you are positive"))
        await one.look("resident-recalled", "small")
        await one.page.clock.fast_forward(40_000)
        await one.page.locator("#more").click()
        await one.page.clock.fast_forward(40_000)
        await one.sees("王*")
        await one.page.clock.fast_forward(30_000)
        await one.page.wait_for_url("**/r?lang=*")

    on_a_phone(play, language, story, outcome="positive")


@both
@with_browser
def test_all_of_it_works_without_scripts(play: Play, language: str):
    async def story(muster: Instance, one: Phone) -> None:
        await one.go("/r/s/X1")
        await listing(one)
        await one.page.locator("main form button").first.click()
        await one.sees("李*", within=".code")
        await one.go("/r/result")
        await one.page.locator("#code").fill(code_of(named("p1")))
        await one.page.locator("#fact").fill("1234")
        await one.page.locator("main button").click()
        await one.sees("张*华")
        await one.page.locator("#finish").click()
        await one.sees(one.say("居民自助", "For residents"))

    on_a_phone(play, language, story, scripts=False)
