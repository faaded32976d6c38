"""Questions about those who stand at posts: clocks page by page, incidents, handing over."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from muster.config import PAGE_LIMIT
from muster.core.paging import Page, decode, page
from muster.core.rows import row, rows
from muster.workforce import clocks, queries
from muster.workforce.engine.limits import Limits

Only = Literal["passed", "resting", "relief"]
_HERE = "muster.workforce"


async def clock_page(
    conn: queries.Conn, found: Sequence[dict[str, Any]], *, only: Only | None, limits: Limits, zone: str,
    at: datetime, after: str | None = None, limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """A page of clocks in their order, with names and days on end. `found`: all of them (clocks.py); who has
    moved on between two pages may be missed or seen twice, as on any list of this moment."""
    wanted = [one for one in found if _wanted(one, only)]
    (skipped,) = decode(after, int) or (0,)
    part = [dict(one) for one in wanted[skipped : skipped + limit + 1]]
    staff = [one["staff"] for one in part]
    names = {one["staff"]: one for one in await rows(conn, _HERE, "relief.sql:names", staff=staff)}
    days = await clocks.days(conn, staff, zone=zone, at=at)
    for n, one in enumerate(part, skipped + 1):
        one |= {"name": None, "unit_name": None} | names.get(one["staff"], {})
        one["days"] = days.get(one["staff"], 0)
        one["passed"] = [limit for limit, _ in one["passed"]]
        if one["days"] >= limits.days:
            one["passed"].append("days")
        del one["noted"], one["suit_noted_at"]
        one["place"] = n
    return page(part, limit, ("place",))


def _wanted(one: dict[str, Any], only: Only | None) -> bool:
    match only:
        case "passed":
            return bool(one["passed"])
        case "resting":
            return one["resting"]
        case "relief":
            return one["wants_relief"]
    return True


async def incidents(
    conn: queries.Conn,
    *,
    open: bool,
    at: datetime,
    after: str | None = None,
    limit: int = PAGE_LIMIT,
) -> Page:
    """What befell people at posts, latest first."""
    before, last = decode(after, datetime, UUID) or (at + timedelta(days=1), UUID(int=0))
    found = await rows(
        conn, _HERE, "relief.sql:incidents", open=open, before=before, last=last, limit=limit + 1
    )
    return page(found, limit, ("happened_at", "incident"))


async def handover(
    conn: queries.Conn, posting: UUID, *, opened: Callable[[bytes], bytes]
) -> dict[str, Any] | None:
    """How a post was handed over, with the note; None where it was not."""
    if (found := await row(conn, _HERE, "relief.sql:handover", posting=posting)) is None:
        return None
    note = await row(conn, _HERE, "relief.sql:note", event=found.pop("event"))
    found["note"] = opened(bytes(note["sealed"])).decode() if note else None
    since, until = found.pop("to_arrived_at"), found.pop("left_at") or found["handed_over_at"]
    found["overlap_minutes"] = (
        max(0, int((until - since) / timedelta(minutes=1))) if since else None
    )
    return found
