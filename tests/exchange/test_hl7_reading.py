"""Results that laboratories send as HL7 v2.5.1. The files follow chapters 2 and 7 of the standard."""

from datetime import datetime

import msgspec
import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message, parse_segment

from muster.exchange import er7
from muster.exchange.hl7 import read_oru
from muster.exchange.report import Party, TargetValue, TubeReport
from tests.exchange.tube_reports import BEIJING, POSITIVE, barcodes, read

ZONE = "Asia/Shanghai"


def test_a_pooled_tube() -> None:
    batch = read_oru("pool.hl7", read("pool.hl7"), zone=ZONE)
    assert batch.faults == ()
    assert batch.reports == (msgspec.structs.replace(POSITIVE, line=5),)
    assert (batch.message_id, batch.sender) == ("20220410-0001", "CDC-LAB-2")
    assert batch.messages[0].receiver == Party("MUSTER", "CITY")


def test_a_batch_of_messages_with_several_tubes() -> None:
    batch = read_oru("batch.hl7", read("batch.hl7"), zone="Asia/Urumqi")

    def at(hour: int, minute: int) -> datetime:
        return datetime(2022, 4, 10, hour, minute, tzinfo=BEIJING)

    def tube(n: int, **facts: object) -> TubeReport:
        plain = {"status": "final", "lab": "LAB-7", "barcode": f"SH100000000{n}"}
        return msgspec.convert(plain | facts, TubeReport)

    assert batch.faults == ()
    assert batch.reports[:2] == (
        tube(2, outcome="negative", resulted_at=at(11, 30), result_id="71001", line=4,
             members=10, combined="grouped"),
        tube(3, outcome="indeterminate", status="corrected", resulted_at=at(11, 31), line=7,
             result_id="71002",
             targets=[TargetValue("N_CT", 38_217, None), TargetValue("ORF1ab_CT", None, None)]),
    )  # fmt: skip
    # The third has no zone, not even in its header; its result could not be obtained, and it was
    # received on a day without an hour.
    assert batch.reports[2].outcome == "invalid"
    assert batch.reports[2].received_at is None
    assert str(batch.reports[2].resulted_at.tzinfo) == "Asia/Urumqi"
    assert [one.message_id for one in batch.messages] == ["B-77-1", "B-77-2"]


def test_hl7apy_takes_the_same_file_apart_alike() -> None:
    """Valid by its strict validation, and every field of every segment the same as it sees it."""
    text = read("pool.hl7").decode().replace("\n", "\r")
    message = parse_message(text, validation_level=VALIDATION_LEVEL.STRICT)
    assert message.validate()
    (lines,), _ = er7.split("a", text.encode())
    header = er7.header(lines.lines[0][1])
    assert isinstance(header, er7.Header)
    for segment, line in zip(er7.segments(lines, header), text.split("\r"), strict=False):
        assert isinstance(segment, er7.Segment)
        theirs = parse_segment(line, version="2.5.1")
        for n in range(3 if segment.name == "MSH" else 1, len(segment.fields)):
            same = getattr(theirs, f"{segment.name}_{n}")
            assert "~".join(one.to_er7() for one in same) == segment.raw(n)


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize("framed", [False, True])
def test_line_ends_and_framing(end: bytes, framed: bool) -> None:
    one = read("pool.hl7").replace(b"\n", end)
    if framed:
        one = b"\x0b" + one + b"\x1c\r"
    batch = read_oru("a", one + one.replace(b"SH1000000001", b"SH2"), zone=ZONE)
    assert batch.faults == ()
    assert barcodes(batch) == ["SH1000000001", "SH2"]


def test_frames_without_a_carriage_return_between_them() -> None:
    one = b"\x0b" + read("pool.hl7").replace(b"\n", b"\r") + b"\x1c"
    assert len(read_oru("a", one * 3, zone=ZONE).reports) == 3


@pytest.mark.parametrize("marks", ["|^~\\&", "#!@*%", "$:;,?"])
def test_other_encoding_characters_if_they_are_declared(marks: str) -> None:
    text = read("pool.hl7").decode().translate(str.maketrans("|^~\\&", marks))
    batch = read_oru("a", text.encode(), zone=ZONE)
    assert batch.faults == ()
    assert batch.reports == (msgspec.structs.replace(POSITIVE, line=5),)


