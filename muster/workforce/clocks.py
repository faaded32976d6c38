"""Who stands, for how long, and who has passed a limit."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from muster.config import CLOCK_DAYS, DUTY_DAYS, HEAT_HOURS
from muster.core.ids import derived
from muster.core.rows import rows
from muster.ledger.event import Event
from muster.workforce import queries
from muster.workforce.engine.clocks import Clock, Passed, Span, Stint, clock, days_on_end, passed
from muster.workforce.engine.heat import suit_minutes
from muster.workforce.engine.limits import Limits
from muster.workforce.engine.posts import POSTS
from muster.workforce.events import LimitPassed

_HERE = "muster.workforce"
BY = "rule:workforce.clocks"


async def clocks(
    conn: queries.Conn, *, area: UUID | None, limits: Limits, at: datetime
) -> list[dict[str, Any]]:
    """Everybody who stands somewhere in an area, with duty_minutes, suit_minutes, resting and the limits
    passed, who has stood longest first."""
    found = await rows(
        conn, _HERE, "relief.sql:at_posts", area=area, at=at, since=at - timedelta(days=CLOCK_DAYS),
        hot_since=at - timedelta(hours=HEAT_HOURS),
    )  # fmt: skip
    stints: dict[UUID, list[dict[str, Any]]] = {}
    for one in found:
        stints.setdefault(one["standing"], []).append(one)
    told = [_told(of, limits, at) for of in stints.values()]
    return sorted(told, key=lambda one: (-one["duty_minutes"], str(one["posting"])))


def _told(of: Sequence[dict[str, Any]], limits: Limits, at: datetime) -> dict[str, Any]:
    found: Clock = clock([_stint(one) for one in of], at, limits)
    one, most = of[0], suit_minutes(of[0]["decidegrees"], limits)
    here = ("staff", "role", "demand", "area", "area_name", "site", "site_code", "site_name", "arrived_at",
            "until", "wants_relief", "decidegrees", "noted", "suit_noted_at")  # fmt: skip
    return {name: one[name] for name in here} | {
        "posting": one["standing"], "duty_minutes": found.duty_minutes, "suit_minutes": found.suit_minutes,
        "suit_most_minutes": most, "resting": found.resting,
        "passed": passed(found, limits, suit_minutes=most),
    }  # fmt: skip


def _stint(one: dict[str, Any]) -> Stint:
    breaks = tuple(Span(*of) for of in zip(one["began"], one["ended"], strict=True))
    return Stint(Span(one["stint_at"], one["stint_end"]), POSTS[one["stint_role"]].suit, breaks)


async def days(
    conn: queries.Conn, staff: Sequence[UUID], *, zone: str, at: datetime
) -> dict[UUID, int]:
    """For how many days on end each has been on duty."""
    found = await rows(
        conn,
        _HERE,
        "relief.sql:days",
        staff=list(staff),
        zone=zone,
        since=at - timedelta(days=DUTY_DAYS),
    )
    today = at.astimezone(ZoneInfo(zone)).date()
    return {one["staff"]: days_on_end(one["days"], today) for one in found}


def newly_passed(standing: Sequence[dict[str, Any]], at: datetime) -> list[Event]:
    """The limits that are passed and not noted yet: each once at a post, that of the suit once a stretch."""
    return [
        _event(one, limit, value, at)
        for one in standing
        for limit, value in one["passed"]
        if not _noted(one, limit, at)
    ]


def _noted(one: dict[str, Any], limit: Passed, at: datetime) -> bool:
    if limit != "suit" or limit not in one["noted"]:
        return limit in one["noted"]
    return one["suit_noted_at"] > at - timedelta(minutes=one["suit_minutes"])


def _event(one: dict[str, Any], limit: Passed, value: int, at: datetime) -> Event:
    id_ = derived("limit passed", one["posting"], limit, at.isoformat())
    return Event(id_, "LimitPassed", one["posting"], at, at, at, BY, LimitPassed(limit, value))
