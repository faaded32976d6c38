"""HTTP for who carries it: the register, what is needed, call-ups with their live board, who stands where."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.core.clock import now
from muster.core.paging import Page
from muster.guarding import area_within, check_reach, principal, reading
from muster.sampling import queries as sampling
from muster.showing import Why, looking
from muster.web import After, Ask, Format, Limit, muster
from muster.workforce import decide, gap_api, link_api, links, post_api, queries, relief_api
from muster.workforce.engine.posts import Role
from muster.workforce.events import Answer, CallUpOpened, DemandRaised
from muster.workforce.post_api import IdGiven, reach

Time = Annotated[datetime, Meta(tz=True)]
Text = Annotated[str, Meta(min_length=1, max_length=64)]
SummonsState = Literal["called", "accepted", "declined", "withdrawn"]


class NewDemand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a place needs: so many in a role for a time. The area by code, id or name; a site by code or id."""

    area: str
    role: Role
    count: Annotated[int, Meta(ge=0, le=10_000)]
    starts_at: Time
    ends_at: Time
    site: str | None = None
    arrive_by: Time | None = None
    skill: Text | None = None
    proven: bool = False
    id: UUID | None = None


class NewCallUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """People are called up for these demands; only of these units (code or id), or of units in these areas,
    where given. Who has not answered after `answer_minutes` is no longer waited for."""

    name: Annotated[str, Meta(min_length=1, max_length=120)]
    demands: Annotated[list[UUID], Meta(min_length=1, max_length=1_000)]
    answer_minutes: Annotated[int, Meta(ge=1, le=10_080)] = 10
    units: Annotated[list[str], Meta(max_length=1_000)] = []
    areas: Annotated[list[str], Meta(max_length=1_000)] = []


class CallUpTurn(msgspec.Struct, frozen=True):
    """A call-up, how many it asked just now, and for how many demands nobody was left to ask."""

    call_up: UUID
    wave: int
    asked: int
    nobody_left: int


class BoardLine(msgspec.Struct, frozen=True):
    """One demand. `accepted` said yes; `placed` have a place; `arrived` came to stand there; of those
    `resting` take a break and `gone` have left again; `silent` did not answer in time; `withdrawn` were
    told they are not needed."""

    demand: UUID
    area: UUID
    role: Role
    starts_at: datetime
    ends_at: datetime
    arrive_by: datetime
    needed: int
    asked: int
    accepted: int
    declined: int
    waiting: int
    silent: int
    withdrawn: int
    placed: int
    arrived: int
    gone: int
    resting: int
    area_name: str | None = None
    site: UUID | None = None
    site_code: str | None = None
    site_name: str | None = None
    last_arrival: datetime | None = None
    arrival_path: str | None = None  # behind the QR of the post


class CallUpBoard(msgspec.Struct, frozen=True):
    """A call-up as it stands. The clock stops at arrival, not at the word."""

    call_up: UUID
    name: str
    opened_at: datetime
    opened_by: str
    as_of: datetime
    lines: list[BoardLine]
    closed_at: datetime | None = None
    closed_why: str | None = None


