"""Redaction: salt and body of an event are destroyed under a ledgered authorisation. The digest
stays, so the chain still verifies, and without the salt nobody can confirm a guess of what it was.
"""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import psycopg

from muster.core.clock import now
from muster.core.ids import derived
from muster.keeping.follower import STEP_LOCK, keys_of, refresh_all, row_keys, widen
from muster.keeping.replay import REBUILD_LOCK
from muster.ledger.door import LOCK, Door
from muster.ledger.event import Event, RedactionAuthorised
from muster.ledger.projection import Touched


async def redact(
    conn: psycopg.AsyncConnection[Any],
    door: Door,
    ids: Sequence[UUID],
    *,
    actor: str,
    reason: Literal["erasure", "retention", "court_order", "mistake"],
) -> int:
    """Authorise and empty the events; rows that followed from them are recomputed. How many."""
    at = now()
    body = RedactionAuthorised(reason)
    await door.append(
        [
            Event(derived("redact", one), type(body).__name__, one, at, at, at, actor, body)
            for one in ids
        ]
    )
    async with conn.transaction():
        for lock in (REBUILD_LOCK, LOCK, STEP_LOCK):
            await conn.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
        rows = await (
            await conn.execute(
                "SELECT type, subject, body::text, id = ANY (%(ids)s) FROM ledger.event"
                " WHERE body IS NOT NULL AND type <> 'RedactionAuthorised' AND subject = ANY"
                " (ARRAY(SELECT subject FROM ledger.event WHERE id = ANY (%(ids)s)))",
                {"ids": list(ids)},
            )
        ).fetchall()
        touched = Touched()
        for type_, subject, text, _ in rows:  # what stays is shown as if it were all there is
            touched.add(keys_of(type_, subject, text))
        await widen(conn, door.catalogue.widenings, touched)
        shown = [p for p in door.catalogue.projections if p.stored]
        before = {p.name: await row_keys(conn, p, touched) for p in shown}
        await conn.execute(
            "UPDATE ledger.event SET salt = NULL, body = NULL"
            " WHERE id = ANY (%s) AND type <> 'RedactionAuthorised'",
            [list(ids)],
        )
        await conn.execute("DELETE FROM vault.note WHERE event = ANY (%s)", [list(ids)])
        await refresh_all(conn, shown, door.catalogue.widenings, touched, also=before)
    return sum(emptied for *_, emptied in rows)
