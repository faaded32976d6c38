"""What phones and networks do to work in the field: nothing is lost, nothing is doubled, nothing is claimed."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from muster.access import devices
from muster.access.devices import Where
from muster.console import api as console
from muster.core.clock import now
from muster.instance import Instance
from tests.field.phone import Phone, listed, with_a_phone
from tests.field.phone import phone as another
from tests.field.test_sampling import PEOPLE, SCENE, X1, code, tubes, work
from tests.senders import query

ZH = ("zh",)
CONTROLLED = """new Promise((done) => {
    const workers = navigator.serviceWorker
    if (workers.controller) done()
    else workers.addEventListener("controllerchange", () => done(), { once: true })
})"""
STORE = """
    const opened = indexedDB.open("muster-field")
    const db = await new Promise((done) => { opened.onsuccess = () => done(opened.result) })
    const answer = (asked) => new Promise((done) => { asked.onsuccess = () => done(asked.result) })
"""
# How many rows there are of the slice, of holders, of the queue.
KEPT = (
    "async () => {"
    + STORE
    + """
    const count = (name) => answer(db.transaction(name).objectStore(name).count())
    return [await count("slice"), await count("holders"), await count("outbox")]
}"""
)
# The device's token has run out.
RUN_OUT = (
    "async () => {"
    + STORE
    + """
    const facts = db.transaction("facts", "readwrite").objectStore("facts")
    const tokens = await answer(facts.get("tokens"))
    await answer(facts.put({ ...tokens, expires_at: "2020-01-01T00:00:00Z" }, "tokens"))
}"""
)


async def fill(phone: Phone, barcode: str, *people: int) -> None:
    """One tube of these people, closed early."""
    for n in people:
        await phone.scan(code(n))
        again = phone.page.locator("dialog[open] button").first
        row = phone.page.locator(".places li", has_text=PEOPLE[n])
        await row.or_(again).first.wait_for()
        if not await row.count():
            await phone.tap(phone.say("仍然采样", "Swab again"))
    await phone.scan(barcode)
    await phone.tap(phone.say("封管", "Seal"))
    await phone.page.locator("dialog .primary").click()
    await phone.sees(phone.say(f"{barcode} 已封管", f"{barcode} sealed"))


async def seals(muster: Instance) -> list[str]:
    return await query(
        muster, "SELECT body ->> 'barcode' FROM ledger.event WHERE type = 'TubeSealed' ORDER BY 1"
    )


@with_a_phone("sampler", site=X1, scene=SCENE, languages=ZH)
async def test_a_shift_without_a_network(muster: Instance, phone: Phone) -> None:
    """Reloaded and restarted meanwhile; afterwards everything is there, once."""
    await phone.page.evaluate("navigator.serviceWorker.ready")
    await work(phone)
    await phone.offline()
    for n in range(6):
        await fill(phone, f"T00001{n:02}", n, n + 6)
    await phone.counted(saved=0, sent=6, stored=0)
    await phone.look("offline")
    await phone.scan(code(0))
    await phone.tap(phone.say("仍然采样", "Swab again"))
    await phone.sees("1/10", within=".count")
    await phone.reload()
    await phone.pin()
    await work(phone)
    await phone.sees("1/10", within=".count")  # the tube that stood open
    await phone.counted(sent=6, stored=0)
    await phone.page.locator("a.strip").click()
    await phone.look("queue")
    await phone.offline(False)
    await phone.tap(phone.say("立即上传", "Send now"))
    await phone.counted(saved=0, sent=0, stored=6, held=0)
    assert await seals(muster) == [f"T00001{n:02}" for n in range(6)]


@with_a_phone("sampler", site=X1, scene=SCENE, languages=ZH)
async def test_an_answer_that_is_lost_after_the_commit(muster: Instance, phone: Phone) -> None:
    turns = 0

    async def swallow(route: Any) -> None:
        nonlocal turns
        turns += 1
        answer = await route.fetch()  # the server has stored it
        if turns <= 2:
            await route.abort()
        else:
            await route.fulfill(response=answer)

    await phone.context.route("**/v1/events", swallow)
    await work(phone)
    await fill(phone, "T0000200", 0, 1)
    await phone.counted(sent=1, stored=0)
    while not await seals(muster):
        await asyncio.sleep(0.05)
    await phone.counted(sent=1, stored=0)
    await phone.counted(sent=0, stored=1, seconds=30)
    assert turns >= 3
    assert await seals(muster) == ["T0000200"]


@with_a_phone("sampler", site=X1, scene=SCENE, languages=ZH)
async def test_one_tube_on_two_phones(muster: Instance, phone: Phone) -> None:
    """Both lists count, and it is an anomaly that somebody looks at."""
    await listed(muster, "PH-2", Where(site=X1))
    await work(phone)
    await fill(phone, "T0000300", 0, 1)
    await phone.counted(stored=1)
    async with another(muster, phone.door, "PH-2") as second:
        await second.enrol("nurse")
        await work(second)
        await fill(second, "T0000300", 2, 3)
        await second.counted(stored=1)
    twice = await query(muster, "SELECT cardinality(tubes) FROM sampling.barcode_twice")
    assert twice == [2]


@with_a_phone("sampler", site=X1, scene=SCENE, languages=ZH)
async def test_a_clock_two_days_ahead(muster: Instance, phone: Phone) -> None:
    await phone.context.clock.install(time=now() + timedelta(days=2))
    await phone.reload()
    await phone.pin()
    await work(phone)
    await phone.sees("2880", within=".strip")
    await fill(phone, "T0000400", 0)
    await phone.counted(stored=1)
    (late,) = await query(
        muster, "SELECT abs(extract(epoch FROM received_at - at)) FROM ledger.event"
        " WHERE type = 'TubeSealed'",
    )  # fmt: skip
    assert late < 60


@with_a_phone("sampler", site=X1, scene=SCENE, languages=ZH)
async def test_revoked_with_a_tube_in_hand(muster: Instance, phone: Phone) -> None:
    """The lists go at once; what was recorded stays and goes out, to wait for a person's word."""
    await work(phone)
    await phone.scan(code(0))
    await phone.sees(PEOPLE[0], within=".places")
    await phone.offline()
    await fill(phone, "T0000500", 1)
    async with muster.pool.connection() as conn:
        device = (await devices.by_code(conn, "PH-1"))["device"]
    await devices.revoke(muster.door, device, reason="lost", by="tester", at=now())
    await phone.offline(False)
    await phone.page.evaluate("dispatchEvent(new Event('online'))")
    await phone.sees(phone.say("本机已被停用", "was revoked"), seconds=40)
    await phone.counted(saved=0, sent=0, held=1, seconds=30)
    await phone.look("revoked")
    assert await phone.page.evaluate(KEPT) == [0, 0, 1]
    assert await query(muster, "SELECT slug FROM ledger.inbox") == ["device-was-revoked"]


