"""One running Muster: its database (embedded or given), its read tables up to date, the vault opened,
the door open, and, for a server, the followers and the clock running beside it.
"""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg_pool import AsyncConnectionPool

from muster.access.gate import check
from muster.catalogue import CATALOGUE
from muster.config import HEAD_FILE_SECONDS, TICK_SECONDS, Settings
from muster.core.clock import now
from muster.core.log import error_facts, logger
from muster.core.problems import Problem
from muster.core.tasks import end
from muster.db import embedded
from muster.db.migrate import migrate
from muster.instruments.process import close_readers
from muster.intake.upload import Intake
from muster.keeping.follower import follow
from muster.keeping.replay import Progress, changed_tables, quiet, rebuild
from muster.keeping.securing import make_roles, secure
from muster.keeping.tick import tick
from muster.ledger.door import Door
from muster.ledger.event import Event
from muster.readers import Readers
from muster.registry.vault import Vault, check_key, open_vault
from muster.workforce.booking import Booking, judge

Pool = AsyncConnectionPool[psycopg.AsyncConnection[Any]]
READ_OPTIONS = "-c jit=off -c statement_timeout=120s"


@dataclass(frozen=True)
class Instance:
    """Everything a command or a request handler needs. `pool` is Muster's own hand, which sees all;
    what people ask goes through `readers`."""

    settings: Settings
    conninfo: str
    pool: Pool
    readers: Readers
    vault: Vault
    door: Door
    intake: Intake

    @property
    def head_file(self) -> Path:
        return self.settings.home / "heads.txt"


# What the clock also does, of the domains: repeated, and harmless when there is nothing left to do.
Chore = Callable[[Instance, datetime], Awaitable[Any]]


@asynccontextmanager
async def open_instance(
    settings: Settings, *, background: bool = False, progress: Progress = quiet, pool_size: int = 8,
    chores: Sequence[Chore] = (),
) -> AsyncIterator[Instance]:  # fmt: skip
    """Open everything, in order, and close it in reverse; `chores` are done in the background. Raises
    Problems with the remedy."""
    _calm_collector()
    async with AsyncExitStack() as stack:
        conninfo = settings.database_url
        if conninfo is None:
            server = await asyncio.to_thread(embedded.start, settings.home)
            stack.push_async_callback(asyncio.to_thread, server.close)
            conninfo = server.url
        stack.push_async_callback(close_readers)  # if a file of an instrument was read
        vault = open_vault(settings.key_file)
        await prepare(conninfo, vault, settings.key_file, progress=progress)
        pool: Pool = AsyncConnectionPool(
            conninfo, min_size=1, max_size=pool_size, open=False,
            kwargs={"autocommit": True, "options": READ_OPTIONS, "connect_timeout": 10},
            check=AsyncConnectionPool.check_connection if background else None,
            # Ask again at the next request, not after ever longer pauses, when the database is back.
            timeout=10, reconnect_timeout=4,
        )  # fmt: skip
        await stack.enter_async_context(pool)
        door = await stack.enter_async_context(Door(conninfo, CATALOGUE, vault, judged))
        readers = Readers(conninfo, most=pool_size)
        await stack.enter_async_context(readers.pool)
        intake = Intake(door, vault, pool)
        instance = Instance(settings, conninfo, pool, readers, vault, door, intake)
        if background:
            for work in (
                follow(conninfo, CATALOGUE),
                _tick(instance, chores),
                _keep_head(instance),
            ):
                stack.push_async_callback(end, asyncio.create_task(work))
        yield instance
        if background:
            write_head(instance)


async def judged(
    conn: psycopg.AsyncConnection[Any], sent: Sequence[tuple[Any, Event]]
) -> dict[UUID, Problem]:
    """The problems of what may not pass the door: uploads by who sends them, places at posts by what is
    left of them."""
    booked = [(by, event) for by, event in sent if isinstance(by, Booking)]
    others = [(by, event) for by, event in sent if not isinstance(by, Booking)]
    refused = await check(conn, others) if others else {}
    return refused | (await judge(conn, booked) if booked else {})


async def prepare(
    conninfo: str, vault: Vault, key_file: Path, *, progress: Progress = quiet
) -> None:
    """Migrations, the vault's key check, and the read tables whose SQL has changed."""
    async with await psycopg.AsyncConnection.connect(
        conninfo, autocommit=True, connect_timeout=10
    ) as conn:
        await migrate(conn)
        row = await (await conn.execute("SELECT check_ FROM vault.key WHERE id = 1")).fetchone()
        if fresh := check_key(vault, bytes(row[0]) if row else None, key_file):
            await conn.execute(
                "INSERT INTO vault.key VALUES (1, %s) ON CONFLICT DO NOTHING", [fresh]
            )
        await make_roles(conn)
        await rebuild(conn, CATALOGUE, await changed_tables(conn, CATALOGUE), progress=progress)
        await secure(conn, CATALOGUE)


def write_head(instance: Instance) -> None:
    """Note the chain's head outside the database, so that a cut-off tail is seen."""
    head = instance.door.head
    if not head.batch:
        return
    file = instance.head_file
    lines = file.read_text().splitlines() if file.exists() else []
    line = f"{head.batch} {head.hash}"
    if lines and lines[-1] == line:
        return
    # The first head of each 1,000 batches and the latest: enough to see a cut, small for years.
    kept = [x for i, x in enumerate(lines) if _thousand(x) not in {_thousand(y) for y in lines[:i]}]
    part = file.with_suffix(".part")
    part.write_text("\n".join([*kept, line]) + "\n")
    os.replace(part, file)


def _thousand(line: str) -> int:
    return int(line.partition(" ")[0]) // 1_000


async def _keep_head(instance: Instance) -> None:
    while True:
        await asyncio.sleep(HEAD_FILE_SECONDS)
        with suppress(OSError):
            write_head(instance)


async def _tick(instance: Instance, chores: Sequence[Chore]) -> None:
    async def turn(_instance: Instance, at: datetime) -> None:
        async with instance.pool.connection() as conn:
            await tick(conn, instance.door, at)

    while True:
        await asyncio.sleep(TICK_SECONDS)
        for chore in (turn, *chores):
            try:
                await chore(instance, now())
            except Exception as error:
                logger.warning("tick_failed", **error_facts(error))


@cache
def _calm_collector() -> None:
    """Let Python look for garbage in circles less often: an import or a busy door makes many short
    lived objects and no circles, and looking took an eighth of its time. Once in a process: what an
    instance that was closed has left is garbage, and must not be frozen with the rest."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
