"""Coverage: who was expected, sampled, told and missing, per area and round. Reads only."""

from collections.abc import Collection
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

import psycopg

from muster.config import (
    BOX_WINDOW_HOURS,
    DEFAULT_BOX_LEAST_DECIDEGREES,
    DEFAULT_BOX_MOST_DECIDEGREES,
    DEFAULT_HAND_OVER_MINUTES,
    DEFAULT_OBJECTION_HOURS,
    DEFAULT_TUBE_AGE_MINUTES,
    DEFAULT_TUBE_WARNING_MINUTES,
    PAGE_LIMIT,
)
from muster.core.clock import now
from muster.core.paging import Page, decode, page
from muster.core.rows import row, rows

_HERE = "muster.coverage"
_SUMS = (
    "expected", "sampled", "resulted", "invalid", "pending", "recalled", "recall_open", "exempt",
    "away", "refused", "missing", "swabs",
)  # fmt: skip
Conn = psycopg.AsyncConnection[Any]


async def funnel(conn: Conn, round: dict[str, Any], area: UUID, level: str) -> dict[str, Any]:
    """The round's sums per area of `level` under `area`, their total, and as of when: of a closed
    round the sheet it was closed on, which reaches down to communities.

    `sampled` and all else are persons; `swabs` are person-times.
    """
    closed, id_ = round["closed_at"], round["round"]
    found = await rows(
        conn, _HERE, "closed_balance" if closed else "funnel", round=id_, area=area, level=level
    )
    as_of = {"as_of": closed, "behind_events": 0} if closed else await row(conn, _HERE, "as_of")
    return {
        "as_of": as_of,
        "denominator": {
            "source": "roster",
            "declared": await rows(conn, _HERE, "denominators", area=area),
        },
        "areas": found,
        "total": {name: sum(one[name] for one in found) for name in _SUMS},
        "unplaced": (await row(conn, _HERE, "unplaced", round=id_) or {}).get("persons", 0),
    }


async def missing(
    conn: Conn, round: UUID, area: UUID, *, after: str | None = None, limit: int = PAGE_LIMIT
) -> Page:
    """Not yet tested under an area, in the order of the walk."""
    place, room, resident = decode(after, int, str, UUID) or (None, None, None)
    found = await rows(
        conn, _HERE, "missing", round=round, area=area, place=place, room=room,
        resident=resident, limit=limit + 1,
    )  # fmt: skip
    return page(found, limit, ("place", "room", "resident"))


async def balance(conn: Conn, round: UUID) -> list[dict[str, Any]]:
    """The open round's sheet, per area down to communities."""
    return await rows(conn, _HERE, "balance", round=round)


async def closed_balance(conn: Conn, round: UUID) -> list[dict[str, Any]]:
    return await rows(conn, _HERE, "closed_balance", round=round, area=None, level=None)


async def alarms(conn: Conn, at: datetime | None = None) -> list[dict[str, Any]]:
    """What a person must look at everywhere, gravest first; at a moment, else now."""
    return gravest_first(await recorded_alarms(conn), await way_alarms(conn, at or now()))


async def recorded_alarms(conn: Conn) -> list[dict[str, Any]]:
    """Alarms of results, people and the ledger, as far as the connection sees them."""
    return await rows(conn, _HERE, "alarms", objection_hours=DEFAULT_OBJECTION_HOURS)


async def way_alarms(
    conn: Conn, at: datetime, *, whole: bool = True, sites: Collection[UUID] = (),
    areas: Collection[UUID] = (),
) -> list[dict[str, Any]]:  # fmt: skip
    """Alarms of tubes, boxes and laboratories at a moment: of the `whole`, or of some sites and those
    in some areas."""
    return await rows(
        conn, _HERE, "way_alarms", at=at, whole=whole, sites=list(sites), areas=list(areas),
        hours=BOX_WINDOW_HOURS, age=DEFAULT_TUBE_AGE_MINUTES, warning=DEFAULT_TUBE_WARNING_MINUTES,
        hand_over=DEFAULT_HAND_OVER_MINUTES, least=DEFAULT_BOX_LEAST_DECIDEGREES,
        most=DEFAULT_BOX_MOST_DECIDEGREES,
    )  # fmt: skip


def gravest_first(*found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Alarms of several lists as one."""
    return sorted(chain(*found), key=lambda one: (one["rank"], one["alarm"]))
