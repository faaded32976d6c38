"""What somebody typed about themselves, checked: what can be listed, what is wrong, what looks wrong.
Values in, values out.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from muster.core.text import clean
from muster.registry.engine.identity import KINDS, check, is_personal

NONE = "none"  # chosen by who has no document, such as an infant
NAME_MOST, ROOM_MOST, NUMBER_MOST = 100, 32, 40
_ROOM = re.compile(r"[0-9A-Za-z\u4e00-\u9fff\-/#.() ]*")
_BETWEEN_DIGITS = str.maketrans("", "", " -+()")
_EARLIEST = date(1880, 1, 1)


@dataclass(frozen=True)
class Listed:
    """A form that was read. `faults`: field → which word says what is wrong; nothing is listed while
    there is one. `doubts`: likewise, but somebody may say that it is so."""

    name: str = ""
    kind: str | None = None
    number: str | None = None
    phone: str | None = None
    birth_date: date | None = None
    sex: str | None = None
    building: UUID | None = None
    room: str | None = None
    faults: Mapping[str, str] = field(default_factory=dict)
    doubts: Mapping[str, str] = field(default_factory=dict)


def read(form: Mapping[str, str], *, buildings: Collection[UUID], today: date) -> Listed:
    """The form of one person; the address must be one of `buildings` or left out."""
    faults, doubts = dict[str, str](), dict[str, str]()
    name = clean(form.get("name", ""))
    if not name or len(name) > NAME_MOST or name.isdigit():
        faults["name"] = "name_wanted"
    kind, typed = form.get("kind", ""), clean(form.get("number", ""))
    number, told, sex = None, None, None
    if kind != NONE and kind not in KINDS:
        faults["kind"] = "kind_wanted"
    elif kind != NONE:
        document = check(typed[: NUMBER_MOST * 2], kind, today=today)
        number, told, sex = document.number, document.birth_date, document.sex
        if not typed or len(number) > NUMBER_MOST:
            faults["number"] = "number_wanted"
        elif not document.valid:
            doubts["number"] = f"number_{document.reason}"
    phone = _phone(form.get("phone", ""))
    if phone is None:
        faults["phone"] = "phone_unfit"
    born = told or _day(form.get("birth_date", ""))
    if born is None or not _EARLIEST <= born <= today:
        faults["birth_date"] = "birth_wanted"
        born = None
    building = _uuid(form.get("building", ""))
    if building is not None and building not in buildings:
        building = None
    room = clean(form.get("room", ""))
    if len(room) > ROOM_MOST or not _ROOM.fullmatch(room) or is_personal(room, name):
        faults["room"] = "room_unfit"
    return Listed(
        name, kind if kind in KINDS else None, number or None, phone or None, born, sex, building,
        room or None if building else None, faults, doubts,
    )  # fmt: skip


def inferred(number: str, *, today: date) -> str:
    """The kind of a document that was written down without its kind."""
    return check(number[: NUMBER_MOST * 2], today=today).kind


def _phone(text: str) -> str | None:
    """The digits of a phone, without the country's code; empty where none was typed, None where it is
    none."""
    digits = clean(text).translate(_BETWEEN_DIGITS)
    if not digits:
        return ""
    if not (digits.isascii() and digits.isdigit() and 3 <= len(digits) <= 20):
        return None
    return digits[2:] if len(digits) == 13 and digits.startswith("861") else digits


def _day(text: str) -> date | None:
    digits = re.sub(r"[\s./年月日-]", "", clean(text))
    try:
        return date.fromisoformat(digits) if re.fullmatch(r"[0-9]{8}", digits) else None
    except ValueError:
        return None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
