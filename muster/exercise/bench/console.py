"""What a command post's walls and desks cost: an overview asked for, and 500 viewers of a live one while
tubes come in.
"""

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import chain
from pathlib import Path

from muster.core.clock import now
from muster.db.supervisor import supervised
from muster.exercise.bench.figures import Figure, Report
from muster.exercise.bench.homes import HOST, Homes, MeasurementFailed, Server
from muster.exercise.bench.load import Measured, one_by_one, saturate, trickle
from muster.exercise.bench.memory import descendants
from muster.exercise.bench.tubes import (
    ROOT,
    Sealing,
    all_stored,
    comers,
    followed,
    listed,
    merged,
    open_round,
    seal,
)

VIEWERS, CORES = 500, 0.2
WATCHED_SECONDS, SETTLE_SECONDS = 20, 6
UPLOADS_PER_SECOND, UPLOAD_TUBES = 4, 5
OVERVIEW_MS = 150
AGAIN_SECONDS = 2.1  # an overview younger than this is not computed anew
ASKED = 12


async def measure_console(homes: Homes, report: Report) -> None:
    """Everything on one home with people, half of whom are sampled before, some while it is watched."""
    home, files = homes.fresh("console"), await homes.files(report.sizes.door_people)
    async with home.database():
        await homes.areas(home, files)
        await home.run("import", "residents", files / "residents.csv")
        people = comers(await listed(home))
        async with home.serve() as server:
            round = await open_round(server, "console")
            half = len(people) // 2
            await _sample(server, people[:half], round)
            await followed(home)
            await _measure_overview(server, round, report)
            rest = _sealing(server, people[half:], round, tubes=UPLOAD_TUBES)
            await _measure_viewers(server, rest, report)
    await homes.drop(home)


def _sealing(server: Server, people: Sequence[str], round: str, *, tubes: int) -> Sealing:
    at = now() - timedelta(hours=2)
    return seal(server, people, round, devices=4, tubes_per_request=tubes, at=at)


async def _sample(server: Server, people: Sequence[str], round: str) -> None:
    every = chain.from_iterable(_sealing(server, people, round, tubes=100).queues)
    await saturate(server, [iter(every)] * 4, seconds=600, warm_up_seconds=0, check=all_stored)


async def _measure_overview(server: Server, round: str, report: Report) -> None:
    """An overview of the whole, never one that is remembered."""
    request = server.wire().request("GET", f"/v1/overview?round={round}&area={ROOT}")
    measured = Measured()
    for _ in range(ASKED):
        await asyncio.sleep(AGAIN_SECONDS)
        measured.latencies_ms += (await one_by_one(server, [request], warm_up=0)).latencies_ms
    report.add(
        Figure("console_overview_ms", measured.median_ms, "ms", "console", most=OVERVIEW_MS,
               reference=f"of {ASKED} computed anew; the slowest {measured.p99_ms:.0f} ms")
    )  # fmt: skip


async def _measure_viewers(server: Server, sealing: Sealing, report: Report) -> None:
    """What server and database spend while tubes come in, with viewers more than without."""
    until, requests = asyncio.Event(), merged(sealing)
    coming = asyncio.create_task(
        trickle(server, requests, per_second=UPLOADS_PER_SECOND, check=all_stored, until=until)
    )
    viewers = [_Viewer() for _ in range(VIEWERS)]
    try:
        await asyncio.sleep(SETTLE_SECONDS)
        alone = await _cores(server)
        path = f"/v1/live?round={sealing.round}&area={ROOT}"
        watching = [asyncio.create_task(one.watch(server, path)) for one in viewers]
        try:
            await asyncio.sleep(SETTLE_SECONDS)
            before = sum(one.messages for one in viewers)
            watched = await _cores(server)
            seen = sum(one.messages for one in viewers) - before
        finally:
            for one in watching:
                one.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
    finally:
        until.set()
        await coming
    if any(not one.messages for one in viewers):
        raise MeasurementFailed(what="a viewer", reason="saw nothing")
    report.add(
        Figure("console_viewers_cores", watched - alone, "cores", "console", most=CORES,
               reference=f"{VIEWERS} viewers, {seen / WATCHED_SECONDS:,.0f} messages/s;"
               f" without them {alone:.2f} cores")
    )  # fmt: skip


class _Viewer:
    """Reads a live overview and keeps nothing of it."""

    def __init__(self) -> None:
        self.messages = 0

    async def watch(self, server: Server, path: str) -> None:
        reader, writer = await asyncio.open_connection(HOST, server.port)
        try:
            writer.write(server.wire().request("GET", path))
            await writer.drain()
            while part := await reader.read(1 << 16):
                self.messages += part.count(b"\ndata: ")
        finally:
            writer.close()


async def _cores(server: Server) -> float:
    """How many cores server and database are busy with, over some seconds."""
    before = _spent(server)
    await asyncio.sleep(WATCHED_SECONDS)
    return (_spent(server) - before) / WATCHED_SECONDS


def _spent(server: Server) -> float:
    """Processor seconds of the server and its database; of processes that have ended, none."""
    supervisor = supervised(server.home.folder)
    roots = [server.process.pid, *([supervisor] if supervisor else [])]
    every = {one for root in roots for one in (root, *descendants(root))}
    return sum(_seconds(one) for one in every)


def _seconds(process: int) -> float:
    with suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0
