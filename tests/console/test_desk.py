"""The desks' pages: search and scan, tubes, boxes, sites, laboratories, people, devices, work lists,
recalls, and why somebody has no result.
"""

from muster.access.decide import Grant
from muster.exercise.crew import Crew
from muster.instance import Instance
from tests.console.browser import Desk, at_the_console
from tests.table import TOWN, named

NUMBER = "E10000001"
SCENE = (
    TOWN.strip()
    + f"""
    07:00  SiteListed      X1  area=G1 name=东门采样点 lanes=2
    07:00  SiteListed      X2  area=G2 name=西门采样点
    07:00  LabListed       L1  name=市疾控实验室
    07:05  SiteOpened      X1
    07:06  LaneOpened      X1  lane=1
    07:10  ResidentListed  p1  building=H1 room=101 name=张三丰 number={NUMBER} phone=13800001111
    07:10  ResidentListed  p2  building=H1 room=102 name=李小龙 phone=13800002222
    07:10  ResidentListed  p3  building=H2 room=201 name=王小明
    07:10  ResidentListed  p4  building=H3 room=301 name=赵敏
    07:30  TubeSealed      T1  members=p1,p2 round=R1 site=X1 barcode=B0001 device=PH-1 seq=1
    07:35  TubeSealed      T2  members=p3 round=R1 site=X1 barcode=B0002 device=PH-1 seq=3
    07:40  TubeSealed      T3  round=R1 site=X2 barcode=C0003 device=PH-1 seq=4
    08:00  BoxPacked       K1  code=BOX1 tubes=B0001,B0002 site=X1 bound_for=L1
    08:20  BoxReceived     C1  code=BOX1
    08:21  TubesReceived   C1  scans=B0001
    08:22  ReceptionEnded  C1
    08:40  ResultReleased  r1  barcode=B0001 tube=T1 outcome=positive lab=L1
"""
)


@at_the_console("command_post", scene=SCENE)
async def test_tubes_are_found_and_opened_by_the_keyboard(muster: Instance, desk: Desk) -> None:
    await desk.open("/tubes")
    await desk.sees("B0001", "B0002", "C0003", within="main")
    await desk.look("tubes")
    await desk.fill(desk.say("条码", "Barcode"), "B0002")
    await desk.misses("C0003")
    assert "q=B0002" in desk.page.url
    await desk.page.locator('[data-row="0"]').focus()
    await desk.press("Enter")
    await desk.sees("王*明", desk.say("封管", "Tube sealed"), within="main")
    await desk.look("tube")


@at_the_console("command_post", scene=SCENE)
async def test_a_tube_without_people_leads_to_the_devices(muster: Instance, desk: Desk) -> None:
    await desk.open("/tubes/C0003")
    await desk.sees(desk.say("管内没有任何人员", "Nobody is in it"), within="main")
    await desk.click(desk.say("查看本采样点的设备", "This site's devices"), role="link")
    await desk.sees(desk.say("设备看板", "Devices"), within="h1")
    assert "site=X2" in desk.page.url


@at_the_console("command_post", scene=SCENE)
async def test_a_scanner_goes_straight_to_the_record(muster: Instance, desk: Desk) -> None:
    await desk.open("/work")
    await desk.press("Control+k")
    await desk.page.keyboard.type("BOX1")
    await desk.press("Enter")
    await desk.sees("BOX1", within="h1")
    await desk.sees("B0001", "B0002", within="main")
    await desk.look("box")
    await desk.press("Control+k")
    await desk.page.keyboard.type("东门")
    await desk.sees("东门采样点", within=".hits")
    await desk.look("search", "desk")
    await desk.press("Enter")
    await desk.sees("东门采样点", within="h1")


@at_the_console("command_post", scene=SCENE)
async def test_a_site_is_changed_and_the_change_taken_back(muster: Instance, desk: Desk) -> None:
    await desk.open("/sites")
    await desk.sees("东门采样点", "西门采样点", within="main")
    await desk.look("sites")
    await desk.open("/sites/X1")
    await desk.sees(desk.say("开放", "at work"), within="main")
    await desk.look("site")
    await desk.click(desk.say("修改", "Change"))
    await desk.fill(desk.say("名称", "Name"), "东门新采样点")
    await desk.page.reload()  # what was typed is still there
    await desk.click(desk.say("修改", "Change"))
    name = desk.page.get_by_label(desk.say("名称", "Name"), exact=True)
    assert await name.input_value() == "东门新采样点"
    await desk.click(desk.say("保存", "Save"))
    await desk.sees("东门新采样点", within="h1")
    await desk.click(desk.say("撤销", "Undo"))
    await desk.sees("东门采样点", within="h1")


@at_the_console("command_post", scene=SCENE)
async def test_laboratories(muster: Instance, desk: Desk) -> None:
    await desk.open("/labs")
    await desk.sees("市疾控实验室", within="main")
    await desk.look("labs")
    await desk.open("/labs/L1")
    await desk.sees(desk.say("未结不符", "Not cleared up"), within="main")
    await desk.look("lab")


