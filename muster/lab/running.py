"""Runs: an instrument's readings for a plate are stored and called."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec

from muster.core.ids import derived
from muster.core.rows import row, rows
from muster.core.text import fold
from muster.custody.engine.barcodes import tidy
from muster.lab.checking import (
    File,
    ReadingsOfNoTarget,
    RunDiffers,
    RunPlateUnknown,
    barcodes_in,
    check_pooled,
    check_released,
    check_tubes,
    check_turned,
)
from muster.lab.deciding import Desk
from muster.lab.engine.assay import Assay
from muster.lab.engine.calls import Call, Loaded, Measured, Verdict, call_run, standing
from muster.lab.engine.plates import Template
from muster.lab.events import CalledTube, RunCalled, RunImported, WellReading
from muster.lab.loading import AssayUnknown, template_of
from muster.ledger.event import Event

_HERE = "muster.lab"


@dataclass(frozen=True)
class Imported:
    """A run as it now stands. `fresh`: it was not known before."""

    run: UUID
    plate: UUID
    fresh: bool


async def import_run(
    desk: Desk, file: File, content: bytes, *, plate: str | None = None, again: bool = False
) -> Imported:
    """Store a run and call its tubes. The same bytes, or the same readings of the same plate, are the
    same run. Raises the problems of this file; then nothing is changed, but re-pooling is put on
    record."""
    where = await _plate(desk, file, plate)
    run = derived("run", where["plate"], hashlib.sha256(content).hexdigest())
    wells = {
        one["well"]: one for one in await rows(desk.conn, _HERE, "wells", plate=where["plate"])
    }
    check_turned(await template_for(desk.conn, where), file, where["code"])
    await check_pooled(desk, file, run)
    check_tubes(file, where["code"], wells)
    for earlier in await rows(desk.conn, _HERE, "runs_of", plate=where["plate"]):
        if earlier["run"] == run or await _same_readings(desk, earlier["run"], file):
            return Imported(earlier["run"], where["plate"], fresh=False)
    await check_released(desk, file, wells)
    if (torn := await _another_run(desk, where["plate"])) and not again:
        raise RunDiffers(file=file.name, plate=where["code"], well=torn)
    assay, edition = await rules_in_force(desk, where["assay"])
    imported = RunImported(
        plate=where["plate"], lab=desk.lab, file=hashlib.sha256(content).hexdigest(),
        format=file.format, instrument=_label(file.instrument), serial=_label(file.serial),
        software=_label(file.software), started_at=file.started_at, ended_at=file.ended_at,
        readings=[WellReading(one.well, one.target[:120] or "-", one.ct_milli)
                  for one in file.readings],
    )  # fmt: skip
    called = await _called(desk, run, where, wells, imported.readings, assay, edition, file)
    # Ids of their own, so that a file that was sent twice at once is one run.
    events = [desk.event(imported, run), desk.event(called, run)]
    await desk.append(_named(events, run))
    return Imported(run, where["plate"], fresh=True)


async def call_again(desk: Desk, run: UUID) -> bool:
    """Call the open tubes of a run under the edition now in force; whether anything was called. What
    has been released, or waits for its second person, stays as it was called."""
    found = await row(desk.conn, _HERE, "run", run=run)
    assert found is not None
    assay, edition = await rules_in_force(desk, found["assay"])
    if edition == found["edition"]:
        return False
    plate = await row(desk.conn, _HERE, "plate", plate=found["plate"])
    assert plate is not None
    wells = {
        one["well"]: one for one in await rows(desk.conn, _HERE, "wells", plate=plate["plate"])
    }
    readings = [
        WellReading(one["well"], one["target"], one["ct_milli"])
        for one in await rows(desk.conn, _HERE, "readings", run=run)
    ]
    fresh = await _called(desk, run, plate, wells, readings, assay, edition, None)
    before = {one["barcode"]: one for one in await rows(desk.conn, _HERE, "calls_of_run", run=run)}
    calls = [
        _kept(before[one.barcode])
        if one.barcode in before and before[one.barcode]["now"] in ("done", "confirm")
        else one
        for one in fresh.calls
    ]
    body = msgspec.structs.replace(fresh, calls=calls)
    await desk.append([desk.event(body, run)])
    return True


async def rules_in_force(desk: Desk, assay: str) -> tuple[Assay, UUID]:
    """The call rules of an assay now, and their edition. Raises AssayUnknown."""
    found = await row(desk.conn, _HERE, "edition", assay=assay, at=desk.at)
    if found is None:
        raise AssayUnknown(assay=assay)
    return msgspec.convert(found["rules"], Assay), found["edition"]


async def template_for(conn: Any, plate: Mapping[str, Any]) -> Template:
    """The layout a plate was loaded in, with the controls as they were then."""
    controls = {one["well"]: one["role"] for one in plate["controls"]}
    layout = await template_of(conn, plate["template"])
    return msgspec.structs.replace(layout, controls=controls)


async def _plate(desk: Desk, file: File, said: str | None) -> dict[str, Any]:
    """The plate a file is of: the one that is said, the one the file names, or the one on which its
    tubes stand."""
    code = said or (file.plate and tidy(file.plate))
    if code:
        found = await row(desk.conn, _HERE, "plate_by_code", lab=desk.lab, code=code)
    else:
        names = {barcode for one in file.readings for barcode in barcodes_in(one)}
        likely = await rows(desk.conn, _HERE, "plates_with", lab=desk.lab, barcodes=sorted(names))
        clear = likely and (len(likely) == 1 or likely[0]["tubes"] > likely[1]["tubes"])
        found = await row(desk.conn, _HERE, "plate", plate=likely[0]["plate"]) if clear else None
    if found is None:
        raise RunPlateUnknown(file=file.name, plate=code or "?", lab=desk.lab)
    return found


async def _another_run(desk: Desk, plate: UUID) -> str | None:
    """Whether the plate has a run that is not blocked: the first well of it."""
    for earlier in await rows(desk.conn, _HERE, "runs_of", plate=plate):
        if earlier["blocked"] is None:
            return (await rows(desk.conn, _HERE, "readings", run=earlier["run"]))[0]["well"]
    return None


async def _same_readings(desk: Desk, run: UUID, file: File) -> bool:
    stored = {
        (one["well"], fold(one["target"]), one["ct_milli"])
        for one in await rows(desk.conn, _HERE, "readings", run=run)
    }
    return stored == {(one.well, fold(one.target[:120] or "-"), one.ct_milli)
                      for one in file.readings}  # fmt: skip


async def _called(
    desk: Desk, run: UUID, plate: Mapping[str, Any], wells: Mapping[str, Mapping[str, Any]],
    readings: Sequence[WellReading], assay: Assay, edition: UUID, file: File | None,
) -> RunCalled:  # fmt: skip
    tubes = {str(one["tube"] or one["barcode"]): one for one in wells.values()}
    loaded = [
        Loaded(place, str(one["tube"] or one["barcode"]), one["repeat"])
        for place, one in wells.items()
    ]
    measured = [Measured(one.well, one.target, one.ct_milli) for one in readings]
    verdict = call_run(assay, await template_for(desk.conn, plate), loaded, measured)
    targets = {fold(one.target) for one in readings}
    if file is not None and len(verdict.unknown_targets) == len(targets):
        raise ReadingsOfNoTarget(
            file=file.name, found=", ".join(sorted({one.target for one in readings}))[:200],
            assay=assay.code, known=", ".join(target.code for target in assay.targets),
        )  # fmt: skip
    earlier = await _earlier(desk, run, [one["barcode"] for one in wells.values()])
    return RunCalled(
        plate=plate["plate"], lab=desk.lab, edition=edition, blocked=verdict.blocked,
        failed_controls=_failed(verdict),
        calls=[
            _called_tube(tubes[str(call.tube)], call, earlier.get(str(call.tube), []), assay,
                         blocked=verdict.blocked is not None)
            for call in verdict.calls
        ],
    )  # fmt: skip


def _called_tube(
    one: Mapping[str, Any], call: Call, earlier: list[tuple[Call, bool]], assay: Assay, *,
    blocked: bool,
) -> CalledTube:  # fmt: skip
    said = standing([*earlier, (call, blocked)], assay)
    return CalledTube(
        barcode=one["barcode"], tube=one["tube"], well=call.wells[0], call=call.call,
        reason=call.reason, standing=said.call, standing_reason=said.reason, next=said.next,
        values=call.values,
    )  # fmt: skip


async def _earlier(
    desk: Desk, run: UUID, barcodes: list[str]
) -> dict[str, list[tuple[Call, bool]]]:
    """The calls of tubes in other runs, in order of time."""
    found: dict[str, list[tuple[Call, bool]]] = {}
    for one in await rows(
        desk.conn, _HERE, "earlier_calls", lab=desk.lab, barcodes=barcodes, run=run
    ):
        tube = str(one["tube"] or one["barcode"])
        call = Call(tube, (one["well"],), one["call"], one["reason"], ())
        found.setdefault(tube, []).append((call, one["blocked"]))
    return found


def _failed(verdict: Verdict) -> tuple[str, ...]:
    return tuple(
        f"{one.role} {one.well} {one.target}: {one.why}"[:64]
        for one in verdict.controls
        if not one.ok
    )


def _kept(one: Mapping[str, Any]) -> CalledTube:
    names = [name for name in CalledTube.__struct_fields__ if name != "values"]
    values = tuple((target, ct) for target, ct in one["values"] or ())
    return CalledTube(values=values, **{name: one[name] for name in names})


def _named(events: list[Event], run: UUID) -> list[Event]:
    return [replace(one, id=derived(one.type, run)) for one in events]


def _label(text: str | None) -> str | None:
    return text[:120] if text else None
