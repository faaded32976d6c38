"""HL7 v2.5.1 out: results as ORU^R01, and the answer (ACK^R01) to what came in.

Written by hand, as a message is a dozen lines of text; the tests hold every form of it against
hl7apy's strict validation.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from muster.exchange import faults
from muster.exchange.codes import (
    CT_UNIT,
    OVERALL,
    OVERALL_CODE,
    WRITTEN,
    ct_code,
    ct_text,
    detection_code,
)
from muster.exchange.er7 import escape
from muster.exchange.report import Batch, Fault, Party, TargetValue, TubeReport

_ID_CHARACTERS = 20  # MSH-10 and BHS-11
_ERRORS_LIMIT = 100  # ERR segments of one answer; nobody corrects more in one go
_ROLES = {"pooled": "L", "grouped": "G"}
_ABNORMAL = {"positive": "A", "negative": "N", "indeterminate": "A", "invalid": ""}
_SERVICE = f"{OVERALL_CODE}^{OVERALL[OVERALL_CODE]}^LN"


def write_oru(
    reports: Sequence[TubeReport], *, sender: Party, receiver: Party, at: datetime, message_id: str
) -> bytes:
    """One report as a message, several as a batch of messages, one for each tube, so that a
    receiver can answer for each; in UTF-8. Times keep a tenth of a millisecond.

    Raises ValueError for no reports and for a `message_id` that leaves no room in 20 characters for
    the message's number within the batch.
    """
    if not reports:
        raise ValueError("there are no reports")
    ids = [message_id] if len(reports) == 1 else [
        f"{message_id}.{n}" for n in range(1, len(reports) + 1)
    ]  # fmt: skip
    if not message_id or len(ids[-1]) > _ID_CHARACTERS:
        raise ValueError(f"the message id {ids[-1]} is not 1 to {_ID_CHARACTERS} characters long")
    lines: list[str] = []
    for one_id, report in zip(ids, reports, strict=True):
        lines.append(_msh("ORU^R01^ORU_R01", sender=sender, receiver=receiver, at=at, id=one_id))
        lines += _order(report)
    if len(reports) > 1:
        parties = "|".join(_party(one) for one in (sender, receiver))
        head = f"|^~\\&|{parties}|{_time(at)}||||{escape(message_id)}"
        lines = ["FHS" + head, "BHS" + head, *lines, f"BTS|{len(reports)}", "FTS|1"]
    return "".join(line + "\r" for line in lines).encode()


def acknowledge(batch: Batch, *, at: datetime, message_id: str) -> bytes:
    """The answer to what came in, one ACK^R01 for each message: AA taken, AR refused for its
    header, AE with something wrong in it; an ERR segment tells each fault.

    Raises ValueError for a batch without messages, or when the answers' ids become too long.
    """
    if not batch.messages:
        raise ValueError("there are no messages to answer")
    lines: list[str] = []
    for one in batch.messages:
        own_id = message_id if len(batch.messages) == 1 else f"{message_id}.{one.number}"
        if not message_id or len(own_id) > _ID_CHARACTERS:
            raise ValueError(f"the message id {own_id} is too long")
        wrong = [fault for fault in batch.faults if fault.message == one.number]
        rejected = any(isinstance(f.problem, faults.ExchangeFault) and f.problem.rejects
                       for f in wrong)  # fmt: skip
        code = "AR" if rejected else "AE" if wrong else "AA"
        lines += [
            _msh("ACK^R01^ACK", sender=one.receiver, receiver=one.sender, at=at, id=own_id),
            f"MSA|{code}|{escape(one.message_id[:_ID_CHARACTERS]) or '0'}",  # MSA-2 is required
            *(_err(fault) for fault in wrong[:_ERRORS_LIMIT]),
        ]
    return "".join(line + "\r" for line in lines).encode()


def _msh(kind: str, *, sender: Party, receiver: Party, at: datetime, id: str) -> str:
    return (
        f"MSH|^~\\&|{_party(sender)}|{_party(receiver)}|{_time(at)}||{kind}|{escape(id)}|P|2.5.1"
        "||||||UNICODE UTF-8"
    )


def _party(party: Party) -> str:
    return f"{escape(party.application)}|{escape(party.facility)}"


def _order(report: TubeReport) -> Iterable[str]:
    """A PATIENT_RESULT group for one tube.

    The group's PID is optional, but many receivers file a message by it. So it names the tube: its
    code as the id, and no name: name type S is the coded pseudo-name "to ensure anonymity" (table
    0200) with nothing before it, as PID-5 is required.
    """
    barcode, result_id = escape(report.barcode), escape(report.result_id or "")
    resulted, collected, received = map(
        _time, (report.resulted_at, report.collected_at, report.received_at)
    )
    status = "C" if report.status == "corrected" else "F"
    lab = escape(report.lab)
    end = f"|||{status}|||{collected}|||||{resulted}||||{lab}^^^^^^^^^{lab}"
    code, text = WRITTEN[report.outcome]
    yield f"PID|1||{barcode}||^^^^^^S"
    yield f"OBR|1||{result_id}|{_SERVICE}|||{collected}" + "|" * 15 + f"{resulted}|||{status}"
    yield f"OBX|1|CE|{_SERVICE}||{code}^{text}^SCT|||{_ABNORMAL[report.outcome]}{end}"
    count = 1
    for group, value in enumerate(report.targets, 1):
        for obx in _target(value, group=group, status=status, end=end):
            count += 1
            yield f"OBX|{count}|{obx}"
    role = _ROLES.get(report.combined or "", "")
    members = report.members or ""
    yield (
        f"SPM|1|{barcode}||U^Unknown^HL70353|||||||{role}||{members}||||{collected}|{received}"
    ).rstrip("|")


def _target(value: TargetValue, *, group: int, status: str, end: str) -> Iterable[str]:
    """The cycle threshold, and what the target is called if it is: OBX-4 ties the two together."""
    name = escape(value.target)
    ct = "" if value.ct_milli is None else ct_text(value.ct_milli)
    standing = end if ct else end.replace(f"|||{status}|", "|||X|", 1)  # X: cannot be obtained
    code = ct_code(value.target)
    named = f"{name}^{name} cycle threshold^L"
    if code:
        named = f"{code}^{name} cycle threshold^LN^{named}"
    yield f"NM|{named}|{group}|{ct}|{CT_UNIT}||{standing}"
    if value.detected is not None:
        called = "positive" if value.detected else "negative"
        code = detection_code(value.target)
        named = f"{name}^{name}^L"
        if code:
            named = f"{code}^{name}^LN^{named}"
        sct, text = WRITTEN[called]
        yield f"CE|{named}|{group}|{sct}^{text}^SCT|||{_ABNORMAL[called]}{end}"


def _err(fault: Fault) -> str:
    problem = fault.problem
    code = problem.hl7 if isinstance(problem, faults.ExchangeFault) else "207"
    where = re.fullmatch(r"([A-Z0-9]{3})(?:\[([0-9]+)\])?(?:-([0-9]+))?", fault.place)
    location = "^".join(part or "" for part in where.groups()) if where else ""
    told = escape(problem.message("en"))
    return f"ERR||{location.rstrip('^')}|{code}^^HL70357|E||||{told}"


def _time(at: datetime | None) -> str:
    """YYYYMMDDHHMMSS[.SSSS]+ZZZZ, or "" for none."""
    if at is None:
        return ""
    offset = at.utcoffset() or timedelta()
    if offset.total_seconds() % 60:  # no zone in use has seconds, but a library may
        at = (at - offset).replace(tzinfo=None)
        offset = timedelta()
    minutes = int(offset.total_seconds()) // 60
    sign, (hours, minutes) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    fraction = f".{at.microsecond // 100:04d}" if at.microsecond else ""
    return f"{at:%Y%m%d%H%M%S}{fraction}{sign}{hours:02d}{minutes:02d}"
