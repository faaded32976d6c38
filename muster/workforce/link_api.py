"""HTTP for who is called up and has no account: a summons' own page, and the check-in behind a post's QR. They
need neither script nor storage.
"""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import MediaType, Response, get, post
from litestar.params import FromPath

from muster.config import RESIDENT_BODY_BYTES
from muster.core.clock import now
from muster.core.problems import Problem, StorageUnavailable, TooBusy
from muster.hardening import TooManyRequests, resident_turn
from muster.registry.events import SELF
from muster.resident.markup import entry, form, h, hidden, link_switch, page, post_switch, said
from muster.resident.reading import answer as answered
from muster.resident.reading import language_of, read_form, said_in
from muster.web import Ask, muster
from muster.workforce import decide, links, queries, relief
from muster.workforce.booking import LimitBroken, NoPlaceLeft, NotCleared, StandsElsewhere
from muster.workforce.engine.posts import POSTS
from muster.workforce.link_words import word


@get("/r/w/{code:str}", right="public", media_type=MediaType.HTML)
async def show_summons(request: Ask, code: FromPath[str]) -> Response[bytes]:
    """What somebody is asked, where a link of theirs leads; nothing changes by looking."""
    language = language_of(request)
    summons = links.summons_of(muster(request).vault, code)
    found = await _found(request, summons) if summons else None
    if found is None:
        return answered(_told("unknown", language), status=404)
    return answered(_summons_page(request, found, code, language))


@post("/r/w/{code:str}", right="public", turns="resident", media_type=MediaType.HTML,
      request_max_body_size=RESIDENT_BODY_BYTES, status_code=200)  # fmt: skip
async def answer_summons(request: Ask, code: FromPath[str]) -> Response[bytes]:
    """Say yes or no, or at the post that one rests or wants to be relieved; the same twice is once."""
    sent = await read_form(request)
    language, here = language_of(request, sent), muster(request)
    summons = links.summons_of(here.vault, code)
    if summons is None or await _found(request, summons) is None:
        return answered(_told("unknown", language), status=404)
    wanted, why, status = said_in(sent, "answer"), "", 200
    try:
        resident_turn(request.scope)
        if wanted in ("accepted", "declined"):
            async with here.pool.connection() as conn:
                await decide.answer(
                    conn, here.door, summons, wanted, how="link", actor=SELF, at=now()
                )
        elif wanted in ("break", "work_again", "relief", "stay"):
            await _say_at_the_post(request, summons, wanted)
    except (
        NoPlaceLeft,
        StandsElsewhere,
        LimitBroken,
        NotCleared,
        decide.PlaceNotTheirs,
        TooManyRequests,
        TooBusy,
        StorageUnavailable,
    ) as problem:
        why, status = _why(problem, language), problem.status
    found = await _found(request, summons)
    assert found
    return answered(_summons_page(request, found, code, language, why), status=status)


async def _say_at_the_post(request: Ask, summons: UUID, wanted: str) -> None:
    """Raises PlaceNotTheirs where they do not stand there."""
    here, at = muster(request), now()
    async with here.pool.connection() as conn:
        posting = (await queries.summons(conn, summons))["posting"]
        if posting is None:
            raise decide.PlaceNotTheirs()
        match wanted:
            case "break":
                await relief.begin_break(conn, here.door, posting, actor=SELF, at=at)
            case "work_again":
                await relief.end_break(conn, here.door, posting, actor=SELF, at=at)
            case "relief":
                await relief.request_relief(
                    conn, here.door, posting, why="other", how="link", actor=SELF, at=at
                )
            case _:
                await relief.stay(conn, here.door, posting, actor=SELF, at=at)


@get("/r/at/{code:str}", right="public", media_type=MediaType.HTML)
async def show_place(request: Ask, code: FromPath[str]) -> Response[bytes]:
    """The check-in of a post, where its QR leads."""
    language = language_of(request)
    place = await _place(request, code)
    if place is None:
        return answered(_told("unknown", language), status=404)
    return answered(_place_page(place, code, language))


@post("/r/at/{code:str}", right="public", turns="resident", media_type=MediaType.HTML,
      request_max_body_size=RESIDENT_BODY_BYTES, status_code=200)  # fmt: skip
async def check_in(request: Ask, code: FromPath[str]) -> Response[bytes]:
    """Say that one stands there, by one's phone number; nobody's place is known but the code's."""
    sent = await read_form(request)
    language, here, at = language_of(request, sent), muster(request), now()
    place = await _place(request, code)
    if place is None:
        return answered(_told("unknown", language), status=404)
    typed, why, status, good = said_in(sent, "phone")[:40], "", 200, ""
    try:
        resident_turn(request.scope)
        digits = "".join(one for one in typed if one.isdigit())
        phones = here.vault.phone_hashes(digits[-11:] or None)
        async with here.pool.connection() as conn:
            found = await queries.to_arrive(
                conn, place["place"], list(phones.values()), at=at, latest=at + decide.EARLY
            )
            if not found and typed:
                why, status = word("no_place_here", language), 404
            for one in found[:1]:
                await decide.arrive(
                    conn, here.door, one["posting"], how="place_code", actor=SELF, at=at
                )
                good = word("arrived", language, time=_clock(request, at))
    except (TooManyRequests, TooBusy, StorageUnavailable) as problem:
        why, status = _why(problem, language), problem.status
    return answered(
        _place_page(place, code, language, typed="" if good else typed, why=why, good=good),
        status=status,
    )


