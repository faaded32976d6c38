"""May somebody stand this shift? Values in, what it would break out. Limits are dated policy numbers; one that
is broken needs a person's name and reason.

Requirements Z11: 21 hours at a reception desk, 72 in a PCR room, a collapse at a post.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from muster.workforce.engine.posts import POSTS

Broken = Literal[
    "double_booked",
    "not_cleared",
    "too_long",
    "too_little_rest",
    "not_trained",
    "too_old",
    "not_fit",
]
# What no reason lifts: nobody stands in two places, nor anywhere between an incident and the clearance.
NEVER: frozenset[Broken] = frozenset({"double_booked", "not_cleared"})


@dataclass(frozen=True)
class Limits:
    """`shift_hours`: the most without a rest; `rest_hours`: what makes a rest; `suit_age`: the oldest in a
    protective suit. Alarms: after `watch_hours`, `limit_hours`, `grave_hours` of duty; after `suit_minutes`
    in the suit, or `suit_hot_minutes` from `hot_decidegrees` on; after `days` on end."""

    shift_hours: int = 12
    rest_hours: int = 8
    suit_age: int = 60
    watch_hours: int = 8
    limit_hours: int = 12
    grave_hours: int = 21
    suit_minutes: int = 240
    suit_hot_minutes: int = 60
    hot_decidegrees: int = 320
    days: int = 14


@dataclass(frozen=True, order=True)
class Shift:
    """From when until when somebody stands at a post."""

    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: "Shift") -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(frozen=True)
class Person:
    """What of somebody a post asks about."""

    birth_year: int | None = None
    fit: bool = True  # for a protective suit
    trained: frozenset[str] = frozenset()
    hurt: bool = False  # an incident befell them, and nobody has cleared them for this time


def broken(
    shift: Shift, others: Iterable[Shift], role: str, person: Person, limits: Limits
) -> list[Broken]:
    """What a shift would break for somebody who already stands these others, gravest first."""
    post, found = POSTS[role], list[Broken]()
    standing = list(others)
    if person.hurt:
        found.append("not_cleared")
    if any(shift.overlaps(one) for one in standing):
        found.append("double_booked")
    elif worked_hours([shift]) > limits.shift_hours:
        found.append("too_long")
    elif worked_hours(without_rest(shift, standing, limits)) > limits.shift_hours:
        found.append("too_little_rest")
    if post.trained and role not in person.trained:
        found.append("not_trained")
    if post.suit and not person.fit:
        found.append("not_fit")
    born = person.birth_year
    if post.suit and born and shift.starts_at.year - born > limits.suit_age:
        found.append("too_old")
    return found


def without_rest(shift: Shift, others: Iterable[Shift], limits: Limits) -> list[Shift]:
    """The shifts that hang together with this one, itself included: no rest lies between them. In two
    halves of a day somebody may stand, as long as the halves together are no more than a shift."""
    rest = timedelta(hours=limits.rest_hours)
    together, waiting = [shift], list(others)
    while joined := [
        one
        for one in waiting
        if any(
            one.starts_at < of.ends_at + rest and of.starts_at < one.ends_at + rest
            for of in together
        )
    ]:
        together += joined
        waiting = [one for one in waiting if one not in joined]
    return sorted(together)


def worked_hours(shifts: Iterable[Shift]) -> float:
    return sum((one.ends_at - one.starts_at) / timedelta(hours=1) for one in shifts)
