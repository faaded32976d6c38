"""Taking boxes in: each scan is stored as it is made and answered at once with what to do."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
import psycopg

from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.custody.engine.barcodes import Format, Kind, tidy, verify
from muster.custody.events import BoxReceived, Party
from muster.lab.events import (
    DiscrepancyAssigned,
    DiscrepancyResolved,
    ReceptionEnded,
    Scan,
    ScanUndone,
    TubesReceived,
)
from muster.ledger.door import Door
from muster.ledger.event import Body, Event

_HERE = "muster.lab"
Conn = psycopg.AsyncConnection[Any]
Verdict = Literal[
    "ok", "again", "extra", "unknown", "ambiguous", "wrong_lab", "too_old", "leaking", "damaged",
    "empty", "unlabelled",
]  # fmt: skip
# What the receiver must hear of first, where several things are wrong with one tube.
_GRAVEST: tuple[Verdict, ...] = (
    "leaking", "damaged", "empty", "unlabelled", "wrong_lab", "unknown", "ambiguous", "again",
    "extra", "too_old",
)  # fmt: skip
How = Literal["found", "resample", "discarded", "relabelled", "sent_on", "accepted", "other"]


class ReceptionUnknown(Problem):
    """There is no reception {reception}. Scan the box's label to begin one."""

    zh = "没有接收记录 {reception}。请先扫描箱标签。"
    status = 404


class ReceptionOver(Problem):
    """The box {code} was finished at {ended_at}. Scan its label again to begin anew."""

    zh = "箱 {code} 已于 {ended_at} 清点完毕。如需继续，请重新扫描箱标签。"
    status = 409


class NotScanned(Problem):
    """{barcode} was not scanned in this box: there is nothing to undo."""

    zh = "本箱没有扫描过 {barcode}，无可撤销。"
    status = 409


class DiscrepancyUnknown(Problem):
    """There is no case {discrepancy}: its ground is gone, or it never was."""

    zh = "没有差异单 {discrepancy}：原因已消除或不存在。"
    status = 404


class Answer(msgspec.Struct, frozen=True):
    """What became of one scan. `verdict` says what the receiver must hear; `faults` all that is wrong."""

    barcode: str
    verdict: Verdict
    faults: list[str]


class Progress(msgspec.Struct, frozen=True):
    """How far a box has been emptied."""

    reception: UUID
    code: str
    lab: str
    expected: int
    scanned: int
    left: list[str]
    faults: list[str]
    ended_at: datetime | None


async def begin(
    conn: Conn, door: Door, lab: str, code: str, *, actor: str, at: datetime,
    box: UUID | None = None, giver: Party | None = None, count: int | None = None,
    seal: str | None = None, seal_intact: bool = True, decidegrees: int | None = None,
) -> Progress:  # fmt: skip
    """Take in a box by its label. Raises BarcodeUnreadable, WrongKind and the like."""
    code = await checked(conn, code, "box", at)
    body = BoxReceived(
        code=code, lab=lab, box=box, giver=giver, count=count, seal=seal, seal_intact=seal_intact,
        temperature_decidegrees=decidegrees,
    )  # fmt: skip
    reception = uuid7()
    await _append(door, body, reception, actor=actor, at=at)
    return await progress(conn, reception)


async def scan(
    conn: Conn, door: Door, reception: UUID, scans: Sequence[Scan], *, actor: str, at: datetime
) -> list[Answer]:
    """Store scans of tubes out of a box; the verdict on each, in order. Raises ReceptionUnknown,
    ReceptionOver, and what is wrong with a label; then nothing is stored."""
    about = await _open(conn, reception)
    labels = await all_checked(conn, [one.barcode for one in scans], "tube", at)
    tidied = [Scan(label, one.condition) for label, one in zip(labels, scans, strict=True)]
    await _append(door, TubesReceived(about["lab"], tidied), reception, actor=actor, at=at)
    barcodes = [one.barcode for one in tidied]
    found = {
        one["barcode"]: one
        for one in await rows(conn, _HERE, "scanned", reception=reception, barcodes=barcodes)
    }
    return [_answer(found[barcode]) for barcode in barcodes]


async def undo(
    conn: Conn, door: Door, reception: UUID, barcode: str, *, actor: str, at: datetime
) -> None:
    """Take one scan of a barcode back. Raises ReceptionUnknown, NotScanned."""
    about = await row(conn, _HERE, "reception", reception=reception)
    if about is None:
        raise ReceptionUnknown(reception=reception)
    barcode = tidy(barcode)
    found = await row(conn, _HERE, "scanned", reception=reception, barcodes=[barcode])
    if found is None:
        raise NotScanned(barcode=barcode)
    body = ScanUndone(about["lab"], barcode, found["condition"])
    await _append(door, body, reception, actor=actor, at=at)


