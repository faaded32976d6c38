"""HTTP for areas, people and units."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.core.clock import now
from muster.core.paging import Page
from muster.core.text import clean
from muster.guarding import area_within, principal, reading
from muster.registry import decide, queries
from muster.registry.engine.masking import Reason
from muster.registry.events import UnitKind
from muster.showing import Why, looking
from muster.web import After, Ask, Format, Limit, muster


class Merge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Make one id count for another."""

    into: UUID


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document number, and why its holder is to be shown unmasked."""

    number: Annotated[str, Meta(min_length=1, max_length=40)]
    reason: Reason | None = None


class WantedPhone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole phone number, and why its holders are to be shown unmasked."""

    phone: Annotated[str, Meta(min_length=5, max_length=40)]
    reason: Reason | None = None


@get("/v1/areas", right="areas")
async def list_areas(
    request: Ask,
    parent: FromQuery[str | None] = None,
    after: After = None,
    limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:
    """The areas right under one (code, id or name), or the roots."""
    async with looking(request) as look:
        top = (await queries.area(look.conn, parent))["area"] if parent else None
        return await look.listing(
            lambda a, n: queries.children(look.conn, top, after=a, limit=n),
            after=after, limit=limit, format=format, name="areas", personal=False,
        )  # fmt: skip


@get("/v1/areas/{area:str}", right="areas")
async def show_area(request: Ask, area: FromPath[str]) -> dict[str, Any]:
    """One area by code, id or name."""
    async with reading(request) as conn:
        return await queries.area(conn, area)


@get("/v1/people", right="people")
async def search_people(
    request: Ask,
    area: FromQuery[str],
    name: FromQuery[str],
    reason: Why = None,
    after: After = None,
    limit: Limit = 50,
    format: Format = "json",
) -> Page | Response[bytes]:
    """People under an area by the beginning of a name: characters, pinyin or initials."""
    async with looking(request, reason) as look:
        top = (await area_within(request, look.conn, area, right=look.right))["area"]
        return await look.listing(
            lambda a, n: queries.search(look.conn, top, name, after=a, limit=n),
            after=after, limit=limit, format=format, name="people",
        )  # fmt: skip


@get("/v1/people/{person:uuid}", right="people")
async def show_person(request: Ask, person: FromPath[UUID], reason: Why = None) -> dict[str, Any]:
    """One person; name, number and phone masked, unless a reason is given."""
    async with looking(request, reason) as look:
        return look.show(
            [await queries.person(look.conn, muster(request).vault, person, full=True)]
        )[0]


@post("/v1/people/by-number", status_code=200, right="people_by_number")
async def find_person(request: Ask, data: JSONBody[Wanted]) -> dict[str, Any]:
    """The person of a document number, which is in no address and no log."""
    vault = muster(request).vault
    async with looking(request, data.reason) as look:
        person = await queries.by_text(look.conn, vault, data.number)
        return look.show([await queries.person(look.conn, vault, person, full=True)])[0]


@post("/v1/people/by-phone", status_code=200, right="people_by_number")
async def find_people(request: Ask, data: JSONBody[WantedPhone]) -> list[dict[str, Any]]:
    """Everybody who gave one phone, which is in no address and no log. Only the whole number finds: of
    what is kept no part can be told."""
    async with looking(request, data.reason) as look:
        found = await queries.by_phone(look.conn, muster(request).vault, data.phone)
        return look.show(found)


@post("/v1/people/{person:uuid}/merge", status_code=204, right="merge")
async def merge_people(request: Ask, person: FromPath[UUID], data: JSONBody[Merge]) -> None:
    """Join two ids after review, both of people one may see."""
    async with reading(request) as conn:
        await queries.check_known(conn, [person, data.into])
        await decide.merge(
            conn,
            muster(request).door,
            one=person,
            into=data.into,
            actor=principal(request).login,
            at=now(),
        )


@post("/v1/people/{person:uuid}/unmerge", status_code=204, right="merge")
async def unmerge_people(request: Ask, person: FromPath[UUID]) -> None:
    """Take a merge back and keep the two apart."""
    async with reading(request) as conn:
        await queries.check_known(conn, [person])
        await decide.unmerge(
            conn, muster(request).door, resident=person, actor=principal(request).login, at=now()
        )


@get("/v1/duplicates", right="duplicates")
async def list_duplicates(
    request: Ask, reason: Why = None, format: Format = "json"
) -> Page | Response[bytes]:
    """People who may be listed twice, likeliest first, for a person to decide."""
    async with looking(request, reason) as look:

        async def all_pairs(_after: str | None, _limit: int) -> Page:
            return Page(await queries.likely_duplicates(look.conn))

        return await look.listing(all_pairs, after=None, limit=1, format=format, name="duplicates")


@get("/v1/units", right="units")
async def list_units(
    request: Ask,
    q: FromQuery[str | None] = None,
    kind: FromQuery[UnitKind | None] = None,
    area: FromQuery[str | None] = None,
    after: After = None,
    limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:
    """Enterprises, schools, hotels and other units: of a beginning of the code or a part of the name, of a
    kind, under an area."""
    async with looking(request) as look:
        top = (await queries.area(look.conn, area))["area"] if area else None
        return await look.listing(
            lambda a, n: queries.units(
                look.conn, q=clean(q or "") or None, kind=kind, area=top, after=a, limit=n
            ),
            after=after, limit=limit, format=format, name="units", personal=False,
        )  # fmt: skip


HANDLERS = [
    list_areas, show_area, search_people, show_person, find_person, find_people, merge_people, unmerge_people,
    list_duplicates, list_units,
]  # fmt: skip
