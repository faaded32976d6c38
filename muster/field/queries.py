"""Questions of a phone about its place: what it needs to work without a network. Reads only."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
import psycopg

from muster.config import (
    BOX_WINDOW_HOURS,
    DEFAULT_TUBE_SIZE,
    PAGE_LIMIT,
    SLICE_AREAS_LIMIT,
    SLICE_COUNT_LIMIT,
)
from muster.core.rows import row, rows

_HERE = "muster.field"
_EVERY_AREA = 2**31 - 1  # more than there are
_BASIS_BYTES = 8
Conn = psycopg.AsyncConnection[Any]
WorkPlaceKind = Literal["site", "area", "lab"]
COLUMNS = (
    "id", "name", "pinyin", "initials", "building", "room", "birth_year", "sex", "state", "phone_tail",
    "number_hash", "swabbed_at", "stance", "recall", "visit", "visited_at", "again_at",
    "asked_home",
)  # fmt: skip
AreaRow = tuple[UUID, UUID | None, str, str, str, int | None, bool | None]
PersonRow = tuple[
    UUID, str | None, str | None, str | None, int | None, str | None, int | None, str | None, str,
    str | None, str | None, int | None, str | None, UUID | None, str | None, int | None, int | None,
    str | None,
]  # fmt: skip


class WorkPlace(msgspec.Struct, frozen=True):
    """Where a device works: `id` of a site or area; of a laboratory the code only. All none: everywhere."""

    kind: WorkPlaceKind | None = None
    id: UUID | None = None
    code: str | None = None
    name: str | None = None


class Ground(msgspec.Struct, frozen=True):
    """The areas a place holds, `lo` to `hi` in the order of the walk, and those it lies under. A laboratory
    holds none."""

    lo: int = 1
    hi: int = 0
    line: tuple[UUID, ...] = ()

    @property
    def held(self) -> bool:
        return self.hi >= self.lo


class OpenRound(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    starts_at: datetime
    ends_at: datetime


class TubeRule(msgspec.Struct, frozen=True):
    """How many swabs go into a tube; with `household`, of one household only."""

    size: int
    household: bool


class WorkSite(msgspec.Struct, frozen=True):
    id: UUID
    code: str
    name: str
    area: UUID
    lanes: int
    open: bool


class WorkLab(msgspec.Struct, frozen=True):
    lab: str
    name: str


class LabelFormat(msgspec.Struct, frozen=True):
    """What a supplier's labels look like: `#` a digit, `@` a letter, `*` either."""

    kind: str
    supplier: str
    pattern: str
    check: str
    capacity: int | None


class LabelRange(msgspec.Struct, frozen=True):
    """Labels a site was given, both ends included; another site's are foreign there."""

    kind: str
    first: str
    last: str
    site: UUID


class CarriedBox(msgspec.Struct, frozen=True, kw_only=True):
    """A box or bag on its way: what it holds, and with whom it was last (`site:…`, `vehicle:…`, `lab:…`)."""

    id: UUID
    code: str
    kind: str
    bound_for: str | None
    site: UUID | None
    packed_at: datetime
    with_: str | None = msgspec.field(name="with")
    tubes: list[str]
    bags: list[UUID]


class OpenRecall(msgspec.Struct, frozen=True):
    """Somebody to be swabbed again, singly, and how far that has come."""

    id: UUID
    tube: UUID
    barcode: str | None
    person: UUID
    ordered_at: datetime
    stage: str


class Way(msgspec.Struct, frozen=True):
    """An area whose missing the holder is to go to."""

    task: UUID
    area: UUID
    round: UUID
    due_at: datetime
    state: str


class CalledBuilding(msgspec.Struct, frozen=True):
    """A building that was called down to be swabbed of late, and to which site."""

    building: UUID
    round: UUID
    to_site: UUID | None
    called_at: datetime
    called_by: str


async def head(conn: Conn) -> int:
    """The last number of the ledger."""
    found = await row(conn, _HERE, "head")
    return found["seq"] if found else 0


