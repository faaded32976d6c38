"""HTTP for the map of a round, and for positions from a GeoJSON file."""

from typing import Any

from litestar import get, post
from litestar.params import FromQuery, JSONBody

from muster.core.clock import now
from muster.coverage import mapping, queries
from muster.coverage.overview_api import view
from muster.guarding import principal, reading
from muster.intake import positions
from muster.web import Ask, Label, language, muster


@get("/v1/map", right="funnel")
async def show_map(
    request: Ask, round: FromQuery[str | None] = None, area: FromQuery[str | None] = None
) -> mapping.Map:
    """A round in an area on a map: the areas below it with their figures, the sites by state."""
    asked = await view(request, round, area)
    here = muster(request)
    async with here.pool.connection() as conn:
        found = await queries.round_by_id(conn, asked.round)
        return await mapping.map_of(conn, found, asked.area, at=now(), tiles=here.settings.tiles)


@post("/v1/positions", status_code=200, right="decide_rounds")
async def place(
    request: Ask, data: JSONBody[dict[str, Any]], source: FromQuery[Label],
    generated: FromQuery[bool] = False,
) -> positions.Placed:  # fmt: skip
    """Positions and outlines of areas and sites from GeoJSON, matched by code or name; `generated`:
    made up for an exercise. What cannot be used is answered feature by feature."""
    who = principal(request)
    scope = who.scope("decide_rounds")
    found = positions.parse(data)
    async with reading(request) as conn:
        return await positions.place(
            muster(request).door, conn, found, source=source, generated=generated,
            within=None if scope.figures else sorted(scope.figure_areas), actor=who.login, at=now(),
            language=language(request),
        )  # fmt: skip


HANDLERS: list[Any] = [show_map, place]
