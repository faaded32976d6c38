"""FHIR R4 results out: for each tube a Specimen, an Observation with its targets as components, and
a DiagnosticReport. No Patient: in R4 a subject is optional for all three.

fhir.resources has no R4, and what it has of R4B tells less than the official schema: so plain
objects are written, and the tests hold them against that schema and against R4B's classes.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec

from muster.exchange.codes import (
    CT_UNIT,
    LOINC,
    OVERALL,
    OVERALL_CODE,
    SNOMED,
    WRITTEN,
    ct_code,
    ct_text,
    detection_code,
)
from muster.exchange.fhir_bundle import BundleType
from muster.exchange.fhir_schema import Resource
from muster.exchange.report import Outcome, TargetValue, TubeReport

# hl7.org/fhir/uv/xver-r5.r4: R5's Specimen.combined in R4, of type code.
COMBINED_URL = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Specimen.combined"
_TERMS = "http://terminology.hl7.org/CodeSystem"
_SERVICE = {"coding": [{"system": LOINC, "code": OVERALL_CODE, "display": OVERALL[OVERALL_CODE]}]}
_FLAGS: dict[Outcome, tuple[str, str]] = {
    "positive": ("POS", "Positive"),
    "negative": ("NEG", "Negative"),
    "indeterminate": ("IND", "Indeterminate"),
}


def write_bundle(
    reports: Sequence[TubeReport], *, sender: str, at: datetime, message_id: str,
    kind: BundleType = "transaction",
) -> bytes:  # fmt: skip
    """The reports as a bundle: to be stored (transaction), to be told (message) or as they are
    (collection). Not as a batch, whose entries may not refer to each other (R4, bundle.html).

    Ids follow from `message_id` and the order: the same reports give the same bytes.
    """
    entries: list[Resource] = []
    for number, report in enumerate(reports, 1):
        entries += _entries(report, f"{sender}/{message_id}/{number}", kind)
    if kind == "message":
        focus = [
            {"reference": one["fullUrl"]}
            for one in entries
            if one["resource"]["resourceType"] == "DiagnosticReport"
        ]
        header = {
            "resourceType": "MessageHeader",
            "eventUri": "http://hl7.org/fhir/v2/messageEvent/R01",
            "source": {"name": sender, "endpoint": f"urn:uuid:{uuid5(NAMESPACE_URL, sender)}"},
            **({"focus": focus} if focus else {}),
        }
        entries.insert(0, _entry(header, f"{sender}/{message_id}/header", kind))
    bundle: Resource = {
        "resourceType": "Bundle",
        "identifier": {"value": message_id},
        "type": kind,
        "timestamp": _time(at),
        **({"entry": entries} if entries else {}),
    }
    return msgspec.json.encode(bundle)


def _entry(resource: Resource, name: str, kind: BundleType) -> Resource:
    entry: Resource = {
        "fullUrl": f"urn:uuid:{uuid5(NAMESPACE_URL, name)}",
        "resource": resource,
    }
    if kind == "transaction":
        entry["request"] = {"method": "POST", "url": resource["resourceType"]}
    return entry


def _entries(report: TubeReport, name: str, kind: BundleType) -> Iterable[Resource]:
    specimen = _entry(_specimen(report), f"{name}/specimen", kind)
    to_specimen = {"reference": specimen["fullUrl"]}
    issued = {"issued": _time(report.resulted_at)}
    if report.collected_at:
        issued["effectiveDateTime"] = _time(report.collected_at)
    common: Resource = {
        "status": report.status,
        "code": _SERVICE,
        **issued,
        # By identifier: the receiver knows the laboratory, or stores its code.
        "performer": [
            {"type": "Organization", "identifier": {"value": report.lab}, "display": report.lab}
        ],
    }
    observed: Resource = {
        "resourceType": "Observation",
        "category": [_concept(f"{_TERMS}/observation-category", "laboratory", "Laboratory")],
        **common,
        "specimen": to_specimen,
        **_called(report.outcome),
    }
    components = [part for value in report.targets for part in _components(value)]
    if components:
        observed["component"] = components
    observation = _entry(observed, f"{name}/observation", kind)
    told: Resource = {
        "resourceType": "DiagnosticReport",
        **({"identifier": [{"value": report.result_id}]} if report.result_id else {}),
        "category": [_concept(f"{_TERMS}/v2-0074", "MB", "Microbiology")],
        **common,
        "specimen": [to_specimen],
        "result": [{"reference": observation["fullUrl"]}],
    }
    yield specimen
    yield observation
    yield _entry(told, f"{name}/report", kind)


def _specimen(report: TubeReport) -> Resource:
    """The tube. The number of swabs is that of a Group without members, contained, as it is nothing
    on its own: R4's own way to say "of so many people" and not of whom."""
    identifier = [{"value": report.barcode}]
    specimen: Resource = {"resourceType": "Specimen", "identifier": identifier}
    if report.members:
        group = {"resourceType": "Group", "id": "members", "type": "person", "actual": True,
                 "quantity": report.members}  # fmt: skip
        specimen |= {"contained": [group], "subject": {"reference": "#members"}}
    if report.combined:
        specimen["extension"] = [{"url": COMBINED_URL, "valueCode": report.combined}]
    if report.received_at:
        specimen["receivedTime"] = _time(report.received_at)
    if report.collected_at:
        specimen["collection"] = {"collectedDateTime": _time(report.collected_at)}
    return specimen | {"container": [{"identifier": identifier}]}


def _components(value: TargetValue) -> Iterable[Resource]:
    """The cycle threshold, and what the target is called if it is."""
    code = ct_code(value.target)
    part: Resource = {"code": _named(value.target, f"{value.target} cycle threshold", code)}
    if value.ct_milli is None:
        why = ("unknown", "Unknown") if value.detected else ("not-applicable", "Not Applicable")
        part["dataAbsentReason"] = _concept(f"{_TERMS}/data-absent-reason", *why)
    else:
        part["valueQuantity"] = {
            "value": float(Decimal(ct_text(value.ct_milli))),
            "unit": CT_UNIT, "system": "http://unitsofmeasure.org", "code": CT_UNIT,
        }  # fmt: skip
    yield part
    if value.detected is not None:
        named = _named(value.target, value.target, detection_code(value.target))
        yield {"code": named, **_called("positive" if value.detected else "negative")}


def _named(target: str, text: str, code: str | None) -> Resource:
    local = {"code": target, "display": text}
    return {"coding": [*([{"system": LOINC, "code": code}] if code else []), local]}


def _called(outcome: Outcome) -> dict[str, Any]:
    code, text = WRITTEN[outcome]
    called: dict[str, Any] = {"valueCodeableConcept": _concept(SNOMED, code, text)}
    if outcome in _FLAGS:
        flag, words = _FLAGS[outcome]
        called["interpretation"] = [_concept(f"{_TERMS}/v3-ObservationInterpretation", flag, words)]
    return called


def _concept(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _time(at: datetime) -> str:
    """ISO 8601 with its zone; R4 has zones of whole minutes up to 14 hours."""
    offset = at.utcoffset() or timedelta()
    if offset.total_seconds() % 60 or abs(offset) > timedelta(hours=13, minutes=59):
        at = at.astimezone(UTC)
    return at.isoformat()
