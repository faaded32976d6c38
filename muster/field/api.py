"""HTTP for phones in the field: the slice of their place (decision 24)."""

import asyncio
import zlib
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import FromQuery, QueryParameter

from muster.access.engine.scope import Principal
from muster.config import SLICE_BEHIND_EVENTS, SLICE_HASH_BYTES, SLICE_PEOPLE_LIMIT
from muster.core.clock import now
from muster.core.problems import Problem
from muster.field import queries
from muster.field.queries import COLUMNS, AreaRow, Conn, Ground, PersonRow, WorkPlace
from muster.guarding import area_within, principal, reading
from muster.readers import settings
from muster.registry.vault import Vault
from muster.showing import record
from muster.web import Ask, hung_up, muster

Has = tuple[int | None, str | None]  # the `seq` and `basis` of what the phone has
Sealed = list[dict[str, Any]] | None  # rows of people as the vault keeps them


class NotAPhone(Problem):
    """Only an enrolled phone is given the slice of its place. Sign in and look at the console, or ask with
    the token of a device."""

    zh = "只有已注册的设备才能下载其工作地点的数据。请登录控制台查看，或使用设备令牌。"
    status = 403


class Holder(msgspec.Struct, frozen=True):
    """Who holds the phone, with what they may do there."""

    login: str
    name: str | None
    roles: list[str]
    rights: list[str]


class Phone(msgspec.Struct, frozen=True):
    id: UUID
    code: str


class People(msgspec.Struct, frozen=True):
    """A row a person, as `columns` says. `building`: where in `areas`; `number_hash`: the first bytes of
    HMAC-SHA256 over the number's one spelling, under `salt`; `swabbed_at`: epoch seconds."""

    columns: list[str]
    rows: list[PersonRow]


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """What a phone needs of its place to work without a network. `whole`: it takes the place of what the
    phone has; else `people` holds those of whom something was recorded since, `gone` who is no longer of
    the place, and everything else is whole. `seq` and `basis` are said when it is asked for again. `people`
    is none where the holder may see nobody, or where there are `too_many` to carry: ask for one building
    then."""

    as_of: datetime
    seq: int
    basis: str
    whole: bool
    place: WorkPlace
    holder: Holder
    device: Phone
    salt: str
    hash_bytes: int
    rounds: list[queries.OpenRound]
    tube: queries.TubeRule
    policies: dict[str, int]
    sites: list[queries.WorkSite]
    labs: list[queries.WorkLab]
    areas: list[AreaRow]
    people: People | None
    too_many: int | None
    gone: list[UUID]
    formats: list[queries.LabelFormat]
    labels: list[queries.LabelRange]
    boxes: list[queries.CarriedBox]
    recalls: list[queries.OpenRecall]
    ways: list[queries.Way]
    calls: list[queries.CalledBuilding]


Since = Annotated[
    int | None,
    QueryParameter(ge=0, description="the `seq` of the slice that the phone has"),
]

Basis = Annotated[
    str | None,
    QueryParameter(max_length=64, description="its `basis`; another one gives the whole"),
]


@get("/v1/slice", right="slice")
async def show_slice(
    request: Ask,
    since: Since = None,
    basis: Basis = None,
    building: FromQuery[str | None] = None,
) -> Response[Slice]:
    """The slice of the phone's place: whole, or what changed since. `building`: the people of one building
    or grid under it (code or id), where there are too many for one slice."""
    who = principal(request)
    if who.device is None:
        raise NotAPhone()
    async with request.app.state.slices:
        # A phone that waited too long asks anew: it is not to wait for what nobody takes.
        if await hung_up(request):
            nothing: Any = Response(b"", media_type="application/json")
            return nothing
        made, sealed = await _read(request, who, who.device, (since, basis), building)
        packs = "gzip" in request.headers.get("accept-encoding", "")
        body = await asyncio.to_thread(_written, muster(request).vault, made, sealed, packs=packs)
    headers = {"vary": "accept-encoding", "cache-control": "no-store"}
    if packs:
        headers["content-encoding"] = "gzip"
    written: Any = Response(body, media_type="application/json", headers=headers)
    return written


