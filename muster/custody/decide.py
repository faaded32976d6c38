"""Decisions about the barcodes printed on supplies: which formats are in use, from when."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import psycopg

from muster.core.clock import plausible
from muster.core.ids import derived, uuid7
from muster.core.problems import Problem
from muster.core.rows import row
from muster.custody import queries
from muster.custody.engine.barcodes import Format
from muster.custody.engine.labels import labels, number
from muster.custody.events import BarcodeFormatAdopted, LabelsIssued, LabelsTakenBack
from muster.ledger.door import Door
from muster.ledger.event import Event

Conn = psycopg.AsyncConnection[Any]
_LABELS_LOCK = 0x6C61626C  # "labl": of two issues at a time one sees the other


class FormatUnusable(Problem):
    """No label can have this format ({reason}). Write # for a digit, @ for a letter, * for either, and
    what is printed on every label as it is."""

    zh = "没有标签能符合该格式（{reason}）。# 表示数字，@ 表示字母，* 表示字母或数字，其余照印刷内容填写。"
    status = 422


class LabelsOverlap(Problem):
    """The labels {first} to {last} cannot be issued: {other_first} to {other_last} were given to {site}
    already. Begin with {free}, or take those back first."""

    zh = (
        "标签 {first} 至 {last} 无法发放：其中 {other_first} 至 {other_last} 已发给 {site}。"
        "请从 {free} 起发放，或先收回原号段。"
    )
    status = 409


class LabelsUnknown(Problem):
    """There is no issue of labels {labels}, or it was taken back."""

    zh = "没有标签号段 {labels}，或已收回。"
    status = 404


async def issue_labels(
    conn: Conn, door: Door, *, format: UUID, site: UUID, first: int | None, count: int, actor: str,
    at: datetime,
) -> UUID:  # fmt: skip
    """Give a range of labels to a site: from a running number on, or from the first that was never
    issued. Its id. Raises FormatUnknown, FormatNotNumbered, NumbersUsedUp, LabelsOverlap."""
    known = await queries.format_of(conn, format)
    form = queries.as_format(known)
    async with conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock(%s)", [_LABELS_LOCK])
        if first is None:
            last = await row(conn, "muster.custody", "labels_last", format=format)
            first = number(form, last["last"]) + 1 if last and last["last"] else 1
        made = labels(form, first, count)
        other = await row(
            conn, "muster.custody", "labels_overlapping", first=made[0], last=made[-1],
            kind=form.kind,
        )  # fmt: skip
        if other:
            last = await row(conn, "muster.custody", "labels_last", format=format)
            free = number(form, last["last"]) + 1 if last and last["last"] else 1
            raise LabelsOverlap(
                first=made[0], last=made[-1], other_first=other["first"], other_last=other["last"],
                site=other["site_name"] or other["site"], free=labels(form, free, 1)[0],
            )  # fmt: skip
        issue = uuid7()
        body = LabelsIssued(
            kind=form.kind if form.kind != "plate" else "box", format=format, first=made[0],
            last=made[-1], count=count, site=site,
        )  # fmt: skip
        await door.append([Event(issue, "LabelsIssued", issue, at, at, at, actor, body)])
    return issue


async def take_back(
    conn: Conn, door: Door, issue: UUID, *, reason: Literal["mistake", "returned", "destroyed"],
    actor: str, at: datetime,
) -> None:  # fmt: skip
    """Take a range back, so that it may be issued again. Raises LabelsUnknown."""
    found = await queries.labels_issue(conn, issue)
    if found is None or found["taken_back_at"]:
        raise LabelsUnknown(labels=issue)
    body = LabelsTakenBack(reason=reason)
    id_ = derived("labels taken back", issue)
    await door.append([Event(id_, "LabelsTakenBack", issue, at, at, at, actor, body)])


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
