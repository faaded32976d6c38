"""Decisions about the barcodes printed on supplies: which formats are in use, from when."""

from datetime import datetime
from uuid import UUID

from muster.core.clock import plausible
from muster.core.ids import derived, uuid7
from muster.core.problems import Problem
from muster.custody.engine.barcodes import Format
from muster.custody.events import BarcodeFormatAdopted
from muster.ledger.door import Door
from muster.ledger.event import Event


class FormatUnusable(Problem):
    """No label can have this format ({reason}). Write # for a digit, @ for a letter, * for either, and
    what is printed on every label as it is."""

    zh = "没有标签能符合该格式（{reason}）。# 表示数字，@ 表示字母，* 表示字母或数字，其余照印刷内容填写。"
    status = 422


async def adopt_format(door: Door, body: BarcodeFormatAdopted, *, actor: str, at: datetime) -> UUID:
    """Take a supplier's format into use, or with `retired` out of it: the format's id, which follows
    from supplier, kind and pattern. Raises FormatUnusable."""
    try:
        Format(body.supplier, body.kind, body.pattern, body.check, body.capacity)
    except ValueError as error:
        raise FormatUnusable(reason=error) from error
    if not plausible(body.since):
        raise FormatUnusable(reason=f"{body.since} is no time of our era")
    format = derived("barcode format", body.supplier, body.kind, body.pattern)
    await door.append([Event(uuid7(), "BarcodeFormatAdopted", format, at, at, at, actor, body)])
    return format
