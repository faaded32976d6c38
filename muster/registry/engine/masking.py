"""What of a name, a number or a phone is shown to who need not know it: enough to tell two people of one
door apart, not enough to know either.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

# Why somebody asks to see the whole of it. Kept with the record of the read.
Reason = Literal["door_to_door", "call_back", "tracing", "correction", "emergency", "data_subject"]

NAMES = frozenset({"name", "one_name", "other_name"})
_HIDDEN = "*"


def masked_name(name: str) -> str:
    """张丽华 -> 张*华, 张华 -> 张*, 欧阳丽华 -> 欧**华; of Latin names the first letter of each word."""
    if name.isascii() or any("a" <= letter.lower() <= "z" for letter in name):
        return " ".join(word[:1] + _HIDDEN * (len(word) - 1) for word in name.split())
    if len(name) <= 1:
        return _HIDDEN
    if len(name) == 2:
        return name[0] + _HIDDEN
    return name[0] + _HIDDEN * (len(name) - 2) + name[-1]


def masked_number(number: str) -> str:
    """3706**********1234: the region of first registration and the last four characters; of a short
    number the last two."""
    if len(number) >= 12:
        return number[:4] + _HIDDEN * (len(number) - 8) + number[-4:]
    return _HIDDEN * max(len(number) - 2, 1) + number[-2:] if len(number) > 4 else _HIDDEN * 4


def masked_phone(phone: str) -> str:
    """138****1111; of another number than a mobile one the last two digits."""
    if len(phone) == 11 and phone.isdigit():
        return phone[:3] + _HIDDEN * 4 + phone[-4:]
    return _HIDDEN * max(len(phone) - 2, 1) + phone[-2:] if len(phone) > 4 else _HIDDEN * 4


def masked_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a list about people with its names, number and phone masked, and without what spells
    the name or tells the birthday."""
    shown: dict[str, Any] = {}
    for field, value in row.items():
        if field in ("pinyin", "initials", "birth_date"):
            continue
        if value is None:
            shown[field] = None
        elif field in NAMES:
            shown[field] = masked_name(value)
        elif field == "number":
            shown[field] = masked_number(value)
        elif field == "phone":
            shown[field] = masked_phone(value)
        else:
            shown[field] = value
    return shown


def masked_rows(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [masked_row(row) for row in rows]
