"""The laboratory's vocabulary: reception, plates, runs, calls, results, what corrects them, and the
recalls that follow.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from muster.config import CALLS_LIMIT, READINGS_LIMIT, SCANS_LIMIT
from muster.lab.engine.assay import Assay, Ct
from muster.lab.engine.plates import Template, Well
from muster.ledger.event import Body, Code, Key, Label

Outcome = Literal["positive", "negative", "indeterminate", "invalid"]
Condition = Literal["ok", "leaking", "damaged", "empty", "unlabelled"]
Next = Literal["release", "repeat", "propose"]
Unfit = Literal["leaking", "damaged", "empty", "unlabelled", "too_old", "lost"]
ControlRole = Literal["positive_control", "negative_control", "no_template_control"]
Fault = Literal[
    "missing", "extra", "duplicate", "unknown", "leaking", "damaged", "empty", "unlabelled",
    "wrong_lab", "too_old", "ambiguous", "seal_broken", "seal_differs", "count_differs", "warm",
    "cold", "no_manifest",
]  # fmt: skip


class LabListed(Body, frozen=True):
    """A laboratory takes part (subject: derived from its code): a fixed or mobile one of ours, or one of
    another city. From `wells_since` on its negative results count only with a well and a raw value."""

    code: Code
    name: Label
    kind: Literal["fixed", "mobile", "external"]
    capacity_per_hour: Annotated[int, Meta(ge=0, le=1_000_000)] = 0  # tubes; 0: not known
    area: UUID | None = None
    wells_since: Annotated[datetime, Meta(tz=True)] | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("lab", subject),)


class Scan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One tube as the receiver saw it."""

    barcode: Code
    condition: Condition = "ok"


class TubesReceived(Body, frozen=True):
    """Tubes were scanned at a laboratory, taken out of the box of the reception (subject)."""

    lab: Code
    scans: Annotated[list[Scan], Meta(min_length=1, max_length=SCANS_LIMIT)]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("scanned", subject), *(("received", one.barcode) for one in self.scans))

    def weight(self) -> int:
        return 1 + len(self.scans)


class ScanUndone(Body, frozen=True):
    """One scan of this barcode in the reception (subject) was a slip; `condition` as it was recorded."""

    lab: Code
    barcode: Code
    condition: Condition = "ok"

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("scanned", subject), ("received", self.barcode))


class ReceptionEnded(Body, frozen=True):
    """The box of the reception (subject) is empty: what was not scanned is missing."""

    lab: Code

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("scanned", subject),)


class DiscrepancyOpened(Body, frozen=True):
    """A box and its manifest do not agree (subject: the case): somebody owns it until it is resolved."""

    reception: UUID
    lab: Code
    kind: Fault
    owner: Code
    barcode: Code | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("discrepancy", subject),)


class DiscrepancyAssigned(Body, frozen=True):
    """Somebody else owns the case (subject) now."""

    lab: Code
    owner: Code

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("discrepancy", subject),)


class DiscrepancyResolved(Body, frozen=True):
    """What became of the case (subject)."""

    lab: Code
    how: Literal["found", "resample", "discarded", "relabelled", "sent_on", "accepted", "other"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("discrepancy", subject),)


class DiscrepancyWithdrawn(Body, frozen=True):
    """The ground of the case (subject) is gone: the manifest came late, or the tube turned up."""

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("discrepancy", subject),)


class LoadedWell(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A well and the one tube in it. `repeat`: the tube is meant to be tested again."""

    well: Well
    barcode: Code
    tube: UUID | None = None
    repeat: bool = False


class ControlWell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A well with a control."""

    well: Well
    role: ControlRole


class PlateLoaded(Body, frozen=True):
    """A plate (subject) was loaded: which tube stands in which well, and where the controls are."""

    code: Code
    lab: Code
    assay: Code
    size: Literal[96, 384]
    template: Code
    controls: Annotated[list[ControlWell], Meta(max_length=384)]
    wells: Annotated[list[LoadedWell], Meta(min_length=1, max_length=384)]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("plate", subject), *(("sample", one.barcode) for one in self.wells))

    def weight(self) -> int:
        return 1 + len(self.wells)


