"""HTTP for those who stand at posts: clocks, breaks, relief, handing over, incidents and clearance."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.core.clock import now
from muster.core.ids import uuid7
from muster.core.paging import Page
from muster.guarding import area_within, principal
from muster.showing import Why, looking
from muster.web import After, Ask, Format, Limit, muster
from muster.workforce import clocks, queries, relief, relief_queries
from muster.workforce.events import IncidentKind, WhyRelief
from muster.workforce.post_api import IdGiven, reach

Note = Annotated[str, Meta(min_length=1, max_length=2_000)]


class ReliefWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why somebody asks to be relieved."""

    why: WhyRelief = "tired"


class ReliefSought(msgspec.Struct, frozen=True):
    """By which demand somebody is called up instead; none where the shift is as good as over."""

    demand: UUID | None = None


class HandingOver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To whose posting, what is left to do (the note goes to the vault), and whether they go now."""

    to: UUID
    open_matters: Annotated[int, Meta(ge=0, le=1_000)] = 0
    note: Note | None = None
    leave: bool = True


class HandedOverNote(msgspec.Struct, frozen=True, kw_only=True):
    """A post that was handed over. `overlap_minutes`: for how long both stood there."""

    posting: UUID
    to_posting: UUID
    area: UUID
    area_name: str | None
    site_name: str | None
    role: str
    staff: UUID
    name: str | None
    to_staff: UUID | None
    to_name: str | None
    handed_over_at: datetime
    overlap_minutes: int | None
    open_matters: int
    note: str | None


class NewIncident(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What befell somebody at a post. The note goes to the vault."""

    posting: UUID
    kind: IncidentKind
    note: Note | None = None
    id: UUID | None = None


