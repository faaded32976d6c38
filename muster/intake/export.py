"""Tables for other people's programs: CSV or workbook, whole or not at all.

No cell is a formula, whatever was typed into it, and a workbook keeps long numbers as text.
"""

import csv
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import xlsxwriter

from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.intake.protection import as_text, escaped

MARK_START = "※ 集结 Muster 导出 export"  # by which a watermark is known again
WORKBOOK_ROWS = 1_048_576
WORKBOOK_CELL_CHARACTERS = 32_767

Write = Callable[[Sequence[object]], None]


class WorkbookFull(Problem):
    """A sheet holds {limit} rows and cells of {characters} characters, and this has more. Export
    as CSV."""

    zh: ClassVar[str] = (
        "工作表最多 {limit} 行、单元格最多 {characters} 个字符，已超出。请导出为 CSV。"
    )
    status: ClassVar[int] = 422


@dataclass(frozen=True)
class Mark:
    """The watermark of a file: who took it out and when, and the id of the record of that."""

    export: UUID
    who: str
    at: datetime

    @staticmethod
    def new(who: str, at: datetime) -> "Mark":
        return Mark(uuid7(), who, at)

    def line(self, rows: int) -> str:
        """The last line of the file, which a later reading of it overlooks."""
        at = self.at.isoformat(" ", "seconds")
        return f"{MARK_START} {self.export} | {self.who} | {at} | {rows} 行 rows"


def write_rows(
    path: Path, headers: Sequence[str], rows: Iterable[Sequence[object]], *,
    mark: Mark | None = None,
) -> int:  # fmt: skip
    """Writes a table to `path`, as a workbook if it ends in .xlsx, else as CSV; returns its rows.

    The file is readable by its owner only, and appears when it is complete. With a `mark` its last
    line, and a workbook's footer and properties, say who took it out. Raises WorkbookFull.
    """
    count = 0
    with table_writer(path, mark=mark) as write:
        write(headers)
        for row in rows:
            write(row)
            count += 1
        if mark is not None:
            write([mark.line(count)])
    return count


@contextmanager
def table_writer(
    path: Path, *, for_correction: bool = False, mark: Mark | None = None
) -> Iterator[Write]:
    """A function that writes a row. The file replaces `path` when the block ends without error.

    `for_correction`: a CSV that somebody opens in a spreadsheet, corrects and sends back, so
    numbers that the spreadsheet would change are marked as text.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    os.close(handle)
    temporary = Path(name)
    kind = _workbook if path.suffix.lower() == ".xlsx" else _csv
    try:
        with kind(temporary, for_correction, mark) as write:
            yield write
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _csv(path: Path, for_correction: bool, _mark: Mark | None) -> Iterator[Write]:
    protect = as_text if for_correction else escaped
    # With a byte order mark, without which Excel takes UTF-8 for the local encoding.
    with path.open("w", encoding="utf-8-sig", errors="replace", newline="") as file:
        writer = csv.writer(file)

        def write(row: Sequence[object]) -> None:
            # NUL cannot be seen in an editor; its replacement can, and still counts as broken.
            texts = [cell if isinstance(cell, str) else _text(cell) for cell in row]
            writer.writerow([protect(text).replace("\0", "\ufffd") for text in texts])

        yield write


@contextmanager
def _workbook(path: Path, for_correction: bool, mark: Mark | None) -> Iterator[Write]:
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "tmpdir": str(path.parent),
    }
    book = xlsxwriter.Workbook(str(path), options)
    try:
        sheet = book.add_worksheet()
        if mark is not None:
            book.set_properties({"author": mark.who, "comments": f"{MARK_START} {mark.export}"})
            sheet.set_footer(f"&L{mark.export}&R{mark.who.replace('&', '&&')}"[:255])
        as_typed = book.add_format({"num_format": "@"})  # text stays text when somebody edits it
        sheet.set_column(0, 255, 18, as_typed)
        line = 0

        def write(row: Sequence[object]) -> None:
            nonlocal line
            for index, cell in enumerate(row):
                if isinstance(cell, int | float) and abs(cell) < 1e15:
                    sheet.write(line, index, cell)
                    continue
                text = cell if isinstance(cell, str) else _text(cell)
                if len(text) > WORKBOOK_CELL_CHARACTERS or line >= WORKBOOK_ROWS:
                    raise WorkbookFull(limit=WORKBOOK_ROWS, characters=WORKBOOK_CELL_CHARACTERS)
                if text:
                    sheet.write_string(line, index, text, as_typed)
            line += 1

        yield write
    except BaseException:
        with suppress(Exception):  # its own temporary files go, and the first error is the one told
            book.close()
        raise
    book.close()


def _text(cell: object) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case datetime():
            return cell.isoformat(" ", "seconds")
        case date():
            return cell.isoformat()
        case _:
            return str(cell)
