"""What the figures were measured on."""

import os
import platform
import subprocess
from pathlib import Path

from muster.db.placement import package_binaries


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


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
