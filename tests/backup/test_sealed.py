"""A sealed file is read whole, in order and unchanged, or not at all."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from muster.core.clock import now
from muster.keeping import sealed
from muster.keeping.sealed import BackupDamaged, Header, Sealing, content


def header_of(**facts: Any) -> Header:
    made_at = now()
    known = {
        "format": 1, "made_at": made_at, "expires_at": made_at + timedelta(days=1), "program": "x",
        "ledger": "", "batch": 0, "seq": 0, "hash": "", "migrations": [], "rows": {},
        "salt": os.urandom(32),
    }  # fmt: skip
    return Header(**(known | facts))


@pytest.fixture
def chunked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, bytes, list[bytes]]:
    """A sealed file of several chunks: the file, its content, its parts (head first)."""
    monkeypatch.setattr(sealed, "CHUNK_BYTES", 100)
    file, text = tmp_path / "x.backup", os.urandom(350)
    with file.open("wb") as opened:
        sealing = Sealing(opened, b"k" * 32, header_of())
        sealing.write(text[:7])
        sealing.write(text[7:])
        sealing.finish()
    return file, text, parts_of(file)


def parts_of(file: Path) -> list[bytes]:
    left, parts = file.read_bytes(), []
    at = len(sealed.MAGIC)
    size = at + 4 + int.from_bytes(left[at : at + 4], "big")
    while left:
        parts.append(left[:size])
        left = left[size:]
        size = 4 + int.from_bytes(left[:4], "big")
    return parts


def opens(file: Path, parts: list[bytes], key: bytes = b"k" * 32) -> bytes | None:
    """What is read of these parts; None where any of it is refused."""
    file.write_bytes(b"".join(parts))
    try:
        return b"".join(content(file, key))
    except BackupDamaged:
        return None


def test_a_touched_file_does_not_open(chunked: tuple[Path, bytes, list[bytes]]):
    file, text, parts = chunked
    head, first, second, *rest = parts
    assert len(rest) >= 2
    assert opens(file, parts) == text
    assert opens(file, parts, b"q" * 32) is None
    assert opens(file, [head, second, first, *rest]) is None
    assert opens(file, [head, first, *rest]) is None
    assert opens(file, [head, first, first, second, *rest]) is None
    assert opens(file, [*parts, rest[-1]]) is None
    assert opens(file, [*parts, b"x"]) is None
    for count in range(len(parts)):
        assert opens(file, parts[:count]) is None
    whole = b"".join(parts)
    for at in range(len(whole)):
        assert opens(file, [whole[:at], bytes([whole[at] ^ 1]), whole[at + 1 :]]) is None, at
        assert opens(file, [whole[:at]]) is None, at


def test_parts_of_another_file_do_not_fit(chunked: tuple[Path, bytes, list[bytes]], tmp_path: Path):
    file, _, parts = chunked
    other = tmp_path / "other.backup"
    with other.open("wb") as opened:
        sealing = Sealing(opened, b"k" * 32, header_of())
        sealing.write(os.urandom(350))
        sealing.finish()
    theirs = parts_of(other)
    assert opens(other, theirs) is not None
    assert opens(file, [parts[0], *theirs[1:]]) is None
    assert opens(file, [*parts[:2], *theirs[2:]]) is None
