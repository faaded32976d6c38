"""A person's status: what follows, at a moment, from recorded facts under dated rules. Values in,
values out; nothing stores it, and there is nothing to set.

Every answer says because of which facts, under which edition of the rules, and until when.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

Name = Literal["positive", "recalled", "sample_again", "pending", "negative", "untested"]
EDITION = "2026-11"  # of the order and meaning below; another one is another edition


@dataclass(frozen=True)
class Fact:
    """One swab of a person and what became of it. `told`: as muster.lab.queries.results_of says;
    `evidence`: the events that say so."""

    tube: UUID
    sampled_at: datetime
    told: str
    resulted_at: datetime | None = None
    ordered_at: datetime | None = None  # of an open recall
    evidence: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Terms:
    """The policy numbers in force, with the event of each edition; None where the default counts."""

    negative_hours: int
    positive_days: int
    pending_hours: int
    editions: tuple[tuple[str, int, UUID | None], ...] = ()


@dataclass(frozen=True)
class Status:
    """`until`: when it ends by itself if nothing new is recorded; None: only by a new fact."""

    status: Name
    at: datetime
    because: tuple[Fact, ...]
    until: datetime | None
    edition: str
    terms: Terms


def status(facts: Sequence[Fact], terms: Terms, at: datetime) -> Status:
    """The gravest of what holds at `at`: a confirmed positive, an open recall, a swab to be repeated,
    the latest swab's waiting or negative result; else untested."""
    known = sorted(
        (one for one in facts if one.sampled_at <= at),
        key=lambda one: (one.sampled_at, one.tube), reverse=True,
    )  # fmt: skip
    for name in ("positive", "recalled"):
        held = [(one, until) for one in known for until in [_until(name, one, terms)]
                if _is(name, one) and (until is None or until > at)]  # fmt: skip
        if held:
            ends = [until for _, until in held]
            last = None if None in ends else max(until for until in ends if until)
            return Status(name, at, tuple(one for one, _ in held), last, EDITION, terms)
    for one in known:  # the newest swab that still says something
        for name in ("sample_again", "pending", "negative"):
            until = _until(name, one, terms)
            if _is(name, one) and (until is None or until > at):
                return Status(name, at, (one,), until, EDITION, terms)
    return Status("untested", at, tuple(known[:1]), None, EDITION, terms)


def _is(name: Name, one: Fact) -> bool:
    return name == {"confirmed": "positive", "positive": "recalled",
                    "indeterminate": "recalled"}.get(one.told, one.told)  # fmt: skip


def _until(name: Name, one: Fact, terms: Terms) -> datetime | None:
    """When this fact stops saying `name`."""
    match name:
        case "positive":
            return (one.resulted_at or one.sampled_at) + timedelta(days=terms.positive_days)
        case "recalled":
            return None
        case "negative":
            return one.sampled_at + timedelta(hours=terms.negative_hours)
        case _:
            return one.sampled_at + timedelta(hours=terms.pending_hours)
