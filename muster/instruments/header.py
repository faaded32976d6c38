"""Finding the table in a grid: which mapping fits, in which row its header is, which column is
which field."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from weakref import WeakKeyDictionary

from muster.core.text import clean, fold
from muster.instruments.faults import RunColumnMissing, RunColumnRepeated, RunSectionMissing
from muster.instruments.grid import Grid, Row
from muster.instruments.mapping import Field, Mapping, needed_fields

HEADER_ROWS = 100  # Thermo writes up to fifty rows of calibrations before the table
_CYRILLIC = str.maketrans({"т": "t", "с": "c", "Т": "t", "С": "c"})  # "Cт" of Thermo's exports
_REMARK = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|[*※:]")


@lru_cache(8192)
def key(header: str) -> str:
    """The form in which headers are compared."""
    return fold(header[:200]).translate(_CYRILLIC)


@lru_cache(8192)
def bare(header: str) -> str:
    """The same without remarks: "Ct(cycles)*" as "ct"."""
    return _REMARK.sub("", key(header))


@dataclass(frozen=True, slots=True)
class Table:
    """A table found in a grid. `picks` are the columns of each field, the preferred first; `wide`
    the columns of each target in a wide layout."""

    mapping: Mapping
    grid: Grid
    before: list[Row]
    line: int
    headers: list[str]
    rows: list[Row]
    picks: dict[Field, list[int]]
    wide: dict[str, int]


def find_table(grid: Grid, mapping: Mapping) -> Table | None:
    """The mapping's table in a grid, None if the mapping is not for it.

    Raises RunColumnMissing and RunSectionMissing if it surely is, but its table is not whole.
    """
    part, before = grid, None
    if mapping.section and len(grid.sections) > 1:
        before = grid.sections[""].rows
        if mapping.section not in grid.sections:
            if _is_surely(mapping, before):
                line = grid.rows[-1][0]
                raise RunSectionMissing(file=grid.file, line=line, section=mapping.section)
            return None
        part = grid.sections[mapping.section]
    best: tuple[int, Table] | None = None
    for index, names in enumerate(_names(part)):
        if len(names.exact) < 2:
            continue
        line, headers = part.rows[index]
        picks, wide = _picks(mapping, names), _wide(mapping, names, headers)
        count = len(picks) + len(wide)
        if count > (best[0] if best else 1):
            leading = part.rows[:index] if before is None else before
            rows = part.rows[index + 1 :]
            best = count, Table(mapping, part, leading, line, headers, rows, picks, wide)
    if best is None:
        return None
    return _whole(best[1])


@dataclass(frozen=True, slots=True)
class _Names:
    """The columns of a row by what stands in them: as it is, and without remarks."""

    exact: dict[str, list[int]]
    bare: dict[str, list[int]]


_NAMES: WeakKeyDictionary[Grid, list[_Names]] = WeakKeyDictionary()


def _names(grid: Grid) -> list[_Names]:
    """Of the rows among which a header may be; once for all mappings."""
    names = _NAMES.get(grid)
    if names is None:
        names = _NAMES[grid] = [_named(headers) for _, headers in grid.rows[:HEADER_ROWS]]
    return names


def _named(headers: Sequence[str]) -> _Names:
    exact: dict[str, list[int]] = {}
    without: dict[str, list[int]] = {}
    for index, header in enumerate(headers):
        if header:
            exact.setdefault(key(header), []).append(index)
            without.setdefault(bare(header), []).append(index)
    return _Names(exact, without)


def _whole(table: Table) -> Table | None:
    mapping = table.mapping
    lacking = _lacking(table)
    is_surely = _is_surely(mapping, table.before)
    if not is_surely:
        if mapping.recognise.surely and not (mapping.recognise.headers or mapping.recognise.text):
            return None
        keys = {key(header) for header in table.headers}
        is_known = {key(header) for header in mapping.recognise.headers} <= keys
        if lacking or not is_known or not _has_texts(mapping, table.before):
            return None
    for field in lacking:
        accepted = mapping.columns.get(field) or (mapping.wide.pattern, *mapping.wide.columns)
        raise RunColumnMissing(
            file=table.grid.file,
            format=mapping.title,
            column=field,
            line=table.line,
            found=", ".join(clean(text)[:30] for text in table.headers[:40] if text.strip()),
            accepted=", ".join(filter(None, accepted)),
        )
    if len(table.picks.get("ct", ())) > 1:
        first, second = (key(table.headers[index]) for index in table.picks["ct"][:2])
        if first == second:
            header = clean(table.headers[table.picks["ct"][0]])
            raise RunColumnRepeated(file=table.grid.file, line=table.line, column=header)
    return table


def _lacking(table: Table) -> list[Field]:
    needed = needed_fields(table.mapping)
    lacking: list[Field] = [field for field in needed if field not in table.picks]
    if table.mapping.layout == "wide" and not table.wide:
        lacking.append("ct")
    return lacking


def _picks(mapping: Mapping, names: _Names) -> dict[Field, list[int]]:
    """The columns of each field, in the order of the mapping's headers."""
    picks: dict[Field, list[int]] = {}
    for field, headers in mapping.columns.items():
        found = [index for header in headers for index in _columns(header, names)]
        if found:
            picks[field] = list(dict.fromkeys(found))
    return picks


def _columns(header: str, names: _Names) -> list[int]:
    """The columns of one header as it is written, else those that differ by a remark only."""
    wanted = key(header)
    return names.exact.get(wanted) or names.bare.get(wanted) or []


def _wide(mapping: Mapping, names: _Names, headers: Sequence[str]) -> dict[str, int]:
    """The column of each target in a wide layout."""
    if mapping.layout == "long":
        return {}
    found: dict[str, int] = {}
    for target, accepted in mapping.wide.columns.items():
        for index in [index for header in accepted for index in _columns(header, names)][:1]:
            found[target] = index
    if mapping.wide.pattern:
        pattern = re.compile(mapping.wide.pattern, re.IGNORECASE)
        for index, header in enumerate(headers):
            match = pattern.fullmatch(clean(header).translate(_CYRILLIC))
            if match and match[1].strip() and index not in found.values():
                found.setdefault(match[1].strip(), index)
    return found


def _cells(rows: Sequence[Row]) -> Iterator[str]:
    for _, cells in rows[:HEADER_ROWS]:
        for cell in cells:
            if cell:
                yield key(cell)


def _has_texts(mapping: Mapping, before: Sequence[Row]) -> bool:
    wanted = [key(text) for text in mapping.recognise.text]
    return not wanted or all(any(text in cell for cell in _cells(before)) for text in wanted)


def _is_surely(mapping: Mapping, before: Sequence[Row]) -> bool:
    signs = [key(text) for text in mapping.recognise.surely]
    return bool(signs) and any(sign in cell for cell in _cells(before) for sign in signs)
