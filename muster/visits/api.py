"""HTTP for the tree down to the door, what people say there, whose way it is, and what keeps a round open."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.config import DOORS_LIMIT
from muster.core.clock import now
from muster.core.paging import Page
from muster.coverage import queries as coverage
from muster.guarding import area_within, check_people, check_reach, principal, reading, within
from muster.sampling import queries as sampling
from muster.sampling.events import Reason
from muster.showing import Why, looking
from muster.visits import decide, queries
from muster.visits.queries import Assignment, Branch, DoorPerson, Doors, Walker
from muster.web import After, Ask, Format, Limit, muster

OpenWhat = Literal["missing", "pending", "does_not_balance", "invalid", "recall_open", "unplaced"]


class SaidAtTheDoor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is recorded of a person. An exemption has a reason and may hold for every round; being away is
    not of one round. `id` is minted by the sender: the same again is recorded once."""

    person: UUID
    said: decide.Said
    reason: Reason | None = None
    every_round: bool = False
    note: Annotated[str, Meta(max_length=500)] | None = None
    id: UUID | None = None


class Recorded(msgspec.Struct, frozen=True):
    """The event by which it can be taken back."""

    event: UUID


class NewAssignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The missing of an area become somebody's way until a time; the area by code, id or name."""

    area: str
    login: str
    due_at: Annotated[datetime, Meta(tz=True)]


class Reassigned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody else's way, or until another time."""

    login: str
    due_at: Annotated[datetime, Meta(tz=True)]


class Assigned(msgspec.Struct, frozen=True):
    """The task that the walker finds in their inbox."""

    task: UUID


class OpenFigure(msgspec.Struct, frozen=True):
    """What keeps a round from being closed, or should be looked at before: how many, and whether it must be
    settled (or closed as open) or is only told."""

    what: OpenWhat
    count: int
    stops: bool
    area_name: str | None = None


class Closable(msgspec.Struct, frozen=True):
    """What a round would be closed on, of one's own areas: the sheet's top lines, and what is open."""

    as_of: datetime | None
    behind_events: int
    tops: list[queries.TreeLine]
    open: list[OpenFigure]


@get("/v1/rounds/{round:str}/tree", right="funnel")
async def show_branch(
    request: Ask, round: FromPath[str], area: FromQuery[str | None] = None
) -> Branch:
    """The areas right under an area with the round's figures; without one, the top ones the caller may see."""
    async with reading(request) as conn:
        found = await sampling.round_(conn, round)
        if area is not None:
            top = await area_within(request, conn, area)
            return await queries.branch(conn, found, area=top["area"])
        scope = principal(request).scope("funnel")
        if scope.figures:
            return await queries.branch(conn, found, areas=found["areas"])
        tops = [{"area": one} for one in found["areas"]]
        own = [one["area"] for one in await within(request, conn, tops)]
        own += await queries.within_round(conn, found, list(scope.figure_areas))
        return await queries.branch(conn, found, areas=own)


@get("/v1/rounds/{round:str}/doors", right="missing")
async def show_doors(
    request: Ask, round: FromPath[str], area: FromQuery[str], reason: Why = None
) -> Doors:
    """Who lives in a building (or in an area itself, not in those under it), room by room, and how each
    stands in the round; masked unless a reason is given."""
    async with looking(request, reason) as look:
        found = await sampling.round_(look.conn, round)
        top = await area_within(request, look.conn, area, right=look.right)
        people = await queries.doors(look.conn, found["round"], top["area"])
        shown = [
            DoorPerson(**{
                name: one[name] for name in DoorPerson.__struct_fields__ if name != "every_round"
            }, every_round=one["stance"] is not None and one["stance_round"] is None)
            for one in look.show(people[:DOORS_LIMIT])
        ]  # fmt: skip
        line = await queries.line(look.conn, top["area"])
        calls = await queries.calls(look.conn, found["round"], top["area"])
        return Doors(line, shown, calls, now(), len(people) > DOORS_LIMIT)


