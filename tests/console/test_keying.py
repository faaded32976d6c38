"""Keying in paper forms at the console, by the keyboard alone; and who asks to be swabbed at home."""

from muster.instance import Instance
from tests.console.browser import Desk, at_the_console, playwright
from tests.senders import query

SCENE = """
    07:00  AreaListed      S1  level=street name=环翠街道
    07:00  AreaListed      G1  level=grid parent=S1 name=第一网格
    07:00  AreaListed      H1  parent=G1 name=海滨花园1号楼
    07:05  SiteListed      X1  area=G1 name=海滨广场
    07:10  ResidentListed  p1  building=H1 room=101 name=张丽华 number=11010519491231002X
    07:20  RoundOpened     R1  areas=S1 name=第三轮
    08:30  HomeSamplingAsked  p1  reason=bedridden
"""


async def keys(desk: Desk, *cells: str) -> None:
    """Type into the fields one after the other, as from a form."""
    for n, cell in enumerate(cells):
        if n:
            await desk.press("Tab")
        if cell:
            await desk.press("Control+a")
            await desk.page.keyboard.type(cell)


@at_the_console("grid_worker", scene=SCENE, area="S1")
async def test_forms_are_keyed_in_saved_and_taken_back(muster: Instance, desk: Desk) -> None:
    await desk.open("/keying")
    await desk.fill(desk.say("采样点编码", "Site code"), "X1")
    await desk.page.locator("#name-0").focus()
    first = ("李雷", "34052419800101002X", "", "13700009999", "H9", "101", "B77", "1", "0830")
    await keys(desk, *first)
    await desk.press("Enter")
    await desk.sees(desk.say("没有这个楼栋", "No such building"), within="main table")
    await keys(desk, "韩梅梅", "", "20150102", "", "H1", "101", "B77", "2", "0831")
    await desk.press("Control+Enter")
    await desk.sees(desk.say("1 行需要更正", "1 lines are to be mended"), within=".notices")
    await desk.look("keying")
    await desk.page.reload()  # nothing that was typed is lost
    await desk.sees(desk.say("已恢复", "is here again"), within="main")
    await desk.page.locator("#building-0").fill("海滨花园1号楼")
    await desk.page.locator("#number-0").focus()
    await desk.press("Control+Enter")
    await desk.sees(desk.say("1 行看起来不对", "1 lines look wrong"), within=".notices")
    await desk.page.locator("#number-0").fill("34052419800101001X")
    await desk.press("Control+Enter")
    await desk.sees(
        desk.say("已保存 2 人，1 支采样管", "Saved: 2 people, 1 tubes"), within=".notices"
    )
    listed = "SELECT count(*) FROM registry.resident WHERE walk_in"
    assert await query(muster, listed) == [2]
    swabs = "SELECT position FROM sampling.specimen s JOIN sampling.tube t USING (tube)"
    assert sorted(await query(muster, f"{swabs} WHERE t.barcode = 'B77'")) == [1, 2]
    await desk.look("keying-saved")
    assert await desk.page.locator("#name-0").input_value() == ""
    await desk.page.reload()
    await desk.click(desk.say("撤回这些采样", "Take these swabs back"))
    await desk.sees(desk.say("撤回 2 人", "2 people were taken out"), within=".notices")
    assert await query(muster, f"{swabs} WHERE t.barcode = 'B77'") == []
    assert await query(muster, listed) == [2]


@at_the_console("grid_worker", scene=SCENE, area="S1")
async def test_who_asks_at_home_is_on_the_work_list(muster: Instance, desk: Desk) -> None:
    await desk.open("/work?kind=home")
    await desk.sees("海滨花园1号楼", "张*华", desk.say("卧床", "bedridden"), within="main table")
    await desk.look("work-home")
    await desk.page.locator("main table select").select_option("not_possible")
    await desk.sees(desk.say("已结", "Cleared up"), within=".notices")
    assert await query(muster, "SELECT outcome FROM sampling.home_request") == ["not_possible"]


@at_the_console("command_post", scene=SCENE)
async def test_blank_forms_come_from_the_print_room(muster: Instance, desk: Desk) -> None:
    await desk.open("/print?what=forms")
    picture = desk.page.locator(".first-page img")
    await playwright.expect(picture).to_be_visible(timeout=20_000)
    await desk.look("print-forms")
    await desk.page.get_by_label(desk.say("表格", "Form")).first.select_option("household")
    await playwright.expect(picture).to_be_visible(timeout=20_000)
