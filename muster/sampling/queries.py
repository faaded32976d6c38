"""Questions about rounds, sites, tubes, devices and what was odd about them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from muster.config import BOX_WINDOW_HOURS, DEFAULT_TUBE_SIZE, PAGE_LIMIT
from muster.core.paging import Page, decode, page
from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.ledger.projection import uuid_array

_HERE = "muster.sampling"
Conn = psycopg.AsyncConnection[Any]


class RoundUnknown(Problem):
    """There is no round "{round}". `muster round list` shows them."""

    zh = "没有轮次“{round}”。用 muster round list 查看。"
    status = 404


class SiteUnknown(Problem):
    """There is no site with the code or id "{site}". `muster sites` lists them."""

    zh = "没有编码或编号为“{site}”的采样点。用 muster sites 查看。"
    status = 404


class TubeUnknown(Problem):
    """There is no tube with the id or barcode "{tube}"."""

    zh = "没有编号或条码为“{tube}”的采样管。"
    status = 404


async def all_rounds(conn: Conn) -> list[dict[str, Any]]:
    return await rows(conn, _HERE, "rounds")


async def round_(conn: Conn, text: str | None = None) -> dict[str, Any]:
    """The round of an id or a name, or the newest one. Raises RoundUnknown."""
    for one in await all_rounds(conn):
        if text is None or text in (str(one["round"]), one["name"]):
            return one
    raise RoundUnknown(round=text or "-")


async def sites(
    conn: Conn, *, q: str | None = None, area: UUID | None = None, open: bool | None = None,
    after: str | None = None, limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """Sites by code: of a beginning of the code or a part of the name, under an area, at work or not."""
    (code,) = decode(after, str) or ("",)
    found = await rows(conn, _HERE, "sites", q=q, area=area, open=open, after=code, limit=limit + 1)
    return page(found, limit, ("code",))


async def site(conn: Conn, text: str) -> dict[str, Any]:
    """The site of a code or an id. Raises SiteUnknown."""
    found = await row(conn, _HERE, "site", text=text)
    if found is None:
        raise SiteUnknown(site=text)
    return found


async def tubes(conn: Conn, text: str, *, own: Conn | None = None) -> list[dict[str, Any]]:
    """The tubes of a barcode (there may be several: a barcode is not the tube) or an id, each with
    its members and its timeline. Raises TubeUnknown.

    `conn` decides which tubes and members are seen; who sees a tube may know all that happened to it,
    which is then read by Muster's `own` connection: a laboratory's own part, no other's members."""
    try:
        ids = [UUID(text)]
    except ValueError:
        ids = [one["tube"] for one in await rows(conn, _HERE, "tubes_by_barcode", barcode=text)]
    found = []
    for tube in ids:
        if one := await row(conn, _HERE, "tube", tube=tube):
            one["members"] = await rows(conn, _HERE, "members", tube=tube)
            seen = await row(conn, _HERE, "sees_members", tube=tube) or {}
            told = await rows(
                own or conn, _HERE, "timeline", tube=tube, barcode=one["barcode"],
                sealed_at=one["sealed_at"], hours=BOX_WINDOW_HOURS, labs=seen["labs"],
            )  # fmt: skip
            one["timeline"] = told if seen["all"] else _about(told, one["members"])
            found.append(one)
    if not found:
        raise TubeUnknown(tube=text)
    return found


def _about(timeline: list[dict[str, Any]], members: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a timeline says of these members, for who sees a tube because of one of them: the others
    are somebody else's residents."""
    seen = {str(one[key]) for one in members for key in ("person", "recorded")}
    kept = []
    for one in timeline:
        body = dict(one["body"] or {})
        if body.get("person") not in (None, *seen):
            continue
        if "members" in body:
            body["members"] = [each for each in body["members"] if each["person"] in seen]
        kept.append({**one, "body": body})
    return kept


async def anomalies(conn: Conn, *, after: str | None = None, limit: int = PAGE_LIMIT) -> Page:
    kind, key = decode(after, str, str) or (None, None)
    found = await rows(conn, _HERE, "anomalies", kind=kind, key=key, limit=limit + 1)
    return page(found, limit, ("kind", "key"))


async def tube_size(
    conn: Conn, *, area: UUID | None, group: str | None, at: datetime
) -> dict[str, Any]:
    """How many swabs go into one tube there and then, and by which edition."""
    found = await row(conn, _HERE, "tube_size", area=area, group=group, at=at)
    return found or {
        "value": DEFAULT_TUBE_SIZE, "household": False, "policy": None, "since": None
    }  # fmt: skip


async def device_gaps(conn: Conn) -> list[dict[str, Any]]:
    """Numbers a device has used that have not arrived."""
    return await rows(conn, _HERE, "device_gaps", limit=PAGE_LIMIT)


async def receipts(conn: Conn, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """What became of events: stored, held (and why), or unknown."""
    return await rows(conn, _HERE, "receipts", ids=uuid_array(ids))


async def inbox(conn: Conn, *, after: str | None = None, limit: int = PAGE_LIMIT) -> Page:
    (last,) = decode(after, UUID) or (None,)
    found = await rows(conn, _HERE, "inbox", after=last, limit=limit + 1)
    return page(found, limit, ("id",))


async def stalled(conn: Conn) -> list[dict[str, Any]]:
    return await rows(conn, _HERE, "stalled")
