"""Loading plates: one tube a well, known to the laboratory, and never twice unless it is declared."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec

from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.lab.deciding import Desk
from muster.lab.engine.plates import Order, Template, fill, usual, well
from muster.lab.events import (
    ControlWell,
    LoadedWell,
    PlateDiscarded,
    PlateLoaded,
    RepoolingRefused,
)

_HERE = "muster.lab"
Discard = Literal["wrong_layout", "dropped", "contaminated", "not_run", "other"]


class TemplateUnknown(Problem):
    """There is no plate layout {template}. Known: {known}."""

    zh = "没有板布局 {template}。可用：{known}。"
    status = 404


class AssayUnknown(Problem):
    """No rules of an assay {assay} are in force. Adopt an edition first: muster assay adopt."""

    zh = "检测项目 {assay} 没有生效的判读规则。请先发布：muster assay adopt。"
    status = 404


class PlateInUse(Problem):
    """The plate {code} was loaded at {loaded_at} with other tubes. Take another plate, or discard that
    one first if it was not run."""

    zh = "板 {code} 已于 {loaded_at} 装入其他样本。请换一块板；若未上机，可先作废该板。"
    status = 409


class PlateUnknown(Problem):
    """The laboratory {lab} has no loaded plate {code}. Check the plate's label, or load the plate; a
    file for it waits until then."""

    zh = "实验室 {lab} 没有已装载的板 {code}。请核对板标签或先装载；相关文件会一直等待。"
    status = 404


class PlateWasRun(Problem):
    """The plate {code} has been run: its readings stand. Load what is to be repeated on another plate."""

    zh = "板 {code} 已上机，读数保留。需复测的样本请装到另一块板。"
    status = 409


class TubesNotReceived(Problem):
    """{count} tubes were not received by {lab}: {barcodes}. Scan them at reception first; a barcode that
    stands for several tubes needs its box's manifest."""

    zh = "{lab} 未接收 {count} 支管：{barcodes}。请先在接收处扫描；重复条码需有箱清单。"
    status = 409


class BarcodeOfSeveralTubes(Problem):
    """{count} barcodes stand for several open tubes in this laboratory: {barcodes}. A scan cannot tell
    them apart. Put a new label on one of them, and test it as a re-taken sample."""

    zh = "{count} 个条码在本实验室对应多支未完成的管：{barcodes}。扫码无法区分，请重贴标签或重新采样。"
    status = 409


class TubesLoadedAlready(Problem):
    """{count} tubes stand on a plate already: {where}. Declare a repeat if they are to be tested again."""

    zh = "{count} 支管已在板上：{where}。如需复测请声明为复测。"
    status = 409


class TubesReleasedAlready(Problem):
    """{count} tubes have released results: {barcodes}. Declare a repeat to test one again; a result is
    changed by amending it."""

    zh = "{count} 支管的结果已发布：{barcodes}。复测请声明；更改结果请用更正。"
    status = 409


class RepoolingNotAllowed(Problem):
    """Several tubes were put into one well ({wells}). Pools are made of swabs, never of tubes: this was
    refused and reported. Give each tube its own well."""

    zh = "一个孔中放入了多支管（{wells}）。混采只在采样时进行，实验室不得再混：已拒绝并上报。每管一孔。"
    status = 422


class ControlWellTaken(Problem):
    """{wells} are not for tubes in the layout {template}: controls or empty wells. Move those tubes."""

    zh = "按布局 {template}，{wells} 不放样本（质控孔或空孔）。请移到其他孔。"
    status = 422


async def template_of(conn: Any, code: str) -> Template:
    """A layout by its code. Raises TemplateUnknown."""
    found = await row(conn, _HERE, "template", template=code)
    if found:
        return msgspec.convert(found["layout"], Template)
    ready = {one.code: one for one in (usual(96), usual(384))}
    if code not in ready:
        known = [one["template"] for one in await rows(conn, _HERE, "templates")]
        raise TemplateUnknown(template=code, known=", ".join([*ready, *known]))
    return ready[code]


async def load_plate(
    desk: Desk, *, code: str, assay: str, template: str,
    wells: Mapping[str, Sequence[str]] | None = None, tubes: Sequence[str] = (),
    order: Order = "columns", repeats: Sequence[str] = (),
) -> UUID:  # fmt: skip
    """Load a plate: `wells` as scanned (well → the barcodes in it, which must be one), or `tubes` placed
    automatically. The plate's id; the same plate loaded in the same way again is the same plate.

    Raises the problems of this file, NoSuchWell and PlateFull; nothing is loaded then."""
    layout = await template_of(desk.conn, template)
    if wells is None:
        wells = {place: [tube] for place, tube in fill(layout, tubes, order=order).items()}
    placed = {well(place, layout.size): barcodes for place, barcodes in wells.items() if barcodes}
    await _one_tube_a_well(desk, placed)
    if not_free := sorted(placed.keys() & {*layout.controls, *layout.empty}):
        raise ControlWellTaken(wells=", ".join(not_free), template=template)
    stands = {place: barcodes[0] for place, barcodes in placed.items()}
    if same := await _loaded_before(desk, code, stands):
        return same
    found = await row(desk.conn, _HERE, "edition", assay=assay, at=desk.at)
    if found is None:
        raise AssayUnknown(assay=assay)
    known = await _known(desk, stands, assay, set(repeats))
    plate = uuid7()
    body = PlateLoaded(
        code=code, lab=desk.lab, assay=assay, size=layout.size, template=layout.code,
        controls=[ControlWell(place, role) for place, role in sorted(layout.controls.items())],
        wells=[
            LoadedWell(place, barcode, known[barcode]["tube"], barcode in repeats)
            for place, barcode in sorted(stands.items())
        ],
    )  # fmt: skip
    await desk.append([desk.event(body, plate)])
    return plate


