"""A sheet: what a report says, in one language, whatever it is put into: a page, a PDF, a table file.
Cells are numbers or texts; numbers get their separators where they are shown.
"""

from typing import Any, Literal

import msgspec

Cell = int | str | None


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Something said at the head of a sheet."""

    label: str
    value: str


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a section. `number`: aligned at its end; `wide`: takes what room is left."""

    label: str
    number: bool = True
    wide: bool = False


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a sheet: a table, or a few figures as rows of (label, value, note). `strong`: rows that
    are sums or headings."""

    title: str
    columns: list[Column]
    rows: list[list[Cell]]
    form: Literal["table", "figures"] = "table"
    note: str = ""
    strong: list[int] = []


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """Who answers for the sheet, and since when; empty for a place still to be signed."""

    name: str = ""
    at: str = ""


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A report as it is read. `findings`: what does not add up, to be printed on it. `draft`: not
    frozen, or not yet signed by all who must."""

    title: str
    subtitle: str
    facts: list[Fact]
    sections: list[Section]
    findings: list[str]
    findings_title: str
    signatures: list[Signed]
    signatures_title: str
    proof: str
    foot: str
    draft: str = ""


def printable(sheet: Sheet, language: str) -> dict[str, Any]:
    """The sheet as its template takes it: every cell a text."""
    told = msgspec.to_builtins(sheet)
    for section in told["sections"]:
        section["rows"] = [[shown(cell) for cell in row] for row in section["rows"]]
    return told | {"language": language}


def shown(cell: Cell) -> str:
    """A cell as a text."""
    if cell is None:
        return "–"
    return f"{cell:,}" if isinstance(cell, int) else cell
