"""The rows of a table as readings. Nothing is guessed: what cannot be read is an error with its
line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from muster.core.text import clean, fold
from muster.instruments import cells
from muster.instruments.cells import NOT_RUN
from muster.instruments.faults import (
    CtCellError,
    CtUnreadable,
    NoReadings,
    RoleUnknown,
    RunFileTruncated,
    RunRowTooWide,
    SeveralPlates,
    TargetMissing,
    WellNumberUnclear,
    WellTwice,
    WellUnreadable,
)
from muster.instruments.header import Table
from muster.instruments.mapping import Field
from muster.instruments.run_file import PlateSize, Reading, Role


@dataclass(slots=True)
class Taken:
    """What has been read of a table so far, by well and target."""

    readings: dict[tuple[str, str], Reading] = field(default_factory=dict)
    not_run: dict[tuple[str, str], int] = field(default_factory=dict)
    plates: dict[str, int] = field(default_factory=dict)
    size: PlateSize | None = None


def read_rows(table: Table, size: PlateSize | None) -> Taken:
    """The readings of a table; `size` is the plate's, if the file tells it.

    Rows without sample, target and Ct are empty wells or remarks and are dropped. Raises the
    problems of muster.instruments.faults that concern a row.
    """
    taken = Taken(size=size or table.mapping.wells)
    reader = _RowReader(table, taken)
    last = 0
    for line, row in table.rows:
        if not any(map(str.strip, row)):
            if table.mapping.end_at_blank and last:
                break
            continue
        if row == table.headers:
            continue
        reader.take(line, row)
        last = line
    if table.rows:
        _check_end(table)
    if not taken.readings and not taken.not_run:
        raise NoReadings(file=table.grid.file, reason=f"header in line {table.line}")
    if len(taken.plates) > 1:
        raise SeveralPlates(file=table.grid.file, found=", ".join(taken.plates))
    if taken.size is None and not all(cells.fits(well, 96) for well, _ in taken.readings):
        taken.size = 384
    return taken


def _check_end(table: Table) -> None:
    """A last line without its end and shorter than the one before it was cut."""
    if not table.grid.ends_open or len(table.rows) < 2:
        return
    (_, before), (line, last) = table.rows[-2:]
    if 0 < len(last) < len(before):
        reason = f"the last row has {len(last)} of {len(before)} cells"
        raise RunFileTruncated(file=table.grid.file, line=line, reason=reason)


class _RowReader:
    """Reads the rows of one table into `taken`."""

    def __init__(self, table: Table, taken: Taken) -> None:
        self._table, self._taken = table, taken
        self._file, mapping = table.grid.file, table.mapping
        self._width = len(table.headers)
        self._role: Callable[[str], Role | None] = cells.role_reader(mapping.roles)
        self._channels = {fold(channel): target for channel, target in mapping.channels.items()}
        self._above: dict[Field, str] = {}
        if mapping.layout == "wide":
            self._cts = [(target, index) for target, index in table.wide.items()]
        else:
            self._cts = [("", table.picks["ct"][0])]
        self._last_needed = max(index for _, index in self._cts)

    def take(self, line: int, row: list[str]) -> None:
        if len(row) > self._width and any(map(str.strip, row[self._width :])):
            raise RunRowTooWide(file=self._file, line=line, found=len(row), expected=self._width)
        get = self._getter(row)
        sample, own_target, target = get("sample"), self._own("target", row), get("target")
        texts = [(name, index, row[index] if index < len(row) else "") for name, index in self._cts]
        values = [cells.ct_milli(text) for _, _, text in texts]
        has_number = any(type(value) is int for value in values)
        wide = self._table.mapping.layout == "wide"
        is_error = any(self._is_error(line, index) for _, index, _ in texts)
        if not (sample or has_number or is_error) and (wide or not own_target):
            return  # an empty well, or a remark under the table
        if len(row) <= self._last_needed:
            reason = f"the row has {len(row)} cells and ends before its Ct"
            raise RunFileTruncated(file=self._file, line=line, reason=reason)
        well = self._well(line, row)
        role = self._role(text := get("role"))
        if role is None:
            raise RoleUnknown(file=self._file, line=line, text=clean(text))
        if plate := get("plate"):
            self._taken.plates.setdefault(plate, line)
        is_out = bool(self._table.picks.get("omit")) and cells.is_yes(get("omit"))
        for (name, index, text), value in zip(texts, values, strict=True):
            if self._is_error(line, index):
                raise CtCellError(file=self._file, line=line)
            if value == "unreadable":
                raise CtUnreadable(file=self._file, line=line, text=clean(text)[:40])
            what = self._target(line, well, name or target)
            if is_out or value == NOT_RUN:
                self._taken.not_run[well, what] = line
                continue
            self._add(
                Reading(
                    well=well,
                    target=what,
                    sample=sample,
                    role=role,
                    ct_milli=value if isinstance(value, int) else None,
                    line=line,
                )
            )

    def _getter(self, row: Sequence[str]) -> Callable[[Field], str]:
        picks, fill = self._table.picks, self._table.mapping.fill_down

        def get(name: Field) -> str:
            for index in picks.get(name, ()):
                if index < len(row) and (text := clean(row[index])):
                    self._above[name] = text
                    return text
            return self._above.get(name, "") if name in fill else ""

        return get

    def _own(self, name: Field, row: Sequence[str]) -> str:
        """The cell of the field's preferred column: a channel alone names no target."""
        for index in self._table.picks.get(name, ())[:1]:
            return row[index].strip() if index < len(row) else ""
        return ""

    def _is_error(self, line: int, index: int) -> bool:
        return (line, index) in self._table.grid.errors

    def _target(self, line: int, well: str, text: str) -> str:
        target = self._channels.get(fold(text), text) or self._table.mapping.target
        if not target:
            raise TargetMissing(file=self._file, line=line, well=well)
        return target

    def _well(self, line: int, row: Sequence[str]) -> str:
        text = self._getter(row)("well")
        size = self._taken.size
        number = cells.well_number(text)
        if number is not None and size is None:
            raise WellNumberUnclear(file=self._file, line=line, text=text)
        if number is not None and size is not None:
            well = cells.numbered_well(number, size, self._table.mapping.numbering)
        else:
            well = cells.well(text)
        if well is None or (size and not cells.fits(well, size)):
            plate = f"a plate of {size} wells" if size else "any plate"
            raise WellUnreadable(file=self._file, line=line, text=text, plate=plate)
        return well

    def _add(self, reading: Reading) -> None:
        first = self._taken.readings.setdefault((reading.well, reading.target), reading)
        same = (first.sample, first.role, first.ct_milli)
        if same != (reading.sample, reading.role, reading.ct_milli):
            raise WellTwice(
                file=self._file,
                well=reading.well,
                target=reading.target,
                first=first.line,
                second=reading.line,
            )
