"""What measuring yields: figures with goals, at given sizes, and the bar that shows progress."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Row = dict[str, Any]
BAR_SECONDS = 0.5


@dataclass(frozen=True)
class Sizes:
    """How much is measured; the defaults are those the goals are stated for."""

    door_people: int = 250_000  # listed for the door: each is sampled once a load, as in a round
    door_seconds: float = 8
    district_people: int = 820_000
    town_people: int = 100_000
    workbook_rows: int = 1_000_000
    read_seconds: float = 6
    samples: int = 400
    reception_tubes: int = 10_000
    released_tubes: int = 20_000
    open_tubes: int = 300_000
    lanes: int = 665
    staff: int = 60_000
    answers: int = 10_000

    @staticmethod
    def quick() -> "Sizes":
        """About a tenth of everything; the door needs enough people for a second or two."""
        return Sizes(
            door_people=60_000, door_seconds=3, district_people=82_000, town_people=10_000,
            workbook_rows=50_000, read_seconds=2, samples=200, reception_tubes=2_000,
            released_tubes=3_040, open_tubes=30_000, lanes=70, staff=6_000, answers=600,
        )  # fmt: skip

    @property
    def share(self) -> float:
        """The district's size as a share of full size: goals in seconds of all of it shrink so."""
        return self.district_people / Sizes.district_people


@dataclass(frozen=True)
class Figure:
    """One measured value. `least` or `most` is the goal; `reference` what to hold it against."""

    name: str
    value: float | str
    unit: str = ""
    group: str = ""
    least: float | None = None
    most: float | None = None
    reference: str | None = None

    def row(self) -> Row:
        value = _rounded(self.value) if isinstance(self.value, float | int) else self.value
        goal, ok = None, None
        if self.least is not None:
            goal, ok = f"≥ {_rounded(self.least)}", self.value >= self.least  # type: ignore[operator]
        elif self.most is not None:
            goal, ok = f"≤ {_rounded(self.most)}", self.value <= self.most  # type: ignore[operator]
        return {
            "name": self.name, "value": value, "unit": self.unit, "goal": goal, "ok": ok,
            "reference": self.reference,
        }  # fmt: skip


class Report:
    """Collects the rows of the chosen groups and moves the bar."""

    def __init__(
        self,
        sizes: Sizes,
        groups: Sequence[str],
        progress: Callable[[int, int], None],
        *,
        total: int,
    ) -> None:
        self.sizes, self.groups, self.rows = sizes, groups, list[Row]()
        self._progress, self._total, self._done = progress, total, 0

    def add(self, *figures: Figure) -> None:
        """Note figures; those of a group nobody asked for were by the way."""
        self.rows += [one.row() for one in figures if one.group in ("", *self.groups)]

    async def run(self, work: Awaitable[None], share: int) -> None:
        """Do one group's work while the bar walks through its share as time goes by."""
        bar = asyncio.create_task(self._walk(share))
        try:
            await work
        finally:
            bar.cancel()
            await asyncio.gather(bar, return_exceptions=True)
        self._done += share
        self._progress(self._done, self._total)

    async def _walk(self, share: int) -> None:
        started = time.perf_counter()
        expected = share * max(self.sizes.share, 0.15)
        while True:
            part = min((time.perf_counter() - started) / expected, 0.99)
            self._progress(self._done + int(part * share), self._total)
            await asyncio.sleep(BAR_SECONDS)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of them do not exceed: for 0.99, one in a hundred is above."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _rounded(value: float) -> float | int:
    """Three significant figures are all that a measurement on one machine bears."""
    if abs(value) >= 100 or value == int(value):
        return round(value)
    kind: Literal[1, 2, 3] = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return round(value, kind)
