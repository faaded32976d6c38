"""Reports: gathered from what the ledger holds, frozen with the ledger's head, signed, and computed
again from the ledger as it was then.

A report's data is canonical JSON and known by its hash; what it looks like is made of it when it is
shown (report_sheets.py).
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID

import msgspec
import psycopg
from psycopg.rows import dict_row

from muster.config import PAGE_LIMIT, SITES_LISTED_LIMIT
from muster.core.ids import derived, uuid7
from muster.core.paging import Page, decode, page
from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.core.sqlfile import query
from muster.hq.engine import sums
from muster.hq.events import ReportFrozen, ReportKind, ReportSigned
from muster.keeping.bygone import Sight, as_it_is, as_it_was, emptied_since, now_seen
from muster.ledger.door import Door
from muster.ledger.event import Event
from muster.ledger.projection import Catalogue

Conn = psycopg.AsyncConnection[Any]
Data = dict[str, Any]
_HERE = "muster.hq"
EDITION = 2  # of the data's form; another form is another number, and old reports keep theirs
ADDED = {"overrides": 2}  # with which edition a part came
REPRODUCED_LIMIT_EVENTS = 200_000  # while a request waits; the command line has no limit
KINDS: tuple[ReportKind, ...] = get_args(ReportKind)
PARTS: dict[str, tuple[str, ...]] = {
    "daily": ("areas", "sites", "persons", "labs", "hours", "troubles", "overrides"),
    "special": ("areas", "persons", "troubles"),
    "press": ("areas", "sites", "persons"),
    "sites": ("sites", "persons"),
    "labs": ("labs",),
    "coverage": ("areas",),
}
_LISTED = ("sites", "labs", "troubles", "overrides")
_SUMMED = ("expected", "sampled", "resulted", "missing")


class ReportUnknown(Problem):
    """There is no report {report}, or none of your area."""

    zh = "没有报告 {report}，或不在你负责的区域内。"
    status = 404


class FindingsNotSeen(Problem):
    """{findings} sums of this report do not hold. Whoever signs it must say so: send `findings`
    as {findings}."""

    zh = "本报告有 {findings} 处数字不符，签发前须确认：请以 findings={findings} 提交。"
    status = 409


class SignerUnknown(Problem):
    """Only somebody signed in with an account of their own can answer for a report."""

    zh = "只有用本人账号登录的人员才能签发报告。"
    status = 403


class AreaWithoutTree(Problem):
    """The area {area} stands nowhere in the tree yet. Try again in a moment."""

    zh = "区域 {area} 尚未进入区域树，请稍后重试。"
    status = 409


@dataclass(frozen=True)
class Asked:
    """What a report is of."""

    kind: ReportKind
    area: UUID
    round: UUID
    zone: str
    edition: int = EDITION


@dataclass(frozen=True)
class Made:
    """A report's data as it is kept: canonical bytes and their hash."""

    data: Data
    content: bytes
    hash: str

    @property
    def findings(self) -> int:
        return sum(not one["holds"] for one in self.data["checks"])


class Reproduced(msgspec.Struct, frozen=True, kw_only=True):
    """What came of computing a report again. `emptied`: events up to its cut-off whose content was
    destroyed since, by authorisation; `differs`: the parts that are no longer the same."""

    same: bool
    content: str
    again: str
    emptied: int
    differs: list[str]


async def preview(conn: Conn, asked: Asked, *, at: datetime) -> Made:
    """The report as it would be now, as far as the followers have come."""
    async with now_seen(conn) as sight:
        return await _gather(sight, asked, at)


async def freeze(
    conn: Conn, door: Door, catalogue: Catalogue, asked: Asked, *, template: str, edition: str,
    actor: str, at: datetime,
) -> UUID:  # fmt: skip
    """Make a report of all that the ledger holds now, and keep it: its id. `template` is the text of its
    form, `edition` that text's hash; both are kept, so that it looks the same later."""
    async with as_it_is(conn, catalogue) as sight:
        made, head = await _gather(sight, asked, at), sight.head
    await _keep(conn, made.hash, "report", made.content, at)
    await _keep(conn, edition, "template", template.encode(), at)
    report = uuid7()
    body = ReportFrozen(
        kind=asked.kind, area=asked.area, round=asked.round, cut_off=at, seq=head.seq, head=head.hash,
        content=made.hash, template=edition, findings=made.findings, zone=asked.zone,
    )  # fmt: skip
    await door.append([Event(report, "ReportFrozen", report, at, at, at, actor, body)])
    return report


async def sign(
    conn: Conn, door: Door, report: UUID, *, account: UUID | None, findings: int, actor: str,
    at: datetime,
) -> None:  # fmt: skip
    """Answer for a report, and for its findings being printed on it; twice is once. Raises
    ReportUnknown, FindingsNotSeen, SignerUnknown."""
    found = await report_of(conn, report)
    if account is None:
        raise SignerUnknown()
    if findings != found["findings"]:
        raise FindingsNotSeen(findings=found["findings"])
    body = ReportSigned(account=account, content=found["content"], findings=findings)
    id_ = derived("report signed", report, account)
    await door.append([Event(id_, "ReportSigned", report, at, at, at, actor, body)])


