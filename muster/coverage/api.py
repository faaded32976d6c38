"""HTTP for who was expected, sampled, told and missing."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath, FromQuery

from muster.core.paging import Page
from muster.coverage import briefing_api, map_api, overview_api, queries
from muster.guarding import area_within, principal, reading, within
from muster.registry.events import Level
from muster.sampling import queries as sampling
from muster.showing import Why, looking
from muster.web import After, Ask, Format, Limit


@get("/v1/rounds/{round:str}/funnel", right="funnel")
async def show_funnel(
    request: Ask, round: FromPath[str], area: FromQuery[str], level: FromQuery[Level] = "street"
) -> dict[str, Any]:
    """The round's figures per area of a level under an area; persons, and swabs as person-times."""
    async with reading(request) as conn:
        found = await sampling.round_(conn, round)
        top = await area_within(request, conn, area)
        return await queries.funnel(conn, found, top["area"], level)


@get("/v1/rounds/{round:str}/missing", right="missing")
async def list_missing(
    request: Ask,
    round: FromPath[str],
    area: FromQuery[str],
    reason: Why = None,
    after: After = None,
    limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:
    """Who has not been tested under an area, in the order of the walk."""
    async with looking(request, reason) as look:
        found = await sampling.round_(look.conn, round)
        top = (await area_within(request, look.conn, area, right=look.right))["area"]
        return await look.listing(
            lambda a, n: queries.missing(look.conn, found["round"], top, after=a, limit=n),
            after=after, limit=limit, format=format, name="missing",
        )  # fmt: skip


@get("/v1/rounds/{round:str}/balance", right="balance")
async def show_balance(request: Ask, round: FromPath[str]) -> list[dict[str, Any]]:
    """The balance sheet: of this moment while the round is open, else the one it was closed on; the
    lines of one's own areas."""
    async with reading(request) as conn:
        found = await sampling.round_(conn, round)
        sheet = queries.closed_balance if found["closed_at"] else queries.balance
        return await within(request, conn, await sheet(conn, found["round"]))


@get("/v1/alarms", right="alarms")
async def list_alarms(request: Ask) -> list[queries.Alarm]:
    """What a person must look at, gravest first: of one's own areas and sites, or of everywhere."""
    return await overview_api.glances(request).alarms(principal(request).scope("alarms"))


HANDLERS = [
    show_funnel, list_missing, show_balance, list_alarms,
    *overview_api.HANDLERS, *briefing_api.HANDLERS, *map_api.HANDLERS,
]  # fmt: skip
