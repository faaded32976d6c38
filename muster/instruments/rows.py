"""The rows of a table as readings. Nothing is guessed: what cannot be read is an error with its
line."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from muster.core.text import clean, fold
from muster.instruments import cells
from muster.instruments.cells import NOT_RUN
from muster.instruments.faults import (
    CtUnreadable,
    NoReadings,
    RunCellError,
    RunNumberLostDigits,
    RunRowCut,
    RunRowTooWide,
    RunRowWithoutCt,
    SampleRoleUnknown,
    SeveralPlates,
    TargetMissing,
    WellNumberUnclear,
    WellTwice,
    WellUnreadable,
)
from muster.instruments.header import Table
from muster.instruments.mapping import Field
from muster.instruments.run_file import PlateSize, Reading, Role

# A long number that a spreadsheet has written in its short form: 3.70602E+17.
_SHORTENED = re.compile(r"\d(\.\d+)?[Ee]\+\d\d")
_LIKE_A_WELL = re.compile(r"[A-Za-z]{0,2} ?\d{1,3}(\.0+)?|\d{1,2}[A-Za-z]")


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
        raise NoReadings(file=table.grid.file, line=table.line)
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
        found, expected = len(last), len(before)
        raise RunRowCut(file=table.grid.file, line=line, found=found, expected=expected)


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
        picked = [index for columns in table.picks.values() for index in columns]
        self._used = {*picked, *(index for _, index in self._cts)}
        self._marked_lines = {line for line, _ in table.grid.marks}

    def take(self, line: int, row: list[str]) -> None:
        if len(row) > self._width and any(map(str.strip, row[self._width :])):
            raise RunRowTooWide(file=self._file, line=line, found=len(row), expected=self._width)
        if self._get("well", row):
            self._above.clear()  # what is written once for several rows ends with the next well
        cts = [(name, row[index] if index < len(row) else "") for name, index in self._cts]
        self._check_marks(line, row)
        if self._is_nothing(row, [text for _, text in cts]):
            return
        if len(row) <= self._last_needed:
            raise RunRowWithoutCt(file=self._file, line=line, found=len(row))
        well = self._well(line, self._filled("well", row))
        role = self._role(text := self._filled("role", row))
        if role is None:
            raise SampleRoleUnknown(file=self._file, line=line, text=text)
        if plate := self._filled("plate", row):
            self._taken.plates.setdefault(plate, line)
        sample, target = self._filled("sample", row), self._get("target", row)
        is_out = "omit" in self._table.picks and cells.is_yes(self._get("omit", row))
        for name, text in cts:
            ct = cells.ct_milli(text)
            if ct == "unreadable":
                raise CtUnreadable(file=self._file, line=line, text=clean(text)[:40])
            what = self._target(line, well, name or target)
            if is_out or ct == NOT_RUN:
                self._taken.not_run[well, what] = line
            else:
                milli = ct if isinstance(ct, int) else None
                self._add(
                    Reading(
                        well=well, target=what, sample=sample, role=role, ct_milli=milli, line=line
                    )
                )

    def _is_nothing(self, row: Sequence[str], cts: Sequence[str]) -> bool:
        """An empty well (no sample, no target, no control), or a remark under the table.

        A channel alone names no target: instruments list every channel of every well.
        """
        well = self._get("well", row)
        if well and not _LIKE_A_WELL.fullmatch(well) and not any(map(str.strip, cts)):
            return True
        values = [cells.ct_milli(text) for text in cts]
        own_target = self._table.mapping.layout == "long" and self._own("target", row)
        if own_target or any(value not in (None, NOT_RUN) for value in values):
            return False
        is_control = self._role(self._get("role", row)) != "sample"
        return not self._get("sample", row) and not is_control

    def _get(self, name: Field, row: Sequence[str]) -> str:
        """The first cell of a field's columns with something in it."""
        for index in self._table.picks.get(name, ()):
            if index < len(row) and (text := clean(row[index])):
                return text
        return ""

    def _filled(self, name: Field, row: Sequence[str]) -> str:
        """The same, or what the rows above said for this one too."""
        text = self._get(name, row)
        if name in self._table.mapping.fill_down:
            text = self._above[name] = text or self._above.get(name, "")
        return text

    def _own(self, name: Field, row: Sequence[str]) -> str:
        """The cell of the field's preferred column: a channel alone names no target."""
        for index in self._table.picks.get(name, ())[:1]:
            return row[index].strip() if index < len(row) else ""
        return ""

    def _check_marks(self, line: int, row: Sequence[str]) -> None:
        for index in self._used if line in self._marked_lines else ():
            mark = self._table.grid.marks.get((line, index))
            if mark:
                problem = RunCellError if mark == "error" else RunNumberLostDigits
                header = clean(self._table.headers[index])
                raise problem(file=self._file, line=line, column=header)
        if _SHORTENED.fullmatch(self._get("sample", row)):
            header = clean(self._table.headers[self._table.picks["sample"][0]])
            raise RunNumberLostDigits(file=self._file, line=line, column=header)

    def _target(self, line: int, well: str, text: str) -> str:
        target = self._channels.get(fold(text), text) or self._table.mapping.target
        if not target:
            raise TargetMissing(file=self._file, line=line, well=well)
        return target

    def _well(self, line: int, text: str) -> str:
        size = self._taken.size
        number = cells.well_number(text)
        if number is not None and size is None:
            raise WellNumberUnclear(file=self._file, line=line, text=text)
        if number is not None and size is not None:
            well = cells.numbered_well(number, size, self._table.mapping.numbering)
        else:
            well = cells.well(text)
        if well is None or (size and not cells.fits(well, size)):
            raise WellUnreadable(file=self._file, line=line, text=text, wells=size or "96/384")
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
