"""A light load of uploads beside some other work: how long phones wait while it goes on."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from itertools import chain
from typing import TypeVar

from muster.core.clock import now
from muster.exercise.bench.homes import Server
from muster.exercise.bench.load import Measured, trickle
from muster.exercise.bench.tubes import TUBE, all_stored, merged, open_round, seal

T = TypeVar("T")
PER_SECOND, TUBES, DEVICES = 20, 10, 20
LONGEST_SECONDS = 150  # of load, however long the work takes
ROUNDS = 3  # of load at most: whoever is few is sampled again, in another round
P99_MS = 500


async def beside_uploads(
    server: Server, people: Sequence[str], name: str, work: Awaitable[T]
) -> tuple[T, Measured]:
    """Do the work while 20 requests a second of 10 tubes each come in for these people."""
    wanted = PER_SECOND * TUBES * TUBE * LONGEST_SECONDS
    rounds = [
        await open_round(server, f"{name} {number + 1}")
        for number in range(min(-(-wanted // len(people)), ROUNDS))
    ]
    at = now() - timedelta(hours=5)
    sealings = [
        seal(server, people[:wanted], round, devices=DEVICES, tubes_per_request=TUBES, at=at)
        for round in rounds
    ]
    over = asyncio.Event()
    load = asyncio.create_task(
        trickle(
            server, chain.from_iterable(map(merged, sealings)), per_second=PER_SECOND,
            check=all_stored, until=over,
        )
    )  # fmt: skip
    try:
        done = await work
        over.set()
        return done, await load
    finally:
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
