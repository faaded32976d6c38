"""FHIR R4 results in: one report for each DiagnosticReport of a bundle.

A report has one Specimen, whose container bears the tube's barcode, and Observations: one that
answers for the tube, and targets as its components or beside it. How many swabs are in the tube is
R4's own: Specimen.subject is a Group, with `quantity`. That it is pooled is Specimen.combined of
R5, through the cross-version extension. What goes out is written by `fhir_writing`.
"""

from collections.abc import Iterable
from datetime import datetime
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
from muster.exchange.fhir_bundle import Entry, Opened, open_bundle
from muster.exchange.fhir_schema import Resource
from muster.exchange.fhir_writing import COMBINED_URL, write_bundle
from muster.exchange.report import (
    CODE_CHARACTERS,
    MEMBERS_LIMIT,
    Batch,
    Combined,
    Outcome,
    Status,
    TargetValue,
    TubeReport,
)

__all__ = ["read_bundle", "write_bundle"]

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


def read_bundle(name: str, content: bytes) -> Batch:
    """The results in a FHIR R4 bundle of type collection, transaction, batch or message.

    Raises ExchangeEmpty, ExchangeTooLarge, NotAFhirBundle or BundleTypeRefused; everything else is
    a fault of the batch.
    """
    opened = open_bundle(name, content)
    answers = _answers_for(opened)
    found = [_report(entry, opened, answers) for entry in opened.of_type("DiagnosticReport")]
    reports = [report for report in found if report]
    for entry in opened.of_type("Observation"):
        if entry.path not in answers and is_overall(_coded(entry.resource.get("code"))):
            opened.unusable("alone", entry)
    header = next((one.resource for one in opened.of_type("MessageHeader")), {})
    source = header.get("source", {})
    return Batch(
        message_id=opened.said_id(),
        sender=clean(source.get("name") or source.get("endpoint") or ""),
        reports=tuple(reports), faults=tuple(opened.wrong),
    )  # fmt: skip


def _answers_for(opened: Opened) -> dict[str, set[str]]:
    """Of which specimens each observation tells: by the reports that have it, and by itself."""
    answers: dict[str, set[str]] = {}
    for report in opened.of_type("DiagnosticReport"):
        specimens = {opened.whole_name(one, report) for one in report.resource.get("specimen", [])}
        for one in report.resource.get("result", []):
            answers.setdefault(opened.whole_name(one, report), set()).update(specimens)
    for entry in opened.of_type("Observation"):
        if entry.path in answers and "specimen" in entry.resource:
            answers[entry.path].add(opened.whole_name(entry.resource["specimen"], entry))
        for one in entry.resource.get("hasMember", []):
            answers.setdefault(opened.whole_name(one, entry), set())
    return answers


def _report(entry: Entry, opened: Opened, answers: dict[str, set[str]]) -> TubeReport | None:
    """The report of one DiagnosticReport, or None and its faults."""
    before, said = len(opened.wrong), entry.resource
    observations = _observations(entry, opened)
    references = said.get("specimen", [])
    if len(references) != 1:
        opened.unusable("specimen", entry, "specimen")
        return None
    specimen = opened.resolve(references[0], entry, "specimen[0]", expected="Specimen")
    if not observations and len(opened.wrong) == before:
        opened.unusable("result", entry, "result")
    if specimen is None or len(opened.wrong) > before:
        return None
    asked = {(one.code, one.system) for one in _coded(said.get("code")) if one.code}
    overall = [one for one in observations if _answers(one.resource, asked)]
    for one in overall:
        if len(answers.get(one.path, ())) > 1:
            opened.unusable("shared", one, "specimen")
    tubes = {one.path for one in overall}
    parts = [part for one in observations for part in _parts(one, beside=one.path not in tubes)]
    values = _values(parts)
    taken = [*overall, *(one for _, one in values if "status" in one.resource)]
    status = _status([entry, *taken], opened)
    outcome = _outcome(overall, entry, opened)
    targets = _targets(values, opened)
    barcode = _barcode(specimen, opened)
    lab = _lab([entry, *overall], opened)
    resulted_at = _resulted_at([entry, *overall], opened)
    collection = specimen.resource.get("collection", {})
    period = collection.get("collectedPeriod", {})
    collected = collection.get("collectedDateTime") or period.get("start")
    collected_at = _time(collected, specimen, "collection", opened)
    received_at = _time(specimen.resource.get("receivedTime"), specimen, "receivedTime", opened)
    members, combined = _members(specimen, opened), _combined(specimen, opened)
    result_id = _within(_value(said.get("identifier", [])), entry, "identifier", opened)
    if len(opened.wrong) > before or not (outcome and resulted_at):
        return None
    return TubeReport(
        barcode=barcode, outcome=outcome, status=status, lab=lab, resulted_at=resulted_at,
        collected_at=collected_at, received_at=received_at, members=members, combined=combined,
        targets=targets, result_id=result_id or None, line=entry.number,
    )  # fmt: skip