@with_a_phone("sampler", site=X1, scene=SCENE, languages=ZH)
async def test_revoked_while_it_is_locked(muster: Instance, phone: Phone) -> None:
    """Nobody has to unlock it for its lists to go, and its queue goes out under the token it last had."""
    await work(phone)
    await phone.offline()
    await fill(phone, "T0000550", 1)
    await phone.tap(phone.say("锁定", "Lock"))
    async with muster.pool.connection() as conn:
        device = (await devices.by_code(conn, "PH-1"))["device"]
    await devices.revoke(muster.door, device, reason="lost", by="tester", at=now())
    await phone.page.evaluate(RUN_OUT)
    await phone.offline(False)
    await phone.page.evaluate("dispatchEvent(new Event('online'))")
    await phone.sees(phone.say("本机已被停用", "was revoked"), seconds=40)
    await phone.counted(saved=0, sent=0, held=1, seconds=30)
    assert await phone.page.evaluate(KEPT) == [0, 0, 1]


@with_a_phone("sampler", site=X1, scene=SCENE, languages=ZH)
async def test_a_phone_that_is_full(muster: Instance, phone: Phone) -> None:
    """It says so, keeps what it has, and goes on when there is room again."""
    await work(phone)
    await phone.offline()
    await fill(phone, "T0000600", 0)
    tools = await phone.context.new_cdp_session(phone.page)
    origin = {"origin": phone.door.address}
    await tools.send("Storage.overrideQuotaForOrigin", {**origin, "quotaSize": 1})
    await phone.page.wait_for_timeout(31_000)  # Chromium asks for the room that is left so often
    await phone.scan(code(1))
    await phone.sees(phone.say("没有保存：手机存储已满", "Not saved: the phone's storage is full"))
    await phone.sees("0/10", within=".count")
    await phone.look("storage-full")
    await tools.send("Storage.overrideQuotaForOrigin", origin)
    await phone.scan(code(1))
    await phone.sees("1/10", within=".count")
    await phone.offline(False)
    await phone.page.evaluate("dispatchEvent(new Event('online'))")
    await phone.counted(saved=0, sent=0, stored=1, seconds=40)


