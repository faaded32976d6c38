"""The sampling table: from the first scan to a sealed tube, in one hand, without a network."""

from typing import Any

from muster.instance import Instance
from muster.registry.engine import personal_code
from tests.field.phone import Phone, with_a_phone
from tests.senders import query
from tests.table import TOWN, named

PEOPLE = [
    "张三",
    "李四",
    "王五",
    "赵六",
    "钱七",
    "孙八",
    "周九",
    "吴十",
    "郑一",
    "冯二",
    "陈三",
    "褚四",
]
SCENE = TOWN.rstrip() + "\n    06:10  SiteListed      X1  area=G1 name=东门\n" + "\n".join(
    f"    06:{n + 11}  ResidentListed  q{n}  building=H1 room={100 + n} name={name}"
    f" birth_year={1940 + n} phone=1380000{1000 + n}"
    for n, name in enumerate(PEOPLE)
)  # fmt: skip
X1 = named("X1")


def code(n: int) -> str:
    return "P:" + personal_code.code_of(named(f"q{n}"))


async def tubes(muster: Instance) -> list[Any]:
    """Sealed tubes as the server has them: barcode, capacity, device, members by name and position."""
    return await query(
        muster,
        """SELECT t.barcode, t.capacity, t.device, array_agg(i.name ORDER BY s.position)
        FROM sampling.tube t JOIN sampling.specimen s USING (tube)
        LEFT JOIN vault.identity i ON i.resident = s.recorded
        WHERE t.sealed_at IS NOT NULL
        GROUP BY t.tube, t.barcode, t.capacity, t.device, t.at ORDER BY t.at""",
    )


async def work(phone: Phone) -> None:
    """To the sampling table."""
    await phone.page.locator("a.tile[href$='/tube']").click()
    await phone.page.locator(".tube-head").wait_for()


@with_a_phone("sampler", site=X1, scene=SCENE)
async def test_a_tube_of_ten(muster: Instance, phone: Phone) -> None:
    await work(phone)
    await phone.look("table")
    for n in range(9):
        await phone.scan(code(n))
        await phone.sees(PEOPLE[n], within=".places")
    await phone.sees("9/10", within=".count")
    await phone.scan(code(9))
    await phone.sees(phone.say("满管", "Full"), within=".full")
    await phone.look("full")
    await phone.scan("T0000001")
    await phone.sees(phone.say("T0000001 已封管，10 人", "T0000001 sealed, 10 people"))
    await phone.counted(saved=0, sent=0, stored=1, held=0)
    assert await tubes(muster) == [("T0000001", 10, "PH-1", PEOPLE[:10])]


@with_a_phone("sampler", site=X1, scene=SCENE)
async def test_what_is_asked_and_mended_at_the_table(muster: Instance, phone: Phone) -> None:
    """Found by name, a repeat, an eleventh, taken out, another label, closed early, opened again."""
    await work(phone)
    await phone.tap(phone.say("更改", "Change"))
    await phone.look("change")
    await phone.tap(phone.say("5 合 1", "5 in 1"))
    await phone.type(phone.say("扫码或查找居民", "Scan or find a resident"), "张三")
    await phone.look("search")
    await phone.page.locator(".found button").first.click()
    await phone.sees("1/5", within=".count")
    await phone.scan(code(0))
    await phone.sees(phone.say("已在本管第 1 位", "position 1"))
    await phone.scan(code(1))
    await phone.tap(phone.say("撤销", "Undo"))
    await phone.sees("1/5", within=".count")
    for n in (2, 3, 4, 5):
        await phone.scan(code(n))
        await phone.sees(PEOPLE[n], within=".places")
    await phone.scan(code(6))
    await phone.sees(phone.say("已超过规定人数", "More than should be"), within="dialog")
    await phone.look("over")
    await phone.tap(phone.say("同一户", "Same household"))
    await phone.sees("6/5", within=".count")
    await phone.scan("T0000002")
    await phone.sees(phone.say("T0000002 已封管，6 人", "T0000002 sealed, 6 people"))
    await phone.tap(phone.say("重新打开", "Open again"))
    await phone.tap(phone.say("周九：取出", "周九: take out"), exact=False)
    await phone.tap(phone.say("人已离开", "They left"))
    await phone.sees("5/5", within=".count")
    await phone.scan("T0000009")
    await phone.sees(phone.say("管码不一致", "Another label"), within="dialog")
    await phone.tap(phone.say("取消", "Cancel"))
    await phone.scan("T0000002")
    await phone.sees(phone.say("T0000002 已封管，5 人", "T0000002 sealed, 5 people"))
    await phone.scan(code(0))
    await phone.sees(phone.say("本轮已采过", "was swabbed in this round"), within="dialog")
    await phone.tap(phone.say("仍然采样", "Swab again"))
    await phone.scan("T0000003")
    await phone.tap(phone.say("封管", "Seal"))
    await phone.sees(phone.say("未满管：1/5", "Not full: 1 of 5"), within="dialog")
    await phone.page.locator("dialog .primary").click()
    await phone.sees(phone.say("T0000003 已封管", "T0000003 sealed"))
    await phone.counted(saved=0, sent=0, stored=4, held=0)
    assert [one[-1] for one in await tubes(muster)] == [
        ["张三", "王五", "赵六", "钱七", "孙八"],
        ["张三"],
    ]
    assert await query(muster, "SELECT flag FROM sampling.flag") == []


@with_a_phone("sampler", site=X1, scene=SCENE)
async def test_somebody_who_is_on_no_list(muster: Instance, phone: Phone) -> None:
    await work(phone)
    await phone.scan("11010519491231002X")
    await phone.sees(phone.say("姓名", "Name"), within="dialog")
    await phone.look("walk-in")
    await phone.type(phone.say("姓名", "Name"), "老外滩")
    await phone.tap(phone.say("登记并放入本管", "Register and put in"))
    await phone.sees("老外滩", within=".places")
    await phone.scan("T0000004")
    await phone.tap(phone.say("封管", "Seal"))
    await phone.page.locator("dialog .primary").click()
    await phone.counted(saved=0, sent=0, stored=2, held=0)
    assert [one[-1] for one in await tubes(muster)] == [["老外滩"]]
    found = await query(
        muster, "SELECT sex FROM registry.resident WHERE birth_year = 1949 AND state = 'temporary'"
    )
    assert found == ["female"]


@with_a_phone("sampler", site=X1, scene=SCENE)
async def test_registered_first_then_swabbed(muster: Instance, phone: Phone) -> None:
    await work(phone)
    await phone.tap(phone.say("更改", "Change"))
    await phone.page.get_by_label(
        phone.say("先登记全部，再逐个采样", "Register all first, then swab")
    ).check()
    await phone.tap(phone.say("取消", "Cancel"))
    for n in (0, 1):
        await phone.scan(code(n))
        await phone.sees(PEOPLE[n], within=".places")
    await phone.scan("T0000005")
    seal = phone.page.get_by_role("button", name=phone.say("封管", "Seal"), exact=True)
    assert await seal.is_disabled()
    await phone.tap(phone.say("已采", "Swabbed"))
    await phone.scan(code(1))
    await seal.click()
    await phone.page.locator("dialog .primary").click()
    await phone.counted(saved=0, sent=0, stored=1)
    assert [one[-1] for one in await tubes(muster)] == [PEOPLE[:2]]