@get("/v1/rounds/{round:str}/waiting", right="missing")
async def list_waiting(
    request: Ask,
    round: FromPath[str],
    area: FromQuery[str],
    what: FromQuery[queries.Waiting] = "pending",
    reason: Why = None,
    after: After = None,
    limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:
    """Who was sampled under an area and keeps the round open: without an answer yet, or with none but
    invalid ones; with their last tube, in the order of the walk."""
    async with looking(request, reason) as look:
        found = await sampling.round_(look.conn, round)
        top = (await area_within(request, look.conn, area, right=look.right))["area"]
        return await look.listing(
            lambda a, n: queries.waiting(look.conn, found["round"], top, what, after=a, limit=n),
            after=after, limit=limit, format=format, name=what,
        )  # fmt: skip


@get("/v1/rounds/{round:str}/unplaced", right="missing")
async def list_unplaced(
    request: Ask,
    round: FromPath[str],
    reason: Why = None,
    after: After = None,
    limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:
    """Who was sampled and lives nowhere on the roster: walk-ins nobody has placed yet. Of no area, so for
    who holds the right everywhere."""
    async with looking(request, reason) as look:
        found = await sampling.round_(look.conn, round)
        await check_reach(request, look.conn, [None], right=look.right)
        return await look.listing(
            lambda a, n: queries.unplaced_people(look.conn, found["round"], after=a, limit=n),
            after=after, limit=limit, format=format, name="unplaced",
        )  # fmt: skip


@post("/v1/rounds/{round:str}/stances", right="stances")
async def record_stance(
    request: Ask, round: FromPath[str], data: JSONBody[SaidAtTheDoor]
) -> Recorded:
    """Record that somebody refused, need not be tested, is away or back again."""
    async with reading(request) as conn:
        found = await sampling.round_(conn, round)
        await check_people(conn, [data.person])
    async with muster(request).pool.connection() as conn:
        event = await decide.record(
            conn, muster(request).door, found, data.person, data.said, reason=data.reason,
            every_round=data.every_round, note=data.note, id_=data.id,
            actor=principal(request).login, at=now(),
        )  # fmt: skip
    return Recorded(event)


@post("/v1/stances/{event:uuid}/undo", status_code=204, right="stances")
async def undo_stance(request: Ask, event: FromPath[UUID]) -> None:
    """Take back that somebody refused, need not be tested, or is away."""
    async with muster(request).pool.connection() as own:
        found = await queries.said(own, event)
        if found is None:
            raise decide.NothingToTakeBack()
        async with reading(request) as conn:
            await check_people(conn, [found["subject"]])
        await decide.take_back(
            own, muster(request).door, event, actor=principal(request).login, at=now()
        )


@get("/v1/walkers", right="assignments")
async def list_walkers(request: Ask, area: FromQuery[str]) -> list[Walker]:
    """Who may be sent from door to door in an area."""
    async with reading(request) as conn:
        top = await area_within(request, conn, area)
    async with muster(request).pool.connection() as own:
        return await queries.walkers(own, top["area"], at=now())


@get("/v1/rounds/{round:str}/assignments", right="assignments")
async def list_assignments(
    request: Ask, round: FromPath[str], area: FromQuery[str]
) -> list[Assignment]:
    """Whose way is which under an area, open ones first, and what is missing there by now."""
    async with reading(request) as conn:
        found = await sampling.round_(conn, round)
        top = await area_within(request, conn, area)
    # A task for one account is that account's to see: read by Muster's own hand, the place checked above.
    async with muster(request).pool.connection() as own:
        return await queries.assignments(own, found["round"], top["area"], at=now())


@post("/v1/rounds/{round:str}/assignments", right="assignments")
async def assign(request: Ask, round: FromPath[str], data: JSONBody[NewAssignment]) -> Assigned:
    """Make the missing of an area somebody's way: a task in their inbox, with a deadline."""
    async with reading(request) as conn:
        found = await sampling.round_(conn, round)
        top = await area_within(request, conn, data.area)
    async with muster(request).pool.connection() as own:
        task = await decide.assign(
            own, muster(request).door, found, top, login=data.login, due_at=data.due_at,
            actor=principal(request).login, at=now(),
        )  # fmt: skip
    return Assigned(task)


@post("/v1/assignments/{task:uuid}/reassign", status_code=200, right="assignments")
async def reassign(request: Ask, task: FromPath[UUID], data: JSONBody[Reassigned]) -> Assigned:
    """Give a way to somebody else, or until another time; the old task is withdrawn."""
    async with muster(request).pool.connection() as own:
        top = await _its_area(request, own, task)
        new = await decide.reassign(
            own, muster(request).door, task, top, login=data.login, due_at=data.due_at,
            actor=principal(request).login, at=now(),
        )  # fmt: skip
    return Assigned(new)


@post("/v1/assignments/{task:uuid}/withdraw", status_code=204, right="assignments")
async def withdraw_assignment(request: Ask, task: FromPath[UUID]) -> None:
    """Take a way from somebody."""
    async with muster(request).pool.connection() as own:
        await _its_area(request, own, task)
        await decide.withdraw(
            own, muster(request).door, task, actor=principal(request).login, at=now()
        )


@get("/v1/rounds/{round:str}/closing", right="balance")
async def show_closing(request: Ask, round: FromPath[str]) -> Closable:
    """What the round would be closed on now, and what keeps it open."""
    async with reading(request) as conn:
        found = await sampling.round_(conn, round)
        tops = [{"area": one} for one in found["areas"]]
        own = [one["area"] for one in await within(request, conn, tops)]
        sheet = await queries.branch(conn, found, areas=own)
        unplaced = await queries.unplaced(conn, found["round"])
        lines = await within(request, conn, [] if found["closed_at"] else await coverage.balance(
            conn, found["round"]))  # fmt: skip
    open_ = [OpenFigure("does_not_balance", 1, True, one["name"]) for one in lines if _off(one)]
    total = sheet.total
    open_ += [
        OpenFigure("missing", total.missing, True), OpenFigure("pending", total.pending, True),
        OpenFigure("invalid", total.invalid, False),
        OpenFigure("recall_open", total.recall_open, False),
        OpenFigure("unplaced", unplaced, False),
    ]  # fmt: skip
    counted = [one for one in open_ if one.count]
    return Closable(sheet.as_of, sheet.behind_events, sheet.items, counted)


def _off(line: dict[str, Any]) -> bool:
    told = line["resulted"] + line["invalid"] + line["pending"]
    settled = sum(line[name] for name in ("sampled", "exempt", "away", "refused", "missing"))
    return line["sampled"] != told or line["expected"] != settled


async def _its_area(request: Ask, own: queries.Conn, task: UUID) -> dict[str, Any]:
    found = await queries.assignment(own, task)
    if found is None:
        raise decide.AssignmentUnknown()
    async with reading(request) as conn:
        await check_reach(request, conn, [found["area"]])
        return await area_within(request, conn, str(found["area"]))


HANDLERS = [
    show_branch, show_doors, list_waiting, list_unplaced, record_stance, undo_stance,
    list_walkers, list_assignments, assign, reassign, withdraw_assignment, show_closing,
]  # fmt: skip
