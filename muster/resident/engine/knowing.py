"""How much somebody may see who knows a code and a second fact. Values in, values out.

Who lists themselves may have typed another's document, and is merged with them by it: such a code, by
what its maker typed, leads only to swabs that were taken under it. What the other told the staff, the
last digits of their phone, leads to the whole; a birth date does not, for it stands in the document's
number.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

Sight = Literal["whole", "own"]
TAIL = 4


@dataclass(frozen=True)
class Facts:
    """What is known of somebody by which they are known again."""

    birth_date: date | None = None
    phone: str | None = None

    def fit(self, fact: str) -> bool:
        return bool(fact) and fact in (_day(self.birth_date), tail(self.phone))


@dataclass(frozen=True)
class Bearer:
    """Whose code it is: the id it was made for, whom that is merged into, and what is known of each.
    `self_listed`: nobody of the staff has listed this id."""

    resident: UUID
    person: UUID
    self_listed: bool
    own: Facts
    merged: Facts = Facts()
    merged_self: bool = False


def told(text: str) -> str:
    """A fact as it was typed: eight digits of a birth date or four of a phone, whatever stands between
    them; empty where it is neither."""
    digits = re.sub(r"[\s./年月日-]", "", text)
    return digits if re.fullmatch(r"[0-9]{4}|[0-9]{8}", digits) else ""


def sight(one: Bearer, fact: str) -> Sight | None:
    """What the fact lets see: everything of the person, what bears this code only, nothing."""
    merged = one.merged if one.person != one.resident and not one.merged_self else Facts()
    if not one.self_listed:
        return "whole" if one.own.fit(fact) or merged.fit(fact) else None
    if fact and fact == tail(merged.phone):
        return "whole"
    return "own" if one.own.fit(fact) else None


def tail(phone: str | None) -> str:
    """The last digits of a phone; empty where it has fewer than a phone has."""
    digits = re.sub(r"\D", "", phone or "")
    return digits[-TAIL:] if len(digits) >= TAIL + 3 else ""


def _day(day: date | None) -> str:
    return day.strftime("%Y%m%d") if day else ""
