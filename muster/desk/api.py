"""HTTP for the desk's lists and for the search of the top bar."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import FromQuery, Parameter

from muster.core.paging import Page
from muster.core.text import clean
from muster.desk import history_api, queries, record_api, why_api, work_api
from muster.desk.queries import Flag, OutcomeState, Reach, Stage, Told, TubeFilter
from muster.guarding import area_within, principal, reading, right_of
from muster.papers import queries as papers
from muster.papers.room import site_code
from muster.registry import queries as registry
from muster.registry.engine import personal_code
from muster.sampling import queries as sampling
from muster.showing import looking
from muster.web import After, Ask, Format, Limit, muster

Kind = Literal["tube", "box", "site", "lab", "area", "device", "round", "plate", "person"]
Sought = Annotated[str, Parameter(min_length=1, max_length=500)]  # a scanned address
T = TypeVar("T")
_EACH = 6  # of a kind, under the search field


class TubeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One tube: what its label says, where it is (`stage`: open, sealed, packed, handed_over, received,
    on_plate, run, released), and what is known of it."""

    tube: UUID
    barcode: str
    at: datetime
    sealed_at: datetime | None
    purpose: str
    capacity: int
    people: int
    flags: list[str]
    stage: Stage
    lane: int | None = None
    device: str | None = None
    site: UUID | None = None
    site_code: str | None = None
    site_name: str | None = None
    round: UUID | None = None
    round_name: str | None = None
    outcome: str | None = None
    state: str | None = None
    resulted_at: datetime | None = None
    box: UUID | None = None
    box_code: str | None = None
    with_: str | None = msgspec.field(name="with", default=None)
    lab: str | None = None
    lab_name: str | None = None
    next: str | None = None


class TubePage(msgspec.Struct, frozen=True):
    """Some tubes, newest first; `next` is the cursor of the following page, if any."""

    items: list[TubeRow]
    next: str | None = None


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """Something the text may mean. `exact`: it bears this very code, so a scanner goes straight there."""

    kind: Kind
    id: UUID | None = None
    code: str | None = None
    name: str | None = None
    place: str | None = None
    at: datetime | None = None
    exact: bool = False


class Hits(msgspec.Struct, frozen=True):
    """What was found, exact codes first."""

    q: str
    items: list[Hit]


@get("/v1/tubes", right="tubes")
async def list_tubes(
    request: Ask,
    q: FromQuery[str | None] = None,
    area: FromQuery[str | None] = None,
    site: FromQuery[str | None] = None,
    round: FromQuery[str | None] = None,
    stage: FromQuery[Stage | None] = None,
    flag: FromQuery[Flag | None] = None,
    outcome: FromQuery[Told | None] = None,
    outcome_state: FromQuery[OutcomeState | None] = None,
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
    after: After = None,
    limit: Limit = 100,
    format: Format = "json",
) -> TubePage | Response[bytes]:
    """Tubes of one's sites and areas, or of one's laboratory, newest first: by the beginning of the
    barcode, area, site, round, stage, flag, outcome, time of sealing."""
    async with reading(request) as conn:
        wanted = TubeFilter(
            q=clean(q) or None if q else None,
            area=(await area_within(request, conn, area))["area"] if area else None,
            site=(await sampling.site(conn, site))["site"] if site else None,
            round=(await sampling.round_(conn, round))["round"] if round else None,
            stage=stage, flag=flag, outcome=outcome, state=outcome_state, since=_zoned(since),
            until=_zoned(until),
        )  # fmt: skip
    reach = reach_of(request)
    async with looking(request) as look, muster(request).pool.connection() as own:
        answer = await look.listing(
            lambda a, n: queries.tubes(own, reach, wanted, after=a, limit=n),
            after=after, limit=limit, format=format, name="tubes", personal=False,
        )  # fmt: skip
    return typed(answer, TubePage) if isinstance(answer, Page) else answer


