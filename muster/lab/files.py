"""Files of laboratories - runs of instruments, messages and bundles of other systems - by upload, by a
system's key or from a watched folder: kept first, then read; what cannot be used yet waits, and says why.
"""

import asyncio
import hashlib
import re
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from muster.config import RUN_FILE_DAYS, RUN_FILE_LIMIT_BYTES
from muster.core.ids import derived, uuid7
from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.custody.engine.barcodes import BarcodeUnreadable, tidy
from muster.exchange.fhir import read_bundle
from muster.exchange.hl7 import read_oru
from muster.exchange.hl7_writing import acknowledge
from muster.exchange.report import Batch, Fault, TubeReport
from muster.instance import Instance
from muster.instruments.mapping import mappings_in
from muster.instruments.reading import read_run
from muster.lab.checking import SEVERAL, RunPlateUnknown
from muster.lab.deciding import Desk, deciding
from muster.lab.events import ResultProposed, ResultReleased
from muster.lab.loading import report_repooling
from muster.lab.releasing import GRAVE
from muster.lab.running import Imported, import_run
from muster.ledger.event import Event

_HERE = "muster.lab"
_LINE_END = re.compile(rb"\r\n|\r|\n")
State = Literal["imported", "waiting", "refused"]


class LabFileTooLarge(Problem):
    """{file} has {bytes} bytes; the limit is {limit_bytes}. Export one run at a time."""

    zh = "{file} 有 {bytes} 字节，超过上限 {limit_bytes}。请每次只导出一次运行。"
    status = 413


class LabFileUnknown(Problem):
    """The laboratory {lab} has no file {file} that waits."""

    zh = "实验室 {lab} 没有等待处理的文件 {file}。"
    status = 404


class WellNeeded(Problem):
    """{file}, line {line}: {lab} is one of our laboratories, so the result of {barcode} needs its well and
    raw value. Import the instrument's file, and release the result there."""

    zh = (
        "{file} 第 {line} 行：{lab} 是本系统的实验室，{barcode} 的结果须有孔位和原始数值。"
        "请导入仪器文件后在系统中发布。"
    )
    status = 422


class ReleasedAlready(Problem):
    """{file}, line {line}: {barcode} has the released result {released}, and this says {outcome}. Nothing was
    changed: amend the result, or send it as a correction."""

    zh = (
        "{file} 第 {line} 行：{barcode} 已发布结果为 {released}，文件称 {outcome}。"
        "未作更改：请更正该结果，或作为更正报告发送。"
    )
    status = 409


class LabOfAnother(Problem):
    """{file}, line {line}: it is a result of {found}, not of {lab}. Send it to that laboratory's account."""

    zh = "{file} 第 {line} 行：这是 {found} 的结果，不是 {lab} 的。请由该实验室提交。"
    status = 422


class Taken(msgspec.Struct, frozen=True):
    """What became of a file. `fresh`: it was not known. `waiting`: barcodes that wait for a second
    person; `faults`: what of it did not come through, in the caller's language; `acknowledgement`: the
    ACK^R01 to an HL7 file."""

    file: str
    state: State
    fresh: bool
    run: UUID | None = None
    plate: UUID | None = None
    released: int = 0
    proposed: int = 0
    waiting: list[str] = []
    faults: list[str] = []
    problem: str | None = None
    acknowledgement: str | None = None


async def take_file(
    muster: Instance, lab: str, name: str, content: bytes, *, actor: str, at: datetime,
    plate: str | None = None, again: bool = False, language: str = "en",
) -> Taken:  # fmt: skip
    """Take a file in. It is kept before it is read, so that nothing is lost whatever happens then; sent
    again it changes nothing. Raises LabFileTooLarge; any other problem is told, and the file waits."""
    if len(content) > RUN_FILE_LIMIT_BYTES:
        raise LabFileTooLarge(file=name, bytes=len(content), limit_bytes=RUN_FILE_LIMIT_BYTES)
    key = hashlib.sha256(lab.encode() + b"\0" + content).digest()
    async with muster.pool.connection() as conn:
        known = await row(
            conn, _HERE, "keep_file", file=key, lab=lab, name=name[:120],
            sealed=muster.vault.seal(content), size_bytes=len(content), at=at, by=actor,
            expires_at=at + timedelta(days=RUN_FILE_DAYS),
        )  # fmt: skip
    assert known is not None
    if known["state"] == "imported" and not again:
        return Taken(key.hex(), "imported", fresh=False, run=known["run"])
    try:
        return await _read(muster, lab, name, content, key, actor, at, plate, again, language)
    except Problem as problem:
        await _waits(muster, key, problem)
        return Taken(key.hex(), "waiting", fresh=known["fresh"], problem=problem.message(language))


