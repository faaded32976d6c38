"""Whether a file holds results for all that it lists as set up on the plate."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from muster.core.text import clean
from muster.instruments import cells
from muster.instruments.faults import RunResultMissing
from muster.instruments.grid import Grid
from muster.instruments.header import Table, find_table
from muster.instruments.mapping import Mapping, Recognise
from muster.instruments.rows import Taken


def check_promised(table: Table, taken: Taken, grids: Sequence[Grid]) -> None:
    """Raises RunResultMissing if a target that was set up in a well has no result."""
    mapping = table.mapping
    if not mapping.promised:
        return
    parts = [grid.sections.get(mapping.promised) for grid in grids if not grid.sheet]
    parts += [grid for grid in grids if grid.sheet == mapping.promised]
    setup = next((part for part in parts if part is not None), None)
    listed = find_table(setup, _setup_of(mapping)) if setup else None
    if listed is None:
        return
    there = {*taken.readings, *taken.not_run}
    for line, well, target in _listed(listed, taken):
        if (well, target) not in there:
            last = max((reading.line or 0 for reading in taken.readings.values()), default=0)
            raise RunResultMissing(
                file=table.grid.file, line=last, target=target, well=well, listed=line
            )


def _setup_of(mapping: Mapping) -> Mapping:
    """The same columns for the table of what was set up, which has no results."""
    columns = {**mapping.columns, "ct": mapping.columns["target"]}
    return replace(mapping, columns=columns, section="", promised="", recognise=Recognise())


def _listed(setup: Table, taken: Taken) -> Iterator[tuple[int, str, str]]:
    for line, row in setup.rows:
        well, target = (
            next((text for i in setup.picks[name] if i < len(row) and (text := clean(row[i]))), "")
            for name in ("well", "target")
        )
        number = cells.well_number(well)
        if number is not None and taken.size:
            place = cells.numbered_well(number, taken.size, setup.mapping.numbering)
        else:
            place = cells.well(well)
        if place and target:
            yield line, place, target
