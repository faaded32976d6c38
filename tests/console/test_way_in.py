"""The script before the field application, in a real Chromium that says it is another browser: inside WeChat
one is shown the way out, an old browser is told so, what is not secure leads to the install page.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from muster.headers import CONTENT_POLICY
from tests.console.browser import AXE, CHROMIUM, LOCALES, SHOTS, playwright, with_browser
from tests.test_lan_serving import WECHAT

CHECK = Path(__file__).parents[2] / "web/public-field/check.js"
PAGE = """<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>Field</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<script src="/field/check.js"></script><script src="/field/app.js" defer></script>
</head><body><main id="app"></main></body></html>"""
# Starts as the application does: at once, or when somebody goes on all the same.
APP = """
function start() { document.getElementById("app").textContent = "started"; }
if (window.musterCanRun) start(); else window.addEventListener("muster-can-run", start);
"""
ABLE = "Mozilla/5.0 (Linux; Android 12) AppleWebKit/537.36 Chrome/111.0.0.0 Mobile Safari/537.36"
OLD = "Mozilla/5.0 (Linux; Android 7) AppleWebKit/537.36 Chrome/70.0.0.0 Mobile Safari/537.36"
WECHAT_ABLE = f"{ABLE} MMWEBID/1 MicroMessenger/8.0.40"


class Pages(SimpleHTTPRequestHandler):
    """Static files under Muster's own content policy."""

    def end_headers(self) -> None:
        self.send_header("content-security-policy", CONTENT_POLICY)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Where the page is served."""
    folder = tmp_path / "field"
    folder.mkdir()
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    (folder / "app.js").write_text(APP, encoding="utf-8")
    (folder / "check.js").write_bytes(CHECK.read_bytes())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Pages, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@asynccontextmanager
async def phone(agent: str, language: str = "zh", *, without: str = "") -> AsyncIterator[Any]:
    """A phone's browser that says so of itself; nothing on its page may throw or break the policy."""
    failed: list[str] = []
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--no-proxy-server",
                  "--host-resolver-rules=MAP muster.test 127.0.0.1"],
        )  # fmt: skip
        try:
            context = await browser.new_context(
                user_agent=agent, locale=LOCALES[language],
                viewport={"width": 360, "height": 740}, permissions=["clipboard-read"],
            )  # fmt: skip
            await context.add_init_script(without)
            page = await context.new_page()
            page.on("pageerror", lambda error: failed.append(str(error)))
            page.on("console", lambda one: failed.append(one.text) if one.type == "error" else None)
            yield page
        finally:
            await browser.close()
    assert [one for one in failed if "404" not in one] == []  # there is no icon


async def fits(page: Any, name: str) -> None:
    """The message fills the screen, nothing wider than the phone, nothing serious for axe-core."""
    box = await page.locator("#muster-check").bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 360, 740)
    assert await page.evaluate("document.getElementById('muster-check').scrollWidth") <= 360
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/way-in-{name}.png")
    if AXE.exists():
        await page.evaluate(AXE.read_text(encoding="utf-8"))
        found = await page.evaluate("axe.run()")
        assert [one["id"] for one in found["violations"]
                if one["impact"] in ("serious", "critical")] == []  # fmt: skip


async def started(page: Any) -> bool:
    return await page.locator("#app").inner_text() == "started"


@with_browser
@pytest.mark.parametrize("language", ["zh", "en"])
def test_inside_wechat_one_is_shown_the_way_out_and_may_go_on(port: int, language: str) -> None:
    async def story() -> None:
        async with phone(WECHAT_ABLE, language) as page:
            address = f"http://localhost:{port}/field/#code-7"
            await page.goto(address)
            shown = page.locator("#muster-check")
            for word in (address, "⋯", "微信" if language == "zh" else "WeChat"):
                await playwright.expect(shown).to_contain_text(word)
            await fits(page, f"wechat-{language}")
            assert await page.evaluate("musterCanRun") is False
            assert not await started(page)
            await page.get_by_role("button").first.click()
            said = "已复制" if language == "zh" else "Copied"
            await playwright.expect(shown).to_contain_text(said)
            assert await page.evaluate("navigator.clipboard.readText()") == address
            await page.get_by_role("button").last.click()
            assert await started(page)
            assert await page.evaluate("musterCanRun") is True
            assert await shown.count() == 0

    asyncio.run(story())


@with_browser
@pytest.mark.parametrize(
    ("agent", "without"),
    [
        (WECHAT, "delete Object.getPrototypeOf(navigator).serviceWorker"),  # as on an iPhone
        (WECHAT, "Object.defineProperty(window, 'indexedDB', {value: undefined})"),
    ],
)
def test_inside_wechat_nobody_goes_on_with_what_cannot_run(
    port: int, agent: str, without: str
) -> None:
    async def story() -> None:
        async with phone(agent, without=without) as page:
            await page.goto(f"http://localhost:{port}/field/")
            await playwright.expect(page.locator("#muster-check")).to_contain_text("微信")
            assert await page.get_by_role("button").count() == 1  # to copy

    asyncio.run(story())


@with_browser
@pytest.mark.parametrize(
    ("agent", "without", "lacking"),
    [
        (OLD, "", "Chrome 70"),
        (ABLE, "delete Object.getPrototypeOf(navigator).serviceWorker", "service worker"),
        (ABLE, "delete Object.getPrototypeOf(navigator).locks", "Web Locks"),
        (ABLE, "delete window.BroadcastChannel", "BroadcastChannel"),
        (ABLE, "delete HTMLScriptElement.prototype.noModule", "modules"),
        (ABLE, "Object.defineProperty(crypto, 'subtle', {value: undefined})", "WebCrypto"),
        (ABLE, "Object.defineProperty(window, 'indexedDB',"
               " {get() { throw new Error('forbidden') }})", "IndexedDB"),
    ],
    ids=lambda one: one if len(one) < 20 else "",
)  # fmt: skip
def test_what_is_lacking_is_told(port: int, agent: str, without: str, lacking: str) -> None:
    async def story() -> None:
        async with phone(agent, "en", without=without) as page:
            await page.goto(f"http://localhost:{port}/field/")
            for word in ("87", "15.4", "102", f"Not good enough: {lacking}"):
                await playwright.expect(page.locator("#muster-check")).to_contain_text(word)
            await fits(page, f"old-{lacking.replace(' ', '-')}")
            assert not await started(page)
            assert await page.get_by_role("button").count() == 0

    asyncio.run(story())


@with_browser
def test_what_is_not_secure_leads_to_the_install_page(port: int) -> None:
    async def story() -> None:
        async with phone(ABLE) as page:
            await page.goto(f"http://muster.test:{port}/field/")
            assert await page.evaluate("isSecureContext") is False
            way = page.get_by_role("link")
            assert await way.get_attribute("href") == f"http://muster.test:{port + 1}/"
            await fits(page, "insecure")
            assert not await started(page)

    asyncio.run(story())


@with_browser
def test_a_browser_that_can_is_let_through_in_silence(port: int) -> None:
    async def story() -> None:
        async with phone(ABLE) as page:
            await page.goto(f"http://localhost:{port}/field/")
            assert await started(page)
            assert await page.locator("#muster-check").count() == 0

    asyncio.run(story())
