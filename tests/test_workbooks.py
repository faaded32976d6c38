"""Workbooks as offices send them, and those sent to do harm."""

import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest

from muster.intake import faults
from muster.intake.faults import Limits, Row
from muster.intake.tables import open_table
from tests.table_files import (
    COLUMNS,
    HEADER,
    HEADERS,
    LINE_A,
    SMALL,
    A,
    B,
    C,
    read,
    readers,
    workbook,
)


@pytest.mark.parametrize("name", ["list.xlsx", "list.csv", "list.xls"])
def test_a_workbook_by_any_name(tmp_path, name):
    path = workbook(
        tmp_path / name, [["底数表"], [], HEADERS, ["甲", 1, "x"], [], ["乙", "2", "y"]]
    )
    with open_table(path, COLUMNS) as table:
        assert [(row.line, row.cells) for row in table.rows() if isinstance(row, Row)] == [
            (4, A),
            (6, B),
        ]
        assert (table.done, table.total, table.unit) == (6, 6, "rows")


@pytest.mark.parametrize(
    ("cell", "read_as"),
    [
        (13000000000, "13000000000"),
        (1.5, "1.5"),
        (True, "TRUE"),
        (date(2021, 8, 3), "2021-08-03"),
        (datetime(2021, 8, 3), "2021-08-03"),  # noqa: DTZ001  # a cell has no zone
        (("=1+1", "2"), "2"),
        (("=A1", ""), ""),
        ("=1+1 as text", "2"),
        (None, ""),
        (370602199001011234, "number-lost-digits"),
        (("=1/0", "#DIV/0!"), "error-cell"),
        (("=#REF!", "#REF!"), "error-cell"),
    ],
)
def test_cells_of_a_workbook(tmp_path, cell, read_as):
    if cell == "=1+1 as text":
        cell, read_as = ("=1+1", 2), "2"
    path = workbook(tmp_path / "a.xlsx", [[], [None, *HEADERS], [None, "甲", cell, "x"], ["a", *C]])
    first, last = read(path)
    assert first in [(3, ("甲", read_as, "x")), (3, ("number", read_as))]
    assert last == (4, C)


def test_the_first_visible_sheet_with_the_columns_is_read(tmp_path):
    good: list[list[object]] = [HEADERS, ["甲", "1", "x"]]
    other: list[list[object]] = [HEADERS, ["丁", "4", "w"]]
    sheets = ([["说明"]], other, [], good, other)
    assert read(workbook(tmp_path / "a.xlsx", *sheets, hidden=1)) == [(2, A)]


def test_a_workbook_without_the_columns(tmp_path):
    with pytest.raises(faults.ColumnsMissing, match="姓名, 备注"):
        read(workbook(tmp_path / "a.xlsx", [["x"]], [["姓名", "备注"]], []))


def test_a_text_file_named_as_workbook(tmp_path):
    path = tmp_path / "list.xlsx"
    path.write_text(HEADER + LINE_A, encoding="utf-8")
    assert read(path) == [(2, A)]


def test_a_truncated_workbook(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [HEADERS, ["甲", "1", "x"]])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(faults.WorkbookDamaged):
        read(path)


def archive(path: Path, rows: str, *, times: int) -> Path:
    """A workbook whose only sheet holds `rows`, so many times."""
    template = workbook(path.with_suffix(".template"), [HEADERS])
    with (
        zipfile.ZipFile(template) as made,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for entry in made.namelist():
            if not entry.endswith("sheet1.xml"):
                out.writestr(entry, made.read(entry))
                continue
            before, _, after = made.read(entry).partition(b"<sheetData>")
            with out.open(entry, "w") as part:
                part.write(before + b"<sheetData>")
                for _ in range(times):
                    part.write(rows.encode())
                part.write(after[after.index(b"</sheetData>") :])
    return path


WIDE = (
    '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
)
LONG = f'<row><c t="inlineStr"><is><t>{"9" * 1_000_000}</t></is></c></row>'


@pytest.mark.parametrize(
    ("rows", "times", "limits"),
    [
        (WIDE, 1, SMALL),
        (LONG, 500, SMALL),  # 500 MB in half a megabyte
        (LONG, 500, Limits(workbook_expanded_bytes=100_000_000)),
    ],
)
def test_a_bomb_is_refused_and_its_reader_gone(tmp_path, rows, times, limits):
    path = archive(tmp_path / "bomb.xlsx", rows, times=times)
    with pytest.raises(faults.WorkbookTooLarge) as caught:
        read(path, limits)
    assert "CSV" in caught.value.message("en")
    assert not readers()


def test_a_workbook_that_takes_too_long(tmp_path):
    path = archive(tmp_path / "slow.xlsx", "<row>" + "<c/>" * 10_000 + "</row>", times=2000)
    with pytest.raises(faults.WorkbookTooLarge, match="1 s"):
        read(path, Limits(workbook_seconds=1))


def test_another_archive_is_not_a_workbook(tmp_path):
    path = tmp_path / "list.xlsx"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("list.csv", HEADER)
    with pytest.raises(faults.NotATable):
        read(path)


def test_leaving_early_ends_the_reader(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [HEADERS, *[["甲", "1", "x"]] * 5000])
    with open_table(path, COLUMNS) as table:
        next(table.rows())
        assert readers()
    assert not readers()
