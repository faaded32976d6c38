"""Coverage: who was expected, sampled, told and missing, per area and round. Reads only."""

from typing import Any
from uuid import UUID

import psycopg

from muster.config import DEFAULT_OBJECTION_HOURS, PAGE_LIMIT
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


async def alarms(conn: Conn) -> list[dict[str, Any]]:
    """What a person must look at, gravest first."""
    return await rows(conn, _HERE, "alarms", objection_hours=DEFAULT_OBJECTION_HOURS)
