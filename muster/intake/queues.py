"""Queues that another device, a file or a series of QR codes carries: what a phone has recorded, sealed to
this server, so that whoever carries it can neither read nor change it (docs/decisions/0024).

    "MQ1" | one byte, which key | HPKE: encapsulated key (65 bytes), ciphertext of the gzip of JSON

HPKE is that of RFC 9180: base mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, neither info nor
additional data. The JSON is a `Queue`.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Meta

from muster.access.devices import author
from muster.access.engine.judge import Sender
from muster.config import (
    BODY_LIMIT_BYTES,
    CLOCK_OFFSET_LIMIT_MS,
    ITEMS_LIMIT,
    QUEUE_ITEMS_LIMIT,
    UNZIPPED_LIMIT_BYTES,
)
from muster.core.problems import Problem
from muster.intake.upload import Answer, Intake, MalformedUpload, UploadTooLarge, counted, unzip
from muster.registry.vault import Vault, VaultKey

_MAGIC = b"MQ1"
_HEAD_BYTES = len(_MAGIC) + 1
_SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class NotAQueue(Problem):
    """This is no queue that a phone has sealed. Nothing of it was taken in."""

    zh = "这不是手机封装的待发队列。未接收任何内容。"


class QueueSealedElsewhere(Problem):
    """This queue is sealed to another server. Take it to the one whose page the phone has; nothing of it
    was taken in."""

    zh = "该队列封装给另一台服务器。请交到手机所用的那台服务器；未接收任何内容。"
    status = 409


class QueueBroken(Problem):
    """This queue is cut off, or was changed on its way, or is sealed to another server. Let the phone give
    it again; nothing of it was taken in."""

    zh = "该队列不完整、途中被改动，或封装给另一台服务器。请让手机重新导出；未接收任何内容。"


class QueueKey(msgspec.Struct, frozen=True):
    """What queues are sealed to: a P-256 public key (base64 of the uncompressed point, 65 bytes) and the
    byte that names it."""

    key: str
    id: int


class Queue(msgspec.Struct, frozen=True):
    """What is sealed: an upload as the phone would have sent it, with the token by which it is known.
    `offset_ms` is added to its clock, as the phone measured it last."""

    token: Annotated[str, Meta(max_length=200)]
    items: list[msgspec.Raw]
    device: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]+$")] | None = None
    offset_ms: Annotated[int, Meta(ge=-CLOCK_OFFSET_LIMIT_MS, le=CLOCK_OFFSET_LIMIT_MS)] = 0


@dataclass(frozen=True)
class Taken:
    """Whose queue it was (None: nobody's token), and one answer per item, in order."""

    device: str | None
    answers: list[Answer]


def queue_key(vault: Vault) -> QueueKey:
    """What phones are to seal to from now on."""
    key = vault.ring.key(vault.ring.now.current)
    return QueueKey(base64.b64encode(_public(key)).decode(), _id(key))


async def take(
    intake: Intake, sealed: bytes, *, carrier: Sender, received_at: datetime, language: str = "en"
) -> Taken:
    """Take in a queue as if its device had sent it; without a known token, as what its carrier says.
    Raises NotAQueue, QueueSealedElsewhere, QueueBroken, UploadTooLarge, MalformedUpload, and what the
    door raises: sent again then, what was stored is known."""
    plain = opened(intake.vault, sealed)
    try:
        queue = msgspec.json.decode(unzip(plain), type=Queue)
    except (MalformedUpload, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        why = error.facts["reason"] if isinstance(error, MalformedUpload) else error
        raise await intake.malformed(plain, str(why), carrier, received_at) from error
    if len(queue.items) > QUEUE_ITEMS_LIMIT:
        raise UploadTooLarge(limit_bytes=UNZIPPED_LIMIT_BYTES, limit_items=QUEUE_ITEMS_LIMIT)
    async with intake.pool.connection() as conn:
        wrote = await author(conn, queue.token)
    device = wrote.device if wrote else queue.device
    answers: list[Answer] = []
    for start in range(0, len(queue.items), ITEMS_LIMIT):
        answers += await intake.take_items(
            queue.items[start : start + ITEMS_LIMIT], device=device,
            offset_ms=counted(queue.offset_ms), received_at=received_at, sender=wrote or carrier,
            language=language,
        )  # fmt: skip
    return Taken(wrote.device if wrote else None, answers)


def opened(vault: Vault, sealed: bytes) -> bytes:
    """What was sealed to one of the vault's keys. Raises NotAQueue, QueueSealedElsewhere, QueueBroken,
    UploadTooLarge."""
    if len(sealed) > BODY_LIMIT_BYTES:
        raise UploadTooLarge(limit_bytes=BODY_LIMIT_BYTES, limit_items=QUEUE_ITEMS_LIMIT)
    if not sealed.startswith(_MAGIC):
        raise NotAQueue()
    ring = vault.ring.now
    keys = [key for key in ring.keys if sealed[len(_MAGIC) : _HEAD_BYTES] == bytes([_id(key)])]
    if not keys and len(sealed) > _HEAD_BYTES:
        raise QueueSealedElsewhere()
    for plain in _opened_with(keys, sealed[_HEAD_BYTES:]):
        return plain
    raise QueueBroken()


def sealed_to(key: QueueKey, plain: bytes) -> bytes:
    """As a phone seals it: for the exercise and the tests."""
    point = base64.b64decode(key.key)
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    return _MAGIC + bytes([key.id]) + _SUITE.encrypt(plain, public)


def _opened_with(keys: list[VaultKey], ciphertext: bytes) -> Iterator[bytes]:
    for key in keys:
        try:
            yield _SUITE.decrypt(ciphertext, key.queue_key)
        except InvalidTag:
            continue


def _public(key: VaultKey) -> bytes:
    return key.queue_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _id(key: VaultKey) -> int:
    """Of the key itself, not its number: the keys of all servers are numbered from one."""
    return hashlib.sha256(_public(key)).digest()[0]
