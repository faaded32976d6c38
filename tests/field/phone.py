"""A phone: a real Chromium at 360×740 with the field client, a network that can be taken away, hands that tap
and scan.

    @with_a_phone("sampler", site=named("X1"), scene=SCENE)
    async def test_something(muster, phone):
        await phone.offline()
        await phone.scan("T0000001")

runs once in each language. What the page logs as an error or asks of another origin fails the test.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from muster.access import devices
from muster.access.decide import Grant
from muster.access.devices import Where
from muster.access.engine.roles import RoleName
from muster.core.clock import now
from muster.instance import Instance
from tests.browsers import PASSWORD, Door, someone, visit
from tests.conftest import Play
from tests.console.browser import (
    AXE,
    CHROMIUM,
    LOCALES,
    SHOTS,
    just_now,
    playwright,
    settled,
    watch,
    with_browser,
)

SIZE = {"width": 360, "height": 740}
PIN = "246813"
Check = Callable[[Instance, "Phone"], Awaitable[Any]]


class Phone:
    """One phone with the field client open."""

    def __init__(self, muster: Instance, page: Any, door: Door, language: str, code: str) -> None:
        self.muster = muster
        self.page = page
        self.door = door
        self.language = language
        self.code = code  # of the device

    @property
    def context(self) -> Any:
        return self.page.context

    def say(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    async def open(self, path: str = "/") -> None:
        await self.page.goto(f"{self.door.address}/field{path}")

    async def reload(self) -> None:
        await self.page.reload()

    async def offline(self, away: bool = True) -> None:
        await self.context.set_offline(away)

    async def tap(self, name: str, *, role: str = "button", exact: bool = True) -> None:
        await self.page.get_by_role(role, name=name, exact=exact).first.click()

    async def type(self, label: str, text: str) -> None:
        await self.page.get_by_label(label, exact=True).first.fill(text)

    async def scan(self, text: str) -> None:
        """As a scanner that types: fast keys and Enter, wherever the focus is."""
        await self.page.locator(".scan").first.wait_for()  # the page that reads it is there
        await self.page.evaluate("document.activeElement?.blur()")
        await self.page.keyboard.type(text, delay=1)
        await self.page.keyboard.press("Enter")

    async def pin(self, digits: str = PIN) -> None:
        for digit in digits:
            await self.tap(digit)
        await self.tap(self.say("确定", "OK"))

    async def sees(self, *texts: str, within: str = "body", seconds: float = 10) -> None:
        for text in texts:
            await playwright.expect(self.page.locator(within).first).to_contain_text(
                text, timeout=seconds * 1000
            )

    async def misses(self, *texts: str, within: str = "main") -> None:
        for text in texts:
            await playwright.expect(self.page.locator(within).first).not_to_contain_text(text)

    async def counted(self, *, seconds: float = 20, **states: int) -> None:
        """The strip's figures come to be these: saved, sent, stored, held."""
        for state, count in states.items():
            chip = self.page.locator(f".strip .chip.{state} b")
            await playwright.expect(chip).to_have_text(str(count), timeout=seconds * 1000)

    async def enrol(self, login: str) -> None:
        """From the enrolment's link to the first page of work, as a new user does it."""
        device = await self._code()
        await self.open(f"/#enrol={device}")
        await self.tap(self.say("我要使用本机", "I want to use this phone"), role="link")
        await self.join(login)

    async def join(self, login: str, pin: str = PIN) -> None:
        """Somebody signs in once and chooses a PIN."""
        await self.type(self.say("登录名", "Login"), login)
        await self.type(self.say("密码", "Password"), PASSWORD)
        await self.tap(self.say("下一步", "Next"))
        await self.sees(self.say("设置 PIN", "Choose a PIN"), within="h1")
        await self.pin(pin)
        await self.sees(self.say("再输入一次", "Once more"), within="h1")
        await self.pin(pin)
        await self.page.locator("nav.tiles").wait_for()

    async def _code(self) -> str:
        async with self.muster.pool.connection() as conn:
            found = await devices.by_code(conn, self.code)
            return await devices.new_code(conn, found["device"], at=now())

    async def look(self, name: str) -> None:
        """Nothing serious for axe-core, nothing wider than the phone; a screenshot where they are wanted."""
        wide = await self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= SIZE["width"] + 1, f"{name} is {wide} px wide"
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            await self.page.screenshot(path=f"{SHOTS}/field-{name}-{self.language}.png")
        await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = await self.page.evaluate(
            "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
        )
        faults = [
            f"{one['id']}: {one['help']}: {node['html'][:120]}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"][:3]
        ]
        assert faults == []


