"""Residents' pages, one function each: what is known in, a page out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from muster.config import RESIDENT_PAGE_SECONDS
from muster.papers.codes import qr
from muster.registry.engine.identity import KINDS
from muster.registry.engine.personal_code import carried, code_of, grouped
from muster.resident.engine.form import NONE, NUMBER_MOST, ROOM_MOST
from muster.resident.markup import (
    QUIET,
    Html,
    choice,
    entry,
    form,
    groups,
    h,
    hidden,
    link_switch,
    option,
    page,
    post_switch,
    said,
)
from muster.resident.words import word

REASONS = ("bedridden", "infant", "disability", "isolation", "other")
_BAD = ("recalled", "positive", "indeterminate", "confirmed", "sample_again")


@dataclass(frozen=True)
class Typed:
    """A form as it was typed, with what is to be said of its fields."""

    page: UUID
    values: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)  # field → word
    doubtful: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Somebody:
    """Who was listed on this page: an id, and the name in part."""

    resident: UUID
    name: str

    def packed(self) -> tuple[str, str]:
        return "p", f"{self.resident.hex}|{self.name}"


@dataclass(frozen=True)
class View:
    """What somebody is shown of themselves."""

    name: str
    own_only: bool
    results: Sequence[dict[str, Any]]
    building: str | None
    rounds: Sequence[dict[str, Any]]
    sampled_in: frozenset[UUID]
    sites: Sequence[dict[str, Any]]
    home: dict[str, Any] | None
    at: datetime
    zone: str
    problem: str = ""


def start(language: str) -> bytes:
    return page(
        word("start", language),
        [
            f"<h1>{h(word('start', language))}</h1>",
            f'<div class="card"><h2>{h(word("list", language))}</h2>'
            f"<p>{h(word('start_list', language))}</p></div>",
            f'<a class="button" href="/r/result?lang={language}">{h(word("my_result", language))}</a>',
            f"<p>{h(word('start_help', language))}</p>",
        ],
        language=language, switch=link_switch(language),
    )  # fmt: skip


def told(language: str, name: str) -> bytes:
    """A page that says one thing, and leads back."""
    return page(
        word("problem", language),
        [f"<h1>{h(word('problem', language))}</h1>", said(word(name, language)), _back(language)],
        language=language, switch=link_switch(language),
    )  # fmt: skip


def site_page(
    language: str, site: Mapping[str, Any], now_there: Sequence[dict[str, Any]],
    buildings: Sequence[dict[str, Any]], typed: Typed, before: Sequence[Somebody], *, zone: str,
) -> bytes:  # fmt: skip
    """A site with its queue, and the form by which one lists oneself."""
    state = word("site_open" if site["open"] else "site_closed", language)
    queue = f"<p>{_queue(now_there[0], language, zone)}</p>" if now_there else ""
    kept = [one.packed() for one in before]
    again = (
        post_switch(language, "/r/codes", [*kept, ("site", site["code"])])
        if before
        else link_switch(language)
    )
    return page(
        word("list", language),
        [
            f"<h1>{h(word('relative' if before else 'list', language))}</h1>",
            f'<div class="card"><p><b>{h(site["name"])}</b> · {h(state)}</p>{queue}</div>',
            said(typed.problem or (word("mend", language) if typed.wrong else "")),
            list_form(language, site, buildings, typed, before),
            f'<p class="quiet">{h(word("privacy", language))}</p>',
            _back(language),
        ],
        language=language, switch=again,
    )  # fmt: skip


def list_form(
    language: str, site: Mapping[str, Any], buildings: Sequence[dict[str, Any]], typed: Typed,
    before: Sequence[Somebody],
) -> str:  # fmt: skip
    """The form of one person."""

    def value(name: str) -> str:
        return typed.values.get(name, "")

    def wrong(name: str) -> str:
        return word(typed.wrong[name], language) if name in typed.wrong else ""

    kind = value("kind") or "resident_id"
    kinds = [option(one, names[1 if language == "zh" else 0], kind) for one, names in KINDS.items()]
    kinds.append(option(NONE, word("no_document", language), kind))
    sure = (
        f'<p class="field"><label><input type="checkbox" name="sure" value="1">'
        f"{h(word('sure', language))}</label></p>"
        if typed.doubtful
        else ""
    )
    near = [option("", word("building_none", language), value("building"))]
    near += groups(
        buildings, value="building", text="name", above="above_name", chosen=value("building")
    )
    finder = (
        f'<p class="field" hidden><label for="find">{h(word("building_find", language))}</label>'
        '<input id="find" type="search" autocomplete="off"></p>'
    )
    return form(
        f"/r/s/{site['code']}",
        [
            *hidden([("page", str(typed.page)), ("lang", language), *(one.packed() for one in before)]),
            entry("name", word("name", language), value=value("name"), said=wrong("name"),
                    more=" required"),
            choice("kind", word("kind", language), kinds, said=wrong("kind")),
            entry("number", word("number", language), value=value("number"), most=NUMBER_MOST,
                    said=wrong("number"), more=' autocapitalize="characters" spellcheck="false"'),
            sure,
            entry("birth_date", word("birth_date", language), value=value("birth_date"), most=12,
                    said=wrong("birth_date"), hint=word("birth_hint", language),
                    more=' inputmode="numeric"'),
            entry("phone", word("phone", language), value=value("phone"), most=24,
                    said=wrong("phone"), more=' type="tel" inputmode="tel"'),
            finder,
            choice("building", word("building", language), near),
            entry("room", word("room", language), value=value("room"), most=ROOM_MOST,
                    said=wrong("room")),
            f"<button>{h(word('send', language))}</button>",
        ],
    )  # fmt: skip


def codes(
    language: str, site: Mapping[str, Any], buildings: Sequence[dict[str, Any]], next_: Typed,
    people: Sequence[Somebody],
) -> bytes:  # fmt: skip
    """The codes of who was listed here, the latest first, and the form for another."""
    title = (
        word("codes", language, count=len(people)) if len(people) > 1 else word("code", language)
    )
    kept = [(name, next_.values.get(name, "")) for name in ("phone", "building", "room")]
    return page(
        title,
        [
            f"<h1>{h(title)}</h1>",
            f"<p>{h(word('code_text', language))} <b>{h(word('code_warn', language))}</b></p>",
            '<div class="codes">', *(_code(one, language) for one in people), "</div>",
            f'<button id="print" class="plain" type="button" hidden>{h(word("print", language))}</button>',
            f'<details class="card no-print"><summary class="who">{h(word("relative", language))}'
            f"</summary><p>{h(word('relative_text', language))}</p>"
            f"{list_form(language, site, buildings, next_, people)}</details>",
            f'<a class="button plain" href="/r/result?lang={language}#{h(code_of(people[0].resident))}">'
            f"{h(word('my_result', language))}</a>",
            f'<p class="quiet no-print">{h(word("new_here", language))}</p>',
        ],
        language=language,
        switch=post_switch(
            language, "/r/codes", [*(one.packed() for one in people), ("site", site["code"]), *kept]
        ),
    )  # fmt: skip


def _code(one: Somebody, language: str) -> str:
    label = h(word("qr_of", language, name=one.name))
    return (
        f'<section class="card code"><p class="who">{h(one.name)}</p>'
        f'<div class="qr" role="img" aria-label="{label}">{qr(carried(one.resident))}</div>'
        f'<p class="typed">{h(grouped(code_of(one.resident)))}</p></section>'
    )


def result_form(language: str, *, problem: str = "", code: str = "") -> bytes:
    return page(
        word("my_result", language),
        [
            f"<h1>{h(word('my_result', language))}</h1>",
            f"<p>{h(word('result_text', language))}</p>",
            said(problem),
            form(
                "/r/result",
                [
                    *hidden([("lang", language)]),
                    entry("code", word("code_typed", language), value=code, most=60,
                            more=' required autocapitalize="characters" spellcheck="false"'),
                    entry("fact", word("fact", language), most=12,
                            more=' required inputmode="numeric"'),
                    f"<button>{h(word('look', language))}</button>",
                ],
                more=QUIET,
            ),
            _back(language),
        ],
        language=language, switch=link_switch(language),
    )  # fmt: skip


def me(language: str, view: View, ticket: str) -> bytes:
    """What somebody sees of themselves; it leaves the screen by itself."""
    seconds = str(RESIDENT_PAGE_SECONDS)
    leaving = (
        f'<div id="leaving" class="leaving" data-seconds="{seconds}"'
        f' data-words="{h(word("leaves_in", language, seconds="{seconds}"))}"><p>{h(word("leaves", language))}'
        f' <b id="left" role="timer">{h(word("leaves_in", language, seconds=seconds))}</b></p>'
        '<div class="both">'
        f'<button id="more" class="plain" type="button" hidden>{h(word("more_time", language))}</button>'
        f'<a id="finish" class="button" href="/r?lang={language}">{h(word("finish", language))}</a></div></div>'
    )
    head = f'<noscript><meta http-equiv="refresh" content="{seconds}; url=/r"></noscript>'
    results = [_result(one, language, view.zone) for one in view.results]
    return page(
        word("my_result", language),
        [
            f"<h1>{h(word('for_name', language, name=view.name))}</h1>",
            said(view.problem),
            leaving,
            f"<h2>{h(word('results', language))}</h2>",
            *(results or [f"<p>{h(word('no_results', language))}</p>"]),
            f'<p class="quiet">{h(word("only_own", language))}</p>' if view.own_only else "",
            *_where_when(view, language),
            *_home(view, language, ticket),
        ],
        language=language, head=head, switch=post_switch(language, "/r/me", [("ticket", ticket)], more=QUIET),
    )  # fmt: skip


def _result(one: dict[str, Any], language: str, zone: str) -> str:
    name = one["told"]
    advice = "recalled" if name in ("positive", "indeterminate") else name
    tone = "bad" if name in _BAD else name
    lines = [
        f'<p class="told {tone}">{h(word(f"told_{name}", language))}</p>',
        f"<p>{h(word(f'do_{advice}', language))}</p>",
        f'<p class="quiet">{h(word("sampled", language))} {h(moment(one["at"], language, zone))}'
        + (f" · {h(one['site_name'])}" if one["site_name"] else "") + "</p>",
        f'<p class="quiet">{h(word("resulted", language))} '
        f"{h(moment(one['resulted_at'], language, zone))}</p>"
        if one["resulted_at"] and name in ("negative", "confirmed")
        else "",
    ]  # fmt: skip
    return f'<section class="card">{"".join(lines)}</section>'


def _where_when(view: View, language: str) -> list[str]:
    parts = [f"<h2>{h(word('where_when', language))}</h2>"]
    if view.building is None:
        return [*parts, f"<p>{h(word('no_home', language))}</p>"]
    for one in view.rounds:
        begun = one["starts_at"] <= view.at
        text = word(
            "round_until" if begun else "round_from", language, name=one["name"],
            since=moment(one["starts_at"], language, view.zone),
            until=moment(one["ends_at"], language, view.zone),
        )  # fmt: skip
        done = f" ✓ {word('round_done', language)}" if one["round"] in view.sampled_in else ""
        parts.append(f"<p>{h(text)}{h(done)}</p>")
    if not view.rounds:
        parts.append(f"<p>{h(word('no_round', language))}</p>")
    if not view.sites:
        return [*parts, f"<p>{h(word('no_sites', language))}</p>"]
    listed = (
        f'<li class="card"><p><b>{h(one["name"])}</b>'
        + (f" · {h(one['area_name'])}" if one["area_name"] else "")
        + f"</p><p>{_queue(one, language, view.zone)}</p></li>"
        for one in view.sites
    )
    return [
        *parts, f"<h2>{h(word('sites_open', language))}</h2>", '<ul class="sites">', *listed, "</ul>",
    ]  # fmt: skip


def _home(view: View, language: str, ticket: str) -> list[str]:
    proof = [("ticket", ticket), ("lang", language)]
    head = [f"<h2>{h(word('home', language))}</h2>"]
    if view.home:
        text = word(
            "home_asked", language, at=moment(view.home["asked_at"], language, view.zone),
            reason=word(f"reason_{view.home['reason']}", language),
        )  # fmt: skip
        button = f'<button class="plain">{h(word("home_withdraw", language))}</button>'
        undo = form("/r/home", [*hidden([*proof, ("withdraw", "1")]), button], more=QUIET)
        return [*head, said(text, good=True), undo]
    reasons = [option(one, word(f"reason_{one}", language), "") for one in REASONS]
    asking = [
        *hidden(proof), choice("reason", word("home_reason", language), reasons),
        f'<button class="plain">{h(word("home_ask", language))}</button>',
    ]  # fmt: skip
    return [*head, f"<p>{h(word('home_text', language))}</p>", form("/r/home", asking, more=QUIET)]


def _queue(one: Mapping[str, Any], language: str, zone: str) -> Html:
    """How many wait, how long, and who says so."""
    if one["waiting"] is None:
        return Html(f'<span class="quiet">{h(word("not_counted", language))}</span>')
    parts = [word("waiting", language, count=one["waiting"])]
    if one["wait_minutes"] is not None:
        how = "wait_estimated" if one["estimated"] else "wait_measured"
        parts.append(word(how, language, minutes=one["wait_minutes"]))
    at = word("counted_at", language, time=_clock(one["counted_at"], zone))
    return Html(f'{h(" · ".join(parts))} <span class="quiet">{h(at)}</span>')


def _back(language: str) -> str:
    return f'<p class="no-print"><a href="/r?lang={language}">{h(word("back", language))}</a></p>'


def moment(at: datetime, language: str, zone: str) -> str:
    local = at.astimezone(ZoneInfo(zone))
    if language == "zh":
        return f"{local.month}月{local.day}日 {local:%H:%M}"
    return f"{local.day} {local:%b %H:%M}"


def _clock(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"
