"""Commands that decide: rounds, policies, results, who is who."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import rich_click as click

from muster.access.readings import COMMAND_LINE as ACTOR
from muster.cli import main
from muster.cli.looking import policy, round_option
from muster.cli.output import Out, command, opened
from muster.core.clock import now, parse_local
from muster.coverage import queries as coverage
from muster.instance import Instance
from muster.keeping.follower import catch_up
from muster.lab import decide as lab
from muster.lab import releasing
from muster.lab.deciding import Desk, deciding
from muster.lab.events import Outcome
from muster.lab.releasing import Amends, Rejects
from muster.registry import decide as registry
from muster.registry import queries as people
from muster.registry.events import DenominatorDeclared, PolicyName
from muster.sampling import decide, queries


@main.group("round")
def round_group() -> None:
    """Open, list, balance and close rounds."""


@main.group("result")
def result_group() -> None:
    """Amend, bind or reject a result. Nothing is ever overwritten."""


@command(round_group, "open")
@click.argument("name")
@click.option("--area", "areas", multiple=True, required=True, help="Code, name or id; repeatable.")
@click.option("--from", "start", help="Local time, e.g. '2021-08-02 09:00'; by default now.")
@click.option("--to", "end", help="Local time; by default 24 hours after the start.")
async def open_round(
    out: Out, name: str, areas: tuple[str, ...], start: str | None, end: str | None
) -> Any:
    """Open a round of testing over some areas."""
    zone = out.settings.timezone
    starts_at = _time(start, zone) if start else now()
    ends_at = _time(end, zone) if end else starts_at + timedelta(hours=24)

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            ids = [(await people.area(conn, area))["area"] for area in areas]
        round = await decide.open_round(
            muster.door, name=name, areas=ids, starts_at=starts_at, ends_at=ends_at,
            actor=ACTOR, at=now(),
        )  # fmt: skip
        out.say(f"Round {name} is open: {round}", f"轮次 {name} 已开始：{round}")
        return {"round": round}

    return await opened(work, out)


@command(round_group, "list")
async def list_rounds(out: Out) -> Any:
    """Every round, newest first."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            rows = await queries.all_rounds(conn)
        out.table(rows, ["name", "area_names", "starts_at", "ends_at", "closed_at", "round"])
        return rows

    return await opened(work, out)


@command(round_group, "balance")
@round_option
async def show_balance(out: Out, round_: str | None) -> Any:
    """The balance sheet of a round."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            await catch_up(conn, muster.door.catalogue)
            found = await queries.round_(conn, round_)
            closed = found["closed_at"] is not None
            rows = await (coverage.closed_balance if closed else coverage.balance)(
                conn, found["round"]
            )
        columns = [name for name in decide.AreaBalance.__struct_fields__ if name != "area"]
        out.table(rows, ["name", "level", *columns])
        return rows

    return await opened(work, out)


@command(round_group, "close")
@round_option
@click.option("--allow-open", is_flag=True, help="Also while people are missing.")
async def close_round(out: Out, round_: str | None, allow_open: bool) -> Any:
    """Close a round on its balance sheet, which must add up."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            await catch_up(conn, muster.door.catalogue)
            found = await queries.round_(conn, round_)
            sheet = await coverage.balance(conn, found["round"])
        await decide.close_round(
            muster.door, found, sheet, allow_open=allow_open, actor=ACTOR, at=now()
        )
        out.say(f"Round {found['name']} is closed.", f"轮次 {found['name']} 已结束。")
        return sheet

    return await opened(work, out)


@command(policy, "adopt")
@click.argument("name", type=click.Choice(get_args(PolicyName)))
@click.argument("value", type=click.IntRange(1, 10_000))
@click.option("--since", help="Local time; by default now.")
@click.option("--area", help="Code, name or id.")
@click.option("--group", help="A group of people, such as key_person.")
@click.option("--household", is_flag=True, help="Tube size: one household a tube, at most VALUE.")
async def adopt_policy(
    out: Out, name: Any, value: int, since: str | None, area: str | None, group: str | None,
    household: bool,
) -> Any:  # fmt: skip
    """Adopt an edition of a policy number from now or later on."""
    at = now()
    from_ = _time(since, out.settings.timezone) if since else at

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            where = (await people.area(conn, area))["area"] if area else None
        edition = await decide.adopt_policy(
            muster.door, name=name, value=value, since=from_, area=where, group=group,
            household=household, actor=ACTOR, at=at,
        )  # fmt: skip
        out.say(f"{name} = {value} from {from_}", f"{name} = {value}，自 {from_} 起")
        return {"policy": edition}

    return await opened(work, out)


