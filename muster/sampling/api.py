"""HTTP for rounds, sites, tubes, devices and anomalies."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.core.clock import now
from muster.core.paging import Page
from muster.core.text import clean
from muster.coverage import queries as coverage
from muster.guarding import area_within, check_reach, principal, reading
from muster.keeping.follower import catch_up
from muster.registry import queries as registry
from muster.registry.events import PolicyName
from muster.sampling import decide, queries
from muster.showing import Why, looking
from muster.web import After, Ask, Code, Format, Label, Limit, muster


class NewRound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A round to open; areas by code, id or name."""

    name: Label
    areas: Annotated[list[str], Meta(min_length=1, max_length=1_000)]
    starts_at: Annotated[datetime, Meta(tz=True)]
    ends_at: Annotated[datetime, Meta(tz=True)]


class Closing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Close a round; with `allow_open` also while people are missing or results pending."""

    allow_open: bool = False


class NewPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An edition of a policy number, for an area or a group if given."""

    name: PolicyName
    value: Annotated[int, Meta(ge=1, le=10_000)]
    since: Annotated[datetime, Meta(tz=True)]
    area: str | None = None
    group: Code | None = None
    household: bool = False


@get("/v1/rounds", right="rounds")
async def list_rounds(request: Ask) -> list[dict[str, Any]]:
    """Every round, newest first."""
    async with reading(request) as conn:
        return await queries.all_rounds(conn)


@post("/v1/rounds", right="decide_rounds")
async def open_round(request: Ask, data: JSONBody[NewRound]) -> dict[str, UUID]:
    """Open a round over some areas."""
    async with reading(request) as conn:
        areas = [(await area_within(request, conn, area))["area"] for area in data.areas]
    round = await decide.open_round(
        muster(request).door, name=data.name, areas=areas, starts_at=data.starts_at,
        ends_at=data.ends_at, actor=principal(request).login, at=now(),
    )  # fmt: skip
    return {"round": round}


@post("/v1/rounds/{round:str}/close", status_code=200, right="decide_rounds")
async def close_round(
    request: Ask, round: FromPath[str], data: JSONBody[Closing]
) -> list[dict[str, Any]]:
    """Close a round on its balance sheet, which is returned."""
    async with muster(request).pool.connection() as conn:
        await catch_up(conn, muster(request).door.catalogue)
    async with reading(request) as conn:
        found = await queries.round_(conn, round)
        await check_reach(request, conn, found["areas"])
        sheet = await coverage.balance(conn, found["round"])
    return await decide.close_round(
        muster(request).door, found, sheet, allow_open=data.allow_open,
        actor=principal(request).login, at=now(),
    )  # fmt: skip


@post("/v1/policies", right="decide_policies")
async def adopt_policy(request: Ask, data: JSONBody[NewPolicy]) -> dict[str, UUID]:
    """Adopt an edition of a policy number from now or later on."""
    async with reading(request) as conn:
        area = (await area_within(request, conn, data.area))["area"] if data.area else None
        await check_reach(request, conn, [area])
    policy = await decide.adopt_policy(
        muster(request).door, name=data.name, value=data.value, since=data.since, area=area,
        group=data.group, household=data.household, actor=principal(request).login, at=now(),
    )  # fmt: skip
    return {"policy": policy}


@get("/v1/policies/tube-size", right="policies")
async def show_tube_size(
    request: Ask,
    area: FromQuery[str | None] = None,
    group: FromQuery[str | None] = None,
    at: FromQuery[datetime | None] = None,
) -> dict[str, Any]:
    """How many swabs go into one tube there and then, and by which edition."""
    async with reading(request) as conn:
        where = (await area_within(request, conn, area))["area"] if area else None
        return await queries.tube_size(conn, area=where, group=group, at=at or now())


@get("/v1/sites", right="sites")
async def list_sites(
    request: Ask,
    q: FromQuery[str | None] = None,
    area: FromQuery[str | None] = None,
    open: FromQuery[bool | None] = None,
    after: After = None,
    limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:
    """Sampling sites by code with their state and open lanes: of a beginning of the code or a part of the
    name, under an area (which may be another's: the catalogue is no secret), at work or not."""
    async with looking(request) as look:
        top = (await registry.area(look.conn, area))["area"] if area else None
        return await look.listing(
            lambda a, n: queries.sites(
                look.conn, q=clean(q or "") or None, area=top, open=open, after=a, limit=n
            ),
            after=after, limit=limit, format=format, name="sites", personal=False,
        )  # fmt: skip


@get("/v1/tubes/{tube:str}", right="tubes")
async def show_tubes(request: Ask, tube: FromPath[str], reason: Why = None) -> list[dict[str, Any]]:
    """The tubes of an id or a barcode, with members and timeline."""
    async with looking(request, reason) as look, muster(request).pool.connection() as own:
        found = await queries.tubes(look.conn, tube, own=own)
        for one in found:
            one["members"] = look.show(one["members"])
        return found


@get("/v1/anomalies", right="anomalies")
async def list_anomalies(
    request: Ask, after: After = None, limit: Limit = 100, format: Format = "json"
) -> Page | Response[bytes]:
    """Everything odd on record: eleventh members, people in two tubes, repeated barcodes…"""
    async with looking(request) as look:
        return await look.listing(
            lambda a, n: queries.anomalies(look.conn, after=a, limit=n),
            after=after, limit=limit, format=format, name="anomalies", personal=False,
        )  # fmt: skip


@get("/v1/devices/gaps", right="device_gaps")
async def list_device_gaps(request: Ask) -> list[dict[str, Any]]:
    """Numbers that devices have used and that have not arrived."""
    async with reading(request) as conn:
        return await queries.device_gaps(conn)


@get("/v1/stalled", right="stalled")
async def list_stalled(request: Ask) -> list[dict[str, Any]]:
    """Subjects whose rows could not be refreshed; their events are stored."""
    async with reading(request) as conn:
        return await queries.stalled(conn)


HANDLERS = [
    list_rounds, open_round, close_round, adopt_policy, show_tube_size, list_sites, show_tubes,
    list_anomalies, list_device_gaps, list_stalled,
]  # fmt: skip
