"""What is known while one HL7 message is read: whose it is, what was wrong so far, and how its
times are meant.
"""

import re
from datetime import datetime, timedelta, timezone, tzinfo

import msgspec

from muster.exchange import faults
from muster.exchange.codes import shown
from muster.exchange.er7 import Segment
from muster.exchange.report import FAULTS_LIMIT, Fault

_TIME = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:([0-9]{2})([0-9]{2})(?:([0-9]{2})(?:\.([0-9]{1,4}))?)?)?"
    r"(?:([+-])([0-9]{2})([0-9]{2}))?"
)
REMEDY = {
    "MSH-10": ("Give every message an id of its own.", "请为每条消息填写唯一标识。"),
    "OBR": ("Send one OBR for each tube.", "请每支管发送一个 OBR。"),
    "OBX": ("Send the tube's result as OBX, before its SPM.", "请在 SPM 之前以 OBX 发送该管结果。"),
    "SPM": (
        "Send the tube's barcode in SPM-2, behind its OBX.",
        "请在 OBX 之后以 SPM-2 发送该管条码。",
    ),
    "barcode": ("Write the barcode that is printed on the tube.", "请填写管上印的条码。"),
    "SPM-4": (
        "SPM-4 is required; write U^Unknown^HL70353 if the type is not known. If the line ends "
        "here, the message may be cut off.",
        "SPM-4 必填；类型未知时写 U^Unknown^HL70353。若该行到此为止，消息可能被截断。",
    ),
    "lab": ("Name the laboratory in OBX-23 or MSH-4.", "请在 OBX-23 或 MSH-4 填写实验室。"),
    "time": ("Write when the result was reported into OBR-22.", "请在 OBR-22 填写报告时间。"),
    "status": (
        "Write F for a final result, C for a corrected one.",
        "最终结果写 F，更正结果写 C。",
    ),
    "target": ("Name the target in OBX-3.", "请在 OBX-3 填写靶标。"),
    "ct": (
        "Write the cycle threshold, or X into OBX-11 where there is no curve.",
        "请填写 Ct 值；无曲线时 OBX-11 写 X。",
    ),
}


class Reading(msgspec.Struct):
    """What is known while one message is read: whose it is, and what was wrong so far."""

    file: str
    number: int
    zone: tzinfo
    wrong: list[Fault]

    def fault(
        self, kind: type[faults.ExchangeFault], at: Segment | int, field: int = 0, **facts: object
    ) -> None:
        line = at if isinstance(at, int) else at.line
        place = "" if isinstance(at, int) else at.place(field) if field else at.name
        problem = kind(file=self.file, number=self.number, line=line, place=place, **facts)
        if len(self.wrong) >= FAULTS_LIMIT:
            raise faults.ExchangeTooLarge(
                file=self.file, found=len(self.wrong), unit="faults", limit=FAULTS_LIMIT
            )
        self.wrong.append(Fault(message=self.number, line=line, place=place, problem=problem))

    def missing(self, what: str, at: Segment | int, field: int = 0) -> None:
        remedy, remedy_zh = REMEDY[what]
        if field:
            self.fault(faults.FieldMissing, at, field, remedy=remedy, remedy_zh=remedy_zh)
        else:
            self.fault(faults.SegmentMissing, at, segment=what, remedy=remedy, remedy_zh=remedy_zh)


def time(segment: Segment, field: int, reading: Reading, *, needs_hour: bool) -> datetime | None:
    """A time stamp, or the start of a range. One without an hour is no time: None, or a fault where
    it `needs_hour`."""
    written = segment.text(field)
    if not written:
        return None
    match = _TIME.fullmatch(written)
    try:
        if match is None:
            raise ValueError
        year, month, day, hour, minute, second, fraction, sign, hours, minutes = match.groups()
        zone = reading.zone
        if sign:
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            zone = timezone(offset if sign == "+" else -offset)
        at = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0),
            int((fraction or "").ljust(6, "0")), zone,
        )  # fmt: skip
        if hour is None and needs_hour:
            raise ValueError
        return at if hour is not None else None
    except ValueError:
        reading.fault(faults.ReportedTimeUnreadable, segment, field, found=shown(written))
        return None