async def reproduce(conn: Conn, catalogue: Catalogue, report: UUID) -> Reproduced:
    """Compute a report again from the ledger as it was at its cut-off. Raises ReportUnknown, SeqUnknown."""
    found = await report_of(conn, report)
    kept = await content_of(conn, found["content"])
    before: Data = msgspec.json.decode(kept)
    asked = Asked(found["kind"], found["area"], found["round"], found["zone"], before["v"])
    questions = [
        query(_HERE, f"reports.sql:{one}") for one in (*PARTS[asked.kind], "round_of", "area_of")
    ]
    async with as_it_was(conn, catalogue, found["seq"], questions) as sight:
        again = await _gather(sight, asked, found["cut_off"])
    differs = sorted(
        part for part in {*before, *again.data} if before.get(part) != again.data.get(part)
    )
    return Reproduced(
        same=again.hash == found["content"] and again.content == kept, content=found["content"],
        again=again.hash, emptied=await emptied_since(conn, found["seq"]), differs=differs,
    )  # fmt: skip


async def reports(
    conn: Conn, *, kind: ReportKind | None = None, whole: bool = True, areas: Collection[UUID] = (),
    after: str | None = None, limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """Frozen reports of everywhere or of some areas, latest first, each with how many signed it."""
    at, last = decode(after, datetime, UUID) or (None, None)
    found = await rows(
        conn, _HERE, "reports.sql:reports", kind=kind, whole=whole, areas=list(areas), at=at, last=last,
        limit=limit + 1,
    )  # fmt: skip
    return page(found, limit, ("frozen_at", "report"))


async def report_of(conn: Conn, report: UUID) -> dict[str, Any]:
    """One frozen report. Raises ReportUnknown."""
    found = await row(conn, _HERE, "reports.sql:report_of", report=report)
    if found is None:
        raise ReportUnknown(report=report)
    return found


async def signatures(conn: Conn, report: UUID) -> list[dict[str, Any]]:
    """Who signed a report, in order: account, login, moment."""
    return await rows(conn, _HERE, "reports.sql:signatures", report=report)


async def content_of(conn: Conn, hash: str) -> bytes:
    """What was kept under a hash, which is compared. Raises ReportUnknown."""
    found = await row(conn, _HERE, "reports.sql:artifact", hash=bytes.fromhex(hash))
    if found is None or hashlib.sha256(found["content"]).hexdigest() != hash:
        raise ReportUnknown(report=hash)
    return bytes(found["content"])


async def _keep(conn: Conn, hash: str, kind: str, content: bytes, at: datetime) -> None:
    await conn.execute(
        "INSERT INTO ledger.artifact (hash, kind, content, stored_at) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        [bytes.fromhex(hash), kind, content, at],
    )


async def _gather(sight: Sight, asked: Asked, at: datetime) -> Made:
    values = {
        "round": asked.round, "area": asked.area, "at": at, "zone": asked.zone,
        "limit": SITES_LISTED_LIMIT,
    }  # fmt: skip
    area = await _rows(sight, "area_of", values)
    if not area:
        raise AreaWithoutTree(area=asked.area)
    data: Data = {
        "v": asked.edition, "kind": asked.kind, "cut_off": at, "zone": asked.zone, "area": area[0],
        "round": (await _rows(sight, "round_of", values) or [None])[0],
    }  # fmt: skip
    for part in PARTS[asked.kind]:
        if ADDED.get(part, 1) > asked.edition:
            continue
        found = await _rows(sight, part, values)
        data[part] = found[0] if part == "persons" else found
    if "areas" in data and asked.kind != "coverage":
        data["areas"] = [one for one in data["areas"] if one["depth"] <= 1]
    data["cut"] = sorted(one for one in _LISTED if len(data.get(one, ())) >= SITES_LISTED_LIMIT)
    data["checks"] = [msgspec.to_builtins(one) for one in checks(data)]
    data = _plain(data)
    content = msgspec.json.encode(data, order="sorted")
    return Made(data, content, hashlib.sha256(content).hexdigest())


def checks(data: Data) -> list[sums.Check]:
    """All that must agree in a report, and whether it does."""
    found: list[sums.Check] = []
    areas: Sequence[Data] = data.get("areas", ())
    for one in areas:
        found += sums.of_people(one, one["name"])
        found += sums.of_declared(one["sampled"], one["declared"], one["name"])
    for whole in areas[:1]:
        parts = [one for one in areas if one["depth"] == 1]
        found += [
            sums.of_parts(name, whole[name], (one[name] for one in parts)) for name in _SUMMED
        ]
    sites: Sequence[Data] = data.get("sites", ())
    for one in sites:
        found += sums.of_tubes(one, one["name"] or "")
    if sites and not data.get("cut"):
        told = data["persons"]["swabs"]
        found.append(sums.equal("swabs_of_sites", sum(one["swabs"] for one in sites), told))
    for one in data.get("labs", ()):
        found += sums.of_lab(one, one["lab"])
    return found


async def _rows(sight: Sight, name: str, values: dict[str, Any]) -> list[Data]:
    sql = sight.rewritten(query(_HERE, f"reports.sql:{name}"))
    async with sight.conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(sql.encode(), values)
        return await cursor.fetchall()


def _plain(value: Any) -> Any:
    """As JSON has it: times in UTC, ids as text."""
    match value:
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case datetime():
            return value.astimezone(UTC).isoformat()
        case UUID():
            return str(value)
    return value
