"""What the tests of tables share: the columns asked for, a plain form of what was read."""

from collections.abc import Sequence
from pathlib import Path

import psutil
import xlsxwriter
from hypothesis import strategies as st

from muster.intake.faults import Limits, Row
from muster.intake.tables import Column, open_table

COLUMNS = [
    Column("name", ("姓名", "name"), required=True),
    Column("number", ("身份证号", "证件号码", "ID number"), required=True),
    Column("note", ("备注", "note")),
]
HEADER = "姓名,身份证号,备注\n"
SMALL = Limits(workbook_memory_bytes=400_000_000, workbook_seconds=20)


def read(path: Path, limits: Limits = SMALL) -> list[tuple[int, object]]:
    """(line, cells) of a row, (line, (column, slug)) of a fault."""
    with open_table(path, COLUMNS, limits=limits) as table:
        items = list(table.rows())
    return [
        (item.line, item.cells if isinstance(item, Row) else (item.column, item.problem.slug))
        for item in items
    ]


# Cells in which everything that could be misread occurs often.
TYPED = st.text("张王烟台區０Ａ（），、 aE9.+-=@'\",;:\t\n/", max_size=12)

A, B, C = ("甲", "1", "x"), ("乙", "2", "y"), ("丙", "3", "z")
LINE_A, LINE_B, LINE_C = "甲,1,x\n", "乙,2,y\n", "丙,3,z\n"
HEADERS: list[object] = ["姓名", "身份证号", "备注"]


def readers() -> list[psutil.Process]:
    """The child processes that read workbooks; other tests have children of their own."""
    children = psutil.Process().children()
    return [child for child in children if "workbook_child" in " ".join(child.cmdline())]


def workbook(path: Path, *sheets: Sequence[Sequence[object]], hidden: int | None = None) -> Path:
    book = xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"})
    for index, rows in enumerate(sheets):
        sheet = book.add_worksheet()
        if index == hidden:
            sheet.hide()
        for line, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, tuple):
                    sheet.write_formula(line, column, cell[0], None, cell[1])
                elif cell is not None:
                    sheet.write(line, column, cell)
    book.close()
    return path
