"""Any run file of a laboratory as one plain value, or a problem that names file, line and remedy.

The form is found out by content, because names lie: an RDML is an archive with rdml_data.xml, a
workbook is opened in the child, anything else is text. Which make wrote a table is told by its
headers; see mapping.py.
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from muster.instruments import faults, second
from muster.instruments.archive import is_archive, kind_of, only_table
from muster.instruments.facts import Facts, read_facts
from muster.instruments.grid import Grid, decoded, text_grids
from muster.instruments.header import Table, find_table
from muster.instruments.mapping import Mapping, in_order
from muster.instruments.process import FILE_LIMIT_BYTES, Reader, shared_reader
from muster.instruments.promised import check_promised
from muster.instruments.rdml import run_of
from muster.instruments.rows import Taken, read_rows
from muster.instruments.run_file import Reading, RunFile

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAPPED = "muster"


async def read_run(
    name: str,
    content: bytes,
    *,
    mappings: Sequence[Mapping],
    zone: str,
    witness: bool = True,
    reader: Reader | None = None,
) -> RunFile:
    """The run in a file. `mappings` are the installation's own, which go before the shipped ones;
    `zone` is the laboratory's, for times that name none.

    With `witness`, exports of makes that allotropy knows are read by it too (a plate of 384 wells
    takes it a second or two) and refused where it reads something else. `reader` is the child to
    use instead of the event loop's own ones. Raises the problems of muster.instruments.faults.
    """
    if len(content) > FILE_LIMIT_BYTES:
        limit = f"{FILE_LIMIT_BYTES // (1 << 20)} MB"
        raise faults.RunFileTooLarge(file=name, limit=limit)
    if not content.strip():
        raise faults.RunFileEmpty(file=name)
    libraries = reader or shared_reader("libraries")
    where = ZoneInfo(zone)
    kind = _kind(name, content)
    if kind == "files":
        limit = FILE_LIMIT_BYTES
        name, content = await asyncio.to_thread(only_table, name, content, limit_bytes=limit)
        kind = _kind(name, content)
        if kind == "files":
            raise faults.RunFormatUnknown(
                file=name, line="-", found="ZIP", formats="CSV, TXT, XLSX"
            )
    if kind == "rdml":
        return run_of(name, await libraries.ask("rdml", file=name, content=content), where)
    known = in_order(mappings)
    if kind == "workbook":
        workbooks = reader or shared_reader("workbooks")
        found = await _found_in_workbook(name, content, known=known, zone=where, reader=workbooks)
    else:
        found = await asyncio.to_thread(_found_in_text, name, content, known=known, zone=where)
    readers = (_MAPPED,)
    if witness and (request := second.request_for(found.table, found.taken)):
        readers += await _witnessed(found, name, request, libraries)
    return _run(name, found, readers)


def _kind(name: str, content: bytes) -> str:
    """ "rdml", "workbook", "files" (an archive of them) or "text"."""
    if is_archive(content):
        return kind_of(name, content)
    if content.startswith(_OLE):
        return "workbook"
    return "rdml" if _RDML.search(content[:4000]) else "text"


_RDML = re.compile(rb"<(?:\w+:)?rdml\b")


@dataclass(frozen=True, slots=True)
class _Found:
    table: Table
    taken: Taken
    facts: Facts


def _found_in_text(
    name: str, content: bytes, *, known: Sequence[Mapping], zone: ZoneInfo
) -> _Found:
    grids, problem = text_grids(name, decoded(name, content))
    try:
        return _found(name, grids, known=known, zone=zone)
    except faults.RunFormatUnknown as unknown:
        raise problem or unknown from None


async def _found_in_workbook(
    name: str, content: bytes, *, known: Sequence[Mapping], zone: ZoneInfo, reader: Reader
) -> _Found:
    """Reads the sheets that mappings want, and all of them only if no table is there."""
    wanted = [sheet for mapping in known for sheet in mapping.sheets]
    for names in (wanted, []):
        sheets = await reader.ask("sheets", file=name, content=content, wanted=names)
        grids = [_grid(name, sheet) for sheet in sheets]
        is_last = not names or not {grid.sheet for grid in grids} & {*wanted}
        try:
            return await asyncio.to_thread(_found, name, grids, known=known, zone=zone)
        except faults.RunFormatUnknown:
            if is_last:
                raise
    raise AssertionError("the last attempt returns or raises")


def _grid(name: str, sheet: dict[str, Any]) -> Grid:
    rows = [(line, cells) for line, cells in enumerate(sheet["rows"], 1)]
    marks = {(line, column): mark for line, column, mark in sheet["marks"]}
    return Grid(name, rows, sheet=sheet["name"], marks=marks)


def _found(name: str, grids: Sequence[Grid], *, known: Sequence[Mapping], zone: ZoneInfo) -> _Found:
    """The first mapping with a table in any grid, and that table's readings.

    A mapping that is surely meant but lacks a column is reported only if no other fits.
    """
    lacking: faults.RunColumnMissing | None = None
    for mapping in known:
        for grid in _by_sheets(grids, mapping):
            try:
                table = find_table(grid, mapping)
            except faults.RunColumnMissing as problem:
                lacking = lacking or problem
                continue
            if table is not None:
                others = [
                    row for other in grids if other.sheet != grid.sheet for row in _head(other)
                ]
                facts = read_facts([*table.before, *others], mapping, zone)
                taken = read_rows(table, facts.size)
                check_promised(table, taken, [grid, *grids])
                _check_only(table, taken, grids=_by_sheets(grids, mapping))
                return _Found(table, taken, facts)
    if lacking is not None:
        raise lacking
    titles = ", ".join(["RDML", *(mapping.title for mapping in known)])
    line, seen = _seen(grids)
    raise faults.RunFormatUnknown(file=name, line=line, found=seen, formats=titles)


def _check_only(table: Table, taken: Taken, *, grids: Sequence[Grid]) -> None:
    """Raises SeveralPlates if another sheet holds another table of the same kind."""
    for grid in grids:
        if grid.sheet == table.grid.sheet:
            continue
        other = None
        with suppress(faults.RunColumnMissing):
            other = find_table(grid, table.mapping)
        if (
            other is not None
            and other.rows
            and _values(read_rows(other, taken.size)) != _values(taken)
        ):
            found = f"{table.grid.sheet}, {grid.sheet}"
            raise faults.SeveralPlates(file=table.grid.file, found=found)


def _values(taken: Taken) -> set[Reading]:
    return {replace(reading, line=None) for reading in taken.readings.values()}


def _by_sheets(grids: Sequence[Grid], mapping: Mapping) -> Sequence[Grid]:
    """A workbook's sheets that the mapping names, in its order; all of them if it has none."""
    named = [grid for sheet in mapping.sheets for grid in grids if grid.sheet == sheet]
    return named or grids


