"""Coverage in a real browser: the tree down to the door, what is said there, whose way it is; rounds are
opened and closed.
"""

from muster.instance import Instance
from tests.console.browser import Desk, at_the_console, playwright, settled
from tests.import_files import select
from tests.table import named

STREET = """
    07:00  AreaListed     D    level=district code=D name=芝罘区
    07:00  AreaListed     S    level=street parent=D code=S name=东山街道
    07:00  AreaListed     T    level=street parent=D code=T name=向阳街道
    07:00  AreaListed     K    level=community parent=S code=K name=一社区
    07:00  AreaListed     B1   level=building parent=K code=B1 name=1号楼
    07:00  AreaListed     B2   level=building parent=K code=B2 name=2号楼
    07:00  AreaListed     B3   level=building parent=T code=B3 name=3号楼
    07:10  ResidentListed ann  building=B1 room=101 name=王一 birth_year=1958 sex=female
    07:10  ResidentListed bob  building=B1 room=101 name=王二 birth_year=1955 sex=male
    07:10  ResidentListed cat  building=B1 room=102 name=李三丰 birth_year=1990 sex=male
    07:10  ResidentListed dan  building=B2 room=201 name=赵四
    07:10  ResidentListed eve  building=B3 room=301 name=孙五
"""
ROUND = f"""{STREET.rstrip()}
    07:30  RoundOpened    R    areas=D name=第一轮
    08:00  TubeSealed     T1   members=ann,dan round=R
"""


@at_the_console("command_post", scene=ROUND)
async def test_the_tree_is_unfolded_by_the_keyboard(muster: Instance, desk: Desk) -> None:
    await desk.open("/coverage")
    await desk.sees("东山街道", "向阳街道", within="main table")
    street = desk.page.locator("tbody tr", has_text="东山街道")
    await street.focus()
    await desk.press("ArrowRight")
    await desk.sees("一社区", within="main table")
    cells = await street.locator("td").all_inner_texts()
    assert [one.strip() for one in cells[1:5]] == ["4", "2", "50.0%", "2"]
    await desk.press("ArrowDown", "ArrowRight")
    await desk.sees("1号楼", within="main table")
    await desk.look("coverage")
    await desk.press("ArrowDown", "Enter")
    await desk.sees("1号楼", within="main h1")


@at_the_console("command_post", scene=ROUND)
async def test_areas_are_ordered_by_who_is_missing(muster: Instance, desk: Desk) -> None:
    """The order stands in the address."""
    await desk.open("/coverage?area=K&only=missing&order=missing")
    await desk.sees("1号楼", within="main table")
    await desk.misses("2号楼", within="main table")
    await desk.page.get_by_label(
        desk.say("只看有未检人员的区域", "only areas where somebody is missing")
    ).uncheck()
    await desk.sees("2号楼", within="main table")
    assert "only=" not in desk.page.url


@at_the_console("command_post", scene=ROUND)
async def test_what_is_said_at_the_door_is_recorded_and_undone(
    muster: Instance, desk: Desk
) -> None:
    await desk.open("/coverage/doors/B1")
    await desk.sees(desk.say("未检 2 人，共 3 人", "2 missing of 3"), within="main")
    await desk.misses("李三丰")
    home = desk.page.locator(".home", has_text="102")
    await home.get_by_role("button", name=desk.say("拒检", "refused"), exact=True).click()
    await desk.sees(desk.say("未检 1 人，共 3 人", "1 missing of 3"), within="main")
    await desk.look("doors")
    await (
        desk.page.locator(".notices")
        .get_by_role("button", name=desk.say("撤销", "Undo"))
        .first.click()
    )
    await desk.sees(desk.say("未检 2 人，共 3 人", "2 missing of 3"), within="main")
    await home.get_by_role("button", name=desk.say("免检…", "exempt…")).click()
    reason = home.get_by_label(desk.say("免检原因", "Reason of the exemption"))
    await reason.select_option("bedridden")
    await desk.page.reload()
    assert await reason.input_value() == "bedridden"
    await home.get_by_role("button", name=desk.say("登记", "Record"), exact=True).click()
    await desk.sees(desk.say("免检: 卧床", "exempt: bedridden"), within=".homes")
    await desk.page.get_by_label(desk.say("显示全名", "Show whole names")).select_option(
        "door_to_door"
    )
    await desk.sees("李三丰", within=".homes")
    shown = "SELECT count(*) FROM access.reading WHERE why = 'door_to_door'"
    assert (await select(muster, shown))[0][0] >= 1