@pytest.mark.parametrize(
    ("declared", "charset", "lab"),
    [
        ("GB 18030-2000", "gb18030", "亅區實驗室"),  # the second byte of 亅 is that of "|"
        ("BIG-5", "big5", "育功實驗室"),  # of 育 "|", of 功 the backslash
        ("UNICODE UTF-8", "utf-8", "亅區實驗室"),
        ("UTF-8", "utf-8", "亅區實驗室"),
        ("", "utf-8", "亅區實驗室"),
        ("8859/1", "latin-1", "Bücher"),
        ("ASCII", "ascii", "LAB"),
    ],
)
def test_character_sets(declared: str, charset: str, lab: str) -> None:
    text = read("pool.hl7").decode().replace("UNICODE UTF-8", declared)
    text = text.replace("CDC-LAB-2", lab).replace("|ORU^R01", f"{lab}|ORU^R01")
    assert (b"|" in lab.encode(charset)) == (charset in ("gb18030", "big5"))
    batch = read_oru("a", text.encode(charset), zone=ZONE)
    assert batch.faults == ()
    assert batch.reports == (msgspec.structs.replace(POSITIVE, lab=lab, line=5),)


@pytest.mark.parametrize(
    ("written", "barcode"),
    [
        ("SH1", "SH1"),
        (" SH1 ", "SH1"),
        ("ＳＨ１", "SH1"),
        ("^SH1", "SH1"),
        ("SH1&CITY^LIS1&LIS", "SH1"),
        (r"A\T\B\S\C\F\D\R\E\E\F", "A&B^C|D~E\\F"),
        (r"\X53\\X48E6B58B\1", "SH测1"),
        (r"\H\SH1\N\ ", "SH1"),
        ("SH\\1", "SH\\1"),
    ],
)
def test_how_a_barcode_may_be_written(written: str, barcode: str) -> None:
    content = read("pool.hl7").replace(b"SH1000000001&CITY^88001&LIS", written.encode())
    assert barcodes(read_oru("a", content, zone=ZONE)) == [barcode]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("CE||260373001^Detected^SCT", "positive"),
        ("CE||LA11883-8^Not detected^LN", "negative"),
        ("CE||P1^阳性^99LIS", "positive"),
        ("CE||NEG^^L", "negative"),
        ("CWE||X9^^L^42425007^Equivocal^SCT", "indeterminate"),
        ("CNE||455371000124106^Invalid result^SCT", "invalid"),
        ("ST||未检出", "negative"),
        ("TX||Not  detected", "negative"),
        ("ST||（+）", "positive"),
        ("IS||无效", "invalid"),
    ],
)
def test_how_an_outcome_may_be_written(said: str, outcome: str) -> None:
    kind, value = said.split("||")
    text = read("pool.hl7").decode().replace("|A|||F|||2022", "||||F|||2022")
    text = text.replace("OBX|1|CWE|", f"OBX|1|{kind}|").replace("260373001^Detected^SCT", value)
    (report,) = read_oru("a", text.encode(), zone=ZONE).reports
    assert report.outcome == outcome


def test_nothing_of_a_person_is_kept() -> None:
    batch = read_oru("named.hl7", read("named.hl7"), zone=ZONE)
    assert barcodes(batch) == ["SH1000000005"]
    kept = repr((batch, [fault.problem.message() for fault in batch.faults]))
    for secret in (
        "示例",
        "欧阳",
        "110105",
        "13800000000",
        "诸葛",
        "上官",
        "皇甫",
        "幸福路",
        "1949",
    ):
        assert secret not in kept
        assert secret in read("named.hl7").decode()


def test_a_name_in_place_of_a_value_is_not_told() -> None:
    content = read("named.hl7").decode().replace("260415000^Not detected^SCT|||N", "欧阳示例|||N")
    batch = read_oru("named.hl7", content.encode(), zone=ZONE)
    assert [fault.problem.slug for fault in batch.faults] == ["outcome-unknown"]
    assert "欧阳" not in batch.faults[0].problem.message("zh")
