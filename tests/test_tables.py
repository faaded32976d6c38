"""Text files as offices send them: every way to be wrong, and what becomes of the other rows."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.core.text import clean
from muster.intake import faults
from muster.intake.faults import Limits, Row
from muster.intake.tables import open_table
from tests.table_files import COLUMNS, HEADER, LINE_A, LINE_B, LINE_C, TYPED, A, B, C, read, readers


@pytest.fixture
def put(tmp_path):
    def write(content: str | bytes, name: str = "list.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


# --- the header, wherever and however it is written ------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "姓名,身份证号,备注",
        "Name,ID_Number,Note",
        "ＮＡＭＥ,id number,ｎｏｔｅ",
        "姓名*,身份證號(18位),備註：",
        "姓(xìng)名(míng),证件号码【必填】,备注",
        "name,number,note",
    ],
)
def test_headers_are_recognised(put, header):
    assert read(put(f"{header}\n{LINE_A}")) == [(2, A)]


@pytest.mark.parametrize("separator", [",", "\t", ";", "，"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(put, separator, end):
    text = (HEADER + LINE_A + LINE_B).replace(",", separator).replace("\n", end)
    assert read(put(text)) == [(2, A), (3, B)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings(put, encoding):
    assert read(put((HEADER + LINE_A).encode(encoding))) == [(2, A)]


def test_a_title_and_empty_lines_before_the_header(put):
    title = "毓璜顶街道居民底数表,,\n\n填表日期：8月3日,,\n"
    assert read(put(title + HEADER + "\n" + LINE_A + ",,\n" + HEADER + LINE_B)) == [(6, A), (9, B)]


def test_column_order_unknown_and_absent_columns(put):
    path = put("网格,身份证号,错误 / error,姓名\n3,1,old,甲\n")
    with open_table(path, COLUMNS) as table:
        assert list(table.rows()) == [Row(2, ("甲", "1", ""), ["3", "1", "old", "甲"])]
        assert table.headers == ["网格", "身份证号", "错误 / error", "姓名"]
        assert table.positions == {"name": 3, "number": 1}
        assert table.unknown == ["网格"]
        assert (table.done, table.unit) == (table.total, "bytes")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", faults.FileEmpty),
        (b"\xef\xbb\xbf", faults.ColumnsMissing),
        (b"\n\n\n", faults.ColumnsMissing),
        ("姓名,备注\n甲,x\n", faults.ColumnsMissing),
        ("一,二,三\n甲,1,x\n", faults.ColumnsMissing),
        ("姓名,身份证号,证件号码\n甲,1,1\n", faults.ColumnsRepeated),
        (HEADER.encode() + b"\x81\xff\x20\n" * 9, faults.EncodingUnknown),
        ((HEADER + LINE_A).encode("utf-16-le"), faults.NotATable),
        (b"%PDF-1.7 ...", faults.NotATable),
        (b"<HTML><table><tr><td>", faults.NotATable),
        (b"\x89PNG\r\n", faults.NotATable),
        (b"PK\x03\x04 torn archive", faults.WorkbookDamaged),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, faults.WorkbookDamaged),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            faults.WorkbookLocked,
        ),
    ],
)
def test_unusable_files(put, content, problem):
    with pytest.raises(problem) as caught:
        read(put(content))
    assert "list.csv" in caught.value.message("zh")
    assert "list.csv" in caught.value.message("en")
    assert not readers()


def test_a_missing_column_is_named_with_what_was_found(put):
    with pytest.raises(faults.ColumnsMissing) as caught:
        read(put("姓名,备注\n甲,x\n"))
    message = caught.value.message("en")
    assert "身份证号 (number)" in message
    assert "姓名, 备注" in message
    assert "证件号码" in message


def test_a_file_over_the_limit(put):
    with pytest.raises(faults.FileTooLarge):
        read(put(HEADER), Limits(file_bytes=10))


@pytest.mark.parametrize("text", [HEADER, HEADER.rstrip()])
def test_header_only(put, text):
    assert read(put(text)) == []


# --- rows: what is wrong is told with its line, and the others are read -----------------------


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ("乙,2,y,more\n", (None, "extra-cells")),
        ("乙\n", (None, "missing-cells")),
        ("乙,=A1+1,y\n", ("number", "formula-cell")),
        ("乙,3.70602E+17,y\n", ("number", "number-lost-digits")),
        ("乙,\0,y\n", (None, "nul-character")),
        ("乙,2\ufffd,y\n", (None, "broken-characters")),
        ("乙," + "9" * 1_000_000 + ",y\n", ("number", "cell-too-long")),
        ('乙,"' + "9" * 1_000_000 + '",y\n', ("number", "cell-too-long")),
        ("乙," + "9" * 5_000_000 + ",y\n", (None, "line-too-long")),
        ('乙,"2,y\n', (None, "stray-quote")),
        ('"乙"丁,2,y\n', (None, "stray-quote")),
    ],
)
def test_a_bad_row_between_good_ones(put, bad, fault):
    assert read(put(HEADER + LINE_A + bad + LINE_C)) == [(2, A), (3, fault), (4, C)]


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("乙,2\n", ("乙", "2", "")),
        ("乙,2,y,,\n", B),
        ('乙,="2",y\n', B),
        ('乙,"=""2""",y\n', B),
        ("乙,'=2,y\n", None),  # what was escaped is still a formula
        ("乙,'+86 1,y\n", ("乙", "+86 1", "y")),
        ("乙,-,'\n", ("乙", "-", "'")),
        ('乙,"2","a,b"\n', ("乙", "2", "a,b")),
        ('乙,2,"a\nb"\n', ("乙", "2", "a b")),
        ('"乙\n",2,y\n', B),
        ('乙,2,5" tube\n', ("乙", "2", '5" tube')),
        ("　乙　,２, y\u200b\n", B),
    ],
)
def test_unusual_rows_that_are_good(put, row, cells):
    rows = read(put(HEADER + row + LINE_C))
    assert rows[0] == (2, cells or ("number", "formula-cell"))
    assert rows[1][1] == C


