"""A file of encrypted chunks: compressed, sealed with AES-256-GCM, readable only whole and in order.

A clear header, then chunks of (length, ciphertext). The key of a file is derived from the operator's
key and a salt of its own; a chunk's nonce is its number and whether it is the last, and each is bound
to the header. So a chunk that was changed, moved, dropped or taken from another file does not open,
and neither does a header (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
"""

import hashlib
import os
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from muster.core.problems import Problem

MAGIC = b"muster backup\n"
CHUNK_BYTES = 1 << 20
HEADER_LIMIT_BYTES = 1 << 20
LEVEL = 3  # of zlib: level 6 takes twice the time for a tenth less
TAG_BYTES = 16


class BackupDamaged(Problem):
    """{file} is not a whole backup that this key opens: {reason}. Nothing was restored. Take another
    backup, or put the key back with which this one was made (MUSTER_BACKUP_KEY_FILE)."""

    zh = (
        "{file} 不是该密钥能打开的完整备份：{reason}。未恢复任何内容。"
        "请换用其他备份，或放回制作该备份时的密钥（MUSTER_BACKUP_KEY_FILE）。"
    )


class BackupKeyUnusable(Problem):
    """The backup key {path} cannot be used: {reason}. Put the right key file back, or set
    MUSTER_BACKUP_KEY_FILE; without it no backup can be read."""

    zh = "备份密钥 {path} 无法使用：{reason}。请放回正确的密钥文件，或设置 MUSTER_BACKUP_KEY_FILE。"


class Header(msgspec.Struct, frozen=True):
    """What a backup says of itself in clear: no table's content, nobody's name."""

    format: int
    made_at: datetime
    expires_at: datetime
    program: str
    ledger: str  # the hash of its first batch: which ledger this is; empty while there is none
    batch: int
    seq: int
    hash: str
    migrations: list[str]
    rows: dict[str, int]  # of each table
    salt: bytes


def open_key(path: Path, *, make: bool = False) -> tuple[bytes, bool]:
    """The backup key of a file, and whether it was made just now (32 random bytes, mode 0600)."""
    made = False
    try:
        if make and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(32))
                file.flush()
                os.fsync(file.fileno())
            made = True
        key = path.read_bytes()
    except OSError as error:
        raise BackupKeyUnusable(path=path, reason=error.strerror) from error
    if len(key) != 32:
        raise BackupKeyUnusable(path=path, reason="it is not 32 bytes long")
    return key, made


class Sealing:
    """Writes a file; `finish` ends it. What was not finished cannot be read."""

    def __init__(self, file: BinaryIO, key: bytes, header: Header) -> None:
        self._file, self._number = file, 0
        self._squeeze = zlib.compressobj(LEVEL)
        self._ready = bytearray()
        head = _framed_header(header)
        file.write(head)
        self._seal, self._bound = _cipher(key, header.salt), hashlib.sha256(head).digest()

    def write(self, data: bytes) -> None:
        self._ready += self._squeeze.compress(data)
        while len(self._ready) > CHUNK_BYTES:  # more than: the last chunk is never empty
            self._put(bytes(self._ready[:CHUNK_BYTES]), last=False)
            del self._ready[:CHUNK_BYTES]

    def finish(self) -> None:
        self.write(b"")
        self._ready += self._squeeze.flush()
        while len(self._ready) > CHUNK_BYTES:
            self._put(bytes(self._ready[:CHUNK_BYTES]), last=False)
            del self._ready[:CHUNK_BYTES]
        self._put(bytes(self._ready), last=True)

    def _put(self, chunk: bytes, *, last: bool) -> None:
        sealed = self._seal.encrypt(_nonce(self._number, last), chunk, self._bound)
        self._file.write(len(sealed).to_bytes(4, "big") + sealed)
        self._number += 1


def read_header(file: Path) -> Header:
    """The header as it stands, not proven yet. Raises BackupDamaged, OSError."""
    with file.open("rb") as opened:
        return _read_header(file, opened)[0]


def chunks(file: Path, key: bytes) -> Iterator[bytes]:
    """The content of each chunk, still compressed, proven one by one. Raises BackupDamaged before it
    yields anything that was not written as the next part of this very file."""
    with file.open("rb") as opened:
        header, head = _read_header(file, opened)
        seal, bound = _cipher(key, header.salt), hashlib.sha256(head).digest()
        number, ahead = 0, opened.read(4)
        while True:
            length = int.from_bytes(ahead, "big")
            if len(ahead) < 4 or not TAG_BYTES < length <= CHUNK_BYTES + TAG_BYTES:
                raise BackupDamaged(file=file, reason=f"it ends after part {number}")
            sealed = opened.read(length)
            ahead = opened.read(4)
            try:
                yield seal.decrypt(_nonce(number, last=not ahead), sealed, bound)
            except InvalidTag as error:
                reason = f"part {number + 1} does not open"
                raise BackupDamaged(file=file, reason=reason) from error
            number += 1
            if not ahead:
                return


def content(file: Path, key: bytes) -> Iterator[bytes]:
    """What was written, in pieces of a chunk at most. Raises BackupDamaged."""
    expand = zlib.decompressobj()
    for chunk in chunks(file, key):
        while chunk:
            yield expand.decompress(chunk, CHUNK_BYTES)
            chunk = expand.unconsumed_tail
    yield expand.flush()
    if not expand.eof:
        raise BackupDamaged(file=file, reason="its content ends too early")


def _read_header(file: Path, opened: BinaryIO) -> tuple[Header, bytes]:
    start = opened.read(len(MAGIC) + 4)
    length = int.from_bytes(start[len(MAGIC) :], "big")
    if start[: len(MAGIC)] != MAGIC or length > HEADER_LIMIT_BYTES:
        raise BackupDamaged(file=file, reason="it does not begin like one")
    text = opened.read(length)
    try:
        header = msgspec.json.decode(text, type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BackupDamaged(file=file, reason="its header cannot be read") from error
    if header.format != 1:
        raise BackupDamaged(file=file, reason=f"its format {header.format} is a newer one")
    return header, start + text


def _framed_header(header: Header) -> bytes:
    text = msgspec.json.encode(header)
    return MAGIC + len(text).to_bytes(4, "big") + text


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, b"muster backup").derive(key))


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
