"""HTTP for one site, laboratory, person or device with what stands around it, the board of devices and
the board of recalls.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody

from muster.core.clock import now
from muster.core.text import clean
from muster.desk import decide, records
from muster.desk.queries import Reach
from muster.guarding import (
    area_within,
    check_lab,
    check_people,
    check_reach,
    principal,
    reading,
    right_of,
)
from muster.showing import looking
from muster.web import Ask, muster


class SiteRound(msgspec.Struct, frozen=True):
    """What a site did in a round: tubes, and swabs (person-times)."""

    round: UUID | None
    name: str | None
    tubes: int
    open_tubes: int
    swabs: int
    first_at: datetime
    last_at: datetime


class SiteBox(msgspec.Struct, frozen=True, kw_only=True):
    """A box packed at a site, who has it, and when a laboratory took it in."""

    box: UUID
    code: str
    kind: str
    tubes: int
    packed_at: datetime
    bound_for: str | None
    with_: str | None = msgspec.field(name="with", default=None)
    received_at: datetime | None


class SiteMoment(msgspec.Struct, frozen=True):
    """A site or one of its lanes began or stopped working."""

    at: datetime
    received_at: datetime
    type: str
    actor: str
    lane: int | None


class SiteSupply(msgspec.Struct, frozen=True):
    """What a site runs short of; `left`: pieces, where counted."""

    item: str
    left: int | None
    at: datetime
    said_by: str


class SitePhoto(msgspec.Struct, frozen=True):
    """A photo of one of the things; `here`: it has arrived, and its time is not over."""

    item: str
    hash: str
    here: bool


class SiteReadiness(msgspec.Struct, frozen=True):
    """The latest check before opening: how many things were looked at, and which were not in order."""

    looked_at: int
    faults: list[str]
    photos: list[SitePhoto]
    at: datetime
    checked_by: str


class SiteRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A site: where, at work or not, what waits there (`waiting`: sealed tubes that no laboratory has),
    its rounds, boxes, hours, what it runs short of and the latest check."""

    site: UUID
    code: str
    name: str
    area: UUID
    area_code: str | None
    area_name: str | None
    lanes: int
    lanes_open: int
    open: bool
    waiting: int
    waiting_since: datetime | None
    rounds: list[SiteRound]
    boxes: list[SiteBox]
    moments: list[SiteMoment]
    supplies: list[SiteSupply]
    readiness: SiteReadiness | None
    as_of: datetime


class LabOpen(msgspec.Struct, frozen=True):
    """Tubes of an open list that want the same next, and since when the oldest is there."""

    next: str
    tubes: int
    oldest_at: datetime | None


class LabReleased(msgspec.Struct, frozen=True):
    """Tubes released with one outcome."""

    outcome: str
    tubes: int
    last_at: datetime


class LabRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A laboratory: its open list by what is next, and what it did `since`. Tubes, not people."""

    id: UUID
    lab: str
    name: str
    kind: str
    capacity_per_hour: int
    wells_since: datetime | None
    area: UUID | None
    area_name: str | None
    open: list[LabOpen]
    released: list[LabReleased]
    boxes: int
    unpacking: int
    plates: int
    runs: int
    blocked_runs: int
    open_cases: int
    waiting_files: int
    since: datetime
    as_of: datetime


class StoryMoment(msgspec.Struct, frozen=True):
    """Something that happened to a person: an event's type, or swabbed, swabbed_open, resulted,
    recall_ordered, recall_closed, recall_contact; `detail`: which state, reason, outcome."""

    at: datetime
    kind: str
    by: str | None
    device: str | None
    tube: UUID | None
    barcode: str | None
    site_name: str | None
    detail: str | None
    place: str | None
    room: str | None


class DeviceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A device: where it works, who holds it, when it was heard of, what it said it still keeps, and how
    many of its numbers have not come. `rank`: 0 keeps or lacks something, 1 quiet, 2 well, 3 revoked."""

    device: UUID
    code: str
    kind: str
    enrolled_at: datetime
    revoked_at: datetime | None
    seen_at: datetime | None
    unsent: int | None
    unsent_at: datetime | None
    holder: str | None
    holder_name: str | None
    holder_phone: str | None
    holder_since: datetime | None
    site: UUID | None
    site_code: str | None
    site_name: str | None
    area_name: str | None
    lab: str | None
    missing: int
    last_number: int | None
    held: int
    quiet: bool
    rank: int


class Board(msgspec.Struct, frozen=True):
    """The devices of some places, those in trouble first."""

    as_of: datetime
    quiet_minutes: int
    devices: list[DeviceRow]


class Gap(msgspec.Struct, frozen=True):
    """Numbers that a device has used and that have not come."""

    first_missing: int
    last_missing: int
    received_at: datetime


class DeviceWork(msgspec.Struct, frozen=True):
    """How many of its latest thousand events are of a type."""

    type: str
    events: int
    last_at: datetime
    last_received_at: datetime


class DevicePlace(msgspec.Struct, frozen=True):
    """Where a device worked, from when until when."""

    since: datetime
    until: datetime | None
    site_code: str | None
    site_name: str | None
    area_name: str | None
    lab: str | None


