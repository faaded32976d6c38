"""Commands of laboratories: who takes part, call rules, open lists, plates, files, release."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import msgspec
import rich_click as click

from muster.access.readings import COMMAND_LINE as ACTOR
from muster.cli import main
from muster.cli.output import FileUnusable, Out, command, every, opened, output_option
from muster.core.clock import now, parse_local
from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.instance import Instance
from muster.lab import adopting, loading, queries, releasing
from muster.lab.calling import call_open_again
from muster.lab.deciding import deciding
from muster.lab.engine.assay import Assay, usual
from muster.lab.exporting import Standard, write_results
from muster.lab.files import Taken, plate_arrived, take_file
from muster.lab.watching import watch
from muster.registry import queries as registry

OPEN = (
    "received_at", "barcode", "next", "plate_code", "well", "call", "reason", "standing",
    "proposed_by",
)  # fmt: skip


class AssayUnreadable(Problem):
    """{file} is no edition of call rules: {reason}. `muster assay usual` prints one to start from."""

    zh = "{file} 不是判读规则：{reason}。可用 muster assay usual 输出一份作为起点。"


@main.group("lab")
def lab_group() -> None:
    """Laboratories: list them, their open lists, files, release and results for other systems."""


@main.group("assay")
def assay_group() -> None:
    """Call rules: dated editions of what Ct values mean."""


@main.group("plate")
def plate_group() -> None:
    """Plates: load, show, discard."""


lab_option = click.option("--lab", required=True, help="The laboratory's code.")
file_argument = click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)


@command(lab_group, "list")
async def list_labs(out: Out) -> Any:
    """The laboratories that take part."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            found = await queries.labs(conn)
        out.listing(found, ("lab", "name", "kind", "capacity_per_hour", "area_name"), None)
        return found

    return await opened(work, out)


@command(lab_group, "add")
@click.argument("code")
@click.argument("name")
@click.option("--kind", type=click.Choice(get_args(adopting.Kind)), default="fixed", show_default=True,
              help="external: another city's, which answers itself for its raw values.")  # fmt: skip
@click.option("--capacity", type=click.IntRange(0, 1_000_000), default=0, help="Tubes an hour.")
@click.option("--area", help="Where it stands: code, name or id.")
async def add_lab(
    out: Out, code: str, name: str, kind: Any, capacity: int, area: str | None
) -> Any:
    """List a laboratory, or change its listing."""

    async def work(out: Out, muster: Instance) -> Any:
        where = None
        if area:
            async with muster.pool.connection() as conn:
                where = (await registry.area(conn, area))["area"]
        lab = await adopting.list_lab(
            muster.door, code=code, name=name, kind=kind, capacity_per_hour=capacity, area=where,
            actor=ACTOR, at=now(),
        )  # fmt: skip
        out.say(f"{code} takes part", f"{code} 已登记")
        return {"lab": code, "id": lab}

    return await opened(work, out)


@command(lab_group, "open")
@lab_option
@output_option
async def show_open(out: Out, lab: str, output: Path | None) -> Any:
    """The open list: every tube that is not done, and what is to be done with it next."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            found = await every(lambda after: queries.samples(conn, lab, after=after))
        out.listing(found, OPEN, output)
        return found

    return await opened(work, out)


@command(lab_group, "import")
@lab_option
@file_argument
@click.option("--plate", help="The plate the file is of, where it does not say so itself.")
@click.option("--again", is_flag=True, help="The plate was measured a second time.")
async def import_files(
    out: Out, lab: str, files: tuple[Path, ...], plate: str | None, again: bool
) -> Any:
    """Take in run files of instruments, HL7 v2.5.1 messages or FHIR R4 bundles."""

    async def work(out: Out, muster: Instance) -> Any:
        found = []
        for path in files:
            try:
                content = await asyncio.to_thread(path.read_bytes)
            except OSError as error:
                raise FileUnusable(file=path, reason=error.strerror) from error
            found.append(
                await take_file(
                    muster, lab, path.name, content, plate=plate, again=again, actor=ACTOR,
                    at=now(), language=out.language,
                )
            )  # fmt: skip
            _say_taken(out, path.name, found[-1])
        return found

    return await opened(work, out)


@command(lab_group, "files")
@lab_option
@output_option
async def list_files(out: Out, lab: str, output: Path | None) -> Any:
    """Files of the laboratory; of those that wait, why."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            found = await every(lambda after: queries.files(conn, lab, after=after))
        out.listing(
            found, ("received_at", "name", "state", "slug", "plate_code", "sent_by"), output
        )
        return found

    return await opened(work, out)


@command(lab_group, "watch")
@lab_option
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--once", is_flag=True, help="Take in what is there now, and end.")
async def watch_folder(out: Out, lab: str, folder: Path, once: bool) -> Any:
    """Take in whatever an instrument or another system puts into a folder, until interrupted. Files that
    came in move to `done`, those that wait to `waiting`, with a text that says why."""

    async def work(out: Out, muster: Instance) -> Any:
        out.say(f"watching {folder}", f"正在监视 {folder}")
        return await watch(
            muster, lab, folder, once=once, language=out.language,
            say=lambda name, taken: _say_taken(out, name, taken),
        )  # fmt: skip

    return await opened(work, out)


@command(lab_group, "release")
@lab_option
@click.argument("barcodes", nargs=-1)
async def release(out: Out, lab: str, barcodes: tuple[str, ...]) -> Any:
    """Release every negative of a laboratory; or sign for some tubes by name: a positive is proposed by
    the first person and released by the second."""

    async def work(out: Out, muster: Instance) -> Any:
        async with deciding(muster.pool, muster.door, lab, actor=ACTOR, at=now()) as desk:
            done = (
                await releasing.sign(desk, barcodes)
                if barcodes
                else await releasing.release_ready(desk)
            )
        out.say(
            f"{done.released:,} released, {done.proposed:,} wait for a second person",
            f"已发布 {done.released:,}，待复核 {done.proposed:,}",
        )
        return done

    return await opened(work, out)


