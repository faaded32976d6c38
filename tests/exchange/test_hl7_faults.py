"""What can be wrong with an HL7 file: each is told with its place and its remedy, and spoils
nothing else.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.exchange import er7, faults
from muster.exchange.codes import shown
from muster.exchange.hl7 import acknowledge, read_oru
from muster.exchange.report import FAULTS_LIMIT
from tests.exchange.tube_reports import AT, barcodes, read, told

ZONE = "Asia/Shanghai"
GOOD = read("pool.hl7").decode()
OTHER = GOOD.replace("SH1000000001", "SH9")
OBX1 = next(line for line in GOOD.split("\n") if line.startswith("OBX|1|"))
SPM = next(line for line in GOOD.split("\n") if line.startswith("SPM|"))


def broken(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def without(*names: str) -> str:
    return "".join(line for line in GOOD.splitlines(True) if line[:3] not in names)


@pytest.mark.parametrize(
    ("text", "place", "slug", "answer"),
    [
        (broken("|^~\\&|", "|^~\\|"), "", "encoding-characters-wrong", "AR"),
        (broken("|^~\\&|", "|^^\\&|"), "", "encoding-characters-wrong", "AR"),
        (broken("|^~\\&|", "|AB~\\|"), "", "encoding-characters-wrong", "AR"),
        (GOOD.replace("^", "$").replace("|$~", "|^~"), "MSH[1]-2", "encoding-characters-wrong", "AR"),
        (broken("|2.5.1|", "|2.3|"), "MSH[1]-12", "version-refused", "AR"),
        (broken("ORU^R01^ORU_R01", "ADT^A01"), "MSH[1]-9", "message-type-refused", "AR"),
        (broken("|P|2.5.1", "|T|2.5.1"), "MSH[1]-11", "not-for-production", "AR"),
        (broken("UNICODE UTF-8", "ISO IR87"), "", "charset-unknown", "AR"),
        (broken("|20220410-0001|", "||"), "MSH[1]-10", "field-missing", "AE"),
        (without("OBR"), "", "segment-missing", "AE"),
        (without("OBX"), "OBR", "segment-missing", "AE"),
        (without("SPM"), "OBR", "segment-missing", "AE"),
        (broken(SPM, f"{SPM}\n{SPM}"), "SPM", "segment-repeated", "AE"),
        (broken("NTE|1|L|A", "NTE|1|L|A\nb|"), "", "segment-broken", "AE"),
        (broken("NTE|1|L|A", "NTE^1^L^A"), "", "segment-broken", "AE"),
        (broken("260373001^Detected", "999000^Detected"), "OBX[1]-5", "outcome-unknown", "AE"),
        (broken("260373001^Detected^SCT", ""), "OBX[1]-5", "outcome-unknown", "AE"),
        (broken(OBX1, OBX1.replace("94500-6", "1-8")), "OBX[1]-3", "outcome-missing", "AE"),
        (broken("260373001^Detected", "260415000^Detected"), "OBX[1]-5", "outcome-contradicts", "AE"),
        (broken("260373001^Detected", "260415000^Not detected"), "OBX[1]-8", "outcome-contradicts",
         "AE"),
        (broken("|A|||F", "|N|||F"), "OBX[1]-8", "outcome-contradicts", "AE"),
        (broken("|A|||F", "|A~NEG|||F"), "OBX[1]-8", "outcome-contradicts", "AE"),
        (broken(OBX1, f"{OBX1}\n{OBX1.replace('260373001^Detected', '260415000^').replace('|A|', '||')}"),
         "OBX[2]-5", "outcome-contradicts", "AE"),
        (broken("94510-5^N gene Ct", "94511-3^again"), "OBX[3]-5", "outcome-contradicts", "AE"),
        (broken("|A|||F", "|A|||P"), "OBX[1]-11", "not-final", "AE"),
        (broken("|LAB|F", "|LAB|P"), "OBR[1]-25", "not-final", "AE"),
        (broken("|A|||F", "|A|||W"), "OBX[1]-11", "result-revoked", "AE"),
        (broken("|A|||F", "|A|||Q"), "OBX[1]-11", "status-unknown", "AE"),
        (broken("|A|||F", "|A|||"), "OBX[1]-11", "field-missing", "AE"),
        (broken("|20220410083000+0800|", "||").replace("20220410081000+0800", ""), "OBR[1]-22",
         "field-missing", "AE"),
        (broken("20220410083000+0800", "20220410"), "OBR[1]-22", "reported-time-unreadable", "AE"),
        (broken("20220410083000+0800", "20220230083000"), "OBR[1]-22", "reported-time-unreadable", "AE"),
        (broken("20220410083000+0800", "2022-04-10 08:30"), "OBR[1]-22", "reported-time-unreadable", "AE"),
        (broken("20220410001000+0800", "00000000001000"), "SPM[1]-18", "reported-time-unreadable", "AE"),
        (broken("|31.25|", "|31,25|"), "OBX[2]-5", "reported-ct-unreadable", "AE"),
        (broken("|31.25|", "|0|"), "OBX[2]-5", "reported-ct-unreadable", "AE"),
        (broken("|31.25|", "|61|"), "OBX[2]-5", "reported-ct-unreadable", "AE"),
        (broken("|31.25|", "|-1|"), "OBX[2]-5", "reported-ct-unreadable", "AE"),
        (broken("|31.25|", "||"), "OBX[2]-5", "field-missing", "AE"),
        (broken("|SH1000000001&CITY^88001&LIS|", "||"), "SPM[1]-2", "field-missing", "AE"),
        (broken("258529004^Throat swab^SCT", ""), "SPM[1]-4", "field-missing", "AE"),
        (broken("SH1000000001&", "S" * 65 + "&"), "SPM[1]-2", "code-too-long", "AE"),
        (broken("L^Pool", "Q^Control"), "SPM[1]-11", "not-a-tube", "AE"),
        (broken("HL70369||10|", "HL70369||ten|"), "SPM[1]-13", "count-unreadable", "AE"),
        (broken("HL70369||10|", "HL70369||0|"), "SPM[1]-13", "count-unreadable", "AE"),
    ],
)  # fmt: skip
def test_one_bad_message_between_two_good_ones(
    text: str, place: str, slug: str, answer: str
) -> None:
    batch = read_oru("day.hl7", (OTHER + text + OTHER).encode(), zone=ZONE)
    assert told(batch) == [(place, slug)]
    assert barcodes(batch) == ["SH9", "SH9"]
    (fault,) = batch.faults
    lines = OTHER.count("\n")
    assert fault.line is not None
    assert lines < fault.line <= lines + text.count("\n")
    assert fault.problem.message("en").startswith(f"day.hl7, message 2, line {fault.line}")
    assert fault.problem.message("zh").startswith(f"day.hl7，第 2 条消息，第 {fault.line} 行")
    answered = acknowledge(batch, at=AT, message_id="A").decode()
    assert [line.split("|")[1] for line in answered.split("\r") if line[:3] == "MSA"] == [
        "AA", answer, "AA",
    ]  # fmt: skip
    assert answered.count("\rERR|") == 1


def test_a_fault_says_where_and_what_to_do() -> None:
    (fault,) = read_oru("day.hl7", broken("|31.25|", "|31,25|").encode(), zone=ZONE).faults
    assert fault.problem.message("en").startswith(
        'day.hl7, message 1, line 8, OBX[2]-5: The cycle threshold "31,25" cannot be read. Write a '
        "number above 0 and up to 60 with a decimal point, as in 31.25;"
    )
    assert fault.problem.message("zh").startswith(
        'day.hl7，第 1 条消息，第 8 行，OBX[2]-5：Ct 值 "31,25" 无法读取。请写大于 0、不超过 60 的数'
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("31,25", '"31,25"'),
        ("Q", '"Q"'),
        ("", "(—)"),
        ("13800000000", "(11 ch.)"),
        ("11010519491231002X", "(18 ch.)"),
        ("欧阳示例", "(4 ch.)"),
        ("OuyangShi", "(9 ch.)"),
    ],
)
def test_what_is_told_of_a_value(text: str, told: str) -> None:
    assert shown(text) == told


def test_each_tube_of_a_message_stands_for_itself() -> None:
    text = read("batch.hl7").replace(b"38.217", b"38,217")
    batch = read_oru("a", text, zone=ZONE)
    assert told(batch) == [("OBX[3]-5", "reported-ct-unreadable")]
    assert barcodes(batch) == ["SH1000000002", "SH1000000004"]


def test_a_lost_order_does_not_give_its_tube_to_another() -> None:
    lines = read("batch.hl7").decode().splitlines(True)
    second = next(n for n, line in enumerate(lines) if line.startswith("OBR|2|"))
    batch = read_oru("a", "".join(lines[:second] + lines[second + 1 :]).encode(), zone=ZONE)
    assert told(batch) == [("SPM", "segment-repeated")]
    assert barcodes(batch) == ["SH1000000004"]
    lines[second] = lines[second][1:]  # "BR|2|": what stands behind it is not the first tube's
    batch = read_oru("a", "".join(lines).encode(), zone=ZONE)
    assert told(batch) == [("", "segment-broken")]
    assert barcodes(batch) == ["SH1000000004"]


@pytest.mark.parametrize("cut", range(len(GOOD) - GOOD.index("SPM|"), len(GOOD) - 120, 37))
def test_a_message_cut_off_anywhere_gives_nothing(cut: int) -> None:
    batch = read_oru("a", (OTHER + GOOD[:-cut]).encode(), zone=ZONE)
    assert barcodes(batch) == ["SH9"]
    assert batch.faults
    assert {fault.message for fault in batch.faults} == {2}


def test_a_barcode_cut_off_is_not_another_barcode() -> None:
    text = GOOD[: GOOD.index("SH1000000001&") + 6]
    batch = read_oru("a", text.encode(), zone=ZONE)
    assert batch.reports == ()
    assert told(batch) == [("", "message-cut-off")]


def test_a_damaged_header_does_not_give_its_tubes_to_another_message() -> None:
    batch = read_oru("a", (OTHER + GOOD.replace("MSH|", "MH|") + OTHER).encode(), zone=ZONE)
    assert barcodes(batch) == ["SH9"]
    assert told(batch) == [("", "segment-broken")]
    framed = [b"\x0b" + text.encode() + b"\x1c\r" for text in (OTHER, GOOD[1:], OTHER)]
    batch = read_oru("a", b"".join(framed), zone=ZONE)
    assert barcodes(batch) == ["SH9", "SH9"]
    assert told(batch) == [("", "segment-broken")]


def test_a_frame_without_its_end() -> None:
    framed = b"\x0b" + GOOD.encode() + b"\x1c\r\x0b" + OTHER.encode()
    batch = read_oru("a", framed, zone=ZONE)
    assert told(batch) == [("", "message-cut-off")]
    assert barcodes(batch) == ["SH1000000001"]


@pytest.mark.parametrize(
    ("old", "new", "places"),
    [
        ("BTS|2\nFTS|1\n", "", ["FHS", "BHS"]),
        ("BTS|2", "BTS|5", ["BTS-1"]),
        ("BTS|2\n", "", ["BHS"]),
    ],
)
def test_a_batch_cut_off(old: str, new: str, places: list[str]) -> None:
    batch = read_oru("a", read("batch.hl7").decode().replace(old, new).encode(), zone=ZONE)
    assert told(batch) == [(place, "batch-cut-off") for place in places]
    assert len(batch.reports) == 3


@pytest.mark.parametrize(
    ("declared", "slug"),
    [("", "charset-missing"), ("UNICODE UTF-8", "charset-broken"), ("ASCII", "charset-broken")],
)
def test_bytes_in_another_character_set(declared: str, slug: str) -> None:
    text = broken("UNICODE UTF-8", declared).replace("A comment", "备注")
    batch = read_oru("a", text.encode("gb18030") + OTHER.encode(), zone=ZONE)
    assert told(batch) == [("", slug)]
    assert batch.faults[0].line == 7
    assert barcodes(batch) == ["SH9"]


@settings(max_examples=300, deadline=None)
@given(
    st.data(), st.binary(max_size=6) | st.sampled_from([b"|", b"^", b"\r", b"\r|", b"\x0b", b"~~"])
)
def test_anything_anywhere_spoils_its_own_message_only(data: st.DataObject, bytes_: bytes) -> None:
    framed = [b"\x0b" + text.encode() + b"\x1c\r" for text in (OTHER, GOOD, OTHER)]
    start = data.draw(st.integers(1, len(framed[1]) - 3))
    end = data.draw(st.integers(start, min(start + 8, len(framed[1]) - 2)))
    framed[1] = framed[1][:start] + bytes_ + framed[1][end:]
    batch = read_oru("a", b"".join(framed), zone=ZONE)
    assert barcodes(batch)[0] == barcodes(batch)[-1] == "SH9"
    assert len(batch.reports) == 3 or batch.faults
    for fault in batch.faults:
        assert fault.problem.message("en")
        assert fault.problem.message("zh")


def test_text_outside_of_messages() -> None:
    batch = read_oru("a", b"Results of today\nsee below\n\n" + GOOD.encode(), zone=ZONE)
    assert [(fault.line, fault.problem.slug) for fault in batch.faults] == [(1, "segment-broken")]
    assert len(batch.reports) == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", faults.ExchangeEmpty),
        (b" \r\n", faults.ExchangeEmpty),
        (b"PK\x03\x04", faults.NotHl7),
        (b"<ORU_R01><MSH/></ORU_R01>", faults.NotHl7),
        (GOOD.encode("utf-16"), faults.NotHl7),
        (b"\r" * (er7.SEGMENTS_LIMIT + 1) + b"MSH", faults.ExchangeTooLarge),
        (b"MSH|^~\\&|\r" * (FAULTS_LIMIT + 1), faults.ExchangeTooLarge),
        (GOOD.encode() + b"OBR|1\r" * FAULTS_LIMIT, faults.ExchangeTooLarge),
        (b"M" * (er7.FILE_LIMIT_BYTES + 1), faults.ExchangeTooLarge),
    ],
)
def test_a_file_that_cannot_be_read_at_all(content: bytes, problem: type[Exception]) -> None:
    with pytest.raises(problem, match=r"a\.hl7"):
        read_oru("a.hl7", content, zone=ZONE)
