"""From door to door: the way, what is said there, a tube for a household, a building called down; without a
network until it comes back, and what the database then holds.
"""

from typing import Any

from muster.instance import Instance
from tests.field.phone import Phone, with_a_phone
from tests.senders import query
from tests.table import named

# A walk-up and a tower in one grid, a third building in another. q4 is recalled for T0, q9 is a stranger.
SCENE = """
    06:00  AreaListed      S1  level=street name=东山街道
    06:00  AreaListed      G1  level=grid parent=S1 name=一网格
    06:00  AreaListed      G2  level=grid parent=S1 name=二网格
    06:00  AreaListed      H1  parent=G1 name=7号楼 floors=6 lift=false
    06:00  AreaListed      H2  parent=G1 name=8号楼 floors=20 lift=true
    06:00  AreaListed      H3  parent=G2 name=9号楼
    06:10  SiteListed      X1  area=G1 name=东门
    06:10  SiteOpened      X1
    06:11  ResidentListed  q1  building=H1 room=1-301 name=张三 birth_year=1949 phone=13800001111
    06:11  ResidentListed  q2  building=H1 room=1-301 name=李四 birth_year=1950
    06:11  ResidentListed  q3  building=H1 room=1-301 name=王五 birth_year=2019
    06:11  ResidentListed  q4  building=H1 room=1-102 name=赵六 phone=13800004444 birth_year=1975
    06:11  ResidentListed  q5  building=H1 room=1-201 name=钱七 birth_year=1980
    06:11  ResidentListed  q6  building=H2 room=301 name=孙八 birth_year=1990
    06:11  ResidentListed  q7  building=H2 room=1901 name=周九 birth_year=1991
    06:11  ResidentListed  q9  building=H3 room=101 name=外人
    06:30  RoundOpened     R1  areas=S1
    07:00  TubeSealed      T0  members=q4,q9 round=R1 site=X1 barcode=T0000000
    08:00  LabListed       L1
    08:30  ResultReleased  r0  barcode=T0000000 tube=T0 outcome=positive lab=L1
"""
G1, X1 = named("G1"), named("X1")


async def said(muster: Instance, *types: str) -> list[Any]:
    """Events of these types as the server has them: type, whose, body, in order of the phone's counter."""
    found = await query(
        muster,
        """SELECT e.type, coalesce(i.name, a.name), e.body FROM ledger.event e
        LEFT JOIN vault.identity i ON i.resident = e.subject
        LEFT JOIN registry.area a ON a.area = e.subject
        WHERE e.device = 'PH-1' AND e.type = ANY (%s) ORDER BY e.device_seq""",
        list(types),
    )
    return [tuple(one) for one in found]


async def tile(phone: Phone, name: str) -> None:
    await phone.page.locator(f"a.tile[href$='/{name}']").click()
    await phone.page.locator("main h1").first.wait_for()


async def rooms(phone: Phone) -> list[str]:
    """The doors as they stand on the page, in order."""
    return await phone.page.locator(".door b").all_text_contents()


async def door(phone: Phone, room: str) -> None:
    await phone.page.locator(".door", has=phone.page.locator(f"b:text-is('{room}')")).click()
    await phone.sees(room, within="h1")


async def person(phone: Phone, name: str) -> None:
    await phone.page.locator(".inhabitant", has_text=name).click()
    await phone.sees(name, within="dialog")


async def back(phone: Phone) -> None:
    await phone.page.go_back()
    await phone.page.locator(".door").first.wait_for()


