"""One order of an ORU^R01, an OBR with its OBX and its SPM, as the report of one tube.

In ORU^R01 (2.5.1, 7.3.1) the SPM stands behind the OBX; OBX behind the SPM tell of the specimen,
not of the result. Whatever is doubtful is a fault, and the order gives no report.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from muster.core.text import clean
from muster.exchange import faults
from muster.exchange.codes import (
    NO_CURVE,
    Coded,
    contradicts,
    ct_milli,
    is_ct,
    is_detection,
    is_overall,
    outcomes,
    shown,
    target_of,
)
from muster.exchange.er7 import Segment
from muster.exchange.hl7_reading import Reading, time
from muster.exchange.report import (
    CODE_CHARACTERS,
    MEMBERS_LIMIT,
    Combined,
    Outcome,
    Status,
    TargetValue,
    TubeReport,
)

_ROLES: dict[str, Combined | None] = {"": None, "P": None, "L": "pooled", "G": "grouped"}


class Order(msgspec.Struct):
    """An OBR with its OBX, and its SPM."""

    obr: Segment
    obxs: list[Segment]
    spms: list[Segment]
    spoiled: bool = False  # a line within it could not be read


def report(order: Order, msh: Segment, reading: Reading) -> TubeReport | None:
    """The report of one order, or None and its faults."""
    before = len(reading.wrong)
    if not order.obxs:
        reading.missing("OBX", order.obr)
    if not order.spms:
        reading.missing("SPM", order.obr)
    elif len(order.spms) > 1:
        reading.fault(faults.SegmentRepeated, order.spms[1], found=len(order.spms))
    if len(reading.wrong) > before:
        return None
    overall, values = _sorted(order)
    status = _status(order, [*overall, *(obx for _, obx in values)], reading)
    outcome = _outcome(order, overall, reading)
    targets = _targets(values, reading)
    spm = order.spms[0]
    barcode = _barcode(spm, reading)
    lab = _lab(order, msh, reading)
    resulted_at = _resulted_at(order, overall, reading)
    collected_at = time(spm, 17, reading, needs_hour=False)
    received_at = time(spm, 18, reading, needs_hour=False)
    role, members = _role(spm, reading), _members(spm, reading)
    result_id = _within(clean(order.obr.text(3)), order.obr, 3, reading)
    if len(reading.wrong) > before or not (outcome and resulted_at):
        return None
    return TubeReport(
        barcode=barcode, outcome=outcome, status=status, lab=lab, resulted_at=resulted_at,
        collected_at=collected_at, received_at=received_at, members=members, combined=role,
        targets=targets, result_id=result_id or None, line=order.obr.line,
    )  # fmt: skip


def _sorted(order: Order) -> tuple[list[Segment], list[tuple[str, Segment]]]:
    """The OBX that answer for the tube, and those of targets as ("ct" | "detection", OBX). Others,
    such as questions asked at the order, are left out."""
    asked = order.obr.text(4)
    overall: list[Segment] = []
    values: list[tuple[str, Segment]] = []
    others: list[Segment] = []
    for obx in order.obxs:
        named, kind = _coded(obx, 3), obx.text(2)
        if is_overall(named) or (asked and asked == obx.text(3) and kind != "NM"):
            overall.append(obx)
        elif is_detection(named):
            values.append(("detection", obx))
        elif kind in ("NM", "ST", "SN", "TX") and is_ct(named, obx.text(6)):
            values.append(("ct", obx))
        elif kind != "NM":
            others.append(obx)
    measured = {target_of(_coded(obx, 3)) for kind, obx in values if kind == "ct"}
    # LOINC has no code for the call of every target: one named like a cycle threshold is its call.
    calls = [obx for obx in others if target_of(_coded(obx, 3)) in measured]
    return overall, [*values, *(("detection", obx) for obx in calls)]


def _coded(obx: Segment, field: int, repetition: str | None = None) -> list[Coded]:
    """A coded element's first and alternate code, each with its text and system."""
    written = obx.repetitions(field)[0] if repetition is None else repetition
    parts = [obx.part(written, n) for n in range(1, 7)]
    return [Coded(*three) for three in (parts[:3], parts[3:]) if any(three[:2])]


def _status(order: Order, obxs: Iterable[Segment], reading: Reading) -> Status:
    """ "final" or "corrected", of OBX-11 and, where it is given, OBR-25."""
    corrected = False
    for segment, field in [(order.obr, 25), *((obx, 11) for obx in obxs)]:
        code = segment.text(field)
        if code in ("F", "C", "X"):
            corrected = corrected or code == "C"
        elif not code and field == 11:
            reading.missing("status", segment, field)
        elif code in ("P", "R", "S", "I", "O", "N", "A"):
            reading.fault(faults.NotFinal, segment, field, found=code)
        elif code in ("D", "W"):
            reading.fault(faults.ResultRevoked, segment, field, found=code)
        elif code:
            reading.fault(faults.StatusUnknown, segment, field, found=shown(code))
    return "corrected" if corrected else "final"


