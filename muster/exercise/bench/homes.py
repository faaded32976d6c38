"""Fresh homes for measuring, and what runs on them: commands and servers as processes of their own,
all ended and removed whatever happens.
"""

import asyncio
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

import muster
from muster.access.decide import Grant
from muster.config import Settings
from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.db import embedded
from muster.exercise.bench.memory import Peak, watch_peak
from muster.exercise.crew import Crew
from muster.exercise.wire import Wire, WireError
from muster.instance import open_instance

HOST = "127.0.0.1"
READY_SECONDS = 120
STOP_SECONDS = 60
POLL_SECONDS = 0.02
SAID_BYTES = 600


class MeasurementFailed(Problem):
    """A measurement could not be made: {what} {reason}"""

    zh = "无法完成测量：{what} {reason}"
    status = 500


@dataclass(frozen=True)
class Finished:
    """A command that has ended: its JSON document, its wall time, its memory."""

    document: Any
    seconds: float
    peak: Peak


@dataclass
class Server:
    """A server process that answers, and the home it serves."""

    home: "Home"
    port: int
    process: asyncio.subprocess.Process
    ready_seconds: float
    token: str

    def wire(self) -> Wire:
        return Wire(HOST, self.port, self.token)


@dataclass
class Home:
    """A folder with a database of its own."""

    folder: Path

    def environment(self) -> dict[str, str]:
        """Ours without what would lead elsewhere: another database, another key."""
        source = str(Path(muster.__file__).parents[1])
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "MUSTER_KEY_FILE")
        }
        path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))
        return {
            **kept, "MUSTER_HOME": str(self.folder), "MUSTER_LANGUAGE": "en", "PYTHONPATH": path,
            "MUSTER_ADDRESS_RATE": "0", "MUSTER_DEVICE_RATE": "0", "MUSTER_SIGN_IN_RATE": "0",
        }  # fmt: skip

    async def run(self, *words: object) -> Finished:
        """Run `muster WORDS --json` as a process. Raises MeasurementFailed where it fails."""
        started = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "muster", *map(str, words), "--json", env=self.environment(),
            cwd=self.folder.parent, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        watching = asyncio.create_task(watch_peak(process.pid))
        try:
            said, errors = await process.communicate()
        finally:
            await _end(process)
            peak = await watching
        seconds = time.perf_counter() - started
        if process.returncode:
            reason = (said + errors)[-SAID_BYTES:].decode(errors="replace")
            raise MeasurementFailed(what=f"`muster {words[0]}`", reason=reason)
        return Finished(msgspec.json.decode(said), seconds, peak)

    @asynccontextmanager
    async def serve(self, *, asked: bool = True) -> AsyncIterator[Server]:
        """`muster serve` as a process, from when it answers until it has ended. One that is not `asked`
        anything begins with an empty home."""
        port, token = _free_port(), await self.token() if asked else ""
        log = self.folder.parent / f"serve-{port}.log"
        started = time.perf_counter()
        with log.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "muster", "serve", "--port", str(port),
                env=self.environment(), cwd=self.folder.parent, stdout=file, stderr=file,
            )  # fmt: skip
        try:
            await _answers(port, process, log, until=started + READY_SECONDS)
            yield Server(self, port, process, time.perf_counter() - started, token)
            if process.returncode is not None:
                raise MeasurementFailed(what="the server", reason=f"ended: {_tail(log)}")
        finally:
            await _end(process)

    @property
    def settings(self) -> Settings:
        return Settings(self.folder, None, self.folder / "vault.key", "Asia/Shanghai", "en")

    async def token(self) -> str:
        """Of a system that may send and ask anything, and is not slowed down."""
        async with open_instance(self.settings) as instance:
            login = f"bench-{uuid7().hex[-12:]}"
            return await Crew(instance).gateway(login, Grant("command_post", everywhere=True))

    @asynccontextmanager
    async def database(self) -> AsyncIterator[str]:
        """The home's database is kept running and may be looked into; its URL."""
        server = await asyncio.to_thread(embedded.start, self.folder)
        try:
            yield server.url
        finally:
            await asyncio.to_thread(server.close)


@dataclass
class Homes:
    """The homes of one run and the files they are fed with. The district takes long to import: its
    home, and how the import went, serve several groups."""

    folder: Path = Path()
    made: list[Home] = field(default_factory=list)
    district: tuple[Home, Finished] | None = None

    async def __aenter__(self) -> "Homes":
        # Somebody else may own the database's files: as root they lie where "nobody" gets to them.
        self.folder = Path(tempfile.mkdtemp(prefix="muster-bench-"))
        self.folder.chmod(0o711)
        return self

    async def __aexit__(self, *_: object) -> None:
        for home in list(self.made):
            with suppress(Problem):  # in use after all: the error that led here says more
                await asyncio.to_thread(self._remove, home)
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    def fresh(self, name: str) -> Home:
        """A home where nothing is yet."""
        home = Home(self.folder / f"{name}-{len(self.made)}")
        self.made.append(home)
        return home

    async def drop(self, home: Home) -> None:
        await asyncio.to_thread(self._remove, home)
        self.made.remove(home)

    async def files(self, people: int, *, seed: int = 1) -> Path:
        """The generated files of a district of so many people, made once."""
        out = self.folder / f"files-{people}-{seed}"
        if not out.exists():
            home = Home(self.folder / "none")
            await home.run("example", "zhifu", "--people", people, "--seed", seed, "--out", out)
        return out

    async def areas(self, home: Home, files: Path) -> None:
        """Import where people live."""
        for kind in ("areas", "grids", "buildings"):
            await home.run("import", kind, files / f"{kind}.csv")

    def _remove(self, home: Home) -> None:
        if home.folder.exists():
            embedded.remove(home.folder)


async def _answers(
    port: int, process: asyncio.subprocess.Process, log: Path, *, until: float
) -> None:
    wire = Wire(HOST, port)
    while process.returncode is None and time.perf_counter() < until:
        try:
            await wire.get("/readyz")
        except WireError as error:
            if error.status not in (0, 503):
                raise
        except OSError:
            pass
        else:
            await wire.close()
            return
        await asyncio.sleep(POLL_SECONDS)
    raise MeasurementFailed(what="the server", reason=f"did not get ready: {_tail(log)}")


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a process of ours: asked to first, then made to."""
    for ask in (process.terminate, process.kill):
        if process.returncode is None:
            with suppress(ProcessLookupError):
                ask()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_SECONDS)


def _tail(log: Path) -> str:
    return log.read_bytes()[-SAID_BYTES:].decode(errors="replace")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return free.getsockname()[1]
