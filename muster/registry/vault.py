"""The vault: who the residents are. Numbers and phones are AES-GCM-sealed with keys kept in a file
outside the database; equality is found by keyed hash. Names stay readable for search within an area.

While keys are changed (muster/registry/rotation.py) rows are hashed under every live key; the database
says which of the hashes is the one that counts, so that all rows are always compared under one key.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from msgspec import Meta

from muster.config import FREE_TEXT_DAYS
from muster.core.randomness import random_bytes
from muster.core.text import fold, pinyin
from muster.ledger.event import Event
from muster.registry.engine.identity import check
from muster.registry.keyring import KeyRing, VaultKey, VaultKeyUnusable, make_key_file, read_ring

DocumentKind = Literal[
    "resident_id", "foreign_permanent", "passport", "hk_macao_permit", "taiwan_permit", "military",
    "birth_certificate", "other",
]  # fmt: skip


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who a person is, as sent beside an event; it never enters the event."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    kind: DocumentKind | None = None
    number: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    phone: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    birth_date: date | None = None


# The hashes of a row are an object by key number. The latest identity by the time of its event counts;
# of an event known before, and of a person who was erased, nothing is put away.
_PUT = """
INSERT INTO vault.identity AS known (resident, name, pinyin, initials, birth_date, kind, number, phone,
    number_hash, phone_hash, print, number_next, phone_next, print_next, at, event)
SELECT DISTINCT ON (x.resident) x.resident, x.name, x.pinyin, x.initials, x.birth_date, x.kind,
    x.number, x.phone,
    (x.number_hash ->> (SELECT key::text FROM vault.hashing WHERE one))::bytea,
    (x.phone_hash ->> (SELECT key::text FROM vault.hashing WHERE one))::bytea,
    (x.print ->> (SELECT key::text FROM vault.hashing WHERE one))::bytea,
    (x.number_hash ->> (SELECT next::text FROM vault.hashing WHERE one))::bytea,
    (x.phone_hash ->> (SELECT next::text FROM vault.hashing WHERE one))::bytea,
    (x.print ->> (SELECT next::text FROM vault.hashing WHERE one))::bytea,
    e.at, e.id
FROM jsonb_to_recordset(%(rows)s::jsonb) AS x (event uuid, resident uuid, name text, pinyin text,
    initials text, birth_date date, kind text, number bytea, number_hash jsonb, phone bytea,
    phone_hash jsonb, print jsonb)
JOIN ledger.event e ON e.id = x.event
    AND e.seq > coalesce((SELECT last_seq FROM ledger.batch ORDER BY id DESC LIMIT 1), 0)
WHERE NOT EXISTS (SELECT FROM vault.erased g WHERE g.resident = x.resident)
ORDER BY x.resident, e.at DESC, e.id DESC
ON CONFLICT (resident) DO UPDATE SET (name, pinyin, initials, birth_date, kind, number, phone,
    number_hash, phone_hash, print, number_next, phone_next, print_next, at, event) = (excluded.name,
    excluded.pinyin, excluded.initials, excluded.birth_date, excluded.kind, excluded.number,
    excluded.phone, excluded.number_hash, excluded.phone_hash, excluded.print,
    excluded.number_next, excluded.phone_next, excluded.print_next, excluded.at, excluded.event)
WHERE (excluded.at, excluded.event) > (known.at, known.event)
"""
_NOTE = f"""
INSERT INTO vault.note (event, sealed, expires_at)
SELECT x.event, x.sealed, now() + make_interval(days => {FREE_TEXT_DAYS})
FROM jsonb_to_recordset(%(rows)s::jsonb) AS x (event uuid, subject uuid, sealed bytea)
WHERE NOT EXISTS (SELECT FROM vault.erased g WHERE g.resident = x.subject)
    AND NOT EXISTS (SELECT FROM ledger.event e WHERE e.id = x.event AND e.body IS NULL)
