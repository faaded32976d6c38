"""Questions about what nobody sees to: people without a task, grids, sites and homes without anybody."""

from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from muster.config import PAGE_LIMIT
from muster.core.paging import Page, decode, page
from muster.core.rows import rows
from muster.workforce import queries

Kind = Literal["no_task", "grid_uncovered", "no_police", "no_chief", "no_owner"]
Owned = Literal["street", "community", "compound", "grid", "building"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_HERE = "muster.workforce"
_FIRST = UUID(int=0)


async def gaps(
    conn: queries.Conn, kind: Kind, *, area: UUID, level: Owned | None = None, at: datetime,
    after: str | None = None, limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """What of a kind nobody sees to in an area; of homes without an owner those of a level."""
    (last,) = decode(after, UUID) or (_FIRST,)
    found = await rows(
        conn, _HERE, f"gaps.sql:{kind}", area=area, at=at, level=level, last=last, limit=limit + 1
    )
    return page(found, limit, ("id",))


async def owners_of(conn: queries.Conn, area: UUID) -> list[dict[str, Any]]:
    """Who answers for the homes of an area, from the top: one a level, or nobody."""
    return await rows(conn, _HERE, "gaps.sql:owners_of", area=area)


async def leads(
    conn: queries.Conn, area: UUID, *, after: str | None = None, limit: int = PAGE_LIMIT
) -> Page:
    """Who leads the places of an area."""
    last, part = decode(after, UUID, str) or (_FIRST, "")
    found = await rows(
        conn, _HERE, "gaps.sql:leads", area=area, last=last, part=part, limit=limit + 1
    )
    return page(found, limit, ("place", "part"))
