"""A server process that can be killed, and phones that send to it until they are told that it has
what they sent.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

import muster
from muster.catalogue import CATALOGUE
from muster.config import Settings
from muster.db import embedded
from muster.instance import Instance, open_instance
from muster.keeping.verify import verify
from tests.senders import SENT, Item, client, items, query, send, tester

STARTS_SECONDS = 60


@contextmanager
def a_home() -> Iterator[Path]:
    """The home of a server of its own; nothing is left of it."""
    folder = Path(tempfile.mkdtemp(prefix="muster-tests-"))
    folder.chmod(0o755)
    try:
        yield folder / "home"
    finally:
        embedded.remove(folder / "home")
        (folder / "server.log").unlink(missing_ok=True)
        folder.rmdir()


class Served:
    """`muster serve` on a home; started again, it has the same address."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.token = ""  # of a system that sends for the phones

    def start(self) -> None:
        with open(self.home.parent / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "muster", "serve", "--port", str(self.port)],
                stdout=log, stderr=log, cwd="/",
                env={"MUSTER_HOME": str(self.home), "PATH": os.environ["PATH"],
                     "MUSTER_ADDRESS_RATE": "0", "MUSTER_DEVICE_RATE": "0",
                     "PYTHONPATH": str(Path(muster.__file__).parents[1])},
            )  # fmt: skip
        end = time.monotonic() + STARTS_SECONDS
        with httpx.Client(base_url=self.address, trust_env=False) as http:
            while True:
                try:
                    if http.get("/readyz").status_code == 200:
                        return
                except httpx.HTTPError:
                    assert self.process.poll() is None, self.log()
                    assert time.monotonic() < end, self.log()
                time.sleep(0.05)

    def log(self) -> str:
        return (self.home.parent / "server.log").read_text()

    def signal(self, number: int) -> int:
        """Send a signal and wait for the end; the exit code."""
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def postmaster(self) -> int:
        place = embedded.read_place(self.home)
        assert place
        return int(Path(place.data, "postmaster.pid").read_text().split("\n")[0])


@contextmanager
def served() -> Iterator[Served]:
    with a_home() as home:
        server = Served(home)
        home.mkdir(mode=0o755)
        try:
            with ThreadPoolExecutor(1) as beside:  # the caller has an event loop of its own
                server.token = beside.submit(asyncio.run, _enlisted(home)).result()
            server.start()
            yield server
        finally:
            if server.process and server.process.poll() is None:
                server.signal(signal.SIGKILL)


async def _enlisted(home: Path) -> str:
    async with opened(home) as muster_:
        return await tester(muster_)


@dataclass
class Crowd:
    """What a crowd of phones has made, and of which of that it was told that it is stored."""

    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    refused: int = 0  # answers that were none: errors, broken connections


@asynccontextmanager
async def phones(
    address: str, token: str, crowd: Crowd, *, count: int = 6, last: bool = True
) -> AsyncIterator[None]:
    """Phones at work while the block runs; then each gets its last batch off (unless not `last`)."""
    done = asyncio.Event()

    async def phone(number: int) -> None:
        async with client(address, token) as http:
            for at in range(100_000):
                if done.is_set():
                    return
                await upload(http, batch(number, at))

    async def upload(http: httpx.AsyncClient, sent: list[Item]) -> None:
        ids = {one["event"]["id"] for one in sent}
        crowd.sent |= ids
        while last or not done.is_set():
            try:
                answers = await send(http, sent, device=sent[0]["event"]["device"])
            except (httpx.HTTPError, AssertionError):
                crowd.refused += 1
                await asyncio.sleep(0.05)
                continue
            assert {one["answer"] for one in answers} <= {"stored", "known"}
            crowd.acknowledged |= ids
            return

    tasks = [asyncio.create_task(phone(number)) for number in range(count)]
    try:
        yield
    finally:
        done.set()
        await asyncio.wait_for(asyncio.gather(*tasks), timeout=90)


def batch(phone: int, at: int, size: int = 5) -> list[Item]:
    """Five tubes of two, numbered by the phone as it goes."""
    return items("\n".join(
        f"08:20  TubeSealed  T{phone}-{at}-{n}  members=a{phone}-{at}-{n},b{phone}-{at}-{n}"
        f" device=phone-{phone} seq={at * size + n + 1}"
        for n in range(size)
    ))  # fmt: skip


@asynccontextmanager
async def opened(home: Path) -> AsyncIterator[Instance]:
    settings = Settings(
        home=home, database_url=None, key_file=home / "vault.key", timezone="UTC", language="en"
    )
    async with open_instance(settings) as muster_:
        yield muster_


async def check(muster_: Instance, crowd: Crowd, *, all_sent: bool = True) -> None:
    """All that was acknowledged is there, once, and shown; and nothing that was not sent."""
    stored = await query(muster_, f"SELECT id::text FROM ledger.event WHERE {SENT}")
    assert len(stored) == len(set(stored))
    assert crowd.acknowledged <= set(stored) <= crowd.sent
    if all_sent:
        assert set(stored) == crowd.acknowledged == crowd.sent
    assert await query(muster_, "SELECT count(*) FROM sampling.tube") == [len(stored)]
    assert await query(muster_, "SELECT count(*) FROM sampling.specimen") == [2 * len(stored)]
    async with muster_.pool.connection() as conn:
        assert await verify(conn, CATALOGUE, head_file=muster_.head_file) == []
