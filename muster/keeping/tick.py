"""What time does: clock rules, retries of what stalled, the end of what was only kept for a while.
Nothing here asks for the time; it is given, so that a test or an exercise may choose it.
"""

from datetime import datetime
from typing import Any

import psycopg

from muster.core.clock import now as the_time
from muster.keeping.follower import STEP_LOCK, keys_of, refresh_all, touched_between
from muster.keeping.retention import end_automatic
from muster.ledger.door import LOCK, Door
from muster.ledger.projection import Rule, Touched
from muster.ledger.settle import consequence


async def tick(conn: psycopg.AsyncConnection[Any], door: Door, now: datetime) -> dict[str, int]:
    """One turn of the clock at `now`; counts of what it did. The connection must be in autocommit."""
    due = 0
    for rule in door.catalogue.rules:
        if rule.clock:
            rows = await (await conn.execute(rule.sql, {"now": now})).fetchall()
            due += len(rows)
            await door.append([consequence(rule, row, now) for row in rows])
    unstalled = await retry_stalled(conn, door)
    ended = await end_automatic(conn, now)
    return {
        "due": due, "unstalled": unstalled, "expired_inbox": ended["held_items"],
        "expired_notes": ended["free_text"],
        "expired_sessions": ended["sessions"] + ended["sign_in_codes"],
    }  # fmt: skip


async def retry_stalled(conn: psycopg.AsyncConnection[Any], door: Door) -> int:
    """Try the stalled subjects again, each by itself; how many are shown again."""
    cursor = await conn.execute(
        "SELECT DISTINCT e.id, e.type, e.subject, e.body::text"
        " FROM ledger.stalled s JOIN ledger.event e ON e.id = s.event WHERE e.body IS NOT NULL"
    )
    done = 0
    shown = [p for p in door.catalogue.projections if p.stored]
    for event, type_, subject, body in await cursor.fetchall():
        touched = Touched(keys_of(type_, subject, body))
        try:
            async with conn.transaction():
                for lock in (LOCK, STEP_LOCK):
                    await conn.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
                await refresh_all(conn, shown, door.catalogue.widenings, touched)
                await conn.execute("DELETE FROM ledger.stalled WHERE event = %s", [event])
        except psycopg.Error:
            continue
        for rule in door.catalogue.rules:
            await run_rule(conn, door, rule, touched)
        done += 1
    return done


async def run_rule(
    conn: psycopg.AsyncConnection[Any], door: Door, rule: Rule, touched: Touched
) -> int:
    """Append the consequences a rule misses for the touched keys; how many."""
    if rule.clock or not touched.any(rule.kinds):
        return 0
    rows = await (await conn.execute(rule.sql, touched.parameters())).fetchall()
    at = the_time()
    await door.append([consequence(rule, row, at) for row in rows])
    return len(rows)


async def reconcile(conn: psycopg.AsyncConnection[Any], door: Door, name: str) -> int:
    """Run one rule over the whole history, in chunks: for a rule that is new or was mended."""
    (rule,) = (rule for rule in door.catalogue.rules if rule.name == name)
    seq, done = 0, 0
    while True:
        last, touched = await touched_between(conn, seq, 5_000)
        if last == seq:
            return done
        done += await run_rule(conn, door, rule, touched)
        seq = last
