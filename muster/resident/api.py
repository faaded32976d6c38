"""HTTP of residents' own pages: forms that need neither script nor storage, and nobody signed in."""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from litestar import MediaType, Response, get, post
from litestar.params import FromPath

from muster.config import RELATIVES_LIMIT, RESIDENT_BODY_BYTES
from muster.core.clock import now
from muster.core.ids import uuid7
from muster.core.problems import StorageUnavailable, TooBusy
from muster.core.text import clean
from muster.hardening import TooManyRequests, resident_turn
from muster.registry.engine.identity import check
from muster.registry.engine.masking import masked_name
from muster.resident import decide, home_api, keying_api, pages, queries, result_api
from muster.resident.engine import form as forms
from muster.resident.pages import Somebody, Typed
from muster.resident.reading import (
    answer,
    before_of,
    file,
    language_of,
    read_form,
    said_in,
    uuid_of,
)
from muster.resident.words import word
from muster.web import Ask, muster

_FIELDS = ("name", "kind", "number", "birth_date", "phone", "building", "room")


@get("/r", right="public", media_type=MediaType.HTML, sync_to_thread=False)
def show_start(request: Ask) -> Response[bytes]:
    """Where residents begin."""
    return answer(pages.start(language_of(request)))


@get("/r/page.css", right="public", media_type="text/css", sync_to_thread=False)
def show_style() -> Response[bytes]:
    """How the pages look."""
    return file("page.css", "text/css")


@get("/r/page.js", right="public", media_type="text/javascript", sync_to_thread=False)
def show_script() -> Response[bytes]:
    """What makes them easier; they work without."""
    return file("page.js", "text/javascript")


@get("/r/s/{site:str}", right="public", media_type=MediaType.HTML)
async def show_site(request: Ask, site: FromPath[str]) -> Response[bytes]:
    """A site's queue, and the form to list oneself: where its poster leads."""
    found = await _site(request, site)
    if found is None:
        return answer(pages.told(language_of(request), "site_unknown"), status=404)
    return await _site_page(request, found, Typed(uuid7()), [], language_of(request))


@post("/r/s/{site:str}", right="public", turns="resident", media_type=MediaType.HTML,
      request_max_body_size=RESIDENT_BODY_BYTES, status_code=200)  # fmt: skip
async def list_oneself(request: Ask, site: FromPath[str]) -> Response[bytes]:
    """List one person. The same form twice is one listing; nothing is told of who was known before."""
    form = await read_form(request)
    said, before, at = language_of(request, form), before_of(form), now()
    found = await _site(request, site)
    if found is None:
        return answer(pages.told(said, "site_unknown"), status=404)
    near = await _near(request, found)
    values = {name: said_in(form, name) for name in _FIELDS}
    today = at.astimezone(ZoneInfo(muster(request).settings.timezone)).date()
    who = forms.read(values, buildings={one["building"] for one in near}, today=today)
    page = uuid_of(said_in(form, "page")) or uuid7()
    doubts = {} if said_in(form, "sure") else who.doubts
    if wrong := {**doubts, **who.faults}:
        typed = Typed(page, values, wrong, doubtful=bool(who.doubts))
        return await _site_page(request, found, typed, before, said, status=422)
    try:
        resident_turn(request.scope, site=found["code"])
        here = muster(request)
        resident = await decide.list_oneself(here.door, here.vault, page=page, who=who, at=at)
    except (TooManyRequests, TooBusy, StorageUnavailable) as problem:
        why = "asked_too_often" if isinstance(problem, TooManyRequests) else "not_now"
        typed = Typed(page, values, problem=word(why, said))
        return await _site_page(
            request, found, typed, before, said, status=problem.status,
            retry=str(problem.facts["seconds"]),
        )  # fmt: skip
    people = [Somebody(resident, masked_name(who.name))]
    people += [one for one in before if one.resident != resident]
    kept = {name: values[name] for name in ("phone", "building", "room")}
    return answer(pages.codes(said, found, near, Typed(uuid7(), kept), people[:RELATIVES_LIMIT]))


@post("/r/codes", right="public", turns="resident", media_type=MediaType.HTML,
      request_max_body_size=RESIDENT_BODY_BYTES, status_code=200)  # fmt: skip
async def show_codes(request: Ask) -> Response[bytes]:
    """The codes that a page showed, in the other language. Everything on it comes from that page: nobody
    is looked up."""
    form = await read_form(request)
    said, people = language_of(request, form), before_of(form)
    resident_turn(request.scope)
    found = await _site(request, said_in(form, "site"))
    if found is None or not people:
        return answer(pages.told(said, "site_unknown"), status=404)
    kept = {name: said_in(form, name) for name in ("phone", "building", "room")}
    near = await _near(request, found)
    return answer(pages.codes(said, found, near, Typed(uuid7(), kept), people))


@post("/r/check", right="public", turns="resident", status_code=200,
      request_max_body_size=RESIDENT_BODY_BYTES)  # fmt: skip
async def check_number(request: Ask) -> dict[str, Any]:
    """Whether the number of a document is well formed. Whose it is, nobody is told."""
    form = await read_form(request)
    resident_turn(request.scope)
    said, kind = language_of(request, form), said_in(form, "kind")
    found = check(said_in(form, "number")[: forms.NUMBER_MOST * 2], kind, today=now().date())
    name = "number_good" if found.valid else f"number_{found.reason}"
    return {"valid": found.valid, "said": word(name, said), "told": found.birth_date is not None}


async def _site(request: Ask, code: str) -> dict[str, Any] | None:
    wanted = clean(code)
    if not wanted or len(wanted) > 64:
        return None
    async with muster(request).pool.connection() as conn:
        return await queries.site(conn, wanted)


async def _near(request: Ask, site: Mapping[str, Any]) -> list[dict[str, Any]]:
    return await request.app.state.near.of(request, "buildings", site["area"])


async def _site_page(
    request: Ask, site: Mapping[str, Any], typed: Typed, before: Sequence[Somebody], said: str, *,
    status: int = 200, retry: str = "",
) -> Response[bytes]:  # fmt: skip
    there = await request.app.state.near.of(request, "sites", site["area"], site["site"])
    content = pages.site_page(
        said, site, there, await _near(request, site), typed, before,
        zone=muster(request).settings.timezone,
    )  # fmt: skip
    return answer(content, status=status, retry=retry)


HANDLERS: list[Any] = [
    show_start, show_style, show_script, show_site, list_oneself, show_codes, check_number,
    *result_api.HANDLERS, *home_api.HANDLERS, *keying_api.HANDLERS,
]  # fmt: skip
