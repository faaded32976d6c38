"""The laboratory's vocabulary: results, what corrects them, and the recalls that follow."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from muster.ledger.event import Body, Code, Key

Outcome = Literal["positive", "negative", "indeterminate", "invalid"]


class ResultReleased(Body, frozen=True):
    """A laboratory gave an outcome (subject: the result) for a barcode, or for a tube it knows."""

    barcode: Code
    outcome: Outcome
    lab: Code
    resulted_at: Annotated[datetime, Meta(tz=True)]
    tube: UUID | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("barcode", self.barcode),)

    def weight(self) -> int:
        return 10  # it settles a tube's members


class ResultAmended(Body, frozen=True):
    """A released result (subject) had the wrong outcome; this is the right one."""

    barcode: Code
    outcome: Outcome
    reason: Literal["repeat_run", "clerical", "wrong_sample", "other"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("result", subject), ("barcode", self.barcode))


class ResultBound(Body, frozen=True):
    """A person decided which tube a result (subject) with several candidates belongs to."""

    barcode: Code
    tube: UUID

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("result", subject), ("barcode", self.barcode))


class ResultRejected(Body, frozen=True):
    """A person decided that a result (subject) does not count."""

    barcode: Code
    reason: Literal["wrong_file", "wrong_tube", "superseded", "other"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("result", subject), ("barcode", self.barcode))


class RecallOrdered(Body, frozen=True):
    """A member of the tube (subject) must be tested again, singly: its outcome was not negative."""

    person: UUID
    outcome: Literal["positive", "indeterminate"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("tube", subject),)


class RecallWithdrawn(Body, frozen=True):
    """The ground of a recall is gone: the result was amended, or the member was not in the tube."""

    person: UUID
    recall: UUID

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("tube", subject),)


class RecallClosed(Body, frozen=True):
    """A single re-test answered a recall of the tube (subject)."""

    person: UUID
    recall: UUID
    retest: UUID
    outcome: Literal["released", "confirmed"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("tube", subject),)


class RecallReopened(Body, frozen=True):
    """The re-test that closed a recall no longer says so; `closing` is the RecallClosed undone."""

    person: UUID
    recall: UUID
    closing: UUID

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("tube", subject),)


class RecallFellDue(Body, frozen=True):
    """A recall was still open when its time was up."""

    person: UUID
    recall: UUID

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("tube", subject),)
