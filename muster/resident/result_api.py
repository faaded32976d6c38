"""HTTP of a resident's result, and of what is asked for with it: by a code and a second fact. A code that
nobody has and a fact that does not fit are answered alike; every look is recorded.
"""

import asyncio
import base64
import math
import time
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID
from weakref import WeakValueDictionary

import msgspec
from cryptography.exceptions import InvalidTag
from litestar import MediaType, Response, get, post

from muster.access import asking, throttle
from muster.access.readings import note_reading
from muster.access.throttle import Limits, TooManyAttempts
from muster.config import (
    FACT_ANSWER_SECONDS,
    FACT_FAILURE_FORGIVEN_SECONDS,
    FACT_FAILURES_LIMIT,
    FACT_LOCK_LONGEST_SECONDS,
    RESIDENT_BODY_BYTES,
    RESIDENT_RESULTS_LIMIT,
    RESIDENT_TICKET_SECONDS,
)
from muster.core.clock import now
from muster.hardening import resident_turn
from muster.lab.queries import results_of
from muster.registry.engine.masking import masked_name
from muster.registry.engine.personal_code import Coded, CodeMistyped, read
from muster.registry.events import SELF
from muster.registry.vault import VaultKeyUnusable
from muster.resident import decide, pages, queries
from muster.resident.engine.knowing import Sight, sight, told
from muster.resident.pages import View
from muster.resident.reading import answer, language_of, read_form, said_in
from muster.resident.words import word
from muster.web import Ask, muster

_LIMITS = Limits(
    everywhere=FACT_FAILURES_LIMIT, everywhere_forgiven=FACT_FAILURE_FORGIVEN_SECONDS,
    longest=FACT_LOCK_LONGEST_SECONDS,
)  # fmt: skip
_LOOKING: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


