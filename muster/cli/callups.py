"""Commands about those who carry it: call people up, follow the board, posts at risk, who stands too long."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import rich_click as click

from muster.access.readings import COMMAND_LINE as ACTOR
from muster.cli import main
from muster.cli.looking import noted
from muster.cli.output import Out, Rows, command, every, opened, output_option
from muster.core.clock import now, parse_local
from muster.instance import Instance
from muster.registry import queries as registry
from muster.workforce import clocks, decide, links, queries, relief_queries
from muster.workforce.engine.posts import Role
from muster.workforce.events import CallUpOpened, DemandRaised

CALL_UPS = ("name", "opened_at", "needed", "placed", "arrived", "closed_at", "call_up")
BOARD = ("area_name", "site_name", "role", "needed", "asked", "accepted", "declined", "waiting", "silent",
         "placed", "arrived", "resting", "gone")  # fmt: skip
PHONES = (
    "name",
    "phone",
    "unit_name",
    "role",
    "area_name",
    "site_name",
    "starts_at",
    "state",
    "link",
)
RISK = (
    "arrive_by",
    "area_name",
    "site_name",
    "role",
    "needed",
    "placed",
    "arrived",
    "empty",
    "late",
    "missed",
)
CLOCKS = ("name", "unit_name", "area_name", "site_name", "role", "duty_minutes", "suit_minutes", "days",
          "resting", "passed")  # fmt: skip


@main.group("callup")
def callup_group() -> None:
    """Call people up: open, show, more, stop, phones, risk, clocks."""


@command(callup_group, "open")
@click.argument("name")
@click.option("--area", required=True, help="Code, id or name.")
@click.option(
    "--each",
    help="Not for the area as a whole but for each area of this level in it: street, grid, …",
)
@click.option("--role", type=click.Choice(get_args(Role)), required=True)
@click.option(
    "--count", type=click.IntRange(1, 10_000), required=True, help="People for each of them."
)
@click.option(
    "--from", "starts", required=True, help="When the shift begins, such as “2022-08-02 06:00”."
)
@click.option("--until", "ends", required=True)
@click.option("--arrive-by", help="When they are to stand there; otherwise when the shift begins.")
@click.option("--skill")
@click.option("--unit", "units", multiple=True, help="Of these units only; repeatable.")
@click.option("--minutes", default=10, show_default=True, help="To answer in.")
async def open_call_up(
    out: Out, name: str, area: str, each: str | None, role: Role, count: int, starts: str, ends: str,
    arrive_by: str | None, skill: str | None, units: tuple[str, ...], minutes: int,
) -> Any:  # fmt: skip
    """Say what is needed and ask the first; a running server asks others for who refuses or stays silent."""
    zone = out.settings.timezone
    times = [_time(one, zone) for one in (starts, ends)]
    there = _time(arrive_by, zone) if arrive_by else None

    async def work(out: Out, muster: Instance) -> Any:
        at = now()
        async with muster.pool.connection() as conn:
            top = await registry.area(conn, area)
            below = await queries.areas_in(conn, top["area"], level=each) if each else [top]
            if not below:
                raise click.UsageError(
                    out.pick(f"{area} has no {each}.", f"{area} 下没有 {each}。")
                )
            wanted = [
                DemandRaised(one["area"], role, count, times[0], times[1], None, there, skill)
                for one in below
            ]
            of = [(await queries.unit(conn, one))["unit"] for one in units]
            demands = [
                await decide.raise_demand(muster.door, one, actor=ACTOR, at=at) for one in wanted
            ]
            body = CallUpOpened(name, tuple(demands), minutes, tuple(of))
            call_up, wave = await decide.open_call_up(conn, muster.door, body, actor=ACTOR, at=at)
        out.say(f"{wave.asked:,} asked for {count * len(below):,} places",
                f"{count * len(below):,} 个岗位，已召集 {wave.asked:,} 人")  # fmt: skip
        return {"call_up": call_up, "needed": count * len(below), "asked": wave.asked}

    return await opened(work, out)


@command(callup_group, "list")
@output_option
async def list_call_ups(out: Out, output: Path | None) -> Any:
    """Call-ups with their sums, newest first."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            found = await every(lambda a: queries.call_ups(conn, after=a))
        out.listing(found, CALL_UPS, output)
        return found

    return await opened(work, out)


