"""The console's frame: its own pages, what is typed outlives everything, the keyboard, the content policy."""

import httpx

from muster.access.guest import GuestDoor
from muster.cli.running import serving
from muster.exercise.crew import Crew
from muster.instance import Instance
from tests.browsers import PASSWORD, Door, visit
from tests.conftest import Play
from tests.console.browser import Desk, at_the_console
from tests.table import TOWN

FRESH = "eight lanes after sunrise"


@at_the_console("command_post", scene=TOWN)
async def test_the_health_page(muster: Instance, desk: Desk) -> None:
    await desk.open("/health")
    await desk.sees(desk.say("运行正常", "All is well"))
    await desk.sees(desk.say("数据库", "Database"), desk.say("磁盘", "Disk"), within="main")
    await desk.look("health")


@at_the_console("command_post", scene=TOWN)
async def test_the_settings_are_kept(muster: Instance, desk: Desk) -> None:
    await desk.open("/settings")
    await desk.sees(desk.say("登录设备", "Where you are signed in"), within="main")
    await desk.look("settings")
    other = desk.say("English", "中文")
    await desk.click(other)
    await desk.sees(desk.say("Where you are signed in", "登录设备"), within="main")
    await desk.page.reload()
    await desk.sees(desk.say("Where you are signed in", "登录设备"), within="main")


@at_the_console("command_post", scene=TOWN)
async def test_help_stands_beside_the_page(muster: Instance, desk: Desk) -> None:
    await desk.open("/health")
    await desk.press("F1")
    await desk.sees(desk.say("系统停下时", "While the system stands still"), within="aside")
    await desk.look("help")
    await desk.press("Escape")
    assert await desk.page.locator("aside").count() == 0


@at_the_console("auditor", scene=TOWN)
async def test_a_role_sees_only_its_own_pages(muster: Instance, desk: Desk) -> None:
    await desk.open("/health")
    menu = await desk.page.locator("#menu").inner_text()
    assert desk.say("设置", "Settings") in menu
    assert desk.say("打印室", "Print room") not in menu


@at_the_console("inspector", scene=TOWN)
async def test_a_session_that_ends_is_signed_in_again_over_the_page(
    muster: Instance, desk: Desk
) -> None:
    """What was typed is still there; the page has not been left."""
    await desk.open("/settings")
    labels = [desk.say("现在的密码", "The present password"),
              desk.say("新密码（至少 10 个字符）", "The new password, 10 characters at least"),
              desk.say("再输一次新密码", "The new password again")]  # fmt: skip
    for label, text in zip(labels, (PASSWORD, FRESH, FRESH), strict=True):
        await desk.fill(label, text)
    await desk.page.context.clear_cookies()
    await desk.page.get_by_label(labels[2], exact=True).press("Enter")
    await desk.sees(desk.say("已填写的内容都还在", "typed"), within=".sign-in")
    await desk.look("sign-in-again")
    await desk.page.locator(".sign-in [name=login]").fill("chief")
    await desk.page.locator(".sign-in [name=password]").fill(PASSWORD)
    await desk.press("Enter")
    await desk.sees(desk.say("密码已修改", "The password is changed"))


def test_the_pages_are_served_compressed_and_under_every_address(play: Play) -> None:
    async def story(muster: Instance, door: Door) -> None:
        async with httpx.AsyncClient(base_url=door.address, trust_env=False) as http:
            front = await http.get("/")
            assert front.headers["location"] == "/console/"
            page = await http.get("/console/tubes/anything", headers={"accept-encoding": "gzip"})
            assert page.headers["content-type"].startswith("text/html")
            script = page.text.split('src="/console/')[1].split('"')[0]
            answer = await http.get(f"/console/{script}", headers={"accept-encoding": "gzip"})
            assert answer.headers["content-encoding"] == "gzip"
            assert "immutable" in answer.headers["cache-control"]
            assert (await http.get("/console/assets/none.js")).status_code == 404
            assert (await http.get("/console/..%2f..%2fapp.py")).status_code == 404

    visit(play, story)


def test_who_looks_at_the_demonstration_is_led_into_the_console(play: Play) -> None:
    """By its address only, which the server of the demonstration alone knows."""

    async def story(muster: Instance) -> None:
        guests = GuestDoor(await Crew(muster).guest())
        async with (
            serving(muster, also=[guests.handler()]) as (_, address),
            httpx.AsyncClient(base_url=address, trust_env=False) as http,
        ):
            assert (await http.get("/demonstration/guessed")).status_code == 404
            assert (await http.get("/v1/session")).status_code == 401
            led = await http.get(guests.path)
            assert led.headers["location"] == "/console/"
            who = (await http.get("/v1/session")).json()
            assert (who["name"], who["limited"]) == ("演示值班员", None)
            elsewhere = {"host": "muster.example.org"}
            assert (await http.get(guests.path, headers=elsewhere)).status_code == 404

    play(story)