def _observations(entry: Entry, opened: Opened) -> list[Entry]:
    """The report's observations, and the members of those that are panels."""
    found: dict[str, Entry] = {}
    todo = [(entry, "result")]
    while todo:
        within, name = todo.pop(0)
        for n, reference in enumerate(within.resource.get(name, [])):
            path = f"{name}[{n}]"
            one = opened.resolve(reference, within, path, expected="Observation")
            if one is not None and one.path not in found:
                found[one.path] = one
                todo.append((one, "hasMember"))
    return list(found.values())


def _coded(concept: Resource | None) -> list[Coded]:
    """A CodeableConcept's codings, each with its display; its text stands with the first."""
    concept = concept or {}
    codings = [
        Coded(one.get("code", ""), one.get("display", ""), one.get("system", ""))
        for one in concept.get("coding", [])
    ]
    text = concept.get("text", "")
    return [*codings, *([Coded("", text)] if text else [])]


def _answers(observation: Resource, asked: set[tuple[str, str]]) -> bool:
    """Whether an observation answers for the tube: by its code, or by being what was asked."""
    named = _coded(observation.get("code"))
    if "valueQuantity" in observation or "valueInteger" in observation:
        return False
    return is_overall(named) or any((one.code, one.system) in asked for one in named)


def _parts(entry: Entry, *, beside: bool) -> Iterable[Entry]:
    """What may be a target's value: an observation beside the tube's, and all components."""
    if beside:
        yield entry
    for n, part in enumerate(entry.resource.get("component", [])):
        yield Entry(entry.number, part, f"{entry.path}.component[{n}]")


def _values(parts: Iterable[Entry]) -> list[tuple[str, Entry]]:
    """Those that are targets', as ("ct" | "detection", part); others are left out."""
    values: list[tuple[str, Entry]] = []
    called: list[Entry] = []
    for part in parts:
        named, said = _coded(part.resource.get("code")), part.resource
        quantity = said.get("valueQuantity", {})
        if is_detection(named):
            values.append(("detection", part))
        elif "valueCodeableConcept" in said:
            called.append(part)
        elif is_ct(named, quantity.get("unit", "")) or is_ct([], quantity.get("code", "")):
            values.append(("ct", part))
    measured = {target_of(_coded(one.resource.get("code"))) for _, one in values}
    # LOINC has no code for the call of every target: one named like a cycle threshold is its call.
    calls = [one for one in called if target_of(_coded(one.resource.get("code"))) in measured]
    return [*values, *(("detection", one) for one in calls)]


def _status(entries: Iterable[Entry], opened: Opened) -> Status:
    corrected = False
    for entry in entries:
        status = entry.resource.get("status")
        if status in _FINAL:
            corrected = corrected or _FINAL[status]
        elif status is None:
            _missing("status", entry, "status", opened)
        elif status in _NOT_YET:
            opened.fault(faults.NotFinal, entry, "status", found=status)
        elif status == "unknown":
            opened.fault(faults.StatusUnknown, entry, "status", found=status)
        else:
            opened.fault(faults.ResultRevoked, entry, "status", found=status)
    return "corrected" if corrected else "final"


def _outcome(overall: list[Entry], report: Entry, opened: Opened) -> Outcome | None:
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
    coded = _coded(said.get("valueCodeableConcept"))
    if "valueString" in said:
        coded.append(Coded("", said["valueString"]))
    found = outcomes(coded)
    if not found:
        code = coded[0].code or coded[0].text if coded else ""
        opened.fault(faults.OutcomeUnknown, entry, "value[x]", found=shown(code))
        return None
    if len(found) > 1:
        one, other = sorted(found)[:2]
        opened.fault(faults.OutcomeContradicts, entry, "value[x]", one=one, other=other)
        return None
    (outcome,) = found
    flags = [one.code for concept in said.get("interpretation", []) for one in _coded(concept)]
    if flag := contradicts(outcome, flags):
        other = f"interpretation {shown(flag)}"
        opened.fault(faults.OutcomeContradicts, entry, "interpretation", one=outcome, other=other)
    return outcome


