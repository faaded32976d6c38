"""Text files as records: encoding, separators, quotation marks, and what goes wrong with them."""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import dropwhile, islice
from pathlib import Path
from typing import BinaryIO, Literal

from muster.core.problems import Problem
from muster.intake import faults
from muster.intake.faults import Fault, Limits, Record
from muster.intake.protection import text_of, unescaped

SEPARATORS = (",", "\t", ";", "，")


class CsvSource:
    """A text file. Each use reads it anew from the start, so trying a separator costs little."""

    unit: Literal["bytes", "rows"] = "bytes"

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path, self._limits = path, limits
        self.encoding = encoding_of(path)
        self._file: TextIOWrapper | None = None
        self._bytes: BinaryIO | None = None
        self.total = path.stat().st_size
        # The parser's own limit would drop a long cell before its column is known. The setting
        # is the process's, so it is only ever raised.
        csv.field_size_limit(max(csv.field_size_limit(), limits.line_characters))

    @property
    def done(self) -> int:
        """Bytes taken from the file so far; a little ahead of the rows delivered."""
        return self.total if self._bytes is None else self._bytes.tell()

    def candidates(self) -> Iterator[tuple[str, list[tuple[int, list[str]]]]]:
        for separator in SEPARATORS:
            records = islice(self._records(separator, width=0), self._limits.header_rows)
            yield separator, [(item[0], item[2]) for item in records if not isinstance(item, Fault)]

    def rows(self, choice: str, *, after: int, width: int) -> Iterator[Fault | Record]:
        yield from dropwhile(lambda item: _line(item) <= after, self._records(choice, width=width))
        self.close()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = self._bytes = None

    def _records(self, separator: str, *, width: int) -> Iterator[Fault | Record]:
        self.close()
        # "replace" marks broken bytes with U+FFFD, which is then found in its row: better than
        # giving up in the middle of a file, and no wrong character gets through.
        self._bytes = self._path.open("rb")
        file = TextIOWrapper(self._bytes, self.encoding, errors="replace", newline="")
        file._CHUNK_SIZE = 1 << 18  # pyright: ignore[reportAttributeAccessIssue]  # not 8 KiB
        self._file = file
        lines = _Lines(file, self._limits.line_characters)
        return _read(lines, separator, width=width, limits=self._limits, encoding=file.encoding)


def _line(item: Fault | Record) -> int:
    return item.line if isinstance(item, Fault) else item[0]


class _Lines:
    """The physical lines of a file, with their number, some of which can be given back."""

    def __init__(self, file: TextIOWrapper, limit: int) -> None:
        self._readline, self._limit = file.readline, limit
        self._again: deque[str] = deque()
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._again:
            line = self._again.popleft()
        else:
            line = self._readline(self._limit)
            if len(line) == self._limit:
                self._skip_rest(line)
            elif not line:
                raise StopIteration
        self.number += 1
        return line

    def _skip_rest(self, line: str) -> None:
        while len(line) == self._limit and not line.endswith("\n"):
            line = self._readline(self._limit)

    def give_back(self, lines: list[str]) -> None:
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)


_NO_MARKS: dict[int, Problem] = {}


def _read(
    lines: _Lines, separator: str, *, width: int, limits: Limits, encoding: str
) -> Iterator[Fault | Record]:
    """The records of a file. `width` cells are expected; 0 while the header is unknown."""
    longest = limits.cell_characters
    for line in lines:
        number = lines.number
        if len(line) >= limits.line_characters:
            problem = faults.LineTooLong(limit=limits.line_characters)
            yield Fault(number, None, problem, [line[:longest]])
            continue
        if '"' in line:
            text, cells = _quoted(line, lines, separator=separator, width=width, limits=limits)
        else:
            text, cells = line, line.rstrip("\r\n").split(separator)
        if cells is None:
            # An open quotation mark on a last line without end is the trace of a file cut off.
            is_cut = line[-1] not in "\r\n" and line.count('"') % 2 == 1
            problem = faults.FileCutOff() if is_cut else faults.StrayQuote()
            yield Fault(number, None, problem, line.rstrip("\r\n").split(separator))
        elif "\0" in text:
            yield Fault(number, None, faults.NulCharacter(), cells)
        elif "\ufffd" in text:
            yield Fault(number, None, faults.BrokenCharacters(encoding=encoding.upper()), cells)
        elif text[-1] not in "\r\n" and len(cells) < width:
            yield Fault(number, None, faults.FileCutOff(), cells)
        elif any(cells):
            if "=" in text or "'" in text or "E+" in text or len(text) > longest:
                raw = [unescaped(cell) for cell in cells]
                yield number, raw, *_meant(raw, longest)
            else:
                yield number, cells, cells, _NO_MARKS


