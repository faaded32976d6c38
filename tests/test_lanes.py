"""A lane without hands sends as a phone does: in parts, patiently, again where an answer was lost."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import httpx
import msgspec
import pytest

from muster.exercise import lane as lanes
from muster.exercise.lane import Lane, LaneStuck
from muster.exercise.wire import Wire
from muster.instance import Instance
from tests.conftest import Play
from tests.phones import batch
from tests.senders import Item, query, token_of, visit

BUSY = b"HTTP/1.1 503 Busy\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n"
GONE = b""  # the connection is closed without a word
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "LEAST_PAUSE_S", 0.02)


def test_a_queue_goes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of so many records, and of so many bytes: a single one may be larger."""
    size = len(msgspec.json.encode(made(1)[0]))
    for items, most, parts in (
        (4, 10**6, [4, 4, 2]),
        (9, 3 * size, [3, 3, 3, 1]),
        (9, 1, [1] * 10),
    ):
        monkeypatch.setattr(lanes, "ITEMS", items)
        monkeypatch.setattr(lanes, "BYTES", most)
        took, lane = run(made(10), limit=items)
        assert [len(one["items"]) for one in took] == parts
        assert [one["unsent"] for one in took] == [
            10 - sum(parts[: n + 1]) for n in range(len(parts))
        ]
        assert (lane.stored, lane.parts, lane.put_off) == (10, len(parts), 0)


def test_patience_is_kept_and_no_answer_is_tried_again() -> None:
    started = time.monotonic()
    took, lane = run(made(3), GONE, BUSY)
    assert time.monotonic() - started >= 1
    assert [len(one["items"]) for one in took] == [3, 3, 3]
    assert (lane.stored, lane.put_off, lane.failures) == (3, 2, 0)


def test_a_part_that_is_not_taken_goes_in_halves() -> None:
    took, lane = run(made(8), TOO_LARGE, TOO_LARGE)
    assert [len(one["items"]) for one in took] == [8, 4, 2, 4, 2]
    assert (lane.stored, lane.put_off) == (8, 0)


def test_a_device_that_is_not_known_gives_up() -> None:
    with pytest.raises(LaneStuck, match="403"):
        run(made(2), FORBIDDEN)


def test_what_was_lost_after_the_commit_is_there_once(play: Play) -> None:
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        assert http.base_url.port
        wire = Wire("127.0.0.1", http.base_url.port, token_of(http))
        lane = Lane("phone-1", wire, Random(4), lost=0.6, limit=3)
        sent = batch(1, 0, size=20)
        for one in sent:
            lane.record(one)
        await lane.drain()
        assert lane.swallowed > 0
        assert (lane.known > 0, lane.stored + lane.known) == (True, 20)
        found = await query(muster, "SELECT id::text FROM ledger.event WHERE device = 'phone-1'")
        assert sorted(found) == sorted(one["event"]["id"] for one in sent)

    visit(play, story)


def made(count: int) -> list[Item]:
    return [msgspec.to_builtins(one) for one in batch(1, 0, size=10)[:count]]


def run(items: Sequence[Item], *first: bytes, limit: int = lanes.ITEMS) -> tuple[list[Any], Lane]:
    """What a server took that gives these answers first, and stores everything after."""
    took: list[Any] = []

    async def story() -> Lane:
        async with taking(list(first), took) as port:
            lane = Lane("phone-1", Wire("127.0.0.1", port, "a-token"), Random(1), limit=limit)
            for one in items:
                lane.record(one)
            await lane.drain()
            return lane

    return took, asyncio.run(story())


@asynccontextmanager
async def taking(first: list[bytes], took: list[Any]) -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            size = 0
            while line.strip():
                name, _, value = line.partition(b":")
                size = int(value) if name == b"content-length" else size
                line = await reader.readline()
            took.append(msgspec.json.decode(gzip.decompress(await reader.readexactly(size))))
            said = first.pop(0) if first else stored(took[-1])
            if said == GONE:
                break
            writer.write(said)
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


def stored(upload: Any) -> bytes:
    answers = [{"id": one["event"]["id"], "answer": "stored"} for one in upload["items"]]
    body = msgspec.json.encode({"answers": answers, "head": {}})
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