def _summons_page(
    request: Ask, found: dict[str, Any], code: str, language: str, why: str = ""
) -> bytes:
    """What is asked, and what can be said to it."""
    zone = ZoneInfo(muster(request).settings.timezone)
    start, end = found["starts_at"].astimezone(zone), found["ends_at"].astimezone(zone)
    post_ = POSTS[found["role"]]
    facts = (
        ("what", post_.zh if language == "zh" else found["role"].replace("_", " ")),
        ("where", found["site_name"] or found["area_name"] or "–"),
        (
            "when",
            word(
                "from_to",
                language,
                day=f"{start:%Y-%m-%d}",
                start=f"{start:%H:%M}",
                end=f"{end:%H:%M}",
            ),
        ),
        ("be_there", f"{found['arrive_by'].astimezone(zone):%H:%M}"),
    )
    lines = "".join(f"<dt>{h(word(name, language))}</dt><dd>{h(text)}</dd>" for name, text in facts)
    state, acts = _state(request, found, language)
    asks = bool(acts) and acts[0][1] == "yes"
    called = found["call_up_name"] or ""
    title = f"<p><b>{h(called)}</b></p>" if asks else ""
    greeting = word("greet", language, name=found["staff_name"]) if found["staff_name"] else ""
    buttons = [
        form(f"/r/w/{code}", [
            *hidden([("answer", said_), ("lang", language)]),
            f'<button class="{style}">{h(word(label, language))}</button>',
        ])
        for said_, label, style in acts
    ]  # fmt: skip
    return page(
        word("title", language),
        [
            f"<h1>{h(word('asked', language) if asks else called)}</h1>",
            said(why),
            f"<p>{h(greeting)}</p>" if greeting else "",
            f'<div class="card">{title}<dl class="facts">{lines}</dl></div>',
            "" if why else f"<p>{h(state)}</p>" if asks else said(state, good=True),
            *buttons,
        ],
        language=language, switch=link_switch(language), name=word("title", language),
    )  # fmt: skip


def _state(
    request: Ask, found: dict[str, Any], language: str
) -> tuple[str, list[tuple[str, str, str]]]:
    """How it stands, and the answers that are open: (answer, word, style)."""
    yes, no = ("accepted", "yes", "primary"), ("declined", "no", "plain")
    match found["posting_state"]:
        case "left":
            return word("left", language), []
        case "arrived":
            return _at_the_post(request, found, language)
        case "posted":
            return word("posted", language), [("declined", "changed_mind", "plain")]
    if found["closed_at"] is not None or found["state"] in ("withdrawn", "accepted"):
        return word("full", language), []
    if found["state"] == "declined":
        return word("declined", language), [yes]
    return word("answer_by", language, time=_clock(request, found["answer_by"])), [yes, no]


def _at_the_post(
    request: Ask, found: dict[str, Any], language: str
) -> tuple[str, list[tuple[str, str, str]]]:
    """What can be said by whoever stands there: that they rest, and that they want to be relieved."""
    told = word("arrived", language, time=_clock(request, found["arrived_at"]))
    rest = ("break", "break", "plain")
    if found["resting"]:
        told, rest = word("resting", language), ("work_again", "work_again", "primary")
    if found["relief"]:
        return word("relief_asked", language), [rest, ("stay", "stay", "plain")]
    return told, [rest, ("relief", "relief", "plain")]


def _place_page(
    place: dict[str, Any],
    code: str,
    language: str,
    *,
    typed: str = "",
    why: str = "",
    good: str = "",
) -> bytes:
    action = f"/r/at/{code}"
    field = entry("phone", word("phone", language), value=typed, most=20, more=' inputmode="tel"')
    return page(
        word("at", language),
        [
            f"<h1>{h(word('at', language))}</h1>",
            f'<div class="card"><p><b>{h(place["name"])}</b></p></div>',
            said(why),
            said(good, good=True),
            form(action, [
                *hidden([("lang", language)]), field,
                f'<button class="primary">{h(word("check_in", language))}</button>',
            ]) if not good else "",
        ],
        language=language, name=word("title", language),
        switch=post_switch(language, action, []) if good or why else link_switch(language),
    )  # fmt: skip


def _told(key: str, language: str) -> bytes:
    return page(
        word("title", language), [f"<h1>{h(word('title', language))}</h1>", said(word(key, language))],
        language=language, switch=link_switch(language), name=word("title", language),
    )  # fmt: skip


def _why(problem: Problem, language: str) -> str:
    match problem:
        case NoPlaceLeft():
            return word("full", language)
        case StandsElsewhere():
            return word("elsewhere", language, when=problem.facts["when"])
        case LimitBroken():
            return word("limit", language)
        case NotCleared() | decide.PlaceNotTheirs():
            return word("ask_the_lead", language)
        case TooManyRequests():
            return word("too_often", language)
    return word("busy", language)


async def _found(request: Ask, summons: UUID) -> dict[str, Any] | None:
    async with muster(request).pool.connection() as conn:
        try:
            return await queries.summons(conn, summons)
        except queries.SummonsUnknown:
            return None


async def _place(request: Ask, code: str) -> dict[str, Any] | None:
    place = links.place_of(muster(request).vault, code)
    if place is None:
        return None
    async with muster(request).pool.connection() as conn:
        return await queries.place(conn, place)


def _clock(request: Ask, at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(muster(request).settings.timezone)):%H:%M}"


HANDLERS: list[Any] = [show_summons, answer_summons, show_place, check_in]