async def end(conn: Conn, door: Door, reception: UUID, *, actor: str, at: datetime) -> Progress:
    """The box is empty: what was not scanned is missing. Raises ReceptionUnknown, ReceptionOver."""
    about = await _open(conn, reception)
    await _append(door, ReceptionEnded(about["lab"]), reception, actor=actor, at=at)
    return await progress(conn, reception)


async def progress(conn: Conn, reception: UUID) -> Progress:
    """How far a box has been emptied. Raises ReceptionUnknown."""
    about = await row(conn, _HERE, "reception", reception=reception)
    if about is None:
        raise ReceptionUnknown(reception=reception)
    listed = [one["barcode"] for one in await rows(conn, _HERE, "manifest", reception=reception)]
    scanned = await rows(conn, _HERE, "all_scanned", reception=reception)
    there = {one["barcode"] for one in scanned}
    faults = await rows(conn, _HERE, "faults", reception=reception)
    return Progress(
        reception, about["code"], about["lab"], len(listed), sum(one["scans"] for one in scanned),
        [barcode for barcode in listed if barcode not in there],
        [f"{one['kind']} {one['barcode'] or ''}".strip() for one in faults], about["ended_at"],
    )  # fmt: skip


async def lab_of(conn: Conn, reception: UUID) -> str:
    """The laboratory of a reception. Raises ReceptionUnknown."""
    found = await row(conn, _HERE, "reception", reception=reception)
    if found is None:
        raise ReceptionUnknown(reception=reception)
    return found["lab"]


async def assign(
    conn: Conn, door: Door, discrepancy: UUID, owner: str, *, actor: str, at: datetime
) -> None:
    """Give a case to somebody else. Raises DiscrepancyUnknown."""
    about = await case_of(conn, discrepancy)
    await _append(door, DiscrepancyAssigned(about["lab"], owner), discrepancy, actor=actor, at=at)


async def resolve(
    conn: Conn, door: Door, discrepancy: UUID, how: How, *, actor: str, at: datetime
) -> None:
    """Say what became of a case. Raises DiscrepancyUnknown."""
    about = await case_of(conn, discrepancy)
    await _append(door, DiscrepancyResolved(about["lab"], how), discrepancy, actor=actor, at=at)


async def case_of(conn: Conn, discrepancy: UUID) -> dict[str, Any]:
    found = await row(conn, _HERE, "discrepancy", discrepancy=discrepancy)
    if found is None or found["state"] == "withdrawn":
        raise DiscrepancyUnknown(discrepancy=discrepancy)
    return found


async def checked(conn: Conn, text: str, kind: Kind, at: datetime) -> str:
    """A label as it was scanned or typed, without stray spaces and in half-width, and of that kind.
    Raises BarcodeUnreadable, WrongKind, CheckDigitWrong, UnknownFormat."""
    return (await all_checked(conn, [text], kind, at))[0]


async def all_checked(conn: Conn, texts: Sequence[str], kind: Kind, at: datetime) -> list[str]:
    """As `checked`, in order; nothing is wrong with any of them."""
    known = await formats(conn, at)
    labels = [tidy(text) for text in texts]
    for label in labels:
        problem = verify(label, kind, known)
        if problem is not None:
            raise problem
    return labels


async def formats(conn: Conn, at: datetime) -> list[Format]:
    """The barcode formats in use at a moment."""
    return [
        Format(one["supplier"], one["kind"], one["pattern"], one["check"], one["capacity"])
        for one in await rows(conn, _HERE, "formats", at=at)
    ]


async def _open(conn: Conn, reception: UUID) -> dict[str, Any]:
    about = await row(conn, _HERE, "reception", reception=reception)
    if about is None:
        raise ReceptionUnknown(reception=reception)
    if about["ended_at"]:
        raise ReceptionOver(
            code=about["code"], ended_at=about["ended_at"].isoformat(timespec="minutes")
        )
    return about


def _answer(found: dict[str, Any]) -> Answer:
    faults = ["again" if kind == "duplicate" else kind for kind in found["faults"]]
    grave: list[Verdict] = [one for one in _GRAVEST if one in faults]
    verdict: Verdict = grave[0] if grave else "ok"
    return Answer(found["barcode"], verdict, found["faults"])


async def _append(door: Door, body: Body, subject: UUID, *, actor: str, at: datetime) -> None:
    await door.append([Event(uuid7(), type(body).__name__, subject, at, at, at, actor, body)])
