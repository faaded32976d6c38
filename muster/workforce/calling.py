"""What the clock does for call-ups and posts: asks others for those who refused, stayed silent or gave their place
back, ends what is over, notes who has passed a limit.
"""

from datetime import datetime

from muster.core.ids import derived
from muster.instance import Instance
from muster.ledger.event import Event
from muster.workforce import decide, queries
from muster.workforce.clocks import clocks, newly_passed
from muster.workforce.events import CallUpClosed


async def fill_open_call_ups(muster: Instance, at: datetime) -> int:
    """One turn over every open call-up; how many more were asked."""
    asked = 0
    async with muster.pool.connection() as conn:
        for one in await queries.open_call_ups(conn):
            if one["last_end"] is not None and one["last_end"] <= at:
                id_ = derived("over", one["call_up"])
                await muster.door.append([Event(
                    id_, "CallUpClosed", one["call_up"], at, at, at, "rule:workforce.over", CallUpClosed("over"))
                ])  # fmt: skip
                continue
            asked += (await decide.top_up(conn, muster.door, one, at=at)).asked
    return asked


async def watch_clocks(muster: Instance, at: datetime) -> int:
    """Note who has passed a limit since the last turn; how many are noted."""
    async with muster.pool.connection() as conn:
        limits = await queries.limits(conn, at=at)
        events = newly_passed(await clocks(conn, area=None, limits=limits, at=at), at)
    await muster.door.append(events)
    return len(events)
