"""Measures Muster on this machine: throughput, latency, memory and start, each figure beside its
goal and, where one exists, a reference. Every group works in homes of its own, which are removed.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from muster.core.problems import Problem
from muster.exercise.bench.callups import measure_call_ups
from muster.exercise.bench.console import measure_console
from muster.exercise.bench.door import measure_door
from muster.exercise.bench.figures import Figure, Report, Row, Sizes
from muster.exercise.bench.homes import Homes, MeasurementFailed
from muster.exercise.bench.importing import measure_import
from muster.exercise.bench.laboratory import measure_laboratory
from muster.exercise.bench.lanes import measure_lanes
from muster.exercise.bench.machine import busy_share, describe_machine
from muster.exercise.bench.pooling import measure_pooling
from muster.exercise.bench.reading import measure_read
from muster.exercise.bench.rights import measure_rights
from muster.exercise.bench.starting import measure_start

Group = Callable[[Homes, Report], Awaitable[None]]

# What measures each group, and about how many seconds it takes at full size: the bar's share.
# The reference is measured with the door: it copies the very rows that the door has stored.
_GROUPS: dict[str, tuple[Group, int]] = {
    "reference": (measure_door, 150),
    "door": (measure_door, 150),
    "import": (measure_import, 600),
    "read": (measure_read, 420),
    "rights": (measure_rights, 90),
    "lanes": (measure_lanes, 240),
    "callups": (measure_call_ups, 180),
    "laboratory": (measure_laboratory, 300),
    "console": (measure_console, 240),
    "pooling": (measure_pooling, 5),
    "start": (measure_start, 10),
}

BUSY_PERCENT = 10  # taken by others before we begin: above it, every figure speaks of them too


class BenchGroupUnknown(Problem):
    """There is nothing to measure named "{group}". The groups are: {groups}."""

    zh = "没有名为“{group}”的测量组。可选：{groups}。"


async def run_bench(
    *, quick: bool, only: Sequence[str], progress: Callable[[int, int], None]
) -> list[Row]:
    """The rows of all groups, or of those in `only`; `quick` measures at about a tenth of the size.

    Raises BenchGroupUnknown, and MeasurementFailed where something did not work: a figure is either
    measured or missing, never guessed.
    """
    return await measure(Sizes.quick() if quick else Sizes(), only, progress)


async def measure(
    sizes: Sizes, only: Sequence[str], progress: Callable[[int, int], None]
) -> list[Row]:
    """As `run_bench`, at any size."""
    for group in only:
        if group not in _GROUPS:
            raise BenchGroupUnknown(group=group, groups=", ".join(_GROUPS))
    chosen = [name for name in _GROUPS if name in only or not only]
    runs = dict(_GROUPS[name] for name in chosen)
    report = Report(sizes, chosen, progress, total=sum(runs.values()))
    report.add(
        Figure("machine", describe_machine()),
        Figure("machine_busy_percent", 100 * await busy_share(), "%", most=BUSY_PERCENT),
    )
    with _terminable():
        async with Homes() as homes:
            for group, share in runs.items():
                await report.run(group(homes, report), share)
    return report.rows


@contextmanager
def _terminable() -> Iterator[None]:
    """Inside, SIGTERM ends the measuring as an error does: servers and homes are cleared away."""
    task, loop, told = asyncio.current_task(), asyncio.get_running_loop(), asyncio.Event()
    assert task
    loop.add_signal_handler(signal.SIGTERM, lambda: (told.set(), task.cancel()))
    try:
        yield
    except asyncio.CancelledError:
        if not told.is_set():
            raise
        raise MeasurementFailed(what="the benchmark", reason="was told to end") from None
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
