"""Importing a table: rows to drafts, drafts to events, events through the door, in chunks.

Every bad row is listed with its line and column and written to a file that can be corrected and fed
again; the good rows are in. Feeding the same file twice changes nothing, so an import that was
interrupted is resumed by feeding the file again.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from muster.config import XLSX_MEMORY_BYTES
from muster.core.clock import now
from muster.core.problems import Problem
from muster.core.text import fold
from muster.instance import Instance
from muster.intake.faults import CellProblem, Fault, Limits, Row
from muster.intake.rejects import Rejects
from muster.intake.tables import Column, Table, open_table
from muster.ledger.event import Event

CHUNKS_WAITING = 3
SLICE_ROWS = 50
LISTED_FAULTS = 1_000  # in the report; the rejects file holds all
Progress = Callable[[int, int, int], None]  # done, total (bytes or rows), rows read
T = TypeVar("T")


class CellMissing(CellProblem):
    """The cell must not be empty."""

    zh = "此单元格不能为空。"


class WordUnknown(CellProblem):
    """"{word}" is not one of: {known}."""

    zh = "“{word}”不是以下之一：{known}。"


class NumberUnreadable(CellProblem):
    """"{word}" is not a whole number from {least} to {most}."""

    zh = "“{word}”不是 {least} 到 {most} 之间的整数。"


class DateUnreadable(CellProblem):
    """"{word}" is not a date such as 2021-08-02."""

    zh = "“{word}”不是 2021-08-02 这样的日期。"


class AreaCodeUnknown(CellProblem):
    """No area has the code "{code}". Import the area file first, or correct the code."""

    zh = "没有编码为“{code}”的区域。请先导入区域文件，或更正编码。"


class TooLong(CellProblem):
    """The cell is longer than {limit} characters."""

    zh = "单元格超过 {limit} 个字符。"


class RowFault(Exception):
    """A cell of the row being read cannot be taken: which of our columns, and why."""

    def __init__(self, column: str, problem: Problem) -> None:
        super().__init__(column)
        self.column, self.problem = column, problem


@dataclass
class Report:
    """What an import did. `unchanged` rows were already so; `joined` rows repeat a person of the
    same file; `faults` lists the first ones with line, column and message."""

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
    faults: list[Fault] = field(default_factory=list)


class Kind(Protocol):
    """A kind of table: its columns, how a row becomes a draft, and drafts events."""

    name: str
    columns: Sequence[Column]
    chunk_rows: int

    async def begin(self, muster: Instance) -> None:
        """Load what rows are checked against."""
        ...

    def draft(self, row: Row) -> Any:
        """A row's draft, or None for a repetition to pass over. Raises RowFault."""
        ...

    async def events(
        self, muster: Instance, drafts: list[tuple[Row, Any]], at: datetime
    ) -> tuple[list[Event], list[tuple[Row, RowFault]]]:
        """The events for what is new or differs, and the rows that only now prove bad."""
        ...


async def import_table(
    muster: Instance, kind: Kind, path: Path, *, rejects_path: Path | None = None,
    progress: Progress = lambda _done, _total, _rows: None,
) -> Report:  # fmt: skip
    """Import a CSV or XLSX file. Raises FileProblems where the whole file cannot be read."""
    started = time.perf_counter()
    report = Report(kind.name, path.name)
    await kind.begin(muster)
    limits = Limits(workbook_memory_bytes=XLSX_MEMORY_BYTES)
    rejects_file = rejects_path or path.with_name(f"{path.stem}.rejected.csv")
    table = await asyncio.to_thread(open_table, path, kind.columns, limits=limits)
    with table, Rejects(rejects_file, table.headers) as rejects:
        report.unknown_columns = list(table.unknown)
        sink = _Sink(report, rejects)
        source = table.rows()
        drafts = await _read(kind, source, sink)
        storing: list[asyncio.Task[None]] = []
        while drafts is not None:
            events, late = await kind.events(muster, drafts, now())
            for row, fault in late:
                sink.refuse(row, fault)
            report.unchanged += len(drafts) - len(late) - len(events)
            storing.append(asyncio.create_task(_store(muster, events, report)))
            # While the door works on one chunk, the next is made ready and another is read.
            drafts = await _read(kind, source, sink)
            if len(storing) > CHUNKS_WAITING:
                await storing.pop(0)
            progress(table.done, table.total, report.rows)
        await asyncio.gather(*storing)
    if report.rejected:
        report.rejects_file = str(rejects_file)
    report.seconds = time.perf_counter() - started
    return report


