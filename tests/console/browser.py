"""The console in a real Chromium: who sits at it, what they press and see, and what must hold of every page.

    @at_the_console("command_post", scene=TOWN)
    async def test_something(muster, desk):
        await desk.open("/health")
        await desk.sees(desk.say("运行正常", "All is well"))

runs once in each language. No page may throw, ask anything from outside or break the content policy. With
MUSTER_SHOTS=folder `desk.look(name)` leaves screenshots there.
"""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from muster.access.decide import Grant
from muster.catalogue import CATALOGUE
from muster.core.clock import now
from muster.instance import Instance
from muster.keeping.follower import catch_up
from tests.browsers import Browser, Door, someone, visit
from tests.conftest import Play
from tests.table import events, named, time_of

playwright = pytest.importorskip(
    "playwright.async_api", reason="NOT RUN: the package playwright is not here"
)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def speaks_chinese() -> bool:
    """Whether there is a font for the pages' first language: without one they have other widths, and what
    they print cannot be read back."""
    found = shutil.which("fc-list")
    return not found or bool(subprocess.run([found, ":lang=zh"], capture_output=True).stdout)


# On CI what is missing is a failure, not an excuse.
MISSING = (
    "there is no Chromium here"
    if not CHROMIUM
    else ""
    if speaks_chinese()
    else "no Chinese font is here"
)
with_browser = pytest.mark.skipif(
    bool(MISSING) and not os.environ.get("CI"), reason=f"NOT RUN: {MISSING}"
)
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
SHOTS = os.environ.get("MUSTER_SHOTS")
SIZES = {"desk": (1280, 720), "phone": (390, 844), "small": (360, 740), "wall": (1920, 1080)}
COMMANDER = Grant("command_post", everywhere=True)
LOCALES = {"zh": "zh-CN", "en": "en-GB"}


class Desk:
    """A page of the console, and the hands at its keyboard."""

    def __init__(self, page: Any, door: Door, language: str, http: Browser) -> None:
        self.page = page
        self.door = door
        self.language = language
        self.http = http  # the same session without a browser
        self.size = page.viewport_size

    def say(self, zh: str, en: str) -> str:
        """The words of this desk's language."""
        return zh if self.language == "zh" else en

    async def open(self, path: str) -> None:
        """A page of the console, such as `/health`; returns when its heading stands."""
        await self.page.goto(f"{self.door.address}/console{path}")
        await playwright.expect(self.page.locator("main h1").first).to_be_visible(timeout=15_000)

    async def sees(self, *texts: str, within: str = "body") -> None:
        """Each text comes to be seen there."""
        for text in texts:
            await playwright.expect(self.page.locator(within).first).to_contain_text(text)

    async def misses(self, *texts: str, within: str = "main") -> None:
        """None of the texts is seen there."""
        for text in texts:
            await playwright.expect(self.page.locator(within).first).not_to_contain_text(text)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def fill(self, label: str, text: str) -> None:
        """The field with this label."""
        await self.page.get_by_label(label, exact=True).first.fill(text)

    async def click(self, name: str, *, role: str = "button") -> None:
        """The button (or link, tab …) of this name."""
        await self.page.get_by_role(role, name=name, exact=True).first.click()

    async def look(self, name: str, *sizes: str) -> None:
        """Nothing serious for axe-core, nothing wider than the window at the sizes (desk and phone); a
        screenshot of each where screenshots are wanted."""
        for size in sizes or ("desk", "phone"):
            width, height = SIZES[size]
            await self.page.set_viewport_size({"width": width, "height": height})
            await self.page.wait_for_timeout(250 if SHOTS else 50)
            wide = await self.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width + 1, f"{name} is {wide} px wide in a {size} window of {width}"
            if SHOTS:
                Path(SHOTS).mkdir(parents=True, exist_ok=True)
                await self.page.screenshot(path=f"{SHOTS}/{name}-{size}-{self.language}.png")
        assert await self.faults() == []
        await self.page.set_viewport_size(self.size)

    async def faults(self) -> list[str]:
        """What axe-core holds serious or critical on this page, by WCAG 2.2 AA."""
        await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = await self.page.evaluate(
            "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
        )
        return [
            f"{one['id']}: {one['help']}: {node['html'][:120]}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"][:3]
        ]


@asynccontextmanager
async def console(
    door: Door, login: str, *, language: str = "zh", size: str = "desk"
) -> AsyncIterator[Desk]:
    """Somebody is signed in at a console."""
    failed: list[str] = []
    async with door.browser() as http, playwright.async_playwright() as driver:
        session = await http.sign_in(login)
        if session.get("limited") == "second_factor":
            await http.set_up_codes()
        browser = await driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            width, height = SIZES[size]
            context = await browser.new_context(
                locale=LOCALES[language], viewport={"width": width, "height": height},
                timezone_id="Asia/Shanghai", reduced_motion="reduce",
            )  # fmt: skip
            await context.add_cookies(
                [{"name": "muster", "value": http.token, "url": door.address}]
            )
            page = await context.new_page()
            watch(page, door, failed)
            yield Desk(page, door, language, http)
        finally:
            await browser.close()
    assert failed == []


def watch(page: Any, door: Door, failed: list[str]) -> None:
    """Keep what must not happen on a page: errors, questions to elsewhere, the content policy broken."""
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.on("request", lambda one: None if one.url.startswith((door.address, "data:", "blob:"))
            else failed.append(one.url))  # fmt: skip
    page.on("console", lambda one: failed.append(one.text)
            if "Content Security Policy" in one.text or "Content-Security-Policy" in one.text
            else None)  # fmt: skip


Tale = Callable[[Instance, Desk], Awaitable[None]]


def at_the_console(
    role: str, *, scene: str = "", area: str | None = None, **more: str
) -> Callable[[Tale], Any]:
    """A test, once in each language, that is a story of somebody (`chief`) with a role at the console, of
    the whole or of an area named in `scene`, a table of events of today (`tests/table.py`; their day is
    moved so that 09:00 is the present). `more` are other accounts: login=role."""

    def decorate(tale: Tale) -> Any:
        async def at_a_desk(muster: Instance, door: Door, language: str) -> None:
            await just_now(muster, scene)
            where = {"area": named(area)} if area else {"everywhere": True}
            for login, what in {"chief": role, **more}.items():
                await someone(muster, login, Grant(what, **where), name="王琳")  # type: ignore[arg-type]
            await settled(muster)
            async with console(door, "chief", language=language) as desk:
                await tale(muster, desk)

        def test(play: Play, language: str) -> None:
            visit(play, lambda muster, door: at_a_desk(muster, door, language))

        test.__doc__ = tale.__doc__
        return pytest.mark.parametrize("language", ["zh", "en"])(with_browser(test))

    return decorate


async def just_now(muster: Instance, scene: str) -> None:
    """The events of a table, with its 09:00 as the present."""
    later = now() - time_of("09:00") - timedelta(seconds=5)
    sent = [
        replace(one, at=one.at + later, device_at=one.at + later, received_at=one.at + later)
        for one in events(scene)
    ]
    if sent:
        assert set(await muster.door.append(sent)) == {"stored"}


async def settled(muster: Instance) -> None:
    """Every follower has read what is in the ledger."""
    async with muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)