def test_several_bad_cells_in_a_row_are_all_told(put):
    assert read(put(HEADER + "=1,=2,y\n")) == [
        (2, ("name", "formula-cell")),
        (2, ("number", "formula-cell")),
    ]


def test_a_formula_in_a_column_nobody_asked_for(put):
    assert read(put("姓名,身份证号,备注,合计\n甲,1,x,=SUM(A:A)\n")) == [(2, A)]


@pytest.mark.parametrize("at", [2, 500, 1001])
@pytest.mark.parametrize("stray", ['"丁,0,w\n', '丁,"0,w\n', '丁,0,"w\n'])
@pytest.mark.parametrize("quoted", [LINE_A, '甲,"1",x\n', '甲,1,"x"\n'])
def test_a_stray_quote_costs_its_own_row_only(put, at, stray, quoted):
    lines = [HEADER, *[quoted] * 1000]
    lines.insert(at - 1, stray)
    rows = read(put("".join(lines)))
    assert len(rows) == 1001
    assert [row for row in rows if row[1] != A] == [(at, (None, "stray-quote"))]


def test_two_stray_quotes_that_look_like_a_pair(put):
    rows = read(put(HEADER + '甲,1,"x\n' + LINE_B + '丙,3",z\n'))
    assert rows == [(2, (None, "stray-quote")), (3, B), (4, ("丙", '3"', "z"))]


@pytest.mark.parametrize("torn", ["丙", "丙,3", '丙,3,"z', '丙,"3'])
def test_half_a_file(put, torn):
    assert read(put(HEADER + LINE_A + torn)) == [(2, A), (3, (None, "file-cut-off"))]


def test_broken_bytes_late_in_a_large_file(put):
    lines = [(HEADER + LINE_A * 30_000).encode(), b"\xe4\xb8,2,y\n", LINE_C.encode()]
    rows = read(put(b"".join(lines)))
    assert rows[-2:] == [(30_002, (None, "broken-characters")), (30_003, C)]
    assert len(rows) == 30_002


def test_two_encodings_in_one_file(put):
    rows = read(put((HEADER + LINE_A * 3).encode() + LINE_B.encode("gb18030") + LINE_C.encode()))
    assert rows[-2:] == [(5, (None, "broken-characters")), (6, C)]


def test_chinese_only_at_the_end_of_a_file_in_gb18030(put):
    rows = read(put(("name,number,note\n" + "a,1,x\n" * 300_000 + LINE_B).encode("gb18030")))
    assert rows[-1] == (300_002, B)


PLAIN = TYPED.map(clean).filter(lambda text: text[:1] not in "='" and "E+" not in text)


@given(
    rows=st.lists(st.tuples(PLAIN, PLAIN), max_size=8),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
    separator=st.sampled_from([",", "\t", ";"]),
)
@settings(deadline=None)
def test_any_encoding_and_separator(tmp_path_factory, rows, encoding, separator):
    path = tmp_path_factory.mktemp("csv") / "list.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerows([["姓名", "身份证号", "备注"], *(("甲", *row) for row in rows)])
    assert [cells for _, cells in read(path)] == [("甲", *row) for row in rows]


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_get_an_answer(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "list.csv"
    path.write_bytes(HEADER.encode() + content)
    try:
        lines = [line for line, _ in read(path)]
    except faults.FileProblem:
        return
    assert lines == sorted(lines)


def test_every_problem_speaks_both_languages():
    every = (*faults.CellProblem.__subclasses__(), *faults.RowProblem.__subclasses__())
    for problem in (one for one in every if one.__module__ == faults.__name__):
        told = problem(limit=1, found=1, expected=1, encoding="UTF-8")
        assert told.message("en") != told.message("zh")
