"""HTTP for results, recalls and conflicts."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from muster.core.clock import now
from muster.core.paging import Page
from muster.guarding import check_people, principal, reading
from muster.lab import decide, queries, releasing
from muster.lab.deciding import Desk, deciding
from muster.lab.engine.status import Status
from muster.lab.events import Outcome
from muster.showing import Why, looking
from muster.web import After, Ask, Format, Limit, muster


class Amendment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another outcome for a released result, and why."""

    outcome: Outcome
    reason: Literal["repeat_run", "clerical", "wrong_sample", "other"]


class Binding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tube a result belongs to."""

    tube: UUID


class Rejection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a result does not count."""

    reason: Literal["wrong_file", "wrong_tube", "superseded", "other"]


@get("/v1/people/{person:uuid}/results", right="results")
async def show_results(request: Ask, person: FromPath[UUID]) -> list[dict[str, Any]]:
    """A person's swabs, newest first, with what may be told of each."""
    return await request.app.state.results.ask((principal(request).scope("results"), person))


@get("/v1/people/{person:uuid}/status", right="status")
async def show_status(request: Ask, person: FromPath[UUID]) -> Status:
    """A person's status now: computed, with its facts, the rules' edition, and until when."""
    async with looking(request) as look:
        await check_people(look.conn, [person])
        look.people.add(person)
        return await queries.status_of(look.conn, person, now())


@get("/v1/own/results", right="own")
async def show_own_results(request: Ask) -> list[list[dict[str, Any]]]:
    """One's own swabs, newest first, with what may be told of each; and of whom one answers for."""
    scope = principal(request).scope("own")
    ask = request.app.state.results.ask
    return [await ask((scope, person)) for person in sorted(scope.own)]


@get("/v1/own/status", right="own")
async def show_own_status(request: Ask) -> list[Status]:
    """One's own status, and of whom one answers for."""
    async with looking(request) as look:
        people = sorted(principal(request).scope("own").own)
        look.people.update(people)
        return [await queries.status_of(look.conn, person, now()) for person in people]


@get("/v1/recalls", right="recalls")
async def list_recalls(
    request: Ask,
    recall_state: FromQuery[Literal["open", "closed", "withdrawn"] | None] = None,
    reason: Why = None,
    after: After = None,
    limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:
    """Recalls in the order they were ordered."""
    async with looking(request, reason) as look:
        return await look.listing(
            lambda a, n: queries.recalls(look.conn, state=recall_state, after=a, limit=n),
            after=after, limit=limit, format=format, name="recalls",
        )  # fmt: skip


@get("/v1/conflicts", right="conflicts")
async def list_conflicts(
    request: Ask, after: After = None, limit: Limit = 100, format: Format = "json"
) -> Page | Response[bytes]:
    """Results that contradict each other or fit several tubes; nobody is told by them."""
    async with looking(request) as look:
        return await look.listing(
            lambda a, n: queries.conflicts(look.conn, after=a, limit=n),
            after=after, limit=limit, format=format, name="conflicts", personal=False,
        )  # fmt: skip


@get("/v1/results/waiting", right="waiting")
async def list_waiting(
    request: Ask, after: After = None, limit: Limit = 100, format: Format = "json"
) -> Page | Response[bytes]:
    """Results whose tube is not known."""
    async with looking(request) as look:
        return await look.listing(
            lambda a, n: queries.waiting(look.conn, after=a, limit=n),
            after=after, limit=limit, format=format, name="waiting", personal=False,
        )  # fmt: skip


@post("/v1/results/{result:uuid}/amend", status_code=200, right="decide_results")
async def amend_result(
    request: Ask, result: FromPath[UUID], data: JSONBody[Amendment]
) -> dict[str, bool]:
    """Give a released result another outcome; from or to a positive or indeterminate one a second person
    must say the same (`done` is false until then)."""
    async with await _desk(request, result) as desk:
        done = await releasing.amend(desk, result, outcome=data.outcome, reason=data.reason)
    return {"done": done}


@post("/v1/results/{result:uuid}/bind", status_code=204, right="decide_results")
async def bind_result(request: Ask, result: FromPath[UUID], data: JSONBody[Binding]) -> None:
    """Say which tube a result belongs to."""
    async with reading(request) as conn:
        await decide.bind(
            conn,
            muster(request).door,
            result,
            tube=data.tube,
            actor=principal(request).login,
            at=now(),
        )


@post("/v1/results/{result:uuid}/reject", status_code=200, right="decide_results")
async def reject_result(
    request: Ask, result: FromPath[UUID], data: JSONBody[Rejection]
) -> dict[str, bool]:
    """Say that a result does not count; of a positive or indeterminate one a second person must say so
    too (`done` is false until then)."""
    async with await _desk(request, result) as desk:
        done = await releasing.reject(desk, result, reason=data.reason)
    return {"done": done}


async def _desk(request: Ask, result: UUID) -> AbstractAsyncContextManager[Desk]:
    """The caller's turn to decide about a result they may see. Raises ResultUnknown."""
    async with reading(request) as conn:
        lab = (await decide.result_of(conn, result))["lab"]
    here = muster(request)
    return deciding(here.pool, here.door, lab, actor=principal(request).login, at=now())


HANDLERS = [
    show_results, show_status, show_own_status, show_own_results,
    list_recalls, list_conflicts, list_waiting, amend_result, bind_result,
    reject_result,
]  # fmt: skip
