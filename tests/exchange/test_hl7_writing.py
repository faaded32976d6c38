"""Results and answers as HL7 v2.5.1: what is written comes back, and hl7apy finds it valid."""

import re

import msgspec
import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.exchange.er7 import Delimiters, escape, unescape
from muster.exchange.hl7 import acknowledge, read_oru, write_oru
from muster.exchange.report import TargetValue, TubeReport
from tests.exchange.tube_reports import AT, CITY, LIS, POSITIVE, codes, read, reports

ZONE = "Asia/Shanghai"


def written(*given_reports: TubeReport) -> bytes:
    return write_oru(given_reports, sender=LIS, receiver=CITY, at=AT, message_id="M-1")


def validated(content: bytes) -> list[str]:
    """The names of the structures of a file's messages, each held strictly against 2.5.1."""
    text = re.sub(r"[FB][HT]S[^\r]*\r", "", content.decode())
    names = []
    for one in re.split(r"(?=MSH\|)", text)[1:]:
        message = parse_message(one, validation_level=VALIDATION_LEVEL.STRICT)
        assert message.validate()
        # hl7apy leaves out segments that fit nowhere: all must have been taken.
        assert sorted(message.to_er7().rstrip("\r").split("\r")) == sorted(
            one.rstrip("\r").split("\r")
        )
        names.append(message.name)
    return names


def test_a_message_as_it_is_written() -> None:
    lines = written(POSITIVE).decode().split("\r")
    service = lines[2].split("|")[4]
    assert service.startswith("94500-6^SARS-CoV-2")
    end = "|||F|||20220409201500+0800|||||20220410083000+0800||||CDC-LAB-2^^^^^^^^^CDC-LAB-2"
    assert lines == [
        "MSH|^~\\&|LIS|LAB-7|MUSTER|CITY|20220410083000+0800||ORU^R01^ORU_R01|M-1|P|2.5.1||||||"
        "UNICODE UTF-8",
        "PID|1||SH1000000001||^^^^^^S",
        f"OBR|1||R-88001|{service}|||20220409201500+0800|||||||||||||||20220410083000+0800|||F",
        f"OBX|1|CE|{service}||260373001^Detected^SCT|||A{end}",
        "OBX|2|NM|94511-3^ORF1ab cycle threshold^LN^ORF1ab^ORF1ab cycle threshold^L|1|31.25|"
        f"{{Ct_value}}||{end}",
        f"OBX|3|NM|94510-5^N cycle threshold^LN^N^N cycle threshold^L|2|29.9|{{Ct_value}}||{end}",
        "SPM|1|SH1000000001||U^Unknown^HL70353|||||||L||10||||20220409201500+0800|"
        "20220410001000+0800",
        "",
    ]


@settings(max_examples=150, deadline=None)
@given(st.lists(reports, min_size=1, max_size=3))
def test_what_is_written_comes_back(given_reports: list[TubeReport]) -> None:
    batch = read_oru("a", written(*given_reports), zone="UTC")
    assert batch.faults == ()
    assert [msgspec.structs.replace(one, line=None) for one in batch.reports] == given_reports
    assert (batch.sender, batch.messages[0].sender) == ("LAB-7", LIS)


@settings(max_examples=300, deadline=None)
@given(codes, st.sampled_from(["|^~\\&", "#!@*%"]))
def test_escaping_is_undone(text: str, marks: str) -> None:
    delimiters = Delimiters(*marks)
    escaped = escape(text, delimiters)
    assert not set(escaped) & (set(marks) - {delimiters.escape})
    assert unescape(escaped, delimiters, "utf-8") == text


@pytest.mark.parametrize("outcome", ["positive", "negative", "indeterminate", "invalid"])
def test_it_is_valid_2_5_1(outcome: str) -> None:
    full = msgspec.structs.replace(
        POSITIVE, outcome=outcome, status="corrected", barcode="甲|^~\\&",
        targets=(TargetValue("ORF1ab", 31_250, True), TargetValue("N", None, False),
                 TargetValue("FAM", None, None)),
    )  # fmt: skip
    bare = TubeReport(barcode="B", outcome="negative", status="final", lab="L", resulted_at=AT)
    assert validated(written(full, bare)) == ["ORU_R01", "ORU_R01"]


def test_what_is_not_valid_is_seen() -> None:
    with pytest.raises(Exception, match=r"SPM_4"):
        validated(written(POSITIVE).replace(b"U^Unknown^HL70353", b""))


def test_the_answers_are_valid_2_5_1() -> None:
    good, bad = read("pool.hl7"), read("pool.hl7").replace(b"31.25", b"31,25")
    batch = read_oru("a|b.hl7", good + bad + good.replace(b"|P|2", b"|T|2"), zone=ZONE)
    answer = acknowledge(batch, at=AT, message_id="A-1")
    assert validated(answer) == ["ACK", "ACK", "ACK"]
    lines = answer.decode().split("\r")
    assert lines[0].startswith("MSH|^~\\&|MUSTER|CITY|LIS|CDC-LAB-2|")
    assert [line for line in lines if line[:3] == "MSA"] == [
        "MSA|AA|20220410-0001", "MSA|AE|20220410-0001", "MSA|AR|20220410-0001",
    ]  # fmt: skip
    errors = [line for line in lines if line[:3] == "ERR"]
    assert errors[0].startswith("ERR||OBX^2^5|102^^HL70357|E||||a\\F\\b.hl7, message 2, line 20")
    assert errors[1].startswith("ERR||MSH^1^11|202^^HL70357|E||||")


def test_ids_must_fit_twenty_characters() -> None:
    with pytest.raises(ValueError, match="20 characters"):
        write_oru([POSITIVE] * 2, sender=LIS, receiver=CITY, at=AT, message_id="M" * 19)
    with pytest.raises(ValueError, match="no reports"):
        written()
