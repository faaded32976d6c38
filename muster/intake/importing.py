"""Importing a table: rows to drafts, drafts to events, events through the door, in chunks.

Every bad cell is listed with its line and column, and its row is written to a file that can be
corrected and fed again; the good rows are in. Feeding the same file twice changes nothing, so an
interrupted import is resumed by feeding the file again. What a file does not say stays as known.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import UUID

import msgspec

from muster.config import XLSX_MEMORY_BYTES
from muster.core.clock import now, parse_local, plausible
from muster.core.problems import Problem
from muster.core.text import fold
from muster.instance import Instance
from muster.intake.faults import CellProblem, Fault, Limits, Row
from muster.intake.rejects import Rejects
from muster.intake.tables import Column, Table, open_table
from muster.ledger.event import Event

CHUNKS_WAITING = 3
SLICE_ROWS = 50
PROGRESS_ROWS = 1_000
LISTED_FAULTS = 1_000  # in the report; the rejects file holds all
Progress = Callable[[int, int, int], None]  # done, total (bytes or rows), rows read
Turn = Callable[[], Awaitable[None]]
T = TypeVar("T")


class CellMissing(CellProblem):
    """The cell must not be empty."""

    zh = "此单元格不能为空。"


class WordUnknown(CellProblem):
    """Write one of: {known}. "{word}" is not known."""

    zh = "请填写以下之一：{known}。不认识“{word}”。"


class NumberUnreadable(CellProblem):
    """Write a whole number from {least} to {most}. "{word}" is none."""

    zh = "“{word}”不是 {least} 到 {most} 之间的整数。"


class DateUnreadable(CellProblem):
    """Write a date such as 2021-08-02. "{word}" is none."""

    zh = "“{word}”不是 2021-08-02 这样的日期。"


class TimeUnreadable(CellProblem):
    """Write a time such as 2021-08-02 21:30. "{word}" is none."""

    zh = "“{word}”不是 2021-08-02 21:30 这样的时间。"


class AreaCodeUnknown(CellProblem):
    """No area has the code "{code}". Import the area file first, or correct the code."""

    zh = "没有编码为“{code}”的区域。请先导入区域文件，或更正编码。"


class TooLong(CellProblem):
    """The cell is longer than {limit} characters."""

    zh = "单元格超过 {limit} 个字符。"


class CodeTwice(CellProblem):
    """Line {line} has the same code with other content. Keep one of the two."""

    zh = "第 {line} 行已使用同一编码，但内容不同。请只保留一行。"


class RowFault(Exception):
    """A row cannot be taken: which of our columns, and why, for every bad cell."""

    def __init__(self, *bad: tuple[str, Problem]) -> None:
        super().__init__(*(column for column, _ in bad))
        self.bad = bad


@dataclass
class Report:
    """What an import did. `unchanged` rows were already so; `joined` rows repeat one of the same
    file; `faults` lists the first ones; `headers` has our columns' headers as the file has them."""

    kind: str
    file: str
    rows: int = 0
    stored: int = 0
    unchanged: int = 0
    joined: int = 0
    rejected: int = 0
    rejects_file: str | None = None
    seconds: float = 0.0
    unknown_columns: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


class Rejecting(Protocol):
    """Takes the faults of rows that are handed back; `count` is the rows."""

    count: int

    def add(self, fault: Fault) -> None: ...


class Kind(Protocol):
    """A kind of table: its columns, how a row becomes a draft, and drafts events."""

    @property
    def name(self) -> str: ...

    @property
    def chunk_rows(self) -> int: ...

    @property
    def columns(self) -> Sequence[Column]: ...

    async def begin(self, muster: Instance) -> None:
        """Load what rows are checked against."""
        ...

    def draft(self, row: Row) -> Any:
        """A row's draft, or None for a repetition to pass over. Raises RowFault."""
        ...

    async def events(
        self, muster: Instance, drafts: list[tuple[Row, Any]], at: datetime
    ) -> tuple[list[tuple[Row, Event]], list[tuple[Row, RowFault]]]:
        """The events for what is new or differs, each with its row, and the rows that only now prove
        bad."""
        ...