@with_a_phone("squad", area=G1, scene=SCENE)
async def test_the_way_is_walked_without_a_network(muster: Instance, phone: Phone) -> None:
    """Up the stairs, down with the lift; nobody home, refused, taken back; then everything arrives."""
    await phone.misses("我的楼栋", "My buildings")
    await tile(phone, "doors")
    assert await rooms(phone) == ["1-102", "1-201", "1-301", "1901", "301"]
    await phone.misses("外人")
    await phone.sees(phone.say("无电梯", "Stairs"), phone.say("有电梯", "Lift"))
    await phone.look("doors")
    await phone.offline()

    await door(phone, "1-201")
    await phone.tap(phone.say("无人在家", "Nobody home"))
    await phone.look("not-home")
    await phone.page.locator("dialog .big").first.click()
    await phone.sees(phone.say("已记：钱七 无人在家", "钱七, nobody home"), within=".last")
    await phone.look("door")
    await back(phone)
    assert await rooms(phone) == ["1-102", "1-301", "1901", "301"]
    await phone.tap(phone.say("稍后 1", "Later 1"))
    assert await rooms(phone) == ["1-201"]
    await phone.sees(phone.say("再来", "again"), within=".door")

    await phone.tap(phone.say("现在去 4", "Now 4"))
    await door(phone, "301")
    await person(phone, "孙八")
    await phone.misses("钱七")  # what was done at another door is neither told nor undone here
    await phone.look("person")
    await phone.tap(phone.say("拒检", "Refused"))
    await phone.tap(phone.say("害怕", "Afraid"))
    await phone.sees(phone.say("拒检", "refused"), within=".inhabitant")
    await phone.tap(phone.say("撤销", "Undo"))
    await phone.sees(phone.say("未采", "missing"), within=".inhabitant")
    await person(phone, "孙八")
    await phone.tap(phone.say("免检", "Exempt"))
    await phone.tap(phone.say("卧床", "Bedridden"))
    await phone.sees(phone.say("免检", "exempt"), within=".inhabitant")
    await phone.counted(saved=0, sent=4, stored=0)
    assert await said(muster, "VisitMade") == []

    await phone.offline(False)
    await phone.counted(saved=0, sent=0, stored=4, held=0, seconds=40)
    (visit,) = await said(muster, "VisitMade")
    assert (visit[1], visit[2]["outcome"], "again_at" in visit[2]) == ("钱七", "not_home", True)
    assert [(one[1], one[2].get("reason")) for one in await said(
        muster, "RefusalRecorded", "StanceWithdrawn", "ExemptionGranted"
    )] == [("孙八", "afraid"), ("孙八", None), ("孙八", "bedridden")]  # fmt: skip
    assert await query(muster, "SELECT kind, reason FROM sampling.stance") == [
        ("exempt", "bedridden")
    ]


@with_a_phone("squad", area=G1, scene=SCENE)
async def test_a_household_in_one_tube(muster: Instance, phone: Phone) -> None:
    """One tap, one scan; without a network."""
    await tile(phone, "doors")
    await phone.offline()
    await door(phone, "1-301")
    await phone.tap(phone.say("全家一管 3人", "One tube for 3"))
    await phone.page.locator(".tube-head").wait_for()
    await phone.sees("张三", "李四", "王五", within=".places")
    await phone.sees("3/", within=".count")
    await phone.look("household")
    # another home, while this tube stands open: not forgotten, not mixed
    await phone.open("/doors")
    await phone.pin()
    await tile(phone, "doors")
    await door(phone, "1901")
    await phone.tap(phone.say("全家一管 1人", "One tube for 1"))
    await phone.sees(phone.say("还有一管没有封", "not sealed yet"), within="dialog")
    await phone.look("tube-open")
    await phone.tap(phone.say("去封管", "Go and seal it"))
    await phone.page.locator(".tube-head").wait_for()
    await phone.scan("T0000007")
    await phone.tap(phone.say("封管", "Seal"))
    await phone.page.locator("dialog .primary").click()
    await phone.offline(False)
    await phone.counted(saved=0, sent=0, stored=1, held=0, seconds=40)
    ((barcode, purpose, names),) = await query(
        muster,
        """SELECT t.barcode, t.purpose, array_agg(i.name ORDER BY s.position)
        FROM sampling.tube t JOIN sampling.specimen s USING (tube)
        JOIN vault.identity i ON i.resident = s.person WHERE t.device = 'PH-1'
        GROUP BY t.tube, t.barcode, t.purpose""",
    )
    assert (barcode, purpose, names) == ("T0000007", "round", ["张三", "李四", "王五"])


