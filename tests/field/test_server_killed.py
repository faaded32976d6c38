"""The server is killed while a phone sends what it has kept, and is started again."""

import asyncio
import socket
import subprocess
from contextlib import suppress
from typing import Any

from muster.config import Settings
from muster.instance import Instance
from tests.browsers import Door
from tests.conftest import Play
from tests.console.browser import playwright, with_browser
from tests.field.phone import Phone, issued
from tests.field.phone import phone as a_phone
from tests.field.test_nothing_is_lost import STORE, fill
from tests.field.test_sampling import SCENE, X1, work
from tests.senders import query
from tests.test_serving import address_of, serve

KEPT = 1_200  # records: three parts of 640 kB
UPLINK_BYTES_PER_S = 30_000  # a part takes some seconds: time to be hit in the middle of one
# The queue's last record so many times more, each with an id, a tube and a number of its own, encrypted
# with the device's key as the outbox does it: hands would take minutes.
MORE = (
    "async (count) => {"
    + STORE
    + """
    const of = (name) => db.transaction(name).objectStore(name)
    const [like] = (await answer(of("outbox").getAll())).slice(-1)
    const key = await answer(of("facts").get("device_key"))
    const cut = (bytes) => [{ name: "AES-GCM", iv: bytes.subarray(0, 12) }, bytes.subarray(12)]
    const [how, body] = cut(like.sealed)
    const text = new TextDecoder().decode(await crypto.subtle.decrypt(how, key, body))
    const rows = []
    for (let n = 1; n <= count; n++) {
        const item = JSON.parse(text)
        const [id, seq] = [crypto.randomUUID(), like.seq + n]
        Object.assign(item.event, { id, subject: crypto.randomUUID(), device_seq: seq })
        item.event.body.barcode = `T2${String(n).padStart(6, "0")}`
        const plain = new TextEncoder().encode(JSON.stringify(item))
        const iv = crypto.getRandomValues(new Uint8Array(12))
        const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain))
        const bytes = new Uint8Array([...iv, ...sealed])
        rows.push({ ...like, seq, id, state: "saved", sealed: bytes, bytes: plain.length })
    }
    const all = db.transaction(["outbox", "facts"], "readwrite")
    for (const row of rows) all.objectStore("outbox").add(row)
    all.objectStore("facts").put(like.seq + count, "last_seq")
    await new Promise((done) => { all.oncomplete = done })
}"""
)


class Server:
    """`muster serve` on a port that stays its own when it is started again."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])
        self.process: subprocess.Popen[str] | None = None

    async def start(self) -> str:
        self.process = serve(self.settings, "--port", self.port)
        return await asyncio.to_thread(address_of, self.process)

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        with suppress(ValueError):
            self.process.communicate(timeout=30)


@with_browser
def test_the_server_is_killed_in_mid_sync(play: Play, database: Settings) -> None:
    """What it had stored, answered or not, is there once; the phone sends the rest by itself."""
    server = Server(database)

    async def story(muster: Instance) -> None:
        await issued(muster, "sampler", scene=SCENE, site=X1)
        door = Door(await server.start())
        async with a_phone(muster, door, "PH-1") as phone:
            await phone.enrol("nurse")
            await _fill_the_queue(phone)
            await _send_until_some_are_stored(phone)
            server.kill()
            before = await _stored(muster)
            assert 0 < len(before) < KEPT
            await phone.sees("无网络，照常工作", within=".strip", seconds=30)
            receipted = await _figure(phone, "stored")
            assert 0 < receipted <= len(before)
            assert receipted + await _figure(phone, "sent") + await _figure(phone, "saved") == KEPT
            assert await server.start() == door.address
            await phone.counted(saved=0, sent=0, stored=KEPT, held=0, seconds=60)
        rows = await _stored(muster)
        assert len(rows) == KEPT
        assert [number for number, _ in rows] == list(range(1, KEPT + 1))
        assert rows[: len(before)] == before
        assert len({barcode for _, barcode in rows}) == KEPT
        assert await query(muster, "SELECT count(*) FROM ledger.inbox") == [0]

    try:
        play(story)
    finally:
        if server.process:
            server.kill()


async def _fill_the_queue(phone: Phone) -> None:
    await work(phone)
    await phone.offline()
    await fill(phone, "T0001000", *range(9))
    await phone.page.evaluate(MORE, KEPT - 1)
    await phone.page.evaluate("navigator.serviceWorker.ready")
    await phone.reload()
    await phone.pin()
    await phone.counted(stored=0)
    assert await _figure(phone, "saved") + await _figure(phone, "sent") == KEPT


async def _send_until_some_are_stored(phone: Phone) -> None:
    """Over a slow line; returns while a further part is on its way."""
    line = await phone.context.new_cdp_session(phone.page)
    slow = {"offline": False, "latency": 20, "downloadThroughput": -1}
    await phone.offline(False)
    await line.send("Network.enable")
    await line.send(
        "Network.emulateNetworkConditions", {**slow, "uploadThroughput": UPLINK_BYTES_PER_S}
    )
    await phone.page.evaluate("dispatchEvent(new Event('online'))")
    chip = phone.page.locator(".strip .chip.stored b")
    await playwright.expect(chip).not_to_have_text("0", timeout=30_000)


async def _figure(phone: Phone, state: str) -> int:
    return int(await phone.page.locator(f".strip .chip.{state} b").inner_text())


async def _stored(muster: Instance) -> list[Any]:
    return await query(
        muster, "SELECT device_seq, body ->> 'barcode' FROM ledger.event WHERE type = 'TubeSealed'"
        " AND device = 'PH-1' ORDER BY device_seq",
    )  # fmt: skip
