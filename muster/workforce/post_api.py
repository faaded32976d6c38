"""HTTP for places at posts: who has one, who stands there, what is at risk, who could fill it."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.core.clock import now
from muster.core.paging import Page
from muster.guarding import area_within, check_reach, principal, reading
from muster.showing import Why, looking
from muster.web import After, Ask, Format, Limit, muster
from muster.workforce import decide, queries
from muster.workforce.engine.limits import Broken
from muster.workforce.events import WhyNotPosted

FILLS = 10  # proposed for a place


class IdGiven(msgspec.Struct, frozen=True):
    """The id of what was made."""

    id: UUID


class Fill(msgspec.Struct, frozen=True):
    """Somebody who could take a place."""

    staff: UUID
    name: str | None = None
    unit_name: str | None = None
    home_name: str | None = None


class NewPosting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody has a place without being asked. What limit is broken knowingly must be named, with why."""

    staff: UUID
    overridden: Annotated[list[Broken], Meta(max_length=6)] = []
    reason: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    id: UUID | None = None


class Freed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a place is free again."""

    why: WhyNotPosted


class Relief(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who takes over, by their own posting, if anybody does."""

    by: UUID | None = None


@get("/v1/posts/at-risk", right="call_ups")
async def list_at_risk(
    request: Ask, area: FromQuery[str | None] = None,
    hours: FromQuery[Annotated[int, Meta(ge=0, le=72)]] = 12, after: After = None, limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:  # fmt: skip
    """Posts that run, or begin within some hours, and are not as they should be: places nobody has (`empty`),
    people who should stand there and do not (`late`), people who did not come to their last post (`missed`)."""
    at = now()
    async with looking(request) as look:
        top = (await area_within(request, look.conn, area))["area"] if area else None
        return await look.listing(
            lambda a, n: queries.at_risk(
                look.conn, area=top, at=at, until=at + timedelta(hours=hours), after=a, limit=n
            ),
            after=after, limit=limit, format=format, name="posts-at-risk", personal=False,
        )  # fmt: skip


@get("/v1/demands/{demand:uuid}/fills", right="decide_call_ups")
async def list_fills(request: Ask, demand: FromPath[UUID], reason: Why = None) -> list[Fill]:
    """Who could take a place here, best first: nobody who stands elsewhere, must rest or lacks the training."""
    async with muster(request).pool.connection() as own:
        if (found := await queries.demand(own, demand)) is None:
            raise decide.DemandUnknown(demand=demand)
        await reach(request, found["area"])
        proposed = await decide.propose(own, demand, most=FILLS, at=now())
    async with looking(request, reason) as look:
        return [Fill(**one) for one in look.show(await queries.fills(look.conn, proposed))]


@get("/v1/demands/{demand:uuid}/postings", right="call_ups")
async def list_postings(
    request: Ask, demand: FromPath[UUID], reason: Why = None, after: After = None, limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:  # fmt: skip
    """Who has a place at a demand and whether they stand there; masked unless a reason is given."""
    async with looking(request, reason) as look:
        if await queries.demand(look.conn, demand) is None:
            raise decide.DemandUnknown(demand=demand)
        return await look.listing(
            lambda a, n: queries.postings(look.conn, demand, after=a, limit=n),
            after=after, limit=limit, format=format, name="postings",
        )  # fmt: skip


@post("/v1/demands/{demand:uuid}/postings", right="decide_call_ups")
async def post_staff(request: Ask, demand: FromPath[UUID], data: JSONBody[NewPosting]) -> IdGiven:
    """Give somebody a place. Breaking a limit needs a name, which is the caller's, and a reason."""
    if data.overridden and not data.reason:
        raise decide.ReasonMissing(what=", ".join(data.overridden))
    async with reading(request) as conn:
        await queries.check_staff(conn, data.staff)
    async with muster(request).pool.connection() as own:
        if (found := await queries.demand(own, demand)) is None:
            raise decide.DemandUnknown(demand=demand)
        await reach(request, found["area"])
        return IdGiven(await decide.post(
            own, muster(request).door, demand, data.staff, overridden=data.overridden, reason=data.reason,
            posting=data.id, actor=principal(request).login, at=now(),
        ))  # fmt: skip


@post("/v1/postings/{posting:uuid}/arrive", status_code=204, right="decide_call_ups")
async def arrive(request: Ask, posting: FromPath[UUID]) -> None:
    """Say that somebody stands at their post."""
    async with muster(request).pool.connection() as own:
        await reach(request, (await queries.posting(own, posting))["area"])
        await decide.arrive(
            own, muster(request).door, posting, how="desk", actor=principal(request).login, at=now()
        )


@post("/v1/postings/{posting:uuid}/relieve", status_code=204, right="decide_call_ups")
async def relieve(request: Ask, posting: FromPath[UUID], data: JSONBody[Relief]) -> None:
    """Say that somebody has left their post."""
    async with muster(request).pool.connection() as own:
        await reach(request, (await queries.posting(own, posting))["area"])
        if data.by is not None:
            await reach(request, (await queries.posting(own, data.by))["area"])
        await decide.relieve(
            own, muster(request).door, posting, by=data.by, actor=principal(request).login, at=now()
        )


@post("/v1/postings/{posting:uuid}/free", status_code=204, right="decide_call_ups")
async def withdraw_posting(request: Ask, posting: FromPath[UUID], data: JSONBody[Freed]) -> None:
    """Free a place: others are asked for it while its call-up is open."""
    async with muster(request).pool.connection() as own:
        await reach(request, (await queries.posting(own, posting))["area"])
        await decide.withdraw_posting(
            own,
            muster(request).door,
            posting,
            why=data.why,
            actor=principal(request).login,
            at=now(),
        )


async def reach(request: Ask, area: UUID) -> None:
    """The place lies within the caller's. Raises OutsideYourArea."""
    async with reading(request) as conn:
        await check_reach(request, conn, [area])


async def reach_staff(request: Ask, staff: UUID) -> None:
    """The unit that lists the person stands within the caller's. Raises StaffUnknown, OutsideYourArea."""
    async with muster(request).pool.connection() as own:
        area = await queries.area_of_staff(own, staff)
    await reach(request, area)


HANDLERS: list[Any] = [
    list_at_risk, list_fills, list_postings, post_staff, arrive, relieve, withdraw_posting,
]  # fmt: skip
