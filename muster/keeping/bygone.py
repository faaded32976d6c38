"""The read tables as they were when the ledger ended at some event: computed anew from the events up to
there, in schemas of their own within one transaction that is never committed.

What came later (amendments, late arrivals, other merges) is as if it had not come. What was emptied
since is missing, and is counted.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from muster.core.problems import Problem
from muster.keeping.follower import catch_up
from muster.ledger.door import LOCK
from muster.ledger.projection import Catalogue, Projection

Conn = psycopg.AsyncConnection[Any]
_TABLE = re.compile(r"\b[a-z]+\.[a-z_]+\b")
_EVENT = "ledger.event"


class SeqUnknown(Problem):
    """The ledger does not reach to number {seq}: it ends at {head}."""

    zh = "账本没有第 {seq} 号事件，最后一号为 {head}。"
    status = 409


@dataclass(frozen=True)
class Head:
    """Where the ledger ends: an event's number and the hash of the chain up to there."""

    seq: int
    hash: str


@dataclass(frozen=True)
class Sight:
    """A connection, and how the SQL of a question is to be written there."""

    conn: Conn
    head: Head
    rewritten: Callable[[str], str]


@asynccontextmanager
async def now_seen(conn: Conn) -> AsyncIterator[Sight]:
    """The read tables of one moment as they are, with followers wherever they have come."""
    async with conn.transaction(force_rollback=True):
        await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield Sight(conn, await _head(conn, None), lambda sql: sql)


@asynccontextmanager
async def as_it_is(conn: Conn, catalogue: Catalogue) -> AsyncIterator[Sight]:
    """The read tables of one moment, with every follower at the ledger's head. The connection must be
    in autocommit and the owner's. The door waits for the last bit of following only."""
    await catch_up(conn, catalogue)
    await conn.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    locked = True
    try:
        await catch_up(conn, catalogue)
        async with conn.transaction(force_rollback=True):
            await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            head = await _head(conn, None)
            await conn.execute("SELECT pg_advisory_unlock(%s)", [LOCK])  # after its snapshot
            locked = False
            yield Sight(conn, head, lambda sql: sql)
    finally:
        if locked:
            await conn.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


@asynccontextmanager
async def as_it_was(
    conn: Conn, catalogue: Catalogue, seq: int, sql: Iterable[str]
) -> AsyncIterator[Sight]:
    """The read tables that some SQL reads, as they were at an event. The connection must be in autocommit
    and the owner's. Raises SeqUnknown."""
    needed = _needed(catalogue, sql)
    async with conn.transaction(force_rollback=True):
        await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await conn.execute("SET LOCAL jit = off")
        await conn.execute("SET LOCAL work_mem = '256MB'")
        await conn.execute("SET LOCAL statement_timeout = 0")
        head = await _head(conn, seq)
        names = {_EVENT, *(projection.name for projection in needed)}

        def rewritten(text: str) -> str:
            return _TABLE.sub(lambda m: _then(m[0]) if m[0] in names else m[0], text)

        for schema in sorted({_then(name).partition(".")[0] for name in names}):
            await conn.execute(f"CREATE SCHEMA {schema}".encode())
        await conn.execute(
            f"CREATE VIEW {_then(_EVENT)} AS SELECT * FROM {_EVENT} WHERE seq <= {int(seq)}".encode()
        )
        for projection in needed:
            await _fill(conn, projection, rewritten)
        yield Sight(conn, head, rewritten)


async def emptied_since(conn: Conn, seq: int) -> int:
    """How many events up to a number were emptied by an authorisation that came later."""
    cursor = await conn.execute(
        "SELECT count(*) FROM ledger.event r JOIN ledger.event e ON e.id = r.subject"
        " WHERE r.seq > %(seq)s AND r.type = 'RedactionAuthorised' AND e.seq <= %(seq)s"
        " AND e.body IS NULL",
        {"seq": seq},
    )
    return (await cursor.fetchone() or (0,))[0]


async def _head(conn: Conn, seq: int | None) -> Head:
    cursor = await conn.execute(
        "SELECT last_seq, encode(hash, 'hex') FROM ledger.batch"
        " WHERE %(seq)s::bigint IS NULL OR last_seq = %(seq)s ORDER BY id DESC LIMIT 1",
        {"seq": seq},
    )
    found = await cursor.fetchone()
    if found is None:
        if seq:
            last = await (await conn.execute("SELECT max(seq) FROM ledger.event")).fetchone()
            raise SeqUnknown(seq=seq, head=(last and last[0]) or 0)
        return Head(0, "0" * 64)
    return Head(*found)


def _needed(catalogue: Catalogue, sql: Iterable[str]) -> list[Projection]:
    """The projections that some SQL reads, and those they are made of, in the catalogue's order."""
    wanted = {name for text in sql for name in _TABLE.findall(text)}
    found = []
    for projection in reversed(catalogue.projections):
        if projection.name in wanted:
            found.append(projection)
            wanted |= set(_TABLE.findall(projection.select))
    return list(reversed(found))


async def _fill(conn: Conn, projection: Projection, rewritten: Callable[[str], str]) -> None:
    name, select = _then(projection.name), rewritten(projection.select)
    if not projection.stored:
        await conn.execute(f"CREATE VIEW {name} AS {select}".encode())
        return
    await conn.execute(f"CREATE TABLE {name} AS {select}".encode())
    for column in dict.fromkeys([", ".join(projection.key), *projection.indexes]):
        await conn.execute(f"CREATE INDEX ON {name} ({column.partition(' where ')[0]})".encode())
    await conn.execute(f"ANALYZE {name}".encode())


def _then(name: str) -> str:
    schema, _, table = name.partition(".")
    return f"{schema}__then.{table}"