@command(callup_group, "show")
@click.argument("name")
async def show_board(out: Out, name: str) -> Any:
    """A call-up, place by place: needed, asked, who said yes, who stands there. Name or id."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            found = await queries.call_up(conn, name)
            lines = await queries.board(conn, found["demands"], at=now())
        out.table(lines, BOARD, title=found["name"])
        return lines

    return await opened(work, out)


@command(callup_group, "more")
@click.argument("name")
async def ask_more(out: Out, name: str) -> Any:
    """Ask others now for those who refused or stayed silent."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            found = await queries.call_up(conn, name)
            wave = await decide.top_up(conn, muster.door, found, at=now())
        out.say(f"{wave.asked:,} more asked", f"又召集 {wave.asked:,} 人")
        return {"asked": wave.asked, "nobody_left": wave.nobody_left}

    return await opened(work, out)


@command(callup_group, "stop")
@click.argument("name")
async def stop_call_up(out: Out, name: str) -> Any:
    """Ask nobody else; whoever has not answered is told that they are not needed."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            found = await queries.call_up(conn, name)
            await decide.close_call_up(conn, muster.door, found, actor=ACTOR, at=now())
        out.say(f"{found['name']}: stopped", f"{found['name']}：已结束")
        return {"call_up": found["call_up"]}

    return await opened(work, out)


@command(callup_group, "phones")
@click.argument("name")
@click.option("--all", "everybody", is_flag=True, help="Also those who have answered.")
@output_option
async def list_phones(out: Out, name: str, everybody: bool, output: Path | None) -> Any:
    """Whom to ring up, with the link of each that needs no account. What is shown is recorded."""
    states = ["called", "accepted", "declined", "withdrawn"] if everybody else ["called"]

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            found = await queries.call_up(conn, name)
            people = await every(lambda a: queries.telephone_list(
                conn, found["call_up"], states=states, opened=muster.vault.open, after=a))  # fmt: skip
            for one in people:
                one["link"] = links.path_of(muster.vault, one["summons"])
            mark = await noted(conn, "callup phones", people, output)
        out.listing(people, PHONES, output, mark=mark)
        return people

    return await opened(work, out)


@command(callup_group, "risk")
@click.option("--area", help="Code, id or name.")
@click.option("--hours", default=12, show_default=True, help="Posts that begin within so many.")
@output_option
async def list_risks(out: Out, area: str | None, hours: int, output: Path | None) -> Any:
    """Posts that run or begin soon and are not as they should be."""

    async def work(out: Out, muster: Instance) -> Any:
        at = now()
        async with muster.pool.connection() as conn:
            top = (await registry.area(conn, area))["area"] if area else None
            found = await every(lambda a: queries.at_risk(
                conn, area=top, at=at, until=at + timedelta(hours=hours), after=a))  # fmt: skip
        out.listing(found, RISK, output)
        return found

    return await opened(work, out)


@command(callup_group, "clocks")
@click.option("--area", help="Code, id or name.")
@click.option("--passed", is_flag=True, help="Only who has passed a limit.")
@output_option
async def list_clocks(out: Out, area: str | None, passed: bool, output: Path | None) -> Any:
    """Who stands and for how long, the longest first. What is shown is recorded."""

    async def work(out: Out, muster: Instance) -> Any:
        at, zone = now(), out.settings.timezone
        async with muster.pool.connection() as conn:
            top = (await registry.area(conn, area))["area"] if area else None
            limits = await queries.limits(conn, at=at)
            found = await clocks.clocks(conn, area=top, limits=limits, at=at)
            people: Rows = await every(lambda a: relief_queries.clock_page(
                conn, found, only="passed" if passed else None, limits=limits, zone=zone, at=at, after=a,
            ))  # fmt: skip
            mark = await noted(conn, "callup clocks", people, output)
        out.listing(people, CLOCKS, output, mark=mark)
        return people

    return await opened(work, out)


def _time(text: str, zone: str) -> datetime:
    try:
        return parse_local(text, zone)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
