"""Reports of tubes for the tests, by hand and by chance."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from hypothesis import strategies as st

from muster.core.text import clean
from muster.exchange.report import Batch, Party, TargetValue, TubeReport

FILES = Path(__file__).parent / "files"
BEIJING = timezone(timedelta(hours=8))
LIS, CITY = Party("LIS", "LAB-7"), Party("MUSTER", "CITY")
AT = datetime(2022, 4, 10, 8, 30, tzinfo=BEIJING)

POSITIVE = TubeReport(
    barcode="SH1000000001", outcome="positive", status="final", lab="CDC-LAB-2",
    resulted_at=AT,
    collected_at=datetime(2022, 4, 9, 20, 15, tzinfo=BEIJING),
    received_at=datetime(2022, 4, 10, 0, 10, tzinfo=BEIJING),
    members=10, combined="pooled",
    targets=(TargetValue("ORF1ab", 31_250, None), TargetValue("N", 29_900, None)),
    result_id="R-88001",
)  # fmt: skip


def read(name: str) -> bytes:
    return (FILES / name).read_bytes()


def told(batch: Batch) -> list[tuple[str, str]]:
    """What went wrong, as (where, which problem)."""
    return [(fault.place, fault.problem.slug) for fault in batch.faults]


def barcodes(batch: Batch) -> list[str]:
    return [report.barcode for report in batch.reports]


# Codes with everything that HL7 escapes, and Chinese; clean, as they are when they come back.
codes = (
    st.text(st.sampled_from("AZ09|^~\\&.-甲测 XFSTRE"), min_size=1, max_size=20)
    | st.text(min_size=1, max_size=20)
).map(clean).filter(lambda text: text and clean(text) == text and text != '""')  # fmt: skip
times = st.datetimes(
    datetime(2020, 1, 1), datetime(2029, 12, 31), timezones=st.sampled_from([UTC, BEIJING])  # noqa: DTZ001
).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))  # fmt: skip
targets = st.lists(
    st.builds(
        TargetValue,
        st.sampled_from(["ORF1ab", "N", "E", "S"]) | codes,
        st.none() | st.integers(1, 60_000),
        st.none() | st.booleans(),
    ),
    max_size=4,
    unique_by=lambda value: value.target,
).map(tuple)
reports = st.builds(
    TubeReport,
    barcode=codes,
    outcome=st.sampled_from(["positive", "negative", "indeterminate", "invalid"]),
    status=st.sampled_from(["final", "corrected"]),
    lab=codes,
    resulted_at=times,
    collected_at=st.none() | times,
    received_at=st.none() | times,
    members=st.none() | st.integers(1, 20),
    combined=st.none() | st.sampled_from(["pooled", "grouped"]),
    targets=targets,
    result_id=st.none() | codes,
)
