"""Invented document numbers and phone numbers that look right: GB 11643 citizen numbers with a
true check digit, a few passports and permits, phone numbers that cannot ring.
"""

from array import array
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from itertools import count
from typing import NamedTuple

CITIZEN, PASSPORT, PERMIT = "居民身份证", "护照", "港澳居民来往内地通行证"

# Ages are counted back from the eve of the Yantai campaign (row Z1), so a seed gives the same
# people in any year.
REFERENCE_DAY = date(2021, 8, 1)
OLDEST_DAYS = 98 * 365

# One place has 499 numbers for each sex and birthday. We count through them across all places,
# which is simpler and serves ten million people: their fullest birthday stays below 450.
SEQUENCES = 499
MAX_PEOPLE = 10_000_000

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS = "10X98765432"


class Birthday(NamedTuple):
    compact: str
    iso: str
    year: int
    weighted: int


class Place(NamedTuple):
    """A county-level code that was handed out from `first` to `last`; `now` is today's code."""

    weight: int
    code: str
    first: int
    last: int
    now: str


# Places of first registration other than the district itself. The code of a county that was later
# renamed or merged stays in its people's numbers for life (GB 11643): such codes are valid.
# Years and codes: GB/T 2260 and its amendments. Weights are ours: the counties near by
# count most, then the province, then the provinces whose people came here.
_NEAR = (
    "370611 1983-; 370612 1994-; 370631 1983-1993 370612; 370613 1994-; 370614 2020-;"
    "370622 1983-1990 370614; 370684 1995-2019 370614;"
    "370623 1983-1985 370681; 370681 1995-; 370625 1983-1987 370683; 370683 1995-;"
    "370627 1983-1986 370682; 370682 1995-; 370624 1983-1990 370685; 370685 1995-;"
    "370628 1983-1994 370686; 370686 1995-; 370629 1983-1995 370687; 370687 1996-"
)
_PROVINCE = (
    "370102 1983-; 370203 1983-; 370212 1988-; 370285 1995-; 370303 1983-; 370502 1983-;"
    "370702 1983-; 370781 1995-; 370902 1985-; 371002 1987-; 371082 1995-; 371083 1995-;"
    "371302 1994-; 372801 1983-1993 371302; 371502 1997-; 371702 2000-;"
    "372901 1983-1999 371702; 372922 1983-1999 371721; 370634 1983-2019 370614"
)
_FAR = (
    "230103 1983-; 230203 1983-; 232301 1983-1998 231202; 220502 1986-; 210202 1983-;"
    "210602 1983-; 410102 1983-; 412723 1983-1999 411623; 411302 1994-; 341202 1996-;"
    "342101 1983-1995 341202; 320302 1983-; 130202 1983-; 150102 1983-; 610103 1983-;"
    "420102 1983-; 510104 1990-; 512901 1983-1992 511302; 360102 1983-"
)
FIRST_CARDS_YEAR = 1985  # whoever is older got a number then, with the codes of that year


def calendar() -> list[Birthday]:
    """Birthdays by age in days, from `REFERENCE_DAY` back to `OLDEST_DAYS`."""
    days = []
    for back in range(OLDEST_DAYS + 1):
        day = REFERENCE_DAY - timedelta(days=back)
        compact = f"{day:%Y%m%d}"
        days.append(Birthday(compact, day.isoformat(), day.year, _weighted(compact, 6)))
    return days


def citizen_number(area: str, born: Birthday, *, sequence: int) -> str:
    """GB 11643: six digits of area, eight of birth, three of sequence (odd for men), a check."""
    digits = f"{sequence:03d}"
    total = _weighted(area, 0) + born.weighted + _weighted(digits, 14)
    return f"{area}{born.compact}{digits}{CHECK_DIGITS[total % 11]}"


def sequence_issuer() -> Callable[[int, int], int]:
    """Sequence numbers by (age in days, sex 0 male or 1 female), never twice for one birthday,
    so no number repeats anywhere, with 140 KB of memory instead of a set of all numbers."""
    issued = array("H", bytes(4 * (OLDEST_DAYS + 1)))

    def issue(days: int, sex: int) -> int:
        slot = 2 * days + sex
        turn = issued[slot]
        issued[slot] = turn + 1
        # 137 and 61 only scatter the order; 499 is prime, so each comes up once.
        return 2 * ((turn * 137 + days * 61) % SEQUENCES) + (1 if sex == 0 else 2)

    return issue


def other_document_issuer() -> Callable[[bool], tuple[str, str]]:
    """(kind, number) of a permit or a passport: a letter and eight scattered, unique digits."""
    numbers = count(1)

    def issue(permit: bool) -> tuple[str, str]:
        digits = f"{next(numbers) * 38_196_601 % 100_000_000:08d}"
        return (PERMIT, "H" + digits) if permit else (PASSPORT, "E" + digits)

    return issue


def phone_issuer() -> Callable[[], str]:
    """Unique phone numbers that nobody has: mobile numbers in China begin with 13 to 19, and no
    range is reserved for examples. What begins with 100 is an operator's five-digit hotline
    (10000, 10086), so eleven such digits reach no subscriber and no text message leaves."""
    numbers = count(1)

    def issue() -> str:
        return f"100{next(numbers) * 61_803_399 % 100_000_000:08d}"

    return issue


def places_by_year() -> dict[int, list[Place]]:
    """For each birth year the codes in force then, repeated by weight: draw one evenly."""
    places = [*_places(_NEAR, 8), *_places(_PROVINCE, 4), *_places(_FAR, 2)]
    oldest = (REFERENCE_DAY - timedelta(days=OLDEST_DAYS)).year
    by_year = {}
    for born in range(oldest, REFERENCE_DAY.year + 1):
        year = max(born, FIRST_CARDS_YEAR)
        in_force = [place for place in places if place.first <= year <= place.last]
        by_year[born] = [place for place in in_force for _ in range(place.weight)]
    return by_year


def _places(text: str, weight: int) -> list[Place]:
    found = []
    for entry in text.split(";"):
        code, years, *now = entry.split()
        first, _, last = years.partition("-")
        found.append(Place(weight, code, int(first), int(last or 9999), now[0] if now else code))
    return found


@cache
def _weighted(digits: str, position: int) -> int:
    return sum(int(digit) * WEIGHTS[position + i] for i, digit in enumerate(digits))
