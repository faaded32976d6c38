"""The overview, its records, sites, the map and briefings, at the console: live, clickable, in both
languages."""

import json
from pathlib import Path

from muster.instance import Instance
from tests.console.browser import Desk, at_the_console, just_now, settled
from tests.table import TOWN, named

BRIEFING = Path(__file__).parents[2] / "examples" / "briefing-2021-08-04.csv"
SITE = f'{{"site":"{named("X1")}"}}'
SCENE = f"""{TOWN.strip()}
    07:00  SiteListed       X1  area=G1 lanes=2 name=东门采样点
    07:00  SiteListed       X2  area=G2 name=西门采样点
    07:05  LabListed        L1  capacity_per_hour=60 name=区疾控
    08:00  SiteOpened       X1
    08:00  LaneOpened       X1  lane=1
    08:10  TubeSealed       T1  members=p1,p2 round=R1 barcode=B1 site=X1
    08:20  TubeSealed       T2  members=p9 round=R1 barcode=B2 site=X2
    08:50  QueueCounted     X1  waiting=12 wait_minutes=25
    08:55  ResultReleased   r1  barcode=B1 outcome=positive
"""


@at_the_console("command_post", scene=SCENE)
async def test_the_overview_is_live_and_every_figure_leads_to_its_records(
    muster: Instance, desk: Desk
) -> None:
    await desk.open("/?round=R1&area=S1")
    page = desk.page
    funnel = page.locator(".funnel")
    await desk.sees(desk.say("已采样3", "Sampled3"), within=".funnel")
    await desk.sees(desk.say("2 管", "2 tubes"), within=".funnel")
    await desk.sees(desk.say("已过截止时间", "the deadline has passed"), within="main")
    await desk.sees("东门采样点", desk.say("25 分钟", "25 min"), within="main")
    await just_now(muster, "08:58 TubeSealed T3 members=p3 round=R1 barcode=B3 site=X1")
    await settled(muster)
    await desk.sees(desk.say("已采样4", "Sampled4"), within=".funnel")
    await desk.look("overview")
    await funnel.get_by_role("link", name=desk.say("已采样", "Sampled")).first.click()
    await page.wait_for_selector(".rows .row")
    assert await page.locator(".rows .row").count() == 4
    await desk.look("figure-persons")
    await page.go_back()
    await funnel.get_by_role("link", name=desk.say("3 管", "3 tubes")).first.click()
    await page.wait_for_selector(".rows .row")
    await desk.sees("B1", "B2", "B3", within=".rows")
    await desk.look("figure-tubes")


@at_the_console("command_post", scene=SCENE)
async def test_an_area_leads_into_itself_and_back(muster: Instance, desk: Desk) -> None:
    await desk.open("/?round=R1&area=S1")
    await desk.page.get_by_role("link", name="G1", exact=True).click()
    await desk.sees("G1", within="main h1")
    await desk.sees(desk.say("已采样2", "Sampled2"), within=".funnel")
    assert "area=G1" in desk.page.url
    await desk.page.go_back()
    await desk.sees(desk.say("已采样3", "Sampled3"), within=".funnel")


@at_the_console("command_post", scene=SCENE)
async def test_a_wall_is_dark_and_has_no_menu(muster: Instance, desk: Desk) -> None:
    await desk.open("/?round=R1&area=S1")
    await desk.page.set_viewport_size({"width": 1920, "height": 1080})
    await desk.click(desk.say("大屏", "Wall"))
    assert not await desk.page.locator("#menu").is_visible()
    await desk.look("wall", "wall")
    await desk.click(desk.say("退出大屏", "Leave the wall"))
    assert await desk.page.locator("#menu").is_visible()


@at_the_console("command_post", scene=SCENE)
async def test_sites_by_their_queues(muster: Instance, desk: Desk) -> None:
    await desk.open("/sites-now?round=R1&area=S1")
    await desk.sees("东门采样点", "西门采样点", desk.say("实测", "measured"), within="main")
    await desk.fill(desk.say("查找采样点", "Find a site"), "西门")
    await desk.misses("东门采样点")
    await desk.look("sites-now")


@at_the_console("command_post", scene=SCENE)
async def test_the_map_is_drawn_without_positions_and_with_them(
    muster: Instance, desk: Desk
) -> None:
    page = desk.page
    await desk.open("/map?round=R1&area=S1")
    await page.wait_for_selector(".tile")
    await desk.sees("G1", "H2", within="svg")
    await desk.look("map")
    square = [[121.0, 37.0], [121.1, 37.0], [121.1, 37.1], [121.0, 37.1], [121.0, 37.0]]
    file = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"code": "G1"},
             "geometry": {"type": "Polygon", "coordinates": [square]}},
            {"type": "Feature", "properties": {"code": "H3"},
             "geometry": {"type": "Point", "coordinates": [121.15, 37.05]}},
            {"type": "Feature", "properties": {"code": "X1", "kind": "site"},
             "geometry": {"type": "Point", "coordinates": [121.05, 37.05]}},
            {"type": "Feature", "properties": {"code": "nothing"},
             "geometry": {"type": "Point", "coordinates": [121.05, 37.05]}},
        ],
    }  # fmt: skip
    await page.locator("summary", has_text=desk.say("导入位置", "Import positions")).click()
    await page.locator("input[type=file]").set_input_files(
        {"name": "district.geojson", "mimeType": "application/json",
         "buffer": json.dumps(file).encode()}
    )  # fmt: skip
    await page.get_by_label(desk.say("演练生成的位置", "made up for an exercise")).check()
    await desk.click(desk.say("导入", "Import"))
    await desk.sees(desk.say("已标注 2 个区域、1 个采样点", "2 areas and 1 sites placed"))
    await desk.sees("nothing", within=".left")
    await page.locator("select:has(option[value=places])").select_option("places")
    await page.wait_for_selector(".place-map canvas")
    await desk.sees("G1", "H3", within=".place-map")
    await desk.sees(desk.say("并非真实位置", "they are not real"), within="main")
    await page.wait_for_timeout(500)
    await desk.look("map-places")


@at_the_console("command_post", scene=SCENE)
async def test_the_real_briefing_shows_both_of_its_errors(muster: Instance, desk: Desk) -> None:
    page = desk.page
    await desk.open("/briefings")
    await page.locator("textarea").fill(BRIEFING.read_text(encoding="utf-8"))
    await desk.click(desk.say("核对", "Check"))
    await desk.sees("51.1%", "112.8%", "511,000", within=".findings")
    assert await page.locator(".findings li").count() == 2
    await desk.look("briefings")
    await page.reload()
    await desk.sees(desk.say("已恢复", "is here again"), within="main")
    await desk.click(desk.say("核对并存档", "Check and keep"))
    await desk.sees(desk.say("2 处不成立", "2 cannot be true"), within=".earlier")


@at_the_console("inspector", scene=SCENE, area="G2")
async def test_an_area_s_own_overview_without_lists_of_people(muster: Instance, desk: Desk) -> None:
    await desk.open("/?round=R1&area=G2")
    await desk.sees(desk.say("已采样1", "Sampled1"), within=".funnel")
    assert await desk.page.locator(".funnel a").count() == 0
