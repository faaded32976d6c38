"""Coverage: who was expected, sampled, told and missing, per area and round. Reads only."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Literal
from uuid import UUID

import msgspec
import psycopg

from muster.config import (
    BOX_WINDOW_HOURS,
    BRIEFING_HOURS,
    DEFAULT_BOX_LEAST_DECIDEGREES,
    DEFAULT_BOX_MOST_DECIDEGREES,
    DEFAULT_HAND_OVER_MINUTES,
    DEFAULT_OBJECTION_HOURS,
    DEFAULT_TUBE_AGE_MINUTES,
    DEFAULT_TUBE_WARNING_MINUTES,
    PAGE_LIMIT,
    SUPPLY_HOURS,
)
from muster.core.clock import now
from muster.core.paging import Page, decode, page
from muster.core.rows import row, rows
from muster.coverage.engine.owners import owner
from muster.coverage.engine.plausible import Finding, Line, check
from muster.coverage.events import Said
from muster.coverage.overview import TUBE_STAGES, Overview

_HERE = "muster.coverage"
_SUMS = (
    "expected", "sampled", "resulted", "invalid", "pending", "recalled", "recall_open", "exempt",
    "away", "refused", "missing", "swabs",
)  # fmt: skip
STAGES = ("sealed", "in_transit", "received", "on_plate", "called", "released")  # a sheet may lack
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
        "total": {name: sum(one[name] or 0 for one in found) for name in (*_SUMS, *STAGES)},
        "unplaced": (await row(conn, _HERE, "unplaced", round=id_) or {}).get("persons", 0),
    }


async def round_by_id(conn: Conn, round: UUID) -> dict[str, Any]:
    """A round that is known to be there."""
    found = await row(conn, _HERE, "overview.sql:round", round=round)
    assert found
    return found


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


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person must look at: how many there are, since when there is the oldest and when the
    first of them falls due, where that is known; for whom it is, and the list of its records."""

    rank: int
    alarm: str
    count: int
    since: datetime | None
    due_at: datetime | None
    owner: str
    list: str


async def alarms(conn: Conn, at: datetime | None = None) -> list[dict[str, Any]]:
    """What a person must look at everywhere, gravest first; at a moment, else now."""
    at = at or now()
    found = gravest_first(
        await recorded_alarms(conn), await way_alarms(conn, at), await reported_alarms(conn, at)
    )
    return [msgspec.structs.asdict(one) for one in found]


async def reported_alarms(conn: Conn, at: datetime) -> list[dict[str, Any]]:
    """Figures reported of late that cannot be true."""
    since = at - timedelta(hours=BRIEFING_HOURS)
    told = [one for one in await briefings(conn, since=since) if one.findings]
    if not told:
        return []
    count = sum(len(one.findings) for one in told)
    first = min(one.reported_at for one in told)
    return [_alarm("figures_implausible", 2, count, since=first)]


def round_alarms(found: Overview) -> list[dict[str, Any]]:
    """What an overview itself shows to be wrong."""
    made = []
    if found.pace and found.pace.late:
        round, over = found.round, (found.pace.late_minutes or 0)
        made.append(_alarm("finish_after_end", 3, over or 1, due=round.ends_at))
    if found.findings:
        made.append(_alarm("sums_differ", 2, len(found.findings), since=found.computed_at))
    return made


def _alarm(
    alarm: str, rank: int, count: int, *, since: datetime | None = None, due: datetime | None = None
) -> dict[str, Any]:
    return {"rank": rank, "alarm": alarm, "count": count, "since": since, "due_at": due}


class Briefing(msgspec.Struct, frozen=True, kw_only=True):
    """Figures as somebody reported them, and what of them cannot be true."""

    briefing: UUID
    as_of: datetime
    source: str
    rounded_to: int
    total: Said | None
    parts: list[Said]
    reported_at: datetime
    reported_by: str
    findings: list[Finding]


