"""Commands about tasks: what is to be done, by whom and until when; and who is told of what."""

from datetime import datetime
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import rich_click as click

from muster.access.engine.roles import ROLES
from muster.access.readings import COMMAND_LINE as ACTOR
from muster.cli import main
from muster.cli.output import Out, Rows, command, every, opened, output_option
from muster.core.clock import now, parse_local
from muster.hq import decide, queries
from muster.hq.events import AddresseeListed, CalledRole, CalledTo, Reach, TaskOutcome
from muster.hq.queries import Wanted
from muster.instance import Instance

TASKS = (
    "due_at", "fell_due", "kind", "role", "login", "area_name", "lab", "barcode", "state",
    "done_by", "task",
)  # fmt: skip
ADDRESSEES = ("code", "name", "kinds", "role", "reach", "minutes", "since", "until", "ended")


@main.group("task")
def task_group() -> None:
    """What is to be done: list, acknowledge, done."""


@main.group("addressee")
def addressee_group() -> None:
    """Who is told of positive tubes and of recalls past their time."""


@command(task_group, "list")
@click.option("--state", "wanted", type=click.Choice(get_args(Wanted)), default="open",
              show_default=True)  # fmt: skip
@output_option
async def list_tasks(out: Out, wanted: Wanted, output: Path | None) -> Any:
    """Everybody's tasks; what is due first comes first."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            rows = await every(lambda a: queries.tasks(conn, None, wanted=wanted, after=a))
        out.listing(_named(out, rows), TASKS, output)
        return rows

    return await opened(work, out)


@command(task_group, "acknowledge")
@click.argument("task", type=UUID)
async def acknowledge_task(out: Out, task: UUID) -> Any:
    """Say that a task was seen, for whom it is meant."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            await decide.acknowledge(conn, muster.door, task, inbox=None, actor=ACTOR, at=now())
        return {"task": task}

    return await opened(work, out)


@command(task_group, "done")
@click.argument("task", type=UUID)
@click.option("--outcome", type=click.Choice(get_args(TaskOutcome)), default="done",
              show_default=True)  # fmt: skip
async def finish_task(out: Out, task: UUID, outcome: TaskOutcome) -> Any:
    """Say that a task is done, or why it will not be."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            await decide.finish(
                conn, muster.door, task, outcome=outcome, inbox=None, actor=ACTOR, at=now()
            )
        return {"task": task, "outcome": outcome}

    return await opened(work, out)


@command(addressee_group, "list")
@output_option
async def list_addressees(out: Out, output: Path | None) -> Any:
    """Who is told of what: every edition, and what holds where nobody is listed."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            rows = await queries.addressees(conn)
        shown = [
            {**row, "name": row["name"] or out.pick("built in", "内置"), "code": row["addressee"]
             and row["code"]}
            for row in rows
        ]  # fmt: skip
        out.listing(_named(out, shown), ADDRESSEES, output)
        return rows

    return await opened(work, out)


@command(addressee_group, "add")
@click.argument("code")
@click.option("--name", required=True)
@click.option("--kind", "kinds", type=click.Choice(get_args(CalledTo)), multiple=True,
              default=["positive_tube"], show_default=True)  # fmt: skip
@click.option("--role", type=click.Choice(get_args(CalledRole)), required=True)
@click.option("--reach", type=click.Choice(get_args(Reach)), required=True,
              help="Where the role is held that is told.")  # fmt: skip
@click.option("--minutes", type=click.IntRange(1, 10_080), default=30, show_default=True)
@click.option("--since", help="Local time; by default now.")
@click.option("--ended", is_flag=True, help="From then on it is told no more.")
async def add_addressee(out: Out, since: str | None, kinds: Any, **said: Any) -> Any:
    """List an addressee, or another edition of the one with this code."""
    at = now()
    from_ = _time(since, out.settings.timezone) if since else at
    body = AddresseeListed(kinds=sorted({*kinds}), since=from_, **said)

    async def work(out: Out, muster: Instance) -> Any:
        addressee = await decide.list_addressee(muster.door, body, actor=ACTOR, at=at)
        out.say(f"{body.name} is told from {from_} on.", f"{body.name} 自 {from_} 起接收通知。")
        return {"addressee": addressee}

    return await opened(work, out)


def _named(out: Out, rows: Rows) -> Rows:
    """The rows with their roles in words."""
    return [
        {**row, "role": row["role"] and out.pick(
            row["role"].replace("_", " "), ROLES[row["role"]].zh if row["role"] in ROLES
            else row["role"],
        )}
        for row in rows
    ]  # fmt: skip


def _time(text: str, zone: str) -> datetime:
    """A time as typed; one that is none is wrong usage."""
    try:
        return parse_local(text, zone)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