@command(main, "denominator")
@click.argument("area")
@click.argument("people_", metavar="PEOPLE", type=click.IntRange(0, 2_000_000_000))
@click.option("--source", required=True, help="Who counted, e.g. 'survey of 1 August'.")
@click.option("--on", "day", help="The date of the count; by default today.")
async def declare_denominator(
    out: Out, area: str, people_: int, source: str, day: str | None
) -> Any:
    """Declare how many people an area holds, with source and date, beside the roster's own count."""
    try:
        on = date.fromisoformat(day) if day else now().date()
    except ValueError as error:
        raise click.BadParameter(str(error)) from error

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            where = (await people.area(conn, area))["area"]
        body = DenominatorDeclared(people=people_, source=source, on=on)
        event = await decide.append(muster.door, body, where, actor=ACTOR, at=now())
        return {"event": event.id}

    return await opened(work, out)


@command(result_group, "amend")
@click.argument("result", type=UUID)
@click.argument("outcome", type=click.Choice(get_args(Outcome)))
@click.option("--reason", type=click.Choice(get_args(Amends)), required=True)
async def amend_result(out: Out, result: UUID, outcome: Outcome, reason: Amends) -> Any:
    """Give a released result another outcome; its recalls are withdrawn or renewed. From or to a positive
    or indeterminate one this proposes it, and another person confirms it."""

    async def work(out: Out, muster: Instance) -> Any:
        async with _desk_of(muster, result) as desk:
            done = await releasing.amend(desk, result, outcome=outcome, reason=reason)
        return {"result": result, "outcome": outcome, "done": done}

    return await opened(work, out)


@command(result_group, "bind")
@click.argument("result", type=UUID)
@click.argument("tube", type=UUID)
async def bind_result(out: Out, result: UUID, tube: UUID) -> Any:
    """Say which tube a result belongs to."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            await lab.bind(conn, muster.door, result, tube=tube, actor=ACTOR, at=now())
        return {"result": result, "tube": tube}

    return await opened(work, out)


@command(result_group, "reject")
@click.argument("result", type=UUID)
@click.option("--reason", type=click.Choice(get_args(Rejects)), required=True)
async def reject_result(out: Out, result: UUID, reason: Rejects) -> Any:
    """Say that a result does not count; of a positive or indeterminate one this proposes it, and another
    person confirms it."""

    async def work(out: Out, muster: Instance) -> Any:
        async with _desk_of(muster, result) as desk:
            done = await releasing.reject(desk, result, reason=reason)
        return {"result": result, "done": done}

    return await opened(work, out)


@asynccontextmanager
async def _desk_of(muster: Instance, result: UUID) -> AsyncIterator[Desk]:
    """The operator's turn to decide in the laboratory of a result."""
    async with muster.pool.connection() as conn:
        code = (await lab.result_of(conn, result))["lab"]
    async with deciding(muster.pool, muster.door, code, actor=ACTOR, at=now()) as desk:
        yield desk


@command(main, "merge")
@click.argument("one", type=UUID)
@click.argument("into", type=UUID)
async def merge_people(out: Out, one: UUID, into: UUID) -> Any:
    """Join two ids that are one person."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            await registry.merge(conn, muster.door, one=one, into=into, actor=ACTOR, at=now())
        return {"merged": one, "into": into}

    return await opened(work, out)


@command(main, "unmerge")
@click.argument("one", type=UUID)
async def unmerge_people(out: Out, one: UUID) -> Any:
    """Take a merge back and keep the two apart."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            await registry.unmerge(conn, muster.door, resident=one, actor=ACTOR, at=now())
        return {"unmerged": one}

    return await opened(work, out)


def _time(text: str, zone: str) -> datetime:
    """A time as typed; one that is none is wrong usage."""
    try:
        return parse_local(text, zone)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
