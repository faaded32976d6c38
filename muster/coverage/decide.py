"""Decisions of coverage: figures that were reported are put on record."""

from datetime import datetime
from uuid import UUID

from muster.core.clock import plausible
from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.coverage.engine.briefing import Read
from muster.coverage.engine.plausible import Line
from muster.coverage.events import FiguresReported, Said
from muster.ledger.door import Door
from muster.ledger.event import Event


class BriefingUnreadable(Problem):
    """The table has lines that cannot be read: {rows}. Mend them and send it again."""

    zh = "表中有无法读取的行：{rows}。请改正后重新提交。"
    status = 422


def briefing_of(read: Read, *, as_of: datetime, source: str) -> FiguresReported:
    """The event of a table that was read. Raises BriefingUnreadable."""
    if read.unread or not plausible(as_of):
        rows = "; ".join(f"{one.row}: {one.text or one.reason}" for one in read.unread)
        raise BriefingUnreadable(rows=rows or as_of.isoformat())
    return FiguresReported(
        as_of=as_of, source=source, rounded_to=read.rounded_to,
        parts=tuple(said(one, read) for one in read.parts),
        total=said(read.total, read) if read.total else None,
    )  # fmt: skip


def said(line: Line, read: Read) -> Said:
    """A line as it is kept."""
    return Said(
        name=line.name, involved=line.involved, sampled=line.sampled, resulted=line.resulted,
        share_permille=line.share_permille, word=read.words.get(line.name),
    )  # fmt: skip


async def report(
    door: Door, body: FiguresReported, briefing: UUID, *, actor: str, at: datetime
) -> UUID:
    """Put reported figures on record, whether or not they can be true."""
    await door.append([Event(uuid7(), "FiguresReported", briefing, at, at, at, actor, body)])
    return briefing
