"""FHIR R4 results in: one report for each DiagnosticReport of a bundle.

A report has one Specimen, whose container bears the tube's barcode, and Observations: one that
answers for the tube, and targets as its components or beside it. How many swabs are in the tube is
R4's own: Specimen.subject is a Group, with `quantity`. That it is pooled is Specimen.combined of
R5, through the cross-version extension. What goes out is written by `fhir_writing`.
"""

from collections.abc import Iterable
from datetime import datetime

from muster.core.text import clean
from muster.exchange import faults
from muster.exchange.codes import is_overall, shown
from muster.exchange.fhir_bundle import Entry, Opened, open_bundle
from muster.exchange.fhir_observation import (
    answers_for_tube,
    coded,
    first_value,
    missing,
    outcome_of,
    status_of,
    target_values,
    targets_of,
    value_parts,
    within_limit,
)
from muster.exchange.fhir_schema import Resource
from muster.exchange.fhir_writing import COMBINED_URL, write_bundle
from muster.exchange.report import (
    MEMBERS_LIMIT,
    Batch,
    Combined,
    TubeReport,
)

__all__ = ["read_bundle", "write_bundle"]


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
        if entry.path not in answers and is_overall(coded(entry.resource.get("code"))):
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
    asked = {(one.code, one.system) for one in coded(said.get("code")) if one.code}
    overall = [one for one in observations if answers_for_tube(one.resource, asked)]
    for one in overall:
        if len(answers.get(one.path, ())) > 1:
            opened.unusable("shared", one, "specimen")
    tubes = {one.path for one in overall}
    parts = [
        part for one in observations for part in value_parts(one, beside=one.path not in tubes)
    ]
    values = target_values(parts)
    taken = [*overall, *(one for _, one in values if "status" in one.resource)]
    status = status_of([entry, *taken], opened)
    outcome = outcome_of(overall, entry, opened)
    targets = targets_of(values, opened)
    barcode = _barcode(specimen, opened)
    lab = _lab([entry, *overall], opened)
    resulted_at = _resulted_at([entry, *overall], opened)
    collection = specimen.resource.get("collection", {})
    period = collection.get("collectedPeriod", {})
    collected = collection.get("collectedDateTime") or period.get("start")
    collected_at = _time(collected, specimen, "collection", opened)
    received_at = _time(specimen.resource.get("receivedTime"), specimen, "receivedTime", opened)
    members, combined = _members(specimen, opened), _combined(specimen, opened)
    result_id = within_limit(first_value(said.get("identifier", [])), entry, "identifier", opened)
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


def _barcode(specimen: Entry, opened: Opened) -> str:
    """The identifier on the specimen's container, else the specimen's own; of several containers
    it cannot be told which."""
    said = specimen.resource
    if said.get("status") == "entered-in-error":
        opened.fault(faults.ResultRevoked, specimen, "status", found="entered-in-error")
    containers = {first_value(one.get("identifier", [])) for one in said.get("container", [])} - {
        ""
    }
    if len(containers) > 1:
        opened.unusable("specimen", specimen, "container")
        return ""
    barcode = next(iter(containers), "") or first_value(said.get("identifier", []))
    if not barcode:
        missing("barcode", specimen, "container[0].identifier[0].value", opened)
    return within_limit(barcode, specimen, "container[0].identifier[0].value", opened)


def _lab(entries: Iterable[Entry], opened: Opened) -> str:
    """The performer that is an organisation. A performer that may be a person is not read."""
    entries = list(entries)
    for entry in entries:
        for n, reference in enumerate(entry.resource.get("performer", [])):
            if lab := _organisation(reference, entry, opened):
                return within_limit(lab, entry, f"performer[{n}]", opened)
    missing("lab", entries[0], "performer", opened)
    return ""


def _organisation(reference: Resource, within: Entry, opened: Opened) -> str:
    found = opened.find(reference, within)
    if found is not None and found.resource["resourceType"] == "Organization":
        said = found.resource
        return first_value(said.get("identifier", [])) or clean(said.get("name", ""))
    link = reference.get("reference", "")
    if reference.get("type") != "Organization" and "Organization/" not in link:
        return ""
    named = first_value([reference.get("identifier", {})]) or clean(reference.get("display", ""))
    return named or clean(link.rpartition("Organization/")[2])


def _resulted_at(entries: Iterable[Entry], opened: Opened) -> datetime | None:
    entries = list(entries)
    for entry in entries:
        if issued := entry.resource.get("issued"):
            return _time(issued, entry, "issued", opened)
    missing("time", entries[0], "issued", opened)
    return None


def _time(written: str | None, entry: Entry, path: str, opened: Opened) -> datetime | None:
    """A time; the schema has seen to its form. One without an hour is no time."""
    if not written or "T" not in written:
        return None
    try:
        return datetime.fromisoformat(written)
    except ValueError:  # 30 February, a leap second
        opened.fault(faults.ReportedTimeUnreadable, entry, path, found=shown(written))
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