async def import_table(
    muster: Instance, kind: Kind, path: Path, *, rejects_path: Path | None = None,
    progress: Progress = lambda _done, _total, _rows: None,
) -> Report:  # fmt: skip
    """Import a CSV or XLSX file. Raises FileProblems where the whole file cannot be read."""
    started = time.perf_counter()
    report = Report(kind.name, path.name)
    limits = Limits(workbook_memory_bytes=XLSX_MEMORY_BYTES)
    rejects_file = rejects_path or _unused(path.with_name(f"{path.stem}.rejected.csv"))
    await kind.begin(muster)
    table = await asyncio.to_thread(open_table, path, kind.columns, limits=limits)
    with table, Rejects(rejects_file, table.headers) as rejects:
        await feed_table(muster, kind, table, report, rejects, progress=progress)
    if report.rejected:
        report.rejects_file = str(rejects_file)
    report.seconds = time.perf_counter() - started
    return report


async def feed_table(
    muster: Instance, kind: Kind, table: Table, report: Report, rejects: Rejecting, *,
    progress: Progress = lambda _done, _total, _rows: None, turn: Turn | None = None,
    dry: bool = False,
) -> None:  # fmt: skip
    """Feed an open table of a kind that has begun, chunk by chunk, the figures into the report. `turn`
    is awaited after each chunk and ends the work by raising. `dry`: everything but the storing; then
    `stored` is what would be."""
    report.unknown_columns = list(table.unknown)
    report.headers = _headers(table, kind.columns)
    reading = _Reading(table, kind, report, rejects, progress)
    storing: list[asyncio.Task[None]] = []
    try:
        drafts = await reading.chunk()
        while drafts is not None:
            made, late = await kind.events(muster, drafts, now())
            for row, fault in late:
                reading.refuse(row, fault)
            report.unchanged += len(drafts) - len({row.line for row, _ in late}) - len(made)
            events = [event for _, event in made]
            if dry:
                report.stored += len(events)
            else:
                storing.append(asyncio.create_task(_store(muster, events, report)))
            if turn is not None:
                await turn()
            # While the door works on one chunk, the next is made ready and another is read.
            drafts = await reading.chunk()
            if len(storing) > CHUNKS_WAITING:
                await storing.pop(0)
        await asyncio.gather(*storing)
    finally:
        # Whatever happened: what is on its way is stored before the file can be fed again.
        await asyncio.gather(*storing, return_exceptions=True)


async def _store(muster: Instance, events: list[Event], report: Report) -> None:
    answers = await muster.door.append(events) if events else []
    report.stored += answers.count("stored")
    report.unchanged += len(answers) - answers.count("stored")


def _unused(path: Path) -> Path:
    """The path, or one with a number: somebody may be correcting the rejects of the last time."""
    number, found = 2, path
    while found.exists():
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return found


def _headers(table: Table, columns: Sequence[Column]) -> dict[str, str]:
    asked = {column.name: (*column.aliases, column.name)[0] for column in columns}
    return asked | {name: table.headers[index] for name, index in table.positions.items()}


class _Reading:
    """Reads chunks of drafts. Bad rows go to the rejects, and the first ones to the report."""

    def __init__(
        self, table: Table, kind: Kind, report: Report, rejects: Rejecting, progress: Progress
    ) -> None:
        self._table, self._kind, self._report = table, kind, report
        self._rejects, self._progress = rejects, progress
        self._items: Iterator[Row | Fault] = table.rows()
        self._read = self._line = 0

    async def chunk(self) -> list[tuple[Row, Any]] | None:
        """The next chunk's drafts; None at the end of the file."""
        drafts: list[tuple[Row, Any]] = []
        before = self._read
        for item in islice(self._items, self._kind.chunk_rows):
            self._read += 1
            if self._read % SLICE_ROWS == 0:
                await asyncio.sleep(0)  # the door is at work on another chunk: let it
                if self._read % PROGRESS_ROWS == 0:
                    self._progress(self._table.done, self._table.total, self._read)
            self._report.rows += item.line != self._line  # a row may have several faults
            self._line = item.line
            if isinstance(item, Fault):
                self._add(item)
                continue
            try:
                draft = self._kind.draft(item)
            except RowFault as fault:
                self.refuse(item, fault)
                continue
            if draft is None:
                self._report.joined += 1
            else:
                drafts.append((item, draft))
        self._progress(self._table.done, self._table.total, self._read)
        return drafts if self._read > before else None

    def refuse(self, row: Row, fault: RowFault) -> None:
        for column, problem in fault.bad:
            self._add(Fault(row.line, column, problem, row.raw))

    def _add(self, fault: Fault) -> None:
        header = fault.column and self._report.headers.get(fault.column, fault.column)
        self._rejects.add(msgspec.structs.replace(fault, column=header))
        self._report.rejected = self._rejects.count
        if len(self._report.faults) < LISTED_FAULTS:
            self._report.faults.append(fault)


