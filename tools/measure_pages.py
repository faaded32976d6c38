"""Measures the console in real Chromium over a demonstration that has been played: from the click to the
painted page, for the first page of every list, for every filter, for the overview. `make pages` runs it.

A page is painted when its rows (or figures) stand and two frames have been drawn since. 95th percentile over
all measured clicks of a kind, in milliseconds; each page is opened once before, as a page of work is.
"""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import quantiles

from playwright.async_api import Page, async_playwright

from muster.access.guest import GuestDoor
from muster.chores import CHORES
from muster.cli.listening import serving
from muster.config import Rates, Settings
from muster.exercise.crew import Crew
from muster.instance import open_instance

TIMES = 8
LIST_MS, OVERVIEW_MS, FIRST_LOAD_KB = 300, 500, 350

# The pages of lists, and what stands on each when it is there.
ROW, LINE = '.list [data-row="0"]', "main tbody tr"
LISTS = {
    "/sites": ROW, "/tubes": ROW, "/boxes": ROW, "/labs": ROW, "/units": ROW, "/coverage/missing": ROW,
    "/devices": LINE, "/sites-now": LINE, "/rounds": LINE, "/coverage": LINE, "/work": "main .figure",
    "/recalls": f"main .empty, {LINE}", "/reports": "main .list",
}  # fmt: skip
# Filters: the page, the field (by its place among the list's), what is written or chosen there.
FILTERS = {
    "tubes: barcode": ("/tubes", 0, "RT0"), "tubes: stage": ("/tubes", 2, None),
    "tubes: result": ("/tubes", 3, None), "tubes: odd": ("/tubes", 4, None),
    "tubes: site": ("/tubes", 5, "37"), "sites: name": ("/sites", 0, "幸福"),
    "boxes: code": ("/boxes", 0, "X00"), "boxes: state": ("/boxes", 1, None),
    "people: name": ("/people", 0, "王"), "people: initials": ("/people", 0, "zs"),
}  # fmt: skip
OVERVIEWS = {"/": "main svg, main canvas", "/map": "main svg, main canvas"}

# Resolves to the milliseconds from an act in the page to the second frame after it was answered.
WATCH = """
([act, at, value, wanted, stays]) => new Promise((done, fail) => {
  const element = document.querySelectorAll(act)[at]
  if (!element) return fail(new Error("nothing to act on: " + act))
  const before = location.href, began = performance.now()
  let calm = 0
  if (value === undefined || value === null) element.click()
  else {
    element.value = value
    element.dispatchEvent(new Event(element.tagName === "SELECT" ? "change" : "input", { bubbles: true }))
    element.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }))
    element.form?.requestSubmit()
  }
  const look = () => {
    const busy = document.querySelector("main [aria-busy=true]")
    calm = (stays || location.href !== before) && !busy && document.querySelector(wanted) ? calm + 1 : 0
    if (calm === 2) done(performance.now() - began)
    else if (performance.now() - began > 20000) fail(new Error("20 s: " + wanted))
    else requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
})
"""


@asynccontextmanager
async def at_the_console() -> AsyncIterator[tuple[Page, dict[str, int]]]:
    """A page of a signed-in guest, and the bytes of its first load."""
    settings = Settings.from_environment()
    async with open_instance(settings, background=True, chores=CHORES) as muster:
        guests = GuestDoor(await Crew(muster).guest())
        rates = Rates(0, 0, 0)
        async with (
            serving(muster, rates=rates, also=[guests.handler()]) as (_, address),
            async_playwright() as driver,
        ):
            browser = await driver.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            try:
                context = await browser.new_context(locale="zh-CN")
                page = await context.new_page()
                loaded = {"bytes": 0}
                session = await context.new_cdp_session(page)
                await session.send("Network.enable")
                session.on(
                    "Network.loadingFinished",
                    lambda one: loaded.update(
                        bytes=loaded["bytes"] + int(one["encodedDataLength"])
                    ),
                )
                await page.goto(f"{address}{guests.path}")
                await page.wait_for_selector("main h1", timeout=60_000)
                await page.wait_for_timeout(1_000)
                yield page, dict(loaded)
            finally:
                await browser.close()


async def go(page: Page, path: str, wanted: str) -> float:
    """Choose a page in the menu."""
    return await page.evaluate(WATCH, [f'#menu a[href="/console{path}"]', 0, None, wanted])


async def opened(page: Page, pages: dict[str, str]) -> dict[str, list[float]]:
    """Page → milliseconds of each visit from the menu, in turns with the health page."""
    found: dict[str, list[float]] = {}
    for turn in range(TIMES + 1):
        for path, wanted in pages.items():
            await go(page, "/health", "main table")
            await page.wait_for_timeout(100)
            took = await go(page, path, wanted)
            if turn:  # the first visit loads the page's program
                found.setdefault(path, []).append(took)
    return found


async def filtered(page: Page, name: str) -> list[float]:
    """Milliseconds of each use, on a page opened anew; a select goes through all it offers."""
    path, field, text = FILTERS[name]
    fields = "main input.field, main select.field"
    found: list[float] = []
    for turn in range(TIMES):
        await go(page, "/health", "main table")
        await go(page, path, "main input")
        await page.wait_for_timeout(600)
        value = text
        if value is None:
            offered = await page.eval_on_selector_all(
                fields,
                f"all => [...all[{field}].options].map(one => one.value).filter(Boolean)",
            )
            value = offered[turn % len(offered)]
        # Whom one looks for stands in no address.
        stays = path == "/people"
        wanted = ".found li" if stays else f"{ROW}, .list .empty"
        found.append(await page.evaluate(WATCH, [fields, field, value, wanted, stays]))
    return found


def percentile(times: list[float]) -> float:
    return quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0]


def say(name: str, times: list[float], goal: int) -> bool:
    """One line; whether the goal is met."""
    value = percentile(times)
    mark = "ok" if value <= goal else "MISSED"
    sys.stdout.write(
        f"{name:34} p95 {value:7.0f} ms   worst {max(times):7.0f} ms   goal {goal} ms   {mark}\n"
    )
    sys.stdout.flush()
    return value <= goal


async def main() -> None:
    async with at_the_console() as (page, loaded):
        kilobytes = loaded["bytes"] / 1000
        sys.stdout.write(
            f"{'first load':34} {kilobytes:7.0f} kB            goal {FIRST_LOAD_KB} kB\n"
        )
        fine = kilobytes <= FIRST_LOAD_KB
        for path, times in (await opened(page, LISTS)).items():
            fine &= say(path, times, LIST_MS)
        for name in FILTERS:
            fine &= say(name, await filtered(page, name), LIST_MS)
        for path, times in (await opened(page, OVERVIEWS)).items():
            fine &= say(path, times, OVERVIEW_MS)
    if not fine:
        sys.exit(1)


if __name__ == "__main__":
    asyncio.run(main())
