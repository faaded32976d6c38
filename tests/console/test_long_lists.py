"""A list of a million rows scrolls."""

from muster.instance import Instance
from tests.console.browser import Desk, at_the_console, playwright
from tests.table import TOWN

MILLION = 1_000_000
# In place of the server's answer: so many tubes.
A_MILLION = """
const asked = window.fetch
window.fetch = (request) => {
  if (new URL(request.url).pathname !== "/v1/tubes") return asked(request)
  const tube = (n) => `{"tube":"${n}","barcode":"T${String(n).padStart(7, "0")}","flags":[]}`
  const rows = Array.from({ length: 1_000_000 }, (_, n) => tube(n)).join(",")
  return Promise.resolve(new Response(`{"items":[${rows}],"next":null}`, { status: 200 }))
}
"""


@at_the_console("command_post", scene=TOWN)
async def test_a_million_rows_scroll(muster: Instance, desk: Desk) -> None:
    """Only what is in sight is drawn, and the last row is reached by a key."""
    await desk.page.add_init_script(A_MILLION)
    await desk.open("/tubes")
    await playwright.expect(desk.page.locator('[data-row="0"]')).to_be_visible(timeout=30_000)
    await desk.page.locator('[data-row="0"]').focus()
    await desk.press("End")
    await desk.sees(f"T{MILLION - 1:07}", within=".grid")
    assert await desk.page.locator(".grid [data-row]").count() < 100
    await desk.press("Home")
    await desk.sees("T0000000", within=".grid")
