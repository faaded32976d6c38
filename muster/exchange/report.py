"""What a laboratory's system says of one tube, whichever standard it says it in."""

from datetime import datetime
from typing import Literal

import msgspec

from muster.core.problems import Problem

Outcome = Literal["positive", "negative", "indeterminate", "invalid"]
Status = Literal["final", "corrected"]
Combined = Literal["pooled", "grouped"]

CODE_CHARACTERS = 64  # of a barcode, a laboratory, a target, an id
CT_MILLI_LIMIT = 60_000
MEMBERS_LIMIT = 10_000
FAULTS_LIMIT = 20_000  # of one file; one with more is not what it says it is


class TargetValue(msgspec.Struct, frozen=True):
    """One target's value. `ct_milli` is in thousandths of a cycle, None where there is no curve or
    nothing was said; `detected` is what the sender calls the target, None if it does not."""

    target: str
    ct_milli: int | None
    detected: bool | None

    def __post_init__(self) -> None:
        _code("target", self.target)
        if self.ct_milli is not None and not 0 < self.ct_milli <= CT_MILLI_LIMIT:
            raise ValueError(f"ct_milli is {self.ct_milli}")


class TubeReport(msgspec.Struct, frozen=True, kw_only=True):
    """One tube's result. `members` is the grouped count (1: single), `result_id` the sender's id of
    this result, `line` where it stood: a line of HL7, an entry of FHIR, both from 1."""

    barcode: str
    outcome: Outcome
    status: Status
    lab: str
    resulted_at: datetime
    collected_at: datetime | None = None
    received_at: datetime | None = None
    members: int | None = None
    combined: Combined | None = None
    targets: tuple[TargetValue, ...] = ()
    result_id: str | None = None
    line: int | None = None

    def __post_init__(self) -> None:
        _code("barcode", self.barcode)
        _code("lab", self.lab)
        if self.result_id is not None:
            _code("result_id", self.result_id)
        for at in (self.resulted_at, self.collected_at, self.received_at):
            if at is not None and at.tzinfo is None:
                raise ValueError("a time has no zone")
        if self.members is not None and not 1 <= self.members <= MEMBERS_LIMIT:
            raise ValueError(f"members is {self.members}")
        if len({one.target for one in self.targets}) < len(self.targets):
            raise ValueError("a target is listed twice")


class Party(msgspec.Struct, frozen=True):
    """A system and the organisation that runs it (MSH-3 and MSH-4, MSH-5 and MSH-6)."""

    application: str
    facility: str


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Why something did not come through. The problem's text says it all; `message`, `line` (of
    FHIR: the entry) and `place` say the same to a program."""

    problem: Problem
    message: int | None = None
    line: int | None = None
    place: str = ""


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """One HL7 message as far as its answer needs it. `number` counts from 1 within the file."""

    number: int
    message_id: str
    sender: Party
    receiver: Party


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What one file brought. `message_id` is the sender's id of the file, or of its first message;
    `messages` is empty for FHIR."""

    message_id: str
    sender: str
    reports: tuple[TubeReport, ...]
    faults: tuple[Fault, ...]
    messages: tuple[Received, ...] = ()


def _code(name: str, text: str) -> None:
    if not 0 < len(text) <= CODE_CHARACTERS:
        raise ValueError(f"{name} has {len(text)} characters")