class Clearance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when somebody may stand at posts again; from now where nothing is said."""

    starts_at: Annotated[datetime, Meta(tz=True)] | None = None
    note: Note | None = None


@get("/v1/clocks", right="call_ups")
async def list_clocks(
    request: Ask, area: FromQuery[str], only: FromQuery[relief_queries.Only | None] = None,
    reason: Why = None, after: After = None, limit: Limit = 100, format: Format = "json",
) -> Page | Response[bytes]:  # fmt: skip
    """Who stands in an area and for how long, the longest first: minutes of duty since a rest, in the suit
    without a break, days on end, limits passed. Only who has `passed` one, is `resting`, or wants
    `relief`."""
    at = now()
    async with looking(request, reason) as look:
        top = (await area_within(request, look.conn, area))["area"]
        limits = await queries.limits(look.conn, at=at)
        found = await clocks.clocks(look.conn, area=top, limits=limits, at=at)
        zone = muster(request).settings.timezone
        return await look.listing(
            lambda a, n: relief_queries.clock_page(
                look.conn, found, only=only, limits=limits, zone=zone, at=at, after=a, limit=n
            ),
            after=after, limit=limit, format=format, name="clocks",
        )  # fmt: skip


@post("/v1/postings/{posting:uuid}/break", status_code=204, right="decide_call_ups")
async def begin_break(request: Ask, posting: FromPath[UUID]) -> None:
    """Somebody takes a break, out of the suit."""
    async with muster(request).pool.connection() as own:
        await reach(request, (await queries.posting(own, posting))["area"])
        await relief.begin_break(
            own, muster(request).door, posting, actor=principal(request).login, at=now()
        )


@post("/v1/postings/{posting:uuid}/work-again", status_code=204, right="decide_call_ups")
async def end_break(request: Ask, posting: FromPath[UUID]) -> None:
    """Somebody works again after a break."""
    async with muster(request).pool.connection() as own:
        await reach(request, (await queries.posting(own, posting))["area"])
        await relief.end_break(
            own, muster(request).door, posting, actor=principal(request).login, at=now()
        )


@post("/v1/postings/{posting:uuid}/relief", status_code=200, right="decide_call_ups")
async def request_relief(
    request: Ask, posting: FromPath[UUID], data: JSONBody[ReliefWanted]
) -> ReliefSought:
    """Somebody asks to be relieved: others are called up at once for the rest of the shift."""
    async with muster(request).pool.connection() as own:
        await reach(request, (await queries.posting(own, posting))["area"])
        return ReliefSought(await relief.request_relief(
            own, muster(request).door, posting, why=data.why, how="desk",
            actor=principal(request).login, at=now(),
        ))  # fmt: skip


@post("/v1/postings/{posting:uuid}/stay", status_code=204, right="decide_call_ups")
async def stay(request: Ask, posting: FromPath[UUID]) -> None:
    """Somebody who asked to be relieved stays after all."""
    async with muster(request).pool.connection() as own:
        await reach(request, (await queries.posting(own, posting))["area"])
        await relief.stay(
            own, muster(request).door, posting, actor=principal(request).login, at=now()
        )


@post("/v1/postings/{posting:uuid}/hand-over", status_code=204, right="decide_call_ups")
async def hand_over(request: Ask, posting: FromPath[UUID], data: JSONBody[HandingOver]) -> None:
    """Hand a post over to who stands there too, with what is left to do."""
    async with muster(request).pool.connection() as own:
        await reach(request, (await queries.posting(own, posting))["area"])
        await relief.hand_over(
            own, muster(request).door, posting, to=data.to, open_matters=data.open_matters,
            note=data.note, leave=data.leave, actor=principal(request).login, at=now(),
        )  # fmt: skip


@get("/v1/postings/{posting:uuid}/hand-over", right="decide_call_ups")
async def show_handover(
    request: Ask, posting: FromPath[UUID], reason: Why = None
) -> HandedOverNote | None:
    """How a post was handed over, by whom, to whom, and what was left to do; nothing where it was not."""
    async with muster(request).pool.connection() as own:
        await reach(request, (await queries.posting(own, posting))["area"])
        found = await relief_queries.handover(own, posting, opened=muster(request).vault.open)
    if found is None:
        return None
    async with looking(request, reason) as look:
        (shown,) = look.show([found])
        return HandedOverNote(**shown)


@get("/v1/incidents", right="call_ups")
async def list_incidents(
    request: Ask, open: FromQuery[bool] = True, reason: Why = None, after: After = None, limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:  # fmt: skip
    """What befell people at posts, latest first; only those who are not cleared unless `open` is false."""
    async with looking(request, reason) as look:
        return await look.listing(
            lambda a, n: relief_queries.incidents(look.conn, open=open, at=now(), after=a, limit=n),
            after=after, limit=limit, format=format, name="incidents",
        )  # fmt: skip


@post("/v1/incidents", right="decide_call_ups")
async def record_incident(request: Ask, data: JSONBody[NewIncident]) -> IdGiven:
    """Say what befell somebody at their post: they leave it, others are called up for the rest of the shift,
    and they stand nowhere again before they are cleared."""
    id_ = data.id or uuid7()
    async with muster(request).pool.connection() as own:
        found = await queries.posting(own, data.posting)
        await reach(request, found["area"])
        await relief.record_incident(
            own, muster(request).door, id_, staff=found["staff"], posting=data.posting, kind=data.kind,
            note=data.note, actor=principal(request).login, at=now(),
        )  # fmt: skip
    return IdGiven(id_)


@post("/v1/incidents/{incident:uuid}/clear", status_code=204, right="decide_call_ups")
async def clear(request: Ask, incident: FromPath[UUID], data: JSONBody[Clearance]) -> None:
    """Let somebody stand at posts again."""
    at = now()
    async with muster(request).pool.connection() as own:
        found = await relief.incident_of(own, incident)
        await reach(request, found["area"] or found["unit_area"])
        await relief.clear(
            own, muster(request).door, incident, starts_at=data.starts_at or at, note=data.note,
            actor=principal(request).login, at=at,
        )  # fmt: skip


HANDLERS: list[Any] = [
    list_clocks, begin_break, end_break, request_relief, stay, hand_over, show_handover, list_incidents,
    record_incident, clear,
]  # fmt: skip
