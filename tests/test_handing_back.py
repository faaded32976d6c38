"""Tables we write: they read as they were meant, run no formula, and come back corrected."""

import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.core.problems import Problem
from muster.core.text import clean
from muster.intake.export import WorkbookFull, write_rows
from muster.intake.faults import Fault
from muster.intake.protection import as_text, escaped, text_of, unescaped
from muster.intake.rejects import ADDED_HEADERS, Rejects
from muster.intake.tables import open_table
from tests.table_files import COLUMNS, HEADER, LINE_B, TYPED, read

KEPT = TYPED.map(clean).filter(lambda text: text[:1] != "=" and "E+" not in text)


@given(rows=st.lists(st.tuples(KEPT, KEPT), max_size=8), suffix=st.sampled_from(["csv", "xlsx"]))
@settings(max_examples=60, deadline=None)
def test_what_is_exported_is_read_again(tmp_path_factory, rows, suffix):
    path = tmp_path_factory.mktemp("export") / f"list.{suffix}"
    write_rows(path, ["姓名", "身份证号", "备注"], [("甲", *row) for row in rows])
    assert [cells for _, cells in read(path)] == [("甲", *row) for row in rows]


@given(st.text("=+-@'\t\r19aA", max_size=6))
def test_protection_is_undone_exactly(cell):
    assert unescaped(escaped(cell)) == cell
    assert escaped(cell)[:1] not in "=+@\t\r" or not cell


@pytest.mark.parametrize("cell", ["0535123", "370602199001011234", "3-2", "2021/8/3"])
def test_numbers_a_spreadsheet_would_change(cell):
    assert text_of(as_text(cell)) == cell


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_no_cell_becomes_a_formula(tmp_path, suffix):
    path = tmp_path / f"list.{suffix}"
    write_rows(path, ["姓名", "身份证号", "备注"], [('=HYPERLINK("x")', 12, None)])
    content = path.read_bytes()
    if suffix == "xlsx":
        with zipfile.ZipFile(path) as out:
            content = out.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in content
    else:
        assert content.decode("utf-8-sig").splitlines()[1] == '"\'=HYPERLINK(""x"")",12,'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_export_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "list.xlsx"
    write_rows(path, ["姓名"], [["甲"]])
    before = path.read_bytes()
    with pytest.raises(WorkbookFull):
        write_rows(path, ["姓名"], [["x" * 40_000]])
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def refuse(source: Path, target: Path) -> int:
    with open_table(source, COLUMNS) as table, Rejects(target, table.headers) as rejects:
        for item in table.rows():
            if isinstance(item, Fault):
                rejects.add(item)
            elif item.cells[2] == "refused":
                rejects.add_row(item.line, item.raw, Problem(detail="not here"))
        return rejects.count


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_rejected_rows_come_back_corrected(tmp_path, suffix):
    long = "370602199001011234"
    source = tmp_path / "list.csv"
    bad = f"=1,=2,y\n甲,{long},refused\n" + '丁,"4,w\n丙,3,z,more\n'
    source.write_text(HEADER + LINE_B + bad, encoding="utf-8")
    target = tmp_path / f"rejects.{suffix}"
    assert refuse(source, target) == 4
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with open_table(target, COLUMNS) as table:
        assert table.headers == ["姓名", "身份证号", "备注", *ADDED_HEADERS]
        assert table.unknown == []
        first = next(table.rows())
        assert "公式" in first.raw[3]
        assert first.raw[4] == "3"
    again = tmp_path / f"again.{suffix}"
    assert refuse(target, again) >= 2  # what was not corrected is refused again, once
    assert ("甲", long, "refused") in [cells for _, cells in read(target)]


def test_no_rejects_no_file(tmp_path):
    with Rejects(tmp_path / "rejects.csv", ["姓名"]) as rejects:
        assert rejects.count == 0
    assert list(tmp_path.iterdir()) == []
