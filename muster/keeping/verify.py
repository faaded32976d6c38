"""Proof that the ledger is what was written and that what is shown follows from it: every stored
table equals its view, every event its digest, every batch the chain, the chain the head file.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg.rows import namedtuple_row

from muster.keeping.follower import catch_up
from muster.ledger.door import LOCK
from muster.ledger.event import body_bytes, canonical, digest
from muster.ledger.projection import Catalogue

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was written: where, and what."""

    where: str
    what: str


async def verify(
    conn: psycopg.AsyncConnection[Any],
    catalogue: Catalogue,
    *,
    head_file: Path | None = None,
    progress: Progress = lambda _what, _done, _total: None,
) -> list[Finding]:
    """Everything that is wrong; an empty list is the proof. Followers are brought up to date first.

    The connection must be in autocommit; the comparison itself runs on one snapshot.
    """
    await catch_up(conn, catalogue)
    findings: list[Finding] = []
    async with AsyncExitStack() as stack:
        # The door waits for the last bit: on the snapshot no follower is behind.
        await conn.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            await catch_up(conn, catalogue)
            await stack.enter_async_context(conn.transaction())
            await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            await conn.execute("SET LOCAL work_mem = '256MB'")
        finally:
            await conn.execute("SELECT pg_advisory_unlock(%s)", [LOCK])  # after its snapshot
        findings += [one async for one in _chain(conn, progress)]
        findings += [one async for one in _head(conn, head_file)]
        findings += [one async for one in _tables(conn, catalogue, progress)]
    return findings


async def _chain(conn: psycopg.AsyncConnection[Any], progress: Progress) -> AsyncIterator[Finding]:
    """Batches follow each other without a gap, each hash covers the digests as they stand, each
    digest the event as it stands; an emptied event needs its authorisation."""
    row = await (await conn.execute("SELECT coalesce(max(seq), 0) FROM ledger.event")).fetchone()
    total = row[0] if row else 0
    bad = await conn.execute(
        """
        SELECT b.id FROM (
            SELECT id, first_seq, last_seq, hash, lag(hash) OVER (ORDER BY id) AS before,
                coalesce(lag(last_seq) OVER (ORDER BY id), 0) + 1 AS expected,
                row_number() OVER (ORDER BY id) AS nth
            FROM ledger.batch) b
        LEFT JOIN LATERAL (
            SELECT string_agg(e.digest, ''::bytea ORDER BY e.seq) AS digests, count(*) AS n
            FROM ledger.event e WHERE e.seq BETWEEN b.first_seq AND b.last_seq) e ON true
        WHERE b.nth <> b.id OR b.first_seq <> b.expected OR e.n <> b.last_seq - b.first_seq + 1
            OR b.hash <> sha256(coalesce(b.before, ''::bytea) || int8send(b.id)
                || int8send(b.first_seq) || int8send(b.last_seq) || e.digests)
        ORDER BY b.id LIMIT 20"""
    )
    for (batch,) in await bad.fetchall():
        yield Finding(f"batch {batch}", "its hash does not follow from its events")
    loose = await conn.execute(
        "SELECT count(*) FROM ledger.event"
        " WHERE seq > coalesce((SELECT max(last_seq) FROM ledger.batch), 0)"
    )
    if (count := (await loose.fetchone() or (0,))[0]) > 0:
        yield Finding("ledger.event", f"{count} events stand outside every batch")
    async with conn.cursor("verify", row_factory=namedtuple_row) as cursor:
        cursor.itersize = 5_000
        await cursor.execute(
            "SELECT e.*, e.body::text AS text, EXISTS (SELECT FROM ledger.event r"
            " WHERE r.subject = e.id AND r.type = 'RedactionAuthorised') AS authorised"
            " FROM ledger.event e ORDER BY seq"
        )
        event: Any
        async for event in cursor:
            if event.seq % 5_000 == 1:
                progress("events", event.seq, total)
            if event.body is None or event.salt is None:
                if not event.authorised:
                    yield Finding(f"event {event.id}", "it was emptied without authorisation")
            else:
                body = body_bytes(msgspec.json.decode(event.text))
                if digest(event.salt, canonical(event, body)) != event.digest:
                    yield Finding(f"event {event.id}", "it is not what was written")


async def _head(
    conn: psycopg.AsyncConnection[Any], head_file: Path | None
) -> AsyncIterator[Finding]:
    """The head kept outside the database must still be in it: a cut-off tail is seen."""
    if head_file is None or not head_file.exists():
        return
    for line in head_file.read_text().splitlines():
        batch, _, hash_ = line.partition(" ")
        row = await (
            await conn.execute("SELECT hash FROM ledger.batch WHERE id = %s", [int(batch)])
        ).fetchone()
        if row is None:
            yield Finding(f"batch {batch}", "the head file knows it, the database does not")
        elif row[0].hex() != hash_.split(" ")[0]:
            yield Finding(f"batch {batch}", "the head file has another hash")


async def _tables(
    conn: psycopg.AsyncConnection[Any], catalogue: Catalogue, progress: Progress
) -> AsyncIterator[Finding]:
    stored = [p for p in catalogue.projections if p.stored]
    for done, projection in enumerate(stored):
        progress(projection.name, done, len(stored))
        for one, other, what in (
            (projection.name, projection.view, "rows that do not follow from the ledger"),
            (projection.view, projection.name, "rows that follow from the ledger and are missing"),
        ):
            sql = f"SELECT count(*) FROM (SELECT * FROM {one} EXCEPT ALL SELECT * FROM {other}) d"
            try:
                async with conn.transaction():
                    row = await (await conn.execute(sql.encode())).fetchone()
            except psycopg.DatabaseError as error:
                yield Finding(projection.name, f"its view fails: {type(error).__name__}")
                break
            if row and row[0]:
                yield Finding(projection.name, f"{row[0]} {what}")
    progress("done", len(stored), len(stored))
