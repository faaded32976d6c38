"""What is written in one cell of a run file: a Ct, a well, a kind of well."""

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Final, Literal

from muster.core.text import clean, fold
from muster.instruments.run_file import PlateSize, Role

CT_LIMIT_MILLI = 60_000

NOT_RUN: Final = "not run"

# The instrument looked and found no curve. An empty Ct beside a sample means the same: several
# makes leave the cell blank.
_NO_CURVE = frozenset(
    fold(text)
    for text in (
        "", "Undetermined", "Undet", "Undet.", "NoCt", "No Ct", "NoCq", "No Cq", "N/A", "NA", "NaN",
        "-", "--", "---", "—", "/", "\\", "Not detected", "未检出", "未检测到", "无", "无Ct", "无Ct值",
        "无Cq", "无扩增",
    )
)  # fmt: skip
# The well was not measured, or the operator took it out: it must never pass for a negative.
_NOT_RUN = frozenset(
    fold(text)
    for text in (
        "Not run", "Not tested", "N/T", "Omit", "Omitted", "Excluded", "Failed", "Error",
        "未检测", "未检", "未测", "未运行", "排除", "剔除", "失败",
    )
)  # fmt: skip
# One mark between digits can only be the decimal one: no Ct reaches a thousand.
_NUMBER = re.compile(r"(\d{1,2})(?:[.,](\d+))?")


@lru_cache(4096)
def ct_milli(text: str) -> int | Literal["not run", "unreadable"] | None:
    """A Ct in thousandths; None for no curve.

    "23,45" is 23.45. "1,234.5", a sign, an exponent, 0 and anything above 60 are unreadable.
    """
    text = clean(text)
    if number := _NUMBER.fullmatch(text):
        whole, part = number.groups()
        exact = Decimal(f"{whole}.{part or 0}") * 1000
        milli = int(exact.to_integral_value(ROUND_HALF_EVEN))
        return milli if 0 < milli <= CT_LIMIT_MILLI else "unreadable"
    folded = fold(text)
    if folded in _NO_CURVE:
        return None
    return NOT_RUN if folded in _NOT_RUN else "unreadable"


_YES = frozenset(map(fold, ("true", "yes", "y", "1", "x", "omit", "omitted", "excluded", "是")))
_NO = frozenset(map(fold, ("", "false", "no", "n", "0", "否", "-")))


def is_yes(text: str) -> bool:
    """Whether a cell such as Omit is ticked. Anything that is not clearly no counts as yes."""
    folded = fold(text)
    return folded in _YES or folded not in _NO


_WELL = re.compile(r"([A-P])(\d{1,2})|(\d{1,2})([A-P])")
COLUMNS: Final[dict[int, int]] = {96: 12, 384: 24}


@lru_cache(4096)
def well(text: str) -> str | None:
    """ "a1", "A 01", "Ａ１" and "1A" as "A01"; None if it is no well of any plate."""
    match = _WELL.fullmatch(clean(text).upper().replace(" ", ""))
    if match is None:
        return None
    row, column = match[1] or match[4], int(match[2] or match[3])
    return f"{row}{column:02}" if 1 <= column <= 24 else None


def numbered_well(number: int, size: PlateSize, by: Literal["row", "column"]) -> str | None:
    """Well 13 of 96 is B01 when counted by row, E02 when counted by column."""
    if not 1 <= number <= size:
        return None
    columns = COLUMNS[size]
    rows = size // columns
    row, column = divmod(number - 1, columns) if by == "row" else divmod(number - 1, rows)[::-1]
    return f"{chr(65 + row)}{column + 1:02}"


def fits(place: str, size: PlateSize) -> bool:
    columns = COLUMNS[size]
    return int(place[1:]) <= columns and ord(place[0]) - 65 < size // columns


def well_number(text: str) -> int | None:
    """The number in "13" or "13.0", as spreadsheets write it."""
    match = re.fullmatch(r"(\d{1,3})(?:\.0+)?", clean(text))
    return int(match[1]) if match else None


# IPC is a target within the sample's own well; a blocked one stands in a control well.
_ROLES: Final[dict[Role, tuple[str, ...]]] = {
    "sample": (
        "", "Unknown", "Unkn", "Unk", "Sample", "Test", "IPC", "Target", "TARG", "Endogenous Control",
        "ENDC", "样本", "样品", "标本", "待测", "待测样本", "待测样品", "未知", "未知样本", "未知样品",
        "普通样本", "检测样本", "-",
    ),
    "positive_control": (
        "Positive Control", "POSITIVE_CONTROL", "Positive", "Pos", "Pos Ctrl", "PC", "Pos Control",
        "阳性对照", "阳性质控", "阳性质控品", "阳性对照品", "阳控", "阳性", "强阳性对照", "弱阳性对照",
    ),
    "negative_control": (
        "Negative Control", "NEGATIVE_CONTROL", "Negative", "Neg", "Neg Ctrl", "NC", "Neg Control",
        "NRT", "NAC", "NTP", "BLOCKED_IPC", "BLOCKEDIPC", "阴性对照", "阴性质控", "阴性质控品",
        "阴性对照品", "阴控", "阴性",
    ),
    "no_template_control": (
        "NTC", "No Template Control", "Blank", "NAC/NTC", "空白", "空白对照", "无模板对照",
    ),
    "standard": ("Standard", "Std", "STND", "标准品", "标准", "定标品", "校准品"),
}  # fmt: skip
_ROLE_OF: Final[dict[str, Role]] = {
    fold(text): role for role, texts in _ROLES.items() for text in texts
}
_NUMBERED = re.compile(r"[-_ ]*\d{1,3}$")  # CFX counts replicates: "Unkn-01"


def role_reader(extra: Mapping[Role, tuple[str, ...]]) -> Callable[[str], Role | None]:
    """A function from a cell to the role it names, None if it names none.

    `extra` are words of one make; they go before the common ones.
    """
    known = dict(_ROLE_OF)
    for role, texts in extra.items():
        known |= {fold(text): role for text in texts}

    def role_of(text: str) -> Role | None:
        return known.get(fold(text)) or known.get(fold(_NUMBERED.sub("", clean(text))))

    return role_of