async def _store(muster: Instance, events: list[Event], report: Report) -> None:
    answers = await muster.door.append(events) if events else []
    report.stored += answers.count("stored")
    report.unchanged += len(answers) - answers.count("stored")


class _Sink:
    """Where bad rows go: the report's first ones, the rejects file all."""

    def __init__(self, report: Report, rejects: Rejects) -> None:
        self.report, self.rejects = report, rejects

    def refuse(self, row: Row, fault: RowFault) -> None:
        self.add(Fault(row.line, fault.column, fault.problem, row.raw))

    def add(self, fault: Fault) -> None:
        self.rejects.add(fault)
        self.report.rejected = self.rejects.count
        if len(self.report.faults) < LISTED_FAULTS:
            self.report.faults.append(fault)


async def _read(
    kind: Kind, source: Iterator[Row | Fault], sink: _Sink
) -> list[tuple[Row, Any]] | None:
    """The next chunk's drafts; None at the end of the file."""
    drafts: list[tuple[Row, Any]] = []
    read = 0
    for item in islice(source, kind.chunk_rows):
        read += 1
        if read % SLICE_ROWS == 0:
            await asyncio.sleep(0)  # the door is at work on another chunk: let it
        if isinstance(item, Fault):
            sink.add(item)
            continue
        sink.report.rows += 1
        try:
            draft = kind.draft(item)
        except RowFault as fault:
            sink.refuse(item, fault)
            continue
        if draft is None:
            sink.report.joined += 1
        else:
            drafts.append((item, draft))
    return drafts if read else None


def word(column: str, text: str, words: dict[str, T], default: T | None = None) -> T:
    """A cell's word as our value; words are compared folded. Raises RowFault."""
    if text in words:
        return words[text]
    if not text:
        if default is None:
            raise RowFault(column, CellMissing())
        return default
    found = words.get(fold(text))
    if found is None:
        raise RowFault(column, WordUnknown(word=text[:40], known=", ".join(list(words)[:12])))
    return found


def whole(column: str, text: str, *, least: int, most: int) -> int | None:
    if not text:
        return None
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise RowFault(column, NumberUnreadable(word=text[:40], least=least, most=most))
    return value


def label(column: str, text: str, *, limit: int = 120) -> str:
    if not text:
        raise RowFault(column, CellMissing())
    return limited(column, text, limit=limit)


def limited(column: str, text: str, *, limit: int) -> str:
    if len(text) > limit:
        raise RowFault(column, TooLong(limit=limit))
    return text


def day(column: str, text: str) -> date | None:
    """2021-08-02, 2021/8/2, 20210802 or 2021年8月2日."""
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        pass
    parts = text.replace("年", "-").replace("月", "-").rstrip("日").replace("/", "-")
    try:
        year, month, day_ = (int(part) for part in parts.replace(".", "-").split("-"))
        return date(year, month, day_)
    except ValueError:
        raise RowFault(column, DateUnreadable(word=text[:40])) from None


def body_of(type_: type[T], **values: Any) -> T:
    """A body from values that may still be invalid; what the struct refuses is a RowFault."""
    try:
        return msgspec.convert(values, type_)
    except msgspec.ValidationError as error:
        raise RowFault("", Problem(detail=str(error))) from error
