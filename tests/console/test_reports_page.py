"""Reports at the console: looked at, frozen, signed, taken out, computed again."""

import io

import pypdf

from muster.instance import Instance
from tests.console.browser import Desk, at_the_console, playwright, settled
from tests.senders import query
from tests.table import events
from tests.test_reports import DAY


@at_the_console("command_post", scene=DAY)
async def test_a_press_sheet_is_made_frozen_signed_and_computed_again(
    muster: Instance, desk: Desk
) -> None:
    await desk.open("/reports")
    await desk.look("reports-empty")
    press = desk.say("新闻发布数据单", "press sheet")
    await desk.page.locator(".kinds").get_by_text(press, exact=True).click()
    await desk.sees(desk.say("预览：尚未定稿", "Preview: not frozen"), within="main")
    await desk.sees(desk.say("采样人次", "Person-times"), within="main")
    await desk.look("report-preview")
    await desk.click(desk.say("定稿", "Freeze"))
    await desk.sees(desk.say("确定定稿吗", "Freeze it?"), within="main")
    await desk.page.locator(".draft-note").get_by_role("button").first.click()
    await desk.sees(desk.say("还需 2 人签发", "2 more must sign"), within="main")
    await desk.click(desk.say("签发", "Sign"))
    await desk.sees(desk.say("还需 1 人签发", "1 more must sign"), "王琳", within="main")
    await desk.click(desk.say("由账本重新计算核对", "Compute again from the ledger"))
    await desk.sees(desk.say("完全一致", "the same to the last one"), within="main")
    await desk.look("report")
    async with desk.page.expect_download() as waiting:
        await desk.page.get_by_role(
            "link", name=desk.say("下载 PDF", "Download PDF"), exact=True
        ).click()
    path = await (await waiting.value).path()
    text = "".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
    assert desk.say("新闻发布数据单", "Press sheet") in text
    assert "王琳" in text
    await desk.open("/reports")
    await desk.sees("S1", press, within="main")
    await desk.look("reports")
    assert await query(muster, "SELECT count(*) FROM hq.signature") == [1]


@at_the_console("command_post", scene=DAY)
async def test_what_does_not_add_up_is_shown_and_must_be_seen(muster: Instance, desk: Desk) -> None:
    declared = "09:00  DenominatorDeclared G1 people=2 source=census on=2022-08-02"
    await muster.door.append(events(declared))
    await settled(muster)
    await desk.open("/reports/preview/daily")
    await desk.sees("3 > 2", within=".findings")
    await desk.look("report-findings")
    await desk.click(desk.say("定稿", "Freeze"))
    await desk.page.locator(".draft-note").get_by_role("button").first.click()
    sign = desk.page.get_by_role("button", name=desk.say("签发", "Sign"), exact=True)
    await playwright.expect(sign).to_be_disabled()
    await desk.page.get_by_role("checkbox").check()
    await sign.click()
    await desk.sees(desk.say("签发完成", "Signed by all who must"), within="main")


@at_the_console("command_post", scene=DAY)
async def test_a_report_is_printed_straight_from_the_page(muster: Instance, desk: Desk) -> None:
    await desk.open("/reports/preview/coverage")
    await desk.sees(desk.say("覆盖情况表", "Table of coverage"), within=".sheet")
    printed = await desk.page.pdf(format="A4")
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(printed)).pages)
    assert desk.say("覆盖情况表", "Table of coverage") in text
    assert desk.say("设置", "Settings") not in text


@at_the_console("inspector", scene=DAY)
async def test_who_reads_figures_may_look_and_not_freeze(muster: Instance, desk: Desk) -> None:
    await desk.open("/reports/preview/special")
    await desk.sees(desk.say("专项督办报告", "Special report"), within=".sheet")
    await desk.misses(desk.say("定稿后", "Once frozen"))
    freeze = desk.page.get_by_role("button", name=desk.say("定稿", "Freeze"), exact=True)
    await playwright.expect(freeze).to_have_count(0)
