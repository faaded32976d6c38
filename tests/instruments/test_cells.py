"""What may stand in a cell: every way in which laboratories write a Ct, a well, a kind of well."""

from zoneinfo import ZoneInfo

import pytest

from muster.instruments.cells import ct_milli, numbered_well, role_reader, well
from muster.instruments.facts import plate_size, read_time


@pytest.mark.parametrize(
    ("text", "milli"),
    [
        ("23.45", 23450),
        ("23,45", 23450),
        (" ２３．４５ ", 23450),
        ("21.1877528266099", 21188),
        ("8", 8000),
        ("23,456", 23456),
        ("60", 60000),
        ("0.001", 1),
    ],
)
def test_a_ct(text, milli) -> None:
    assert ct_milli(text) == milli


@pytest.mark.parametrize(
    "text",
    ["", " ", "Undetermined", "UNDETERMINED", "NoCt", "No Ct", "N/A", "NaN", "-", "--", "/", "未检出",
     "无", "未檢出", "Ｎ／Ａ"],
)  # fmt: skip
def test_no_curve(text) -> None:
    assert ct_milli(text) is None


@pytest.mark.parametrize("text", ["Not run", "未检测", "Omitted", "失败"])
def test_not_run_is_neither_a_value_nor_no_curve(text) -> None:
    assert ct_milli(text) == "not run"


@pytest.mark.parametrize(
    "text",
    ["1,234.5", "1.234,5", "0", "0.0", "0.0001", "-3", "-1.0", "60.001", "61", "234.5", "23.4.5", "2e1",
     ">40", "23.45*", "positive", "2345", "23 45"],
)  # fmt: skip
def test_an_unreadable_ct(text) -> None:
    assert ct_milli(text) == "unreadable"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a1", "A01"), ("A 01", "A01"), ("Ａ１", "A01"), ("1A", "A01"), ("P24", "P24"), ("h12", "H12"),
        ("A0", None), ("A25", None), ("Q1", None), ("A", None), ("1", None), ("A1B", None), ("", None),
    ],
)  # fmt: skip
def test_a_well(text, place) -> None:
    assert well(text) == place


@pytest.mark.parametrize(
    ("number", "size", "by", "place"),
    [
        (1, 96, "row", "A01"), (13, 96, "row", "B01"), (13, 96, "column", "E02"),
        (96, 96, "row", "H12"), (97, 96, "row", None), (0, 96, "row", None),
        (25, 384, "row", "B01"), (384, 384, "column", "P24"),
    ],
)  # fmt: skip
def test_a_numbered_well(number, size, by, place) -> None:
    assert numbered_well(number, size, by) == place


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("UNKNOWN", "sample"), ("Unkn-01", "sample"), ("待测样本", "sample"), ("", "sample"),
        ("POSITIVE_CONTROL", "positive_control"), ("Pos Ctrl-2", "positive_control"),
        ("阳性对照", "positive_control"), ("陽性對照", "positive_control"),
        ("Neg Ctrl", "negative_control"), ("阴性质控", "negative_control"),
        ("NTC", "no_template_control"), ("NTC-1", "no_template_control"),
        ("空白对照", "no_template_control"), ("Std-3", "standard"), ("标准品", "standard"),
        ("外星样本", None),
    ],
)  # fmt: skip
def test_kinds_of_well(text, role) -> None:
    assert role_reader({})(text) == role


def test_a_mappings_words_go_before_the_common_ones() -> None:
    role = role_reader({"positive_control": ("强阳", "空白")})
    assert (role("强阳"), role("空白"), role("NTC")) == (
        "positive_control", "positive_control", "no_template_control",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2021-08-03 09:00:00", "2021-08-03 01:00"),
        ("2021-08-03 09:00:00 AM CST", "2021-08-03 01:00"),
        ("2021年8月3日 9:00", "2021-08-03 01:00"),
        ("2021/08/03 01:00:00 PM EST", "2021-08-03 18:00"),
        ("2021-08-03T09:00:00Z", "2021-08-03 09:00"),
        ("2021-08-03T09:00:00+09:00", "2021-08-03 00:00"),
        ("2021-08-03 09:00:00 UTC", "2021-08-03 09:00"),
        ("2021-08-03 09:00:00 IST", None),  # India's, Israel's or Ireland's
        ("03/08/2021 09:00:00", None),  # of March or of August
        ("yesterday", None),
    ],
)
def test_times(text, utc) -> None:
    time = read_time(text, zone=ZoneInfo("Asia/Shanghai"))
    assert (time and f"{time:%Y-%m-%d %H:%M}") == utc


def test_cst_is_unclear_outside_china() -> None:
    assert read_time("2021-08-03 09:00:00 CST", zone=ZoneInfo("Europe/Berlin")) is None


@pytest.mark.parametrize(
    ("text", "size"),
    [("384-Well Block", 384), ("96-Well 0.2-mL Block", 96), ("96fast", 96), ("96孔", 96),
     ("1536", None), ("", None)],
)  # fmt: skip
def test_plate_sizes(text, size) -> None:
    assert plate_size(text) == size