async def discard_plate(desk: Desk, code: str, reason: Discard) -> None:
    """Say that a plate will not be run: its tubes wait for another. Raises PlateUnknown, PlateWasRun."""
    plate = await plate_called(desk.conn, desk.lab, code)
    if await rows(desk.conn, _HERE, "runs_of", plate=plate["plate"]):
        raise PlateWasRun(code=code)
    await desk.append([desk.event(PlateDiscarded(desk.lab, reason), plate["plate"])])


async def plate_called(conn: Any, lab: str, code: str) -> dict[str, Any]:
    """The plate of a laboratory that bears a code now. Raises PlateUnknown."""
    found = await row(conn, _HERE, "plate_by_code", lab=lab, code=code)
    if found is None:
        raise PlateUnknown(lab=lab, code=code)
    return found


async def report_repooling(
    desk: Desk, subject: UUID, pooled: Mapping[str, Sequence[str]],
    found_in: Literal["loading", "run_file", "message"],
) -> RepoolingNotAllowed:  # fmt: skip
    """Put on record that tubes were to share wells; the problem to raise."""
    await desk.append(
        [
            desk.event(RepoolingRefused(desk.lab, place, list(barcodes), found_in), subject)
            for place, barcodes in sorted(pooled.items())
        ]
    )
    return RepoolingNotAllowed(
        wells="; ".join(f"{place}: {' + '.join(found)}" for place, found in sorted(pooled.items()))
    )


async def _one_tube_a_well(desk: Desk, placed: Mapping[str, Sequence[str]]) -> None:
    pooled = {place: barcodes for place, barcodes in placed.items() if len(set(barcodes)) > 1}
    if pooled:
        raise await report_repooling(desk, uuid7(), pooled, "loading")


async def _loaded_before(desk: Desk, code: str, stands: Mapping[str, str]) -> UUID | None:
    plate = await row(desk.conn, _HERE, "plate_by_code", lab=desk.lab, code=code)
    if plate is None:
        return None
    there = await rows(desk.conn, _HERE, "wells", plate=plate["plate"])
    if {one["well"]: one["barcode"] for one in there} != dict(stands):
        raise PlateInUse(code=code, loaded_at=plate["loaded_at"].isoformat(timespec="minutes"))
    return plate["plate"]


async def _known(
    desk: Desk, stands: Mapping[str, str], assay: str, repeats: set[str]
) -> dict[str, dict[str, Any]]:
    """Each barcode's row of the open list; all of them may be loaded."""
    barcodes = list(stands.values())
    found = await rows(desk.conn, _HERE, "samples_of", lab=desk.lab, barcodes=barcodes)
    sure = one_each([one for one in found if one["tube"] is not None])
    if strange := sorted(set(barcodes) - sure.keys()):
        raise TubesNotReceived(lab=desk.lab, count=len(strange), barcodes=_some(strange))
    twice = [code for code, times in Counter(barcodes).items() if times > 1]
    where = {barcode: "here twice" for barcode in twice if barcode not in repeats}
    for one in await rows(
        desk.conn, _HERE, "wells_of", lab=desk.lab, assay=assay, barcodes=barcodes
    ):
        if one["barcode"] not in repeats:
            where[one["barcode"]] = f"{one['code']} {one['well']}"
    released = sorted(
        {code for code, one in sure.items() if one["next"] == "done"} - repeats - where.keys()
    )
    if where:
        told = [f"{barcode} ({place})" for barcode, place in sorted(where.items())]
        raise TubesLoadedAlready(count=len(where), where=_some(told))
    if released:
        raise TubesReleasedAlready(count=len(released), barcodes=_some(released))
    return sure


def one_each(found: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Rows of the open list by barcode: what is still open before what is done. Raises
    BarcodeOfSeveralTubes where nobody could say which of two open tubes is meant."""
    by_barcode: dict[str, dict[str, Any]] = {}
    several = set[str]()
    for one in sorted(found, key=lambda one: one["next"] == "done"):
        first = by_barcode.setdefault(one["barcode"], one)
        if first is not one and one["next"] != "done":
            several.add(one["barcode"])
    if several:
        raise BarcodeOfSeveralTubes(count=len(several), barcodes=_some(sorted(several)))
    return by_barcode


def _some(texts: Sequence[str], most: int = 20) -> str:
    return ", ".join(texts[:most]) + (f" … (+{len(texts) - most})" if len(texts) > most else "")
