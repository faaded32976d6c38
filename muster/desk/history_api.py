"""HTTP for reference data: who changed what when, change it, take a change back."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
import psycopg
from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.core.clock import now
from muster.core.rows import row, rows
from muster.desk import decide, records
from muster.desk.engine.changes import Changed, Field, Said, changes
from muster.guarding import area_within, check_people, check_reach, principal, reading
from muster.registry.events import GridKind, PolicyName, UnitKind, UnitListed
from muster.sampling.events import SiteListed
from muster.showing import looking
from muster.web import Ask, Code, Label, muster

_HERE = "muster.desk"
Lanes = Annotated[int, Meta(ge=0, le=100)]
People = Annotated[int, Meta(ge=0, le=2_000_000_000)]


class AreaChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an area is from now on; what is left out stays."""

    name: Label | None = None
    kind: GridKind | None = None
    floors: Annotated[int, Meta(ge=1, le=200)] | None = None
    lift: bool | None = None


class Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many people an area holds, by whom and of which day."""

    people: People
    source: Label
    on: date


class SiteChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A site as it is from now on: a new code is a new site. `new`: it must not be there yet."""

    code: Code
    name: Label
    area: str
    lanes: Lanes = 1
    new: bool = False


class UnitChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A unit as it is from now on: a new code is a new unit. `new`: it must not be there yet."""

    code: Code
    name: Label
    kind: UnitKind
    area: str
    headcount: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    new: bool = False


class Listed(msgspec.Struct, frozen=True):
    """The id of what was listed."""

    id: UUID


@get("/v1/history/{subject:uuid}", right="areas")
async def show_history(request: Ask, subject: FromPath[UUID]) -> list[Changed]:
    """Who changed what, when, of an area, site, unit, laboratory, round, policy, barcode format or
    addressee, newest first."""
    async with reading(request) as seen, muster(request).pool.connection() as own:
        found = await rows(own, _HERE, "history.sql:of_subject", subject=subject)
        return await _named(seen, found)


@get("/v1/history/policies", right="policies")
async def show_policies(request: Ask, name: FromQuery[PolicyName | None] = None) -> list[Changed]:
    """Every edition of the policy numbers, newest first, and who adopted it."""
    async with reading(request) as seen, muster(request).pool.connection() as own:
        return await _named(seen, await rows(own, _HERE, "history.sql:of_policies", name=name))


@get("/v1/people/{person:uuid}/history", right="people")
async def show_person_history(request: Ask, person: FromPath[UUID]) -> list[Changed]:
    """Who changed what is listed of a person, newest first: address, state, merges. Never a name or a
    number: those are not in the ledger."""
    async with looking(request) as look, muster(request).pool.connection() as own:
        await check_people(look.conn, [person])
        look.people.add(person)
        found = await rows(own, _HERE, "history.sql:of_person", person=person)
        return await _named(look.conn, found)


@post("/v1/history/{event:uuid}/undo", right="decide_places")
async def undo_change(request: Ask, event: FromPath[UUID]) -> Listed:
    """Take the latest listing of an area, site, unit or laboratory back: what stood before it is listed
    again. Both stay in the history."""
    async with reading(request) as conn, muster(request).pool.connection() as own:
        found = await row(own, _HERE, "history.sql:event", event=event)
        if found is None:
            raise decide.CannotBeTakenBack(reason="not a listing")
        subject = found["subject"]
        place = await row(own, _HERE, "history.sql:area_of", subject=subject)
        await check_reach(request, conn, [place["area"] if place else None])
        at, actor = now(), principal(request).login
        return Listed(await decide.take_back(own, muster(request).door, event, actor=actor, at=at))


@post("/v1/areas/{area:str}/change", right="decide_policies")
async def change_area(request: Ask, area: FromPath[str], data: JSONBody[AreaChange]) -> Listed:
    """Give an area another name, kind, floors or lift."""
    async with reading(request) as conn:
        found = await area_within(request, conn, area)
    said = {k: v for k, v in msgspec.structs.asdict(data).items() if v is not None}
    door, actor = muster(request).door, principal(request).login
    await decide.list_area(door, found, said, actor=actor, at=now())
    return Listed(found["area"])


@post("/v1/areas/{area:str}/denominators", right="decide_places")
async def declare_people(request: Ask, area: FromPath[str], data: JSONBody[Declared]) -> Listed:
    """Declare how many people an area holds; earlier declarations stay beside it."""
    async with reading(request) as conn:
        found = await area_within(request, conn, area)
    event = await decide.declare(
        muster(request).door, found["area"], people=data.people, source=data.source, on=data.on,
        actor=principal(request).login, at=now(),
    )  # fmt: skip
    return Listed(event)


@post("/v1/sites", right="decide_places")
async def change_site(request: Ask, data: JSONBody[SiteChange]) -> Listed:
    """List a site, or list it anew by its code."""
    async with reading(request) as conn:
        area = (await area_within(request, conn, data.area))["area"]
        try:
            known = await records.site(conn, data.code)
            if data.new:
                raise decide.CodeTaken(code=data.code)
            await check_reach(request, conn, [known["area"]])
        except records.NoSuchSite:
            known = None
    body = SiteListed(code=data.code, name=data.name, area=area, lanes=data.lanes)
    return Listed(
        await decide.list_site(
            muster(request).door, body, site=known["site"] if known else None,
            actor=principal(request).login, at=now(),
        )
    )  # fmt: skip


@post("/v1/units", right="decide_places")
async def change_unit(request: Ask, data: JSONBody[UnitChange]) -> Listed:
    """List a unit, or list it anew by its code."""
    async with reading(request) as conn:
        area = (await area_within(request, conn, data.area))["area"]
        known = await row(conn, _HERE, "history.sql:unit", text=data.code)
        if known:
            if data.new:
                raise decide.CodeTaken(code=data.code)
            await check_reach(request, conn, [known["area"]])
    body = UnitListed(
        code=data.code, name=data.name, kind=data.kind, area=area, headcount=data.headcount
    )
    return Listed(
        await decide.list_unit(
            muster(request).door, body, unit=known["unit"] if known else None,
            actor=principal(request).login, at=now(),
        )
    )  # fmt: skip


async def _named(
    conn: psycopg.AsyncConnection[Any], found: Sequence[dict[str, Any]]
) -> list[Changed]:
    """The changes, with names in place of the ids of areas, sites and rounds."""
    told = changes(msgspec.convert(found, list[Said]))
    ids = {
        one for change in told for f in change.fields for one in (*_ids(f.before), *_ids(f.after))
    }
    names = {
        str(one["id"]): one["name"]
        for one in await rows(conn, _HERE, "history.sql:names", ids=list(ids))
    }
    return [
        msgspec.structs.replace(
            one, fields=[Field(f.name, _put(f.before, names), _put(f.after, names))
                         for f in one.fields],
        )
        for one in told
    ]  # fmt: skip


def _ids(text: str | None) -> list[UUID]:
    found = []
    for part in (text or "").split(", "):
        try:
            found.append(UUID(part))
        except ValueError:
            continue
    return found


def _put(text: str | None, names: dict[str, str]) -> str | None:
    return text and ", ".join(names.get(part, part) for part in text.split(", "))


HANDLERS: list[Any] = [
    show_history, show_policies, show_person_history, undo_change, change_area, declare_people,
    change_site, change_unit,
]  # fmt: skip
