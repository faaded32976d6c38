"""The same export in other clothes: as workbook, archive or text of another kind, under any name."""

import zipfile
from io import BytesIO

import pytest
import xlsxwriter

from tests.instruments.conftest import FILES, Desk, table


def rows_of(name: str, separator: str) -> list[list[str]]:
    text = (FILES / name).read_text("utf-8")
    return [line.split(separator) for line in text.splitlines()]


def workbook(**sheets: list[list[str]]) -> bytes:
    out = BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_numbers": True})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for line, row in enumerate(rows):
            sheet.write_row(line, 0, row)
    book.close()
    return out.getvalue()


def archive(**files: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return out.getvalue()


def values(run) -> list[str]:
    """The readings without their lines."""
    return [row.partition(" @")[0] for row in table(run)]


@pytest.mark.parametrize("name", ["run.txt", "run.csv", "run.xlsx", "run"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
def test_any_name_and_encoding(desk: Desk, name, encoding) -> None:
    text = (FILES / "quantstudio.txt").read_text("utf-8").replace("TUBE0001", "试管1")
    run = desk.read(name, text.encode(encoding))
    assert table(run)[0] == "A01 ORF1ab 试管1 sample 23.456 @34"


def test_quantstudio_workbook_with_a_sheet_for_each_section(desk: Desk) -> None:
    sections: dict[str, list[list[str]]] = {"": []}
    for row in rows_of("quantstudio.txt", "\t"):
        if row[0].startswith("["):
            sections[row[0].strip("[]")] = []
        else:
            sections[list(sections)[-1]].append(row)
    head = [row[0].lstrip("* ").split(" = ") for row in sections.pop("") if row[0]]
    curves = [[], ["Well", "Cycle", "Target Name", "Rn"], ["1", "1", "N", "0.1"]]
    sheets = {name: [*head, [], *rows] for name, rows in sections.items()}
    run = desk.read(
        "a.xlsx", workbook(**{"Amplification Data": head + curves}, **sheets), witness=True
    )
    text = desk.read("quantstudio.txt", witness=True)
    assert values(run) == values(text)
    assert (run.plate, run.readers) == (text.plate, text.readers)


@pytest.mark.parametrize("sheet", ["Results", "Primary_result"])
def test_design_and_analysis_workbook(desk: Desk, sheet) -> None:
    rows = rows_of("design-and-analysis.csv", ",")
    curves = [*rows[:14], ["Well", "Cycle Number", "Target", "Rn", "dRn", "Sample", "Omit"]]
    content = workbook(**{sheet: rows, "Amplification Data": curves})
    assert (
        desk.read("a.xlsx", content, witness=True).readings
        == desk.read("design-and-analysis.csv", witness=True).readings
    )


def test_diomni_workbook(desk: Desk) -> None:
    rows = [
        ["Barcode", "PL0007"],
        ["Block Type", "96-Well Block"],
        [],
        ["Well", "Omit", "Sample", "Sample type", "Target", "Reporter", "Call", "Cq"],
        ["A01", "FALSE", "TUBE0001", "UNKNOWN", "N", "FAM", "POSITIVE", "39.54"],
        ["H12", "FALSE", "NTC", "NTC", "N", "FAM", "NEGATIVE", "UNDETERMINED"],
    ]
    run = desk.read("a.xlsx", workbook(**{"Target Call": rows}), witness=True)
    assert (run.format, run.plate, len(run.readers)) == ("diomni", "PL0007", 2)
    assert values(run) == ["A01 N TUBE0001 sample 39.540", "H12 N NTC no_template_control none"]


def test_cfx_workbook_with_the_runs_data_on_a_sheet_of_its_own(desk: Desk) -> None:
    about = [["File Name", "x.pcrd"], ["ID", "PL0007"], ["Run Ended", "08/03/2021 02:20:40 UTC"]]
    content = workbook(**{"0": rows_of("cfx-cq-results.csv", ","), "Run Information": about})
    run = desk.read("Quantification Cq Results.xlsx", content, witness=True)
    assert table(run) == table(desk.read("cfx-cq-results.csv"))
    assert (run.plate, str(run.ended_at)) == ("PL0007", "2021-08-03 02:20:40+00:00")


def test_cfx_archive_of_all_its_sheets(desk: Desk) -> None:
    results = (FILES / "cfx-cq-results.csv").read_bytes()
    files = {
        "run -  Quantification Cq Results.csv": results,
        "run -  Quantification Amplification Results_FAM.csv": b",Cycle,A1\n,1,0.5\n",
        "run -  Run Information.csv": b"File Name,x\n",
    }
    run = desk.read("run.zip", archive(**files), witness=True)
    assert table(run) == table(desk.read("cfx-cq-results.csv"))


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Well\tSample\tTarget\tCt", "A1\tT1\tN\t23,45"),
        ("Well;Sample;Target;Cq", "A1;T1;N;23,45"),
        ("Well,Sample,Target,Cq", 'A1,T1,N,"23,45"'),
        ("孔位，样本编号，靶标，CT值", "A1，T1，N，23.45"),
        ("反应孔,样品名称,目标基因,Ct(循环数)*", "A1,T1,N,23.45"),
        ("孔號,樣本編號,靶標,Ct值", "A1,T1,N,23.45"),  # traditional characters
        ("备注,Ct,Target Name,Well Position,Sample Name", ",23.45,N,A1,T1"),
    ],
)
def test_headers_and_separators(desk: Desk, header, row) -> None:
    assert table(desk.read("a.csv", f"{header}\n{row}\n")) == ["A01 N T1 sample 23.450 @2"]


def test_rows_before_the_table_and_empty_rows(desk: Desk) -> None:
    text = "实验报告,,,\n\n板号,PL1,,\n\n孔位,样本,靶标,Ct\n\nA1,T1,N,23\n\nA2,T2,N,24\n"
    run = desk.read("a.csv", text)
    assert (run.plate, table(run)) == (
        "PL1",
        ["A01 N T1 sample 23.000 @7", "A02 N T2 sample 24.000 @9"],
    )


def test_identical_rows_collapse(desk: Desk) -> None:
    text = "孔位,样本,靶标,Ct\nA1,T1,N,23\na01,T1,N,23.000\n"
    assert table(desk.read("a.csv", text)) == ["A01 N T1 sample 23.000 @2"]
