"""HTTP for tasks, addressees, and the people around a positive tube."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.core.clock import now
from muster.core.paging import Page
from muster.guarding import check_reach, principal, reading
from muster.hq import decide, queries
from muster.hq.events import AddresseeListed, CalledRole, CalledTo, Minutes, Reach, TaskOutcome
from muster.hq.queries import Held, Inbox, Wanted
from muster.showing import Why, looking
from muster.web import After, Ask, Code, Format, Label, Limit, muster


class Finished(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a task ended."""

    outcome: TaskOutcome = "done"


class NewAddressee(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An edition of an addressee, known by its code, from `since` (else from now) on. `reach`: where the
    role is held that is told."""

    code: Code
    name: Label
    kinds: Annotated[list[CalledTo], Meta(min_length=1, max_length=2)]
    role: CalledRole
    reach: Reach
    minutes: Minutes
    since: Annotated[datetime, Meta(tz=True)] | None = None
    ended: bool = False


def inbox_of(request: Ask) -> Inbox:
    """Whose tasks the caller answers: their account's, and their roles' where they hold them."""
    who = principal(request)
    held = (
        Held(one.role, one.everywhere, one.area, one.site, one.lab) for one in who.holdings
    )  # fmt: skip
    return Inbox(who.login, tuple(held))


@get("/v1/tasks", right="tasks")
async def list_tasks(
    request: Ask,
    task_state: FromQuery[Wanted] = "open",
    after: After = None,
    limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:
    """One's own tasks: for one's account, and for one's roles where one holds them; what is due first
    comes first."""
    inbox = inbox_of(request)
    async with looking(request) as look:
        return await look.listing(
            lambda a, n: queries.tasks(look.conn, inbox, wanted=task_state, after=a, limit=n),
            after=after, limit=limit, format=format, name="tasks", personal=False,
        )  # fmt: skip


@post("/v1/tasks/{task:uuid}/acknowledge", status_code=204, right="tasks")
async def acknowledge_task(request: Ask, task: FromPath[UUID]) -> None:
    """Say that one has seen a task."""
    async with reading(request) as conn:
        await decide.acknowledge(
            conn, muster(request).door, task, inbox=inbox_of(request),
            actor=principal(request).login, at=now(),
        )  # fmt: skip


@post("/v1/tasks/{task:uuid}/done", status_code=204, right="tasks")
async def finish_task(request: Ask, task: FromPath[UUID], data: JSONBody[Finished]) -> None:
    """Say that a task is done, or why it will not be."""
    async with reading(request) as conn:
        await decide.finish(
            conn, muster(request).door, task, outcome=data.outcome, inbox=inbox_of(request),
            actor=principal(request).login, at=now(),
        )  # fmt: skip


@get("/v1/addressees", right="addressees")
async def list_addressees(request: Ask) -> list[dict[str, Any]]:
    """Who is told of what: every edition, and what holds where nobody is listed."""
    async with reading(request) as conn:
        return await queries.addressees(conn)


@post("/v1/addressees", right="decide_addressees")
async def list_addressee(request: Ask, data: JSONBody[NewAddressee]) -> dict[str, UUID]:
    """List an addressee, or another edition of one, from now or later on: by who holds the right
    everywhere, since it is for everywhere."""
    async with reading(request) as conn:
        await check_reach(request, conn, [None])
    at = now()
    body = AddresseeListed(
        code=data.code, name=data.name, kinds=data.kinds, role=data.role, reach=data.reach,
        minutes=data.minutes, since=data.since or at, ended=data.ended,
    )  # fmt: skip
    door, actor = muster(request).door, principal(request).login
    return {"addressee": await decide.list_addressee(door, body, actor=actor, at=at)}


@get("/v1/tubes/{tube:uuid}/recall", right="recalls")
async def show_recall(request: Ask, tube: FromPath[UUID], reason: Why = None) -> dict[str, Any]:
    """A tube's recalled members: how far each has come, address and contact, masked unless a reason is
    given."""
    async with looking(request, reason) as look:
        return look.show([await queries.recall_of(look.conn, muster(request).vault.open, tube)])[0]


@get("/v1/tubes/{tube:uuid}/contacts", right="contacts")
async def list_contacts(
    request: Ask, tube: FromPath[UUID], reason: Why = None
) -> list[dict[str, Any]]:
    """Around a positive tube: its other members and who lives in the same room, each with why."""
    async with looking(request, reason) as look:
        return look.show(await queries.contacts_of(look.conn, muster(request).vault.open, tube))


HANDLERS = [
    list_tasks, acknowledge_task, finish_task, list_addressees, list_addressee, show_recall,
    list_contacts,
]  # fmt: skip
