"""What the figures were measured on, and how much of it was left."""

import asyncio
import os
import platform
import subprocess
from pathlib import Path

from muster.db.placement import package_binaries

BUSY_SECONDS = 1


def describe_machine() -> str:
    """Cores, processor, memory, and the versions of Python and PostgreSQL."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    said = subprocess.run(
        [package_binaries() / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    return (
        f"{cores} × {_processor()}, {memory:.0f} GB, Python {platform.python_version()}, "
        f"PostgreSQL {said.split()[-1]}"
    )


async def busy_share() -> float:
    """How much of the processors others use before anything is measured, 0 to 1."""
    before = _spent()
    await asyncio.sleep(BUSY_SECONDS)
    idle, total = (after - at for after, at in zip(_spent(), before, strict=True))
    return 1 - idle / total if total else 0.0


def _spent() -> tuple[int, int]:
    """The processors' time so far: idle or waiting for a disk, and in all."""
    ticks = [int(one) for one in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