class DeviceHolder(msgspec.Struct, frozen=True):
    """Who has or had a PIN on a device."""

    login: str
    name: str | None
    phone: str | None
    since: datetime
    until: datetime | None


class DeviceRecord(DeviceRow, frozen=True, kw_only=True):
    """A device with its gaps, its latest work, places and holders."""

    gaps: list[Gap]
    work: list[DeviceWork]
    bindings: list[DevicePlace]
    holders: list[DeviceHolder]


class RecalledTube(msgspec.Struct, frozen=True):
    """A tube with open recalls: how many members are how far (persons), and until when."""

    tube: UUID
    barcode: str
    sealed_at: datetime | None
    site: UUID | None
    site_name: str | None
    round_name: str | None
    outcome: str | None
    ordered_at: datetime
    due_at: datetime
    fell_due: bool
    members: int
    ordered: int
    not_found: int
    reached: int
    swabbed: int
    closed: int


class RecallBoard(msgspec.Struct, frozen=True):
    """Tubes with open recalls, what is due first."""

    as_of: datetime
    tubes: list[RecalledTube]


class Contact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a recalled person was told to come, or that they could not be found."""

    how: Literal["phone", "door", "found_elsewhere", "not_found"]


def place_reach(request: Ask) -> Reach:
    """The places of which the caller may be shown devices."""
    scope = principal(request).scope(right_of(request.route_handler))
    return Reach(
        everywhere=scope.figures or scope.system or scope.everyone, sites=scope.sites,
        areas=scope.figure_areas | scope.people_areas,
    )  # fmt: skip


@get("/v1/sites/{site:str}", right="sites")
async def show_site(request: Ask, site: FromPath[str]) -> SiteRecord:
    """A site of one's areas by code or id: what waits there, its rounds, boxes and hours."""
    async with reading(request) as conn, muster(request).pool.connection() as own:
        found = await records.site(conn, site)
        await check_reach(request, conn, [found["area"]])
        whole = await records.around_site(own, found)
    return msgspec.convert({**whole, "as_of": now()}, SiteRecord)


@get("/v1/labs/{lab:str}", right="samples")
async def show_lab(request: Ask, lab: FromPath[str]) -> LabRecord:
    """A laboratory: its open list by what is next, and what it did in the last 24 hours."""
    check_lab(request, lab)
    async with muster(request).pool.connection() as own:
        return msgspec.convert(await records.lab(own, lab, at=now()), LabRecord)


@get("/v1/people/{person:uuid}/story", right="results")
async def show_story(request: Ask, person: FromPath[UUID]) -> list[StoryMoment]:
    """All that happened to a person, newest first: what was said of them, swabs, results, recalls."""
    async with looking(request) as look, muster(request).pool.connection() as own:
        await check_people(look.conn, [person])
        look.people.add(person)
        return msgspec.convert(await records.story(own, person), list[StoryMoment])


@get("/v1/devices/board", right="device_board")
async def show_board(
    request: Ask, q: FromQuery[str | None] = None, site: FromQuery[str | None] = None,
    area: FromQuery[str | None] = None,
) -> Board:  # fmt: skip
    """The devices of one's places, those in trouble first: who holds each, when it was heard of, what it
    still keeps. Of a tube without members the first question is: what do its site's devices keep?"""
    at = now()
    async with reading(request) as conn:
        where = (await records.site(conn, site))["site"] if site else None
        top = (await area_within(request, conn, area))["area"] if area else None
    async with muster(request).pool.connection() as own:
        found = await records.board(
            own,
            muster(request).vault,
            place_reach(request),
            at=at,
            site=where,
            area=top,
            code=clean(q or "") or None,
        )
    return Board(at, records.DEVICE_QUIET_MINUTES, msgspec.convert(found, list[DeviceRow]))


@get("/v1/devices/{device:str}", right="device_board")
async def show_device(request: Ask, device: FromPath[str]) -> DeviceRecord:
    """A device of one's places: the numbers that have not come, its latest work, places, holders."""
    async with muster(request).pool.connection() as own:
        found = await records.device(
            own, muster(request).vault, place_reach(request), device, at=now()
        )
    return msgspec.convert(found, DeviceRecord)


@get("/v1/recalls/tubes", right="recalls")
async def show_recalls(request: Ask) -> RecallBoard:
    """Tubes with open recalls, what is due first, as far as one may see their members."""
    async with reading(request) as conn:
        found = await records.recalled(conn)
    return RecallBoard(now(), msgspec.convert(found, list[RecalledTube]))


@post("/v1/recalls/{recall:uuid}/contact", status_code=204, right="decide_recalls")
async def note_contact(request: Ask, recall: FromPath[UUID], data: JSONBody[Contact]) -> None:
    """Note that a recalled person was told to come, or could not be found. Said again, the latest counts
    and being reached beats not being found."""
    async with reading(request) as conn:
        found = await records.recall(conn, recall)
        await check_people(conn, [found["recorded"]])
    await decide.note_contact(
        muster(request).door, tube=found["tube"], person=found["recorded"], recall=recall,
        how=data.how, actor=principal(request).login, at=now(),
    )  # fmt: skip


HANDLERS: list[Any] = [
    show_site, show_lab, show_story, show_board, show_device, show_recalls, note_contact,
]  # fmt: skip