@get("/v1/search", right="signed_in")
async def search(request: Ask, q: FromQuery[Sought]) -> Hits:
    """What a text in the search field may mean, of everything one may ask for: a tube, box, site,
    laboratory, area, device, round, plate by its code, a person of one's areas by name. Never a
    document number: those are looked up by /v1/people/by-number, which is in no address."""
    text, who, found = clean(q), principal(request), list[Hit]()
    if not text:
        return Hits(q, [])
    if who.may("people") and personal_code.is_code(text):
        found += await _coded(request, text)
        if personal_code.is_marked(text):
            return Hits(text, found)
    text = site_code(text) or text  # a site's poster was scanned
    for kind, right in _ASKED:
        if who.may(right):
            found += await _of_kind(request, kind, right, text)
    if who.may("people") and not any(letter.isdigit() for letter in text):
        found += await _people(request, text)
    return Hits(text, sorted(found, key=lambda one: not one.exact))


_ASKED: tuple[tuple[Kind, str], ...] = (
    ("tube", "tubes"), ("box", "boxes"), ("site", "sites"), ("lab", "labs"), ("area", "areas"),
    ("device", "device_gaps"), ("round", "rounds"), ("plate", "plates"),
)  # fmt: skip


async def _of_kind(request: Ask, kind: Kind, right: str, text: str) -> list[Hit]:
    values: dict[str, Any] = {"limit": _EACH}
    if kind == "tube":
        reach = reach_of(request, right)
        async with muster(request).pool.connection() as own:
            values |= {
                "everywhere": reach.everywhere, "labs": list(reach.labs),
                "within": [] if reach.everywhere else await queries.sites_within(own, reach),
            }  # fmt: skip
            rows = await queries.found(own, "tubes", text, **values)
    elif kind == "device":  # codes of devices name nobody
        async with muster(request).pool.connection() as own:
            rows = await queries.found(own, "devices", text, **values)
    else:
        async with reading(request, right) as conn:
            plural = "boxes" if kind == "box" else f"{kind}s"
            rows = await queries.found(conn, plural, text, **values)
    return [
        Hit(
            kind=kind, id=one["id"], code=one.get("code"), name=one.get("name"),
            place=one.get("place"), at=one.get("at"),
            exact=text in (one.get("code"), one.get("name")),
        )
        for one in rows
    ]  # fmt: skip


async def _coded(request: Ask, text: str) -> list[Hit]:
    """Whose printed code this is; one code leads straight to them. Raises CodeMistyped."""
    numbers, ids = personal_code.told_apart(personal_code.read_all(text))
    async with looking(request, right="people") as look:
        rows = look.show(await papers.people_of(look.conn, numbers, ids))
    return [
        Hit(kind="person", id=one["resident"], name=one["name"], exact=len(rows) == 1,
            place=" ".join(filter(None, (one["building_name"], one["room"]))))
        for one in rows
    ]  # fmt: skip


async def _people(request: Ask, text: str) -> list[Hit]:
    """People of one's areas whose names begin so, masked: at most a few."""
    scope = principal(request).scope("people")
    async with looking(request, right="people") as look:
        rows = list[dict[str, Any]]()
        for area in await queries.own_areas(
            look.conn, everywhere=scope.names, areas=scope.name_areas
        ):  # fmt: skip
            rows += (await registry.search(look.conn, area, text, limit=_EACH)).items
            if len(rows) >= _EACH:
                break
        found = look.show(rows[:_EACH])
    return [
        Hit(kind="person", id=one["resident"], name=one["name"],
            place=" ".join(filter(None, (one["building_name"], one["room"]))))
        for one in found
    ]  # fmt: skip


def reach_of(request: Ask, right: str | None = None) -> Reach:
    """The places of which the caller may be shown codes of tubes by a right."""
    scope = principal(request).scope(right or right_of(request.route_handler))
    return Reach(
        everywhere=scope.everyone, sites=scope.sites, areas=scope.people_areas, labs=scope.labs
    )


def typed(answer: Page, page: type[T]) -> T:
    """A page of rows as the typed page that the document describes."""
    return msgspec.convert({"items": answer.items, "next": answer.next}, page)


def _zoned(at: datetime | None) -> datetime | None:
    return at.astimezone() if at else None


HANDLERS: Sequence[Any] = [
    list_tubes, search, *why_api.HANDLERS, *record_api.HANDLERS, *history_api.HANDLERS,
    *work_api.HANDLERS,
]  # fmt: skip
