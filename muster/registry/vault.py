"""The vault: who the residents are. Numbers and phones are AES-GCM-sealed with a key kept in a file
outside the database; equality is found by keyed hash. Names stay readable for search within an area.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Meta

from muster.config import FREE_TEXT_DAYS
from muster.core.problems import Problem
from muster.core.randomness import random_bytes
from muster.core.text import fold, pinyin
from muster.ledger.event import Event

DocumentKind = Literal[
    "resident_id", "foreign_permanent", "passport", "hk_macao_permit", "taiwan_permit", "military",
    "birth_certificate", "other",
]  # fmt: skip


class VaultKeyUnusable(Problem):
    """The vault key {path} cannot be used: {reason}. Put the right key file back, or set
    MUSTER_KEY_FILE; without it no document number can be read or matched."""

    zh = "保险库密钥 {path} 无法使用：{reason}。请放回正确的密钥文件，或设置 MUSTER_KEY_FILE。"
    status = 500


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who a person is, as sent beside an event; it never enters the event."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    kind: DocumentKind | None = None
    number: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    phone: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    birth_date: date | None = None


_PUT = """
INSERT INTO vault.identity (resident, name, pinyin, initials, birth_date, kind, number, number_hash,
    phone, phone_hash, print)
SELECT x.resident, x.name, x.pinyin, x.initials, x.birth_date, x.kind, x.number, x.number_hash,
    x.phone, x.phone_hash, x.print
FROM jsonb_to_recordset(%(rows)s::jsonb) AS x (event uuid, resident uuid, name text, pinyin text,
    initials text, birth_date date, kind text, number bytea, number_hash bytea, phone bytea,
    phone_hash bytea, print bytea)
JOIN ledger.event e ON e.id = x.event
    AND e.seq > coalesce((SELECT last_seq FROM ledger.batch ORDER BY id DESC LIMIT 1), 0)
ON CONFLICT (resident) DO UPDATE SET (name, pinyin, initials, birth_date, kind, number, number_hash,
    phone, phone_hash, print) = (excluded.name, excluded.pinyin, excluded.initials,
    excluded.birth_date, excluded.kind, excluded.number, excluded.number_hash, excluded.phone,
    excluded.phone_hash, excluded.print)
"""
_NOTE = f"""
INSERT INTO vault.note (event, sealed, expires_at)
SELECT x.event, x.sealed, now() + make_interval(days => {FREE_TEXT_DAYS})
FROM jsonb_to_recordset(%(rows)s::jsonb) AS x (event uuid, sealed bytea)
ON CONFLICT (event) DO NOTHING
"""


@dataclass(frozen=True)
class Vault:
    """Holds the key; makes the rows and statements by which the door puts identities and notes away."""

    seal_key: AESGCM
    hash_key: bytes
    put_sql: ClassVar[str] = _PUT
    note_sql: ClassVar[str] = _NOTE

    def seal(self, text: bytes) -> bytes:
        """Key number (one byte), nonce (12), ciphertext with its tag."""
        nonce = random_bytes(12)
        return b"\x01" + nonce + self.seal_key.encrypt(nonce, text, None)

    def open(self, sealed: bytes) -> bytes:
        return self.seal_key.decrypt(sealed[1:13], sealed[13:], None)

    def hash(self, *parts: str) -> bytes:
        """A keyed hash of the parts: equal texts are found by it, and only with the key."""
        return hashlib.blake2b(
            "\x1f".join(parts).encode(), key=self.hash_key, digest_size=16
        ).digest()

    def number_hash(self, kind: str | None, number: str | None) -> bytes | None:
        return self.hash("number", kind or "other", number.upper()) if number else None

    def print(
        self, name: str, birth: date | None, building: UUID | None, room: str | None
    ) -> bytes:
        """By what a person without a document is known again."""
        return self.hash("print", fold(name), str(birth), str(building), room or "")

    def put(self, event: Event) -> bytes | None:
        """The row of an event's identity, for `put_sql`."""
        return msgspec.json.encode(self._row(event)) if event.identity is not None else None

    def put_note(self, event: Event) -> bytes | None:
        """The row of an event's free text, for `note_sql`."""
        if not event.note:
            return None
        sealed = _hex(self.seal(event.note.encode()))
        return msgspec.json.encode({"event": event.id, "sealed": sealed})

    def _row(self, event: Event) -> dict[str, Any]:
        who: Identity = event.identity
        full, initials = pinyin(who.name)
        return {
            "event": event.id,
            "resident": event.subject,
            "name": who.name,
            "pinyin": full,
            "initials": initials,
            "birth_date": who.birth_date,
            "kind": who.kind,
            "number": _hex(who.number and self.seal(who.number.encode())),
            "number_hash": _hex(self.number_hash(who.kind, who.number)),
            "phone": _hex(who.phone and self.seal(who.phone.encode())),
            "phone_hash": _hex(who.phone and self.hash("phone", who.phone)),
            "print": None if who.number else _hex(self._print(who, event.body)),
        }

    def _print(self, who: Identity, body: Any) -> bytes:
        building, room = getattr(body, "building", None), getattr(body, "room", None)
        return self.print(who.name, who.birth_date, building, room)


def open_vault(key_file: Path) -> Vault:
    """The vault of a key file, which is made at the first start (32 random bytes, mode 0600)."""
    try:
        if not key_file.exists():
            key_file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(32))
                file.flush()
                os.fsync(file.fileno())
        key = key_file.read_bytes()
    except FileExistsError:
        return open_vault(key_file)  # another process made it just now
    except OSError as error:
        raise VaultKeyUnusable(path=key_file, reason=error.strerror) from error
    if len(key) != 32:
        raise VaultKeyUnusable(path=key_file, reason="it is not 32 bytes long")
    return Vault(AESGCM(_subkey(key, b"seal")), _subkey(key, b"hash"))


def check_key(vault: Vault, kept: bytes | None, path: Path) -> bytes | None:
    """Compare the key with the check value this database keeps; a new value where it has none yet."""
    if kept is None:
        return vault.seal(b"muster")
    try:
        if vault.open(kept) == b"muster":
            return None
    except InvalidTag:
        pass
    raise VaultKeyUnusable(path=path, reason="this database was sealed with another key")


def _subkey(key: bytes, use: bytes) -> bytes:
    return hmac.digest(key, b"muster " + use, "sha256")


def _hex(value: bytes | str | None) -> str | None:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else None
