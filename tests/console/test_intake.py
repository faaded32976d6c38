"""The guided import in a real browser: a file is dropped, its columns matched, its errors seen with their
row numbers, fed, its bad rows corrected and fed again; and an empty house says what comes next.
"""

from pathlib import Path
from typing import Any

import psycopg

from muster.instance import Instance
from muster.intake.feeding import LOCK
from tests.console.browser import Desk, at_the_console, playwright, settled
from tests.import_files import lines, number, one

AREAS = Path(__file__).parents[2] / "examples" / "zhifu" / "areas.csv"
CITY = """
    07:00  AreaListed  D   level=district code=370602 name=芝罘区
    07:00  AreaListed  B1  level=building parent=D code=B1 name=1号楼
"""
ROSTER = "姓名,证件号码,楼栋,房号\n"
MIXED = ROSTER + lines(
    ("王一", number(), "B1", "101"), ("李二", number(sequence=3), "B1", "102"),
    ("赵三", "370602199001010000", "B1", "103"), ("孙四", number(sequence=5), "B9", "104"),
)  # fmt: skip


async def drop(desk: Desk, name: str, content: bytes) -> None:
    file: Any = {"name": name, "mimeType": "text/csv", "buffer": content}
    await desk.page.locator("input[type=file]").set_input_files(file)


async def check(desk: Desk) -> None:
    await desk.click(desk.say("检查文件", "Check the file"))


@at_the_console("command_post")
async def test_an_empty_house_says_what_comes_next(muster: Instance, desk: Desk) -> None:
    await desk.open("/coverage")
    await desk.sees(desk.say("还没有轮次", "There is no round yet"), within="main")
    await desk.click(desk.say("开始使用", "First steps"), role="link")
    await desk.sees(desk.say("导入区域", "Import the areas"), within="li.next")
    await desk.look("first-steps-empty")
    await desk.click(desk.say("导入区域文件", "Import areas"), role="link")
    await desk.sees(desk.say("还没有导入过文件", "Nothing was imported yet"), within="main")
    await drop(desk, "芝罘区.csv", AREAS.read_bytes())
    await desk.sees(desk.say("核对列", "Match the columns"), within="li.at")
    await desk.look("import-columns")
    await check(desk)
    await desk.click(desk.say("开始导入", "Start the import"))
    await desk.sees(desk.say("全部导入", "All is imported"), within="main")
    listed = len(AREAS.read_text("utf-8").splitlines()) - 1
    assert await one(muster, "SELECT count(*) FROM registry.area") == listed
    await desk.click(desk.say("下一步做什么", "What comes next"), role="link")
    await desk.sees(desk.say("导入居民名册", "Import the roster"), within="li.next")


@at_the_console("command_post", scene=CITY)
async def test_rows_with_errors_are_corrected_and_fed_again(muster: Instance, desk: Desk) -> None:
    await desk.open("/imports")
    await drop(desk, "名册.csv", MIXED.encode("gb18030"))
    await desk.sees("gb18030", "王一", within="main")
    await check(desk)
    await desk.sees(desk.say("有错误的 2 行", "2 rows with errors"), within="main")
    faults = desk.page.locator(".faults tbody tr")
    assert [await faults.nth(n).locator("td").first.inner_text() for n in range(2)] == ["4", "5"]
    await desk.sees(desk.say("没有编码为“B9”的区域", 'No area has the code "B9"'), within=".faults")
    await desk.look("import-errors")
    assert await one(muster, "SELECT count(*) FROM registry.resident") == 0
    await desk.click(desk.say("导入没有错误的行", "Import the rows without errors"))
    done = desk.say("已导入没有错误的行", "The rows without errors are imported")
    await desk.sees(done, within="main")
    await desk.look("import-done")
    assert await one(muster, "SELECT count(*) FROM registry.resident") == 2
    async with desk.page.expect_download() as waited:
        await desk.page.get_by_role("link", name="CSV", exact=True).click()
    rejected = Path(await (await waited.value).path()).read_text("utf-8-sig")
    fixed = rejected.replace("370602199001010000", number(sequence=7)).replace("B9", "B1")
    await desk.click(desk.say("再导入一个文件", "Import another file"), role="link")
    await drop(desk, "rejected.csv", fixed.encode())
    await check(desk)
    await desk.click(desk.say("开始导入", "Start the import"))
    await desk.sees(desk.say("全部导入", "All is imported"), within="main")
    assert await one(muster, "SELECT count(*) FROM registry.resident") == 4
    await desk.open("/imports")
    await desk.sees("名册.csv", "rejected.csv", "chief", within="main table")
    await desk.look("imports")