class SaidByCaller(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody said on the telephone."""

    answer: Answer


class Standing(msgspec.Struct, frozen=True):
    """How a summons stands after an answer: the place, if there is one."""

    summons: UUID
    state: SummonsState
    posting: UUID | None = None


@get("/v1/staff", right="staff")
async def list_staff(
    request: Ask, q: FromQuery[str | None] = None, unit: FromQuery[str | None] = None,
    role: FromQuery[Role | None] = None, reason: Why = None, after: After = None, limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:  # fmt: skip
    """Who can be called up, by name: of a unit, trained for a role, whose name or initials begin so; masked
    unless a reason is given."""
    async with looking(request, reason) as look:
        of = (await queries.unit(look.conn, unit))["unit"] if unit else None
        return await look.listing(
            lambda a, n: queries.staff_list(
                look.conn, q=q, unit=of, role=role, at=now(), after=a, limit=n
            ),
            after=after, limit=limit, format=format, name="staff",
        )  # fmt: skip


@post("/v1/demands", right="decide_call_ups")
async def raise_demand(request: Ask, data: JSONBody[NewDemand]) -> IdGiven:
    """Say what a place needs; said again with the same id, the later word counts, and 0 withdraws it."""
    async with reading(request) as conn:
        area = (await area_within(request, conn, data.area))["area"]
        site = await sampling.site(conn, data.site) if data.site else None
        if site:
            await check_reach(request, conn, [site["area"]])
    if data.id:
        async with muster(request).pool.connection() as own:
            if known := await queries.demand(own, data.id):
                await reach(request, known["area"])
    body = DemandRaised(
        area, data.role, data.count, data.starts_at, data.ends_at, site["site"] if site else None,
        data.arrive_by, data.skill, data.proven,
    )  # fmt: skip
    return IdGiven(await decide.raise_demand(
        muster(request).door, body, demand=data.id, actor=principal(request).login, at=now()
    ))  # fmt: skip


@get("/v1/call-ups", right="call_ups")
async def list_call_ups(request: Ask, after: After = None, limit: Limit = 100) -> Page:
    """Call-ups with their sums, newest first."""
    async with reading(request) as conn:
        return await queries.call_ups(conn, after=after, limit=limit)


@post("/v1/call-ups", right="decide_call_ups")
async def open_call_up(request: Ask, data: JSONBody[NewCallUp]) -> CallUpTurn:
    """Call people up for demands: the first are asked at once, others as these refuse or stay silent."""
    async with reading(request) as conn:
        areas = [(await area_within(request, conn, one))["area"] for one in data.areas]
        units = [await queries.unit(conn, one) for one in data.units]
        await check_reach(request, conn, [one["area"] for one in units])
    who = principal(request).scope("decide_call_ups")
    if not (areas or units or who.everyone):  # whom one may not see, one does not call
        areas = sorted(who.people_areas)
    body = CallUpOpened(
        data.name,
        tuple(data.demands),
        data.answer_minutes,
        tuple(one["unit"] for one in units),
        tuple(areas),
    )
    async with muster(request).pool.connection() as own:
        for one in await queries.open_needs(own, data.demands, at=now()):
            await reach(request, one["area"])
        id_, wave = await decide.open_call_up(
            own, muster(request).door, body, actor=principal(request).login, at=now()
        )
    return CallUpTurn(id_, wave.wave, wave.asked, wave.nobody_left)


@get("/v1/call-ups/{call_up:str}", right="call_ups")
async def show_board(request: Ask, call_up: FromPath[str]) -> CallUpBoard:
    """A call-up, demand by demand, as it stands now."""
    async with reading(request) as conn:
        found = await queries.call_up(conn, call_up)
        at = now()
        vault = muster(request).vault
        lines = [
            BoardLine(**one, arrival_path=links.place_path(vault, one["site"] or one["area"]))
            for one in await queries.board(conn, found["demands"], at=at)
        ]
    return CallUpBoard(
        found["call_up"], found["name"], found["opened_at"], found["opened_by"], at, lines,
        found["closed_at"], found["closed_why"],
    )  # fmt: skip


@get("/v1/call-ups/{call_up:str}/telephone-list", right="decide_call_ups")
async def list_telephones(
    request: Ask, call_up: FromPath[str], wanted: FromQuery[SummonsState | None] = "called",
    reason: Why = None, after: After = None, limit: Limit = 100, format: Format = "json",
) -> Page | Response[bytes]:  # fmt: skip
    """Whom to ring up, with the link of each that needs no account; names and phones masked, and no links,
    unless a reason is given."""
    vault = muster(request).vault
    states = [wanted] if wanted else ["called", "accepted", "declined", "withdrawn"]
    async with looking(request, reason) as look:
        found = await _own_call_up(request, look.conn, call_up)

        async def linked(cursor: str | None, count: int) -> Page:
            turned = await queries.telephone_list(
                look.conn,
                found["call_up"],
                states=states,
                opened=vault.open,
                after=cursor,
                limit=count,
            )
            for one in turned.items:
                one["link"] = links.path_of(vault, one["summons"]) if reason else None
            return turned

        return await look.listing(
            linked, after=after, limit=limit, format=format, name="telephone-list"
        )


@post("/v1/call-ups/{call_up:str}/top-up", status_code=200, right="decide_call_ups")
async def top_up(request: Ask, call_up: FromPath[str]) -> CallUpTurn:
    """Ask others now for those who refused or stayed silent; the clock does it every minute."""
    async with muster(request).pool.connection() as own:
        found = await _own_call_up(request, own, call_up)
        wave = await decide.top_up(own, muster(request).door, found, at=now())
    return CallUpTurn(found["call_up"], wave.wave, wave.asked, wave.nobody_left)


@post("/v1/call-ups/{call_up:str}/stop", status_code=204, right="decide_call_ups")
async def close_call_up(request: Ask, call_up: FromPath[str]) -> None:
    """Ask nobody else; whoever has not answered is told that they are not needed."""
    async with muster(request).pool.connection() as own:
        found = await _own_call_up(request, own, call_up)
        await decide.close_call_up(
            own, muster(request).door, found, actor=principal(request).login, at=now()
        )


@post("/v1/summons/{summons:uuid}/answer", status_code=200, right="decide_call_ups")
async def answer_for(
    request: Ask, summons: FromPath[UUID], data: JSONBody[SaidByCaller]
) -> Standing:
    """What somebody said on the telephone."""
    async with muster(request).pool.connection() as own:
        await reach(request, (await queries.summons(own, summons))["area"])
        stands = await decide.answer(
            own, muster(request).door, summons, data.answer, how="telephone",
            actor=principal(request).login, at=now(),
        )  # fmt: skip
    return Standing(summons, stands["state"], stands["posting"])


async def _own_call_up(request: Ask, conn: Any, text: str) -> dict[str, Any]:
    """A call-up all of whose demands lie within the caller's area."""
    found = await queries.call_up(conn, text)
    async with muster(request).pool.connection() as own:
        needs = await queries.open_needs(own, found["demands"], at=now())
    async with reading(request) as seen:
        await check_reach(request, seen, [one["area"] for one in needs])
    return found


HANDLERS: list[Any] = [
    list_staff, raise_demand, list_call_ups, open_call_up, show_board, list_telephones, top_up, close_call_up,
    answer_for, *post_api.HANDLERS, *relief_api.HANDLERS, *gap_api.HANDLERS, *link_api.HANDLERS,
]  # fmt: skip
