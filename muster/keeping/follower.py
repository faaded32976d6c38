"""Followers: wide sums and searches that are refreshed right after commit instead of inside the
door's transaction, each from its own cursor. A reader is told their "as of".
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
import psycopg

from muster.config import FOLLOWER_CHUNK_EVENTS, FOLLOWER_PAUSE_SECONDS
from muster.core.log import error_facts, logger
from muster.core.sqlfile import query
from muster.ledger.door import LOCK
from muster.ledger.event import Body, Key
from muster.ledger.projection import Catalogue, Projection, Touched, Widening, uuid_array

Rows = Sequence[tuple[Any, ...]]

# Followers wait for nobody and block nobody; two servers must not both follow.
FOLLOWER_LOCK = LOCK + 1
STEP_LOCK = LOCK + 3  # nor a server and a verification refresh the same rows at once
_CURSOR, _AREAS, _AFTER = (
    query("muster.keeping", name).encode()
    for name in ("set_cursor", "areas_changed", "events_after")
)


async def follow(conninfo: str, catalogue: Catalogue) -> None:
    """Run all followers until cancelled. Rests four times as long as it worked: the door comes first."""
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(
                conninfo, autocommit=True, connect_timeout=10, application_name="muster follower"
            ) as conn:
                while not await _one(conn, "SELECT pg_try_advisory_lock(%s)", [FOLLOWER_LOCK]):
                    await asyncio.sleep(5)
                while True:
                    started = time.monotonic()
                    await catch_up(conn, catalogue, most=1)
                    worked = time.monotonic() - started
                    await asyncio.sleep(max(FOLLOWER_PAUSE_SECONDS, 4 * worked))
        except Exception as error:  # also an event of a type that only a newer server knows
            logger.warning("follower_interrupted", **error_facts(error))
            await asyncio.sleep(2)


async def catch_up(
    conn: psycopg.AsyncConnection[Any], catalogue: Catalogue, *, most: int | None = None
) -> int:
    """Bring each follower up to the head, in order, or by `most` chunks each; events done. None
    passes the head of the start: what reads another follower must not be ahead of it."""
    done, head = 0, await _one(conn, "SELECT coalesce(max(seq), 0) FROM ledger.event")
    for projection in catalogue.followers:
        chunks = 0
        while most is None or chunks < most:
            async with conn.transaction():
                await conn.execute("SELECT pg_advisory_xact_lock(%s)", [STEP_LOCK])
                # A plan made while a table was empty would read all of it once it is full.
                await conn.execute("SET LOCAL plan_cache_mode = force_custom_plan")
                moved = await _step(conn, projection, head)
            done, chunks = done + moved, chunks + 1
            if not moved:
                break
    return done


async def _step(conn: psycopg.AsyncConnection[Any], projection: Projection, head: int) -> int:
    seq = await _one(conn, "SELECT seq FROM ledger.follower WHERE name = %s", [projection.name])
    seq = seq or 0
    if head <= seq:
        return 0
    if projection.follower == "whole":
        if await _one(conn, _AREAS, [seq, head]):
            await _refresh_whole(conn, projection)
        await conn.execute(_CURSOR, {"name": projection.name, "seq": head})
        return head - seq
    last, touched = await touched_between(conn, seq, min(FOLLOWER_CHUNK_EVENTS, head - seq))
    await refresh(conn, projection, touched)
    await conn.execute(_CURSOR, {"name": projection.name, "seq": last})
    return last - seq


async def refresh_all(
    conn: psycopg.AsyncConnection[Any],
    projections: Sequence[Projection],
    widenings: Sequence[Widening],
    touched: Touched,
    *,
    also: Mapping[str, Rows] = MappingProxyType({}),
) -> None:
    """Recompute the rows of all these projections for the touched keys and what follows from them,
    and `also` these rows of keyed followers, by name; inside the caller's transaction."""
    spilled: list[Key] | None = None
    while spilled is None or spilled:
        await widen(conn, widenings, touched)
        spilled = []
        for projection in projections:
            spilled += await refresh(conn, projection, touched, also=also.get(projection.name, ()))
        touched.add(spilled)


async def widen(
    conn: psycopg.AsyncConnection[Any], widenings: Sequence[Widening], touched: Touched
) -> None:
    """Add the keys that follow from the touched ones."""
    for widening in widenings:
        if touched.any([widening.when]):
            cursor = await conn.execute(widening.sql, touched.parameters())
            touched.add([(widening.into, row[0]) for row in await cursor.fetchall()])


async def refresh(
    conn: psycopg.AsyncConnection[Any],
    projection: Projection,
    touched: Touched,
    *,
    also: Rows = (),
) -> list[Key]:
    """Recompute the rows of one projection for the touched keys; the keys its old rows spill."""
    keys = touched.parameters()
    if projection.follower == "whole":
        if touched.any([projection.touched or ""]):
            await _refresh_whole(conn, projection)
        return []
    if projection.keys_sql:
        rows = [*await row_keys(conn, projection, touched), *also]
        if not rows:
            return []
        keys = {
            column: uuid_array({row[i] for row in rows}) for i, column in enumerate(projection.key)
        }
    elif not projection.touched or not touched.any([projection.touched]):
        return []
    deletion = await conn.execute(projection.delete(), keys)
    old = {row[0] for row in await deletion.fetchall()} if projection.spills else set()
    await conn.execute(projection.insert(), keys)
    return touched.new(projection.spills, old) if projection.spills else []


async def _refresh_whole(conn: psycopg.AsyncConnection[Any], projection: Projection) -> None:
    await conn.execute(f"DELETE FROM {projection.name}".encode())
    await conn.execute(f"INSERT INTO {projection.name} SELECT * FROM {projection.view}".encode())


async def row_keys(
    conn: psycopg.AsyncConnection[Any], projection: Projection, touched: Touched
) -> Rows:
    """Which rows of a keyed follower the touched keys may change."""
    sql = projection.keys_sql
    if sql is None:
        return ()
    return await (await conn.execute(sql.encode(), touched.parameters())).fetchall()


async def touched_between(
    conn: psycopg.AsyncConnection[Any], after: int, limit: int
) -> tuple[int, Touched]:
    """The keys touched by up to `limit` events after a seq, and the last seq read."""
    cursor = await conn.execute(_AFTER, [after, limit])
    touched, last = Touched(), after
    for seq, type_, subject, body in await cursor.fetchall():
        last = seq
        if body is not None:
            touched.add(keys_of(type_, subject, body))
    return last, touched


def keys_of(type_: str, subject: Any, body: str) -> list[Key]:
    return list(msgspec.json.decode(body, type=Body.types[type_]).touches(subject))


async def _one(conn: psycopg.AsyncConnection[Any], sql: Any, values: Any = ()) -> Any:
    row = await (await conn.execute(sql, values)).fetchone()
    return row[0] if row else None