@asynccontextmanager
async def phone(
    muster: Instance,
    door: Door,
    code: str,
    *,
    language: str = "zh",
    arguments: tuple[str, ...] = (),
    profile: Path | None = None,
) -> AsyncIterator[Phone]:
    """A phone with nothing on it yet, or with what was left in the folder `profile`; `arguments` are
    Chromium's."""
    failed: list[str] = []
    browser: dict[str, Any] = {
        "executable_path": CHROMIUM, "args": ["--no-sandbox", "--disable-gpu", *arguments],
    }  # fmt: skip
    screen: dict[str, Any] = {
        "locale": LOCALES[language], "viewport": SIZE, "timezone_id": "Asia/Shanghai",
        "has_touch": True, "is_mobile": True, "reduced_motion": "reduce", "permissions": ["camera"],
    }  # fmt: skip
    async with playwright.async_playwright() as driver:
        if profile:
            opened = await driver.chromium.launch_persistent_context(profile, **browser, **screen)
        else:
            opened = await driver.chromium.launch(**browser)
        try:
            context = opened if profile else await opened.new_context(**screen)
            page = await context.new_page()
            page.set_default_timeout(10_000)
            watch(page, door, failed)
            yield Phone(muster, page, door, language, code)
        finally:
            await opened.close()
    assert failed == []


def with_a_phone(
    role: RoleName, *, scene: str, site: UUID | None = None, area: UUID | None = None,
    lab: str | None = None, languages: tuple[str, ...] = ("zh", "en"), enrolled: bool = True,
) -> Callable[[Check], Callable[..., Any]]:  # fmt: skip
    """A test with the phone PH-1 that works at a place, in the hands of `nurse`, who has a role there.
    `scene` is a table of events of today, as for the console's tests."""

    def decorate(check: Check) -> Callable[..., Any]:
        async def work(muster: Instance, door: Door, language: str) -> None:
            await issued(muster, role, scene=scene, site=site, area=area, lab=lab)
            async with phone(muster, door, "PH-1", language=language) as one:
                if enrolled:
                    await one.enrol("nurse")
                await check(muster, one)

        def test(play: Play, language: str) -> None:
            visit(play, lambda muster, door: work(muster, door, language))

        test.__doc__ = check.__doc__
        return pytest.mark.parametrize("language", languages)(with_browser(test))

    return decorate


async def issued(
    muster: Instance, role: RoleName, *, scene: str, site: UUID | None = None,
    area: UUID | None = None, lab: str | None = None,
) -> None:  # fmt: skip
    """What there is before the phone PH-1 is enrolled: the scene, `nurse` and her role, the phone's listing."""
    await just_now(muster, scene)
    await someone(muster, "nurse", Grant(role, site=site, area=area, lab=lab), name="李护士")
    await listed(muster, "PH-1", Where(area, site, lab))
    await settled(muster)


async def listed(muster: Instance, code: str, where: Where) -> None:
    """A phone that Muster knows and that has not been enrolled yet."""
    async with muster.pool.connection() as conn:
        await devices.enrol(
            conn, muster.door, code=code, kind="phone", where=where, by="tester", at=now()
        )
