"""How much memory processes use, read from /proc: peaks while they run, shares while they rest."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from muster.db.supervisor import supervised

POLL_SECONDS = 0.2  # the kernel keeps the peak: only what is reached within the last poll is missed


@dataclass
class Peak:
    """The largest resident sizes, in bytes: of the process itself, and of its largest child."""

    own: int = 0
    child: int = 0


async def watch_peak(process: int) -> Peak:
    """Read the peaks of a process and its children until it is gone."""
    peak = Peak()
    while size := _kilobytes(Path(f"/proc/{process}/status"), "VmHWM:"):
        peak.own = max(peak.own, size * 1024)
        for child in children(process):
            size = _kilobytes(Path(f"/proc/{child}/status"), "VmHWM:")
            peak.child = max(peak.child, size * 1024)
        await asyncio.sleep(POLL_SECONDS)
    return peak


def shares_of_home(server: int, home: Path) -> int:
    """The proportional sizes, in bytes, of a server process and all of its home's database: memory
    that several of them share is counted once."""
    supervisor = supervised(home)
    roots = [server, *([supervisor] if supervisor else [])]
    members = {one for root in roots for one in (root, *descendants(root))}
    return sum(_kilobytes(Path(f"/proc/{one}/smaps_rollup"), "Pss:") * 1024 for one in members)


def descendants(process: int) -> Iterator[int]:
    for child in children(process):
        yield child
        yield from descendants(child)


def children(process: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, task.read_text().split())
    return found


def _kilobytes(file: Path, name: str) -> int:
    """A figure of a /proc file; 0 where the process has ended."""
    with suppress(OSError):
        for line in file.read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1])
    return 0
