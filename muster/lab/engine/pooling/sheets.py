"""A design and its Ct values from the text of two files, as instruments and people write them.

Design: a line a pool, 0 or 1 for each specimen; names in the first line and column, or none. Ct: a line a
pool, in the design's order or with its name. No signal: blank, "Undetermined", "N/A", "-". "31,5" is 31.5.
Fields are parted by commas, semicolons or tabs.
"""

import csv
import math
import re
from dataclasses import dataclass

from muster.lab.engine.pooling.faults import CtsUnfit, DesignUnfit, Why

MOST_POOLS, MOST_SPECIMENS = 2_000, 20_000
_NO_SIGNAL = {
    "",
    "undetermined",
    "undet",
    "undet.",
    "n/a",
    "na",
    "nan",
    "-",
    "--",
    "no ct",
    "noct",
    "未检出",
    "无",
}
_NUMBER = re.compile(r"\d{1,3}(?:[.,]\d+)?")


@dataclass(frozen=True)
class Design:
    """Which specimens are in which pools."""

    pools: tuple[str, ...]
    specimens: tuple[str, ...]
    holds: tuple[tuple[bool, ...], ...]


def read_design(text: str) -> Design:
    """The design of a file's text, or DesignUnfit."""
    rows = [row for row in _fields(text) if any(row)]
    head: list[str] | None = None
    if rows and any(cell not in ("0", "1") for cell in rows[0][1:] or rows[0]):
        head = rows.pop(0)
    if not rows:
        raise DesignUnfit(reason=Why("it has no pool", "没有混样"))
    named = (head is not None and not head[0]) or any(row[0] not in ("0", "1") for row in rows)
    pools = [row[0] if named else str(number) for number, row in enumerate(rows, 1)]
    cells = [row[1:] if named else row for row in rows]
    width = len(cells[0])
    for number, row in enumerate(cells, 1):
        if len(row) != width:
            raise DesignUnfit(
                reason=Why(
                    f"line {number} of the pools has {len(row)} fields, the first {width}",
                    f"第 {number} 个混样有 {len(row)} 格，第一个有 {width} 格",
                )
            )
        if any(cell not in ("0", "1") for cell in row):
            raise DesignUnfit(
                reason=Why(
                    f"line {number} of the pools holds something else than 0 and 1",
                    f"第 {number} 个混样含有 0、1 以外的内容",
                )
            )
    if not 1 <= width <= MOST_SPECIMENS or len(cells) > MOST_POOLS:
        raise DesignUnfit(
            reason=Why(
                f"there may be {MOST_POOLS} pools and {MOST_SPECIMENS} specimens at most",
                f"最多 {MOST_POOLS} 个混样、{MOST_SPECIMENS} 个标本",
            )
        )
    names = [str(i) for i in range(1, width + 1)] if head is None else head[len(head) - width :]
    if len(names) != width or len(set(names)) != width or len(set(pools)) != len(pools):
        raise DesignUnfit(reason=Why("names are missing or stand there twice", "名称缺失或重复"))
    for i, name in enumerate(names):
        if not any(row[i] == "1" for row in cells):
            raise DesignUnfit(
                reason=Why(f"specimen {name} is in no pool", f"标本 {name} 不在任何混样中")
            )
    holds = tuple(tuple(cell == "1" for cell in row) for row in cells)
    return Design(tuple(pools), tuple(names), holds)


def read_cts(text: str, design: Design) -> list[float | None]:
    """A Ct for each pool of the design, None without a signal; CtsUnfit where that cannot be told."""
    lines = text.lstrip("\ufeff").splitlines()
    known = set(design.pools)
    rows = [(number, _ct_line(line, known)) for number, line in enumerate(lines, 1)]
    if any(name is not None for _, (name, _) in rows):
        found: dict[str, float | None] = {}
        for number, (name, value) in rows:
            if name is None:
                if number == 1 or not lines[number - 1].strip():
                    continue  # a head, a blank line
                raise CtsUnfit(
                    reason=Why(
                        f"line {number} names no pool of the design",
                        f"第 {number} 行的混样不在设计中",
                    )
                )
            if name in found:
                raise CtsUnfit(
                    reason=Why(f"pool {name} stands there twice", f"混样 {name} 出现两次")
                )
            found[name] = _ct(value, number)
        missing = [pool for pool in design.pools if pool not in found]
        if missing:
            raise CtsUnfit(
                reason=Why(
                    f"{len(missing)} pools are missing, the first {missing[0]}",
                    f"缺少 {len(missing)} 个混样，第一个是 {missing[0]}",
                )
            )
        return [found[pool] for pool in design.pools]
    if len(rows) == len(design.pools) + 1 and not _is_value(rows[0][1][1]):
        rows = rows[1:]
    if len(rows) != len(design.pools):
        raise CtsUnfit(
            reason=Why(
                f"there are {len(rows)} values for {len(design.pools)} pools",
                f"{len(design.pools)} 个混样却有 {len(rows)} 个值",
            )
        )
    return [_ct(value, number) for number, (_, value) in rows]


def _ct_line(line: str, known: set[str]) -> tuple[str | None, str]:
    parting = next((mark for mark in "\t;" if mark in line), ",")
    fields = [cell.strip() for cell in next(csv.reader([line], delimiter=parting), [])]
    if fields and fields[0] in known and (len(fields) > 1):
        pair = len(fields) == 2 and all(cell.isdigit() for cell in fields) and len(fields[0]) == 2
        if not (pair and parting == ","):
            return fields[0], ".".join(cell for cell in fields[1:] if cell)
    return None, ".".join(fields)


def _is_value(text: str) -> bool:
    return text.strip().casefold() in _NO_SIGNAL or _NUMBER.fullmatch(text.strip()) is not None


def _ct(text: str, number: int) -> float | None:
    text = text.strip()
    if text.casefold() in _NO_SIGNAL:
        return None
    value = float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else math.nan
    if not 0 < value <= 60:
        raise CtsUnfit(
            reason=Why(
                f"line {number} is neither a Ct from 0 to 60 nor a word for no signal",
                f"第 {number} 行既不是 0 至 60 的 Ct，也不是“无信号”",
            )
        )
    return value


def _fields(text: str) -> list[list[str]]:
    text = text.lstrip("\ufeff")
    first = text.partition("\n")[0]
    parting = next((mark for mark in "\t;" if mark in first), ",")
    return [
        [cell.strip() for cell in row] for row in csv.reader(text.splitlines(), delimiter=parting)
    ]
