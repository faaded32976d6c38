"""What an event is: the envelope every sender fills in, the typed body each domain declares, and the
canonical bytes whose salted digest proves it unchanged.

A body type is a frozen struct derived from `Body`; its class name is the event type, its docstring
the documentation. Bodies hold ids, codes, whole numbers, times and enumerations: never a name, a
number of a document, a phone, free text or a float (a float does not come back from JSON
byte for byte).
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

Key = tuple[str, Any]  # (kind of key, key): what a view is refreshed by, e.g. ("tube", UUID)
Code = Annotated[str, Meta(min_length=1, max_length=64)]
Label = Annotated[str, Meta(min_length=1, max_length=120)]

# The envelope in the order it is digested in, and what of it the server fills in.
ENVELOPE = (
    "id", "type", "v", "subject", "at", "device_at", "offset_ms", "received_at", "actor", "device",
    "device_seq", "cause",
)  # fmt: skip
OURS = ("at", "offset_ms", "received_at")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_encode = msgspec.json.Encoder(order="sorted").encode


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of every event body."""

    types: ClassVar[dict[str, type["Body"]]] = {}
    version: ClassVar[int] = 1

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Body.types[cls.__name__] = cls

    def touches(self, subject: UUID) -> Iterable[Key]:
        """The keys of the rows this event may change."""
        raise TypeError(f"{type(self).__name__} does not say what it touches ({subject})")

    def weight(self) -> int:
        """What a transaction's size is counted in: one is about the work of one swab."""
        return 1


class RedactionAuthorised(Body, frozen=True):
    """The event that is the subject may be emptied, for this reason."""

    reason: Literal["erasure", "retention", "court_order", "mistake"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return ()


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event as a sender writes it. `body` is read by the type's own struct."""

    id: UUID
    type: Code
    subject: UUID
    device_at: Annotated[datetime, Meta(tz=True)]
    actor: Code
    body: msgspec.Raw
    v: Annotated[int, Meta(ge=1, le=1000)] = 1
    device: Code | None = None
    device_seq: Annotated[int, Meta(ge=1, le=2**53)] | None = None
    cause: UUID | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """An event ready for the door. `at` is `device_at` corrected by the measured offset and never
    later than `received_at`."""

    id: UUID
    type: str
    subject: UUID
    at: datetime
    device_at: datetime
    received_at: datetime
    actor: str
    body: Body
    v: int = 1
    offset_ms: int = 0
    device: str | None = None
    device_seq: int | None = None
    cause: UUID | None = None
    identity: Any = None  # moved to the vault by the door; never part of the event
    note: str | None = None  # free text, likewise

    def touches(self) -> Iterable[Key]:
        return self.body.touches(self.subject)


def canonical(event: Any, body: bytes) -> bytes:
    """The bytes that are digested: a JSON list of the envelope in a fixed order (times in
    microseconds), a line feed, the body's JSON with sorted keys."""
    head = [
        event.id,
        event.type,
        event.v,
        event.subject,
        _microseconds(event.at),
        _microseconds(event.device_at),
        event.offset_ms,
        _microseconds(event.received_at),
        event.actor,
        event.device,
        event.device_seq,
        event.cause,
    ]
    return _encode(head) + b"\n" + body


def body_bytes(body: Any) -> bytes:
    """Canonical JSON of a body, given as a struct or as what the database returned."""
    return _encode(body)


def digest(salt: bytes, content: bytes) -> bytes:
    return hashlib.sha256(salt + content).digest()


def salts(count: int) -> Iterator[bytes]:
    pool = os.urandom(16 * count)
    return (pool[i : i + 16] for i in range(0, len(pool), 16))


def _microseconds(at: datetime) -> int:
    delta = at - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
