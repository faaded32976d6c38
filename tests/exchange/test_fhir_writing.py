"""Results as FHIR R4: what is written comes back, is valid by HL7's own schema, and is read by
other people's classes.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.exchange.fhir import read_bundle, write_bundle
from muster.exchange.fhir_bundle import BundleType
from muster.exchange.fhir_schema import definitions, offences, resource_types
from muster.exchange.report import TargetValue, TubeReport
from tests.exchange.tube_reports import AT, POSITIVE, read, reports

KINDS = get_args(BundleType)
FULL = msgspec.structs.replace(
    POSITIVE,
    targets=(TargetValue("ORF1ab", 31_250, True), TargetValue("FAM", None, False)),
)
BARE = TubeReport(barcode="B", outcome="invalid", status="corrected", lab="L", resulted_at=AT)


def written(given_reports: list[TubeReport], kind: BundleType = "transaction") -> bytes:
    return write_bundle(given_reports, sender="LAB-7", at=AT, message_id="M-1", kind=kind)


def resources(value: Any) -> Iterator[dict[str, Any]]:
    """A resource and all within it."""
    if isinstance(value, dict):
        if "resourceType" in value:
            yield value
        for one in value.values():
            yield from resources(one)
    elif isinstance(value, list):
        for one in value:
            yield from resources(one)


def test_a_tube_as_it_is_written() -> None:
    specimen, observation, report = (
        entry["resource"] for entry in msgspec.json.decode(written([POSITIVE]))["entry"]
    )
    assert specimen == {
        "resourceType": "Specimen",
        "contained": [{"resourceType": "Group", "id": "members", "type": "person",
                       "actual": True, "quantity": 10}],
        "extension": [
            {"url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-Specimen.combined",
             "valueCode": "pooled"}],
        "identifier": [{"value": "SH1000000001"}],
        "subject": {"reference": "#members"},
        "receivedTime": "2022-04-10T00:10:00+08:00",
        "collection": {"collectedDateTime": "2022-04-09T20:15:00+08:00"},
        "container": [{"identifier": [{"value": "SH1000000001"}]}],
    }  # fmt: skip
    assert observation["code"]["coding"][0]["code"] == "94500-6"
    assert observation["valueCodeableConcept"]["coding"] == [
        {"system": "http://snomed.info/sct", "code": "260373001", "display": "Detected"}
    ]
    assert observation["component"][0] == {
        "code": {"coding": [{"system": "http://loinc.org", "code": "94511-3"},
                            {"code": "ORF1ab", "display": "ORF1ab cycle threshold"}]},
        "valueQuantity": {"value": 31.25, "unit": "{Ct_value}", "code": "{Ct_value}",
                          "system": "http://unitsofmeasure.org"},
    }  # fmt: skip
    assert report["identifier"] == [{"value": "R-88001"}]
    assert report["issued"] == "2022-04-10T08:30:00+08:00"


@settings(max_examples=100, deadline=None)
@given(st.lists(reports, min_size=1, max_size=3), st.sampled_from(KINDS))
def test_what_is_written_comes_back(given_reports: list[TubeReport], kind: BundleType) -> None:
    batch = read_bundle("a", written(given_reports, kind))
    assert batch.faults == ()
    assert [msgspec.structs.replace(one, line=None) for one in batch.reports] == given_reports
    assert batch.message_id == "M-1"


@settings(max_examples=50, deadline=None)
@given(st.lists(reports, max_size=2), st.sampled_from(KINDS))
def test_it_is_valid_r4(given_reports: list[TubeReport], kind: BundleType) -> None:
    for one in resources(msgspec.json.decode(written(given_reports, kind))):
        assert list(offences(one["resourceType"], one)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_others_read_it(kind: BundleType) -> None:
    """R4B's classes know what the schema does not: elements that must be there. Bundle, Diagnostic-
    Report, Observation, Specimen and Group are the same in R4B."""
    content = written([FULL, BARE], kind)
    bundle: Any = Bundle.model_validate_json(content)
    types = [entry.resource.get_resource_type() for entry in bundle.entry]
    assert types[-3:] == ["Specimen", "Observation", "DiagnosticReport"]
    spoiled = content.replace(b'"status":"final",', b"")
    with pytest.raises(ValueError, match="status"):
        Bundle.model_validate_json(spoiled)


def test_the_same_reports_give_the_same_bytes() -> None:
    assert written([FULL, BARE]) == written([FULL, BARE])


def test_no_person_goes_out() -> None:
    for kind in KINDS:
        types = {
            one["resourceType"] for one in resources(msgspec.json.decode(written([FULL], kind)))
        }
        assert types <= {"Bundle", "MessageHeader", "Specimen", "Group", "Observation",
                         "DiagnosticReport"}  # fmt: skip
        assert b'"member"' not in written([FULL], kind)


@pytest.mark.parametrize("name", ["transaction.json", "message.json"])
def test_the_files_of_these_tests_are_valid_r4(name: str) -> None:
    read_here = [one for one in resources(msgspec.json.decode(read(name)))
                 if one["resourceType"] != "Patient"]  # fmt: skip
    assert len(read_here) >= 5
    for one in read_here:
        assert list(offences(one["resourceType"], one)) == []


def test_the_schema_is_that_of_4_0_1() -> None:
    """Meta as a value of an extension came with the errata of 4.0.1; its resources are 146."""
    assert "valueMeta" in definitions()["Extension"]["properties"]
    assert len(resource_types()) == 146
    assert "CatalogEntry" in resource_types()


def test_every_definition_that_is_needed_is_there() -> None:
    used = re.findall(
        r'"#/definitions/([^"]+)"',
        json.dumps({name: one for name, one in definitions().items() if name != "ResourceList"}),
    )
    assert set(used) <= set(definitions())
    assert "Timing_Repeat" in used
