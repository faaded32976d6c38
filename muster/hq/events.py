"""The vocabulary of tasks: who is told of what, by when, and what they answered."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from muster.ledger.event import Body, Code, Key, Label

TaskKind = Literal[
    "positive_tube", "recall_overdue", "result_amended", "discrepancy", "door_to_door", "command", "other",
    "duty_watch", "duty_limit", "duty_grave", "duty_suit", "relief_asked", "incident", "heat",
]  # fmt: skip
# What rules call addressees to.
CalledTo = Literal["positive_tube", "recall_overdue"]
# Whom they may call: roles that have an inbox.
CalledRole = Literal[
    "command_post", "area_lead", "grid_worker", "sampler", "squad", "courier", "lab_receiver",
    "lab_operator", "lab_releaser", "tracer",
]  # fmt: skip
Reach = Literal["site_area", "member_community", "everywhere", "lab"]
Minutes = Annotated[int, Meta(ge=1, le=10_080)]
TaskOutcome = Literal["done", "not_possible", "duplicate"]
ReportKind = Literal["daily", "special", "press", "sites", "labs", "coverage"]
Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class AddresseeListed(Body, frozen=True):
    """From `since` on the addressee (subject) is told of these kinds of things: whoever holds `role` in
    the area of the tube's site, in each community of its members, in its laboratory, or everywhere; and
    has so many minutes. The latest edition that holds by then counts; `ended`: told no more."""

    code: Code
    name: Label
    kinds: Annotated[list[CalledTo], Meta(min_length=1, max_length=2)]
    role: CalledRole
    reach: Reach
    minutes: Minutes
    since: Annotated[datetime, Meta(tz=True)]
    ended: bool = False

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("addressee", subject),)


class TaskIssued(Body, frozen=True):
    """There is something to do (subject: the task) for whoever holds `role` in an area, at a site or in a
    laboratory, or everywhere where no place is named; or for one account. `about`: the tube, recall,
    result or round it is about, or the demand, posting, incident or area."""

    kind: TaskKind
    due_at: Annotated[datetime, Meta(tz=True)]
    role: Code | None = None
    area: UUID | None = None
    site: UUID | None = None
    lab: Code | None = None
    login: Code | None = None
    about: UUID | None = None
    tube: UUID | None = None
    addressee: UUID | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("task", subject),)


class TaskAcknowledged(Body, frozen=True):
    """Somebody it is meant for has seen the task (subject)."""

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("task", subject),)


class TaskDone(Body, frozen=True):
    """Somebody it is meant for has finished with the task (subject)."""

    outcome: TaskOutcome = "done"

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("task", subject),)


class TaskWithdrawn(Body, frozen=True):
    """Nothing is left to do of the task (subject): its ground is gone."""

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("task", subject),)


class TaskFellDue(Body, frozen=True):
    """The task (subject) was neither done nor withdrawn when its time was up."""

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("task", subject),)


class ReportFrozen(Body, frozen=True):
    """A report (subject) was made of what the ledger held up to `seq`, whose chain's hash was `head`, and
    stays as it is: `content` is the hash of its data, `template` that of its form, `findings` how many
    of its sums do not hold."""

    kind: ReportKind
    area: UUID
    cut_off: Annotated[datetime, Meta(tz=True)]
    seq: Annotated[int, Meta(ge=0, le=2**53)]
    head: Hash
    content: Hash
    template: Hash
    findings: Annotated[int, Meta(ge=0, le=100_000)]
    round: UUID
    zone: Code  # in which its hours are counted

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("report", subject),)


class ReportSigned(Body, frozen=True):
    """Somebody (`account`) answers for the report (subject) with this content, and for these many findings
    being printed on it."""

    account: UUID
    content: Hash
    findings: Annotated[int, Meta(ge=0, le=100_000)] = 0

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("report", subject),)
