"""A round at one glance: how far people and tubes have come, when it will be done, sites, laboratories.

Persons count where they live, tubes where they were filled; a person swabbed twice is one person, two
swabs and perhaps two tubes. Everything is of one moment, `computed_at`; what followers sum up is
`as_of` theirs.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from muster.config import (
    BOX_WINDOW_HOURS,
    DEFAULT_TUBE_AGE_MINUTES,
    OVERVIEW_SITES,
    QUEUE_MINUTES,
    SITE_SILENT_MINUTES,
)
from muster.core.rows import row, rows
from muster.coverage.engine.pace import Pace, pace
from muster.coverage.engine.plausible import Finding, Line, check
from muster.coverage.engine.queue import wait

_HERE = "muster.coverage"
Conn = psycopg.AsyncConnection[Any]
STAGES = (
    "expected", "sampled", "sealed", "in_transit", "received", "on_plate", "called", "released",
    "recalled", "recall_open", "exempt", "away", "refused", "missing", "swabs",
)  # fmt: skip
TUBE_STAGES = ("opened", "sealed", "in_transit", "received", "on_plate", "called", "released")


class Stages(msgspec.Struct, frozen=True, kw_only=True):
    """How many persons have come so far; each stage includes who went further. `called`: a run has
    found their tube's result; `released`: it is released. None: the sheet of a closed round does not
    say. `swabs` are person-times."""

    expected: int
    sampled: int
    sealed: int | None = None
    in_transit: int | None = None
    received: int | None = None
    on_plate: int | None = None
    called: int | None = None
    released: int | None = None
    recalled: int
    recall_open: int
    exempt: int
    away: int
    refused: int
    missing: int
    swabs: int


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """An area; `names`: those above it, from the top, and its own."""

    area: UUID
    code: str
    name: str
    level: str
    names: tuple[str, ...] = ()


class AreaStages(msgspec.Struct, frozen=True, kw_only=True):
    """One area below the one asked for, or `itself`: who lives in it outside any area below."""

    area: Place
    itself: bool = False
    persons: Stages


class TubeStages(msgspec.Struct, frozen=True, kw_only=True):
    """How many tubes have come so far, and the swabs in the sealed ones (person-times)."""

    opened: int
    sealed: int
    in_transit: int
    received: int
    on_plate: int
    called: int
    released: int
    swabs: int


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    """What was sampled in the hour from `hour`: tubes, swabs (person-times), and persons for the first
    time in the round."""

    hour: datetime
    tubes: int
    swabs: int
    persons: int


class SiteNow(msgspec.Struct, frozen=True, kw_only=True):
    """A site as it works now. `waiting` as counted at `counted_at`; `wait_minutes` as measured then, or
    `wait_estimated` from who waited and the swabs of the last quarter of an hour."""

    site: UUID
    code: str
    name: str
    area_name: str | None
    state: str  # open, silent (open, and nothing came for a while), closed
    lanes: int
    lanes_open: int
    swabs_15: int
    swabs_60: int
    last_at: datetime | None
    counted_at: datetime | None
    waiting: int | None
    wait_minutes: int | None
    wait_estimated: bool


class SitesNow(msgspec.Struct, frozen=True, kw_only=True):
    """Sites together; `worst`: those one should look at first."""

    sites: int
    open: int
    silent: int
    lanes_open: int
    waiting: int
    counted: int  # sites whose queue was counted lately
    longest_wait_minutes: int | None
    swabs_60: int
    worst: list[SiteNow]


class Ages(msgspec.Struct, frozen=True, kw_only=True):
    """Sealed tubes that no laboratory has, by their age in hours (the last: and more), and how many
    are over the limit of age."""

    hours: int
    tubes: int
    over: int
    oldest_at: datetime


class LabNow(msgspec.Struct, frozen=True, kw_only=True):
    """A laboratory's work: what is open by what is to be done next, and when it is done at its
    capacity. Capacity 0: not known."""

    lab: str
    name: str
    kind: str
    capacity_per_hour: int
    next: dict[str, int]
    open: int
    oldest_at: datetime | None
    released_hour: int
    backlog_minutes: int | None


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """People of an area as somebody declared them."""

    people: int
    source: str
    on: date


class RoundHead(msgspec.Struct, frozen=True, kw_only=True):
    round: UUID
    name: str
    starts_at: datetime
    ends_at: datetime
    closed_at: datetime | None


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. Denominator of every share: `total.expected`, from the roster; `declared` beside it."""

    computed_at: datetime
    as_of: datetime | None
    behind_events: int
    round: RoundHead
    area: Place
    declared: list[Declared]
    total: Stages
    areas: list[AreaStages]
    unplaced: int | None
    tubes: TubeStages
    curve: list[Hour]
    pace: Pace | None
    sites: SitesNow
    ages: list[Ages]
    labs: list[LabNow]
    findings: list[Finding]