async def take_again(
    muster: Instance, lab: str, file: str, *, actor: str, at: datetime,
    plate: str | None = None, again: bool = False, language: str = "en",
) -> Taken:  # fmt: skip
    """Read a waiting file again, perhaps as that of a plate. Raises LabFileUnknown."""
    found = await _waiting(muster, lab, file)
    content = muster.vault.open(bytes(found["sealed"]))
    return await take_file(
        muster, lab, found["name"], content, actor=actor, at=at, plate=plate, again=again,
        language=language,
    )  # fmt: skip


async def refuse_file(muster: Instance, lab: str, file: str, *, actor: str) -> None:
    """Never read a waiting file; its bytes are kept until they expire. Raises LabFileUnknown."""
    found = await _waiting(muster, lab, file)
    async with muster.pool.connection() as conn:
        await row(conn, _HERE, "refuse_file", file=found["file"], by=actor)


async def plate_arrived(
    muster: Instance, lab: str, code: str, *, actor: str, at: datetime
) -> list[Taken]:
    """Read the files that waited for a plate that has now been loaded."""
    async with muster.pool.connection() as conn:
        found = await rows(conn, _HERE, "waiting_for_plate", lab=lab, code=code)
    return [
        await take_again(muster, lab, bytes(one["file"]).hex(), actor=actor, at=at) for one in found
    ]


async def _read(
    muster: Instance, lab: str, name: str, content: bytes, key: bytes, actor: str, at: datetime,
    plate: str | None, again: bool, language: str,
) -> Taken:  # fmt: skip
    zone = muster.settings.timezone
    batch = None
    if _is_hl7(content):
        batch = await asyncio.to_thread(read_oru, name, content, zone=zone)
    elif _is_fhir(content):
        batch = await asyncio.to_thread(read_bundle, name, content)
    if batch is not None:
        async with deciding(muster.pool, muster.door, lab, actor=actor, at=at) as desk:
            taken, faults = await _reports(desk, name, batch)
        nothing = not batch.reports and batch.faults  # nothing of it could be read
        if nothing:
            await _waits(muster, key, batch.faults[0].problem)
        else:
            await _imported(muster, key, None, actor)
        said = [one.problem.message(language) for one in (*batch.faults, *faults)]
        return msgspec.structs.replace(
            taken,
            file=key.hex(),
            state="waiting" if nothing else "imported",
            faults=said,
            acknowledgement=_answered(content, batch, faults, at),
        )
    mappings = mappings_in(muster.settings.home / "mappings")
    file = await read_run(name, content, mappings=mappings, zone=zone)
    async with deciding(muster.pool, muster.door, lab, actor=actor, at=at) as desk:
        done: Imported = await import_run(desk, file, content, plate=plate, again=again)
    await _imported(muster, key, done.run, actor)
    return Taken(key.hex(), "imported", fresh=done.fresh, run=done.run, plate=done.plate)


async def _reports(desk: Desk, name: str, batch: Batch) -> tuple[Taken, list[Fault]]:
    """Results as another laboratory's system reports them, under the same rules: one person for
    negatives, two for everything else, nothing over what was released; and what was refused."""
    about = await row(desk.conn, _HERE, "lab", lab=desk.lab)
    needs_wells = about is not None and about["wells_since"] is not None
    known: dict[str, list[dict[str, Any]]] = {}
    codes = [one.barcode for one in batch.reports]
    for one in await rows(desk.conn, _HERE, "results_of_barcodes", lab=desk.lab, barcodes=codes):
        known.setdefault(one["barcode"], []).append(one)
    waiting = await rows(desk.conn, _HERE, "proposals_of", lab=desk.lab, barcodes=codes)
    proposed = {(one["barcode"], one["outcome"]) for one in waiting}
    faults: list[Fault] = []
    events: list[Event] = []
    asked: list[str] = []
    for report in batch.reports:
        try:
            event = await _reported(desk, name, report, known, needs_wells=needs_wells)
        except Problem as problem:
            faults.append(Fault(problem=problem, line=report.line, place="OBX"))
            continue
        if event is None or (report.barcode, report.outcome) in proposed:
            continue
        events.append(event)
        if isinstance(event.body, ResultProposed):
            asked.append(report.barcode)
    await desk.append(events)
    taken = Taken(
        "", "imported", fresh=bool(events), released=len(events) - len(asked),
        proposed=len(asked), waiting=asked,
    )  # fmt: skip
    return taken, faults


