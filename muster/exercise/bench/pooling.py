"""How fast the best pooling design is found, beside trying every split in the same run."""

import time
from collections.abc import Callable, Iterator

from muster.exercise.bench.figures import Figure, Report
from muster.exercise.bench.homes import Homes
from muster.lab.engine.pooling.hierarchical import measure
from muster.lab.engine.pooling.measures import Test
from muster.lab.engine.pooling.optimum import optimal, three_stages

RISK, MOST, TRIED = 0.01, 24, 14
SEARCH_MS = 1.0
TIMES = 50


async def measure_pooling(homes: Homes, report: Report) -> None:
    """The search alone and with its measures, up to 24 people; trying all of them up to 14."""
    test = Test(0.99, 0.99)
    search = _milliseconds(lambda: three_stages(RISK, test, 3, MOST))
    short = _milliseconds(lambda: three_stages(RISK, test, 3, TRIED))
    begun = time.perf_counter()
    tried = min(
        measure(((n,), parts, (1,) * n), RISK, test).tests_per_person
        for n in range(3, TRIED + 1)
        for parts in _partitions(n, n - 1)
    )
    trying = (time.perf_counter() - begun) * 1_000
    found = optimal("3", RISK, test, most=TRIED).tests_per_person
    report.add(
        Figure(
            "pool_search_ms", search, "ms", "pooling", most=SEARCH_MS,
            reference=f"three stages, up to {MOST} people",
        ),
        Figure(
            "pool_search_faster", trying / short, "x", "pooling",
            reference=f"than trying all up to {TRIED}: {trying:,.0f} ms; tests a person differ by"
            f" {abs(tried - found):.0e}",
        ),
    )  # fmt: skip


def _milliseconds(work: Callable[[], object]) -> float:
    least = float("inf")
    for _ in range(TIMES):
        begun = time.perf_counter()
        work()
        least = min(least, time.perf_counter() - begun)
    return least * 1_000


def _partitions(people: int, most: int) -> Iterator[tuple[int, ...]]:
    if people == 0:
        yield ()
    for first in range(min(people, most), 0, -1):
        for rest in _partitions(people - first, first):
            yield (first, *rest)
