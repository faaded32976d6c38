"""An import over HTTP that is stopped, or whose server ends or is killed, goes on: nothing is stored twice,
nothing is left out.
"""

import asyncio
import signal
from typing import Any

import pytest

from muster.config import Settings
from muster.instance import Instance, open_instance
from muster.intake import feeding
from muster.intake.feeding import feed_waiting
from tests.browsers import Browser, Door, someone
from tests.conftest import Play
from tests.import_files import lines, number, one
from tests.table import events
from tests.test_imports import CITY, POST, ROSTER, desk, figures, nobody_else_feeds, sent, worked
from tests.test_serving import address_of, serve

assert nobody_else_feeds  # the test says when a file is taken up
ROWS = 12_000


def big_roster() -> bytes:
    people = (
        ("某人", number(f"19{50 + n // 400}0101", n % 400 * 2 + 1), "B1", n) for n in range(ROWS)
    )
    return (ROSTER + lines(*people)).encode()


async def some_are_in(muster: Instance) -> None:
    async with muster.pool.connection() as conn:
        while True:
            cursor = await conn.execute("SELECT count(*) FROM registry.resident")
            row = await cursor.fetchone()
            if row and row[0]:
                return
            await asyncio.sleep(0.005)


async def all_are_in_once(muster: Instance) -> None:
    assert await one(muster, "SELECT count(*) FROM registry.resident") == ROWS
    assert await one(muster, "SELECT count(DISTINCT number_hash) FROM vault.identity") == ROWS
    listed = "SELECT count(*) FROM ledger.event WHERE type = 'ResidentListed'"
    assert await one(muster, listed) == ROWS


def test_what_was_stopped_goes_on(play: Play, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feeding, "IMPORT_NOTED_SECONDS", 0)

    async def story(muster: Instance, browser: Browser) -> None:
        made = await sent(browser, big_roster())
        await worked(muster, browser, made["id"], "check")
        await browser.done(f"/v1/imports/{made['id']}/start")
        task = asyncio.create_task(feed_waiting(muster))
        await some_are_in(muster)
        await browser.done(f"/v1/imports/{made['id']}/stop")
        await task
        stopped = await browser.get(f"/v1/imports/{made['id']}")
        assert stopped["state"] == "stopped"
        assert 0 < stopped["stored"] < ROWS
        done = await worked(muster, browser, made["id"], "start")
        assert figures(done) == ("done", ROWS, ROWS, 0, 0, 0)
        await all_are_in_once(muster)

    desk(play, story)


def test_what_a_server_left_half_done_is_begun_again(play: Play):
    async def story(muster: Instance, browser: Browser) -> None:
        made = await sent(browser, big_roster())
        await worked(muster, browser, made["id"], "check")
        await browser.done(f"/v1/imports/{made['id']}/start")
        task = asyncio.create_task(feed_waiting(muster))
        await some_are_in(muster)
        task.cancel()  # what a server that ends leaves behind
        await asyncio.gather(task, return_exceptions=True)
        assert (await browser.get(f"/v1/imports/{made['id']}"))["state"] == "running"
        await feed_waiting(muster)
        done = await browser.get(f"/v1/imports/{made['id']}")
        assert figures(done) == ("done", ROWS, ROWS, 0, 0, 0)
        await all_are_in_once(muster)
        ends = "SELECT count(*) FROM ledger.event WHERE type IN ('ImportStarted', 'ImportEnded')"
        assert await one(muster, ends) == 2

    desk(play, story)


def test_a_killed_server_goes_on_when_it_is_started_again(database: Settings):
    """Nothing is stored twice, nothing is left out; nobody has to ask for it."""

    async def story() -> None:
        async with open_instance(database) as muster:
            await muster.door.append(events(CITY))
            await someone(muster, "lead", POST)
            server = serve(database, "--port", "0")
            async with Door(address_of(server)).signed_in("lead") as browser:
                await browser.set_up_codes()
                made = await sent(browser, big_roster())
                await browser.done(f"/v1/imports/{made['id']}/check")
                await until(browser, made["id"], "checked")
                await browser.done(f"/v1/imports/{made['id']}/start")
                await some_are_in(muster)
                server.send_signal(signal.SIGKILL)
                server.communicate(timeout=30)
                server = serve(database, "--port", "0")
                browser.http.base_url = address_of(server)
                done = await until(browser, made["id"], "done")
            assert figures(done) == ("done", ROWS, ROWS, 0, 0, 0)
            await all_are_in_once(muster)
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=30)

    asyncio.run(story())


async def until(browser: Browser, id_: str, state: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            found = await browser.get(f"/v1/imports/{id_}")
            if found["state"] == state:
                return found
            await asyncio.sleep(0.2)