class Ticket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That somebody was known again a moment ago: sealed, so that nobody makes one."""

    resident: UUID
    person: UUID
    sees: Sight
    until: datetime
    what: Literal["resident's page"] = "resident's page"


@get("/r/result", right="public", media_type=MediaType.HTML,
     sync_to_thread=False)  # fmt: skip
def show_result_form(request: Ask) -> Response[bytes]:
    """The form by which one asks for one's result; a code may stand in the address's fragment."""
    return answer(pages.result_form(language_of(request)))


@post("/r/result", right="public", turns="resident", media_type=MediaType.HTML,
      request_max_body_size=RESIDENT_BODY_BYTES, status_code=200)  # fmt: skip
async def show_result(request: Ask) -> Response[bytes]:
    """Results, rounds and sites of whoever knows a code and a second fact. A code nobody has and a fact
    that does not fit are answered alike and as late."""
    form = await read_form(request)
    said, typed = language_of(request, form), said_in(form, "code")
    resident_turn(request.scope)
    try:
        code = read(typed)
    except CodeMistyped:
        return _asked_again(said, "code_mistyped", code=typed, status=422)
    began = time.monotonic()
    try:
        ticket = await _known(request, code, told(said_in(form, "fact")))
    except TooManyAttempts as problem:
        minutes = math.ceil(int(str(problem.facts["seconds"])) / 60)
        return _asked_again(said, "too_many", code=typed, status=429, minutes=minutes)
    if ticket is None:
        await asyncio.sleep(max(0.0, FACT_ANSWER_SECONDS - (time.monotonic() - began)))
        return _asked_again(said, "no_match", code=typed, status=404)
    return await _me(request, ticket, said, looked=True)


@post("/r/me", right="public", turns="resident", media_type=MediaType.HTML,
      request_max_body_size=RESIDENT_BODY_BYTES, status_code=200)  # fmt: skip
async def show_me_again(request: Ask) -> Response[bytes]:
    """The same page, in the other language."""
    form = await read_form(request)
    said = language_of(request, form)
    resident_turn(request.scope)
    ticket = _opened(request, said_in(form, "ticket"))
    if ticket is None:
        return _asked_again(said, "over", status=403)
    return await _me(request, ticket, said, looked=True)


@post("/r/home", right="public", turns="resident", media_type=MediaType.HTML,
      request_max_body_size=RESIDENT_BODY_BYTES, status_code=200)  # fmt: skip
async def ask_for_home(request: Ask) -> Response[bytes]:
    """Ask to be swabbed at home, once; or withdraw it."""
    form = await read_form(request)
    said, here, at = language_of(request, form), muster(request), now()
    resident_turn(request.scope)
    ticket = _opened(request, said_in(form, "ticket"))
    if ticket is None:
        return _asked_again(said, "over", status=403)
    async with here.pool.connection() as conn:
        if said_in(form, "withdraw"):
            for one in await _home_requests(conn, ticket):
                if one["open"]:
                    await decide.close_home_sampling(
                        here.door, one, outcome="withdrawn", actor=SELF, at=at
                    )
        elif (reason := said_in(form, "reason")) in pages.REASONS:
            await decide.ask_home_sampling(
                conn, here.door, resident=ticket.resident, reason=reason, at=at
            )
    return await _me(request, ticket, said, looked=False)


async def _known(request: Ask, code: Coded, fact: str) -> Ticket | None:
    """Whoever has this code and knows this fact of themselves; None where nobody fits. Attempts are
    counted by the person the code leads to, so that a second code of theirs gives no more of them; one
    after the other, so that a burst does not outrun the count. Raises TooManyAttempts."""
    here, at = muster(request), now()
    async with here.pool.connection() as conn:
        found = await queries.bearers(conn, here.vault.open, code)
    key = str(found[0].person) if found else f"code {code.number}"
    attempt = throttle.trying(here.vault, key, asking.address(request), factor="fact")
    lock = _LOOKING.setdefault(key, asyncio.Lock())
    async with lock, here.pool.connection() as conn:
        await throttle.check(conn, attempt, at=at)
        for one in found:
            if sees := sight(one, fact):
                await throttle.succeeded(conn, attempt, at=at)
                until = at + timedelta(seconds=RESIDENT_TICKET_SECONDS)
                return Ticket(one.resident, one.person, sees, until)
        await throttle.failed(conn, attempt, at=at, by=_LIMITS)
    return None


async def _me(request: Ask, ticket: Ticket, said: str, *, looked: bool) -> Response[bytes]:
    here, at = muster(request), now()
    whole = ticket.sees == "whole"
    async with here.pool.connection() as conn:
        shown = await queries.shown(conn, ticket.person if whole else ticket.resident) or {}
        (all_,) = await results_of(conn, [ticket.resident])
        places = await queries.swabs(conn, ticket.person, [one["tube"] for one in all_])
        results = [
            one | {"site_name": place["site_name"]}
            for one in all_
            if (place := places.get(one["tube"]))
            and (whole or ticket.resident in place["recorded"])
        ]
        rounds = (
            await queries.rounds(conn, shown["building"], at=at) if shown.get("building") else []
        )
        asked = [one for one in await _home_requests(conn, ticket) if one["open"]]
        if looked:
            await note_reading(
                conn, who=SELF, device="", what="POST /r/result", why="data_subject", masked=True,
                people=[ticket.resident], at=at,
            )  # fmt: skip
    near = []
    if shown.get("building"):
        near = await request.app.state.near.of(request, "sites", shown["building"], None)
    view = View(
        name=masked_name(shown.get("name") or ""), own_only=not whole,
        results=results[:RESIDENT_RESULTS_LIMIT], building=shown.get("building_name"), rounds=rounds,
        sampled_in=frozenset(one["round"] for one in results if one["round"]), sites=near,
        home=asked[0] if asked else None, at=at, zone=here.settings.timezone,
    )  # fmt: skip
    return answer(pages.me(said, view, _sealed(request, ticket)))


async def _home_requests(conn: Any, ticket: Ticket) -> list[dict[str, Any]]:
    only = None if ticket.sees == "whole" else ticket.resident
    return await queries.home_requests(conn, ticket.person, recorded=only)


def _sealed(request: Ask, ticket: Ticket) -> str:
    return base64.urlsafe_b64encode(
        muster(request).vault.seal(msgspec.json.encode(ticket))
    ).decode()


def _opened(request: Ask, text: str) -> Ticket | None:
    try:
        content = muster(request).vault.open(base64.urlsafe_b64decode(text))
        ticket = msgspec.json.decode(content, type=Ticket)
    except (ValueError, IndexError, InvalidTag, VaultKeyUnusable, msgspec.MsgspecError):
        return None
    return ticket if ticket.until > now() else None


def _asked_again(
    said: str, name: str, *, code: str = "", status: int, **facts: object
) -> Response[bytes]:
    content = pages.result_form(said, problem=word(name, said, **facts), code=code[:60])
    return answer(content, status=status)


HANDLERS: list[Any] = [show_result_form, show_result, show_me_again, ask_for_home]
