"""Commands from peace to emergency and back: check, prepare, raise, lead, show, stand down."""

from pathlib import Path
from typing import Any

import rich_click as click

from muster.access.readings import COMMAND_LINE as ACTOR
from muster.cli import main
from muster.cli.output import Out, command, every, opened, output_option
from muster.core.clock import now
from muster.instance import Instance
from muster.posture import decide, queries, templates
from muster.posture.templates import Fault, Template
from muster.registry.queries import area as area_of

FAULTS = ("place", "warning", "fault")
GROUPS = ("code", "name", "parent_code", "area_code", "lead", "deputy", "open", "done")
PLANNED = ("code", "name", "lead", "deputy", "tasks")
Existing = click.Path(exists=True, dir_okay=False, path_type=Path)


@main.group("posture")
def posture_group() -> None:
    """From peace to emergency and back: prepared templates become command posts."""


@command(posture_group, "check")
@click.argument("file", type=Existing)
async def check_template(out: Out, file: Path) -> Any:
    """Say everything that is wrong with a template, where, and what to do."""

    async def work(out: Out, muster: Instance) -> Any:
        read = templates.read(file.read_bytes())
        if isinstance(read, Fault):
            found = [read]
        else:
            async with muster.pool.connection() as conn:
                found = await decide.faults(conn, read, at=now())
        return _faults(out, found)

    return await opened(work, out)


@command(posture_group, "prepare")
@click.argument("file", type=Existing)
async def prepare_template(out: Out, file: Path) -> Any:
    """Keep a template, so that it can be raised. Kept again, the later edition counts."""

    async def work(out: Out, muster: Instance) -> Any:
        read = _readable(templates.read(file.read_bytes()))
        async with muster.pool.connection() as conn:
            id_, found = await decide.prepare(conn, muster.door, read, actor=ACTOR, at=now())
        _faults(out, found)
        return {"template": id_, "code": read.code}

    return await opened(work, out)


@command(posture_group, "raise")
@click.argument("template")
@click.option("--area", "where", required=True, help="Code or name of the area.")
@click.option(
    "--rehearsal", is_flag=True, help="Go all the way, but store nothing and tell nobody."
)
async def raise_command(out: Out, template: str, where: str, *, rehearsal: bool) -> Any:
    """Turn a template into a standing command post: groups, leads, open tasks."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            raised = await decide.raise_command(
                conn, muster.door, template, area=await area_of(conn, where), rehearsal=rehearsal,
                actor=ACTOR, at=now(),
            )  # fmt: skip
        if rehearsal:
            out.say(
                "REHEARSAL: nothing was stored, nobody was told.",
                "演练：未保存任何内容，未通知任何人。",
            )
        groups = [
            {"code": one.code, "name": out.pick(one.name_en, one.name), "area": one.area, "lead": one.lead,
             "deputy": one.deputy, "tasks": len(one.tasks)}
            for one in raised.groups
        ]  # fmt: skip
        out.table(groups, PLANNED)
        return {"command": raised.command, "rehearsal": rehearsal, "groups": groups}

    return await opened(work, out)


@command(posture_group, "show")
@click.option("--area", "where", required=True, help="Code or name of the area.")
@output_option
async def show_command(out: Out, where: str, output: Path | None) -> Any:
    """The command post of an area: its groups, who leads them or nobody, tasks open and done."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            area = await area_of(conn, where)
            if (found := await queries.standing(conn, area["area"])) is None:
                raise queries.NoCommandStands(area=area["code"])
            rows = await every(lambda a: queries.groups(conn, found["command"], after=a))
        shown = [{**one, "name": out.pick(one["name_en"], one["name"])} for one in rows]
        out.listing(shown, GROUPS, output)
        return {**found, "groups": rows}

    return await opened(work, out)


@command(posture_group, "lead")
@click.argument("group")
@click.option("--area", "where", required=True, help="Where the command post stands.")
@click.option("--in", "place", help="Code of the group's own area, where several bear its code.")
@click.option("--lead", help="A login; nobody where it is left out.")
@click.option("--deputy", help="A login; nobody where it is left out.")
async def lead_group(out: Out, group: str, where: str, **said: Any) -> Any:
    """Say who leads a group: its open tasks go to them."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            id_ = await decide.lead(
                conn,
                muster.door,
                group,
                area=await area_of(conn, where),
                actor=ACTOR,
                at=now(),
                **said,
            )
        return {"group": id_}

    return await opened(work, out)


@command(posture_group, "stand-down")
@click.option("--area", "where", required=True, help="Code or name of the area.")
async def stand_down(out: Out, where: str) -> Any:
    """Stand the command post down: what is open of its tasks is withdrawn."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            id_ = await decide.stand_down(
                conn, muster.door, area=await area_of(conn, where), actor=ACTOR, at=now()
            )
        out.say("The command post was stood down.", "指挥部已撤收。")
        return {"command": id_}

    return await opened(work, out)


def _readable(read: Template | Fault) -> Template:
    if isinstance(read, Fault):
        raise decide.PostureTemplateUnfit(place=read.place, reason=read.english)
    return read


def _faults(out: Out, found: list[Fault]) -> list[dict[str, Any]]:
    rows = [
        {"place": one.place, "warning": one.warning, "fault": out.pick(one.english, one.chinese)}
        for one in found
    ]
    if rows:
        out.table(rows, FAULTS)
    else:
        out.say("Nothing is wrong.", "没有问题。")
    return rows
