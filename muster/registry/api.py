"""HTTP for areas, people and units."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from muster.core.clock import now
from muster.core.paging import Page
from muster.guarding import area_within, principal, reading
from muster.registry import decide, queries
from muster.web import After, Ask, Format, Limit, listing, muster


class Merge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Make one id count for another."""

    into: UUID


@get("/v1/areas", right="areas")
async def list_areas(
    request: Ask,
    parent: FromQuery[str | None] = None,
    after: After = None,
    limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:
    """The areas right under one (code, id or name), or the roots."""
    async with reading(request) as conn:
        top = (await queries.area(conn, parent))["area"] if parent else None
        return await listing(
            lambda a, n: queries.children(conn, top, after=a, limit=n),
            after=after, limit=limit, format=format, name="areas",
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
    after: After = None,
    limit: Limit = 50,
    format: Format = "json",
) -> Page | Response[bytes]:
    """People under an area by the beginning of a name: characters, pinyin or initials."""
    async with reading(request) as conn:
        top = (await area_within(request, conn, area))["area"]
        return await listing(
            lambda a, n: queries.search(conn, top, name, after=a, limit=n),
            after=after, limit=limit, format=format, name="people",
        )  # fmt: skip


@get("/v1/people/{person:uuid}", right="people")
async def show_person(request: Ask, person: FromPath[UUID]) -> dict[str, Any]:
    """One person, number and phone masked."""
    async with reading(request) as conn:
        return await queries.person(conn, muster(request).vault, person)


@post("/v1/people/{person:uuid}/merge", status_code=204, right="merge")
async def merge_people(request: Ask, person: FromPath[UUID], data: JSONBody[Merge]) -> None:
    """Join two ids after review."""
    async with reading(request) as conn:
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
        await decide.unmerge(
            conn, muster(request).door, resident=person, actor=principal(request).login, at=now()
        )


@get("/v1/duplicates", right="duplicates")
async def list_duplicates(request: Ask, format: Format = "json") -> Page | Response[bytes]:
    """People who may be listed twice, likeliest first, for a person to decide."""

    async def all_pairs(_after: str | None, _limit: int) -> Page:
        async with reading(request) as conn:
            return Page(await queries.likely_duplicates(conn))

    return await listing(all_pairs, after=None, limit=1, format=format, name="duplicates")


@get("/v1/units", right="units")
async def list_units(
    request: Ask, after: After = None, limit: Limit = 100, format: Format = "json"
) -> Page | Response[bytes]:
    """Enterprises, schools, hotels and other units."""
    async with reading(request) as conn:
        return await listing(
            lambda a, n: queries.units(conn, after=a, limit=n),
            after=after, limit=limit, format=format, name="units",
        )  # fmt: skip


HANDLERS = [
    list_areas, show_area, search_people, show_person, merge_people, unmerge_people,
    list_duplicates, list_units,
]  # fmt: skip