def _answered(content: bytes, batch: Batch, refused: list[Fault], at: datetime) -> str | None:
    """The acknowledgement of an HL7 file, which tells each message what was refused of it."""
    if not batch.messages:
        return None
    heads = [
        line
        for line, text in enumerate(_LINE_END.split(content), 1)
        if text.lstrip(b"\x0b\xef\xbb\xbf").startswith(b"MSH")
    ]
    told = [
        msgspec.structs.replace(one, message=sum(line <= (one.line or 1) for line in heads))
        for one in refused
    ]
    whole = msgspec.structs.replace(batch, faults=(*batch.faults, *told))
    return acknowledge(whole, at=at, message_id=uuid7().hex[-12:]).decode()


async def _reported(
    desk: Desk, name: str, report: TubeReport, known: dict[str, list[dict[str, Any]]], *,
    needs_wells: bool,
) -> Event | None:  # fmt: skip
    """The event of one report; None where it says what is known."""
    where: dict[str, Any] = {"file": name, "line": report.line or "-"}
    if report.lab not in (desk.lab, ""):
        raise LabOfAnother(**where, found=report.lab, lab=desk.lab)
    several = [part for part in SEVERAL.split(report.barcode) if part.strip()]
    if len(several) > 1:
        raise await report_repooling(
            desk, derived("report", report.barcode), {"A01": several}, "message"
        )
    try:
        barcode = tidy(report.barcode)
    except BarcodeUnreadable:
        barcode = report.barcode
    earlier = known.get(barcode, [])
    if any(one["outcome"] == report.outcome for one in earlier):
        return None
    if earlier and report.status != "corrected":
        raise ReleasedAlready(
            **where, barcode=barcode, released=earlier[-1]["outcome"], outcome=report.outcome
        )
    if needs_wells and not earlier:
        raise WellNeeded(**where, lab=desk.lab, barcode=barcode)
    if earlier:
        body = ResultProposed(
            barcode=barcode, outcome=report.outcome, lab=desk.lab, amends="repeat_run"
        )
        return desk.event(body, earlier[-1]["result"])
    result = derived("report", desk.lab, barcode, report.resulted_at.timestamp(), report.outcome)
    if report.outcome in GRAVE:
        return desk.event(ResultProposed(barcode, report.outcome, desk.lab), result)
    resulted_at = min(report.resulted_at, desk.at)
    return desk.event(ResultReleased(barcode, report.outcome, desk.lab, resulted_at), result)


def _is_hl7(content: bytes) -> bool:
    return content.lstrip(b"\xef\xbb\xbf\x0b\r\n ")[:3] in (b"MSH", b"FHS", b"BHS")


def _is_fhir(content: bytes) -> bool:
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:2_000]
    return start.startswith(b"{") and b"resourceType" in content[:20_000]


async def _waiting(muster: Instance, lab: str, file: str) -> dict[str, Any]:
    try:
        key = bytes.fromhex(file)
    except ValueError:
        raise LabFileUnknown(lab=lab, file=file) from None
    async with muster.pool.connection() as conn:
        found = await row(conn, _HERE, "waiting_file", file=key, lab=lab)
    if found is None:
        raise LabFileUnknown(lab=lab, file=file)
    return found


async def _waits(muster: Instance, key: bytes, problem: Problem) -> None:
    """Note why a file waits: places and counts; what stood in its cells may be anything."""
    facts = {
        name: str(problem.facts[name])
        for name in ("plate", "line", "well", "count")
        if name in problem.facts
    }
    plate = facts.get("plate") if isinstance(problem, RunPlateUnknown) else None
    async with muster.pool.connection() as conn:
        await row(
            conn, _HERE, "file_waits", file=key, slug=problem.slug,
            facts=msgspec.json.encode(facts).decode(), plate=plate,
        )  # fmt: skip


async def _imported(muster: Instance, key: bytes, run: UUID | None, actor: str) -> None:
    async with muster.pool.connection() as conn:
        await row(conn, _HERE, "file_imported", file=key, run=run, by=actor)
