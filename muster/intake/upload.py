"""Uploads from phones and other senders: bytes in, one answer per item out, in order.

Facts are never rejected. What cannot be read is kept verbatim, encrypted, in the inbox and answered
`held` with the reason; `held` is final for the sender, since the server owns the bytes now.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import psycopg
from msgspec import Meta
from psycopg_pool import AsyncConnectionPool

from muster.config import (
    CLOCK_TOLERANCE_SECONDS,
    INBOX_DAYS,
    ITEMS_LIMIT,
    TEXT_LIMIT,
    UNZIPPED_LIMIT_BYTES,
)
from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.ledger.door import Door
from muster.ledger.event import Body, Code, Envelope, Event
from muster.registry.engine.identity import check
from muster.registry.vault import Identity, Vault


class MalformedUpload(Problem):
    """The upload is not JSON of the form {{"items": [...]}}: {reason}. It was kept as {inbox}; do not
    send it again as it is."""

    zh = '上传内容不是 {{"items": [...]}} 形式的 JSON：{reason}。原文已保存为 {inbox}，请勿原样重发。'


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
    applied to the events of `device` itself (a queue may carry another device's events)."""

    items: list[msgspec.Raw]
    device: Code | None = None
    sent_at: Annotated[datetime, Meta(tz=True)] | None = None


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event, and what must not be in it: who the person is, and free text."""

    event: Envelope
    identity: Identity | None = None
    note: Annotated[str, Meta(max_length=TEXT_LIMIT)] | None = None


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


_items = msgspec.json.Decoder(Item)
_halves = msgspec.json.Decoder(_Half)
_bodies: dict[str, msgspec.json.Decoder[Any]] = {}


@dataclass(frozen=True)
class Intake:
    """Turns uploads into events for the door and holds the rest."""

    door: Door
    vault: Vault
    pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]]

    async def take(
        self, body: bytes, *, received_at: datetime, owner: str, language: str = "en"
    ) -> list[Answer]:
        """Answer an upload. Raises MalformedUpload, UploadTooLarge, and what the door raises."""
        try:
            upload = msgspec.json.decode(body, type=Upload)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            problem = MalformedUpload(reason=str(error), inbox="")
            (inbox,) = await self.hold([(body, None, problem)], owner, received_at)
            raise MalformedUpload(reason=str(error), inbox=inbox) from error
        if len(upload.items) > ITEMS_LIMIT:
            raise UploadTooLarge(limit_bytes=UNZIPPED_LIMIT_BYTES, limit_items=ITEMS_LIMIT)
        offset = _offset(upload, received_at)
        read: list[Event | Problem] = []
        for raw in upload.items:
            try:
                read.append(read_item(bytes(raw), received_at, upload.device, offset))
            except Problem as problem:
                read.append(problem)
        return await self._answer(upload.items, read, owner, received_at, language)

    async def _answer(
        self,
        raws: Sequence[msgspec.Raw],
        read: list[Event | Problem],
        owner: str,
        received_at: datetime,
        language: str,
    ) -> list[Answer]:
        said = iter(await self.door.append([one for one in read if isinstance(one, Event)]))
        answers: list[Answer | None] = []
        held: list[tuple[bytes, UUID | None, Problem]] = []
        for raw, one in zip(raws, read, strict=True):
            problem: Problem | None = one if isinstance(one, Problem) else None
            if isinstance(one, Event):
                answer = next(said)
                if answer == "stored" or answer == "known":
                    answers.append(Answer(one.id, answer))
                    continue
                problem = IdReused(event=one.id) if answer == "reused" else Unstorable()
            assert problem
            answers.append(None)
            held.append((bytes(raw), _event_id(raw), problem))
        boxes = iter(zip(held, await self.hold(held, owner, received_at), strict=True))
        return [answer or _held(next(boxes), language) for answer in answers]

    async def hold(
        self,
        held: Sequence[tuple[bytes, UUID | None, Problem]],
        owner: str,
        received_at: datetime,
    ) -> list[UUID]:
        """Keep what could not be read; the same bytes again are the same inbox item."""
        boxes = []
        if not held:
            return boxes
        async with self.pool.connection() as conn:
            for raw, event, problem in held:
                row = await (
                    await conn.execute(
                        "INSERT INTO ledger.inbox VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
                        " ON CONFLICT (digest) DO UPDATE SET slug = excluded.slug RETURNING id",
                        [uuid7(), received_at, received_at + timedelta(days=INBOX_DAYS), owner,
                         problem.slug, event, self.vault.hash("inbox", raw.hex()),
                         self.vault.seal(raw)],
                    )
                ).fetchone()  # fmt: skip
                assert row
                boxes.append(row[0])
        return boxes

    async def retry(self) -> dict[str, int]:
        """Try every held item again: a newer server may read it. Counts by what became of them."""
        counts = {"applied": 0, "held": 0}
        async with self.pool.connection() as conn:
            rows = await (
                await conn.execute(
                    "SELECT id, received_at, sealed FROM ledger.inbox"
                    " WHERE applied_at IS NULL AND sealed IS NOT NULL ORDER BY received_at"
                )
            ).fetchall()
        for box, received_at, sealed in rows:
            try:
                event = read_item(self.vault.open(bytes(sealed)), received_at, None, 0)
                (answer,) = await self.door.append([event])
            except Problem:
                counts["held"] += 1
                continue
            if answer in ("reused", "unstorable"):
                counts["held"] += 1
                continue
            counts["applied"] += 1
            async with self.pool.connection() as conn:
                await conn.execute(
                    "UPDATE ledger.inbox SET applied_at = now(), sealed = NULL WHERE id = %s", [box]
                )
        return counts


def read_item(raw: bytes, received_at: datetime, device: str | None, offset_ms: int) -> Event:
    """One item as an event for the door. Raises UnknownType or UnreadableItem."""
    if b"\\u0000" in raw:
        raise UnreadableItem(reason="a text contains the character NUL")
    try:
        item = _items.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnreadableItem(reason=str(error)) from error
    envelope = item.event
    type_ = Body.types.get(envelope.type)
    if type_ is None or envelope.v > type_.version:
        raise UnknownType(type=envelope.type, version=envelope.v)
    if item.identity is not None and envelope.type != "ResidentListed":
        raise UnreadableItem(reason="an identity may only come with ResidentListed")
    decoder = _bodies.get(envelope.type) or _bodies.setdefault(
        envelope.type, msgspec.json.Decoder(type_)
    )
    try:
        body = decoder.decode(envelope.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnreadableItem(reason=str(error)) from error
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
    return plain


def _offset(upload: Upload, received_at: datetime) -> int:
    if upload.sent_at is None:
        return 0
    offset = (received_at - upload.sent_at) / timedelta(milliseconds=1)
    return round(offset) if abs(offset) >= CLOCK_TOLERANCE_SECONDS * 1000 else 0


def _event_id(raw: msgspec.Raw) -> UUID | None:
    try:
        half = _halves.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return half.event.id if half.event else None


def _held(held: tuple[tuple[bytes, UUID | None, Problem], UUID], language: str = "en") -> Answer:
    (_, event, problem), box = held
    return Answer(event, "held", problem.slug, problem.message(language), box)