@at_the_console("command_post", scene=ROUND)
async def test_nobody_is_sent_where_nobody_walks(muster: Instance, desk: Desk) -> None:
    await desk.open("/coverage?area=K")
    row = desk.page.locator("tbody tr", has_text="1号楼")
    await row.get_by_role("button", name=desk.say("分派 1号楼", "Assign 1号楼")).click()
    await desk.sees(desk.say("没有人在此处", "Nobody holds a role"), within="main form")
    await desk.look("assign")


@at_the_console("area_lead", scene=ROUND, area="K", walker="grid_worker")
async def test_a_way_is_given_changed_and_taken(muster: Instance, desk: Desk) -> None:
    await desk.open("/coverage?area=K")
    row = desk.page.locator("tbody tr", has_text="1号楼")
    await row.get_by_role("button", name=desk.say("分派 1号楼", "Assign 1号楼")).click()
    await desk.page.get_by_label(desk.say("走访人", "Walker")).select_option("walker")
    await (
        desk.page.locator("main form")
        .get_by_role("button", name=desk.say("分派", "Assign"), exact=True)
        .click()
    )
    await desk.sees("walker", within="main table")
    await desk.look("coverage-assigned")
    await desk.open("/coverage/ways?area=K")
    await desk.sees("1号楼", "walker", desk.say("已通知", "told"), "2 / 3", within="main table")
    await desk.look("ways")
    await desk.page.get_by_role("button", name=desk.say("改派 1号楼", "Change 1号楼")).click()
    await desk.click(desk.say("撤回分派", "Withdraw"))
    await desk.sees(desk.say("还没有分派", "Nothing is assigned"), within="main")


@at_the_console("command_post", scene=ROUND)
async def test_who_is_missing_is_listed_in_the_order_of_the_walk(
    muster: Instance, desk: Desk
) -> None:
    await desk.open("/coverage/missing?area=D")
    await desk.sees("1号楼", "3号楼", "李*丰", within="main")
    await desk.look("missing")


@at_the_console("command_post", scene=STREET)
async def test_a_round_is_opened_and_closed(muster: Instance, desk: Desk) -> None:
    """What was typed outlives a broken line, a new loading, and a session that ended."""
    await desk.open("/rounds")
    await desk.look("rounds-empty")
    await desk.click(desk.say("开启轮次", "Open a round"))
    name = desk.say("名称", "Name")
    await desk.fill(name, "第二轮")
    await desk.look("round-open")
    await desk.page.reload()
    await desk.click(desk.say("开启轮次", "Open a round"))
    assert await desk.page.get_by_label(name, exact=True).input_value() == "第二轮"
    await desk.page.route("**/v1/rounds", lambda route: route.abort())
    submit = desk.page.locator("main form").get_by_role(
        "button", name=desk.say("开启轮次", "Open a round")
    )
    await submit.click()
    await desk.sees(desk.say("服务器", "server"))
    assert await desk.page.get_by_label(name, exact=True).input_value() == "第二轮"
    await desk.page.unroute("**/v1/rounds")
    await submit.click()
    await desk.sees("第二轮", within="main h1")
    await settled(muster)
    await desk.page.reload()
    await desk.sees(desk.say("未检 5 人", "5 are missing"), "芝罘区", within="main")
    await desk.look("round")
    await desk.click(desk.say("结束本轮…", "Close the round…"))
    sure = desk.page.get_by_role("button", name=desk.say("确认结束", "Close it now"))
    await playwright.expect(sure).to_be_disabled()
    await desk.page.locator("main form input[type=checkbox]").check()
    await sure.click()
    await desk.sees(desk.say("结束时的平衡表", "The balance sheet it was closed on"), within="main")
    (found,) = await select(muster, "SELECT closed_at IS NOT NULL FROM sampling.round")
    assert found == (True,)


@at_the_console("command_post", scene=ROUND)
async def test_the_people_behind_what_keeps_a_round_open(muster: Instance, desk: Desk) -> None:
    round_ = named("R")
    await desk.open(f"/rounds/{round_}")
    await desk.click(
        desk.say("2 人已采、结果未出", "2 were sampled and wait for a result"), role="link"
    )
    await desk.sees("1号楼", "2号楼", "王*", "赵*", within="main .grid")
    await desk.misses("3号楼")
    await desk.look("waiting")
