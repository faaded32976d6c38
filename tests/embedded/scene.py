"""Processes that use the embedded server and can be killed, and what is left of them."""

import contextlib
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from muster.db import embedded, placement

ROOT = os.geteuid() == 0
SOURCE = Path(embedded.__file__).parents[2]
SCRIPT = """
import sys
from pathlib import Path
from muster.db import embedded
with embedded.start(Path(sys.argv[1]), binaries=Path(sys.argv[2])) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


class User:
    """A process that uses the server of `home` until its input ends, or it is killed."""

    def __init__(self, home: Path, *, python: str = sys.executable, source: Path = SOURCE, **drop):
        binaries = placement.package_binaries()
        self.process = subprocess.Popen(
            [python, "-c", SCRIPT, str(home), str(binaries)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
            env={"PYTHONPATH": str(source), "PATH": "/usr/bin:/bin"},
            text=True,
            **drop,
        )

    def url(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.communicate(timeout=40)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=10)


def outside(home: Path) -> list[Path]:
    """Where sockets and data outside of this home may lie."""
    parents = ("/run", "/tmp", "/var/tmp", "/var/lib/muster", "/var/tmp/muster-0")
    key = placement.home_key(home)
    return [path for parent in parents for path in Path(parent).glob(f"*{key}*")]


def processes(home: Path) -> list[str]:
    """Command lines of the supervisors and servers of `home`, and any zombie of ours."""
    key = placement.home_key(home)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f") Z {os.getpid()} " in (process / "stat").read_text():
                found.append(f"zombie {process.name}")
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            about = line + os.readlink(process / "cwd")
            ours = "supervisor.py" in line or "postgres" in line
            if ours and (f"{home}" in about or key in about):
                found.append(line)
    return found


def eventually(true: Callable[[], object], *, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def connected(url: str, *, seconds: float = 15) -> psycopg.Connection:
    """Connect as a client does that reconnects."""
    end = time.monotonic() + seconds
    while True:
        try:
            return psycopg.connect(url, autocommit=True)
        except psycopg.OperationalError:
            assert time.monotonic() < end
            time.sleep(0.05)


def keep(url: str, word: str) -> None:
    with connected(url) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
        conn.execute("INSERT INTO kept VALUES (%s)", [word])


def kept(url: str) -> list[str]:
    with connected(url) as conn:
        return [word for (word,) in conn.execute("SELECT word FROM kept ORDER BY 1")]


def run_as(uid: int) -> dict:
    if not ROOT:
        return {}
    return {"user": uid, "group": pwd.getpwuid(uid).pw_gid, "extra_groups": []}
