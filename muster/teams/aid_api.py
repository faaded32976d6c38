"""HTTP for mutual aid: agreed, sent in waves, arrived, lodged, assigned, released; accounts of those who came."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from muster.access import asking
from muster.config import TEAM_PEOPLE_LIMIT
from muster.core.clock import now
from muster.core.paging import Page
from muster.guarding import area_within, check_reach, principal, reading
from muster.showing import Why, looking
from muster.teams import accounts, assigning, decide, queries
from muster.teams.accounts import AidRole
from muster.teams.api import People, own_people
from muster.teams.events import AidAgreed, AidKind, LodgingGiven, WaveSent
from muster.web import After, Ask, Format, Label, Limit, muster
from muster.workforce import queries as workforce
from muster.workforce.engine.posts import Role

Time = Annotated[datetime, Meta(tz=True)]


class NewAid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was agreed: who sends, whither (area by code, id or name), which people, for how long. `unit`: under
    which they are listed here, by code or id. With an `id` it is said anew."""

    name: Label
    sender: Label
    host: str
    kind: AidKind
    starts_at: Time
    ends_at: Time
    unit: str | None = None
    lead: UUID | None = None
    lodging: Label | None = None
    meals: Label | None = None
    id: UUID | None = None


class NewWave(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part that sets out."""

    number: Annotated[int, Meta(ge=1, le=1_000)]
    leaves_at: Time
    arrives_by: Time
    count: Annotated[int, Meta(ge=1, le=100_000)]


class Came(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many came."""

    count: Annotated[int, Meta(ge=0, le=100_000)]


class Carried(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days of duty on end before they came, up to and with the day `on`."""

    staff: People
    days: Annotated[int, Meta(ge=0, le=1_000)]
    on: date


class Lodged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where people sleep and who feeds them; `at_home`: in their own home. `area`: where it lies, by code, id
    or name."""

    staff: People
    lodging: Label | None = None
    meals: Label | None = None
    at_home: bool = False
    area: str | None = None


class AidWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people of an aid are to do, in every place of a level under the host's area. `rest`: how many of
    them rest at least, who has been on duty longest first. `dry`: only say what would be."""

    role: Role
    starts_at: Time
    ends_at: Time
    level: Annotated[str, Meta(min_length=1, max_length=64)] = "compound"
    rest: Annotated[int, Meta(ge=0, le=TEAM_PEOPLE_LIMIT)] = 0
    dry: bool = False


class PlaceFilled(msgspec.Struct, frozen=True):
    """A place, how many live there, who had a place there before, who goes there now."""

    demand: UUID
    area: UUID
    code: str | None
    name: str | None
    size: int
    placed: int
    staff: list[UUID]


class Resting(msgspec.Struct, frozen=True):
    """Somebody who rests, after so many days on duty."""

    staff: UUID
    days: int


class AidPlanned(msgspec.Struct, frozen=True):
    """Who goes where, who rests, who cannot go because of what, and, where it was carried out, who was refused
    a place by which problem."""

    dry: bool
    assigned: int
    places: list[PlaceFilled]
    resting: list[Resting]
    unfit: dict[UUID, str]
    refused: dict[UUID, str]


class ReleasedWave(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which wave is released; left out: all."""

    wave: UUID | None = None


class Released(msgspec.Struct, frozen=True):
    """How many people were released, how many accounts closed."""

    people: int
    accounts: int


class AccountsWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As what those who were sent sign in."""

    role: AidRole


class AidAccount(msgspec.Struct, frozen=True):
    """The login of somebody who was sent; `new`: made just now."""

    staff: UUID
    login: str
    new: bool


class AidMade(msgspec.Struct, frozen=True):
    """The id of what was noted."""

    id: UUID


class AidShown(msgspec.Struct, frozen=True, kw_only=True):
    """An aid with its waves."""

    aid: UUID
    name: str
    sender: str
    host: UUID
    host_name: str | None
    kind: AidKind
    starts_at: datetime
    ends_at: datetime
    unit: UUID | None
    lead: UUID | None
    lodging: str | None
    meals: str | None
    released_at: datetime | None
    waves: list[dict[str, Any]]


@get("/v1/aid", right="call_ups")
async def list_aid(request: Ask, after: After = None, limit: Limit = 100) -> Page:
    """Aid from elsewhere with its sums, the latest first."""
    async with reading(request) as conn:
        return await queries.aids(conn, after=after, limit=limit)


@post("/v1/aid", right="decide_call_ups")
async def agree_aid(request: Ask, data: JSONBody[NewAid]) -> AidMade:
    """Note what was agreed with another place."""
    async with reading(request) as conn:
        host = (await area_within(request, conn, data.host))["area"]
        unit = await workforce.unit(conn, data.unit) if data.unit else None
        if unit:
            await check_reach(request, conn, [unit["area"]])
    if data.lead:
        await own_people(request, [data.lead])
    if data.id:
        await _known(request, data.id)
    body = AidAgreed(
        data.name, data.sender, host, data.kind, data.starts_at, data.ends_at,
        unit["unit"] if unit else None, data.lead, data.lodging, data.meals,
    )  # fmt: skip
    return AidMade(await decide.agree(
        muster(request).door, body, aid=data.id, actor=principal(request).login, at=now()
    ))  # fmt: skip


@get("/v1/aid/{aid:str}", right="call_ups")
async def show_aid(request: Ask, aid: FromPath[str]) -> AidShown:
    """An aid with its waves: how many were sent, how many came."""
    async with reading(request) as conn:
        found = await queries.aid(conn, aid)
        await check_reach(request, conn, [found["host"]])
        waves = await queries.waves(conn, found["aid"])
    told = {name: found[name] for name in AidShown.__struct_fields__ if name != "waves"}
    return AidShown(**told, waves=waves)


@post("/v1/aid/{aid:uuid}/waves", right="decide_call_ups")
async def send_wave(request: Ask, aid: FromPath[UUID], data: JSONBody[NewWave]) -> AidMade:
    """Note that a part of an aid sets out."""
    await own_aid(request, aid)
    body = WaveSent(aid, data.number, data.leaves_at, data.arrives_by, data.count)
    return AidMade(await decide.send(
        muster(request).door, body, actor=principal(request).login, at=now()
    ))  # fmt: skip


@post("/v1/waves/{wave:uuid}/arrival", status_code=204, right="decide_call_ups")
async def confirm_arrival(request: Ask, wave: FromPath[UUID], data: JSONBody[Came]) -> None:
    """Confirm that a wave is here, and how many came."""
    async with muster(request).pool.connection() as own:
        await own_aid(request, (await queries.wave(own, wave))["aid"])
        await decide.arrive(
            own, muster(request).door, wave, data.count, actor=principal(request).login, at=now()
        )


@post("/v1/duty-carried", status_code=204, right="decide_call_ups")
async def carry_duty(request: Ask, data: JSONBody[Carried]) -> None:
    """Note how many days of duty on end people have behind them who came from elsewhere."""
    await own_people(request, data.staff)
    await decide.carry(
        muster(request).door, data.staff, days=data.days, on=data.on, actor=principal(request).login,
        at=now(),
    )  # fmt: skip


@post("/v1/lodgings", status_code=204, right="decide_call_ups")
async def give_lodging(request: Ask, data: JSONBody[Lodged]) -> None:
    """Say where people sleep and who feeds them, at home too."""
    await own_people(request, data.staff)
    async with reading(request) as conn:
        area = (await area_within(request, conn, data.area))["area"] if data.area else None
    body = LodgingGiven(data.lodging, data.meals, data.at_home, area)
    await decide.lodge(
        muster(request).door, data.staff, body, actor=principal(request).login, at=now()
    )


@post("/v1/aid/{aid:uuid}/assign", status_code=200, right="decide_call_ups")
async def assign_aid(request: Ask, aid: FromPath[UUID], data: JSONBody[AidWish]) -> AidPlanned:
    """Give those who are here places all over the host's area, or only say which those would be."""
    found = await own_aid(request, aid)
    here, at = muster(request), now()
    wish = assigning.Wish(data.role, data.starts_at, data.ends_at, data.level, data.rest)
    async with here.pool.connection() as own:
        planned = await assigning.plan(own, found, wish, zone=here.settings.timezone, at=at)
        limits = await workforce.limits(own, at=at)
    refused = {} if data.dry else await assigning.assign(
        here.door, planned, wish, limits=limits, actor=principal(request).login, at=at
    )  # fmt: skip
    places = [
        PlaceFilled(one.demand, one.spot["area"], one.spot["code"], one.spot["name"], one.spot["size"],
                    one.placed, list(one.people))
        for one in planned.filled
    ]  # fmt: skip
    return AidPlanned(
        data.dry, sum(len(one.people) for one in planned.filled) - len(refused), places,
        [Resting(one.staff, one.days) for one in planned.resting], planned.unfit, refused,
    )  # fmt: skip


@get("/v1/aid/{aid:str}/posts", right="call_ups")
async def list_aid_posts(
    request: Ask, aid: FromPath[str], reason: Why = None, after: After = None, limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:  # fmt: skip
    """Who of an aid stands where and when; masked unless a reason is given."""
    async with looking(request, reason) as look:
        found = await queries.aid(look.conn, aid)
        await check_reach(request, look.conn, [found["host"]])
        return await look.listing(
            lambda a, n: queries.posts(look.conn, found["aid"], after=a, limit=n),
            after=after, limit=limit, format=format, name="aid-posts",
        )  # fmt: skip


@post("/v1/aid/{aid:uuid}/release", status_code=200, right="decide_call_ups")
async def release_aid(request: Ask, aid: FromPath[UUID], data: JSONBody[ReleasedWave]) -> Released:
    """Release an aid, or one wave of it: places nobody came to yet are free, accounts end now."""
    await own_aid(request, aid)
    async with muster(request).pool.connection() as own:
        if data.wave and (await queries.wave(own, data.wave))["aid"] != aid:
            raise queries.WaveUnknown(wave=data.wave)
        people, closed = await accounts.release(
            own, muster(request).door, aid, wave=data.wave, actor=principal(request).login, at=now()
        )
    asking.forget(request)
    return Released(people, closed)


@post("/v1/aid/{aid:uuid}/accounts", status_code=200, right="accounts")
async def open_aid_accounts(
    request: Ask, aid: FromPath[UUID], data: JSONBody[AccountsWanted]
) -> list[AidAccount]:
    """An account for each who is here, valid in the host's area until the aid ends or is released; slips are
    printed as for any other."""
    here = muster(request)
    async with here.pool.connection() as own:
        found = await queries.aid(own, str(aid))
        made = await accounts.open_accounts(
            own,
            here.door,
            here.vault,
            found,
            role=data.role,
            actor=principal(request).login,
            at=now(),
        )
    return [AidAccount(one.staff, one.login, one.new) for one in made]


async def own_aid(request: Ask, aid: UUID) -> dict[str, Any]:
    """An aid whose host's area lies within the caller's. Raises AidUnknown, OutsideYourArea."""
    async with muster(request).pool.connection() as own:
        found = await queries.aid(own, str(aid))
    async with reading(request) as conn:
        await check_reach(request, conn, [found["host"]])
    return found


async def _known(request: Ask, aid: UUID) -> None:
    try:
        await own_aid(request, aid)
    except queries.AidUnknown:
        return  # a new one, whose id its sender minted


HANDLERS: list[Any] = [
    list_aid, agree_aid, show_aid, send_wave, confirm_arrival, carry_duty, give_lodging, assign_aid,
    list_aid_posts, release_aid, open_aid_accounts,
]  # fmt: skip
