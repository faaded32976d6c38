"""HTTP for residents' rights: what is held about oneself and who looked, objections and their answers."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.config import TEXT_LIMIT
from muster.core.clock import now
from muster.core.paging import Page
from muster.guarding import principal, reading
from muster.registry import decide
from muster.registry.about import about, objections
from muster.registry.queries import PersonUnknown
from muster.showing import Why, looking, record
from muster.web import After, Ask, Limit, muster

Text = Annotated[str, Meta(max_length=TEXT_LIMIT, pattern=r"^[^\x00]*$")]


class Objection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wrong, in the words of whom it concerns. `person`: of several one answers for."""

    about: Literal["result", "address", "identity", "status", "other"]
    note: Text = ""
    person: UUID | None = None


class ObjectionReply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer to an objection, and its reasons."""

    answer: Literal["upheld", "rejected", "corrected"]
    note: Text = ""


@get("/v1/own", right="own")
async def show_own(request: Ask) -> list[dict[str, Any]]:
    """Everything held about oneself, and of whom one answers for, and who looked."""
    people = sorted(principal(request).scope("own").own)
    found = []
    async with muster(request).pool.connection() as conn:
        for person in people:
            told = await about(conn, muster(request).vault, person)
            await record(conn, request, told["ids"], why="data_subject", masked=False)
            found.append(told)
    return found


@get("/v1/people/{person:uuid}/about", right="objections")
async def show_about(request: Ask, person: FromPath[UUID]) -> dict[str, Any]:
    """Everything held about a person and who looked, to answer their question; unmasked."""
    async with reading(request) as conn:
        cursor = await conn.execute("SELECT FROM registry.resident WHERE resident = %s", [person])
        if await cursor.fetchone() is None:
            raise PersonUnknown()
    async with muster(request).pool.connection() as conn:
        told = await about(conn, muster(request).vault, person)
        await record(conn, request, told["ids"], why="data_subject", masked=False)
    return told


@post("/v1/own/objections", right="own")
async def raise_objection(request: Ask, data: JSONBody[Objection]) -> dict[str, UUID]:
    """Object to what is recorded of oneself."""
    own = sorted(principal(request).scope("own").own)
    person = data.person or (own[0] if len(own) == 1 else None)
    if person is None or person not in own:
        raise PersonUnknown()
    objection = await decide.raise_objection(
        muster(request).door, person=person, about=data.about, note=data.note,
        actor=principal(request).login, at=now(),
    )  # fmt: skip
    return {"objection": objection}


@get("/v1/objections", right="objections")
async def list_objections(
    request: Ask,
    unanswered: FromQuery[bool] = True,
    reason: Why = None,
    after: After = None,
    limit: Limit = 100,
) -> Page:
    """What people object to, oldest first."""
    async with looking(request, reason) as look:
        page = await objections(look.conn, unanswered=unanswered, after=after, limit=limit)
        return Page(look.show(page.items), page.next)


@post("/v1/objections/{objection:uuid}/answer", status_code=204, right="objections")
async def answer_objection(
    request: Ask, objection: FromPath[UUID], data: JSONBody[ObjectionReply]
) -> None:
    """Answer an objection; a further answer takes the place of the one before."""
    async with reading(request) as conn:
        await decide.answer_objection(
            conn, muster(request).door, objection=objection, answer=data.answer, note=data.note,
            actor=principal(request).login, at=now(),
        )  # fmt: skip


HANDLERS = [
    show_own, show_about, raise_objection, list_objections, answer_objection,
]  # fmt: skip
