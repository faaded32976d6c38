"""HTTP for a round at one glance, live, and for the records behind each of its figures."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from muster.core.clock import now
from muster.core.paging import Page
from muster.core.problems import Problem
from muster.coverage import queries
from muster.coverage.live import Glance, Glances, View
from muster.coverage.overview import SiteNow, sites_now
from muster.coverage.queries import PersonFigure, TubeFigure
from muster.guarding import area_within, principal, reading
from muster.sampling import queries as sampling
from muster.showing import Why, looking
from muster.web import After, Ask, Format, Limit, muster


class WorkingSites(msgspec.Struct, frozen=True):
    """The sites of an area, the longest waits first, as of a moment."""

    as_of: datetime
    sites: list[SiteNow]


def glances(request: Ask) -> Glances:
    return request.app.state.glances


@get("/v1/overview", right="funnel")
async def show_overview(
    request: Ask, round: FromQuery[str | None] = None, area: FromQuery[str | None] = None
) -> Glance:
    """A round (else the newest) in an area (else all of the round's): persons and tubes by stage, the
    curve and the projected finish, sites, ages of tubes, laboratories, alarms."""
    return await glances(request).glance(await view(request, round, area))


@get("/v1/live", right="funnel", media_type="text/event-stream")
async def follow_overview(
    request: Ask, round: FromQuery[str | None] = None, area: FromQuery[str | None] = None,
    once: FromQuery[bool] = False,
) -> Stream:  # fmt: skip
    """The overview as server-sent events: at once, then whenever something has moved; or `once`."""
    asked = await view(request, round, area)
    principals, token = request.app.state.principals, principal(request)

    async def still() -> bool:
        try:
            who = await principals.of(request)
        except Problem:
            return False
        return not who.revoked and not who.limited and who.holdings == token.holdings

    sent = await glances(request).watch(
        asked, seen=request.headers.get("last-event-id"), still=still, once=once
    )
    return Stream(
        _aside(request, sent), media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )  # fmt: skip


async def _aside(request: Ask, sent: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A stream mostly waits: it is not counted as a request at work, and has a limit of its own."""
    hardened: Any = request.scope.get("muster.hardened")
    if hardened:
        hardened.at_work -= 1
    try:
        async for one in sent:
            yield one
    finally:
        if hardened:
            hardened.at_work += 1


async def view(request: Ask, round: str | None, area: str | None) -> View:
    """What is asked for: a round, else the newest, in an area, else in all of the round's. Raises
    RoundUnknown, AreaUnknown, OutsideYourArea."""
    who = principal(request)
    async with reading(request) as conn:
        found = await sampling.round_(conn, round or None)
        text = area or await queries.top_of(conn, found["areas"]) or str(found["areas"][0])
        top = await area_within(request, conn, text)
    scope = who.scope("alarms") if who.may("alarms") else None
    return View(found["round"], top["area"], scope)


@get("/v1/overview/sites", right="funnel")
async def list_working_sites(
    request: Ask, round: FromQuery[str | None] = None, area: FromQuery[str | None] = None
) -> WorkingSites:
    """The sites of an area as they work now: state, lanes, what came lately, queue and wait; the
    longest waits first."""
    asked = await view(request, round, area)
    async with muster(request).pool.connection() as conn:
        place = await queries.here(conn, asked.area)
        at = now()
        return WorkingSites(at, await sites_now(conn, asked.round, place, at=at))


@get("/v1/rounds/{round:str}/persons", right="missing")
async def list_persons(
    request: Ask,
    round: FromPath[str],
    area: FromQuery[str],
    figure: FromQuery[PersonFigure],
    reason: Why = None,
    after: After = None,
    limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:
    """Who is behind a figure of the overview: persons who live under an area, in the order of the walk."""
    async with looking(request, reason) as look:
        found = await sampling.round_(look.conn, round)
        top = (await area_within(request, look.conn, area, right=look.right))["area"]
        return await look.listing(
            lambda a, n: queries.people_at(
                look.conn, found["round"], top, figure, after=a, limit=n
            ),
            after=after, limit=limit, format=format, name=figure,
        )  # fmt: skip


@get("/v1/rounds/{round:str}/tubes", right="tubes")
async def list_round_tubes(
    request: Ask,
    round: FromPath[str],
    area: FromQuery[str],
    figure: FromQuery[TubeFigure],
    exact: FromQuery[bool] = False,
    site: FromQuery[str | None] = None,
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
    after: After = None,
    limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:
    """The tubes behind a figure of the overview: those filled at the sites of an area that have come so
    far, or `exact`ly so far; of one site, begun in a span."""
    async with looking(request) as look:
        found = await sampling.round_(look.conn, round)
        top = (await area_within(request, look.conn, area))["area"]
        place = await queries.here(look.conn, top)
        where = (await sampling.site(look.conn, site))["site"] if site else None
        return await look.listing(
            lambda a, n: queries.tubes_at(
                look.conn, found["round"], place, figure, exact=exact, site=where, since=since,
                until=until, after=a, limit=n,
            ),
            after=after, limit=limit, format=format, name="tubes", personal=False,
        )  # fmt: skip


HANDLERS = [
    show_overview, follow_overview, list_working_sites, list_persons, list_round_tubes,
]  # fmt: skip