@at_the_console("command_post", scene=SCENE)
async def test_why_somebody_has_no_result(muster: Instance, desk: Desk) -> None:
    await desk.open("/results-desk")
    field = desk.page.get_by_label(desk.say("按姓名查", "By name"), exact=True)
    await field.fill("wangxiaoming")
    await desk.page.locator(".found button").first.click()
    await desk.sees(
        desk.say("箱已送到，箱里没有扫到这支管", "The box came; this tube was not scanned"),
        desk.say("实验室接收员", "laboratory receiver"),
        within="main",
    )
    await desk.sees(desk.say("断在这里", "broken here"), within=".chain li.no")
    await desk.look("results-desk")
    number = desk.page.get_by_label(
        desk.say("按证件号码或手机号查", "By document number or mobile phone"), exact=True
    )
    await number.fill(NUMBER)
    await desk.press("Enter")
    await desk.sees(
        desk.say("混采管阳性或可疑，等待单采复检", "a single swab decides"), within="main"
    )
    assert NUMBER not in desk.page.url
    await number.fill("E99999999")
    await desk.press("Enter")
    await desk.sees(desk.say("没有这个证件号码", "Nobody has this number"), within="main")


@at_the_console("command_post", scene=SCENE)
async def test_a_person(muster: Instance, desk: Desk) -> None:
    await desk.open("/people")
    await desk.page.get_by_label(desk.say("按姓名查", "By name"), exact=True).fill("zsf")
    await desk.sees("张*丰", within=".found")
    await desk.look("people")
    number = desk.page.get_by_label(
        desk.say("按证件号码或手机号查", "By document number or mobile phone"), exact=True
    )
    await number.fill("13800001111")
    await desk.press("Enter")
    await desk.sees("张*丰", within=".found")
    await desk.page.locator(".found button").first.click()
    await desk.sees("张*丰", within="h1")
    await desk.sees("138****1111", within="main")
    await desk.look("person")
    await desk.page.get_by_label(
        desk.say("显示完整姓名和电话", "Show whole names and phones")
    ).select_option("call_back")
    await desk.sees("张三丰", "13800001111", within="main")


@at_the_console("command_post", scene=SCENE)
async def test_recalled_people_are_told(muster: Instance, desk: Desk) -> None:
    await desk.open("/recalls")
    await desk.sees("B0001", within="main")
    await desk.look("recalls")
    await desk.click("B0001", role="link")
    await desk.sees("张*丰", "李*龙", within="main")
    await desk.look("recall")
    await desk.page.get_by_role(
        "button", name=desk.say("电话通知到", "Told by phone")
    ).first.click()
    await desk.sees(desk.say("已通知", "told"), within="main")


@at_the_console("command_post", scene=SCENE)
async def test_work_lists(muster: Instance, desk: Desk) -> None:
    await desk.open("/work")
    await desk.sees(desk.say("管内没有人员", "Tubes without people"), within="main")
    await desk.look("work")
    await desk.page.get_by_role("link", name=desk.say("收样不符", "Receptions")).first.click()
    await desk.sees("B0002", desk.say("缺少", "missing"), within="main")
    await desk.look("work-cases")
    await desk.page.locator("main select").first.select_option("resample")
    await desk.sees(desk.say("没有待处理的事项", "Nothing waits"), within="main")


@at_the_console("command_post", scene=SCENE)
async def test_devices_that_keep_something_stand_first(muster: Instance, desk: Desk) -> None:
    crew = Crew(muster)
    grid = Grant("grid_worker", area=named("G1"))
    await crew.staff("nurse", grid, name="李护士", phone="138 0000-1111")
    for code in ("PH-0", "PH-1"):  # of PH-1 the number 2 has not come
        await crew.device(code, holder="nurse")
    await desk.open("/devices")
    await desk.sees("PH-1", within="tbody tr")
    await desk.sees("PH-0", within="tbody")
    await desk.look("devices")
    await desk.click("PH-1", role="link")
    await desk.sees(desk.say("缺少的编号", "Missing numbers"), within="main")
    await desk.misses(desk.say("没有缺号", "No number is missing"))
    await desk.sees("李护士", within="main")
    call = desk.page.get_by_role("link", name="13800001111").first
    assert await call.get_attribute("href") == "tel:13800001111"
    await desk.look("device")


@at_the_console("command_post", scene=SCENE)
async def test_reference_data(muster: Instance, desk: Desk) -> None:
    await desk.open("/areas?code=G1")
    await desk.fill(desk.say("名称", "Name"), "第一网格")
    await desk.click(desk.say("保存", "Save"))
    await desk.sees("第一网格", within="h1")
    await desk.fill(desk.say("人数", "People"), "12")
    await desk.fill(desk.say("来源", "Source"), "户籍")
    await desk.click(desk.say("申报人数", "Declare people"))
    await desk.sees("户籍", within=".timeline")
    await desk.look("area")
    await desk.open("/policies")
    await desk.fill(desk.say("数值", "Value"), "20")
    await desk.click(desk.say("制定标准", "Adopt an edition"))
    await desk.sees(desk.say("每管人数", "swabs in a tube"), within=".timeline")
    await desk.look("policies")
    await desk.open("/units")
    await desk.click(desk.say("新单位", "New unit"))
    await desk.fill(desk.say("编码", "Code"), "U1")
    await desk.fill(desk.say("名称", "Name"), "机械厂")
    await desk.look("units")
    await desk.page.reload()  # what was typed is still there
    code = desk.page.get_by_label(desk.say("编码", "Code"), exact=True)
    assert await code.input_value() == "U1"


@at_the_console("area_lead", scene=SCENE, area="G2")
async def test_an_area_lead_sees_their_area(muster: Instance, desk: Desk) -> None:
    await desk.open("/tubes")
    await desk.sees("C0003", within="main")
    await desk.misses("B0001", "B0002")
    await desk.open("/sites/X1")
    await desk.sees(desk.say("不在你负责的区域内", "lies outside the area"), within="main")