class Cells:
    """Reads the cells of a row as our values. What is wrong is gathered, so that a row is told
    everything at once: a bad cell gives None, and `check` raises the RowFault."""

    def __init__(self) -> None:
        self.bad: list[tuple[str, Problem]] = []

    def check(self) -> None:
        if self.bad:
            raise RowFault(*self.bad)

    def fault(self, column: str, problem: Problem) -> None:
        self.bad.append((column, problem))

    def label(self, column: str, text: str, *, limit: int = 120) -> str:
        """A text that must be there."""
        if not text:
            self.fault(column, CellMissing())
        return self.limited(column, text, limit=limit)

    def limited(self, column: str, text: str, *, limit: int) -> str:
        if len(text) > limit:
            self.fault(column, TooLong(limit=limit))
        return text

    def word(self, column: str, text: str, words: Mapping[str, T]) -> T | None:
        """A cell's word as our value; words are compared folded."""
        if not text:
            return None
        found = words.get(text)
        if found is None and (found := words.get(fold(text))) is None:
            self.fault(column, WordUnknown(word=text[:40], known=choices(words)))
        return found

    def whole(self, column: str, text: str, *, least: int, most: int) -> int | None:
        if not text:
            return None
        if _WHOLE.fullmatch(text) and least <= int(text) <= most:
            return int(text)
        self.fault(column, NumberUnreadable(word=text[:40], least=least, most=most))
        return None

    def day(self, column: str, text: str) -> date | None:
        """2021-08-02, 2021/8/2, 20210802 or 2021年8月2日; midnight may stand behind it."""
        if not text:
            return None
        try:
            return date.fromisoformat(text)  # nearly always, and five times as fast
        except ValueError:
            at = _calendar(text)
        if at is None:
            self.fault(column, DateUnreadable(word=text[:40]))
        return at.date() if at else None

    def time(self, column: str, text: str, zone: str) -> datetime | None:
        """A time in ISO 8601 or as spreadsheets write it; without a zone it is meant in `zone`."""
        if not text:
            self.fault(column, CellMissing())
            return None
        try:
            local = _calendar(text)
            at = parse_local(local.isoformat() if local else text, zone)
            if plausible(at):
                return at
        except ValueError:
            pass
        self.fault(column, TimeUnreadable(word=text[:40]))
        return None

    def area(self, column: str, code: str, areas: Mapping[str, UUID]) -> UUID | None:
        """The area of a code that must be there."""
        if not code:
            self.fault(column, CellMissing())
            return None
        found = areas.get(code) or areas.get(code.upper())
        if found is None:
            self.fault(column, AreaCodeUnknown(code=code[:64]))
        return found


_WHOLE = re.compile(r"-?\d{1,12}", re.ASCII)
_CALENDAR = re.compile(
    r"(?:(\d{4})(?:[-/.]|年)(\d{1,2})(?:[-/.]|月)(\d{1,2})日?|(\d{4})(\d{2})(\d{2}))"
    r"(?:[ T]*(\d{1,2})[:时](\d{1,2})(?:[:分](\d{1,2})?(?:\.0*)?秒?)?分?)?",
    re.ASCII,
)


def _calendar(text: str) -> datetime | None:
    """A date, with or without a time of day, as people and spreadsheets write it."""
    match = _CALENDAR.fullmatch(text)
    if match is None:
        return None
    try:
        year, month, day, *clock = (int(part) for part in match.groups() if part)
        hour, minute, second = (*clock, 0, 0, 0)[:3]
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  # zone comes later
    except ValueError:
        return None


def choices(words: Mapping[str, Any]) -> str:
    """What a cell may say, each value once: its English word and the first Chinese one."""
    shown: dict[Any, list[str]] = {}
    for text, value in words.items():
        known = shown.setdefault(value, [])
        if not known or (known[-1].isascii() and not text.isascii()):
            known.append(text)
    return ", ".join(" ".join(known) for known in shown.values())
