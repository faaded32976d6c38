"""Commands about teams, and about aid from elsewhere."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import rich_click as click

from muster.access.readings import COMMAND_LINE as ACTOR
from muster.cli import main
from muster.cli.output import Out, command, every, opened, output_option
from muster.core.clock import now, parse_local
from muster.instance import Instance
from muster.registry import queries as registry
from muster.teams import accounts, assigning, decide, queries
from muster.teams.events import TeamFormed, TeamKind
from muster.workforce import queries as workforce
from muster.workforce.engine.posts import POSTS


@main.group("team")
def team_group() -> None:
    """Teams: form, also evenly from many; show, what they are made of."""


@main.group("aid")
def aid_group() -> None:
    """Aid from elsewhere: show, assign to places, release."""


@command(team_group, "list")
@click.option("--area", help="Code, name or id.")
@click.option("--kind", type=click.Choice(get_args(TeamKind)))
@output_option
async def list_teams(out: Out, area: str | None, kind: TeamKind | None, output: Path | None) -> Any:
    """Teams by code."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            top = (await registry.area(conn, area))["area"] if area else None
            rows = await every(lambda a: queries.teams(conn, area=top, kind=kind, after=a))
        columns = (
            "code",
            "name",
            "kind",
            "area_name",
            "people",
            "marking",
            "badge",
            "lodging",
            "vehicle",
        )
        return out.listing(rows, columns, output)

    return await opened(work, out)


@command(team_group, "form")
@click.argument("code")
@click.option("--name", required=True)
@click.option("--area", required=True, help="Code, name or id.")
@click.option("--kind", type=click.Choice(get_args(TeamKind)), default="group", show_default=True)
@click.option("--unit", help="Of whose people groups are made: code or id.")
@click.option("--call-up", help="Of whose arrived people groups are made: name or id.")
@click.option("--groups", type=click.IntRange(1), help="So many, even by unit, skill and sex.")
@click.option("--dry", is_flag=True, help="Only say what would be.")
async def form_team(
    out: Out, code: str, name: str, area: str, kind: TeamKind, unit: str | None, call_up: str | None,
    groups: int | None, dry: bool,
) -> Any:  # fmt: skip
    """Form a team; with --groups several, evenly of a unit's people or of who arrived of a call-up."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            body = TeamFormed(code, name, kind, (await registry.area(conn, area))["area"])
            if groups is None:
                team = await decide.form(conn, muster.door, body, actor=ACTOR, at=now())
                out.say(f"Team {code} is formed: {team}", f"队伍 {code} 已组建：{team}")
                return {"team": team}
            staff: list[UUID] = []
            if unit:
                staff = await queries.of_unit(conn, (await workforce.unit(conn, unit))["unit"])
            elif call_up:
                found = await workforce.call_up(conn, call_up)
                staff = await queries.arrived_of(conn, found["call_up"])
            made = await decide.group_evenly(
                conn, muster.door, body, staff, groups, dry=dry, actor=ACTOR, at=now()
            )
        rows = [
            {"code": one.code, "marking": one.marking, "people": len(one.members)} for one in made
        ]
        out.table(rows, ["code", "marking", "people"])
        return {"dry": dry, "groups": rows, "unevenness": decide.unevenness(made)}

    return await opened(work, out)


@command(team_group, "show")
@click.argument("team")
async def show_team(out: Out, team: str) -> Any:
    """A team, by code or id, and what it is made of, in figures by which nobody is known."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            found = await queries.team(conn, team)
            figures = await queries.composed(conn, found["team"], year=now().year)
        rows = [
            {"what": what, "value": value, "people": count}
            for what, cells in figures.items() for value, count in cells.items()
        ]  # fmt: skip
        out.table(rows, ["what", "value", "people"], f"{found['code']} {found['name']}")
        return found | {"composition": figures}

    return await opened(work, out)


@command(aid_group, "show")
@click.argument("aid")
async def show_aid(out: Out, aid: str) -> Any:
    """An aid, by name or id, with its waves."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            found = await queries.aid(conn, aid)
            waves = await queries.waves(conn, found["aid"])
        out.table(
            waves, ["number", "count", "leaves_at", "arrives_by", "arrived", "arrived_at", "released_at"],
            f"{found['sender']} → {found['host_name']}",
        )  # fmt: skip
        return found | {"waves": waves}

    return await opened(work, out)


@command(aid_group, "assign")
@click.argument("aid")
@click.option("--role", type=click.Choice(list(POSTS)), required=True)
@click.option("--from", "start", required=True, help="Local time, e.g. '2022-08-02 20:00'.")
@click.option("--hours", type=click.IntRange(1, 48), default=8, show_default=True)
@click.option("--level", default="compound", show_default=True, help="Of the places to be filled.")
@click.option("--rest", type=click.IntRange(0), default=0, help="How many rest at least.")
@click.option("--dry", is_flag=True, help="Only say what would be.")
async def assign_aid(
    out: Out, aid: str, role: Any, start: str, hours: int, level: str, rest: int, dry: bool
) -> Any:
    """Give those who are here places all over the host's area: each place somebody, the larger ones more."""
    zone, at = out.settings.timezone, now()
    starts_at = _time(start, zone)
    wish = assigning.Wish(role, starts_at, starts_at + timedelta(hours=hours), level, rest)

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            found = await queries.aid(conn, aid)
            planned = await assigning.plan(conn, found, wish, zone=zone, at=at)
            limits = await workforce.limits(conn, at=at)
        refused = {} if dry else await assigning.assign(
            muster.door, planned, wish, limits=limits, actor=ACTOR, at=at
        )  # fmt: skip
        rows = [
            {"code": one.spot["code"], "name": one.spot["name"], "size": one.spot["size"],
             "placed": one.placed, "people": len(one.people)}
            for one in planned.filled
        ]  # fmt: skip
        out.table(rows, ["code", "name", "size", "placed", "people"])
        return {
            "dry": dry, "places": rows, "resting": len(planned.resting), "unfit": len(planned.unfit),
            "refused": len(refused),
        }  # fmt: skip

    return await opened(work, out)


@command(aid_group, "release")
@click.argument("aid")
@click.option("--wave", type=int, help="Only the wave of this number.")
async def release_aid(out: Out, aid: str, wave: int | None) -> Any:
    """Release an aid, or one wave of it: places nobody came to yet are free, accounts end now."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            found = await queries.aid(conn, aid)
            of = {one["number"]: one["wave"] for one in await queries.waves(conn, found["aid"])}
            if wave is not None and wave not in of:
                raise queries.WaveUnknown(wave=wave)
            people, closed = await accounts.release(
                conn, muster.door, found["aid"], wave=of[wave] if wave is not None else None, actor=ACTOR,
                at=now(),
            )  # fmt: skip
        out.say(
            f"{people} people released, {closed} accounts closed",
            f"{people} 人结束支援，关闭 {closed} 个账号",
        )
        return {"people": people, "accounts": closed}

    return await opened(work, out)


def _time(text: str, zone: str) -> datetime:
    """A time as typed; one that is none is wrong usage."""
    try:
        return parse_local(text, zone)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