class PlateDiscarded(Body, frozen=True):
    """The plate (subject) is not to be run: its tubes wait for another."""

    lab: Code
    reason: Literal["wrong_layout", "dropped", "contaminated", "not_run", "other"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("plate", subject),)


class RepoolingRefused(Body, frozen=True):
    """Several tubes were to share a well (subject: the plate, or the file's run): refused and reported."""

    lab: Code
    well: Well
    barcodes: Annotated[list[Code], Meta(min_length=2, max_length=100)]
    found_in: Literal["loading", "run_file", "message"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("plate", subject),)


class WellReading(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an instrument measured of one target in one well; no `ct_milli`: no curve."""

    well: Well
    target: Label
    ct_milli: Ct | None = None


class RunImported(Body, frozen=True):
    """An instrument's file for a plate was read (subject: the run). `file`: its SHA-256."""

    plate: UUID
    lab: Code
    file: Code
    format: Code
    readings: Annotated[list[WellReading], Meta(min_length=1, max_length=READINGS_LIMIT)]
    instrument: Label | None = None
    serial: Label | None = None
    software: Label | None = None
    started_at: Annotated[datetime, Meta(tz=True)] | None = None
    ended_at: Annotated[datetime, Meta(tz=True)] | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("run", subject),)

    def weight(self) -> int:
        return 1 + len(self.readings) // 20


class CalledTube(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The call of one tube in a run, why, and what is to be said of it after all its runs."""

    barcode: Code
    well: Well
    call: Outcome
    reason: Code
    standing: Outcome
    standing_reason: Code
    next: Next
    tube: UUID | None = None
    values: tuple[tuple[Label, int | None], ...] = ()


class RunCalled(Body, frozen=True):
    """The tubes of a run (subject) were called under an edition of the assay's rules. `blocked`: why no
    result of the run may be released."""

    plate: UUID
    lab: Code
    edition: UUID
    calls: Annotated[list[CalledTube], Meta(max_length=CALLS_LIMIT)]
    blocked: Code | None = None
    failed_controls: Annotated[tuple[Code, ...], Meta(max_length=384)] = ()

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("run", subject), *(("sample", one.barcode) for one in self.calls))

    def weight(self) -> int:
        return 1 + len(self.calls)


class AssayAdopted(Body, frozen=True):
    """From `since` on runs of this assay are called by these rules (subject: the edition)."""

    assay: Assay
    since: Annotated[datetime, Meta(tz=True)]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("assay", subject),)


class TemplateAdopted(Body, frozen=True):
    """Plates may be laid out like this (subject: derived from the template's code)."""

    template: Template

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("template", subject),)


class ResultProposed(Body, frozen=True):
    """A first person would release, amend (`amends`) or reject (`rejects`) a result (subject): a second
    one decides."""

    barcode: Code
    outcome: Outcome
    lab: Code
    tube: UUID | None = None
    run: UUID | None = None
    unfit: Unfit | None = None
    amends: Literal["repeat_run", "clerical", "wrong_sample", "other"] | None = None
    rejects: Literal["wrong_file", "wrong_tube", "superseded", "other"] | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("result", subject), ("sample", self.barcode))


class ProposalDeclined(Body, frozen=True):
    """The second person did not agree to a proposal (the cause) about the result (subject)."""

    barcode: Code
    reason: Literal["repeat", "wrong_sample", "doubtful_curve", "other"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("result", subject), ("sample", self.barcode))


class ResultReleased(Body, frozen=True):
    """A laboratory gave an outcome (subject: the result) for a barcode, or for a tube it knows. `run`
    leads to the well and raw value; `unfit`: there is none, since the tube could not be tested."""

    barcode: Code
    outcome: Outcome
    lab: Code
    resulted_at: Annotated[datetime, Meta(tz=True)]
    tube: UUID | None = None
    run: UUID | None = None
    unfit: Unfit | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        keys: list[Key] = [("barcode", self.barcode)]
        return [*keys, ("result", subject)] if self.run or self.unfit else keys

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


class MemberReached(Body, frozen=True):
    """A recalled member of the tube (subject) was told to come, or could not be found."""

    person: UUID
    recall: UUID
    how: Literal["phone", "door", "found_elsewhere", "not_found"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("reached", subject),)