@with_a_phone("sampler", site=X1, scene=SCENE, languages=ZH)
async def test_two_tabs(muster: Instance, phone: Phone) -> None:
    """They share the queue and its numbers; one of them sends."""
    await work(phone)
    second = Phone(muster, await phone.context.new_page(), phone.door, "zh", "PH-1")
    await second.open()
    await second.pin()
    await work(second)
    await asyncio.gather(fill(phone, "T0000700", 0, 1), fill(second, "T0000701", 2, 3))
    for one in (phone, second):
        await one.counted(saved=0, sent=0, stored=2)
    assert await seals(muster) == ["T0000700", "T0000701"]
    assert sorted(one[-1] for one in await tubes(muster)) == sorted([PEOPLE[:2], PEOPLE[2:4]])
    numbers = await query(
        muster, "SELECT device_seq FROM ledger.event WHERE type = 'TubeSealed' ORDER BY 1"
    )
    assert numbers == [1, 2]


@with_a_phone("sampler", site=X1, scene=SCENE, languages=ZH, enrolled=False)
async def test_a_new_edition_waits_for_the_tube(muster: Instance, phone: Phone) -> None:
    await phone.enrol("nurse")
    await phone.page.evaluate(CONTROLLED)
    await work(phone)
    await phone.scan(code(0))
    await phone.sees("1/10", within=".count")
    worker = Path(console.FIELD, "sw.js")
    plain, _ = console._file(console.FIELD, "sw.js")  # type: ignore[misc]
    changed = plain + b"\n// another edition\n"
    real = console._file

    def newer(folder: Path, name: str) -> tuple[bytes, bytes | None] | None:
        return (
            (changed, None)
            if (folder, name) == (console.FIELD, worker.name)
            else real(folder, name)
        )

    console._file = newer  # type: ignore[assignment]
    try:
        await phone.page.evaluate(
            "navigator.serviceWorker.getRegistration().then((one) => one.update())"
        )
        await phone.sees(phone.say("封管后再更新", "waits until the tube is sealed"))
        await fill(phone, "T0000800")
        await phone.tap(phone.say("现在更新", "Start it now"))
        await phone.sees("李护士", within="h1")
        await phone.pin()
        await work(phone)
    finally:
        console._file = real
    await phone.counted(stored=1)


@with_a_phone("sampler", site=X1, scene=SCENE, languages=ZH)
async def test_a_dead_phone_is_carried_in_by_another(muster: Instance, phone: Phone) -> None:
    """Its queue and its open tube go by file to another phone, and by hand to the server."""
    await work(phone)
    await phone.offline()
    await fill(phone, "T0000900", 0, 1)
    await phone.scan(code(2))
    await phone.sees(PEOPLE[2], within=".places")
    await phone.scan("T0000901")
    await phone.page.locator("a.strip").click()
    await phone.page.locator("summary").first.click()
    async with phone.page.expect_download() as file:
        await phone.tap(phone.say("导出文件", "Save a file"))
    sealed = Path(await (await file.value).path()).read_bytes()
    assert sealed.startswith(b"MQ1")
    assert b"T0000900" not in sealed
    await phone.tap(phone.say("显示一组二维码", "Show as codes"))
    await phone.sees(phone.say("第 1 个，共", "1 of"))
    await phone.look("codes")
    await listed(muster, "PH-2", Where(site=X1))
    async with another(muster, phone.door, "PH-2") as second:
        await second.enrol("nurse")
        await second.page.locator("a.strip").click()
        await second.page.locator("summary").nth(1).click()
        carried = {"name": "a.mq", "mimeType": "application/octet-stream", "buffer": sealed}
        await second.page.locator("input[type=file]").set_input_files(carried)
        await second.sees(phone.say("已代交 PH-1 的 3 条", "3 of PH-1 handed in"))
        await second.look("handed-in")
    assert await seals(muster) == ["T0000900"]
    found = await query(muster, "SELECT barcode, sealed_at IS NULL FROM sampling.tube ORDER BY 1")
    assert found == [("T0000900", False), ("T0000901", True)]
    await phone.offline(False)
    await phone.page.evaluate("dispatchEvent(new Event('online'))")
    await phone.counted(saved=0, sent=0, stored=3, seconds=40)
    assert await seals(muster) == ["T0000900"]
