"""The second reading: what allotropy makes of an export, held against what we read.

One reader that is wrong in silence turns a positive into a negative. allotropy 0.1.150 reads
"23,45" in a QuantStudio text as 2345 and knows neither lines nor which control is which; our
mappings were written from documentation. So the rows are read by our mapping, and every make that
allotropy knows is read once more by it; what both say is taken, and nothing else.

It is given the results table in the make's own form, with decimal points and without the curves,
which would take it a minute: no value in them is asked for.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from muster.core.text import clean
from muster.instruments import cells
from muster.instruments.faults import ReadersDisagree
from muster.instruments.header import Table, key
from muster.instruments.mapping import Field
from muster.instruments.rows import Taken
from muster.instruments.run_file import Reading

Rows = list[tuple[str, list[str]]]  # the well, and the row it stands in
_COMMA = re.compile(r"(\d{1,2}),(\d+)")


def request_for(table: Table, taken: Taken) -> dict[str, Any] | None:
    """The settings and content of a request to the child; None if allotropy has no such make."""
    make = _MAKES.get(table.mapping.id)
    if make is None:
        return None
    wells = {reading.line: reading.well for reading in taken.readings.values()}
    ct = table.picks["ct"][0]
    rows: Rows = []
    for line, row in table.rows:
        if line in wells:
            texts = [clean(text) for text in row]
            texts[ct] = _COMMA.sub(r"\1.\2", texts[ct])
            rows.append((wells[line], texts))
    return make(table, rows)


def contradiction(
    table: Table, taken: Taken, theirs: Sequence[tuple[str, str, str, float | None]]
) -> tuple[ReadersDisagree | None, bool]:
    """The first place at which both readings differ; and whether theirs holds all of ours, but for
    wells without sample and curve, which the library drops."""
    ours = _by_raw_target(table, taken)
    seen: set[tuple[str, str]] = set()
    for text, target, dye, ct in theirs:
        named = clean(target) if clean(target) not in ("", "N/A") else clean(dye)
        place = (cells.well(text) or text, named)
        reading = ours.get(place)
        milli = None if ct is None else ct * 1000
        if reading is None or not _same(reading.ct_milli, milli):
            mine = "-" if reading is None else _shown(reading.ct_milli)
            problem = ReadersDisagree(
                file=table.grid.file,
                line=reading.line if reading else table.line,
                well=place[0],
                target=named,
                ours=mine,
                theirs=_shown(milli),
            )
            return problem, False
        seen.add(place)
    left_out = [reading for place, reading in ours.items() if place not in seen]
    return None, all(r.ct_milli is None and not r.sample for r in left_out)


def _same(ours: int | None, theirs: float | None) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return abs(ours - theirs) <= 0.51  # ours is rounded to thousandths


def _shown(milli: float | None) -> str:
    return "NoCt" if milli is None else f"{milli / 1000:.3f}"


def _by_raw_target(table: Table, taken: Taken) -> dict[tuple[str, str], Reading]:
    """Our readings by well and the target as it stands in the file, before channels are named."""
    raw = dict(table.rows)
    columns = table.picks["target"]
    return {
        (reading.well, clean(_first(raw[reading.line or 0], columns))): reading
        for reading in taken.readings.values()
    }


def _quantstudio(table: Table, rows: Rows) -> dict[str, Any]:
    """A text as the QuantStudio Real-Time PCR software exports it: also for its workbooks, and for
    the 7500, StepOne and ViiA 7, whose tables are the same."""
    columns = _columns(table)
    head = {
        "Block Type": "384-Well Block", "Chemistry": "TAQMAN", "Experiment Barcode": "NA",
        "Experiment Comments": "NA", "Experiment File Name": "run.eds", "Experiment Name": "run",
        "Experiment Run End Time": _TIME, "Experiment Type": "Standard Curve",
        "Experiment User Name": "NA", "Instrument Name": "NA", "Instrument Serial Number": "NA",
        "Instrument Type": "QuantStudio", "Passive Reference": "NA",
        "Quantification Cycle Method": "Ct", "Signal Smoothing On": "true",
    }  # fmt: skip
    names = ("Well", "Well Position", "Sample Name", "Target Name", "Task", "Reporter", "CT")
    numbers = {well: str(number) for number, well in enumerate(_wells(rows), 1)}
    lines = [f"* {label} = {value}" for label, value in head.items()]
    lines += ["", "[Results]", "\t".join((*names, "Ct Threshold"))]
    for well, row in rows:
        values = [numbers[well], well, *(_first(row, columns[name]) for name in names[2:])]
        lines.append("\t".join((*(text.replace("\t", " ") for text in values), "0.2")))
    content = "\n".join((*lines, "")).encode()
    return {"content": content, "name": "run.txt", "vendor": "APPBIO_QUANTSTUDIO"}


def _design_and_analysis(table: Table, rows: Rows) -> dict[str, Any]:
    columns = _columns(table)
    names = ("Sample", "Target", "Task", "Reporter", "Cq")
    numbers = {well: number for number, well in enumerate(_wells(rows), 1)}
    head = {
        "File Name": "run.eds", "Barcode": "NA", "Instrument Type": "QuantStudio",
        "Block Type": "384-Well Block", "Instrument Name": "NA", "Instrument Serial Number": "NA",
        "Run Start Date/Time": _TIME, "Run End Date/Time": _TIME, "Passive Reference": "NA",
        "Quantification Cycle Method": "Cq", "Exported On": _TIME,
    }  # fmt: skip
    results: list[list[str | float]] = [[label, value] for label, value in head.items()]
    results += [[], ["Well", "Well Position", *names, "Omit", "Threshold"]]
    for well, row in rows:
        values = [_first(row, columns[name]) for name in names]
        ct = _number(values.pop())
        results.append([numbers[well], well, *values, ct, "false", 0.2])
    settings = {"name": "run.xlsx", "vendor": "APPBIO_QUANTSTUDIO_DESIGNANDANALYSIS"}
    return {"content": b"", "sheets": {"Results": results}, **settings}


def _diomni(table: Table, rows: Rows) -> dict[str, Any]:
    columns = _columns(table)
    names = ("Sample", "Task", "Target", "Reporter", "Cq")
    results: list[list[str | float]] = [
        ["File Name", "run.eds"],
        ["Block Type", "384-Well Block"],
        ["Run End Date/Time", _TIME],
        ["Quantification Cycle Method", "Cq"],
        [],
    ]
    results.append(["Well", "Sample", "Sample type", "Target", "Reporter", "Cq", "Call"])
    for well, row in rows:
        values = [_first(row, columns[name]) for name in names]
        ct = _number(values.pop())
        results.append([well, *values, ct, ""])
    sheets = {"Target Call": results}
    return {"content": b"", "sheets": sheets, "name": "run.xlsx", "vendor": "THERMO_FISHER_DIOMNI"}


def _cfx(table: Table, rows: Rows) -> dict[str, Any]:
    columns = _columns(table)
    names = ("Fluor", "Target", "Content", "Sample", "Cq")
    lines = [",".join(("Well", *names))]
    for well, row in rows:
        values = [well, *(_first(row, columns[name]) for name in names)]
        lines.append(",".join('"' + text.replace('"', '""') + '"' for text in values))
    content = "\n".join((*lines, "")).encode()
    return {"content": content, "name": "run.csv", "vendor": "CFXMAESTRO"}


_TIME = "2000-01-01 12:00:00 UTC"  # asked for by the library; the times are read by ourselves
_MAKES: dict[str, Callable[[Table, Rows], dict[str, Any]]] = {
    "quantstudio": _quantstudio,
    "quantstudio-design-and-analysis": _design_and_analysis,
    "diomni": _diomni,
    "cfx-maestro": _cfx,
}
# The names of a field in the makes' own tables, by which it is found in a file.
_SAME: dict[str, Field] = {
    "Sample Name": "sample", "Sample": "sample", "Task": "role", "Content": "role", "CT": "ct",
    "Cq": "ct",
}  # fmt: skip


class _Columns(dict[str, list[int]]):
    """Columns by the name they have in the make's own form; none if the file lacks it."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __missing__(self, name: str) -> list[int]:
        field = _SAME.get(name)
        if field:
            found = self._table.picks.get(field, [])[:1]
        elif name in ("Target", "Target Name"):
            found = self._table.picks["target"][:1]
        else:
            wanted = key(name)
            found = [i for i, header in enumerate(self._table.headers) if key(header) == wanted]
        self[name] = found
        return found


def _columns(table: Table) -> dict[str, list[int]]:
    return _Columns(table)


def _first(row: Sequence[str], columns: Sequence[int]) -> str:
    return next((row[column] for column in columns if column < len(row) and row[column]), "")


def _wells(rows: Rows) -> list[str]:
    return list(dict.fromkeys(well for well, _ in rows))


def _number(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