def _targets(values: list[tuple[str, Entry]], opened: Opened) -> tuple[TargetValue, ...]:
    cts: dict[str, Any] = {}
    calls: dict[str, Any] = {}
    for kind, part in values:
        target = target_of(_coded(part.resource.get("code")))
        if not target:
            _missing("target", part, "code", opened)
            continue
        _within(target, part, "code", opened)
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
            _missing("ct", part, "valueQuantity", opened)
        return None
    text = str(written)
    if "valueString" in said and clean(text).casefold() in NO_CURVE:
        return None
    value = None if "comparator" in quantity else ct_milli(text)
    if value is None:
        opened.fault(faults.CtUnreadable, part, "value[x]", found=shown(text))
    return value


def _barcode(specimen: Entry, opened: Opened) -> str:
    """The identifier on the specimen's container, else the specimen's own; of several containers
    it cannot be told which."""
    said = specimen.resource
    if said.get("status") == "entered-in-error":
        opened.fault(faults.ResultRevoked, specimen, "status", found="entered-in-error")
    containers = {_value(one.get("identifier", [])) for one in said.get("container", [])} - {""}
    if len(containers) > 1:
        opened.unusable("specimen", specimen, "container")
        return ""
    barcode = next(iter(containers), "") or _value(said.get("identifier", []))
    if not barcode:
        _missing("barcode", specimen, "container[0].identifier[0].value", opened)
    return _within(barcode, specimen, "container[0].identifier[0].value", opened)


def _lab(entries: Iterable[Entry], opened: Opened) -> str:
    """The performer that is an organisation. A performer that may be a person is not read."""
    entries = list(entries)
    for entry in entries:
        for n, reference in enumerate(entry.resource.get("performer", [])):
            if lab := _organisation(reference, entry, opened):
                return _within(lab, entry, f"performer[{n}]", opened)
    _missing("lab", entries[0], "performer", opened)
    return ""


def _organisation(reference: Resource, within: Entry, opened: Opened) -> str:
    found = opened.find(reference, within)
    if found is not None and found.resource["resourceType"] == "Organization":
        said = found.resource
        return _value(said.get("identifier", [])) or clean(said.get("name", ""))
    link = reference.get("reference", "")
    if reference.get("type") != "Organization" and "Organization/" not in link:
        return ""
    named = _value([reference.get("identifier", {})]) or clean(reference.get("display", ""))
    return named or clean(link.rpartition("Organization/")[2])


def _resulted_at(entries: Iterable[Entry], opened: Opened) -> datetime | None:
    entries = list(entries)
    for entry in entries:
        if issued := entry.resource.get("issued"):
            return _time(issued, entry, "issued", opened)
    _missing("time", entries[0], "issued", opened)
    return None


def _time(written: str | None, entry: Entry, path: str, opened: Opened) -> datetime | None:
    """A time; the schema has seen to its form. One without an hour is no time."""
    if not written or "T" not in written:
        return None
    try:
        return datetime.fromisoformat(written)
    except ValueError:  # 30 February, a leap second
        opened.fault(faults.TimeUnreadable, entry, path, found=shown(written))
        return None


def _members(specimen: Entry, opened: Opened) -> int | None:
    """Group.quantity of the specimen's subject. A subject that is a person is not read."""
    group = opened.find(specimen.resource.get("subject", {}), specimen)
    if group is None or group.resource["resourceType"] != "Group":
        return None
    count = group.resource.get("quantity")
    if count is None:
        return None
    if not 1 <= count <= MEMBERS_LIMIT or count != int(count):
        opened.fault(faults.CountUnreadable, group, "quantity", found=shown(str(count)))
        return None
    return int(count)


def _combined(specimen: Entry, opened: Opened) -> Combined | None:
    for one in specimen.resource.get("extension", []):
        if one.get("url") == COMBINED_URL:
            code = one.get("valueCode")
            if code in ("pooled", "grouped"):
                return code
            opened.fault(
                faults.EntryInvalid, specimen, "extension", resource="extension-Specimen.combined",
                offence="valueCode is not pooled or grouped",
            )  # fmt: skip
    return None


def _value(identifiers: Iterable[Resource]) -> str:
    """The first identifier's value."""
    return next((text for one in identifiers if (text := clean(one.get("value", "")))), "")


def _within(code: str, entry: Entry, path: str, opened: Opened) -> str:
    if len(code) > CODE_CHARACTERS:
        opened.fault(faults.CodeTooLong, entry, path, found=len(code), limit=CODE_CHARACTERS)
    return code


def _missing(what: str, entry: Entry, path: str, opened: Opened) -> None:
    remedy, remedy_zh = _REMEDY[what]
    opened.fault(faults.FieldMissing, entry, path, remedy=remedy, remedy_zh=remedy_zh)