def _outcome(order: Order, overall: list[Segment], reading: Reading) -> Outcome | None:
    """What the OBX that answer for the tube say, if they say one thing."""
    if not overall:
        reading.fault(faults.OutcomeMissing, order.obxs[0], 3)
    said: Outcome | None = None
    for obx in overall:
        one = _said(obx, reading)
        if one is not None and said not in (None, one):
            reading.fault(faults.OutcomeContradicts, obx, 5, one=said, other=one)
        said = said or one
    return said


def _said(obx: Segment, reading: Reading) -> Outcome | None:
    """What one OBX says, if its value and its flags agree."""
    given = [one for one in obx.repetitions(5) if one.strip()]
    if not given and obx.text(11) == "X":  # results cannot be obtained
        return "invalid"
    if obx.text(2) in ("ST", "TX", "FT", "IS", "ID"):
        coded = [Coded("", obx.part(one)) for one in given]
    else:
        coded = [code for one in given for code in _coded(obx, 5, one)]
    found = outcomes(coded)
    if not found:
        code = coded[0].code or coded[0].text if coded else ""
        reading.fault(faults.OutcomeUnknown, obx, 5, found=shown(code))
        return None
    if len(found) > 1:
        one, other = sorted(found)[:2]
        reading.fault(faults.OutcomeContradicts, obx, 5, one=one, other=other)
        return None
    (said,) = found
    flags = [obx.part(one) for one in obx.repetitions(8)]
    if flag := contradicts(said, flags):
        reading.fault(faults.OutcomeContradicts, obx, 8, one=said, other=f"OBX-8 {shown(flag)}")
    return said


def _targets(values: list[tuple[str, Segment]], reading: Reading) -> tuple[TargetValue, ...]:
    cts: dict[str, Any] = {}
    calls: dict[str, Any] = {}
    for kind, obx in values:
        target = target_of(_coded(obx, 3))
        if not target:
            reading.missing("target", obx, 3)
        elif len(target) > CODE_CHARACTERS:
            _within(target, obx, 3, reading)
        elif kind == "ct":
            _once(cts, target, _ct(obx, reading), obx, reading)
        else:
            said = _said(obx, reading)
            call = said == "positive" if said in ("positive", "negative") else None
            _once(calls, target, call, obx, reading)
    return tuple(TargetValue(one, cts.get(one), calls.get(one)) for one in {**cts, **calls})


def _once(kept: dict[str, Any], target: str, value: object, obx: Segment, reading: Reading) -> None:
    if kept.setdefault(target, value) != value:
        one = f"{shown(target)} {kept[target]}"
        reading.fault(faults.OutcomeContradicts, obx, 5, one=one, other=value)


def _ct(obx: Segment, reading: Reading) -> int | None:
    written = obx.text(5)
    if not written and obx.text(11) != "X":
        reading.missing("ct", obx, 5)
    if not written or (obx.text(2) != "NM" and clean(written).casefold() in NO_CURVE):
        return None
    value = ct_milli(written)
    if value is None:
        reading.fault(faults.ReportedCtUnreadable, obx, 5, found=shown(written))
    return value


def _barcode(spm: Segment, reading: Reading) -> str:
    """SPM-2: what the placer put on the tube, else what the filler calls it."""
    barcode = clean(spm.text(2, 1) or spm.text(2, 2))
    if not barcode:
        reading.missing("barcode", spm, 2)
    if not spm.raw(4).strip():
        reading.missing("SPM-4", spm, 4)
    return _within(barcode, spm, 2, reading)


def _within(code: str, segment: Segment, field: int, reading: Reading) -> str:
    if len(code) > CODE_CHARACTERS:
        reading.fault(faults.CodeTooLong, segment, field, found=len(code), limit=CODE_CHARACTERS)
    return code


def _lab(order: Order, msh: Segment, reading: Reading) -> str:
    """OBX-23, the performing organisation (its id, else its name), else MSH-4, who sends."""
    named = [(obx, 23, obx.text(23, 10) or obx.text(23, 1)) for obx in order.obxs]
    for segment, field, lab in [*named, (msh, 4, msh.text(4))]:
        if clean(lab):
            return _within(clean(lab), segment, field, reading)
    reading.missing("lab", order.obxs[0], 23)
    return ""


def _resulted_at(order: Order, overall: list[Segment], reading: Reading) -> datetime | None:
    """OBR-22, when it was reported, else OBX-19, when it was analysed."""
    for segment, field in [(order.obr, 22), *((obx, 19) for obx in overall)]:
        if segment.text(field):
            return time(segment, field, reading, needs_hour=True)
    reading.missing("time", order.obr, 22)
    return None


def _role(spm: Segment, reading: Reading) -> Combined | None:
    role = spm.text(11)
    if role not in _ROLES:
        reading.fault(faults.NotATube, spm, 11, found=shown(role))
    return _ROLES.get(role)


def _members(spm: Segment, reading: Reading) -> int | None:
    written = spm.text(13)
    if not written:
        return None
    count = int(written) if re.fullmatch(r"[0-9]{1,6}", written) else 0
    if not 1 <= count <= MEMBERS_LIMIT:
        reading.fault(faults.CountUnreadable, spm, 13, found=shown(written))
        return None
    return count