async def briefings(
    conn: Conn, *, since: datetime | None = None, limit: int = PAGE_LIMIT
) -> list[Briefing]:
    """Figures reported since a moment, latest first."""
    found = await rows(conn, _HERE, "overview.sql:briefings", since=since, limit=limit)
    said = [
        msgspec.convert({**one, "findings": []}, Briefing, from_attributes=True) for one in found
    ]
    return [
        msgspec.structs.replace(one, findings=implausible(one.total, one.parts, one.rounded_to))
        for one in said
    ]


def implausible(total: Said | None, parts: Sequence[Said], rounded_to: int) -> list[Finding]:
    """What of reported figures cannot be true."""
    lines = [_said(one) for one in parts]
    return check(_said(total) if total else None, lines, rounded_to=rounded_to)


def _said(one: Said) -> Line:
    return Line(one.name, one.involved, one.sampled, one.resulted, one.share_permille)


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
        most=DEFAULT_BOX_MOST_DECIDEGREES, supply_hours=SUPPLY_HOURS,
    )  # fmt: skip


def gravest_first(*found: list[dict[str, Any]]) -> list[Alarm]:
    """Alarms of several lists as one, each with its owner."""
    told = sorted(chain(*found), key=lambda one: (one["rank"], one["alarm"]))
    return [
        Alarm(**one, owner=role, list=where)
        for one in told
        for role, where in [owner(one["alarm"])]
    ]


PERSON_STAGES = (
    "expected", "sampled", "sealed", "in_transit", "received", "on_plate", "called", "released",
)  # fmt: skip
_RECALLS = {"recalled": None, "recall_open": True, "closed": False}
PersonFigure = Literal[
    "expected", "sampled", "sealed", "in_transit", "received", "on_plate", "called", "released",
    "recalled", "recall_open", "closed", "exempt", "away", "refused", "missing",
]  # fmt: skip
TubeFigure = Literal[
    "opened", "sealed", "in_transit", "received", "on_plate", "called", "released"
]  # fmt: skip


async def people_at(
    conn: Conn, round: UUID, area: UUID, figure: PersonFigure, *, after: str | None = None,
    limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """Who is behind a figure of an area, in the order of the walk."""
    if figure == "missing":
        return await missing(conn, round, area, after=after, limit=limit)
    place, room, resident = decode(after, int, str, UUID) or (None, None, None)
    asked: dict[str, Any] = {
        "round": round, "area": area, "place": place, "room": room, "resident": resident,
        "limit": limit + 1, "figure": figure,
    }  # fmt: skip
    if figure in PERSON_STAGES:
        name, asked["stage"] = "by_stage", PERSON_STAGES.index(figure)
    elif figure in _RECALLS:
        name, asked["open"] = "by_recall", _RECALLS[figure]
    else:
        name = "by_reason"
    found = await rows(conn, _HERE, f"people_at.sql:{name}", **asked)
    return page(found, limit, ("place", "room", "resident"))


async def tubes_at(
    conn: Conn, round: UUID, place: dict[str, Any], figure: TubeFigure, *, exact: bool = False,
    site: UUID | None = None, since: datetime | None = None, until: datetime | None = None,
    after: str | None = None, limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """The tubes behind a figure of an area's sites, latest first. `place` as of `here`."""
    at, tube = decode(after, datetime, UUID) or (None, None)
    found = await rows(
        conn, _HERE, "people_at.sql:tubes_at", round=round, stage=TUBE_STAGES.index(figure) + 1,
        exact=exact, site=site, whole=place["depth"] == 0, lo=place["lo"], hi=place["hi"],
        since=since, until=until, at=at, tube=tube, limit=limit + 1,
    )  # fmt: skip
    return page(found, limit, ("at", "tube"))


async def here(conn: Conn, area: UUID) -> dict[str, Any]:
    """Where an area stands in the tree, with the names above it."""
    found = await row(conn, _HERE, "overview.sql:here", area=area)
    assert found
    return found


async def top_of(conn: Conn, areas: Sequence[UUID]) -> str | None:
    """The lowest area that holds all of these."""
    found = await row(conn, _HERE, "overview.sql:top", areas=list(areas))
    return str(found["area"]) if found else None
