"""What was typed outlives a slow network, a server that is started again, an ended session and a reload."""

from typing import Any

from pyotp.totp import TOTP

from muster.cli.listening import serving
from muster.config import Rates
from muster.instance import Instance
from tests.browsers import PASSWORD, Door, someone
from tests.conftest import Play
from tests.console.browser import COMMANDER, Desk, at_the_console, console, playwright, with_browser
from tests.table import TOWN


async def filled(desk: Desk) -> None:
    """The form of a new laboratory, filled in and not sent."""
    await desk.open("/labs")
    await desk.click(desk.say("新实验室", "New laboratory"))
    await field(desk, "编码", "Code").fill("L7")
    await field(desk, "名称", "Name").fill("七里实验室")
    await field(desk, "每小时能力", "Tubes an hour").fill("300")


def field(desk: Desk, zh: str, en: str) -> Any:
    return desk.page.locator("form.form").get_by_label(desk.say(zh, en))


async def is_filled(desk: Desk) -> None:
    await playwright.expect(field(desk, "编码", "Code")).to_have_value("L7")
    await playwright.expect(field(desk, "名称", "Name")).to_have_value("七里实验室")


async def save(desk: Desk) -> None:
    await desk.page.locator("form.form button.primary").click()


async def is_saved(desk: Desk) -> None:
    await playwright.expect(desk.page.locator(".grid")).to_contain_text("七里实验室")


@at_the_console("command_post", scene=TOWN)
async def test_a_reload_brings_the_form_back(muster: Instance, desk: Desk) -> None:
    await filled(desk)
    await desk.page.reload()
    await desk.click(desk.say("新实验室", "New laboratory"))
    await desk.sees(desk.say("已恢复", "is here again"), within="main")
    await is_filled(desk)


@at_the_console("command_post", scene=TOWN)
async def test_a_slow_network_is_waited_for(muster: Instance, desk: Desk) -> None:
    """400 ms each way and 50 kB a second: a village's mobile network."""
    network = await desk.page.context.new_cdp_session(desk.page)
    await network.send("Network.enable")
    await filled(desk)
    await network.send("Network.emulateNetworkConditions", {
        "offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 20_000,
    })  # fmt: skip
    await save(desk)
    await is_saved(desk)


@at_the_console("command_post", scene=TOWN)
async def test_an_ended_session_saves_after_signing_in(muster: Instance, desk: Desk) -> None:
    await someone(muster, "second", COMMANDER)
    await filled(desk)
    await desk.page.context.clear_cookies()
    await save(desk)
    await desk.sees(desk.say("登录已过期", "Your session is over"), within=".sign-in")
    await is_filled(desk)
    await desk.page.locator(".sign-in [name=login]").fill("second")
    await desk.page.locator(".sign-in [name=password]").fill(PASSWORD)
    await desk.press("Enter")
    # A command post's first sign-in sets its second factor up; that, too, stands over the page.
    secret = await desk.page.locator(".sign-in p code").inner_text()
    await is_filled(desk)
    await desk.page.locator(".sign-in [name=code]").fill(TOTP(secret).now())
    await desk.press("Enter")
    await playwright.expect(desk.page.locator(".sign-in .codes li").first).to_be_visible()
    await desk.page.locator(".sign-in button.primary").click()
    await is_saved(desk)


@with_browser
def test_a_server_started_again_finds_the_form(play: Play) -> None:
    async def story(muster: Instance) -> None:
        await someone(muster, "chief", COMMANDER)
        rates = Rates(0, 0, 0)
        async with serving(muster, rates=rates) as (_, address):
            port = int(address.rpartition(":")[2])
            entering = console(Door(address), "chief")
            desk = await entering.__aenter__()
            await filled(desk)
        try:
            await save(desk)
            await desk.sees("没有收到服务器的答复")
            await is_filled(desk)
            async with serving(muster, port=port, rates=rates):
                await save(desk)
                await is_saved(desk)
        finally:
            await entering.__aexit__(None, None, None)

    play(story)
