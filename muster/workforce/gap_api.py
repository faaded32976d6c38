"""HTTP for who leads a place and answers for homes, what nobody sees to, what somebody is to do, proofs of skills,
and the heat.
"""

from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.config import HEAT_HOURS
from muster.core.clock import now
from muster.core.paging import Page
from muster.core.rows import row
from muster.guarding import area_within, check_reach, principal, reading
from muster.sampling import queries as sampling
from muster.showing import Why, looking
from muster.web import After, Ask, Format, Limit, muster
from muster.workforce import gaps, leading, queries
from muster.workforce.engine.heat import Measure, measures, suit_minutes
from muster.workforce.events import LeadPart
from muster.workforce.post_api import reach, reach_staff

Text = Annotated[str, Meta(min_length=1, max_length=64)]


class NewLead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who leads a place: a site by code or id, or an area with posts; nobody: the part is vacant."""

    part: LeadPart
    site: str | None = None
    area: str | None = None
    staff: UUID | None = None


class NewOwner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who answers for the homes in an area; nobody: none any more."""

    area: str
    staff: UUID | None = None


class Owner(msgspec.Struct, frozen=True):
    """Who answers for homes at one level."""

    area: UUID
    level: str
    area_name: str | None = None
    staff: UUID | None = None
    name: str | None = None
    since: datetime | None = None


class GivenWork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody is to do at a post."""

    what: Annotated[str, Meta(min_length=1, max_length=120)]


class NewProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A proof of a skill that was shown; its number goes to the vault."""

    skill: Text
    issuer: Annotated[str, Meta(min_length=1, max_length=120)]
    on: date
    until: date | None = None
    number: Text | None = None


class NewHeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How hot it is in the shade, in tenths of a degree Celsius."""

    area: str
    decidegrees: Annotated[int, Meta(ge=-600, le=600)]


class Heat(msgspec.Struct, frozen=True, kw_only=True):
    """How hot it was last in an area or the nearest above it, and what that asks for. `suit_minutes`: the
    most in a protective suit without a break."""

    measures: list[Measure]
    suit_minutes: int
    area: UUID | None = None
    area_name: str | None = None
    decidegrees: int | None = None
    read_at: datetime | None = None


@get("/v1/gaps/{kind:str}", right="call_ups")
async def list_gaps(
    request: Ask, kind: FromPath[gaps.Kind], area: FromQuery[str],
    level: FromQuery[gaps.Owned | None] = None, reason: Why = None, after: After = None, limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:  # fmt: skip
    """What nobody sees to in an area: people deployed without a task (`no_task`), grids without anybody
    (`grid_uncovered`), sites that work without police (`no_police`) or without a chief, deputy or relief
    (`no_chief`), areas whose homes nobody answers for at their level (`no_owner`)."""
    async with looking(request, reason) as look:
        top = (await area_within(request, look.conn, area))["area"]
        # Who holds which role is not everybody's to see, that a grid is uncovered is.
        async with muster(request).pool.connection() as own:
            return await look.listing(
                lambda a, n: gaps.gaps(
                    own, kind, area=top, level=level, at=now(), after=a, limit=n
                ),
                after=after, limit=limit, format=format, name=kind.replace("_", "-"),
            )  # fmt: skip


@get("/v1/leads", right="call_ups")
async def list_leads(
    request: Ask, area: FromQuery[str], reason: Why = None, after: After = None, limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:  # fmt: skip
    """Who leads the places of an area: chief, deputy, and who relieves the chief."""
    async with looking(request, reason) as look:
        top = (await area_within(request, look.conn, area))["area"]
        return await look.listing(
            lambda a, n: gaps.leads(look.conn, top, after=a, limit=n),
            after=after, limit=limit, format=format, name="leads",
        )  # fmt: skip


@post("/v1/leads", status_code=204, right="decide_call_ups")
async def name_lead(request: Ask, data: JSONBody[NewLead]) -> None:
    """Say who leads a place."""
    async with reading(request) as conn:
        if data.site:
            site = await sampling.site(conn, data.site)
            await check_reach(request, conn, [site["area"]])
            place = site["site"]
        else:
            place = (await area_within(request, conn, data.area or ""))["area"]
        if data.staff:
            await queries.check_staff(conn, data.staff)
    await leading.name_lead(
        muster(request).door, place, data.part, data.staff, actor=principal(request).login, at=now()
    )


@get("/v1/owners", right="call_ups")
async def list_owners(request: Ask, area: FromQuery[str], reason: Why = None) -> list[Owner]:
    """Who answers for the homes of an area: one a level from the top, or nobody."""
    async with looking(request, reason) as look:
        top = (await area_within(request, look.conn, area))["area"]
        return [Owner(**one) for one in look.show(await gaps.owners_of(look.conn, top))]


@post("/v1/owners", status_code=204, right="decide_call_ups")
async def name_owner(request: Ask, data: JSONBody[NewOwner]) -> None:
    """Say who answers for the homes in an area."""
    async with reading(request) as conn:
        area = (await area_within(request, conn, data.area))["area"]
        if data.staff:
            await queries.check_staff(conn, data.staff)
    await leading.name_owner(
        muster(request).door, area, data.staff, actor=principal(request).login, at=now()
    )


@post("/v1/postings/{posting:uuid}/work", status_code=204, right="decide_call_ups")
async def give_work(request: Ask, posting: FromPath[UUID], data: JSONBody[GivenWork]) -> None:
    """Say what somebody is to do at a post whose role does not say it."""
    async with muster(request).pool.connection() as own:
        await reach(request, (await queries.posting(own, posting))["area"])
        await leading.give_work(
            own, muster(request).door, posting, data.what, actor=principal(request).login, at=now()
        )


@post("/v1/staff/{staff:uuid}/proofs", status_code=204, right="decide_call_ups")
async def prove(request: Ask, staff: FromPath[UUID], data: JSONBody[NewProof]) -> None:
    """Note a proof of a skill that somebody has shown."""
    await reach_staff(request, staff)
    await leading.prove(
        muster(request).door, staff, skill=data.skill, issuer=data.issuer, on=data.on, until=data.until,
        number=data.number, actor=principal(request).login, at=now(),
    )  # fmt: skip


@get("/v1/heat", right="call_ups")
async def show_heat(request: Ask, area: FromQuery[str]) -> Heat:
    """How hot it was last here within some hours, and what is to be done."""
    at = now()
    async with reading(request) as conn:
        top = (await area_within(request, conn, area))["area"]
        limits = await queries.limits(conn, at=at)
        found = await row(
            conn, "muster.workforce", "relief.sql:heat", area=top, since=at - timedelta(hours=HEAT_HOURS)
        ) or {}  # fmt: skip
    read = found.get("decidegrees")
    return Heat(
        measures=list(measures(read, limits)), suit_minutes=suit_minutes(read, limits), **found
    )


@post("/v1/heat", status_code=204, right="decide_call_ups")
async def read_heat(request: Ask, data: JSONBody[NewHeat]) -> None:
    """Say how hot it is in an area."""
    async with reading(request) as conn:
        area = (await area_within(request, conn, data.area))["area"]
    await leading.read_heat(
        muster(request).door, area, data.decidegrees, actor=principal(request).login, at=now()
    )


HANDLERS: list[Any] = [
    list_gaps, list_leads, name_lead, list_owners, name_owner, give_work, prove, show_heat, read_heat,
]  # fmt: skip