@command(lab_group, "export")
@lab_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--as", "standard", type=click.Choice(["hl7", "fhir"]), required=True)
@click.option("--since", help="Local time, e.g. '2022-08-01 09:00'; by default 24 hours ago.")
async def export(out: Out, lab: str, file: Path, standard: str, since: str | None) -> Any:
    """Write released results as HL7 v2.5.1 or FHIR R4: codes of tubes, never names."""

    async def work(out: Out, muster: Instance) -> Any:
        at = now()
        start = _time(since, out) if since else at - timedelta(days=1)
        async with muster.pool.connection() as conn:
            found = await queries.released(conn, lab, since=start, until=at)
        content = write_results(found, lab, Standard(standard), at=at, message_id=uuid7().hex[-12:])
        await asyncio.to_thread(file.write_bytes, content)
        out.say(f"{len(found):,} results → {file}", f"{len(found):,} 条结果 → {file}")
        return {"results": len(found), "file": file}

    return await opened(work, out)


@command(assay_group, "usual", light=True)
async def print_usual(out: Out) -> Any:
    """Print a usual two-gene edition to start from; its limits are to be checked by a person."""
    out.screen.print(msgspec.json.format(msgspec.json.encode(usual()), indent=2).decode())
    return usual()


@command(assay_group, "adopt")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--since", help="Local time from which it holds; by default now.")
async def adopt_assay(out: Out, file: Path, since: str | None) -> Any:
    """Adopt an edition of call rules from a JSON file. Open samples are called again under it."""

    async def work(out: Out, muster: Instance) -> Any:
        try:
            assay = msgspec.json.decode(await asyncio.to_thread(file.read_bytes), type=Assay)
        except (msgspec.MsgspecError, ValueError) as error:
            raise AssayUnreadable(file=file, reason=error) from error
        start = _time(since, out) if since else None
        edition = await adopting.adopt_assay(muster.door, assay, since=start, actor=ACTOR, at=now())
        again = await call_open_again(muster, now())
        out.say(f"adopted; {again:,} runs called again", f"已发布；重新判读 {again:,} 次运行")
        return {"edition": edition, "called_again": again}

    return await opened(work, out)


@command(assay_group, "list")
async def list_assays(out: Out) -> Any:
    """Editions of call rules."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            found = await queries.editions(conn)
        out.listing(found, ("assay", "name", "since", "adopted_by"), None)
        return found

    return await opened(work, out)


@command(plate_group, "load")
@lab_option
@click.argument("code")
@click.argument("barcodes", nargs=-1, required=True)
@click.option("--assay", required=True, help="The assay's code.")
@click.option("--template", default="usual-96", show_default=True)
@click.option("--repeat", "repeats", multiple=True, help="A barcode that is to be tested again.")
async def load_plate(
    out: Out, lab: str, code: str, barcodes: tuple[str, ...], assay: str, template: str,
    repeats: tuple[str, ...],
) -> Any:  # fmt: skip
    """Load tubes onto a plate, one a well, in order; files that waited for it are read."""

    async def work(out: Out, muster: Instance) -> Any:
        async with deciding(muster.pool, muster.door, lab, actor=ACTOR, at=now()) as desk:
            plate = await loading.load_plate(
                desk, code=code, assay=assay, template=template, tubes=barcodes, repeats=repeats
            )
        files = await plate_arrived(muster, lab, code, actor=ACTOR, at=now())
        out.say(f"{len(barcodes):,} tubes on {code}", f"{len(barcodes):,} 支管已装入 {code}")
        return {"plate": plate, "files": files}

    return await opened(work, out)


@command(plate_group, "show")
@lab_option
@click.argument("code")
async def show_plate(out: Out, lab: str, code: str) -> Any:
    """A plate: its wells and the calls of its runs."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            found = await loading.plate_called(conn, lab, code)
            shown = await queries.plate(conn, found["plate"]) or {}
        out.table(shown["wells"], ("well", "barcode", "repeat"), code)
        for run in shown["runs"]:
            out.table(run["calls"], ("well", "barcode", "call", "reason", "standing", "next"), code)
        return shown

    return await opened(work, out)


@command(plate_group, "discard")
@lab_option
@click.argument("code")
@click.option("--reason", type=click.Choice(get_args(loading.Discard)), required=True)
async def discard_plate(out: Out, lab: str, code: str, reason: Any) -> Any:
    """Say that a plate will not be run: its tubes wait for another."""

    async def work(out: Out, muster: Instance) -> Any:
        async with deciding(muster.pool, muster.door, lab, actor=ACTOR, at=now()) as desk:
            await loading.discard_plate(desk, code, reason)
        return {"plate": code, "reason": reason}

    return await opened(work, out)


def _time(text: str, out: Out) -> datetime:
    try:
        return parse_local(text, out.settings.timezone)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no time such as 2022-08-01 09:00") from error


def _say_taken(out: Out, name: str, taken: Taken) -> None:
    if taken.problem:
        out.say(f"{name} waits: {taken.problem}", f"{name} 待处理：{taken.problem}")
    elif not taken.fresh:
        out.say(f"{name}: known, nothing changed", f"{name}：已导入过，未作更改")
    else:
        out.say(
            f"{name}: imported; {taken.released:,} released, {taken.proposed:,} wait for a second person",
            f"{name}：已导入；发布 {taken.released:,}，待复核 {taken.proposed:,}",
        )
    for fault in taken.faults:
        out.say(f"  {fault}", f"  {fault}")
