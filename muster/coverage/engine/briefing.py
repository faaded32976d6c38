"""A briefing's table as people write it: columns by any of their names, 45.3万, 68.8%, words where a
figure is missing. What it was rounded to is read from how it is written.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Literal

from muster.coverage.engine.plausible import Line

HEADS = {
    "name": ("区域", "地区", "单位", "名称", "区", "街道", "area", "name", "district"),
    "involved": ("涉及", "应检", "应采", "总人数", "人口", "involved", "expected", "people"),
    "sampled": ("采样", "已采", "已检", "sampled"),
    "resulted": ("结果", "检测", "results", "resulted", "tested"),
    "share": ("比例", "占比", "完成率", "采样率", "率", "share", "%"),
}
TOTALS = ("合计", "总计", "全市", "全区", "小计", "total", "sum", "all")
SCALES = {"亿": 10**8, "万": 10**4, "千": 10**3, "": 1}
_NUMBER = re.compile(r"([\d,，\s]*\d(?:\.\d+)?)\s*(亿|万|千)?\s*(?:余|多)?\s*(?:人次|人)?")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*[%％]?")
Reason = Literal["no_name_column", "no_figures", "not_a_number", "two_totals", "no_name"]


@dataclass(frozen=True)
class Unread:
    """A cell or row that could not be read; `row` counts from 1, the heading included."""

    row: int
    reason: Reason
    text: str


@dataclass
class Read:
    """What a table says. `words`: by name, what was said in words only."""

    total: Line | None = None
    parts: list[Line] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)
    rounded_to: int = 1
    unread: list[Unread] = field(default_factory=list)


def read(text: str) -> Read:
    """The lines of a table in CSV or with tabs; the first row is its heading."""
    rows = [[cell.strip() for cell in row] for row in _rows(text)]
    found = Read()
    if not rows:
        found.unread.append(Unread(1, "no_figures", ""))
        return found
    columns = _columns(rows[0])
    if "name" not in columns or not columns.keys() - {"name"}:
        reason: Reason = "no_figures" if "name" in columns else "no_name_column"
        found.unread.append(Unread(1, reason, " ".join(rows[0])))
        return found
    for number, row in enumerate(rows[1:], 2):
        if any(row):
            _line(found, number, {name: row[n] for name, n in columns.items() if n < len(row)})
    return found


def _rows(text: str) -> Sequence[list[str]]:
    text = text.removeprefix("\ufeff").strip()
    head = text.partition("\n")[0]
    mark = max("\t,;，；", key=head.count)
    if mark in "，；":
        text, mark = text.replace(mark, "\t"), "\t"
    return list(csv.reader(text.splitlines(), delimiter=mark)) if text else []


def _columns(heads: Sequence[str]) -> dict[str, int]:
    """Which column is which: by its whole name first, else by a part of it."""
    found: dict[str, int] = {}
    for fits in (lambda one, head: head == one, lambda one, head: one in head):
        for name, words in HEADS.items():
            for n, head in enumerate(heads):
                taken = name in found or n in found.values()
                if not taken and any(fits(one, head.lower()) for one in words):
                    found[name] = n
    return found


def _line(found: Read, number: int, cells: dict[str, str]) -> None:
    name = cells.get("name", "")
    if not name:
        found.unread.append(Unread(number, "no_name", ""))
        return
    said: dict[str, int | None] = {}
    for figure in ("involved", "sampled", "resulted"):
        said[figure] = _figure(found, number, name, cells.get(figure, ""))
    line = Line(name, **said, share_permille=_share(found, number, name, cells.get("share", "")))
    if name.lower() not in TOTALS and not name.endswith(("合计", "总计")):
        found.parts.append(line)
    elif found.total is None:
        found.total = line
    else:
        found.unread.append(Unread(number, "two_totals", name))


def _figure(found: Read, number: int, name: str, text: str) -> int | None:
    if text in ("", "-", "–", "—", "/"):
        return None
    match = _NUMBER.fullmatch(text)
    if match is None:
        _say(found, number, name, text)
        return None
    digits, scale = re.sub(r"[,，\s]", "", match[1]), SCALES[match[2] or ""]
    decimals = len(digits.partition(".")[2])
    try:
        value = Decimal(digits) * scale
    except InvalidOperation:
        value = Decimal("0.5")
    if value != value.to_integral_value():
        found.unread.append(Unread(number, "not_a_number", text))
        return None
    found.rounded_to = max(found.rounded_to, scale // 10**decimals or 1)
    return int(value)


def _share(found: Read, number: int, name: str, text: str) -> int | None:
    if text in ("", "-", "–", "—", "/"):
        return None
    match = _SHARE.fullmatch(text)
    if match is None:
        _say(found, number, name, text)
        return None
    return round(Decimal(match[1]) * 10)


def _say(found: Read, number: int, name: str, text: str) -> None:
    """Words are kept; what looks like a number and is none is a fault."""
    if any(one.isdigit() for one in text):
        found.unread.append(Unread(number, "not_a_number", text))
    else:
        found.words[name] = text[:120]
