"""Calling again what an adopted edition of call rules changes: open samples only."""

from datetime import datetime, timedelta

from muster.config import RUN_FILE_DAYS
from muster.core.rows import rows
from muster.instance import Instance
from muster.lab.deciding import deciding
from muster.lab.running import call_again

ACTOR = "rule:lab.call_open_again"


async def call_open_again(muster: Instance, at: datetime) -> int:
    """Call the runs with open samples under the editions now in force; how many were. Said again it
    finds nothing left to do."""
    since = at - timedelta(days=RUN_FILE_DAYS)
    async with muster.pool.connection() as conn:
        stale = await rows(conn, "muster.lab", "stale_runs", at=at, since=since)
    done = 0
    for one in stale:
        async with deciding(muster.pool, muster.door, one["lab"], actor=ACTOR, at=at) as desk:
            done += await call_again(desk, one["run"])
    return done
