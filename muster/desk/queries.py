"""Lists with filters and the search of the top bar, each within the caller's places."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from muster.config import BOX_WINDOW_HOURS, PAGE_LIMIT
from muster.core.paging import Page, decode, page
from muster.core.rows import rows
from muster.core.sqlfile import query

_HERE = "muster.desk"
Conn = psycopg.AsyncConnection[Any]
Stage = Literal[
    "open", "sealed", "packed", "handed_over", "received", "on_plate", "run", "released"
]  # fmt: skip
Flag = Literal[
    "over_capacity", "sealed_empty", "future_dated", "sealed_twice", "swab_not_in_seal", "any",
    "nobody",
]  # fmt: skip
Told = Literal["positive", "negative", "indeterminate", "invalid"]
OutcomeState = Literal["final", "conflict", "unproven"]


@dataclass(frozen=True)
class Reach:
    """What a list may show: everywhere, or some sites, what stands in some areas, and what some
    laboratories work on."""

    everywhere: bool = False
    sites: Collection[UUID] = ()
    areas: Collection[UUID] = ()
    labs: Collection[str] = ()

    def parameters(self) -> dict[str, Any]:
        return {
            "everywhere": self.everywhere, "sites": list(self.sites), "areas": list(self.areas),
            "labs": list(self.labs),
        }  # fmt: skip


@dataclass(frozen=True)
class TubeFilter:
    """Which tubes are asked for; what is None is not asked. `q`: how the barcode begins; `since` and
    `until` are of the seal, of an open tube of its opening."""

    q: str | None = None
    area: UUID | None = None
    site: UUID | None = None
    round: UUID | None = None
    stage: Stage | None = None
    flag: Flag | None = None
    outcome: Told | None = None
    state: OutcomeState | None = None
    since: datetime | None = None
    until: datetime | None = None


async def tubes(
    conn: Conn, reach: Reach, wanted: TubeFilter, *, after: str | None = None,
    limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """Tubes, newest first, with where each is and what is known of it. `conn` is Muster's own."""
    at, tube = decode(after, datetime, UUID) or (None, None)
    values: dict[str, Any] = {
        name: getattr(wanted, name)
        for name in ("q", "site", "round", "since", "until", "outcome", "state")
    } | {"at": at, "tube": tube, "flag": wanted.flag, "labs": list(reach.labs)}
    parts = [
        _where(name)
        for name in ("q", "site", "round", "since", "until", "outcome", "state")
        if values[name] is not None
    ]
    if wanted.stage:
        parts.append(_where(wanted.stage))
    if wanted.flag:
        parts.append(_where({"any": "any_flag", "nobody": "empty"}.get(wanted.flag, "flag")))
    if at is not None:
        parts.append(_where("after"))
    if not reach.everywhere or wanted.area:
        values["within"] = await sites_within(conn, reach, area=wanted.area)
        place = _where("sites")
        parts.append(f"({place} OR {_where('labs')})" if reach.labs else place)
    sql = _query("tubes").replace("{where}", "\n        AND ".join(parts) or "true")
    values |= {"limit": limit + 1, "hours": BOX_WINDOW_HOURS}
    async with conn.cursor(row_factory=dict_row) as cursor:
        # Planned for these very values: the same text may ask for a rare or a common thing.
        await cursor.execute(sql.encode(), values, prepare=False)
        found = await cursor.fetchall()
    return page(found, limit, ("at", "tube"))


async def sites_within(conn: Conn, reach: Reach, *, area: UUID | None = None) -> list[UUID]:
    """The sites of a reach, under an area if one is asked for."""
    found = await rows(conn, _HERE, "tubes.sql:sites_within", area=area, **reach.parameters())
    return [one["site"] for one in found]


async def found(
    conn: Conn, kind: str, text: str, *, limit: int, **values: Any
) -> list[dict[str, Any]]:
    """What of one kind the text may mean, the exact code first."""
    return await rows(conn, _HERE, f"finding.sql:{kind}", q=text, limit=limit, **values)


async def own_areas(conn: Conn, *, everywhere: bool, areas: Collection[UUID]) -> list[UUID]:
    """The widest areas under which somebody may be searched for by name."""
    asked = await rows(
        conn, _HERE, "finding.sql:own_areas", everywhere=everywhere, areas=list(areas)
    )
    return [one["area"] for one in asked]


def _query(name: str) -> str:
    return query(_HERE, f"tubes.sql:{name}")


def _where(name: str) -> str:
    return _query(f"where_{name}")
