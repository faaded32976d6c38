"""HTTP for teams: formed one by one or evenly from many, joined, left, dissolved; who is in them."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.config import TEAM_PEOPLE_LIMIT, TEAMS_AT_ONCE_LIMIT
from muster.core.clock import now
from muster.core.paging import Page
from muster.core.problems import Problem
from muster.guarding import area_within, check_reach, principal, reading
from muster.showing import Why, looking
from muster.teams import decide, queries
from muster.teams.engine.colours import MARKINGS, Colour
from muster.teams.events import TeamFormed, TeamKind, WhyOut
from muster.web import After, Ask, Code, Format, Label, Limit, muster
from muster.workforce import queries as workforce

People = Annotated[list[UUID], Meta(min_length=1, max_length=TEAM_PEOPLE_LIMIT)]


class PeopleUnsaid(Problem):
    """Say of whom groups are to be made: either `staff`, or a `unit`, or a `call_up` whose people arrived; and of
    no more than {most} people."""

    zh = "请指明由谁编组：人员名单、单位或召集（已到岗人员）三者之一，且不超过 {most} 人。"


class NewTeam(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a team is. The area by code, id or name; `parent` by code or id; `aid` by name or id, and `wave` by
    its id, for people who were sent."""

    code: Code
    name: Label
    kind: TeamKind
    area: str
    leader: UUID | None = None
    deputy: UUID | None = None
    lodging: Label | None = None
    vehicle: Label | None = None
    badge: Label | None = None
    marking: Colour | None = None
    parent: str | None = None
    aid: str | None = None
    wave: UUID | None = None


