"""The short code printed below a person's QR code, to be typed where glare or a broken screen leaves
nothing to scan: `K7PM-2XQ4-HDWA`. It says nothing of the person; the server knows whose it is.

Ten characters are the first 49 bits of a hash of the resident's id, two are checks. The alphabet has
31 characters, a prime, without I, L, O, 0 and 1: the sums Σ x and Σ i·x over the places are zero modulo
31 (a Reed-Solomon code), so that any two wrong characters, hence any two that changed places, are
noticed.

A QR code holds it in one of two forms: `P:K7PM2XQ4HDWA`, for people whom the server can be asked about,
and `P:K7PM2XQ4HDWA.` with the id itself as 26 characters of Crockford's base 32, so that a phone without
a connection, which has never heard of the person, records the swab under the right id all the same.
"""

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from muster.core.problems import Problem

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH, CHECKS = 12, 2
PREFIX = "P:"  # of the QR code, so that a scanner's reading is never taken for a tube's label
HOME_MOST = 8  # codes in one QR code: more make it too fine for an old scanner
_BASE = len(ALPHABET)
_PAYLOAD = LENGTH - CHECKS
SPACE = _BASE**_PAYLOAD
HASH_BITS = 60  # of which the remainder modulo SPACE is taken
ID_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
ID_LENGTH = 26  # 130 bits: the first character is at most 7
_MISREAD = str.maketrans("ILO", "110")  # as Crockford reads them
_BETWEEN = str.maketrans("", "", " -–—_.")


class CodeMistyped(Problem):
    """{code} is no personal code: {why}. Compare each character with the print; the letters I, L, O and
    the digits 0 and 1 never occur."""

    zh: ClassVar[str] = (
        "{code} 不是有效的个人码：{why_zh}。请逐字核对；个人码中没有字母 I、L、O 和数字 0、1。"
    )
    status: ClassVar[int] = 422


@dataclass(frozen=True)
class Coded:
    """A code that was read: its number and, in the form that carries it, the id itself."""

    number: int
    resident: UUID | None = None


def number_of(resident: UUID) -> int:
    """The number a resident's code stands for: the first 60 bits of sha256 of the id, modulo 31^10.
    The database computes the same (registry/read_codes.sql)."""
    return (int.from_bytes(hashlib.sha256(resident.bytes).digest()[:8]) >> 4) % SPACE


def code_of(resident: UUID) -> str:
    """A resident's code, twelve characters."""
    return written(number_of(resident))


def written(number: int) -> str:
    """The code of a number, with its checks."""
    places = []
    for _ in range(_PAYLOAD):
        number, place = divmod(number, _BASE)
        places.append(place)
    # Two unknowns at places 10 and 11: a + b = -s, 11a + 12b = -t (mod 31), so b = 11s - t, a = -s - b.
    total = sum(places)
    weighted = sum(place * i for i, place in enumerate(places, 1))
    last = (11 * total - weighted) % _BASE
    places += [(-total - last) % _BASE, last]
    return "".join(ALPHABET[place] for place in places)


def grouped(code: str) -> str:
    """As it is printed: in groups of four."""
    return "-".join(code[i : i + 4] for i in range(0, LENGTH, 4))


def carried(resident: UUID) -> str:
    """What a QR code holds for phones that have never heard of this resident: the code and the id."""
    return f"{PREFIX}{code_of(resident)}.{written_id(resident)}"


def written_id(resident: UUID) -> str:
    """An id as 26 characters of Crockford's base 32."""
    value = resident.int
    return "".join(ID_ALPHABET[value >> 5 * place & 31] for place in reversed(range(ID_LENGTH)))


def read_id(text: str) -> UUID | None:
    """The id of 26 characters; None where they are none."""
    folded = text.translate(_MISREAD)
    if len(folded) != ID_LENGTH or folded[0] > "7" or not set(folded) <= set(ID_ALPHABET):
        return None
    value = 0
    for char in folded:
        value = value << 5 | ID_ALPHABET.index(char)
    return UUID(int=value)


def read_all(text: str) -> list[Coded]:
    """What a home's code says: codes joined with `+`, in either form. Raises CodeMistyped."""
    return [read(one) for one in text.split("+")[:HOME_MOST]]


def told_apart(codes: Iterable[Coded]) -> tuple[list[int], list[UUID]]:
    """The numbers of codes that carry no id, and the ids of those that do: these are nobody else's."""
    held = list(codes)
    return (
        [one.number for one in held if one.resident is None],
        [one.resident for one in held if one.resident is not None],
    )


def is_marked(text: str) -> bool:
    """Whether a text says of itself that it is a personal code, as a scanned one does."""
    return unicodedata.normalize("NFKC", text).upper().strip().startswith(PREFIX)


def is_code(text: str) -> bool:
    """Whether a text is meant as personal codes: it says so, or is one."""
    try:
        return is_marked(text) or bool(read_all(text))
    except CodeMistyped:
        return False


def read(text: str) -> Coded:
    """A code as it was scanned or typed, in either form: small letters, spaces, dashes and full-width
    forms do not matter. An id must be the one whose code stands before it. Raises CodeMistyped."""
    plain = unicodedata.normalize("NFKC", text).upper().strip().removeprefix(PREFIX)
    short, _, tail = plain.rpartition(".")
    tail = tail.translate(_BETWEEN)
    if not short or len(tail) != ID_LENGTH:
        return Coded(_number(plain.translate(_BETWEEN), text))
    number, resident = _number(short.translate(_BETWEEN), text), read_id(tail)
    if resident is None or number_of(resident) != number:
        raise CodeMistyped(
            code=text[:40], why="its two parts do not belong together",
            why_zh="前后两部分不一致",
        )  # fmt: skip
    return Coded(number, resident)


def _number(code: str, text: str) -> int:
    """The number of twelve characters, of a text that is named where they are wrong."""
    if len(code) != LENGTH:
        raise CodeMistyped(
            code=text[:40], why=f"it has {len(code)} characters, not {LENGTH}",
            why_zh=f"应为 {LENGTH} 位，实为 {len(code)} 位",
        )  # fmt: skip
    if strange := sorted(set(code) - set(ALPHABET)):
        shown = " ".join(strange)
        raise CodeMistyped(
            code=text[:40], why=f"{shown} never occurs in one", why_zh=f"不会出现 {shown}"
        )
    places = [ALPHABET.index(char) for char in code]
    weighted = sum(place * i for i, place in enumerate(places, 1))
    if sum(places) % _BASE or weighted % _BASE:
        raise CodeMistyped(
            code=text[:40], why="a character is wrong or two changed places",
            why_zh="有一位录错，或两位颠倒",
        )  # fmt: skip
    return sum(place * _BASE**i for i, place in enumerate(places[:_PAYLOAD]))
