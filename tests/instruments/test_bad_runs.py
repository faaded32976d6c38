"""Run files that must not be taken: each is refused with file, line and remedy."""

from io import BytesIO

import pytest
import xlsxwriter

from muster.instruments import faults
from muster.instruments.process import FILE_LIMIT_BYTES
from tests.instruments.conftest import FILES, Desk
from tests.instruments.test_layouts import archive, workbook

HEAD = "孔位,样本,靶标,类型,Ct\n"


def refused(desk: Desk, name: str, content: bytes | str, *, witness: bool = False) -> str:
    """The problem's slug and its message, which names the file."""
    with pytest.raises(faults.RunFileProblem) as caught:
        desk.read(name, content, witness=witness)
    problem = caught.value
    assert name in problem.message("en")
    assert name in problem.message("zh")
    assert problem.message("en").count(". ") >= 1, "says what is wrong, then what to do"
    return f"{problem.slug}: {problem.message('en')}"


@pytest.mark.parametrize(
    ("rows", "slug", "says"),
    [
        ('A1,T1,N,,"1,234.5"\n', "ct-unreadable", 'line 2: the Ct "1,234.5"'),
        ("A1,T1,N,,23\nA2,T2,N,,-3\n", "ct-unreadable", 'line 3: the Ct "-3"'),
        ("A1,T1,N,,0\n", "ct-unreadable", "line 2"),
        ("A1,T1,N,,61\n", "ct-unreadable", "line 2"),
        ("A1,T1,N,,>40\n", "ct-unreadable", "line 2"),
        ("A1,T1,N,,23,45\n", "run-row-too-wide", "line 2: the row has 6 cells where the header has 5"),
        ("A99,T1,N,,23\n", "well-unreadable", 'line 2: "A99" is no well'),
        ("?,T1,N,,23\n", "well-unreadable", "line 2"),
        ("13,T1,N,,23\n", "well-number-unclear", "line 2: the well is the number 13"),
        ("A1,T1,N,外星,23\n", "sample-role-unknown", 'line 2: the kind of well "外星"'),
        ("A1,T1,,,23\n", "target-missing", "line 2: well A01"),
        ("A1,,,,23\n", "target-missing", "line 2"),
        ("A1,T1,N,,23\nA1,T1,N,,24\n", "well-twice", "in line 2 and line 3"),
        ("A1,T1,N,,23\nA01,T2,N,,23\n", "well-twice", "in line 2 and line 3"),
        ("A1,T1,N,,23\nA2,T2,N", "run-row-without-ct", "line 3"),
        ("A1,T1,N,,23\nA2,T2\n", "run-row-without-ct", "line 3: the row has 2 cells"),
        ('A1,"T1,N,,23\n', "quote-unclosed", "line 2"),
        ("A1,3.70602E+17,N,,23\n", "run-number-lost-digits", "line 2"),
        ("", "no-readings", "line 1"),
        ("A1,,,,\n,,,,\n", "no-readings", "holds no readings"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_taken(desk: Desk, rows, slug, says) -> None:
    found = refused(desk, "早班.csv", HEAD + rows)
    assert found.startswith(f"{slug}: 早班.csv")
    assert says in found


def test_a_decimal_comma_that_allotropy_would_read_as_thousands(desk: Desk) -> None:
    text = (FILES / "quantstudio.txt").read_text("utf-8").replace("23.456", "23,456")
    run = desk.read("a.txt", text, witness=True)
    assert (run.readings[0].ct_milli, len(run.readers)) == (23456, 2)


@pytest.mark.parametrize(
    ("cut_before", "says"),
    [
        ("[Results]", "it ends at line 31, before its section [Results]"),
        ("96\tH12\tfalse", "RNase P in well H12 is listed as set up (line 29) but has no result"),
        ("VIC\tNFQ-MGB\t25.5", "the row has 7 cells and ends before its Ct"),
        (".5\t\t\t\ttrue", "its last row, line 41, has 9 of 17 cells"),
    ],
)
def test_a_quantstudio_text_cut_off(desk: Desk, cut_before, says) -> None:
    whole = (FILES / "quantstudio.txt").read_text("utf-8")
    with pytest.raises(faults.RunFileTruncated):
        desk.read("cut.txt", whole[: whole.rindex(cut_before)])
    assert says in refused(desk, "cut.txt", whole[: whole.rindex(cut_before)])


def test_a_known_make_without_a_column(desk: Desk) -> None:
    text = "仪器型号,Gentier 96E,,\n孔位,样本编号,靶标,结果\nA1,T1,N,阴性\n"
    found = refused(desk, "a.csv", text)
    assert found.startswith(
        "run-column-missing: a.csv was recognised as 天隆 Gentier, but lacks the"
    )
    assert "column ct (its headers, line 2: 孔位, 样本编号, 靶标, 结果)" in found


def test_two_columns_of_ct(desk: Desk) -> None:
    found = refused(desk, "a.csv", "孔位,样本,靶标,Ct,Ct\nA1,T1,N,23,24\n")
    assert found.startswith("run-column-repeated: a.csv, line 1")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("letter.txt", "Dear colleagues,\nthe run was fine.\n"),
        ("list.csv", "姓名,电话\n甲,1\n"),
        ("scan.pdf", b"%PDF-1.7\n%\xe2\xe3\n"),
        ("list.xlsx", workbook(Sheet1=[["姓名", "电话"], ["甲", "1"]])),
        ("photos.zip", archive(**{"a.jpg": b"x"})),
    ],
)
def test_what_is_no_run_file(desk: Desk, name, content) -> None:
    found = refused(desk, name, content)
    assert found.startswith("run-format-unknown") or found.startswith("run-encoding-unknown")


def test_an_unknown_format_says_what_is_understood_and_what_was_seen(desk: Desk) -> None:
    found = refused(desk, "list.csv", "姓名,电话\n甲,1\n")
    for text in (
        "line 1: 姓名, 电话",
        "RDML",
        "QuantStudio",
        "CFX Maestro",
        "宏石 SLAN",
        "mapping",
    ):
        assert text in found


@pytest.mark.parametrize(
    ("name", "content", "slug"),
    [
        ("empty.csv", b"", "run-file-empty"),
        ("big.csv", b"x" * (FILE_LIMIT_BYTES + 1), "run-file-too-large"),
        ("latin.csv", "孔位,样本,靶标,Ct\n".encode() + b"A1,caf\xe9 \xff,N,23\n", "run-encoding-unknown"),
        ("cut.xlsx", workbook(a=[["Well", "Target", "Ct"]])[:900], "run-file-damaged"),
        ("cut.xls", (FILES / "7500.xls").read_bytes()[:1500], "run-form-unreadable"),
        ("a.rdml", archive(**{"rdml_data.xml": b"<rdml version='1.3'><cut"}), "run-form-unreadable"),
        ("b.rdml", b"<?xml version='1.0'?><rdml version='9.9'/>", "run-form-unreadable"),
        ("c.rdml", b"<rdml version='1.3' xmlns='http://www.rdml.org'/>", "no-readings"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_opened(desk: Desk, name, content, slug) -> None:
    assert refused(desk, name, content).startswith(f"{slug}: ")


def test_a_workbook_with_a_password(desk: Desk) -> None:
    content = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + "EncryptedPackage".encode("utf-16-le")
    )
    assert refused(desk, "a.xlsx", content).startswith("run-file-locked: a.xlsx")


def test_cells_that_a_spreadsheet_has_spoilt(desk: Desk) -> None:
    spoilt = ((3, "=1/0", "run-cell-error"), (1, 3.7e17, "run-number-lost-digits"))
    for column, value, slug in spoilt:
        out = BytesIO()
        book = xlsxwriter.Workbook(out)
        sheet = book.add_worksheet("结果")
        sheet.write_row(0, 0, ["孔位", "样本", "靶标", "Ct"])
        sheet.write_row(1, 0, ["A1", "T1", "N", 23])
        if isinstance(value, str):
            sheet.write_formula(1, column, value, None, "#DIV/0!")  # type: ignore[arg-type]
        else:
            sheet.write(1, column, value)
        book.close()
        found = refused(desk, "a.xlsx", out.getvalue())
        assert found.startswith(slug)
        assert "a.xlsx (结果), line 2" in found


def test_several_plates_in_one_file(desk: Desk) -> None:
    rows = "板号,孔位,样本,靶标,Ct\nPL1,A1,T1,N,23\nPL2,A2,T1,N,23\n"
    assert "PL1, PL2" in refused(desk, "a.csv", rows)
    rows_of = [
        [["孔位", "样本", "靶标", "Ct"], ["A1", sample, "N", "23"]] for sample in ("T1", "T2")
    ]
    found = refused(desk, "a.xlsx", workbook(早=rows_of[0], 晚=rows_of[1]))
    assert "several plates or runs: 早, 晚" in found
    assert desk.read("a.xlsx", workbook(早=rows_of[0], 晚=rows_of[0])).readings[0].sample == "T1"
    two = archive(**{"a.csv": rows.encode(), "b.csv": rows.encode()})
    assert refused(desk, "a.zip", two).startswith("several-plates")
    rdml = (FILES / "plate.rdml.xml").read_text("utf-8")
    run = rdml[rdml.index("<run ") : rdml.index("</experiment>")]
    twice = rdml.replace("</experiment>", run.replace("run 1", "run 2") + "</experiment>")
    assert "morning / run 1, morning / run 2" in refused(desk, "a.rdml", twice)


def test_wells_outside_the_plate_that_the_file_declares(desk: Desk) -> None:
    found = refused(desk, "a.csv", "板类型,96孔\n孔位,样本,靶标,Ct\nA13,T1,N,23\n")
    assert 'line 3: "A13" is no well of a plate of 96 wells' in found
