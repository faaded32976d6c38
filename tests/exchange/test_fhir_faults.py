"""What can be wrong with a FHIR bundle: each is told with entry, path and remedy, and spoils no
other report.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.exchange import faults, fhir_bundle
from muster.exchange.fhir import read_bundle
from muster.exchange.report import FAULTS_LIMIT
from tests.exchange.test_fhir_reading import changed
from tests.exchange.tube_reports import barcodes, read, told

R = "Bundle.entry[{}].resource"
SPECIMEN, OBSERVATION, REPORT, GROUP = (R.format(n) for n in range(4))
SCT = "http://snomed.info/sct"


def concept(code: str, system: str = SCT, **more: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, **more}]}


@pytest.mark.parametrize(
    ("path", "value", "place", "slug"),
    [
        ("1.resource.status", "done", f"{OBSERVATION}.status", "entry-invalid"),
        ("1.resource.code", None, OBSERVATION, "entry-invalid"),
        ("1.resource.component.0.valueQuantity.value", "31.25",
         f"{OBSERVATION}.component[0].valueQuantity.value", "entry-invalid"),
        ("1.resource.subjekt", {}, OBSERVATION, "entry-invalid"),
        ("2.resource.issued", "10.4.2022", f"{REPORT}.issued", "entry-invalid"),
        ("2.resource.result", {"reference": "x"}, f"{REPORT}.result", "entry-invalid"),
        ("0.resource.container", {}, f"{SPECIMEN}.container", "entry-invalid"),
        ("0.resource.resourceType", "Speciment", f"{SPECIMEN}.resourceType", "entry-not-usable"),
        ("0.resource", None, "Bundle.entry[0]", "entry-not-usable"),
        ("0.resource", "x", f"{SPECIMEN}.resourceType", "entry-not-usable"),
        ("0.request.method", "DELETE", "Bundle.entry[0].request.method", "entry-not-usable"),
        ("0.request.method", "SEND", "Bundle.entry[0].request.method", "entry-invalid"),
        ("0.fullUrl", 5, "Bundle.entry[0].fullUrl", "entry-invalid"),
        ("1.resource.modifierExtension", [{"url": "urn:example:not"}], OBSERVATION,
         "entry-not-usable"),
        ("1.resource.status", "preliminary", f"{OBSERVATION}.status", "not-final"),
        ("2.resource.status", "partial", f"{REPORT}.status", "not-final"),
        ("2.resource.status", "entered-in-error", f"{REPORT}.status", "result-revoked"),
        ("0.resource.status", "entered-in-error", f"{SPECIMEN}.status", "result-revoked"),
        ("1.resource.status", "unknown", f"{OBSERVATION}.status", "status-unknown"),
        ("1.resource.status", None, f"{OBSERVATION}.status", "field-missing"),
        ("1.resource.valueCodeableConcept", None, f"{OBSERVATION}.value[x]", "outcome-unknown"),
        ("1.resource.valueCodeableConcept", concept("1", display="Detected"),
         f"{OBSERVATION}.value[x]", "outcome-unknown"),
        ("1.resource.valueCodeableConcept", concept("260415000"),
         f"{OBSERVATION}.interpretation", "outcome-contradicts"),
        ("1.resource.valueCodeableConcept", concept("260373001", display="Not detected"),
         f"{OBSERVATION}.value[x]", "outcome-contradicts"),
        ("1.resource.interpretation", [concept("N", "")], f"{OBSERVATION}.interpretation",
         "outcome-contradicts"),
        ("1.resource.code", concept("1-8", "http://loinc.org"), f"{REPORT}.result",
         "outcome-missing"),
        ("1.resource.component.0.valueQuantity.value", 0, f"{OBSERVATION}.component[0].value[x]",
         "reported-ct-unreadable"),
        ("1.resource.component.0.valueQuantity.value", 1e30,
         f"{OBSERVATION}.component[0].value[x]", "reported-ct-unreadable"),
        ("1.resource.component.0.valueQuantity.comparator", ">",
         f"{OBSERVATION}.component[0].value[x]", "reported-ct-unreadable"),
        ("1.resource.component.0.valueQuantity.value", None,
         f"{OBSERVATION}.component[0].valueQuantity", "field-missing"),
        ("1.resource.component.1.code", concept("94511-3", "http://loinc.org"),
         f"{OBSERVATION}.component[1]", "outcome-contradicts"),
        ("2.resource.specimen", [], f"{REPORT}.specimen", "entry-not-usable"),
        ("2.resource.result", [], f"{REPORT}.result", "entry-not-usable"),
        ("2.resource.specimen.0.reference", "Specimen/9", f"{REPORT}.specimen[0]",
         "reference-lost"),
        ("2.resource.performer", None, f"{REPORT}.performer", "field-missing"),
        ("0.resource.container.0.identifier.0.value", "S" * 65,
         f"{SPECIMEN}.container[0].identifier[0].value", "code-too-long"),
        ("2.resource.issued", "2022-02-30T08:30:00Z", f"{REPORT}.issued", "reported-time-unreadable"),
        ("3.resource.quantity", 0, f"{GROUP}.quantity", "count-unreadable"),
        ("0.resource.extension.0.valueCode", "mixed", f"{SPECIMEN}.extension", "entry-invalid"),
    ],
)  # fmt: skip
def test_one_bad_report_beside_a_good_one(path: str, value: object, place: str, slug: str) -> None:
    bundle = json.loads(changed("transaction.json", f"entry.{path}", value))
    bundle["entry"] += json.loads(read("message.json"))["entry"]
    batch = read_bundle("day.json", json.dumps(bundle).encode())
    assert barcodes(batch) == ["SH1000000003"]
    assert told(batch)[0] == (place, slug)
    # What hangs on it is told too, and nothing else.
    lost = {"reference-lost", "entry-not-usable"}
    assert {found for _, found in told(batch)[1:]} <= lost
    number = int(place.split("[")[1].split("]")[0]) + 1
    first = batch.faults[0]
    assert first.line == number
    assert first.problem.message("en").startswith(f"day.json, entry {number}, {place}: ")
    assert first.problem.message("zh").startswith(f"day.json，第 {number} 个条目，{place}：")


def test_a_report_of_nobodys_time() -> None:
    bundle = json.loads(read("transaction.json"))
    for entry in bundle["entry"]:
        entry["resource"].pop("issued", None)
    batch = read_bundle("a", json.dumps(bundle).encode())
    assert told(batch) == [(f"{REPORT}.issued", "field-missing")]


def test_a_result_that_no_report_tells_of() -> None:
    bundle = json.loads(read("transaction.json"))
    del bundle["entry"][2]
    batch = read_bundle("a", json.dumps(bundle).encode())
    assert told(batch) == [(OBSERVATION, "entry-not-usable")]


def two_tubes(*, shared: bool, told_by_itself: bool) -> bytes:
    """Two reports of two specimens, of one observation or of one each that names its specimen."""
    bundle = json.loads(read("transaction.json"))
    tube, observation, report = (json.loads(json.dumps(one)) for one in bundle["entry"][:3])
    tube["fullUrl"] = "urn:uuid:5a4d4f0e-3f11-4d0e-9b1a-000000000005"
    tube["resource"]["container"][0]["identifier"][0]["value"] = "SH2"
    report["resource"]["specimen"][0]["reference"] = tube["fullUrl"]
    report["fullUrl"] = "urn:uuid:5a4d4f0e-3f11-4d0e-9b1a-000000000006"
    bundle["entry"] += [tube, report]
    if not shared:
        observation["fullUrl"] = "urn:uuid:5a4d4f0e-3f11-4d0e-9b1a-000000000007"
        report["resource"]["result"][0]["reference"] = observation["fullUrl"]
        bundle["entry"].append(observation)
    if told_by_itself:
        bundle["entry"][1]["resource"]["specimen"] = {"reference": tube["fullUrl"]}
    return json.dumps(bundle).encode()


def test_one_observation_does_not_answer_for_two_tubes() -> None:
    batch = read_bundle("a", two_tubes(shared=False, told_by_itself=False))
    assert barcodes(batch) == ["SH1000000001", "SH2"]
    batch = read_bundle("a", two_tubes(shared=True, told_by_itself=False))
    assert told(batch) == [(f"{OBSERVATION}.specimen", "entry-not-usable")] * 2
    batch = read_bundle("a", two_tubes(shared=False, told_by_itself=True))
    assert told(batch) == [(f"{OBSERVATION}.specimen", "entry-not-usable")]
    assert barcodes(batch) == ["SH2"]


def test_two_entries_of_one_name_are_neither() -> None:
    bundle = json.loads(read("transaction.json"))
    bundle["entry"].append(bundle["entry"][0])
    batch = read_bundle("a", json.dumps(bundle).encode())
    assert told(batch) == [(f"{REPORT}.specimen[0]", "reference-lost")]


def test_a_fault_says_where_and_what_to_do() -> None:
    batch = read_bundle("d.json", changed("transaction.json", "entry.2.resource.issued", "10.4."))
    assert batch.faults[0].problem.message("en") == (
        "d.json, entry 3, Bundle.entry[2].resource.issued: It is not valid FHIR R4: the value has "
        "not the form of its type. Correct it after the R4 definition of DiagnosticReport."
    )


def test_an_offence_is_told_without_the_value() -> None:
    batch = read_bundle("a", changed("transaction.json", "entry.2.resource.subject", "欧阳示例"))
    assert told(batch)[0] == (f"{REPORT}.subject", "entry-invalid")
    assert "欧阳" not in "".join(fault.problem.message() for fault in batch.faults)


def places(value: Any, before: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if before:
        yield before
    inner = value.items() if isinstance(value, dict) else ()
    for name, one in enumerate(value) if isinstance(value, list) else inner:
        yield from places(one, (*before, name))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8) | st.sampled_from(["2022-04-10T08:30:00Z", "#tube", "欧阳示例"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
        st.sampled_from(["reference", "coding", "code", "value", "identifier", "resourceType"]),
        inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(["transaction.json", "message.json"]), ANYTHING)
def test_anything_anywhere_is_a_fault_at_worst(data: Any, name: str, value: Any) -> None:
    bundle = json.loads(read(name))
    *before, last = data.draw(st.sampled_from(list(places(bundle["entry"]))))
    place: Any = bundle["entry"]
    for part in before:
        place = place[part]
    place[last] = value
    try:
        batch = read_bundle("a", json.dumps(bundle).encode())
    except faults.ExchangeProblem:
        return
    assert batch.faults or batch.reports
    for fault in batch.faults:
        assert "示例" not in fault.problem.message("zh") + fault.problem.message("en")


def test_the_bundles_own_offences_leave_its_entries_alone() -> None:
    batch = read_bundle("a", changed("transaction.json", "timestamp", "yesterday"))
    assert told(batch) == [("Bundle.timestamp", "entry-invalid")]
    assert len(batch.reports) == 1


def nested(levels: int) -> bytes:
    deep: dict[str, Any] = {"url": "urn:example:x"}
    for _ in range(levels):
        deep = {"url": "urn:example:x", "extension": [deep]}
    return changed("transaction.json", "entry.1.resource.extension", [deep])


def test_what_is_nested_too_deep() -> None:
    assert len(read_bundle("a", nested(10)).reports) == 1
    assert told(read_bundle("a", nested(30)))[0] == (OBSERVATION, "entry-too-deep")


def test_a_file_with_more_faults_than_anybody_reads() -> None:
    bundle = json.loads(read("transaction.json"))
    bundle["entry"][2]["resource"]["result"] *= FAULTS_LIMIT + 1
    del bundle["entry"][1]
    with pytest.raises(faults.ExchangeTooLarge, match="faults"):
        read_bundle("a", json.dumps(bundle).encode())


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", faults.ExchangeEmpty),
        (b"\n", faults.ExchangeEmpty),
        (b'{"resourceType": "Bundle",', faults.NotAFhirBundle),
        (b'<Bundle xmlns="http://hl7.org/fhir"/>', faults.NotAFhirBundle),
        (read("message.json").decode().encode("utf-16"), faults.NotAFhirBundle),
        ("结果".encode("gb18030"), faults.NotAFhirBundle),
        (b"[" * 100_000, faults.NotAFhirBundle),
        (b'{"a":' * 100_000, faults.NotAFhirBundle),
        (b"[]", faults.NotAFhirBundle),
        (b'{"resourceType": "DiagnosticReport"}', faults.NotAFhirBundle),
        (b'{"resourceType": ["Bundle"]}', faults.NotAFhirBundle),
        (b'{"resourceType": "Bundle", "type": "batch", "entry": {}}', faults.NotAFhirBundle),
        (b'{"resourceType": "Bundle"}', faults.BundleTypeRefused),
        (b'{"resourceType": "Bundle", "type": "history"}', faults.BundleTypeRefused),
        (b'{"resourceType": "Bundle", "type": "batch", "entry": [%s]}'
         % b",".join([b"{}"] * (fhir_bundle.ENTRIES_LIMIT + 1)), faults.ExchangeTooLarge),
        (b'{"resourceType": "Bundle", "type": "batch", "x": [%s]}'
         % b",".join([b"[]"] * fhir_bundle.OBJECTS_LIMIT), faults.ExchangeTooLarge),
        (b" " * (fhir_bundle.FILE_LIMIT_BYTES + 1), faults.ExchangeTooLarge),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_at_all(content: bytes, problem: type[Exception]) -> None:
    with pytest.raises(problem, match=r"a\.json"):
        read_bundle("a.json", content)