@with_a_phone("squad", area=G1, scene=SCENE)
async def test_a_recalled_person_is_reached_and_swabbed_alone(
    muster: Instance, phone: Phone
) -> None:
    await tile(phone, "doors")
    await phone.sees(phone.say("需复采", "retest"), within=".door")
    await phone.offline()
    await door(phone, "1-102")
    await person(phone, "赵六")
    await phone.look("recalled")
    await phone.tap(phone.say("登记联系情况", "Say whether they were reached"))
    await phone.tap(phone.say("当面通知到", "Told at the door"))
    await person(phone, "赵六")
    await phone.tap(phone.say("复采：单人单管", "Swab again, in a tube alone"))
    await phone.sees("1/1", within=".count")
    await phone.scan("T0000008")
    await phone.sees(phone.say("T0000008 已封管", "T0000008 sealed"))
    await phone.offline(False)
    await phone.counted(saved=0, sent=0, stored=2, held=0, seconds=40)
    assert await query(
        muster,
        "SELECT stage, reached_how FROM lab.recall_stage WHERE person = %s",
        named("q4"),
    ) == [("swabbed", "door")]


@with_a_phone("grid_worker", area=G1, scene=SCENE)
async def test_a_grid_workers_buildings(muster: Instance, phone: Phone) -> None:
    """Who is missing, a building called down, moved away, a new resident: offline, then in the database."""
    await tile(phone, "buildings")
    blocks = phone.page.locator("main .block")
    await blocks.nth(1).wait_for()
    assert await blocks.count() == 2
    await phone.sees("7号楼", phone.say("未采 4", "4 missing"), within="main .block")
    await phone.look("buildings")
    await phone.offline()
    await blocks.first.click()
    await phone.sees("1-301", "1-201")
    await phone.look("building")
    await phone.tap(phone.say("通知本楼现在下楼", "Call this building down, now"))
    await phone.look("call-down")
    await phone.tap(phone.say("到 东门", "To 东门"))
    await phone.sees(phone.say("已通知下楼", "called down"), "东门", within=".good-note")

    await door(phone, "1-201")
    await person(phone, "钱七")
    await phone.tap(phone.say("已搬走", "Has moved"))
    await phone.sees(phone.say("没有住户", "Nobody lives here"))
    await phone.tap(phone.say("撤销", "Undo"))
    await phone.sees("钱七", within=".inhabitant")
    await phone.tap(phone.say("新住户，名单里没有", "Lives here, not on the list"))
    await phone.look("new-resident")
    await phone.type(phone.say("姓名", "Name"), "吴新来")
    await phone.type(phone.say("证件号码", "Document number"), "11010519491231002X")
    await phone.tap(phone.say("登记到这一户", "List behind this door"))
    await phone.page.locator(".inhabitant", has_text="吴新来").wait_for()
    await phone.counted(saved=0, sent=4, stored=0)
    await phone.offline(False)
    await phone.counted(saved=0, sent=0, stored=4, held=0, seconds=40)
    assert await query(
        muster,
        """SELECT a.name, s.name FROM visits.call c JOIN registry.area a ON a.area = c.building
        JOIN sampling.site s ON s.site = c.to_site""",
    ) == [("7号楼", "东门")]
    states = await said(muster, "ResidentStateChanged")
    assert [(one[1], one[2]["state"]) for one in states] == [
        ("钱七", "moved_away"), ("钱七", "resident")
    ]  # fmt: skip
    assert await query(
        muster,
        """SELECT i.name, r.room, r.state, r.birth_year, a.name FROM registry.resident r
        JOIN registry.area a ON a.area = r.building JOIN vault.identity i USING (resident)
        WHERE r.walk_in""",
    ) == [("吴新来", "1-201", "temporary", 1949, "7号楼")]
    # sent and fetched again: what the server now says is what is shown, once
    await phone.page.evaluate("location.assign('/field/')")
    await phone.pin()
    await phone.tap(phone.say("更新名单", "Update lists"))
    await tile(phone, "buildings")
    await blocks.first.click()
    await phone.sees(phone.say("已通知下楼", "called down"))
    await door(phone, "1-201")
    names = await phone.page.locator(".inhabitant b").all_text_contents()
    assert sorted(names) == sorted(["钱七", "吴新来"])