async def bound(conn: Conn, device: UUID, *, at: datetime) -> dict[str, Any] | None:
    """Where a device works: an area, a site or a laboratory; None where it is bound to nothing."""
    return await row(conn, _HERE, "bound", device=device, at=at)


async def sealed_name(own: Conn, account: UUID) -> bytes | None:
    """The name of whoever holds the phone, sealed."""
    found = await row(own, _HERE, "sealed_name", account=account)
    return found["name"] if found else None


async def place(
    conn: Conn, *, area: UUID | None, site: UUID | None, lab: str | None
) -> tuple[WorkPlace, Ground]:
    """The place of a binding or a role."""
    if lab is not None:
        return WorkPlace("lab", None, lab, lab), Ground()
    if area is None and site is None:
        return WorkPlace(), Ground(hi=_EVERY_AREA)
    found = await row(conn, _HERE, "place", area=area, site=site) or {}
    kind: WorkPlaceKind = "site" if site else "area"
    named = WorkPlace(kind, found["id"] or site or area, found["code"], found["name"])
    if found["lo"] is None:  # listed just now: the tree is numbered in a moment
        return named, Ground()
    return named, Ground(found["lo"], found["hi"], tuple(found["line"]))


async def areas(conn: Conn, ground: Ground) -> list[AreaRow]:
    """The areas above and under a place, in the order of the walk; without the buildings, or none at all,
    where they are too many to carry."""
    if not ground.held:
        return []
    for buildings in (True, False):
        found = await rows(
            conn, _HERE, "areas", lo=ground.lo, hi=ground.hi, line=list(ground.line),
            buildings=buildings, limit=SLICE_AREAS_LIMIT + 1,
        )  # fmt: skip
        if len(found) <= SLICE_AREAS_LIMIT:
            return [tuple(one.values()) for one in found]  # type: ignore[misc]
    return []


async def rounds(conn: Conn, place: WorkPlace, ground: Ground) -> list[OpenRound]:
    """The rounds that are open there."""
    line = list(ground.line) if place.kind in ("site", "area") else None
    found = await rows(
        conn, _HERE, "rounds", line=line, lo=ground.lo, hi=ground.hi, limit=PAGE_LIMIT
    )
    return [OpenRound(*one.values()) for one in found]


async def policies(conn: Conn, ground: Ground, *, at: datetime) -> tuple[TubeRule, dict[str, int]]:
    """How a tube is filled there, and every other number that was adopted."""
    found = {
        one["name"]: one
        for one in await rows(conn, _HERE, "policies", line=list(ground.line), at=at)
    }
    size = found.pop("tube_size", {"value": DEFAULT_TUBE_SIZE, "household": False})
    rule = TubeRule(size["value"], size["household"])
    return rule, {name: one["value"] for name, one in found.items()}


async def sites(
    conn: Conn, place: WorkPlace, ground: Ground, also: Sequence[UUID]
) -> list[WorkSite]:
    """The sites of a place, and those named besides."""
    found = await rows(
        conn, _HERE, "sites", kind=place.kind, id=place.id, lo=ground.lo, hi=ground.hi,
        also=list(also), limit=PAGE_LIMIT,
    )  # fmt: skip
    return [WorkSite(*one.values()) for one in found]


async def labs(conn: Conn) -> list[WorkLab]:
    return [WorkLab(*one.values()) for one in await rows(conn, _HERE, "labs", limit=PAGE_LIMIT)]


async def formats(conn: Conn, *, at: datetime) -> list[LabelFormat]:
    """The barcode formats in use."""
    found = await rows(conn, _HERE, "formats", at=at, limit=PAGE_LIMIT)
    return [LabelFormat(*one.values()) for one in found]


async def labels(conn: Conn, sites: Sequence[UUID]) -> list[LabelRange]:
    """The ranges of labels that these sites have."""
    found = await rows(conn, _HERE, "labels", sites=list(sites), limit=PAGE_LIMIT)
    return [LabelRange(*one.values()) for one in found]