async def overview(conn: Conn, round: dict[str, Any], area: UUID, *, at: datetime) -> Overview:
    """The round in an area at a moment. Reads every row below the area: the caller has checked that
    it may be asked for."""
    place = await row(conn, _HERE, "overview.sql:here", area=area)
    assert place
    whole = place["depth"] == 0
    below = await rows(conn, _HERE, "overview.sql:below", area=area)
    total, parts = await _persons(conn, round, place, below)
    counted = await rows(
        conn, _HERE, "overview.sql:tubes", round=round["round"], at=at, whole=whole,
        lo=place["lo"], hi=place["hi"],
    )  # fmt: skip
    as_of = {"as_of": round["closed_at"], "behind_events": 0}
    if not round["closed_at"]:
        as_of = await row(conn, _HERE, "overview.sql:as_of") or as_of
    unplaced = await row(conn, _HERE, "unplaced", round=round["round"]) if whole else None
    return Overview(
        computed_at=at, as_of=as_of["as_of"], behind_events=max(0, as_of["behind_events"] or 0),
        round=msgspec.convert(round, RoundHead), area=as_place(place),
        declared=msgspec.convert(await rows(conn, _HERE, "denominators", area=area), list[Declared]),
        total=total, areas=parts, unplaced=unplaced["persons"] if unplaced else None,
        tubes=_tubes(counted), curve=_curve(counted), pace=_pace(round, total, counted, at),
        sites=_together(await sites_now(conn, round["round"], place, at=at)),
        ages=await _ages(conn, round["round"], place, at), labs=await _labs(conn, place, at),
        findings=check(_line(total, place["name"]), [_line(p.persons, p.area.name) for p in parts]),
    )  # fmt: skip


async def _persons(
    conn: Conn, round: dict[str, Any], place: dict[str, Any], below: Sequence[dict[str, Any]]
) -> tuple[Stages, list[AreaStages]]:
    """The area's sum and those of the areas right below it, which add up to it."""
    asked = {"round": round["round"], "area": place["area"]}
    if round["closed_at"]:
        found = await rows(conn, _HERE, "overview.sql:closed_stages", **asked)
        whole = [one for one in found if one["whole"]]
        found = [one for one in found if not one["whole"]]
        total = _sum(whole or found)
    else:
        found = await rows(conn, _HERE, "overview.sql:stages", **asked)
        total = _sum(found)
    by_area = {one["area"]: one for one in found}
    parts = [
        AreaStages(area=as_place(one), persons=_sum([by_area[one["area"]]] if one["area"] in by_area else []))
        for one in below
    ]  # fmt: skip
    if below and None in by_area:
        parts.append(AreaStages(area=as_place(place), itself=True, persons=_sum([by_area[None]])))
    return total, parts


def _sum(found: Sequence[dict[str, Any]]) -> Stages:
    sums: dict[str, Any] = {}
    for name in STAGES:
        said = [one[name] for one in found]
        sums[name] = None if None in said else sum(said)
    return Stages(**sums)


def as_place(one: dict[str, Any]) -> Place:
    return Place(
        area=one["area"], code=one["code"], name=one["name"], level=one["level"],
        names=tuple(one.get("names") or ()),
    )  # fmt: skip


def _line(stages: Stages, name: str) -> Line:
    return Line(name, stages.expected, stages.sampled, stages.called)


def _tubes(counted: Sequence[dict[str, Any]]) -> TubeStages:
    passed = {
        name: sum(one["tubes"] for one in counted if one["stage"] >= stage)
        for stage, name in enumerate(TUBE_STAGES, 1)
    }
    return TubeStages(**passed, swabs=sum(one["swabs"] for one in counted if one["stage"] >= 2))


