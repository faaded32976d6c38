"""What a map of a round shows, whether or not anything has a position: areas by size, sites by state."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from muster.config import MAP_PIECES_LIMIT
from muster.core.rows import row, rows
from muster.coverage.overview import Place, SiteNow, as_place, sites_now

_HERE = "muster.coverage"
Conn = psycopg.AsyncConnection[Any]


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """An area on the map: persons who live in it, by stage; where it lies, in millionths of a degree
    (WGS 84), if that is known. `divided`: there are areas below it."""

    area: UUID
    parent: UUID | None
    code: str
    name: str
    level: str
    expected: int
    sampled: int
    released: int
    missing: int
    recall_open: int
    divided: bool
    lon_micro: int | None
    lat_micro: int | None
    outline: list[list[int]] | None
    generated: bool


class SiteOnMap(msgspec.Struct, frozen=True, kw_only=True):
    """A site as it works now, and where it stands, if that is known."""

    now: SiteNow
    lon_micro: int | None
    lat_micro: int | None
    generated: bool


class Map(msgspec.Struct, frozen=True, kw_only=True):
    """The area itself is the first piece. `placed`: some piece or site has a position. `tiles`: where
    a background may be had, if the operator has set one."""

    computed_at: datetime
    as_of: datetime | None
    area: Place
    pieces: list[Piece]
    sites: list[SiteOnMap]
    placed: bool
    generated: bool
    tiles: str | None


async def map_of(
    conn: Conn, round: dict[str, Any], area: UUID, *, at: datetime, tiles: str | None
) -> Map:
    """An area and what is below it, as deep as there is room for. Reads every row below the area: the
    caller has checked that it may be asked for."""
    place = await row(conn, _HERE, "overview.sql:here", area=area)
    assert place
    down, count = 0, 1
    for one in await rows(conn, _HERE, "map.sql:sizes", area=area):
        count += one["areas"]
        if count > MAP_PIECES_LIMIT and down:
            break
        down = one["down"]
    found = await rows(conn, _HERE, "map.sql:pieces", round=round["round"], area=area, down=down)
    pieces = msgspec.convert(found[:MAP_PIECES_LIMIT], list[Piece])
    where = {
        one["site"]: one
        for one in await rows(conn, _HERE, "map.sql:site_places", lo=place["lo"], hi=place["hi"])
    }
    nowhere = {"lon_micro": None, "lat_micro": None, "generated": False}
    sites = []
    for now in await sites_now(conn, round["round"], place, at=at):
        stands = where.get(now.site, nowhere)
        sites.append(SiteOnMap(now=now, **{name: stands[name] for name in nowhere}))
    as_of = {"as_of": round["closed_at"]}
    if not round["closed_at"]:
        as_of = await row(conn, _HERE, "overview.sql:as_of") or as_of
    placed = [one for one in (*pieces, *sites) if one.lon_micro is not None]
    return Map(
        computed_at=at, as_of=as_of["as_of"], area=as_place(place), pieces=pieces, sites=sites,
        placed=bool(placed), generated=any(one.generated for one in placed), tiles=tiles,
    )  # fmt: skip
