"""Questions of the print room: who lives where in the order of the walk, whose a code is, what a site's
poster says.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg

from muster.core.paging import Page, decode, page
from muster.core.rows import row, rows

_HERE = "muster.papers"
Conn = psycopg.AsyncConnection[Any]


async def homes(conn: Conn, area: UUID) -> dict[str, int]:
    """How many people and rooms there are under an area."""
    return await row(conn, _HERE, "homes", area=area) or {"people": 0, "rooms": 0}


async def walk(conn: Conn, area: UUID, *, after: str | None, limit: int) -> Page:
    """People who live under an area, in the order of the walk: building, room."""
    place, room, resident = decode(after, int, str, UUID) or (None, None, None)
    found = await rows(
        conn, _HERE, "walk", area=area, place=place, room=room, resident=resident, limit=limit + 1
    )
    return page(found, limit, ("place", "room", "resident"))


async def grids(conn: Conn, buildings: list[UUID]) -> dict[UUID, dict[str, Any]]:
    """The grid of each building, or what stands right above it where there is none."""
    found = await rows(conn, _HERE, "grids", buildings=buildings)
    return {one["building"]: one for one in found}


async def people_of(
    conn: Conn, numbers: Sequence[int], ids: Sequence[UUID]
) -> list[dict[str, Any]]:
    """Whose codes these are, by number, or by id where a code carries one
    (registry/engine/personal_code.py: told_apart); of those who were merged, whom they are now."""
    return await rows(conn, _HERE, "people_of", numbers=list(numbers), ids=list(ids))


async def sites(conn: Conn, site: str | None, area: UUID | None) -> list[dict[str, Any]]:
    """A site, or the sites under an area, with the names of their place."""
    return await rows(conn, _HERE, "sites", site=site, area=area)