def _head(grid: Grid) -> list[tuple[int, list[str]]]:
    return grid.rows[:60]


def _seen(grids: Iterable[Grid]) -> tuple[object, str]:
    """The first row with several cells, by which a person knows the file."""
    for grid in grids:
        for line, row in grid.rows[:20]:
            texts = [text.strip()[:20] for text in row if text.strip()]
            if len(texts) > 1:
                return line, ", ".join(texts[:8])
    return "-", "-"


async def _witnessed(
    found: _Found, name: str, request: dict[str, Any], reader: Reader
) -> tuple[str, ...]:
    """The second reader, if it reads all that we read. Raises ReadersDisagree."""
    title = found.table.mapping.title
    try:
        answer = await reader.ask("second", file=name, **request)
    except faults.InstrumentsExtraMissing:
        raise faults.InstrumentsExtraMissing(file=name, format=title) from None
    except faults.RunFileDamaged:
        return ()  # a layout that allotropy does not know; the mapping does
    problem, is_whole = second.contradiction(found.table, found.taken, answer["readings"])
    if problem is not None:
        raise problem
    return (answer["reader"],) if is_whole else ()


def _run(name: str, found: _Found, readers: tuple[str, ...]) -> RunFile:
    taken, facts = found.taken, found.facts
    plate = next(iter(taken.plates), None) or facts.plate
    return RunFile(
        name=name,
        format=found.table.mapping.id,
        plate=plate,
        instrument=facts.instrument,
        serial=facts.serial,
        software=facts.software,
        started_at=facts.started_at,
        ended_at=facts.ended_at,
        wells=taken.size,
        readings=tuple(taken.readings.values()),
        not_run=tuple(taken.not_run),
        readers=readers,
    )
