"""Released results as other systems take them: HL7 v2.5.1 or FHIR R4, by tube code, never by name."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from muster.core.problems import Problem
from muster.exchange.fhir_writing import write_bundle
from muster.exchange.hl7_writing import write_oru
from muster.exchange.report import Party, TargetValue, TubeReport


class NothingReleased(Problem):
    """{lab} released no result in this time. Ask for another time."""

    zh = "{lab} 在该时段内没有发布结果，请更换时间范围。"
    status = 404


class Standard(StrEnum):
    """A form that other systems read."""

    HL7 = "hl7"
    FHIR = "fhir"


def write_results(
    found: Sequence[dict[str, Any]], lab: str, standard: Standard, *, at: datetime, message_id: str
) -> bytes:
    """A file of the rows of the query `released`. Raises NothingReleased."""
    if not found:
        raise NothingReleased(lab=lab)
    reports = [_report(one) for one in found]
    if standard is Standard.FHIR:
        return write_bundle(reports, sender=lab, at=at, message_id=message_id, kind="collection")
    return write_oru(
        reports, sender=Party("MUSTER", lab), receiver=Party("LIS", lab), at=at,
        message_id=message_id,
    )  # fmt: skip


def _report(one: dict[str, Any]) -> TubeReport:
    members = one["members"] or None
    return TubeReport(
        barcode=one["barcode"], outcome=one["outcome"],
        status="corrected" if one["amended"] else "final", lab=one["lab"],
        resulted_at=one["resulted_at"], collected_at=one["collected_at"],
        received_at=one["received_at"], members=members,
        combined="pooled" if members and members > 1 else None,
        targets=tuple(
            TargetValue(target, ct, ct is not None)
            for target, ct in dict(one["values"] or ()).items()
        ),
        result_id=str(one["result"]),
    )  # fmt: skip
