"""Results that laboratories send as FHIR R4. The files follow R4's pages on Bundle, Diagnostic-
Report, Observation and Specimen, and the cross-version extension of R5's Specimen.combined.
"""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from muster.exchange.fhir import read_bundle
from muster.exchange.report import TargetValue, TubeReport
from tests.exchange.tube_reports import POSITIVE, read


def changed(name: str, path: str, value: object) -> bytes:
    """A file with one value set, or left out (None); the path in dots, list places as numbers."""
    bundle = json.loads(read(name))
    *before, last = path.split(".")
    place: Any = bundle
    for part in before:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    if value is None:
        del place[last]
    elif isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return json.dumps(bundle).encode()


def test_a_pooled_tube() -> None:
    batch = read_bundle("t.json", read("transaction.json"))
    targets = (TargetValue("ORF1ab", 31_250, None), TargetValue("N", None, False))
    assert batch.faults == ()
    assert batch.reports == (msgspec.structs.replace(POSITIVE, line=3, targets=targets),)
    assert batch.message_id == "B-2022-1"


def test_a_message_with_contained_resources_and_a_panel() -> None:
    batch = read_bundle("m.json", read("message.json"))
    assert batch.faults == ()
    assert batch.reports == (
        TubeReport(
            barcode="SH1000000003", outcome="indeterminate", status="corrected", lab="LAB-7",
            resulted_at=datetime(2022, 4, 10, 11, 31, 0, 500_000, tzinfo=UTC),
            targets=(TargetValue("N Ct", 38_000, None),), line=2,
        ),
    )  # fmt: skip
    assert (batch.message_id, batch.sender) == ("m-1", "LAB-7")


@pytest.mark.parametrize("kind", ["collection", "transaction", "batch", "message"])
def test_bundle_types(kind: str) -> None:
    assert read_bundle("a", changed("transaction.json", "type", kind)).reports


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ({"valueCodeableConcept": {"coding": [{"code": "NEG"}]}}, "negative"),
        ({"valueCodeableConcept": {"text": "阴性"}}, "negative"),
        ({"valueString": "Not detected"}, "negative"),
        ({"valueCodeableConcept": {"coding": [
            {"system": "http://loinc.org", "code": "LA9663-1", "display": "Inconclusive"}]}},
         "indeterminate"),
        ({"valueCodeableConcept": {"coding": [
            {"system": "http://snomed.info/sct", "code": "455371000124106"}], "text": "Invalid"}},
         "invalid"),
    ],
)  # fmt: skip
def test_how_an_outcome_may_be_written(value: dict[str, Any], outcome: str) -> None:
    bundle = json.loads(read("transaction.json"))
    observation = bundle["entry"][1]["resource"]
    del observation["valueCodeableConcept"], observation["interpretation"]
    observation |= value
    (report,) = read_bundle("a", json.dumps(bundle).encode()).reports
    assert report.outcome == outcome


@pytest.mark.parametrize(
    ("performer", "lab"),
    [
        ({"reference": "Organization/LAB-8"}, "LAB-8"),
        ({"reference": "https://example.org/fhir/Organization/LAB-8"}, "LAB-8"),
        ({"type": "Organization", "display": "第八实验室"}, "第八实验室"),
    ],
)
def test_how_a_laboratory_may_be_named(performer: dict[str, Any], lab: str) -> None:
    content = changed("transaction.json", "entry.2.resource.performer", [performer])
    (report,) = read_bundle("a", content).reports
    assert report.lab == lab


def test_the_specimens_own_identifier_where_its_container_has_none() -> None:
    (report,) = read_bundle(
        "a", changed("transaction.json", "entry.0.resource.container", None)
    ).reports
    assert report.barcode == "88001"


def test_nothing_of_a_person_is_kept() -> None:
    for name in ("transaction.json", "message.json"):
        batch = read_bundle(name, read(name))
        assert batch.reports
        for secret in ("示例", "欧阳", "皇甫", "13800000000", "Patient"):
            assert secret not in repr(batch)
        assert "示例" in read(name).decode()


def test_a_patient_is_not_even_looked_at() -> None:
    broken = changed("transaction.json", "entry.4.resource.name", "欧阳示例")
    assert read_bundle("a", broken).faults == ()
    assert read_bundle("a", broken).reports