@with_a_phone("grid_worker", area=G1, scene=SCENE)
async def test_a_number_is_asked_for_and_not_kept(muster: Instance, phone: Phone) -> None:
    """It needs a network and a reason, is recorded as shown whole, and goes with its dialog."""
    await tile(phone, "doors")
    await door(phone, "1-301")
    ask = phone.say("问手机号（尾号 1111）", "Ask the number (ends in 1111)")
    why = phone.say("上门找不到人", "Nobody met at the door")
    await phone.offline()
    await person(phone, "张三")
    await phone.tap(ask)
    await phone.tap(why)
    await phone.sees(phone.say("没有连上服务器", "could not be reached"), within=".said")
    await phone.misses("13800001111", within="body")
    await phone.tap(phone.say("取消", "Cancel"))
    await phone.offline(False)
    await person(phone, "张三")
    await phone.tap(ask)
    await phone.look("number-why")
    await phone.tap(why)
    await phone.sees("13800001111", within="dialog")
    await phone.look("number")
    await phone.tap(phone.say("取消", "Cancel"))
    await phone.misses("13800001111", within="body")
    kept = await phone.page.evaluate(
        """async () => {
          const open = await new Promise((done) => {
            const ask = indexedDB.open("muster-field"); ask.onsuccess = () => done(ask.result) })
          const all = []
          for (const name of open.objectStoreNames) {
            const ask = open.transaction(name).objectStore(name).getAll()
            all.push(await new Promise((done) => (ask.onsuccess = () => done(ask.result)))) }
          return JSON.stringify([all, {...localStorage}, {...sessionStorage}]) }"""
    )
    assert "13800001111" not in kept
    shown = await query(
        muster, "SELECT who, why, masked FROM access.reading WHERE what LIKE '%%/v1/people/%%'"
    )
    assert shown == [("nurse", "door_to_door", False)]


@with_a_phone(
    "sampler",
    site=X1,
    scene=SCENE.rstrip() + "\n    08:50  BuildingCalled  H1  round=R1 to_site=X1\n",
)
async def test_a_site_sees_who_is_on_their_way(muster: Instance, phone: Phone) -> None:
    """And has no way from door to door of its own."""
    await phone.sees(phone.say("已通知下楼", "Called down"), "7号楼", within="main")
    assert await phone.page.locator("a.tile[href$='/doors']").count() == 0
    await phone.look("site-called")


@with_a_phone("squad", area=G1, scene=SCENE + "06:40 HomeSamplingAsked q5 reason=bedridden")
async def test_who_asked_to_be_swabbed_at_home(muster: Instance, phone: Phone) -> None:
    """Their doors have a list of their own, say why, and stay on it when nobody was home."""
    await tile(phone, "doors")
    await phone.tap(phone.say("要上门 1", "Asked 1"))
    assert await rooms(phone) == ["1-201"]
    await phone.sees(phone.say("申请上门", "asked"), within=".door")
    await phone.look("asked-home")
    await door(phone, "1-201")
    await phone.sees(phone.say("卧床", "bedridden"), within=".inhabitant")
    await phone.look("asked-door")
    await phone.tap(phone.say("无人在家", "Nobody home"))
    await phone.page.locator("dialog .big").first.click()
    await back(phone)
    await phone.sees(phone.say("要上门 1", "Asked 1"))