def _quoted(
    line: str, lines: _Lines, *, separator: str, width: int, limits: Limits
) -> tuple[str, list[str] | None]:
    """The text and cells of a record that begins with `line` and may run over several lines.

    No cells if its quotation marks do not close as they should: then only `line` was taken, so
    that one stray mark costs one row and not the rest of the file. Signs of that are text behind
    a closing mark, the end of the file, too many lines, and a first and last line that are full
    rows by themselves.
    """
    taken = [line]

    def following() -> Iterator[str]:
        yield line
        for more in islice(lines, limits.quoted_lines):
            taken.append(more)
            yield more

    try:
        cells = next(csv.reader(following(), delimiter=separator, strict=True))
    except csv.Error:
        cells = None
    if cells and len(taken) > 1 and width > 1:
        full = width - 1
        if taken[0].count(separator) >= full and taken[-1].count(separator) >= full:
            cells = None
    if cells is None:
        lines.give_back(taken[1:])
    return "".join(taken), cells


# A long number that a spreadsheet has written in its short form: 3.70602E+17.
_SHORTENED = re.compile(r"\d(\.\d+)?E\+\d\d")


def _meant(raw: list[str], longest: int) -> tuple[list[str], dict[int, Problem]]:
    """The cells as they are meant (="0123" is the text 0123), and what is wrong with them."""
    cells, marks = [], {}
    for index, cell in enumerate(raw):
        if cell[:1] == "=":
            text = text_of(cell)
            if text is None:
                marks[index] = faults.FormulaCell()
            else:
                cell = text
        elif "E+" in cell and _SHORTENED.fullmatch(cell.strip()):
            marks[index] = faults.NumberLostDigits()
        if len(cell) > longest:
            marks[index] = faults.CellTooLong(limit=longest)
        cells.append(cell)
    return cells, marks


_SCANNED_BYTES = 1 << 20
_VOTING_LINES = 20_000


def encoding_of(path: Path) -> str:
    """The encoding of a text file. Raises EncodingUnknown and NotATable.

    The whole file is tried as UTF-8, which takes a tenth of a second for 100 MB: the first bytes
    of an office's file are often plain ASCII. UTF-8 text hardly ever arises by chance; GB18030
    accepts a good deal of UTF-8, so it must never be asked first.
    """
    with path.open("rb") as file:
        start = file.read(_SCANNED_BYTES)
        if start.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "utf-16"
        if start.startswith(b"\xef\xbb\xbf"):
            return "utf-8-sig"
        if start.count(0) * 10 > len(start):
            raise faults.NotATable(file=path.name, found="binary data or UTF-16 without a mark")
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while start:
                decoder.decode(start)
                start = file.read(_SCANNED_BYTES)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _voted(path)
    return "utf-8"


def _voted(path: Path) -> str:
    """The encoding of most lines, so that a few broken bytes do not turn a file into mojibake."""
    votes: dict[str, int] = {"utf-8": 0, "gb18030": 0}
    voters = first_bad = 0
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_SCANNED_BYTES), b""), 1):
            if line.isascii():
                continue
            fitting = [encoding for encoding in votes if _fits(line, encoding)]
            votes |= {encoding: votes[encoding] + 1 for encoding in fitting}
            voters += 1
            first_bad = first_bad or (0 if fitting else number)
            if voters == _VOTING_LINES:
                break
    # Most lines in UTF-8 settle it, for the reason above; in a file of few lines chance may speak
    # for UTF-8 too, so GB18030 wins where it fits more.
    if votes["utf-8"] * 2 > voters or votes["utf-8"] >= votes["gb18030"]:
        best = "utf-8"
    else:
        best = "gb18030"
    if votes[best] * 2 >= voters:
        return best
    raise faults.EncodingUnknown(file=path.name, line=first_bad)


def _fits(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
