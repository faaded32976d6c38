"""What goes wrong around the server: kills, a full disk, broken connections, a second server, a view
that breaks. Nothing that was acknowledged is lost or doubled, and nobody pays for another's fault.
"""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from muster.cli.running import serving
from muster.config import Rates, Settings
from muster.core.clock import now
from muster.instance import Instance, open_instance
from muster.keeping.tick import tick
from tests import senders
from tests.conftest import Play, second_server
from tests.phones import Crowd, a_home, batch, check, opened, phones, served
from tests.senders import SENT, client, items, query, said, send, token_of, visit
from tests.table import named


@pytest.mark.faults
def test_the_server_is_killed_in_mid_load():
    async def story() -> None:
        with served() as server:
            crowd = Crowd()
            async with phones(server.address, server.token, crowd):
                for _ in range(3):
                    await asyncio.sleep(1)
                    assert await asyncio.to_thread(server.signal, signal.SIGKILL) == -9
                    await asyncio.sleep(0.3)
                    await asyncio.to_thread(server.start)
                await asyncio.sleep(0.5)
            assert crowd.refused >= 3
            assert len(crowd.acknowledged) > 200
            assert await asyncio.to_thread(server.signal, signal.SIGTERM) == 0
            async with opened(server.home) as muster:
                await check(muster, crowd)

    asyncio.run(story())


@pytest.mark.faults
def test_the_database_is_killed_in_mid_load():
    """The server stays up, says 503 meanwhile, and goes on by itself."""

    async def story() -> None:
        with served() as server:
            crowd = Crowd()
            async with phones(server.address, server.token, crowd), client(server.address) as http:
                for _ in range(3):
                    await asyncio.sleep(1)
                    before = len(crowd.acknowledged)
                    os.kill(server.postmaster(), signal.SIGKILL)
                    end = time.monotonic() + 20
                    while len(crowd.acknowledged) == before or not crowd.refused:
                        assert time.monotonic() < end, server.log()
                        await asyncio.sleep(0.05)
                assert (await http.get("/healthz")).status_code == 200
                assert (await http.get("/readyz")).status_code == 200
            assert len(crowd.acknowledged) > 200
            assert await asyncio.to_thread(server.signal, signal.SIGTERM) == 0
            assert "Traceback" not in server.log()
            async with opened(server.home) as muster:
                await check(muster, crowd)

    asyncio.run(story())


@pytest.mark.faults
def test_told_to_end_in_mid_load_it_ends_well():
    async def story() -> None:
        with served() as server:
            crowd = Crowd()
            async with phones(server.address, server.token, crowd, last=False):
                await asyncio.sleep(1)
                began = time.monotonic()
                assert await asyncio.to_thread(server.signal, signal.SIGTERM) == 0
                assert time.monotonic() - began < 10
            assert len(crowd.acknowledged) > 50
            assert "Traceback" not in server.log()
            async with opened(server.home) as muster:
                await check(muster, crowd, all_sent=False)

    asyncio.run(story())


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 200 MB, which takes root."""
    with a_home() as home:
        home.mkdir(mode=0o755)
        mount = ["mount", "-t", "tmpfs", "-o", "size=200m,mode=755", "tmpfs", str(home)]
        made = subprocess.run(mount, capture_output=True, check=False)
        if made.returncode:
            home.rmdir()
            pytest.skip(f"no small file system to fill: {made.stderr.decode().strip()}")
        try:
            yield home
        finally:
            subprocess.run(["umount", str(home)], check=True)
            home.rmdir()


@pytest.mark.faults
@pytest.mark.parametrize("room_mb", [0, 10])
def test_a_full_disk_loses_nothing_acknowledged(small_disk: Path, room_mb: int):
    """Without room for a row the statement fails; without room for its log the database itself ends
    and cannot start. Both times the senders are asked to keep what they have, and the door goes on
    when there is room."""
    home, ballast = small_disk / "home", small_disk / "ballast"
    settings = Settings(
        home=home, database_url=None, key_file=home / "key", timezone="UTC", language="en"
    )
    crowd = Crowd()

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        async with phones(str(http.base_url), token_of(http), crowd, count=3):
            await until(lambda: len(crowd.acknowledged) > 30)
            free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
            with ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, free - room_mb * 1_000_000 or 1)
            await until(lambda: crowd.refused > 20, seconds=60)
            answer = await http.post("/v1/events", json={"items": batch(99, 0)})
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert answer.json()["type"] == "urn:muster:problem:storage-unavailable"
            assert (await http.get("/healthz")).status_code == 200
            ballast.unlink()
            before = len(crowd.acknowledged)
            await until(lambda: len(crowd.acknowledged) > before + 30, seconds=30)
        await check(muster, crowd)

    async def inside() -> None:
        async with (
            open_instance(settings, background=True) as muster,
            serving(muster, rates=Rates(0, 0, 0)) as (_, address),
            client(address, await senders.tester(muster)) as http,
        ):
            await story(muster, http)

    asyncio.run(inside())


async def until(true, *, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


def test_two_servers_on_one_database(play: Play):
    """Senders that try one and then the other are told the same; there is one chain."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        before = muster.door.head.seq
        async with (
            second_server(muster.settings) as other,
            serving(other, rates=Rates(0, 0, 0)) as (_, address),
            client(address, token_of(http)) as beside,
        ):
            crowd, mine = Crowd(), [batch(7, at) for at in range(20)]
            async with phones(str(http.base_url), token_of(http), crowd, count=2):
                pairs = await asyncio.gather(
                    *(send(one, sent) for sent in mine for one in (http, beside))
                )
            for first, second in zip(pairs[::2], pairs[1::2], strict=True):
                answers = {*zip(said(first), said(second), strict=True)}
                assert answers <= {("stored", "known"), ("known", "stored")}
            crowd.sent |= {one["event"]["id"] for sent in mine for one in sent}
            crowd.acknowledged |= crowd.sent
            heads = [
                (await one.post("/v1/events", json={"items": mine[0]})).json()["head"]
                for one in (http, beside)
            ]
            assert heads[0] == heads[1]
            assert heads[0]["seq"] == before + len(crowd.sent)
            await check(muster, crowd)

    visit(play, story)


