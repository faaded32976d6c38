"""From nothing to serving, and what an idle server weighs."""

import asyncio

from muster.exercise.bench.figures import Figure, Report
from muster.exercise.bench.homes import Homes
from muster.exercise.bench.memory import shares_of_home

SETTLE_SECONDS = 2


async def measure_start(homes: Homes, report: Report) -> None:
    """Seconds until a fresh home answers; megabytes of server and database together just after."""
    home = homes.fresh("start")
    async with home.serve(asked=False) as server:
        await asyncio.sleep(SETTLE_SECONDS)
        memory = await asyncio.to_thread(shares_of_home, server.process.pid, home.folder)
        report.add(
            Figure("start_first_s", server.ready_seconds, "s", "start", most=8),
            Figure("start_idle_mb", memory / 1e6, "MB", "start", most=300),
        )
    async with home.serve(asked=False) as server:
        report.add(Figure("start_again_s", server.ready_seconds, "s", "start"))
    await homes.drop(home)