async def _read(
    request: Ask, who: Principal, device: UUID, has: Has, building: str | None
) -> tuple[Slice, Sealed]:
    """The slice but for its people, and theirs. The number of the ledger is read first: what comes
    meanwhile comes again."""
    here, at = muster(request), now()
    async with here.pool.connection() as own:
        seq = await queries.head(own)
        bound = await queries.bound(own, device, at=at) or who.place("slice")
        place, ground = await queries.place(own, **bound)
        sealed_name = await queries.sealed_name(own, who.account) if who.account else None
    part = await _part(request, building) if building is not None else ground
    async with reading(request) as conn:
        tube, policies = await queries.policies(conn, ground, at=at)
        boxes = await queries.boxes(conn, place, ground, at=at) if who.may("boxes") else []
        async with here.pool.connection() as own:
            boxes += await queries.bags(own, boxes)
        sites = await queries.sites(conn, place, ground, [one.site for one in boxes if one.site])
        mine = [one.id for one in sites if place.kind == "area" or one.id == place.id]
        rounds = await queries.rounds(conn, place, ground)
        made = Slice(
            as_of=at, seq=seq, basis="", whole=True, place=place, device=Phone(device, who.device_code),
            holder=Holder(
                who.login, here.vault.open(sealed_name).decode() if sealed_name else None,
                sorted(who.roles), sorted(who.rights),
            ),
            salt=here.vault.hash("slice", str(device)).hex(), hash_bytes=SLICE_HASH_BYTES,
            rounds=rounds, tube=tube, policies=policies,
            sites=sites, labs=await queries.labs(conn), areas=await queries.areas(conn, part),
            people=None, too_many=None, gone=[], formats=await queries.formats(conn, at=at),
            labels=await queries.labels(conn, mine), boxes=boxes,
            recalls=await queries.recalls(conn, ground, mine) if who.may("recalls") else [],
            ways=await queries.ways(conn, who.login),
            calls=await queries.calls(conn, ground, [one.id for one in rounds], mine),
        )  # fmt: skip
    if not part.held or not (who.may("people") or who.may("missing")):
        return made, None
    return await _with_people(request, who, made, part, None if building is not None else has)


async def _with_people(
    request: Ask, who: Principal, made: Slice, ground: Ground, has: Has | None
) -> tuple[Slice, Sealed]:
    """Adds who lives there, as rows with phones and numbers sealed; records that they were shown. Of a part
    (`has` is None) nothing is brought up to date."""
    async with muster(request).pool.connection() as own:
        many = await queries.count(own, ground)
        fits = many <= SLICE_PEOPLE_LIMIT
        only = None
        if has is not None:
            basis = await queries.basis(own, [
                COLUMNS, made.place, made.salt, made.areas, [one.id for one in made.rounds], fits,
                who.may("recalls"), who.may("missing"),
                settings(replace(who.scope("slice"), login="", device="")),
            ])  # fmt: skip
            made = msgspec.structs.replace(made, basis=basis)
            if fits and has[0] is not None and has[1] == basis:
                only = await _touched(own, ground, since=has[0], seq=made.seq)
    if not fits:
        return msgspec.structs.replace(made, too_many=many), None
    async with reading(request) as conn:
        rows = await queries.people(
            conn, ground, [one.id for one in made.rounds], recalls=who.may("recalls"),
            homes=who.may("missing"), only=only,
        )  # fmt: skip
        seen = {one["resident"] for one in rows}
        await record(conn, request, seen, why="", masked=False)
    if only is not None:
        gone = sorted(set(only) - seen)
        made = msgspec.structs.replace(made, whole=False, gone=gone)
    return made, rows


async def _touched(own: Conn, ground: Ground, *, since: int, seq: int) -> list[UUID] | None:
    """Of whom something was recorded since; None where too much was for it to be worth while, or where
    it cannot be known."""
    if not 0 <= seq - since <= SLICE_BEHIND_EVENTS or await queries.erased_since(own, since):
        return None
    return await queries.touched(own, ground, since=since, seq=seq)


async def _part(request: Ask, building: str) -> Ground:
    """A building or another area within the holder's own. Raises AreaUnknown, OutsideYourArea."""
    async with reading(request) as conn:
        found = await area_within(request, conn, building)
        return (await queries.place(conn, area=found["area"], site=None, lab=None))[1]


def _written(vault: Vault, made: Slice, sealed: Sealed, *, packs: bool) -> bytes:
    """The answer's bytes: phones are opened for their tails, numbers only to be hashed."""
    if sealed is not None:
        salt = bytes.fromhex(made.salt)
        where = {area[0]: number for number, area in enumerate(made.areas)}
        rows = [_row(vault, salt, where, one) for one in sealed]
        made = msgspec.structs.replace(made, people=People(list(COLUMNS), rows))
    plain = msgspec.json.encode(made)
    if not packs:
        return plain
    packer = zlib.compressobj(level=6, wbits=31)
    return packer.compress(plain) + packer.flush()


def _row(vault: Vault, salt: bytes, where: dict[UUID, int], one: dict[str, Any]) -> PersonRow:
    phone, number = one["phone"], one["number"]
    return (
        one["resident"], one["name"], one["pinyin"], one["initials"], where.get(one["building"]),
        one["room"], one["birth_year"], one["sex"], one["state"],
        vault.open(phone).decode()[-4:] if phone else None,
        vault.number_tag(number, salt)[:SLICE_HASH_BYTES].hex() if number else None,
        one["swabbed_at"], one["stance"], one["recall"], one["visit"], one["visited_at"],
        one["again_at"], one["asked_home"],
    )  # fmt: skip


HANDLERS = [show_slice]
