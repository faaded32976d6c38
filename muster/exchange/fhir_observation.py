"""What a FHIR observation says: of a tube, or of a target. Whatever is doubtful is a fault."""

from collections.abc import Iterable
from typing import Any

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
from muster.exchange.fhir_bundle import Entry, Opened
from muster.exchange.fhir_schema import Resource
from muster.exchange.report import CODE_CHARACTERS, Outcome, Status, TargetValue

_FINAL = {"final": False, "appended": False, "amended": True, "corrected": True}
_NOT_YET = ("registered", "partial", "preliminary")
_REMEDY = {
    "barcode": (
        "Write the barcode that is printed on the tube into container.identifier.",
        "请在 container.identifier 填写管上印的条码。",
    ),
    "lab": (
        "Name the laboratory as performer, a reference of type Organization with an identifier.",
        "请在 performer 填写实验室（Organization 类型的引用，含 identifier）。",
    ),
    "time": ("Write when the result was issued into issued.", "请在 issued 填写报告时间。"),
    "status": ("Write final or corrected.", "请写 final 或 corrected。"),
    "target": ("Name the target in code.", "请在 code 填写靶标。"),
    "ct": (
        "Write valueQuantity, or dataAbsentReason where there is no curve.",
        "请填写 valueQuantity；无曲线时填写 dataAbsentReason。",
    ),
}


def coded(concept: Resource | None) -> list[Coded]:
    """A CodeableConcept's codings, each with its display; its text stands with the first."""
    concept = concept or {}
    codings = [
        Coded(one.get("code", ""), one.get("display", ""), one.get("system", ""))
        for one in concept.get("coding", [])
    ]
    text = concept.get("text", "")
    return [*codings, *([Coded("", text)] if text else [])]


def answers_for_tube(observation: Resource, asked: set[tuple[str, str]]) -> bool:
    """Whether an observation answers for the tube: by its code, or by being what was asked."""
    named = coded(observation.get("code"))
    if "valueQuantity" in observation or "valueInteger" in observation:
        return False
    return is_overall(named) or any((one.code, one.system) in asked for one in named)


def value_parts(entry: Entry, *, beside: bool) -> Iterable[Entry]:
    """What may be a target's value: an observation beside the tube's, and all components."""
    if beside:
        yield entry
    for n, part in enumerate(entry.resource.get("component", [])):
        yield Entry(entry.number, part, f"{entry.path}.component[{n}]")


def target_values(parts: Iterable[Entry]) -> list[tuple[str, Entry]]:
    """Those that are targets', as ("ct" | "detection", part); others are left out."""
    values: list[tuple[str, Entry]] = []
    called: list[Entry] = []
    for part in parts:
        named, said = coded(part.resource.get("code")), part.resource
        quantity = said.get("valueQuantity", {})
        if is_detection(named):
            values.append(("detection", part))
        elif "valueCodeableConcept" in said:
            called.append(part)
        elif is_ct(named, quantity.get("unit", "")) or is_ct([], quantity.get("code", "")):
            values.append(("ct", part))
    measured = {target_of(coded(one.resource.get("code"))) for _, one in values}
    # LOINC has no code for the call of every target: one named like a cycle threshold is its call.
    calls = [one for one in called if target_of(coded(one.resource.get("code"))) in measured]
    return [*values, *(("detection", one) for one in calls)]


def status_of(entries: Iterable[Entry], opened: Opened) -> Status:
    corrected = False
    for entry in entries:
        status = entry.resource.get("status")
        if status in _FINAL:
            corrected = corrected or _FINAL[status]
        elif status is None:
            missing("status", entry, "status", opened)
        elif status in _NOT_YET:
            opened.fault(faults.NotFinal, entry, "status", found=status)
        elif status == "unknown":
            opened.fault(faults.StatusUnknown, entry, "status", found=status)
        else:
            opened.fault(faults.ResultRevoked, entry, "status", found=status)
    return "corrected" if corrected else "final"


def outcome_of(overall: list[Entry], report: Entry, opened: Opened) -> Outcome | None:
    """What the observations that answer for the tube say, if they say one thing."""
    if not overall:
        opened.fault(faults.OutcomeMissing, report, "result")
    said: Outcome | None = None
    for entry in overall:
        one = _said(entry, opened)
        if one is not None and said not in (None, one):
            opened.fault(faults.OutcomeContradicts, entry, one=said, other=one)
        said = said or one
    return said


def _said(entry: Entry, opened: Opened) -> Outcome | None:
    """What one observation says, if its value and its interpretation agree."""
    said = entry.resource
    given = coded(said.get("valueCodeableConcept"))
    if "valueString" in said:
        given.append(Coded("", said["valueString"]))
    found = outcomes(given)
    if not found:
        code = given[0].code or given[0].text if given else ""
        opened.fault(faults.OutcomeUnknown, entry, "value[x]", found=shown(code))
        return None
    if len(found) > 1:
        one, other = sorted(found)[:2]
        opened.fault(faults.OutcomeContradicts, entry, "value[x]", one=one, other=other)
        return None
    (outcome,) = found
    flags = [one.code for concept in said.get("interpretation", []) for one in coded(concept)]
    if flag := contradicts(outcome, flags):
        other = f"interpretation {shown(flag)}"
        opened.fault(faults.OutcomeContradicts, entry, "interpretation", one=outcome, other=other)
    return outcome


def targets_of(values: list[tuple[str, Entry]], opened: Opened) -> tuple[TargetValue, ...]:
    cts: dict[str, Any] = {}
    calls: dict[str, Any] = {}
    for kind, part in values:
        target = target_of(coded(part.resource.get("code")))
        if not target:
            missing("target", part, "code", opened)
            continue
        within_limit(target, part, "code", opened)
        if kind == "ct":
            kept, value = cts, _ct(part, opened)
        else:
            said = _said(part, opened)
            kept, value = calls, said == "positive" if said in ("positive", "negative") else None
        if kept.setdefault(target, value) != value:
            one = f"{shown(target)} {kept[target]}"
            opened.fault(faults.OutcomeContradicts, part, one=one, other=value)
    return tuple(
        TargetValue(one, cts.get(one), calls.get(one))
        for one in {**cts, **calls}
        if len(one) <= CODE_CHARACTERS
    )


def _ct(part: Entry, opened: Opened) -> int | None:
    said = part.resource
    quantity = said.get("valueQuantity", {})
    written = said.get("valueInteger", quantity.get("value", said.get("valueString")))
    if written is None:
        if "dataAbsentReason" not in said:
            missing("ct", part, "valueQuantity", opened)
        return None
    text = str(written)
    if "valueString" in said and clean(text).casefold() in NO_CURVE:
        return None
    value = None if "comparator" in quantity else ct_milli(text)
    if value is None:
        opened.fault(faults.ReportedCtUnreadable, part, "value[x]", found=shown(text))
    return value


def first_value(identifiers: Iterable[Resource]) -> str:
    """The first identifier's value, clean; "" for none."""
    return next((text for one in identifiers if (text := clean(one.get("value", "")))), "")


def within_limit(code: str, entry: Entry, path: str, opened: Opened) -> str:
    if len(code) > CODE_CHARACTERS:
        opened.fault(faults.CodeTooLong, entry, path, found=len(code), limit=CODE_CHARACTERS)
    return code


def missing(what: str, entry: Entry, path: str, opened: Opened) -> None:
    remedy, remedy_zh = _REMEDY[what]
    opened.fault(faults.FieldMissing, entry, path, remedy=remedy, remedy_zh=remedy_zh)