class NewGroups(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many teams like `team`, numbered and each with a colour, made even by unit, skill and sex; of these
    people, of a unit (code or id), or of who arrived of a call-up (id or name). `dry`: only say what
    would be."""

    team: NewTeam
    count: Annotated[int, Meta(ge=1, le=TEAMS_AT_ONCE_LIMIT)]
    staff: Annotated[list[UUID], Meta(max_length=TEAM_PEOPLE_LIMIT)] = []
    unit: str | None = None
    call_up: str | None = None
    dry: bool = False


class TeamPeople(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who joins."""

    staff: People


class TeamPeopleOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who leaves, and why."""

    staff: People
    why: WhyOut = "left"


class Counted(msgspec.Struct, frozen=True):
    """How many people it changed something for."""

    people: int


class TeamMade(msgspec.Struct, frozen=True):
    """A team's id."""

    team: UUID


class GroupMade(msgspec.Struct, frozen=True):
    """A group with the ids of who is in it."""

    team: UUID
    code: str
    marking: str
    staff: list[UUID]


class GroupsMade(msgspec.Struct, frozen=True):
    """Groups, and by how many people two of them differ most: in size, in each skill and sex."""

    dry: bool
    groups: list[GroupMade]
    unevenness: dict[str, int]


class TeamShown(msgspec.Struct, frozen=True, kw_only=True):
    """A team with what it is made of: figures by which nobody is known."""

    team: UUID
    code: str
    name: str
    kind: TeamKind
    area: UUID
    area_name: str | None
    leader: UUID | None
    deputy: UUID | None
    lodging: str | None
    vehicle: str | None
    badge: str | None
    marking: str | None
    pattern: str | None
    parent: UUID | None
    aid: UUID | None
    wave: UUID | None
    dissolved: bool
    people: int
    composition: dict[str, dict[str, int | str]]


@get("/v1/teams", right="call_ups")
async def list_teams(
    request: Ask, area: FromQuery[str | None] = None, kind: FromQuery[TeamKind | None] = None,
    aid: FromQuery[str | None] = None, dissolved: FromQuery[bool] = False, after: After = None,
    limit: Limit = 100, format: Format = "json",
) -> Page | Response[bytes]:  # fmt: skip
    """Teams by code: all, under an area, of a kind, of an aid."""
    async with looking(request) as look:
        top = (await area_within(request, look.conn, area))["area"] if area else None
        of = (await queries.aid(look.conn, aid))["aid"] if aid else None
        return await look.listing(
            lambda a, n: queries.teams(
                look.conn, area=top, kind=kind, aid=of, dissolved=dissolved, after=a, limit=n
            ),
            after=after, limit=limit, format=format, name="teams", personal=False,
        )  # fmt: skip


@post("/v1/teams", right="decide_call_ups")
async def form_team(request: Ask, data: JSONBody[NewTeam]) -> TeamMade:
    """Form a team."""
    body = await _body(request, data)
    async with muster(request).pool.connection() as own:
        return TeamMade(await decide.form(
            own, muster(request).door, body, actor=principal(request).login, at=now()
        ))  # fmt: skip


@post("/v1/team-groups", status_code=200, right="decide_call_ups")
async def group_people(request: Ask, data: JSONBody[NewGroups]) -> GroupsMade:
    """Form so many teams evenly of many people, or only say which those would be."""
    body = await _body(request, data.team)
    staff = await _people(request, data)
    async with muster(request).pool.connection() as own:
        made = await decide.group_evenly(
            own, muster(request).door, body, staff, data.count, dry=data.dry,
            actor=principal(request).login, at=now(),
        )  # fmt: skip
    return GroupsMade(
        data.dry,
        [GroupMade(one.team, one.code, one.marking, [of.staff for of in one.members]) for one in made],
        decide.unevenness(made),
    )  # fmt: skip


@get("/v1/teams/{team:str}", right="call_ups")
async def show_team(request: Ask, team: FromPath[str]) -> TeamShown:
    """A team, and what it is made of, in figures."""
    async with reading(request) as conn:
        found = await queries.team(conn, team)
        await check_reach(request, conn, [found["area"]])
    at = now()
    async with muster(request).pool.connection() as own:  # figures of all, whoever lists them
        found = await queries.team(own, str(found["team"]))
        figures = await queries.composed(own, found["team"], year=at.year)
    pattern = MARKINGS[found["marking"]].pattern if found["marking"] else None
    told = {name: found[name] for name in TeamShown.__struct_fields__ if name in found}
    return TeamShown(**told, pattern=pattern, composition=figures)


@get("/v1/teams/{team:str}/members", right="call_ups")
async def list_members(
    request: Ask, team: FromPath[str], reason: Why = None, after: After = None, limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:  # fmt: skip
    """Who works in a team; masked unless a reason is given."""
    async with looking(request, reason) as look:
        found = await queries.team(look.conn, team)
        await check_reach(request, look.conn, [found["area"]])
        return await look.listing(
            lambda a, n: queries.members(look.conn, found["team"], after=a, limit=n),
            after=after, limit=limit, format=format, name="team",
        )  # fmt: skip


@post("/v1/teams/{team:uuid}/change", status_code=204, right="decide_call_ups")
async def change_team(request: Ask, team: FromPath[UUID], data: JSONBody[NewTeam]) -> None:
    """Say anew what a team is: leader, lodging, vehicle, badge, colour."""
    await own_team(request, team)
    body = await _body(request, data)
    async with muster(request).pool.connection() as own:
        await decide.change(
            own, muster(request).door, team, body, actor=principal(request).login, at=now()
        )


@post("/v1/teams/{team:uuid}/dissolve", status_code=204, right="decide_call_ups")
async def dissolve_team(request: Ask, team: FromPath[UUID]) -> None:
    """Dissolve a team: nobody is in it any more."""
    await own_team(request, team)
    async with muster(request).pool.connection() as own:
        await decide.dissolve(
            own, muster(request).door, team, actor=principal(request).login, at=now()
        )


@post("/v1/teams/{team:uuid}/join", status_code=200, right="decide_call_ups")
async def join_team(request: Ask, team: FromPath[UUID], data: JSONBody[TeamPeople]) -> Counted:
    """People work in a team from now on, and in no other of its kind."""
    await own_team(request, team)
    await own_people(request, data.staff)
    async with muster(request).pool.connection() as own:
        return Counted(await decide.join(
            own, muster(request).door, team, data.staff, actor=principal(request).login, at=now()
        ))  # fmt: skip


@post("/v1/teams/{team:uuid}/let-go", status_code=200, right="decide_call_ups")
async def leave_team(request: Ask, team: FromPath[UUID], data: JSONBody[TeamPeopleOut]) -> Counted:
    """People do not work in a team any more."""
    await own_team(request, team)
    async with muster(request).pool.connection() as own:
        return Counted(await decide.leave(
            own, muster(request).door, team, data.staff, why=data.why, actor=principal(request).login,
            at=now(),
        ))  # fmt: skip


async def own_team(request: Ask, team: UUID) -> dict[str, Any]:
    """A team whose area lies within the caller's. Raises TeamUnknown, OutsideYourArea."""
    async with muster(request).pool.connection() as own:
        found = await queries.team(own, str(team))
    async with reading(request) as conn:
        await check_reach(request, conn, [found["area"]])
    return found


async def own_people(request: Ask, staff: Sequence[UUID]) -> None:
    """All are on the register, and the units that list them stand within the caller's area. Raises
    StaffUnknown, OutsideYourArea."""
    async with muster(request).pool.connection() as own:
        areas = await queries.staff_areas(own, staff)
    if missing := [one for one in staff if one not in areas]:
        raise workforce.StaffUnknown(staff=missing[0])
    async with reading(request) as conn:
        await check_reach(request, conn, list(set(areas.values())))


async def _body(request: Ask, data: NewTeam) -> TeamFormed:
    async with reading(request) as conn:
        area = (await area_within(request, conn, data.area))["area"]
        parent = (await queries.team(conn, data.parent))["team"] if data.parent else None
        aid = await queries.aid(conn, data.aid) if data.aid else None
        if aid:
            await check_reach(request, conn, [aid["host"]])
        if data.wave and (await queries.wave(conn, data.wave))["aid"] != (aid or {}).get("aid"):
            raise queries.WaveUnknown(wave=data.wave)
    if named := [one for one in (data.leader, data.deputy) if one]:
        await own_people(request, named)
    return TeamFormed(
        data.code, data.name, data.kind, area, data.leader, data.deputy, data.lodging, data.vehicle,
        data.badge, data.marking, parent, aid["aid"] if aid else None, data.wave,
    )  # fmt: skip


async def _people(request: Ask, data: NewGroups) -> list[UUID]:
    """Of whom groups are made. Raises PeopleUnsaid, StaffUnknown, OutsideYourArea."""
    if sum(map(bool, (data.staff, data.unit, data.call_up))) != 1:
        raise PeopleUnsaid(most=TEAM_PEOPLE_LIMIT)
    staff = list(dict.fromkeys(data.staff))
    async with muster(request).pool.connection() as own:
        if data.unit:
            unit = await workforce.unit(own, data.unit)
            staff = await queries.of_unit(own, unit["unit"])
        elif data.call_up:
            of = await workforce.call_up(own, data.call_up)
            staff = await queries.arrived_of(own, of["call_up"])
    if len(staff) > TEAM_PEOPLE_LIMIT:
        raise PeopleUnsaid(most=TEAM_PEOPLE_LIMIT)
    await own_people(request, staff)
    return staff


HANDLERS: list[Any] = [
    list_teams, form_team, group_people, show_team, list_members, change_team, dissolve_team, join_team,
    leave_team,
]  # fmt: skip
