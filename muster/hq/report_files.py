"""A sheet as a file: a workbook with a worksheet a section, or a CSV with the sections below each other."""

import csv
import io
import tempfile
from pathlib import Path

import xlsxwriter

from muster.intake.protection import escaped
from muster.papers.sheet import Section, Sheet

_SHEET_NAME = 31  # characters of a worksheet's name, as workbooks allow


def workbook(sheet: Sheet) -> bytes:
    """The sheet as XLSX; figures are numbers, nothing is a formula."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.xlsx"
        options = {
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        with xlsxwriter.Workbook(str(path), options) as book:
            bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
            number = book.add_format({"num_format": "#,##0"})
            front = book.add_worksheet(_name(sheet.title, []))
            front.set_column(0, 0, 22)
            front.set_column(1, 1, 70)
            for line, (label, value, style) in enumerate(_front(sheet)):
                front.write_string(line, 0, label, bold)
                front.write_string(line, 1, value, bold if style else text)
            names = [sheet.title[:_SHEET_NAME]]
            for section in sheet.sections:
                names.append(_name(section.title, names))
                page = book.add_worksheet(names[-1])
                page.set_column(0, 0, 30)
                page.set_column(1, 30, 14)
                page.freeze_panes(1, 1)
                for place, head in enumerate(_heads(section)):
                    page.write_string(0, place, head, bold)
                for line, row in enumerate(section.rows, 1):
                    for place, cell in enumerate(row):
                        if isinstance(cell, int):
                            page.write_number(line, place, cell, number)
                        elif cell:
                            page.write_string(line, place, cell, text)
        return path.read_bytes()


def table(sheet: Sheet) -> bytes:
    """The sheet as CSV, with a byte order mark for Excel."""
    held = io.StringIO(newline="")
    writer = csv.writer(held)
    for label, value, _ in _front(sheet):
        writer.writerow([escaped(label), escaped(value)])
    for section in sheet.sections:
        writer.writerow([])
        writer.writerow([escaped(section.title)])
        writer.writerow([escaped(head) for head in _heads(section)])
        for row in section.rows:
            writer.writerow([escaped(str(cell)) if cell is not None else "" for cell in row])
        if section.note:
            writer.writerow([escaped(section.note)])
    return held.getvalue().encode("utf-8-sig")


def _front(sheet: Sheet) -> list[tuple[str, str, bool]]:
    lines = [(sheet.title, sheet.subtitle, True)]
    if sheet.draft:
        lines.append(("!", sheet.draft, True))
    lines += [(one.label, one.value, False) for one in sheet.facts]
    lines += [(sheet.findings_title, one, True) for one in sheet.findings]
    lines += [
        (sheet.signatures_title, f"{one.name} {one.at}".strip(), False) for one in sheet.signatures
    ]
    return [*lines, ("", sheet.proof or sheet.foot, False)]


def _heads(section: Section) -> list[str]:
    return [one.label for one in section.columns] if section.columns else [section.title, "", ""]


def _name(title: str, taken: list[str]) -> str:
    """A worksheet's name: without what workbooks forbid, and none twice."""
    plain = "".join(char for char in title if char not in "[]:*?/\\'")[: _SHEET_NAME - 3] or "-"
    return plain if plain not in taken else f"{plain} {len(taken)}"
