"""How many in a tube, at the console: asked, answered with reasons, drawn with the floor."""

from muster.instance import Instance
from tests.console.browser import Desk, at_the_console
from tests.table import TOWN


@at_the_console("command_post", scene=TOWN)
async def test_a_size_is_advised_with_its_reasons(muster: Instance, desk: Desk) -> None:
    await desk.open("/pooling")
    page = desk.page
    await page.locator("form.card input").first.fill("10:5000:3")
    await page.get_by_role("button", name=desk.say("计算", "Compute")).click()
    await desk.sees(desk.say("建议每管 20 人", "20 in a tube"), within="main h2")
    assert await page.locator("svg polyline.floor").count() == 1
    await desk.look("pooling")
    await page.locator("form.card input").first.fill("10:5:6")
    await page.get_by_role("button", name=desk.say("计算", "Compute")).click()
    await desk.sees("10:5:6", within="main [role=alert]")