async def boxes(conn: Conn, place: WorkPlace, ground: Ground, *, at: datetime) -> list[CarriedBox]:
    """What was packed of late and no laboratory has taken in."""
    found = await rows(
        conn, _HERE, "boxes", kind=place.kind, id=place.id, lab=place.code, lo=ground.lo,
        hi=ground.hi, since=at - timedelta(hours=BOX_WINDOW_HOURS), limit=PAGE_LIMIT,
    )  # fmt: skip
    return [CarriedBox(id=one.pop("box"), with_=one.pop("with"), **one) for one in found]


async def bags(own: Conn, listed: Sequence[CarriedBox]) -> list[CarriedBox]:
    """The bags in boxes that may be seen, where they are not listed themselves."""
    known = {one.id for one in listed}
    inside = sorted({bag for one in listed for bag in one.bags} - known)
    found = await rows(own, _HERE, "bags", bags=inside, limit=PAGE_LIMIT) if inside else []
    return [CarriedBox(id=one.pop("box"), with_=one.pop("with"), **one) for one in found]


async def recalls(conn: Conn, ground: Ground, sites: Sequence[UUID]) -> list[OpenRecall]:
    """Who of a place is to be swabbed again."""
    found = await rows(
        conn, _HERE, "recalls", lo=ground.lo, hi=ground.hi, sites=list(sites), limit=PAGE_LIMIT
    )
    return [OpenRecall(*one.values()) for one in found]


async def ways(conn: Conn, login: str) -> list[Way]:
    """The areas somebody is to go through from door to door."""
    found = await rows(conn, _HERE, "ways", login=login, limit=PAGE_LIMIT)
    return [Way(*one.values()) for one in found]


async def calls(
    conn: Conn, ground: Ground, rounds: Sequence[UUID], sites: Sequence[UUID]
) -> list[CalledBuilding]:
    """The buildings that were called down in these rounds: those of a place and those sent to its sites."""
    found = await rows(
        conn, _HERE, "calls", lo=ground.lo, hi=ground.hi, rounds=list(rounds), sites=list(sites),
        limit=PAGE_LIMIT,
    )  # fmt: skip
    return [CalledBuilding(*one.values()) for one in found]


async def count(conn: Conn, ground: Ground) -> int:
    """How many live at a place; SLICE_COUNT_LIMIT stands for that many or more."""
    found = await row(conn, _HERE, "count", lo=ground.lo, hi=ground.hi, limit=SLICE_COUNT_LIMIT)
    return found["people"] if found else 0


async def people(
    conn: Conn, ground: Ground, rounds: Sequence[UUID], *, recalls: bool, homes: bool,
    only: Sequence[UUID] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Who lives at a place, or some of them, with phone and number sealed."""
    return await rows(
        conn, _HERE, "people", lo=ground.lo, hi=ground.hi, rounds=list(rounds), recalls=recalls, homes=homes,
        only=None if only is None else list(only),
    )  # fmt: skip


async def touched(own: Conn, ground: Ground, *, since: int, seq: int) -> list[UUID]:
    """Of whom of a place something was recorded in the ledger after `since`, up to `seq`."""
    found = await rows(own, _HERE, "touched", lo=ground.lo, hi=ground.hi, since=since, seq=seq)
    return [one["person"] for one in found]


async def erased_since(own: Conn, since: int) -> bool:
    found = await row(own, _HERE, "erased_since", since=since)
    return bool(found and found["any"])


async def basis(own: Conn, made_of: Sequence[Any]) -> str:
    """A name for what a slice is made of but what was recorded: the same name, and what a phone has can be
    brought up to date; another one, and it cannot."""
    found = await row(own, _HERE, "began") or {}
    content = msgspec.json.encode([*found.values(), *made_of])
    return hashlib.sha256(content).digest()[:_BASIS_BYTES].hex()
