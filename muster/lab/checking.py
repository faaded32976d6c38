"""Is this file of this plate? The controls stand where they should, each tube where it was loaded, every
loaded well was read, no well holds two tubes, and nothing that has been released is read anew.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from muster.core.problems import Problem
from muster.core.rows import rows
from muster.custody.engine.barcodes import BarcodeUnreadable, tidy
from muster.lab.deciding import Desk
from muster.lab.engine.plates import Template, shifted
from muster.lab.loading import report_repooling

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


def check_turned(template: Template, file: File, code: str) -> None:
    shown = {one.well: one.role for one in file.readings if one.role not in ("sample", "standard")}
    how = shifted(template, shown)
    if how is None:
        return
    astray = next(one for one in file.readings if shown.get(one.well)
                  and template.controls.get(one.well) != one.role)  # fmt: skip
    raise PlateTurned(
        file=file.name, plate=code, how=how, line=astray.line or "-", well=astray.well
    )


async def check_pooled(desk: Desk, file: File, run: UUID) -> None:
    """Several tubes named in one well of the file: barcodes that the laboratory knows."""
    several = {one.well: barcodes_in(one) for one in file.readings}
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


def check_tubes(file: File, code: str, wells: Mapping[str, Mapping[str, Any]]) -> None:
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


async def check_released(desk: Desk, file: File, wells: Mapping[str, Mapping[str, Any]]) -> None:
    """A tube with a released result may be read again only where its repeat was declared."""
    barcodes = [one["barcode"] for one in wells.values() if not one["repeat"]]
    found = await rows(desk.conn, _HERE, "samples_of", lab=desk.lab, barcodes=barcodes)
    here = {one["tube"] for one in wells.values()}  # another tube may bear the same barcode
    done = {one["barcode"] for one in found if one["next"] == "done" and one["tube"] in here}
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


def barcodes_in(one: Any) -> list[str]:
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