def _curve(counted: Sequence[dict[str, Any]]) -> list[Hour]:
    hours: dict[datetime, list[int]] = {}
    for one in counted:
        sums = hours.setdefault(one["hour"], [0, 0, 0])
        for n, name in enumerate(("tubes", "swabs", "persons")):
            sums[n] += one[name]
    return [
        Hour(hour=hour, tubes=tubes, swabs=swabs, persons=persons)
        for hour, (tubes, swabs, persons) in sorted(hours.items())
    ]


def _pace(
    round: dict[str, Any], total: Stages, counted: Sequence[dict[str, Any]], at: datetime
) -> Pace | None:
    if round["closed_at"] or at < round["starts_at"]:
        return None
    return pace(
        target=total.sampled + total.missing, done=total.sampled,
        last_hour=sum(one["persons_hour"] for one in counted),
        starts_at=round["starts_at"], ends_at=round["ends_at"], at=at,
    )  # fmt: skip


async def sites_now(
    conn: Conn, round: UUID, place: dict[str, Any], *, at: datetime
) -> list[SiteNow]:
    """The sites of an area, those one should look at first first."""
    found = await rows(
        conn, _HERE, "overview.sql:sites", round=round, at=at, lo=place["lo"], hi=place["hi"],
        queue_minutes=QUEUE_MINUTES,
    )  # fmt: skip
    return sorted((_site(one, at) for one in found), key=_urgency)


def _site(one: dict[str, Any], at: datetime) -> SiteNow:
    silent = one["last_at"] is None or at - one["last_at"] > timedelta(minutes=SITE_SILENT_MINUTES)
    waiting = one["waiting"]
    minutes, estimated = wait(
        waiting, one["wait_minutes"], swabs_15=one["swabs_15"], swabs_60=one["swabs_60"]
    )
    return SiteNow(
        site=one["site"], code=one["code"], name=one["name"], area_name=one["area_name"],
        state="closed" if not one["open"] else "silent" if silent else "open", lanes=one["lanes"],
        lanes_open=one["lanes_open"], swabs_15=one["swabs_15"], swabs_60=one["swabs_60"],
        last_at=one["last_at"], counted_at=one["counted_at"], waiting=waiting,
        wait_minutes=minutes, wait_estimated=estimated,
    )  # fmt: skip


def _urgency(one: SiteNow) -> tuple[int, int, int, str]:
    """Longest waits first, then open ones where nothing happens, then the busiest."""
    wait = one.wait_minutes if one.wait_minutes is not None else (one.waiting or -1)
    return -wait, 0 if one.state == "silent" else 1, -one.swabs_60, one.code


def _together(sites: Sequence[SiteNow]) -> SitesNow:
    waits = [one.wait_minutes for one in sites if one.wait_minutes is not None]
    return SitesNow(
        sites=len(sites), open=sum(one.state != "closed" for one in sites),
        silent=sum(one.state == "silent" for one in sites),
        lanes_open=sum(one.lanes_open for one in sites if one.state != "closed"),
        waiting=sum(one.waiting or 0 for one in sites),
        counted=sum(one.waiting is not None for one in sites),
        longest_wait_minutes=max(waits, default=None),
        swabs_60=sum(one.swabs_60 for one in sites), worst=list(sites[:OVERVIEW_SITES]),
    )  # fmt: skip


async def _ages(conn: Conn, round: UUID, place: dict[str, Any], at: datetime) -> list[Ages]:
    found = await rows(
        conn, _HERE, "overview.sql:ages", round=round, at=at, age=DEFAULT_TUBE_AGE_MINUTES,
        hours=BOX_WINDOW_HOURS, whole=place["depth"] == 0, lo=place["lo"], hi=place["hi"],
    )  # fmt: skip
    return msgspec.convert(found, list[Ages])


async def _labs(conn: Conn, place: dict[str, Any], at: datetime) -> list[LabNow]:
    found = await rows(
        conn, _HERE, "overview.sql:labs", at=at, whole=place["depth"] == 0, lo=place["lo"],
        hi=place["hi"],
    )  # fmt: skip
    return [
        LabNow(**one, backlog_minutes=round(60 * one["open"] / one["capacity_per_hour"])
               if one["capacity_per_hour"] else None)
        for one in found
    ]  # fmt: skip
