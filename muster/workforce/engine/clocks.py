"""How long somebody has stood: hours of duty since a rest, minutes in the protective suit, days on end. Values in,
values out.

Requirements Z11: 21 hours at a reception desk, eight hours standing, more than twenty days without a rest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from muster.workforce.engine.limits import Limits

Passed = Literal["watch", "limit", "grave", "suit"]


@dataclass(frozen=True, order=True)
class Span:
    """A time; without an end it lasts."""

    starts_at: datetime
    ends_at: datetime | None = None


@dataclass(frozen=True)
class Stint:
    """Somebody's time at one post. `breaks` lie in it; `suit`: it is done in a protective suit."""

    stood: Span
    suit: bool = False
    breaks: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Clock:
    """`duty_minutes`: at posts since the last rest, short breaks included; `suit_minutes`: in the suit
    without a break; `resting`: in a break now."""

    duty_minutes: int
    suit_minutes: int
    resting: bool


def clock(stints: Iterable[Stint], at: datetime, limits: Limits) -> Clock:
    """How somebody stands at a moment, from all their stints of the last days."""
    begun = sorted((one for one in stints if one.stood.starts_at <= at), key=lambda one: one.stood)
    rest = timedelta(hours=limits.rest_hours)
    total, since = timedelta(), at
    for one in reversed(begun):
        ended = min(one.stood.ends_at or at, at)
        if since - ended >= rest:
            break
        total += max(timedelta(), min(ended, since) - one.stood.starts_at)
        since = min(since, one.stood.starts_at)
    now = [one for one in begun if one.stood.ends_at is None or one.stood.ends_at > at]
    resting = bool(now) and all(_rests(one.breaks, at) for one in now)
    suited = max((_suited(one, at) for one in now if one.suit), default=timedelta())
    return Clock(_minutes(total), _minutes(suited), resting)


def _rests(breaks: Iterable[Span], at: datetime) -> bool:
    return any(one.starts_at <= at and (one.ends_at is None or one.ends_at > at) for one in breaks)


def _suited(stint: Stint, at: datetime) -> timedelta:
    """Since the stint or the last break of it began to be work; none in a break."""
    if _rests(stint.breaks, at):
        return timedelta()
    ended = [one.ends_at for one in stint.breaks if one.ends_at is not None and one.ends_at <= at]
    return at - max([stint.stood.starts_at, *ended])


def _minutes(span: timedelta) -> int:
    return int(span / timedelta(minutes=1))


def passed(found: Clock, limits: Limits, *, suit_minutes: int) -> list[tuple[Passed, int]]:
    """Which limits a clock has passed, and its value: the gravest of duty only. `suit_minutes`: the most in
    the suit in the heat there is."""
    over: list[tuple[Passed, int]] = []
    hours = found.duty_minutes // 60
    steps: Sequence[tuple[Passed, int]] = (
        ("grave", limits.grave_hours), ("limit", limits.limit_hours), ("watch", limits.watch_hours),
    )  # fmt: skip
    for name, most in steps:
        if found.duty_minutes >= most * 60:
            over.append((name, hours))
            break
    if found.suit_minutes >= suit_minutes:
        over.append(("suit", found.suit_minutes))
    return over


def days_on_end(days: Iterable[date], today: date) -> int:
    """For how many days without a free one somebody has been on duty, up to today or yesterday."""
    stood = set(days)
    day = today if today in stood else today - timedelta(days=1)
    count = 0
    while day in stood:
        count, day = count + 1, day - timedelta(days=1)
    return count
