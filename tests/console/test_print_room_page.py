"""The print room at the console: choose, look at the first page, make the files; ranges of labels."""

from typing import Any

import pypdf

from muster.instance import Instance
from muster.registry.engine.personal_code import code_of, grouped
from tests.console.browser import Desk, at_the_console, playwright
from tests.senders import query
from tests.table import named
from tests.test_reports import DAY

NAMES = """
    07:05  ResidentListed  p1  building=H1 room=101 name=㛃𬭛䶮
    07:05  ResidentListed  p2  building=H1 room=102 name=王伟
"""
SCENE = DAY.rstrip() + NAMES


async def taken(desk: Desk, name: str) -> str:
    """The text of the PDF that a button makes."""
    async with desk.page.expect_download() as waiting:
        await desk.click(name)
    path = await (await waiting.value).path()
    return "".join(page.extract_text() for page in pypdf.PdfReader(path).pages)


async def first_page(desk: Desk) -> Any:
    picture = desk.page.locator(".first-page img")
    await playwright.expect(picture).to_be_visible(timeout=20_000)
    width = await picture.evaluate("one => one.decode().then(() => one.naturalWidth)")
    assert width > 400
    return picture


@at_the_console("command_post", scene=SCENE)
async def test_personal_codes_are_looked_at_and_made(muster: Instance, desk: Desk) -> None:
    await desk.open("/print")
    await desk.sees(desk.say("5 人", "5 people"), within="main")
    await desk.click(desk.say("预览首页", "Show the first page"))
    await first_page(desk)
    await desk.look("print-codes")
    text = await taken(desk, desk.say("生成 PDF", "Make the PDF"))
    assert grouped(code_of(named("p1"))) in text
    assert "㛃*䶮" in text
    await desk.sees(desk.say("全部完成：5 人", "Done: 5 people"), within="main")
    await desk.page.get_by_label(desk.say("姓名", "Names")).select_option("true")
    await desk.sees(desk.say("会记录在案", "is recorded"), within="main")
    text = await taken(desk, desk.say("生成 PDF", "Make the PDF"))
    assert "㛃𬭛䶮" in text
    looked = await query(
        muster, "SELECT why FROM access.reading WHERE NOT masked AND what LIKE '%%print/codes'"
    )
    assert looked == ["door_to_door"]


@at_the_console("command_post", scene=SCENE)
async def test_missing_lists_posters_guides_and_templates(muster: Instance, desk: Desk) -> None:
    await desk.open("/print?what=missing")
    text = await taken(desk, desk.say("生成 PDF", "Make the PDF"))
    assert grouped(code_of(named("p9"))) in text
    for what, word in (("posters", "大润发"), ("guide", desk.say("排队隔两米", "two metres"))):
        await desk.open(f"/print?what={what}")
        await first_page(desk)
        await desk.look(f"print-{what}")
        assert word in await taken(desk, desk.say("生成 PDF", "Make the PDF"))
    await desk.open("/print?what=templates")
    await desk.sees("poster.typ", "common.typ", within="main")
    await desk.look("print-templates")


@at_the_console("command_post", scene=SCENE)
async def test_ranges_are_issued_printed_and_taken_back(muster: Instance, desk: Desk) -> None:
    await desk.open("/print?what=labels")
    await desk.sees(desk.say("还没有可编号的条码格式", "no barcode format"), within="main")
    await desk.click(desk.say("登记条码格式", "Adopt a barcode format"))
    await desk.fill(desk.say("供应商", "Supplier"), "东方")
    await desk.fill(desk.say("格式（# 为数字）", "Pattern (# is a digit)"), "LP10########")
    await desk.click(desk.say("启用", "Adopt"))
    await desk.page.locator("form").get_by_label(desk.say("采样点", "Site"), exact=True).fill("X1")
    await desk.fill(desk.say("数量", "How many"), "40")
    await desk.click(desk.say("发放", "Issue"))
    await desk.sees("LP1000000001 – LP1000000040", within="main")
    await desk.page.get_by_role("row").filter(has_text="LP1000000040").click()
    await first_page(desk)
    await desk.look("print-labels")
    await desk.click(desk.say("收回", "Take back"))
    await desk.sees(desk.say("已收回", "Taken back"), within=".notices")
    assert await query(muster, "SELECT taken_back_at IS NOT NULL FROM custody.labels") == [True]


@at_the_console("command_post", scene=SCENE)
async def test_a_broken_template_is_told_with_its_line(muster: Instance, desk: Desk) -> None:
    folder = muster.settings.home / "templates"
    folder.mkdir()
    (folder / "poster.typ").write_text("#nothing-of-the-kind()")
    await desk.open("/print?what=posters")
    await desk.sees("poster.typ:1", within=".first-page")
    await desk.page.get_by_label(desk.say("模板", "Template")).select_option("shipped")
    await first_page(desk)
