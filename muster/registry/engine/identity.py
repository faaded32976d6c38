"""Identity documents: is the number well formed, of what kind is it, what does it say.

A number that passes may still belong to nobody; one that fails was mistyped. The number of a
document never appears in a reason: reasons go to logs and lists that more people see.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from operator import mul
from typing import Literal

from muster.core.text import clean, fold

# kind: English name, then the Chinese names under which offices list it.
KINDS: dict[str, tuple[str, ...]] = {
    "resident_id": (
        "resident identity card", "居民身份证", "身份证", "身份证号", "公民身份号码", "二代身份证",
        "户口簿", "户口本", "临时身份证", "港澳台居民居住证", "港澳居民居住证", "台湾居民居住证",
    ),
    "foreign_permanent": (
        "foreign permanent resident identity card", "外国人永久居留身份证", "外国人永久居留证",
        "永久居留证", "永居证", "五星卡",
    ),
    "passport": ("passport", "护照", "普通护照", "外国护照", "中国护照", "因公护照"),
    "hk_macao_permit": (
        "mainland travel permit for Hong Kong and Macao residents", "港澳居民来往内地通行证",
        "港澳通行证", "港澳居民通行证", "回乡证",
    ),
    "taiwan_permit": (
        "mainland travel permit for Taiwan residents", "台湾居民来往大陆通行证",
        "台湾通行证", "台湾居民通行证", "台胞证",
    ),
    "military": (
        "military identity card", "军官证", "士兵证", "军人证", "军人身份证", "文职干部证",
        "军队证件", "武警警官证", "警官证",
    ),
    "birth_certificate": ("birth certificate", "出生医学证明", "出生证明", "出生证"),
    "other": ("other document", "其他", "其他证件", "其它", "其它证件", "无证件"),
}  # fmt: skip

# The names above are simplified and clean already: folded without loading a converter.
_KIND_OF_NAME = {
    name.casefold().replace(" ", "").replace("_", ""): kind
    for kind, names in KINDS.items()
    for name in (kind, *names)
}

Sex = Literal["male", "female"]


@dataclass(frozen=True, slots=True)
class Document:
    """One document. `number` is the normalised form, also when it is not valid.

    `reason` is None or one of: empty, kind, length, characters, area, birth_date, future_birth,
    check_digit.
    """

    valid: bool
    kind: str
    number: str
    reason: str | None
    birth_date: date | None
    sex: Sex | None


def check(number: str, kind: str | None = None, *, today: date | None = None) -> Document:
    """The document that `number` is. `kind` is a key of KINDS or one of its names; None infers it.

    `today` decides what is a birth in the future; without it, the date in China now.
    """
    if today is None:
        today = datetime.now(_CHINA).date()
    if not (number.isascii() and number.isalnum()):
        number = _normalised(number)
    number = number.upper()
    if kind is None:
        kind = "resident_id" if len(number) == 18 and number[:17].isdigit() else _inferred(number)
    elif kind not in KINDS:
        known = kind_named(kind)
        if known is None:
            return Document(False, "other", number, "kind", None, None)
        kind = known
    if not number:
        return Document(False, kind, number, "empty", None, None)
    return _CHECKS[kind](number, kind, today)


def kind_named(name: str) -> str | None:
    """The kind with this key or name, in English or Chinese of either script."""
    return _KIND_OF_NAME.get(fold(name))


# A mobile number, or a resident's of either length. Codes of areas have 6, 9 or 12 digits.
_PERSONAL = re.compile(r"(?<!\d)(?:\d{11}|\d{15}|\d{17}[\dXx])(?!\d)", re.ASCII)


def is_personal(text: str, name: str) -> bool:
    """Whether a text that goes into the ledger, such as a room, holds what belongs in the vault only."""
    if len(text) >= 11 and _PERSONAL.search(text):
        return True
    return len(name) > 1 and name in text


_CHINA = timezone(timedelta(hours=8))
# What people put between groups of digits, and Excel's mark for "this is text".
_SEPARATORS = str.maketrans("", "", " -‐‑‒–—_.·'’‘`\"")


def _normalised(number: str) -> str:
    return clean(number).translate(_SEPARATORS)


# GB 11643-1999: ISO 7064 MOD 11-2 over seventeen digits.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_ZEROS = ord("0") * sum(_WEIGHTS)  # the digits are summed as character codes

# Province-level codes of GB/T 2260. The rest of the area code is the place of first registration,
# often a county that no longer exists, so it is not looked up. 71 is Taiwan as a province; 81, 82
# and 83 are the residence permits of people from Hong Kong, Macao and Taiwan.
_PROVINCES = frozenset(
    f"{tens}{ones}"
    for tens, last in ((1, 5), (2, 3), (3, 7), (4, 6), (5, 4), (6, 5), (7, 1), (8, 3))
    for ones in range(0 if tens == 5 else 1, last + 1)
)

# The oldest verified life lasted 122 years, and eighteen-digit numbers were first given in 1999:
# nobody who received one was born before 1880, so an earlier year is a slip of the finger.
_EARLIEST_BIRTH = date(1880, 1, 1)


def _check_resident(number: str, kind: str, today: date) -> Document:
    if len(number) == 15 and number.isdigit():
        number = _upgraded(number)
    elif len(number) == 15 and _FOREIGN_OLD.fullmatch(number):
        return _check_foreign(number, "foreign_permanent", today)
    if len(number) != 18:
        return Document(False, kind, number, "length", None, None)
    digits = number[:17]
    if not (number.isascii() and digits.isdigit() and number[17] in "0123456789X"):
        return Document(False, kind, number, "characters", None, None)
    if number[0] == "9":  # its holders, too, call it their identity card
        kind = "foreign_permanent"
        province = number[1:3]
    else:
        province = number[:2]
    if province not in _PROVINCES:
        return Document(False, kind, number, "area", None, None)
    try:
        born = date.fromisoformat(number[6:14])
    except ValueError:
        return Document(False, kind, number, "birth_date", None, None)
    if born < _EARLIEST_BIRTH:
        return Document(False, kind, number, "birth_date", None, None)
    if born > today:
        return Document(False, kind, number, "future_birth", None, None)
    if check_digit(digits) != number[17]:
        return Document(False, kind, number, "check_digit", None, None)
    return Document(True, kind, number, None, born, "male" if number[16] in "13579" else "female")


def _upgraded(number: str) -> str:
    """A fifteen-digit number of GB 11643-1989 as eighteen digits.

    The century is 19. That standard kept the sequences 996 to 999 for people who were already a
    hundred years old; none of them is alive.
    """
    digits = f"{number[:6]}19{number[6:]}"
    return digits + check_digit(digits)


def check_digit(digits: str) -> str:
    """The eighteenth character for seventeen digits."""
    return _CHECK_DIGITS[(sum(map(mul, _WEIGHTS, digits.encode())) - _ZEROS) % 11]


# The card of 2017: nationality, place, birth date without century, sex, check digit.
_FOREIGN_OLD = re.compile(r"[A-Z]{3}\d{4}(\d{2})(\d{2})(\d{2})\d{2}", re.ASCII)


def _check_foreign(number: str, kind: str, today: date) -> Document:
    """The card of 2023 (9, province, country, birth date, sequence, check) or the one before."""
    if len(number) == 18:
        if number[0] != "9":
            return Document(False, kind, number, "area", None, None)
        return _check_resident(number, kind, today)
    if len(number) != 15:
        return Document(False, kind, number, "length", None, None)
    old = _FOREIGN_OLD.fullmatch(number)
    if old is None:
        return Document(False, kind, number, "characters", None, None)
    year, month, day = map(int, old.groups())
    try:  # without a century there is no birth date, but 30 February is still wrong
        date(2000 + year if year % 4 == 0 else 1900 + year, month, day)
    except ValueError:
        return Document(False, kind, number, "birth_date", None, None)
    return Document(True, kind, number, None, None, None)


_FORMS: dict[str, tuple[re.Pattern[str], frozenset[int]]] = {
    # kind: form, lengths. A right length with a wrong form is reported as wrong characters.
    "passport": (re.compile(r"(?=.*\d)[A-Z0-9]+", re.ASCII), frozenset(range(5, 16))),
    "hk_macao_permit": (re.compile(r"[HM]\d+", re.ASCII), frozenset({9, 11})),
    "taiwan_permit": (re.compile(r"\d+", re.ASCII), frozenset({8, 10})),
    "military": (re.compile(r"[\u4e00-\u9fffA-Z]*\d[\dA-Z]*号?"), frozenset(range(5, 21))),
    "birth_certificate": (re.compile(r"[A-Z]\d+", re.ASCII), frozenset({10})),
    "other": (re.compile(r".+"), frozenset(range(1, 41))),
}


def _check_form(number: str, kind: str, today: date) -> Document:
    form, lengths = _FORMS[kind]
    reason = None
    if len(number) not in lengths:
        reason = "length"
    elif not form.fullmatch(number):
        reason = "characters"
    return Document(reason is None, kind, number, reason, None, None)


_CHECKS: dict[str, Callable[[str, str, date], Document]] = {
    **dict.fromkeys(_FORMS, _check_form),
    "resident_id": _check_resident,
    "foreign_permanent": _check_foreign,
}

# In this order; what is nearly a resident's number counts as one, so that a lost digit is found.
_INFERENCES = (
    ("foreign_permanent", re.compile(r"9\d{16}[\dX]|[A-Z]{3}\d{12}", re.ASCII)),
    ("resident_id", re.compile(r"\d{12,19}X?|(?=(?:\D?\d){13})\w{17,19}", re.ASCII)),
    ("hk_macao_permit", re.compile(r"[HM](?:\d{8}|\d{10})", re.ASCII)),
    ("taiwan_permit", re.compile(r"\d{8}|\d{10}", re.ASCII)),
    ("birth_certificate", re.compile(r"[A-Z]\d{9}", re.ASCII)),
    ("passport", re.compile(r"[A-Z]{1,2}\d{6,8}", re.ASCII)),
    ("military", re.compile(r"[\u4e00-\u9fff]{1,3}字第?\d[\dA-Z]*号?")),
)


def _inferred(number: str) -> str:
    for kind, form in _INFERENCES:
        if form.fullmatch(number):
            return kind
    return "other"
