"""Uploads from phones and other senders: bytes in, one answer per item out, in order.

Facts are never rejected. What cannot be read is kept verbatim, encrypted, in the inbox and answered
`held` with the reason; `held` is final for the sender, since the server owns the bytes now.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import psycopg
from msgspec import Meta
from psycopg_pool import AsyncConnectionPool

from muster.access.engine.judge import FOR_A_PERSON, Sender
from muster.config import (
    CLOCK_TOLERANCE_SECONDS,
    INBOX_DAYS,
    ITEMS_LIMIT,
    TEXT_LIMIT,
    UNZIPPED_LIMIT_BYTES,
)
from muster.core.clock import plausible
from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.ledger.door import Answer as Said
from muster.ledger.door import Door
from muster.ledger.event import Body, Envelope, Event
from muster.registry.engine.identity import check
from muster.registry.vault import Identity, Vault


class MalformedUpload(Problem):
    """The upload is not JSON of the form {{"items": [...]}}: {reason}. It was kept as {inbox}; do
    not send it again as it is."""

    zh = (
        '上传内容不是 {{"items": [...]}} 形式的 JSON：{reason}。'
        "原文已保存为 {inbox}，请勿原样重发。"
    )


class UploadTooLarge(Problem):
    """The upload is larger than {limit_bytes} bytes or {limit_items} items. Send it in smaller
    parts."""

    zh = "上传超过 {limit_bytes} 字节或 {limit_items} 项，请分批发送。"
    status = 413


class UnknownType(Problem):
    """This server does not know the event type {type}, version {version}. It is kept and applied
    when the server is upgraded."""

    zh = "服务器还不认识事件类型 {type}（版本 {version}）。已保存，升级后自动处理。"


class UnreadableItem(Problem):
    """The item does not fit its type: {reason}. It is kept for a person to look at."""

    zh = "该项与其类型不符：{reason}。已保存，等待人工处理。"


class IdReused(Problem):
    """The event id {event} was already used for something else. Both are kept."""

    zh = "事件编号 {event} 已用于其他内容。两者均已保存。"


class Unstorable(Problem):
    """The database cannot represent this item. It is kept for a person to look at."""

    zh = "数据库无法存储该项。已保存，等待人工处理。"


class Upload(msgspec.Struct, frozen=True):
    """What a sender posts. `sent_at` is its clock at sending: the offset is measured from it and
    applied to the events of `device` itself (a queue may carry another device's events). `unsent`: how
    many events the sender still keeps; it is remembered beside the device, and is of no event."""

    items: list[msgspec.Raw]
    device: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]+$")] | None = None
    sent_at: Annotated[datetime, Meta(tz=True)] | None = None
    unsent: Annotated[int, Meta(ge=0, le=10_000_000)] | None = None


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event, and what must not be in it: who the person is, and free text."""

    event: Envelope
    identity: Identity | None = None
    note: Annotated[str, Meta(max_length=TEXT_LIMIT)] | None = None


class Held(msgspec.Struct, frozen=True):
    """Bytes for the inbox, and why they go there."""

    raw: bytes
    problem: Problem
    event: UUID | None = None


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one item."""

    id: UUID | None
    answer: Literal["stored", "known", "held"]
    why: str | None = None
    detail: str | None = None
    inbox: UUID | None = None


class _Named(msgspec.Struct):
    id: UUID | None = None


class _Half(msgspec.Struct):
    event: _Named | None = None


# What JSON from outside may raise; a nesting too deep to read is a RecursionError.
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # escaped, and not an escaped backslash before it
_RETRY_ITEMS = 200
_FOR_A_PERSON = [problem.slug for problem in FOR_A_PERSON]

_items = msgspec.json.Decoder(Item)
_halves = msgspec.json.Decoder(_Half)
_bodies: dict[type[Body], msgspec.json.Decoder[Any]] = {}

_HOLD = """
INSERT INTO ledger.inbox
    (id, received_at, expires_at, owner, offset_ms, slug, event, digest, sealed, sender)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (digest) DO UPDATE SET (expires_at, slug, sealed, applied_at) =
    (excluded.expires_at, excluded.slug,
        CASE WHEN inbox.refused_at IS NULL THEN excluded.sealed ELSE inbox.sealed END, NULL)
RETURNING id
"""
_HELD = "SELECT digest FROM ledger.inbox WHERE digest = ANY (%s)"
_KEPT = """
SELECT id, received_at, owner, offset_ms, sealed, sender FROM ledger.inbox
WHERE applied_at IS NULL AND refused_at IS NULL AND sealed IS NOT NULL AND slug <> ALL (%s)
    AND id > %s
ORDER BY id LIMIT %s
"""
_UNSENT = """
UPDATE access.device_token t SET unsent = %s, unsent_at = %s
FROM access.device d WHERE d.device = t.device AND d.code = %s
"""
_APPLIED = "UPDATE ledger.inbox SET applied_at = now(), sealed = NULL WHERE id = ANY (%s)"


@dataclass(frozen=True)
class Intake:
    """Turns uploads into events for the door and holds the rest."""

    door: Door
    vault: Vault
    pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]]

    async def take(
        self, body: bytes, *, received_at: datetime, sender: Sender, language: str = "en"
    ) -> list[Answer]:
        """Answer an upload of a sender; what is held of it waits under the upload's own `device`.
        Raises MalformedUpload, UploadTooLarge, and what the door raises."""
        try:
            upload = msgspec.json.decode(body, type=Upload)
        except _UNREADABLE as error:
            raise await self.malformed(body, str(error), sender, received_at) from error
        if len(upload.items) > ITEMS_LIMIT:
            raise UploadTooLarge(limit_bytes=UNZIPPED_LIMIT_BYTES, limit_items=ITEMS_LIMIT)
        offset = _offset(upload, received_at)
        answers = await self.take_items(
            upload.items, device=upload.device, offset_ms=offset, received_at=received_at,
            sender=sender, language=language,
        )  # fmt: skip
        if upload.unsent is not None and sender.device:
            async with self.pool.connection() as conn:
                await conn.execute(_UNSENT, [upload.unsent, received_at, sender.device])
        return answers

    async def take_items(
        self, items: Sequence[msgspec.Raw], *, device: str | None, offset_ms: int,
        received_at: datetime, sender: Sender, language: str = "en",
    ) -> list[Answer]:  # fmt: skip
        """One answer per item, in order; `offset_ms` corrects the clock of `device`, whose events these
        are. Raises what the door raises."""
        read: list[Event | Problem] = []
        for raw in items:
            try:
                read.append(read_item(bytes(raw), received_at, device, offset_ms))
            except Problem as problem:
                read.append(problem)
        said = await self.door.append(
            [one for one in read if isinstance(one, Event)], sender=sender
        )
        answers, held = _sorted_out(items, read, iter(said))
        boxes = await self.hold(
            held, device or sender.name, received_at, offset_ms=offset_ms if device else 0,
            sender=sender,
        )  # fmt: skip
        kept = iter(zip(held, boxes, strict=True))
        return [answer or _held(*next(kept), language) for answer in answers]

    async def malformed(
        self, body: bytes, reason: str, sender: Sender, received_at: datetime
    ) -> MalformedUpload:
        """Keep a body that is no upload; the problem to raise."""
        held = Held(body, MalformedUpload(reason=reason, inbox=""))
        (inbox,) = await self.hold([held], sender.name, received_at, sender=sender)
        return MalformedUpload(reason=reason, inbox=inbox)

    async def hold(
        self, held: Sequence[Held], owner: str, received_at: datetime, *, offset_ms: int = 0,
        sender: Sender | None = None,
    ) -> list[UUID]:  # fmt: skip
        """Keep what could not be read, in one transaction; the same bytes again are the same inbox
        item, which is filled again if it had expired. The items' ids, in order."""
        digests = await self._digests(held)
        expires_at = received_at + timedelta(days=INBOX_DAYS)
        rows = {
            digest: [uuid7(), received_at, expires_at, owner, offset_ms, one.problem.slug,
                     one.event, digest, self.vault.seal(one.raw), sender and str(sender)]
            for digest, one in zip(digests, held, strict=True)
        }  # fmt: skip
        boxes: dict[bytes, UUID] = {}
        if rows:
            async with self.pool.connection() as conn, conn.transaction():
                for digest in sorted(rows):  # in one order, lest two uploads wait for each other
                    row = await (await conn.execute(_HOLD, rows[digest])).fetchone()
                    assert row
                    boxes[digest] = row[0]
        return [boxes[digest] for digest in digests]

    async def _digests(self, held: Sequence[Held]) -> list[bytes]:
        """By what the same bytes are known again: the digest they are held by, which stands under an
        older key for a while when keys are changed, or that of the current key."""
        every = [self.vault.hashes("inbox", one.raw.hex()) for one in held]
        older = [digest for one in every if len(one) > 1 for digest in one.values()]
        known: set[bytes] = set()
        if older:
            async with self.pool.connection() as conn:
                found = await (await conn.execute(_HELD, [older])).fetchall()
            known = {bytes(row[0]) for row in found}
        return [next(filter(known.__contains__, one.values()), one[max(one)]) for one in every]

    async def retry(self) -> dict[str, int]:
        """Try every held item again: a newer server may read it; what waits for a person's word goes
        on waiting. Counts by what became of them. Raises what the door raises; then what was not
        applied yet is still held."""
        counts = {"applied": 0, "held": 0}
        last = UUID(int=0)
        while True:
            async with self.pool.connection() as conn:
                rows = await (
                    await conn.execute(_KEPT, [_FOR_A_PERSON, last, _RETRY_ITEMS])
                ).fetchall()
            if not rows:
                return counts
            last = rows[-1][0]
            read: dict[Sender | None, dict[UUID, Event]] = {}
            for box, received_at, owner, offset_ms, sealed, sender in rows:
                with suppress(Problem):
                    raw = self.vault.open(bytes(sealed))
                    event = read_item(raw, received_at, owner, offset_ms)
                    read.setdefault(Sender.of(sender), {})[box] = event
            applied: list[UUID] = []
            for sender, boxes in read.items():
                said = await self.door.append(list(boxes.values()), sender=sender)
                applied += [
                    box for box, answer in zip(boxes, said, strict=True)
                    if answer in ("stored", "known")
                ]  # fmt: skip
            async with self.pool.connection() as conn:
                await conn.execute(_APPLIED, [applied])
            counts["applied"] += len(applied)
            counts["held"] += len(rows) - len(applied)


def read_item(raw: bytes, received_at: datetime, device: str | None, offset_ms: int) -> Event:
    """One item as an event for the door. Raises UnknownType or UnreadableItem."""
    if b"\\u0000" in raw and _NUL.search(raw):
        raise UnreadableItem(reason="a text contains the character NUL")
    try:
        item = _items.decode(raw)
    except _UNREADABLE as error:
        raise UnreadableItem(reason=str(error)) from error
    envelope = item.event
    type_ = Body.types.get(envelope.type)
    if type_ is None or envelope.v > type_.version:
        raise UnknownType(type=envelope.type, version=envelope.v)
    if item.identity is not None and envelope.type != "ResidentListed":
        raise UnreadableItem(reason="an identity may only come with ResidentListed")
    decoder = _bodies.get(type_) or _bodies.setdefault(type_, msgspec.json.Decoder(type_))
    try:
        body = decoder.decode(envelope.body)
    except _UNREADABLE as error:
        raise UnreadableItem(reason=str(error)) from error
    said = (envelope.device_at, *msgspec.structs.astuple(body))
    if not all(plausible(at) for at in said if isinstance(at, datetime)):
        raise UnreadableItem(reason="a time that no clock can have said")
    applied = offset_ms if device is not None and device == envelope.device else 0
    at = min(envelope.device_at + timedelta(milliseconds=applied), received_at)
    return Event(
        id=envelope.id, type=envelope.type, subject=envelope.subject, at=at,
        device_at=envelope.device_at, received_at=received_at, actor=envelope.actor, body=body,
        v=envelope.v, offset_ms=applied, device=envelope.device, device_seq=envelope.device_seq,
        cause=envelope.cause, identity=item.identity and tidy(item.identity, received_at),
        note=item.note,
    )  # fmt: skip


def tidy(identity: Identity, at: datetime) -> Identity:
    """The document number in its one spelling, its kind and the birth date it tells; a number that
    does not check stays as it was typed: the person was there."""
    if not identity.number:
        return identity
    document = check(identity.number, identity.kind, today=at.date())
    return msgspec.structs.replace(
        identity,
        number=document.number or identity.number,
        kind=identity.kind or document.kind,
        birth_date=identity.birth_date or document.birth_date,
    )


def unzip(body: bytes) -> bytes:
    """A gzip-encoded body, up to the limit. Raises UploadTooLarge or MalformedUpload."""
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(body, UNZIPPED_LIMIT_BYTES + 1)
    except zlib.error as error:
        raise MalformedUpload(reason="it says gzip and is not", inbox="-") from error
    if len(plain) > UNZIPPED_LIMIT_BYTES:
        raise UploadTooLarge(limit_bytes=UNZIPPED_LIMIT_BYTES, limit_items=ITEMS_LIMIT)
    if not stream.eof:
        raise MalformedUpload(reason="the gzip stream is cut off", inbox="-")
    if stream.unused_data:
        raise MalformedUpload(reason="something follows the gzip stream", inbox="-")
    return plain


def _offset(upload: Upload, received_at: datetime) -> int:
    if upload.sent_at is None or not plausible(upload.sent_at):
        return 0
    return counted((received_at - upload.sent_at) / timedelta(milliseconds=1))


def counted(offset_ms: float) -> int:
    """A measured offset of a clock, 0 where it may be the network's delay."""
    return round(offset_ms) if abs(offset_ms) >= CLOCK_TOLERANCE_SECONDS * 1000 else 0


def _sorted_out(
    raws: Sequence[msgspec.Raw], read: Sequence[Event | Problem], said: Iterator[Said]
) -> tuple[list[Answer | None], list[Held]]:
    """The answer to each item, None for those to be held, and those."""
    answers: list[Answer | None] = []
    held: list[Held] = []
    for raw, one in zip(raws, read, strict=True):
        if isinstance(one, Problem):
            problem = one
        elif isinstance(answer := next(said), Problem):
            problem = answer
        elif answer == "stored" or answer == "known":
            answers.append(Answer(one.id, answer))
            continue
        else:
            problem = IdReused(event=one.id) if answer == "reused" else Unstorable()
        answers.append(None)
        held.append(Held(bytes(raw), problem, _event_id(raw)))
    return answers, held


def _event_id(raw: msgspec.Raw) -> UUID | None:
    try:
        half = _halves.decode(raw)
    except _UNREADABLE:
        return None
    return half.event.id if half.event else None


def _held(one: Held, box: UUID, language: str) -> Answer:
    return Answer(one.event, "held", one.problem.slug, one.problem.message(language), box)
