"""Runs: an instrument's readings for a plate are checked against its layout, stored and called."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from muster.core.ids import derived
from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.core.text import fold
from muster.custody.engine.barcodes import BarcodeUnreadable, tidy
from muster.lab.deciding import Desk
from muster.lab.engine.assay import Assay
from muster.lab.engine.calls import Call, Loaded, Measured, Verdict, call_run, standing
from muster.lab.engine.plates import Template, shifted
from muster.lab.events import CalledTube, RunCalled, RunImported, WellReading
from muster.lab.loading import AssayUnknown, report_repooling, template_of
from muster.ledger.event import Event

_HERE = "muster.lab"
SEVERAL = re.compile(r"[+,，、;；/|&]")
# How instruments count their samples where nobody typed a barcode: such a name names no tube.
_NUMBERED = re.compile(r"(sample|unknown|unkn|unk|s|样本|样品)?[-_ #]?\d{1,3}", re.IGNORECASE)


class RunPlateUnknown(Problem):
    """{file}: it is for the plate {plate}, which {lab} has not loaded. The file waits: it is read as soon
    as the plate is loaded, or say which plate it is for."""

    zh = "{file}：对应的板 {plate} 在 {lab} 尚未装载。文件已保留，装载后自动读入，或请指明板号。"
    status = 409


class WrongPlate(Problem):
    """{file}: it is not of the plate {plate}. In {count} wells it names other tubes, first line {line},
    well {well}: {found} instead of {expected}. Nothing was read; check which plate was run and name
    it."""

    zh = (
        "{file}：不是板 {plate} 的结果。有 {count} 个孔的样本不符，首处第 {line} 行 {well} 孔："
        "{found}，应为 {expected}。未读入；请核对上机的板并指明板号。"
    )
    status = 422


class PlateTurned(Problem):
    """{file}: the controls of the plate {plate} are in other wells ({how}; line {line}, well {well}). The
    plate may have been put in turned round: nothing was read. Run it again the right way round."""

    zh = (
        "{file}：板 {plate} 的质控孔位置不符（{how}；第 {line} 行 {well} 孔），"
        "板可能放反。未读入，请正确放置后重新上机。"
    )
    status = 422


class WellsMissing(Problem):
    """{file}: it has no reading of {count} loaded wells of the plate {plate} ({wells}): the export is cut
    off or of a part of the plate. Nothing was read; export the whole run again."""

    zh = "{file}：缺少板 {plate} 的 {count} 个孔（{wells}），导出不完整。未读入，请重新完整导出。"
    status = 422


class RunDiffers(Problem):
    """{file}: the plate {plate} has a run already, with other readings (first well {well}). Nothing was
    changed. If the plate was measured again, say so (again); else discard this file."""

    zh = (
        "{file}：板 {plate} 已有一次运行且读数不同（首个孔 {well}）。未作更改。"
        "若确为重新上机请注明（again），否则请作废该文件。"
    )
    status = 409


class ReleasedInFile(Problem):
    """{file}: {count} tubes in it have released results (line {line}: {barcode}). Nothing was changed. To
    change a result, amend it; to test a tube again, load it on another plate as a repeat."""

    zh = (
        "{file}：其中 {count} 支管的结果已发布（第 {line} 行：{barcode}）。未作更改。"
        "更改结果请用更正；复测请声明后装到另一块板。"
    )
    status = 409


class ReadingsOfNoTarget(Problem):
    """{file}: none of its targets ({found}) is one of the assay {assay} ({known}). Adopt an edition of the
    assay with these names as aliases, or check the file."""

    zh = "{file}：其中的靶标（{found}）都不属于检测项目 {assay}（{known}）。请为其设置别名或核对文件。"
    status = 422


class Reading(Protocol):
    """What is asked of a reading, whoever made it (muster.instruments.run_file.Reading)."""

    @property
    def well(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def sample(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def ct_milli(self) -> int | None: ...
    @property
    def line(self) -> int | None: ...


class File(Protocol):
    """What is asked of a run's file (muster.instruments.run_file.RunFile)."""

    @property
    def name(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def plate(self) -> str | None: ...
    @property
    def instrument(self) -> str | None: ...
    @property
    def serial(self) -> str | None: ...
    @property
    def software(self) -> str | None: ...
    @property
    def started_at(self) -> datetime | None: ...
    @property
    def ended_at(self) -> datetime | None: ...
    @property
    def readings(self) -> Sequence[Any]: ...


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
    _check_turned(await template_for(desk.conn, where), file, where["code"])
    await _check_pooled(desk, file, run)
    _check_tubes(file, where["code"], wells)
    for earlier in await rows(desk.conn, _HERE, "runs_of", plate=where["plate"]):
        if earlier["run"] == run or await _same_readings(desk, earlier["run"], file):
            return Imported(earlier["run"], where["plate"], fresh=False)
    await _check_released(desk, file, wells)
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
        names = {barcode for one in file.readings for barcode in _barcodes(one)}
        likely = await rows(desk.conn, _HERE, "plates_with", lab=desk.lab, barcodes=sorted(names))
        clear = likely and (len(likely) == 1 or likely[0]["tubes"] > likely[1]["tubes"])
        found = await row(desk.conn, _HERE, "plate", plate=likely[0]["plate"]) if clear else None
    if found is None:
        raise RunPlateUnknown(file=file.name, plate=code or "?", lab=desk.lab)
    return found


def _check_turned(template: Template, file: File, code: str) -> None:
    shown = {one.well: one.role for one in file.readings if one.role not in ("sample", "standard")}
    how = shifted(template, shown)
    if how is None:
        return
    astray = next(one for one in file.readings if shown.get(one.well)
                  and template.controls.get(one.well) != one.role)  # fmt: skip
    raise PlateTurned(
        file=file.name, plate=code, how=how, line=astray.line or "-", well=astray.well
    )


async def _check_pooled(desk: Desk, file: File, run: UUID) -> None:
    """Several tubes named in one well of the file: barcodes that the laboratory knows."""
    several = {one.well: _barcodes(one) for one in file.readings}
    several = {place: codes for place, codes in several.items() if len(codes) > 1}
    if not several:
        return
    named = sorted({code for codes in several.values() for code in codes})
    known = {
        one["barcode"]
        for one in await rows(desk.conn, _HERE, "samples_of", lab=desk.lab, barcodes=named)
    }
    pooled = {place: [code for code in codes if code in known] for place, codes in several.items()}
    pooled = {place: codes for place, codes in pooled.items() if len(codes) > 1}
    if pooled:
        raise await report_repooling(desk, run, pooled, "run_file")


def _check_tubes(file: File, code: str, wells: Mapping[str, Mapping[str, Any]]) -> None:
    """Each tube the file names stands where it says, and no loaded well is left out."""
    here = {one["barcode"] for one in wells.values()}
    wrong = []
    for one in file.readings:
        found = _tidied(one.sample)
        if one.role != "sample" or not found or (_NUMBERED.fullmatch(found) and found not in here):
            continue
        # A well that holds no tube: wrong where one of this plate's is said to stand in it.
        expected = wells[one.well]["barcode"] if one.well in wells else "-"
        if found != expected and (one.well in wells or found in here):
            wrong.append((one, expected))
    if wrong:
        one, expected = wrong[0]
        raise WrongPlate(
            file=file.name, plate=code, count=len({each.well for each, _ in wrong}),
            line=one.line or "-", well=one.well, found=one.sample[:40], expected=expected,
        )  # fmt: skip
    read = {one.well for one in file.readings} | {place for place, _ in _not_run(file)}
    if missing := sorted(wells.keys() - read):
        raise WellsMissing(
            file=file.name, plate=code, count=len(missing), wells=", ".join(missing[:12])
        )


def _not_run(file: File) -> Iterable[tuple[str, str]]:
    return getattr(file, "not_run", ())


async def _check_released(desk: Desk, file: File, wells: Mapping[str, Mapping[str, Any]]) -> None:
    """A tube with a released result may be read again only where its repeat was declared."""
    barcodes = [one["barcode"] for one in wells.values() if not one["repeat"]]
    found = await rows(desk.conn, _HERE, "samples_of", lab=desk.lab, barcodes=barcodes)
    done = {one["barcode"] for one in found if one["next"] == "done"}
    if done:
        line, barcode = next(
            (
                (one.line or "-", wells[one.well]["barcode"])
                for one in file.readings
                if one.well in wells and wells[one.well]["barcode"] in done
            ),
            ("-", min(done)),
        )
        raise ReleasedInFile(file=file.name, count=len(done), line=line, barcode=barcode)


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


def _barcodes(one: Any) -> list[str]:
    """The barcodes a sample's cell may name."""
    if one.role != "sample" or not one.sample:
        return []
    whole = _tidied(one.sample)
    parts = [_tidied(part) for part in SEVERAL.split(one.sample)]
    return list(dict.fromkeys(part for part in parts if part)) or [whole]


def _tidied(text: str) -> str:
    try:
        return tidy(text)
    except BarcodeUnreadable:
        return text


def _label(text: str | None) -> str | None:
    return text[:120] if text else None
