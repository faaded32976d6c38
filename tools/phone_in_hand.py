"""A phone in Chromium with the field client as it was built, for measuring: hands that tap and scan, each act
timed within the page, from the act to the frame in which its answer is painted.

Its profile is a folder, as a phone's is: nothing is kept in memory that a phone keeps in its flash.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, CDPSession, Page, async_playwright

SIZE = {"width": 360, "height": 740}
PIN = "246813"
PASSWORD = "seven lanes before sunrise"  # noqa: S105  (of an account that lives as long as the measuring)
WAIT_MS, LOOK_S = 30_000, 0.05
AWAY = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
FREE = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
SLOW = {
    "offline": False,
    "latency": 300,
    "downloadThroughput": 125_000,
    "uploadThroughput": 125_000,
}

# Milliseconds from an act in the page to the painted frame in which what is wanted stands, with its text.
ACT = """
(what) => new Promise((done, fail) => {
  const { tap, scan, write, wanted, text } = what
  const stands = () => {
    const found = document.querySelector(wanted)
    return found && (!text || found.textContent.includes(text))
  }
  const key = (name) => document.body.dispatchEvent(
    new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }))
  const painted = new MessageChannel()  // a message from within a frame comes after its painting
  painted.port1.onmessage = () => done(performance.now() - began)
  const look = () => {
    if (stands()) painted.port2.postMessage(0)
    else if (performance.now() - began > 30000) fail(new Error("30 s: " + JSON.stringify(what)))
    else requestAnimationFrame(look)
  }
  const element = tap && document.querySelector(tap)
  if (tap && !element) return fail(new Error("nothing to tap: " + tap))
  document.activeElement?.blur()
  const began = performance.now()
  if (element) element.click()
  else if (scan) for (const name of [...scan, "Enter"]) key(name)
  else {
    const field = document.querySelector("input[type=search]")
    field.value = write
    field.dispatchEvent(new Event("input", { bubbles: true }))
  }
  requestAnimationFrame(look)
})
"""
# Before anything else of a page: when the PIN's keys are painted, counted from the navigation.
OPENED = """
const look = () => {
  if (!document.querySelector(".pad")) return requestAnimationFrame(look)
  const painted = new MessageChannel()
  painted.port1.onmessage = () => (globalThis.openedMs = performance.now())
  painted.port2.postMessage(0)
}
requestAnimationFrame(look)
"""


class Phone:
    """One page of the field client at a time."""

    page: Page
    tools: CDPSession

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address = context, address

    async def fresh(self) -> None:
        """A new page, the one before closed."""
        before = self.context.pages
        self.page = await self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.tools = await self.context.new_cdp_session(self.page)
        await self.tools.send("Network.enable")
        for one in before:
            await one.close()

    async def network(self, conditions: dict[str, Any]) -> None:
        await self.tools.send("Network.emulateNetworkConditions", conditions)

    async def slowed(self, times: int) -> None:
        """The processor as that of a phone that is so many times slower than this machine."""
        await self.tools.send("Emulation.setCPUThrottlingRate", {"rate": times})

    async def act(self, wanted: str, text: str = "", **what: str) -> float:
        return await self.page.evaluate(ACT, {"wanted": wanted, "text": text, **what})

    async def tap(self, element: str, wanted: str, text: str = "") -> float:
        return await self.act(wanted, text, tap=element)

    async def scan(self, said: str, wanted: str, text: str = "") -> float:
        """As a scanner that types."""
        return await self.act(wanted, text, scan=said)

    async def write(self, said: str, wanted: str, text: str = "") -> float:
        """In the page's field for everything that can be read."""
        return await self.act(wanted, text, write=said)

    async def home(self) -> float:
        return await self.tap("a.brand", "nav.tiles")

    async def enrol(self, code: str, login: str) -> None:
        """From an enrolment's link to the first page of work, as a new user does it."""
        await self.page.goto(f"{self.address}/field/#enrol={code}")
        await self.page.locator("a.button[href$='/join']").click()
        await self.page.locator("input[autocomplete=username]").fill(login)
        await self.page.locator("input[type=password]").fill(PASSWORD)
        await self.page.locator("form .primary").click()
        await self.page.locator(".pad").wait_for()
        pad = await self.page.locator("h1").inner_text()
        await self._digits()
        await self.page.locator(".pad .primary").click()
        await self.page.locator("h1").filter(has_not_text=pad).wait_for()
        await self._digits()
        await self.page.locator(".pad .primary").click()
        await self.page.locator("nav.tiles").wait_for()

    async def opened(self) -> float:
        """Milliseconds until the PIN can be entered, from the navigation on."""
        await self.page.add_init_script(OPENED)
        await self.page.goto(f"{self.address}/field/")
        return await self.until("() => globalThis.openedMs ?? 0", wait_s=WAIT_MS / 1000)

    async def unlock(self) -> float:
        """Milliseconds from the PIN's OK to the home page."""
        await self._digits()
        return await self.tap(".pad .primary", "nav.tiles")

    async def _digits(self) -> None:
        await self.page.locator(".pad").wait_for()
        for digit in PIN:
            await self.page.keyboard.press(digit)
        await self.page.locator(".pad .primary:enabled").wait_for()

    async def counted(self, *, wait_s: float, **states: int) -> None:
        """The strip's figures come to be these: saved, sent, stored, held."""
        look = """(states) => Object.entries(states).every(([name, count]) =>
            document.querySelector(`.strip .chip.${name} b`)?.textContent === String(count))"""
        await self.until(look, states, wait_s=wait_s)

    async def waiting(self, count: int, *, wait_s: float) -> None:
        """So many are only here; some of them have been tried to be sent."""
        look = """(count) => count === [...document.querySelectorAll(".saved b, .sent b")]
            .reduce((sum, one) => sum + Number(one.textContent), 0)"""
        await self.until(look, count, wait_s=wait_s)

    async def until(self, look: str, argument: Any = None, *, wait_s: float) -> Any:
        """What a function of the page says at last, when it is not nothing. Raises TimeoutError. (The content
        policy keeps Playwright from waiting within the page.)"""
        async with asyncio.timeout(wait_s):
            while not (found := await self.page.evaluate(look, argument)):
                await asyncio.sleep(LOOK_S)
        return found

    async def heap_bytes(self) -> float:
        """What the page's program holds after everything that can be forgotten was."""
        for _ in range(2):
            await self.tools.send("HeapProfiler.collectGarbage")
        found = await self.tools.send("Runtime.getHeapUsage")
        return sum(
            found.get(one, 0) for one in ("usedSize", "embedderHeapUsedSize", "backingStorageSize")
        )


@asynccontextmanager
async def phone_at(address: str, profile: Path) -> AsyncIterator[Phone]:
    """A phone with nothing on it yet."""
    async with async_playwright() as driver:
        context = await driver.chromium.launch_persistent_context(
            profile, executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
            args=["--no-sandbox", "--disable-gpu"], locale="zh-CN", viewport=SIZE,  # type: ignore[arg-type]
            timezone_id="Asia/Shanghai", has_touch=True, is_mobile=True, reduced_motion="reduce",
        )  # fmt: skip
        try:
            phone = Phone(context, address)
            await phone.fresh()
            yield phone
        finally:
            await context.close()
