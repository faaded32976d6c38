"""What all decisions of a laboratory share: one at a time in each laboratory, on what is the case when
it is their turn, in the name of whoever decides.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from psycopg_pool import AsyncConnectionPool

from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.ledger.door import Door
from muster.ledger.event import Body, Event

Conn = psycopg.AsyncConnection[Any]
Pool = AsyncConnectionPool[Conn]
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Lock]] = WeakKeyDictionary()


class LabUnknown(Problem):
    """There is no laboratory {lab} on the list. List it first: muster lab add."""

    zh = "名单中没有实验室 {lab}。请先登记：muster lab add。"
    status = 404


class NotStored(Problem):
    """The decision could not be stored ({answer}). Nothing was changed; try again."""

    zh = "决定未能保存（{answer}），未作任何更改，请重试。"
    status = 409


@dataclass(frozen=True)
class Desk:
    """Where one person decides for one laboratory: a connection that no other decision of the
    laboratory uses at the same time, the door, and in whose name."""

    conn: Conn
    door: Door
    lab: str
    actor: str
    at: datetime

    def event(self, body: Body, subject: UUID, *, cause: UUID | None = None) -> Event:
        """An event of this decision."""
        return Event(
            uuid7(), type(body).__name__, subject, self.at, self.at, self.at, self.actor, body,
            cause=cause,
        )  # fmt: skip

    async def append(self, events: Sequence[Event]) -> None:
        """Store the events. Raises NotStored, and what the door raises."""
        for answer in await self.door.append(events):
            if answer not in ("stored", "known"):
                raise NotStored(answer=answer)


@asynccontextmanager
async def deciding(
    pool: Pool, door: Door, lab: str, *, actor: str, at: datetime
) -> AsyncIterator[Desk]:
    """One's turn to decide in a laboratory: whatever was decided before is seen, what comes after
    waits. In this process by a lock (waiting holds no connection), across processes by the database."""
    turns = _turns.setdefault(asyncio.get_running_loop(), defaultdict(asyncio.Lock))
    async with turns[lab], pool.connection() as conn, conn.transaction():
        key = int.from_bytes(hashlib.sha256(f"lab {lab}".encode()).digest()[:8], signed=True)
        await conn.execute("SELECT pg_advisory_xact_lock(%s)", [key])
        yield Desk(conn, door, lab, actor, at)
