"""Uploads of sealed tubes as the bytes of HTTP requests, for people who are listed: made before any
load starts, so that making them costs the measured nothing.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

import msgspec
import psycopg

from muster.core.clock import now
from muster.core.ids import uuid7
from muster.exercise.bench.homes import Home, MeasurementFailed, Server

T = TypeVar("T")
ROOT = "370602"
TUBE = 10
UNSAMPLED = 0.015  # of those who could come: so that lists of the missing are not empty
FOLLOWED_SECONDS, FOLLOWED_LIMIT_SECONDS = 0.1, 900

_LISTED = """
SELECT r.resident::text FROM registry.resident r JOIN registry.area b ON b.area = r.building
WHERE r.merged_into IS NULL AND r.state IN ('resident', 'temporary')
ORDER BY b.code, r.room, r.resident
"""
_BEHIND = """
SELECT name FROM ledger.follower WHERE seq < (SELECT max(seq) FROM ledger.event) LIMIT 1
"""


@dataclass(frozen=True)
class Sealing:
    """Requests a device each, and the barcodes in them."""

    queues: list[list[bytes]]
    barcodes: list[str]
    round: str


async def listed(home: Home) -> list[str]:
    """The ids of everybody who can be sampled, in the order of the walk: as they queue up."""
    async with home.database() as url, await psycopg.AsyncConnection.connect(url) as conn:
        return [row[0] for row in await (await conn.execute(_LISTED)).fetchall()]


async def open_round(server: Server, name: str) -> str:
    """Open a round over the whole district, wait until the followers have it; its id."""
    wire = server.wire()
    starts_at = now() - timedelta(hours=6)
    answer = await wire.post(
        "/v1/rounds",
        {"name": name, "areas": [ROOT], "starts_at": starts_at,
         "ends_at": starts_at + timedelta(hours=12)},
    )  # fmt: skip
    await wire.close()
    await followed(server.home)
    return answer["round"]


async def close_round(server: Server, round: str) -> None:
    wire = server.wire()
    await wire.post(f"/v1/rounds/{round}/close", {"allow_open": True})
    await wire.close()


async def followed(home: Home) -> None:
    """Wait until the followers have come to the end of what is stored. Raises MeasurementFailed."""
    until = time.perf_counter() + FOLLOWED_LIMIT_SECONDS
    async with home.database() as url, await psycopg.AsyncConnection.connect(url) as conn:
        await conn.set_autocommit(True)
        while behind := await (await conn.execute(_BEHIND)).fetchone():
            if time.perf_counter() > until:
                reason = f"is still behind after {FOLLOWED_LIMIT_SECONDS} s"
                raise MeasurementFailed(what=f"the follower {behind[0]}", reason=reason)
            await asyncio.sleep(FOLLOWED_SECONDS)


def seal(
    server: Server, people: Sequence[str], round: str, *, devices: int, tubes_per_request: int,
    at: datetime,
) -> Sealing:  # fmt: skip
    """Every person into one tube of the round: each device has its own stretch of the walk, numbers
    its events and uploads so many tubes at a time."""
    wire, barcodes = server.wire(), list[str]()
    stretch = -(-len(people) // devices)
    queues = []
    for number in range(devices):
        device = f"{round[-8:]}-{number}"
        queue = []
        tubes = parts(people[number * stretch : (number + 1) * stretch], TUBE)
        for part in parts(list(enumerate(tubes, 1)), tubes_per_request):
            items = [item(device, seq, members, round, at) for seq, members in part]
            barcodes += [one["event"]["body"]["barcode"] for one in items]
            body = msgspec.json.encode({"device": device, "items": items})
            queue.append(wire.request("POST", "/v1/events", body))
        queues.append(queue)
    return Sealing(queues, barcodes, round)


def item(device: str, seq: int, members: Sequence[str], round: str, at: datetime) -> dict[str, Any]:
    tube = uuid7()
    body = {
        "barcode": f"ZF{tube.hex[:12]}{tube.hex[-8:]}", "purpose": "round", "capacity": TUBE,
        "round": round,
        "members": [{"person": one, "position": i} for i, one in enumerate(members, 1)],
    }  # fmt: skip
    event = {
        "id": uuid7(), "type": "TubeSealed", "subject": tube,
        "device_at": at + timedelta(seconds=seq), "device": device, "device_seq": seq,
        "actor": device, "body": body,
    }  # fmt: skip
    return {"event": event}


def parts(of: Sequence[T], size: int) -> list[Sequence[T]]:
    return [of[start : start + size] for start in range(0, len(of), size)]


def merged(sealing: Sealing) -> Iterator[bytes]:
    """All requests, the devices taking turns."""
    for turn in range(max(map(len, sealing.queues))):
        for queue in sealing.queues:
            if turn < len(queue):
                yield queue[turn]


def all_stored(request: bytes, answer: bytes) -> int:
    """The persons in an upload whose every item was new and is stored; 0 if any was not."""
    if answer.count(b'"answer":"stored"') != request.count(b'"type":"TubeSealed"'):
        return 0
    return request.count(b'"position":')


def comers(people: Sequence[str], *, seed: int = 1) -> list[str]:
    """Those of them who come to be sampled."""
    chance = Random(seed).random
    return [one for one in people if chance() >= UNSAMPLED]
