"""A design and its Ct values from the text of two files, as instruments and people write them.

Design: a line a pool, 0 or 1 for each specimen; names in the first line and column, or none. Ct: a line a
pool, in the design's order or with its name. No signal: blank, "Undetermined", "N/A", "-". "31,5" is 31.5.
Fields are parted by commas, semicolons or tabs.
"""

import csv
import math
import re
from dataclasses import dataclass

from muster.lab.engine.pooling.faults import CtsUnfit, DesignUnfit

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
        raise DesignUnfit(reason="it has no pool")
    named = (head is not None and not head[0]) or any(row[0] not in ("0", "1") for row in rows)
    pools = [row[0] if named else str(number) for number, row in enumerate(rows, 1)]
    cells = [row[1:] if named else row for row in rows]
    width = len(cells[0])
    for number, row in enumerate(cells, 1):
        if len(row) != width:
            raise DesignUnfit(
                reason=f"line {number} of the pools has {len(row)} fields, the first {width}"
            )
        if any(cell not in ("0", "1") for cell in row):
            raise DesignUnfit(
                reason=f"line {number} of the pools holds something else than 0 and 1"
            )
    if not 1 <= width <= MOST_SPECIMENS or len(cells) > MOST_POOLS:
        raise DesignUnfit(
            reason=f"there may be {MOST_POOLS} pools and {MOST_SPECIMENS} specimens at most"
        )
    names = [str(i) for i in range(1, width + 1)] if head is None else head[len(head) - width :]
    if len(names) != width or len(set(names)) != width or len(set(pools)) != len(pools):
        raise DesignUnfit(reason="names are missing or stand there twice")
    for i, name in enumerate(names):
        if not any(row[i] == "1" for row in cells):
            raise DesignUnfit(reason=f"specimen {name} is in no pool")
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
                raise CtsUnfit(reason=f"line {number} names no pool of the design")
            if name in found:
                raise CtsUnfit(reason=f"pool {name} stands there twice")
            found[name] = _ct(value, number)
        missing = [pool for pool in design.pools if pool not in found]
        if missing:
            raise CtsUnfit(reason=f"{len(missing)} pools are missing, the first {missing[0]}")
        return [found[pool] for pool in design.pools]
    if len(rows) == len(design.pools) + 1 and not _is_value(rows[0][1][1]):
        rows = rows[1:]
    if len(rows) != len(design.pools):
        raise CtsUnfit(reason=f"there are {len(rows)} values for {len(design.pools)} pools")
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
            reason=f"line {number} is neither a Ct from 0 to 60 nor a word for no signal"
        )
    return value


def _fields(text: str) -> list[list[str]]:
    text = text.lstrip("\ufeff")
    first = text.partition("\n")[0]
    parting = next((mark for mark in "\t;" if mark in first), ",")
    return [
        [cell.strip() for cell in row] for row in csv.reader(text.splitlines(), delimiter=parting)
    ]