@at_the_console("command_post", scene=CITY)
async def test_columns_that_are_not_known_are_chosen(muster: Instance, desk: Desk) -> None:
    """What was chosen is there again when the page is loaded anew."""
    await desk.open("/imports")
    await drop(desk, "x.csv", ("谁,号,栋\n" + lines(("王一", number(), "B1"))).encode())
    kind = desk.say("这个文件是", "This file holds")
    await desk.page.get_by_label(kind).select_option("residents")
    await desk.sees(desk.say("缺少必需的列", "Columns are missing"), within="main")
    name, building = desk.say("姓名", "Name"), desk.say("楼栋编码", "Building code")
    await desk.page.get_by_label(name).first.select_option("谁")
    await desk.page.get_by_label(building).first.select_option("栋")
    await desk.page.reload()
    await desk.sees(desk.say("已恢复", "is here again"), within="main")
    assert await desk.page.get_by_label(name).first.input_value() == "谁"
    await check(desk)
    await desk.click(desk.say("开始导入", "Start the import"))
    await desk.sees(desk.say("全部导入", "All is imported"), within="main")
    assert await one(muster, "SELECT count(*) FROM registry.resident") == 1


@at_the_console("command_post", scene=CITY)
async def test_a_line_that_breaks_loses_no_file(muster: Instance, desk: Desk) -> None:
    """Pieces are sent again until they arrive; what was half sent goes on with the same file."""
    await desk.open("/imports")
    broken: list[str] = []

    async def breaking(route: Any) -> None:
        broken.append(route.request.url)
        await (route.abort() if len(broken) < 3 else route.continue_())

    await desk.page.route("**/parts/*", breaking)
    await drop(desk, "x.csv", MIXED.encode())
    await desk.sees(desk.say("核对列", "Match the columns"), within="li.at")
    assert len(broken) == 3
    await desk.page.unroute("**/parts/*")
    content = MIXED.encode()
    made = await desk.http.done("/v1/imports", {"name": "half.csv", "size_bytes": len(content)})
    await desk.open(f"/imports/{made['id']}")
    await desk.sees(desk.say("继续上传", "Go on sending"), within="main")
    await drop(desk, "half.csv", b"another")
    await desk.sees(desk.say("这不是同一个文件", "This is not the same file"))
    await drop(desk, "half.csv", content)
    await desk.sees(desk.say("核对列", "Match the columns"), within="li.at")


@at_the_console("area_lead", scene=CITY, area="D")
async def test_who_leads_an_area_imports_its_people(muster: Instance, desk: Desk) -> None:
    await settled(muster)
    await desk.open("/imports")
    await desk.sees(desk.say("居民名册", "the roster of residents"), within=".drop")
    await desk.misses(desk.say("楼栋、", "buildings"), within=".drop")


@at_the_console("command_post", scene=CITY)
async def test_an_import_is_stopped_and_goes_on(muster: Instance, desk: Desk) -> None:
    """Another server is at work, so this one waits."""
    await desk.open("/imports")
    await drop(desk, "名册.csv", (ROSTER + lines(("王一", number(), "B1", "101"))).encode())
    await check(desk)
    start = desk.page.get_by_role("button", name=desk.say("开始导入", "Start the import"))
    await playwright.expect(start).to_be_enabled()
    async with await psycopg.AsyncConnection.connect(muster.conninfo, autocommit=True) as other:
        await other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        await start.click()
        await desk.sees(desk.say("排队等待导入", "waiting to be imported"), within="main")
        await desk.look("import-progress")
        await desk.click(desk.say("停止", "Stop"))
        go_on = desk.page.get_by_role("button", name=desk.say("继续导入", "Go on importing"))
        await go_on.click()
        await desk.sees(desk.say("排队等待导入", "waiting to be imported"), within="main")
        assert await one(muster, "SELECT count(*) FROM registry.resident") == 0
    await desk.sees(desk.say("全部导入", "All is imported"), within="main")
    assert await one(muster, "SELECT count(*) FROM registry.resident") == 1
