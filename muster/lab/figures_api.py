"""HTTP for figures of tubes on their way and of laboratories."""

from datetime import datetime, timedelta
from typing import Any

from litestar import get
from litestar.params import FromPath, FromQuery

from muster.core.clock import now, plausible
from muster.core.problems import Problem
from muster.guarding import check_lab, principal, reading
from muster.lab import figures
from muster.lab.figures import By, Reach
from muster.sampling import queries as sampling
from muster.web import Ask, muster

_DAYS = 31


class NoSuchTime(Problem):
    """From {since} to {until} is no time that can be summed: it must be of up to {days} days, and end
    after it begins."""

    zh = "{since} 至 {until} 不是可统计的时间段：最长 {days} 天，且结束须晚于开始。"
    status = 422


@get("/v1/tubes/ages", right="tubes")
async def show_ages(
    request: Ask, round: FromQuery[str | None] = None, lab: FromQuery[str | None] = None
) -> dict[str, Any]:
    """Sealed tubes on their way to a laboratory: how old they are by site, and where those are that
    are too old. Of a round (id or name); with `lab` of those in boxes bound for it."""
    reach = reach_of(request, "tubes", figures=False, lab=lab)
    found = None
    if round is not None:
        async with reading(request) as conn:
            found = (await sampling.round_(conn, round))["round"]
    async with muster(request).pool.connection() as conn:
        return await figures.ages(conn, reach, at=now(), round=found)


@get("/v1/stages", right="stages")
async def list_stages(
    request: Ask,
    by: FromQuery[By] = "site",
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
) -> list[dict[str, Any]]:
    """How long tubes sealed in a time (else the last day) took from stage to stage, and in which stage
    they are now, by site, box or laboratory."""
    begin, end = time_of(since, until)
    reach = reach_of(request, "stages", figures=True)
    async with muster(request).pool.connection() as conn:
        return await figures.stages(conn, reach, by=by, since=begin, until=end)


@get("/v1/labs/{lab:str}/reconciliation", right="stages")
async def show_reconciliation(
    request: Ask,
    lab: FromPath[str],
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
) -> dict[str, Any]:
    """What a laboratory received, ran and reported in a time (else the last day), by the hour, whether
    it adds up, and what does not."""
    check_lab(request, lab)
    begin, end = time_of(since, until)
    async with muster(request).pool.connection() as conn:
        return await figures.reconciliation(conn, lab, since=begin, until=end)


def reach_of(request: Ask, right: str, *, figures: bool, lab: str | None = None) -> Reach:
    """The tubes of which the caller may be shown by a right, `figures` alone or their codes too: a
    laboratory's own, else by place. Raises OutsideYourLab."""
    scope = principal(request).scope(right)
    everywhere = scope.everyone or (figures and scope.figures)
    if scope.labs and not everywhere:
        if lab is not None:
            check_lab(request, lab)
        return Reach(everywhere=True, labs=[lab] if lab is not None else sorted(scope.labs))
    areas = scope.figure_areas if figures else scope.people_areas
    return Reach(everywhere, scope.sites, areas, None if lab is None else [lab])


def time_of(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """A time to sum over, by default the last day before its end. Raises NoSuchTime."""
    at = now()
    end = at if until is None else until if until.tzinfo else until.replace(tzinfo=at.tzinfo)
    if not plausible(end):
        raise NoSuchTime(since=since, until=until, days=_DAYS)
    begin = end - timedelta(days=1) if since is None else since
    begin = begin if begin.tzinfo else begin.replace(tzinfo=at.tzinfo)
    if not (plausible(begin) and timedelta(0) < end - begin <= timedelta(days=_DAYS)):
        raise NoSuchTime(since=begin, until=end, days=_DAYS)
    return begin, end


HANDLERS = [show_ages, list_stages, show_reconciliation]
