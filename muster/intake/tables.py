"""Reading a table somebody sent: CSV or workbook, whatever its encoding and wherever its header.

    with open_table(path, [Column("name", ("姓名", "name"), required=True)]) as table:
        for item in table.rows():  # Row or Fault, in the order of the file

The file is read as a stream; a workbook is read in a child process under limits.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from muster.core.problems import Problem
from muster.core.text import clean, fold
from muster.intake import faults
from muster.intake.csv_source import CsvSource
from muster.intake.export import MARK_START
from muster.intake.faults import Fault, Limits, Record, Row
from muster.intake.rejects import ADDED_HEADERS
from muster.intake.workbook_source import WorkbookSource

_DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Column:
    """A column we want: our field's name and the headers under which it may appear.

    Headers are compared folded, so case, spaces, underscores, width and script do not matter; a
    remark in brackets or a star after the header is overlooked. `chosen`: somebody said which header
    it is, so our own name is none.
    """

    name: str
    aliases: tuple[str, ...] = ()
    required: bool = False
    chosen: bool = False

    @property
    def headers(self) -> tuple[str, ...]:
        return self.aliases if self.chosen else (self.name, *self.aliases)


def open_table(
    path: Path, columns: Sequence[Column], *, limits: Limits = _DEFAULT_LIMITS
) -> "Table":
    """Opens by content, not by file name. A workbook's first sheet with all required columns wins.

    Raises: FileEmpty, FileTooLarge, NotATable, EncodingUnknown, ColumnsMissing, ColumnsRepeated,
    WorkbookLocked, WorkbookDamaged, WorkbookTooLarge (all FileProblem).
    """
    source = source_of(path, limits)
    try:
        return Table(path, columns, source=source)
    except BaseException:
        source.close()
        raise


class Table:
    """An open table. `headers` as written; `positions` of our columns in them; `unknown` headers.

    `done` of `total` in `unit` (bytes of a text file, rows of a workbook) is for a progress bar.
    """

    def __init__(self, path: Path, columns: Sequence[Column], *, source: "Source") -> None:
        self._source = source
        header = _find_header(path, columns, source.candidates())
        self._choice, self.header_line = header.choice, header.line
        self.headers, self.positions = list(header.cells), header.positions
        while not self.headers[-1].strip():
            self.headers.pop()
        taken = {*header.positions.values()}
        self.unknown = [
            text
            for index, text in enumerate(self.headers)
            if text.strip() and index not in taken and clean(text) not in ADDED_HEADERS
        ]
        # -1 finds the empty cell that every row is given at its end.
        self._picks = [self.positions.get(column.name, -1) for column in columns]
        self._column_at = {index: name for name, index in self.positions.items()}
        required = (self.positions.get(column.name, -1) for column in columns if column.required)
        self._fewest_cells = max(required, default=-1) + 1

    def rows(self) -> Iterator[Row | Fault]:
        """The rows after the header, once. Empty rows and repetitions of the header are skipped."""
        picks, headers, width = self._picks, self.headers, len(self.headers)
        for item in self._source.rows(self._choice, after=self.header_line, width=width):
            if isinstance(item, Fault):
                yield item
                continue
            line, raw, cells, marks = item
            if raw and raw[0].startswith(MARK_START):  # a list of ours, fed back
                continue
            if len(cells) != width or marks:
                found = list(self._faults(line, raw, cells=cells, marks=marks))
                yield from found
                if found:
                    continue
            values = tuple([clean(text) for text in map([*cells, ""].__getitem__, picks)])
            if not any(values) and not any(text.strip() for text in raw):
                continue
            if raw == headers:
                continue
            yield Row(line, values, raw)

    def _faults(
        self, line: int, raw: list[str], *, cells: list[str], marks: dict[int, Problem]
    ) -> Iterator[Fault]:
        for index, problem in sorted(marks.items(), key=lambda mark: mark[0]):
            if index in self._column_at:
                yield Fault(line, self._column_at[index], problem, raw)
        width = len(self.headers)
        if len(cells) > width and any(text.strip() for text in cells[width:]):
            yield Fault(line, None, faults.ExtraCells(found=len(cells), expected=width), raw)
        elif len(cells) < self._fewest_cells and any(text.strip() for text in cells):
            problem = faults.MissingCells(found=len(cells), expected=self._fewest_cells)
            yield Fault(line, None, problem, raw)

    @property
    def done(self) -> int:
        return self._source.done

    @property
    def total(self) -> int:
        return self._source.total

    @property
    def unit(self) -> Literal["bytes", "rows"]:
        return self._source.unit

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Source(Protocol):
    """A file as records. A choice is a way to read it: a separator, or a sheet."""

    unit: Literal["bytes", "rows"]
    total: int

    @property
    def done(self) -> int: ...

    def candidates(self) -> Iterator[tuple[Any, list[tuple[int, list[str]]]]]:
        """Each choice with its first records (line, cells), most likely choice first."""
        ...

    def rows(self, choice: Any, *, after: int, width: int) -> Iterator[Fault | Record]:
        """The records behind line `after`, of the choice that `candidates` gave last."""
        ...

    def close(self) -> None: ...


# What other files begin with. Text has no such beginning, so this needs no file name.
_FOREIGN_STARTS = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"<html", "HTML"),
    (b"<!doctype", "HTML"),
    (b"<table", "HTML"),
    (b"<?xml", "XML"),
)
_WORKBOOK_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")


def source_of(path: Path, limits: Limits) -> Source:
    """The file as records. Raises what `open_table` says of the whole file."""
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise faults.FileTooLarge(file=path.name, bytes=size, limit=limits.file_bytes)
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        raise faults.FileEmpty(file=path.name)
    if start.startswith(_WORKBOOK_STARTS):
        return WorkbookSource(path, limits)
    beginning = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for foreign, name in _FOREIGN_STARTS:
        if start.startswith(foreign) or beginning.startswith(foreign):
            raise faults.NotATable(file=path.name, found=name)
    return CsvSource(path, limits)


@dataclass(frozen=True, slots=True)
class Header:
    """The row of headers in one way to read a file, and where our columns are in it."""

    choice: Any
    line: int
    cells: list[str]
    positions: dict[str, int]
    repeated: dict[str, list[int]]


def _find_header(
    path: Path,
    columns: Sequence[Column],
    candidates: Iterable[tuple[Any, list[tuple[int, list[str]]]]],
) -> Header:
    """The row with most of our columns; the first choice that has all required ones ends it."""
    best, widest = best_header(columns, candidates)
    missing = [c for c in columns if c.required and (not best or c.name not in best.positions)]
    if missing or best is None:
        found = [clean(text)[:30] for text in (best.cells if best else widest) if text.strip()]
        wanted = missing or list(columns)
        raise faults.ColumnsMissing(
            file=path.name,
            missing=", ".join(_title(column) for column in wanted),
            found=", ".join(found[:40]) or "-",
            accepted="; ".join(" = ".join((c.name, *c.aliases)) for c in wanted),
        )
    for name, indexes in best.repeated.items():
        found = ", ".join(clean(best.cells[index])[:30] for index in indexes)
        raise faults.ColumnsRepeated(file=path.name, column=name, found=found)
    return best


def best_header(
    columns: Sequence[Column], candidates: Iterable[tuple[Any, list[tuple[int, list[str]]]]]
) -> tuple[Header | None, list[str]]:
    """The row that fits best, None where none has a column of ours, and the row with most cells."""
    required = {column.name for column in columns if column.required}
    names = {fold(text): column.name for column in columns for text in column.headers}
    best: Header | None = None
    widest: list[str] = []
    for choice, records in candidates:
        for line, cells in records:
            header = _matched(choice, line, cells=cells, names=names)
            if len(header.positions) > (len(best.positions) if best else 0):
                best = header
            if sum(map(bool, cells)) > sum(map(bool, widest)):
                widest = cells
        if best and required <= best.positions.keys():
            break
    return best, widest


def _title(column: Column) -> str:
    return f"{column.aliases[0]} ({column.name})" if column.aliases else column.name


# "姓名*", "电话(必填)", "住址：": what forms add to a header.
_REMARK = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|[*※:]")


def _matched(choice: Any, line: int, *, cells: list[str], names: dict[str, str]) -> Header:
    """Our columns in a row. A header without its remarks counts where none fits as it is."""
    exact: dict[str, list[int]] = {}
    bare: dict[str, list[int]] = {}
    for index, text in enumerate(cells):
        folded = fold(text[:200])
        if folded in names:
            exact.setdefault(names[folded], []).append(index)
        elif (without := _REMARK.sub("", folded)) in names:
            bare.setdefault(names[without], []).append(index)
    indexes = bare | exact
    return Header(
        choice,
        line,
        cells,
        {name: found[0] for name, found in indexes.items()},
        {name: found for name, found in indexes.items() if len(found) > 1},
    )
