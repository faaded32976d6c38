"""Looking at a file before it is fed: how it is written, which of its columns are which of our fields, and
what kind of table it seems to be. Nothing is raised for columns that are missing: they are told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from muster.core.text import clean
from muster.intake.csv_source import CsvSource
from muster.intake.faults import Limits
from muster.intake.tables import Column, Header, best_header, source_of

EXAMPLES = 5
EXAMPLE_CHARACTERS = 80
COLUMNS_SHOWN = 200

Records = list[tuple[int, list[str]]]


class Surveyed(msgspec.Struct, frozen=True):
    """A file's beginning, in each way it may be read: by separator, or sheet by sheet."""

    format: str  # csv or xlsx
    encoding: str | None
    heads: list[tuple[str, Records]]


class FoundColumn(msgspec.Struct, frozen=True):
    """A column of the file: its header, the field it is taken for, and what stands in it."""

    header: str
    field: str | None
    examples: list[str]


class WantedField(msgspec.Struct, frozen=True):
    """A field of ours: the header that was found or chosen for it, and the headers it is known by."""

    field: str
    zh: str
    required: bool
    header: str | None
    known_by: list[str]


class Looked(msgspec.Struct, frozen=True):
    """What a file looks like as a table of some kind. `missing`: required fields without a column;
    `repeated`: fields for which several columns would do."""

    format: str
    encoding: str | None
    part: str  # the separator, or the sheet's name
    header_line: int
    columns: list[FoundColumn]
    fields: list[WantedField]
    missing: list[str]
    repeated: dict[str, list[str]]

    @property
    def fits(self) -> tuple[bool, int]:
        """How well it fits: whether everything needed is there, and how many fields are."""
        return not self.missing and not self.repeated, sum(
            one.header is not None for one in self.fields
        )


def survey(path: Path, limits: Limits) -> Surveyed:
    """The beginning of a file. Raises what `open_table` says of the whole file."""
    source = source_of(path, limits)
    try:
        is_text = isinstance(source, CsvSource)
        encoding = source.encoding if is_text else None
        return Surveyed("csv" if is_text else "xlsx", encoding, list(source.candidates()))
    finally:
        source.close()


def chosen(columns: Sequence[Column], choice: Mapping[str, str | None] | None) -> list[Column]:
    """The columns under the headers that somebody chose; a field without one is in no column."""
    if choice is None:
        return list(columns)
    return [
        replace(one, aliases=tuple(filter(None, [choice.get(one.name)])), chosen=True)
        for one in columns
    ]


def look(
    surveyed: Surveyed, columns: Sequence[Column], choice: Mapping[str, str | None] | None = None
) -> Looked:
    """The file as a table of these columns."""
    header, records = _header(surveyed, chosen(columns, choice))
    field_at = {index: name for name, index in header.positions.items()}
    for name, indexes in header.repeated.items():
        field_at |= dict.fromkeys(indexes, name)
    below = [cells for line, cells in records if line > header.line and any(cells)][:EXAMPLES]
    found = [
        FoundColumn(text, field_at.get(index), [
            clean(cells[index])[:EXAMPLE_CHARACTERS] for cells in below if index < len(cells)
        ])
        for index, text in enumerate(header.cells[:COLUMNS_SHOWN])
        if text.strip()
    ]  # fmt: skip
    fields = [
        WantedField(
            one.name, one.aliases[0] if one.aliases else one.name, one.required,
            header.cells[header.positions[one.name]] if one.name in header.positions else None,
            [one.name, *one.aliases],
        )
        for one in columns
    ]  # fmt: skip
    return Looked(
        format=surveyed.format, encoding=surveyed.encoding, part=str(header.choice),
        header_line=header.line, columns=found, fields=fields,
        missing=[one.field for one in fields if one.required and one.header is None],
        repeated={
            name: [header.cells[index] for index in indexes]
            for name, indexes in header.repeated.items()
        },
    )  # fmt: skip


def _header(surveyed: Surveyed, columns: Sequence[Column]) -> tuple[Header, Records]:
    """The row of headers, with the records it stands among; the widest row where none is ours."""
    heads = dict(surveyed.heads)
    best, _ = best_header(columns, surveyed.heads)
    if best is not None:
        return best, heads[best.choice]
    lines = (
        (sum(map(bool, cells)), choice, line, cells)
        for choice, records in surveyed.heads
        for line, cells in records
    )
    _, choice, line, cells = max(lines, key=lambda one: one[0], default=(0, "", 1, []))
    return Header(choice, line, cells, {}, {}), heads.get(choice, [])