def test_an_event_that_breaks_a_view_is_stored_and_harms_nobody(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        async with muster.pool.connection() as conn:
            await conn.execute("ALTER TABLE sampling.tube ADD CONSTRAINT b CHECK (lane <> 13)")
        uploads = [items(f"08:20  TubeSealed  T{n}  members=p{n} lane={n}") for n in range(1, 20)]
        answers = await asyncio.gather(*(send(http, sent) for sent in uploads))
        assert [said(one) for one in answers] == [["stored"]] * 19
        (stalled,) = (await http.get("/v1/stalled")).json()
        assert (stalled["subject"], stalled["view"], stalled["event"]) == (
            str(named("T13")), "sampling.tube", uploads[12][0]["event"]["id"]
        )  # fmt: skip
        alarms = (await http.get("/v1/alarms")).json()
        assert (3, "stalled", 1) in [(one["rank"], one["alarm"], one["count"]) for one in alarms]
        assert await query(muster, "SELECT count(*) FROM sampling.tube") == [18]
        assert (await http.get(f"/v1/tubes/{named('T13')}")).status_code == 404
        async with muster.pool.connection() as conn:
            await conn.execute("ALTER TABLE sampling.tube DROP CONSTRAINT b")
            assert (await tick(conn, muster.door, now()))["unstalled"] == 1
        assert (await http.get("/v1/stalled")).json() == []
        (tube,) = (await http.get(f"/v1/tubes/{named('T13')}")).json()
        assert [one["person"] for one in tube["members"]] == [str(named("p13"))]

    visit(play, story)


def test_connections_that_break_off(play: Play):
    """Half a body is nothing; a whole one counts once, whether or not its answer is waited for. A sender
    that goes before its body was read has sent nothing, and sends it again.
    """

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        port, sent = http.base_url.port, batch(1, 0)
        body = json.dumps({"items": sent}).encode()
        head = (
            f"POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token_of(http)}\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        ).encode()
        stored = f"SELECT count(*) FROM ledger.event WHERE {SENT}"
        for part in (head[:30], head, head + body[: len(body) // 2]):
            await break_off(port, part)
        assert (await http.get("/healthz")).status_code == 200
        assert await query(muster, stored) == [0]
        assert await query(muster, "SELECT count(*) FROM ledger.inbox") == [0]
        for attempt in range(20):
            await break_off(port, head + body, after=0.05 * attempt)
            if await query(muster, stored) == [5]:
                break
        assert await query(muster, stored) == [5]
        assert said(await send(http, sent)) == ["known"] * 5

    visit(play, story)


async def break_off(port: int | None, part: bytes, *, after: float = 0) -> None:
    """Send a part of a request and go, some seconds later, without reading what is answered."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(part)
    await writer.drain()
    await asyncio.sleep(after)
    writer.close()
    await writer.wait_closed()
