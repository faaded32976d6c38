"""Fonts on disk, and which characters they have: a name must never lose a character silently.

Reads a font's character map itself (OpenType 1.9 `cmap`, formats 4 and 12), since that is all that
is needed of it.
"""

import struct
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

ENDINGS = (".ttf", ".otf", ".ttc", ".otc")


def font_files(folders: Iterable[Path]) -> list[Path]:
    """The font files of some folders, by name."""
    return sorted(
        file
        for folder in folders
        if folder.is_dir()
        for file in folder.iterdir()
        if file.suffix.lower() in ENDINGS
    )


def covered(files: Sequence[Path]) -> frozenset[int]:
    """The code points that any of the fonts can print."""
    return frozenset().union(*(_of_file(file, file.stat().st_mtime_ns) for file in files))


def marked(value: Any, known: frozenset[int], lost: set[str]) -> Any:
    """The value with every character that no font has written as its code point in brackets, which
    are gathered in `lost`. Texts, lists and dictionaries."""
    match value:
        case str():
            if value.isascii() or all(ord(char) in known for char in value):
                return value
            return "".join(_shown(char, known, lost) for char in value)
        case list() | tuple():
            return [marked(one, known, lost) for one in value]
        case dict():
            return {name: marked(one, known, lost) for name, one in value.items()}
    return value


def _shown(char: str, known: frozenset[int], lost: set[str]) -> str:
    if ord(char) in known or char.isascii() or unicodedata.category(char) in ("Cf", "Zs", "Mn"):
        return char
    lost.add(char)
    return f"〔U+{ord(char):04X}〕"


@lru_cache(16)
def _of_file(file: Path, _changed: int) -> frozenset[int]:
    with file.open("rb") as source:
        content = source.read()
    start = struct.unpack_from(">I", content, 12)[0] if content[:4] == b"ttcf" else 0
    count = struct.unpack_from(">H", content, start + 4)[0]
    for number in range(count):
        tag, _, offset, _ = struct.unpack_from(">4sIII", content, start + 12 + 16 * number)
        if tag == b"cmap":
            return frozenset(_of_map(content, offset))
    return frozenset()


def _of_map(content: bytes, table: int) -> Iterator[int]:
    (count,) = struct.unpack_from(">H", content, table + 2)
    for number in range(count):
        _, _, offset = struct.unpack_from(">HHI", content, table + 4 + 8 * number)
        (form,) = struct.unpack_from(">H", content, table + offset)
        if form == 12:
            yield from _groups(content, table + offset)
        elif form == 4:
            yield from _segments(content, table + offset)


def _groups(content: bytes, at: int) -> Iterator[int]:
    (count,) = struct.unpack_from(">I", content, at + 12)
    for number in range(count):
        first, last, _ = struct.unpack_from(">III", content, at + 16 + 12 * number)
        yield from range(first, last + 1)


def _segments(content: bytes, at: int) -> Iterator[int]:
    count = struct.unpack_from(">H", content, at + 6)[0] // 2
    ends = struct.unpack_from(f">{count}H", content, at + 14)
    starts = struct.unpack_from(f">{count}H", content, at + 16 + 2 * count)
    for first, last in zip(starts, ends, strict=True):
        if first != 0xFFFF:
            yield from range(first, last + 1)