ON CONFLICT (event) DO NOTHING
"""


@dataclass(frozen=True)
class Vault:
    """Holds the keys; makes the rows and statements by which the door puts identities and notes away."""

    ring: KeyRing
    put_sql: ClassVar[str] = _PUT
    note_sql: ClassVar[str] = _NOTE

    def seal(self, text: bytes) -> bytes:
        """Key number (one byte), nonce (12), ciphertext with its tag."""
        ring = self.ring.now
        key = self.ring.key(ring.current)
        nonce = random_bytes(12)
        return key.number.to_bytes() + nonce + key.seal_key.encrypt(nonce, text, None)

    def open(self, sealed: bytes) -> bytes:
        """What was sealed, with whichever key. Raises VaultKeyUnusable, InvalidTag."""
        return self.ring.key(sealed[0]).seal_key.decrypt(sealed[1:13], sealed[13:], None)

    def hashes(self, *parts: str) -> dict[int, bytes]:
        """A keyed hash of the parts under every live key: equal texts are found by it, and only with
        the key."""
        content = "\x1f".join(parts).encode()
        return {key.number: _hashed(key, content) for key in self.ring.now.keys}

    def hash(self, *parts: str) -> bytes:
        """The keyed hash under the current key, for what may be forgotten when keys change."""
        ring = self.ring.now
        return _hashed(self.ring.key(ring.current), "\x1f".join(parts).encode())

    def number_hashes(self, kind: str | None, number: str | None) -> dict[int, bytes]:
        return self.hashes("number", kind or "other", number.upper()) if number else {}

    def phone_hashes(self, phone: str | None) -> dict[int, bytes]:
        return self.hashes("phone", phone) if phone else {}

    def number_tag(self, sealed: bytes, salt: bytes) -> bytes:
        """HMAC-SHA256, under a salt, of the one spelling of a sealed number: by which a phone that has the
        salt and a document before it knows whose it is."""
        return hmac.digest(salt, check(self.open(sealed).decode()).number.encode(), "sha256")

    def prints(
        self, name: str, birth: date | None, building: UUID | None, room: str | None
    ) -> dict[int, bytes]:
        """By what a person without a document is known again."""
        return self.hashes("print", fold(name), str(birth), str(building), room or "")

    def put(self, event: Event) -> bytes | None:
        """The row of an event's identity, for `put_sql`."""
        return msgspec.json.encode(self._row(event)) if event.identity is not None else None

    def put_note(self, event: Event) -> bytes | None:
        """The row of an event's free text, for `note_sql`."""
        if not event.note:
            return None
        sealed = _hex(self.seal(event.note.encode()))
        return msgspec.json.encode({"event": event.id, "subject": event.subject, "sealed": sealed})

    def _row(self, event: Event) -> dict[str, Any]:
        who: Identity = event.identity
        full, initials = pinyin(who.name)
        building, room = getattr(event.body, "building", None), getattr(event.body, "room", None)
        prints = {} if who.number else self.prints(who.name, who.birth_date, building, room)
        return {
            "event": event.id,
            "resident": event.subject,
            "name": who.name,
            "pinyin": full,
            "initials": initials,
            "birth_date": who.birth_date,
            "kind": who.kind,
            "number": _hex(who.number and self.seal(who.number.encode())),
            "number_hash": _by_key(self.number_hashes(who.kind, who.number)),
            "phone": _hex(who.phone and self.seal(who.phone.encode())),
            "phone_hash": _by_key(self.phone_hashes(who.phone)),
            "print": _by_key(prints),
        }


def open_vault(key_file: Path) -> Vault:
    """The vault of a key file, which is made at the first start (32 random bytes, mode 0600)."""
    try:
        if not key_file.exists():
            make_key_file(key_file)
    except FileExistsError:
        pass  # another process made it just now
    except OSError as error:
        raise VaultKeyUnusable(path=key_file, reason=error.strerror) from error
    return Vault(KeyRing(read_ring(key_file), key_file))


def check_key(vault: Vault, kept: bytes | None, path: Path) -> bytes | None:
    """Compare the keys with the check value this database keeps; a new value where it has none yet."""
    if kept is None:
        return vault.seal(CHECK)
    try:
        if vault.open(kept) == CHECK:
            return None
    except InvalidTag:
        pass
    raise VaultKeyUnusable(path=path, reason="this database was sealed with another key")


CHECK = b"muster"


def _hashed(key: VaultKey, content: bytes) -> bytes:
    return hashlib.blake2b(content, key=key.hash_key, digest_size=16).digest()


def _hex(value: bytes | str | None) -> str | None:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else None


def _by_key(hashes: dict[int, bytes]) -> dict[str, str] | None:
    return {str(number): f"\\x{value.hex()}" for number, value in hashes.items()} or None
