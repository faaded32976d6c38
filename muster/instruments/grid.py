"""A run file as rows of text: from bytes, with encoding and separator found out."""

import codecs
import csv
import io
from collections.abc import Iterator
from functools import cached_property

from muster.instruments.faults import (
    QuoteUnclosed,
    RunEncodingUnknown,
    RunFileTooLarge,
)

SEPARATORS = ("\t", ",", ";", "，")
CELL_LIMIT_CHARACTERS = 1_000_000
ROWS_LIMIT = 200_000

Row = tuple[int, list[str]]


class Grid:
    """Rows of a text file or of a workbook's sheet, each with its line from 1; empty rows too.

    `file` is the name for messages. `marks` are cells of a workbook, by line and column, that show
    an "error" or a number that lost its last "digits". `ends_open` is True if the last line of a text has no line end.
    """

    def __init__(
        self,
        file: str,
        rows: list[Row],
        *,
        sheet: str = "",
        separator: str = "",
        marks: dict[tuple[int, int], str] | None = None,
        ends_open: bool = False,
    ) -> None:
        self.file = f"{file} ({sheet})" if sheet else file
        self.rows, self.sheet, self.separator = rows, sheet, separator
        self.marks, self.ends_open = marks or {}, ends_open

    @cached_property
    def sections(self) -> dict[str, "Grid"]:
        """The parts of a text behind lines such as [Results], by that name; "" is what comes
        first."""
        parts: dict[str, list[Row]] = {"": []}
        name = ""
        for line, cells in self.rows:
            first = cells[0].strip() if cells else ""
            if first.startswith("[") and first.endswith("]") and not any(cells[1:]):
                name = first[1:-1].strip()
                parts.setdefault(name, [])
            else:
                parts[name].append((line, cells))
        last = name
        return {
            name: Grid(
                self.file, rows, separator=self.separator, ends_open=self.ends_open and name == last
            )
            for name, rows in parts.items()
        }


def decoded(file: str, content: bytes) -> str:
    """The text of a file. Raises RunEncodingUnknown."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return _strictly(file, content, encoding)
    if content[1:2] == b"\0":  # instruments write UTF-16 without its mark too
        return _strictly(file, content, "utf-16-le")
    # GB18030 accepts a good deal of UTF-8, so it must never be asked first.
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _strictly(file, content, "gb18030")


def _strictly(file: str, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RunEncodingUnknown(file=file, line=line) from None


def text_grids(file: str, text: str) -> tuple[list[Grid], QuoteUnclosed | None]:
    """The text cut by each separator that occurs in it, the likeliest first; and what is wrong with
    its quotation marks by a separator for which they do not close. Raises RunFileTooLarge."""
    # Tabs are typed by nobody; commas stand within cells too.
    counts = {mark: text.count(mark) * (10 if mark == "\t" else 1) for mark in SEPARATORS}
    ends_open = bool(text) and text[-1] not in "\r\n"
    grids: list[Grid] = []
    problem = None
    for separator in sorted(filter(counts.get, SEPARATORS), key=lambda mark: -counts[mark]):
        try:
            rows = list(_rows(file, text, separator))
        except QuoteUnclosed as unclosed:
            problem = problem or unclosed
            continue
        grids.append(Grid(file, rows, separator=separator, ends_open=ends_open))
    return grids, problem


def _rows(file: str, text: str, separator: str) -> Iterator[Row]:
    csv.field_size_limit(max(csv.field_size_limit(), CELL_LIMIT_CHARACTERS))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for number, cells in enumerate(reader):
            if number >= ROWS_LIMIT:
                raise RunFileTooLarge(file=file, limit=f"{ROWS_LIMIT} rows")
            yield line, cells
            line = reader.line_num + 1
    except csv.Error:
        raise QuoteUnclosed(file=file, line=line) from None
