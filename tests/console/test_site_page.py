"""A site without internet in a real Chromium: with the certificate installed the page is a secure context,
without it the browser refuses; the install page as a phone shows it.
"""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from muster.core.clock import now
from muster.instance import Instance
from muster.lan import authority as making
from muster.lan.authority import folder
from tests.conftest import Play
from tests.console.browser import AXE, CHROMIUM, LOCALES, SHOTS, playwright, with_browser
from tests.sites import served

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def chromium(home: Path, **options: Any) -> AsyncIterator[Any]:
    """A phone's browser, of the user whose home it is."""
    async with playwright.async_playwright() as driver:
        context = await driver.chromium.launch_persistent_context(
            str(home / "profile"), executable_path=CHROMIUM,
            env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
            args=["--no-sandbox", "--disable-gpu", "--no-proxy-server",
                  "--host-resolver-rules=MAP * 127.0.0.1"],
            viewport={"width": 360, "height": 740}, **options,
        )  # fmt: skip
        try:
            yield context.pages[0]
        finally:
            await context.close()


@with_browser
def test_the_certificate_installed_makes_it_a_secure_context(play: Play, tmp_path: Path) -> None:
    """Also where the machine's certificate is another by now; but not for names it may not certify."""

    async def story(muster: Instance) -> None:
        async with served(muster, at=now()) as site:
            known, base = site.site.authority, site.site.address
            der = tmp_path / "ca.crt"
            der.write_bytes(known.der)
            async with chromium(tmp_path / "stranger") as page:
                with pytest.raises(playwright.Error, match="ERR_CERT_AUTHORITY_INVALID"):
                    await page.goto(f"{base}/healthz")
            home = tmp_path / "phone"
            subprocess.run(
                [sys.executable, str(ROOT / "tests/nss.py"), str(home), str(der)], check=True
            )
            async with chromium(home) as page:
                for name in ("127.0.0.1", "desk-7.local"):
                    await page.goto(f"https://{name}:{site.site.port}/healthz")
                    told = await page.evaluate(
                        "[isSecureContext, 'serviceWorker' in navigator, !!crypto.subtle,"
                        " !!navigator.mediaDevices, !!navigator.locks]"
                    )
                    assert told == [True] * 5
            forged = folder(muster.settings.home) / "forged.pem"
            forged.write_bytes(making._issued(known, ["example.org"], now()))
            context: Any = site.server.config.ssl
            context.load_cert_chain(forged)
            async with chromium(home) as page:
                with pytest.raises(playwright.Error, match="ERR_CERT"):
                    await page.goto(f"https://example.org:{site.site.port}/healthz")

    play(story)


@with_browser
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_install_page_on_a_phone(play: Play, tmp_path: Path, language: str) -> None:
    """Nothing wider than the phone, nothing serious for axe-core, no script, links as large as a thumb."""

    async def story(muster: Instance) -> None:
        async with (
            served(muster, at=now()) as site,
            chromium(tmp_path, locale=LOCALES[language], java_script_enabled=True) as page,
        ):
            await page.goto(site.site.install)
            assert await page.evaluate("document.scripts.length") == 0
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 360
            for link in await page.locator("a.button").all():
                box = await link.bounding_box()
                assert box["height"] >= 48
                assert box["width"] >= 200
            if SHOTS:
                await page.screenshot(path=f"{SHOTS}/install-{language}.png", full_page=True)
            if AXE.exists():
                await page.evaluate(AXE.read_text(encoding="utf-8"))
                found = await page.evaluate("axe.run()")
                grave = [one["id"] for one in found["violations"]
                         if one["impact"] in ("serious", "critical")]  # fmt: skip
                assert grave == []
            async with page.expect_download() as taken:
                await (
                    page.get_by_role("link")
                    .filter(has_text="下载证书" if language == "zh" else "Download the certificate")
                    .first.click()
                )
            file = await (await taken.value).path()
            assert Path(file).read_bytes() == site.site.authority.der

    play(story)
