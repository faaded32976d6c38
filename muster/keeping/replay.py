"""Rebuilding read tables from the ledger while the door goes on: fill shadow tables from one
snapshot, catch up with what came since, take the door's lock, swap.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import errors

from muster.config import FOLLOWER_CHUNK_EVENTS
from muster.keeping.follower import refresh, refresh_all, touched_between
from muster.keeping.securing import dependent, guard, lift
from muster.ledger.door import LOCK
from muster.ledger.projection import Catalogue, Projection, Widening

Progress = Callable[[str, int, int], None]  # what is being done, steps done, steps in all
REBUILD_LOCK = LOCK + 2
SMALL_LAG_EVENTS = 500


def quiet(_what: str, _done: int, _total: int) -> None:
    """A progress callback for where nobody watches."""


def built_from(projection: Projection) -> bytes:
    """What a read table remembers: it is rebuilt when this changes."""
    parts = (projection.select, projection.key, projection.indexes)
    return hashlib.sha256(repr(parts).encode()).digest()


def _indexes(projection: Projection) -> Iterator[bytes]:
    columns = dict.fromkeys([", ".join(projection.key), *projection.indexes])
    for column, where, condition in (one.partition(" where ") for one in columns):
        yield f"CREATE INDEX ON {projection.name} ({column}){where}{condition}".encode()


async def changed_tables(
    conn: psycopg.AsyncConnection[Any], catalogue: Catalogue
) -> tuple[Projection, ...]:
    """The read tables whose SQL is not what they were built from, and all that read from those."""
    rows = await (await conn.execute("SELECT name, hash FROM ledger.read_table")).fetchall()
    known = {name: bytes(hash_) for name, hash_ in rows}
    names: set[str] = set()
    for projection in catalogue.projections:
        reads = set(re.findall(r"\b\w+\.\w+\b", projection.select))
        if known.get(projection.name) != built_from(projection) or reads & names:
            names.add(projection.name)
    return tuple(p for p in catalogue.projections if p.name in names)


async def rebuild(
    conn: psycopg.AsyncConnection[Any],
    catalogue: Catalogue,
    which: Sequence[Projection] | None = None,
    *,
    progress: Progress = quiet,
) -> int:
    """Rebuild `which` (default: all) and swap them in; the seq they stand at.

    The connection must be in autocommit. Another rebuild at the same time waits for this one.
    """
    chosen = tuple(catalogue.projections if which is None else which)
    if not chosen:
        return 0
    shadows = tuple(_shadow(p, chosen) for p in chosen)
    widenings = [
        replace(w, sql=_renamed(w.sql.decode(), chosen).encode()) for w in catalogue.widenings
    ]
    total = len(chosen) + 2
    await conn.execute("SELECT pg_advisory_lock(%s)", [REBUILD_LOCK])
    try:
        await _drop_shadows(conn, shadows)
        async with conn.transaction():
            await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            await conn.execute("SET LOCAL work_mem = '256MB'")
            await conn.execute("SET LOCAL jit = off")
            seq = await _head(conn)
            for done, projection in enumerate(shadows):
                progress(chosen[done].name, done, total)
                await _fill(conn, projection)
        progress("catching up", len(chosen), total)
        while await _head(conn) - seq > SMALL_LAG_EVENTS:
            seq = await _advance(conn, shadows, widenings, seq)
        progress("swapping", len(chosen) + 1, total)
        seq = await _swap(conn, catalogue, chosen, shadows, widenings, seq)
        progress("done", total, total)
        return seq
    finally:
        await _drop_shadows(conn, shadows)
        await conn.execute("SELECT pg_advisory_unlock(%s)", [REBUILD_LOCK])


async def _fill(conn: psycopg.AsyncConnection[Any], shadow: Projection) -> None:
    schema = shadow.name.partition(".")[0]
    await conn.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}".encode())
    await conn.execute(f"CREATE VIEW {shadow.view} AS {shadow.select}".encode())
    if shadow.stored:
        # CREATE TABLE AS can read in parallel, INSERT … SELECT cannot.
        await conn.execute(f"CREATE TABLE {shadow.name} AS SELECT * FROM {shadow.view}".encode())
        for index in _indexes(shadow):
            await conn.execute(index)
        await conn.execute(f"ANALYZE {shadow.name}".encode())


async def _advance(
    conn: psycopg.AsyncConnection[Any],
    shadows: Sequence[Projection],
    widenings: Sequence[Widening],
    seq: int,
) -> int:
    last, touched = await touched_between(conn, seq, FOLLOWER_CHUNK_EVENTS)
    if last > seq:
        async with conn.transaction():
            immediate = [shadow for shadow in shadows if not shadow.follower]
            await refresh_all(conn, immediate, widenings, touched)
            for shadow in shadows:
                if shadow.follower:
                    await refresh(conn, shadow, touched)
    return last


async def _swap(
    conn: psycopg.AsyncConnection[Any],
    catalogue: Catalogue,
    chosen: Sequence[Projection],
    shadows: Sequence[Projection],
    widenings: Sequence[Widening],
    seq: int,
) -> int:
    """Under the door's lock: the last catch-up, then the shadows take the tables' places."""
    for _ in range(60):
        try:
            async with conn.transaction():
                await conn.execute("SET LOCAL lock_timeout = '2s'")
                await conn.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
                while (last := await _advance(conn, shadows, widenings, seq)) != seq:
                    seq = last
                guards = dependent(catalogue, [p.name for p in chosen])
                await lift(conn, guards)
                for old in reversed(chosen):
                    await conn.execute(f"DROP VIEW IF EXISTS {old.view}".encode())
                    if old.stored:
                        await conn.execute(f"DROP TABLE IF EXISTS {old.name}".encode())
                for old, new in zip(chosen, shadows, strict=True):
                    await _take_place(conn, old, new, seq)
                await guard(conn, catalogue, guards)
            return seq
        except errors.LockNotAvailable:
            continue  # a long reader is in the way: let the door go on and try again
    raise errors.LockNotAvailable("readers kept the old tables busy")


async def _take_place(
    conn: psycopg.AsyncConnection[Any], old: Projection, new: Projection, seq: int
) -> None:
    schema = old.name.partition(".")[0]
    await conn.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}".encode())
    await conn.execute(f"ALTER VIEW {new.view} SET SCHEMA {schema}".encode())
    if new.stored:
        await conn.execute(f"ALTER TABLE {new.name} SET SCHEMA {schema}".encode())
    await conn.execute(
        "INSERT INTO ledger.read_table VALUES (%s, %s, %s)"
        " ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, kind = excluded.kind",
        [old.name, built_from(old), "table" if old.stored else "view"],
    )
    if old.follower:
        await conn.execute(
            "INSERT INTO ledger.follower VALUES (%s, %s, now())"
            " ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, as_of = excluded.as_of",
            [old.name, seq],
        )


def _shadow(projection: Projection, chosen: Sequence[Projection]) -> Projection:
    """The same projection in a schema of its own, reading the other shadows."""
    return replace(
        projection,
        name=_renamed(projection.name, chosen),
        select=_renamed(projection.select, chosen),
        keys_sql=_renamed(projection.keys_sql, chosen) if projection.keys_sql else None,
    )


def _renamed(sql: str, chosen: Sequence[Projection]) -> str:
    names = "|".join(re.escape(p.name) for p in chosen)
    return re.sub(rf"\b({names})(_view)?\b", lambda m: m[0].replace(".", "__new.", 1), sql)


async def _drop_shadows(conn: psycopg.AsyncConnection[Any], shadows: Sequence[Projection]) -> None:
    for schema in sorted({shadow.name.partition(".")[0] for shadow in shadows}):
        await conn.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())


async def _head(conn: psycopg.AsyncConnection[Any]) -> int:
    row = await (await conn.execute("SELECT coalesce(max(seq), 0) FROM ledger.event")).fetchone()
    assert row
    return row[0]
