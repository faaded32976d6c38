"""Tables on a screen. No figure and no id is ever cut or folded: where the screen is too narrow for
a table, its rows are written one below the other.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

FOLDED_WIDTH = 10  # texts are folded to no less; a date, or five characters
EDGES = 2
Cells = list[list[Any]]


def plain(value: Any, zone: str, word: Callable[[str], str] | None) -> Any:
    """A value for a table: a text, or a number as it is. `word` translates what is a word of ours."""
    match value:
        case None:
            return ""
        case bool():
            text = "yes" if value else "no"
            return word(text) if word else text
        case int() | float():
            return value
        case datetime():
            return value.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
        case list() | tuple():
            apart = "\n" if value and isinstance(value[0], UUID) else ", "
            return apart.join(str(plain(one, zone, word)) for one in value)
        case str() if word:
            return word(value)
        case _:
            return str(value)


def grid(rows: Cells, heads: Sequence[str], *, title: str, width: int) -> RenderableType:
    """The rows as a table of at most `width`, or else one below the other."""
    kept = [i for i in range(len(heads)) if not rows or any(row[i] != "" for row in rows)]
    heads = [heads[i] for i in kept]
    rows = [[row[i] for i in kept] for row in rows]
    columns = [[row[i] for row in rows] for i in range(len(heads))]
    widest = [max(map(_width, [head, *cells])) for head, cells in zip(heads, columns, strict=True)]
    least = [
        min(full, max([_least(cell) for cell in cells], default=0) or cell_len(head))
        for full, head, cells in zip(widest, heads, columns, strict=True)
    ]
    gaps = len(heads) - 1
    if sum(widest) + 3 * gaps <= width - EDGES:
        return _table(columns, heads, title=title, widths=widest, gap=3)
    room = width - EDGES - gaps
    if sum(least) > room:
        return _records(rows, heads, title=title)
    return _table(columns, heads, title=title, widths=_shrunk(widest, least, room), gap=1)


def _table(
    columns: Cells, heads: Sequence[str], *, title: str, widths: Sequence[int], gap: int
) -> Table:
    table = Table(
        title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False,
        padding=(0, gap // 2),
    )  # fmt: skip
    for head, cells, width in zip(heads, columns, widths, strict=True):
        is_number = bool(cells) and all(_is_number(cell) for cell in cells)
        table.add_column(
            head, justify="right" if is_number else "left", width=width, overflow="fold"
        )
    for row in zip(*columns, strict=True):
        table.add_row(*(Text(str(cell)) for cell in row))
    return table


def _records(rows: Cells, heads: Sequence[str], *, title: str) -> Group:
    parts: list[RenderableType] = [Text(title, style="italic")] if title else []
    for row in rows:
        record = Table.grid(padding=(0, 2))
        record.add_column(style="bold", no_wrap=True)
        record.add_column(overflow="fold")
        for head, cell in zip(heads, row, strict=True):
            if cell != "":
                record.add_row(head, Text(str(cell)))
        parts += [Text(), record]
    return Group(*parts, Text())


def _width(cell: Any) -> int:
    return max(cell_len(line) for line in str(cell).split("\n"))


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) or cell[-1:] == "%"


def _least(cell: Any) -> int:
    """How narrow a cell may get: figures and ids stay whole, texts are folded."""
    full = _width(cell)
    if _is_number(cell) or _is_id(cell):
        return full
    return min(full, FOLDED_WIDTH)


def _is_id(cell: str) -> bool:
    try:
        return len(cell) >= 36 and bool(UUID(cell[:36]))
    except ValueError:
        return False


def _shrunk(widest: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths that fit, taken from the widest columns first."""
    widths = list(widest)
    while sum(widths) > room:
        slack = [(width, i) for i, width in enumerate(widths) if width > least[i]]
        widths[max(slack)[1]] -= 1
    return widths
