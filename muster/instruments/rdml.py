"""RDML, the exchange format of qPCR (versions 1.1 to 1.3; rdml.org), as a run.

Its schema numbers the wells of a plate row by row and says of `cq`: "Negative values are used to
express following conditions: Not Available: -1.0"; NaN and no `cq` at all are read alike, if the
run has been analysed. `excl` means "this entry should not be evaluated".
"""

from typing import Any
from zoneinfo import ZoneInfo

from muster.core.text import clean
from muster.instruments import cells
from muster.instruments.facts import read_time
from muster.instruments.faults import (
    CtUnreadable,
    NoReadings,
    SeveralPlates,
    TargetMissing,
    WellTwice,
    WellUnreadable,
)
from muster.instruments.run_file import PlateSize, Reading, Role, RunFile

_ROLES: dict[str, Role] = {
    "unkn": "sample", "ntc": "no_template_control", "nac": "negative_control", "std": "standard",
    "ntp": "negative_control", "nrt": "negative_control", "pos": "positive_control",
}  # fmt: skip
_LIGHT_ONLY = "opt"  # a dye for the optics: not a reaction


def run_of(file: str, answer: dict[str, Any], zone: ZoneInfo) -> RunFile:
    """The run in what the child read. Raises SeveralPlates, NoReadings, WellUnreadable,
    CtUnreadable, TargetMissing and WellTwice; wells stand for lines, which RDML has none of."""
    runs = [run for run in answer["runs"] if run["reacts"]]
    if not runs:
        raise NoReadings(file=file, line="-")
    if len(runs) > 1:
        found = ", ".join(f"{run['experiment']} / {run['id']}" for run in runs)
        raise SeveralPlates(file=file, found=found)
    (run,) = runs
    size = _size(file, run)
    readings, not_run = _readings(file, run, samples=answer["samples"], size=size)
    software = (run["dataCollectionSoftware_name"], run["dataCollectionSoftware_version"])
    started = run["runDate"]
    return RunFile(
        name=file,
        format=f"rdml-{answer['version']}",
        plate=None,  # the format has no place for it
        instrument=clean(run["instrument"] or "") or None,
        serial=None,
        software=" ".join(clean(text) for text in software if text) or None,
        started_at=read_time(started, zone=zone) if started else None,
        ended_at=None,
        wells=size,
        readings=readings,
        not_run=not_run,
        readers=(answer["reader"],),
    )


def _size(file: str, run: dict[str, Any]) -> PlateSize:
    rows, columns = (str(run[f"pcrFormat_{side}"]) for side in ("rows", "columns"))
    match rows, columns:
        case "8", "12":
            return 96
        case "16", "24":
            return 384
    raise WellUnreadable(file=file, line="-", text=f"{rows} x {columns}", wells="96/384")


def _readings(
    file: str, run: dict[str, Any], *, samples: dict[str, list[dict[str, str]]], size: PlateSize
) -> tuple[tuple[Reading, ...], tuple[tuple[str, str], ...]]:
    found: dict[tuple[str, str], Reading] = {}
    not_run: list[tuple[str, str]] = []
    has_any = False
    for react in run["reacts"]:
        number = cells.well_number(react["id"])
        well = None if number is None else cells.numbered_well(number, size, "row")
        if well is None:
            raise WellUnreadable(file=file, line="-", text=str(react["id"]), wells=size)
        sample = clean(react.get("sample", ""))
        for data in react["datas"]:
            target = clean(data.get("tar", ""))
            if not target:
                raise TargetMissing(file=file, line="-", well=well)
            kind = _kind(samples.get(react.get("sample", ""), []), target)
            has_any = has_any or bool(data.get("cq"))
            if data.get("excl") or kind == _LIGHT_ONLY:
                not_run.append((well, target))
                continue
            reading = Reading(
                well=well,
                target=target,
                sample=sample,
                role=_ROLES.get(kind, "sample"),
                ct_milli=_ct(file, well, data.get("cq") or ""),
                line=None,
            )
            if found.setdefault((well, target), reading) != reading:
                raise WellTwice(file=file, well=well, target=target, first="-", second="-")
    if not found or not has_any:
        raise NoReadings(file=file, line="-")
    return tuple(found.values()), tuple(not_run)


def _kind(types: list[dict[str, str]], target: str) -> str:
    """A sample may be a control for one target only; that entry goes before the general one."""
    for wanted in (target, ""):
        for entry in types:
            if entry["targetId"] == wanted:
                return entry["type"]
    return "unkn"


def _ct(file: str, well: str, text: str) -> int | None:
    if text.strip() in ("-1", "-1.0", "-1.00"):
        return None
    value = cells.ct_milli(text)
    if isinstance(value, str):
        raise CtUnreadable(file=file, line=well, text=text[:40])
    return value
