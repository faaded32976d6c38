"""The vault's keys, in a file outside the database: numbered, one of them current.

A file of 32 bytes is key 1 alone, as the first start makes it; with a second key it becomes a JSON
document. It is replaced in one piece (mode 0600, synced), and a running server sees the change.
"""

import base64
import fcntl
import hmac
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from muster.core.problems import Problem

KEY_BYTES = 32
NUMBERS = range(1, 256)  # one byte of every sealed value
LOOK_SECONDS = 1.0  # a changed file is noticed after this much at the latest
_FORMAT = "muster key ring 1"
_P256_BYTES = 32
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class VaultKeyUnusable(Problem):
    """The vault key {path} cannot be used: {reason}. Put the right key file back, or set
    MUSTER_KEY_FILE; without it no document number can be read or matched."""

    zh = "保险库密钥 {path} 无法使用：{reason}。请放回正确的密钥文件，或设置 MUSTER_KEY_FILE。"
    status = 500


@dataclass(frozen=True)
class VaultKey:
    """One key: what is sealed, what is hashed and what is sealed to it have a subkey each."""

    number: int
    made: datetime
    secret: bytes = field(repr=False)

    @cached_property
    def seal_key(self) -> AESGCM:
        return AESGCM(self._subkey(b"seal"))

    @cached_property
    def hash_key(self) -> bytes:
        return self._subkey(b"hash")

    @cached_property
    def queue_key(self) -> ec.EllipticCurvePrivateKey:
        """What queues that others carry are sealed to (muster/intake/queues.py). More bytes than the
        order has, so that no key is likelier than another (FIPS 186-5, A.2.1)."""
        chance = HKDF(SHA256(), _P256_BYTES + 16, None, b"muster queue").derive(self.secret)
        return ec.derive_private_key(int.from_bytes(chance) % (_P256_ORDER - 1) + 1, ec.SECP256R1())

    def _subkey(self, use: bytes) -> bytes:
        return hmac.digest(self.secret, b"muster " + use, "sha256")


@dataclass(frozen=True)
class Ring:
    """The keys by number, and the one that seals what is new."""

    current: int
    keys: tuple[VaultKey, ...]

    def key(self, number: int) -> VaultKey | None:
        return next((key for key in self.keys if key.number == number), None)

    def with_key(self) -> "Ring":
        """A ring with one more key, which is not current yet."""
        number = max(key.number for key in self.keys) + 1
        made = VaultKey(number, datetime.now(UTC).replace(microsecond=0), os.urandom(KEY_BYTES))
        return replace(self, keys=(*self.keys, made))


class _KeyFile(msgspec.Struct, forbid_unknown_fields=True):
    number: int
    made: datetime
    secret: str


class _RingFile(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    current: int
    keys: list[_KeyFile]


class KeyRing:
    """The ring of a file, read again when the file has changed. Without a file, just the ring."""

    def __init__(self, ring: Ring, file: Path | None = None) -> None:
        self._ring, self._file = ring, file
        self._stamp = _stamp(file)
        self._looked = time.monotonic()

    @property
    def file(self) -> Path:
        """Where it is kept. Raises VaultKeyUnusable for a ring without a file."""
        if self._file is None:
            raise VaultKeyUnusable(path="-", reason="it is kept in no file")
        return self._file

    @property
    def now(self) -> Ring:
        """The ring as it stands, at most a second late."""
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self.look()
        return self._ring

    def look(self) -> Ring:
        """The ring, read again if its file has changed. A file that is away or broken for a moment
        changes nothing: what was read before still opens everything it sealed."""
        self._looked = time.monotonic()
        stamp = _stamp(self._file)
        if self._file and stamp and stamp != self._stamp:
            with suppress(VaultKeyUnusable):
                self._ring, self._stamp = read_ring(self._file), stamp
        return self._ring

    def key(self, number: int) -> VaultKey:
        """The key of a number. Raises VaultKeyUnusable where the file has none either."""
        found = self._ring.key(number) or self.look().key(number)
        if found is None:
            path = self._file or "-"
            raise VaultKeyUnusable(path=path, reason=f"it holds no key number {number}")
        return found


def read_ring(file: Path) -> Ring:
    """The keys of a file. Raises VaultKeyUnusable."""
    try:
        content, made = file.read_bytes(), datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError as error:
        raise VaultKeyUnusable(path=file, reason=error.strerror) from error
    if len(content) == KEY_BYTES:
        return Ring(1, (VaultKey(1, made.replace(microsecond=0), content),))
    try:
        told = msgspec.json.decode(content, type=_RingFile)
        keys = tuple(VaultKey(k.number, k.made, base64.b64decode(k.secret)) for k in told.keys)
    except ValueError as error:  # its text may quote the key
        raise VaultKeyUnusable(
            path=file, reason="it is neither 32 bytes long nor a ring"
        ) from error
    numbers = [key.number for key in keys]
    whole = (
        told.format == _FORMAT and told.current in numbers and len(set(numbers)) == len(numbers)
        and all(n in NUMBERS for n in numbers) and all(len(k.secret) == KEY_BYTES for k in keys)
    )  # fmt: skip
    if not whole:
        raise VaultKeyUnusable(path=file, reason="it is no whole ring of keys")
    return Ring(told.current, keys)


def make_key_file(file: Path) -> None:
    """The file of a first start: 32 random bytes. Raises FileExistsError if another was quicker."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with _written(file, os.urandom(KEY_BYTES)) as name:
        os.link(name, file)


def write_ring(file: Path, ring: Ring) -> None:
    """Put the ring in the place of the file, in one piece. Raises OSError."""
    keys = [
        _KeyFile(key.number, key.made, base64.b64encode(key.secret).decode()) for key in ring.keys
    ]
    content = msgspec.json.format(msgspec.json.encode(_RingFile(_FORMAT, ring.current, keys)))
    with _written(file, content + b"\n") as name:
        with suppress(OSError):  # as root beside a server of another user: it must go on reading
            was = file.stat()
            os.chown(name, was.st_uid, was.st_gid)
        os.rename(name, file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _written(file: Path, content: bytes) -> Iterator[str]:
    """A synced file of mode 0600 beside `file`, to be put in its place; else it is removed."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        yield name
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


@contextmanager
def only_one(file: Path) -> Iterator[None]:
    """One process at a time changes the keys of a file; the lock ends with the process."""
    descriptor = os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _stamp(file: Path | None) -> tuple[int, int, int] | None:
    try:
        was = os.stat(file) if file else None
    except OSError:
        return None
    return was and (was.st_mtime_ns, was.st_ino, was.st_size)
