"""Questions about boxes, hand-overs, and the barcodes printed on supplies."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
import psycopg

from muster.config import BOX_WINDOW_HOURS, DEFAULT_HAND_OVER_MINUTES, PAGE_LIMIT
from muster.core.paging import Page, decode, page
from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.custody.engine.barcodes import Format, Kind, recognise, tidy, verify

_HERE = "muster.custody"
Conn = psycopg.AsyncConnection[Any]
BoxState = Literal["packed", "underway", "received"]


class BoxUnknown(Problem):
    """There is no box or bag with the code or id "{box}", or none that you may see. `muster box list`
    shows those packed last."""

    zh = "没有编码或编号为“{box}”的箱或袋，或你无权查看。用 muster box list 查看最近装箱的。"
    status = 404


class FormatUnknown(Problem):
    """There is no barcode format {format}. `GET /v1/barcode-formats` lists them."""

    zh = "没有条码格式 {format}。请在条码格式列表中查看。"
    status = 404


class FitsFormat(msgspec.Struct, frozen=True):
    """A supplier's format that a label has. `capacity`: how many its vessel holds."""

    supplier: str
    kind: Kind
    pattern: str
    capacity: int | None


class Barcode(msgspec.Struct, frozen=True):
    """What a label is: its code, the formats it has, and why it is none of the wanted kind, if so."""

    barcode: str
    wanted: Kind
    formats: list[FitsFormat]
    problem: dict[str, object] | None


async def boxes(
    conn: Conn, *, q: str | None = None, site: UUID | None = None, bound_for: str | None = None,
    state: BoxState | None = None, after: str | None = None, limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """Boxes and bags, packed last first; `q`: how the code begins."""
    at, box = decode(after, datetime, UUID) or (None, None)
    found = await rows(
        conn, _HERE, "boxes", q=q, site=site, bound_for=bound_for, state=state, at=at, box=box,
        limit=limit + 1,
    )  # fmt: skip
    return page(found, limit, ("packed_at", "box"))


async def boxes_called(conn: Conn, text: str) -> list[dict[str, Any]]:
    """The boxes of a code (it comes again with every tour) or an id, packed last first, each with its
    manifest, bags, hand-overs, temperatures, receptions and open cases. Raises BoxUnknown."""
    found = await rows(conn, _HERE, "boxes_called", box=_id(text), code=text)
    for one in found:
        box = one["box"]
        one["in_boxes"] = await rows(conn, _HERE, "boxes_of_bag", box=box)
        one["holds"] = await rows(conn, _HERE, "bags", box=box)
        inside = [box, *(bag["bag"] for bag in one["holds"])]
        one["manifest"] = await rows(conn, _HERE, "manifest", boxes=inside)
        for name in ("legs", "temperatures", "receptions", "cases"):
            one[name] = await rows(conn, _HERE, name, box=box)
    if not found:
        raise BoxUnknown(box=text)
    return found


async def hand_overs(
    conn: Conn, *, at: datetime, open: bool | None = None, after: str | None = None,
    limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """Hand-overs of the last days, oldest first, that want looking at: `open` ones, which one side
    only has scanned for too long, or with False those whose sides differ; both without it."""
    last, box, giver, taker, n = decode(after, datetime, UUID, str, str, int) or [None] * 5
    found = await rows(
        conn, _HERE, "hand_overs", at=at, since=at - timedelta(hours=BOX_WINDOW_HOURS), open=open,
        minutes=DEFAULT_HAND_OVER_MINUTES, last=last, box=box, giver=giver, taker=taker, n=n,
        limit=limit + 1,
    )  # fmt: skip
    keyed = [{**one, "giver": one["giver"] or ""} for one in found]
    return Page(found[:limit], page(keyed, limit, ("begun_at", "box", "giver", "taker", "n")).next)


async def formats(conn: Conn) -> list[dict[str, Any]]:
    """The barcode formats on record, with those that will be or were in use."""
    return await rows(conn, _HERE, "formats")


async def barcode(conn: Conn, text: str, kind: Kind, *, at: datetime, language: str) -> Barcode:
    """What a label is that was scanned or typed. Raises BarcodeUnreadable."""
    code = tidy(text)
    known = [Format(**one) for one in await rows(conn, _HERE, "formats_in_use", at=at)]
    problem = verify(code, kind, known)
    fitting = [
        FitsFormat(one.supplier, one.kind, one.pattern, one.capacity)
        for one in recognise(code, known)
    ]
    return Barcode(code, kind, fitting, problem.details(language) if problem else None)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def format_of(conn: Conn, format: UUID) -> dict[str, Any]:
    """One supplier's format. Raises FormatUnknown."""
    found = await row(conn, _HERE, "format_of", format=format)
    if found is None:
        raise FormatUnknown(format=format)
    return found


def as_format(found: dict[str, Any]) -> Format:
    """A row about a format as the engine knows it."""
    return Format(
        found["supplier"], found["kind"], found["pattern"], found["check"], found["capacity"]
    )


async def labels_issue(conn: Conn, labels: UUID) -> dict[str, Any] | None:
    """One range of labels that was issued."""
    return await row(conn, _HERE, "labels_issue", labels=labels)


async def labels_issued(
    conn: Conn, *, site: UUID | None = None, whole: bool = True, areas: Collection[UUID] = (),
    sites: Collection[UUID] = (), after: str | None = None, limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """Ranges of labels issued to sites of some areas, or everywhere, latest first."""
    at, last = decode(after, datetime, UUID) or (None, None)
    found = await rows(
        conn, _HERE, "labels_issued", site=site, whole=whole, areas=list(areas), sites=list(sites),
        at=at, last=last, limit=limit + 1,
    )  # fmt: skip
    return page(found, limit, ("issued_at", "labels"))
