"""A district's lanes: all ask for their lists in the same second, as a shift begins; then all come back in
the same second after two hours without a network (rows C6 and D of the requirements: 665 lanes, nothing lost,
nothing doubled).

Seven lanes a site, each with a phone of its own. A lane swabs 150 people an hour: 1,800 a day (facts of the
field, the townships' scheme) in twelve hours; a lane with one sampler is reckoned at 60. That makes thirty
tubes of ten in two hours, and one record a tube.
"""

import asyncio
import gzip
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from muster.access.decide import Grant
from muster.access.devices import Where
from muster.catalogue import CATALOGUE
from muster.core.clock import now
from muster.core.ids import uuid7
from muster.exercise.bench.figures import Figure, Report, percentile
from muster.exercise.bench.homes import HOST, Homes, MeasurementFailed, Server
from muster.exercise.bench.tubes import TUBE, followed, listed, open_round, parts
from muster.exercise.crew import LONG_AGO, Crew
from muster.exercise.device import Device, Item
from muster.exercise.lane import Lane, LaneStuck
from muster.exercise.wire import Wire, WireError
from muster.instance import Instance, open_instance
from muster.keeping.follower import catch_up
from muster.ledger.event import Event
from muster.sampling.events import SiteListed

SITE_LANES, HOURS, PER_HOUR = 7, 2, 150
TUBES = HOURS * PER_HOUR // TUBE
LOST = 0.1  # of answers: ours; lines that come back do so by fits and starts
LANE_S = 60
SLICE_S = 120  # a phone waits so long for its lists (CALL_MS in web/src/ledger/slice.ts)
AGAIN_S = 60  # it asks again within so long (web/src/field/ledger.ts)
ASKED_MOST = 10  # we do not ask for ever
ENLISTED_AT_ONCE = 8

# The communities with the most people: where sites stand, and who is swabbed there.
_COMMUNITIES = """
SELECT c.area FROM registry.area c
JOIN registry.area g ON g.parent = c.area
JOIN registry.area b ON b.parent = g.area
JOIN registry.resident r ON r.building = b.area
WHERE c.level = 'community' GROUP BY c.area, c.code ORDER BY count(*) DESC, c.code LIMIT %s
"""
_SEALED = """
SELECT e.id::text, e.device, e.device_seq FROM ledger.event e WHERE e.type = 'TubeSealed'
"""
_SHOWN = """
SELECT (SELECT count(*) FROM sampling.tube), (SELECT count(*) FROM sampling.specimen),
    (SELECT count(*) FROM ledger.inbox)
"""


@dataclass(frozen=True)
class _Phone:
    device: Device
    site: UUID
    lane: int


async def measure_lanes(homes: Homes, report: Report) -> None:
    """Everything on one home with people; a site's lists are those of its community."""
    home, files = homes.fresh("lanes"), await homes.files(report.sizes.door_people)
    async with home.database() as url:
        await homes.areas(home, files)
        await home.run("import", "residents", files / "residents.csv")
        people = await listed(home)
        async with open_instance(home.settings) as instance:
            phones = await _enlist(instance, report.sizes.lanes)
            async with instance.pool.connection() as conn:
                await catch_up(conn, CATALOGUE)  # a server rests in between: minutes
        async with home.serve() as server:
            round = await open_round(server, "lanes")
            await _measure_slices(server, phones, report)
            lanes = _two_hours(server, phones, people, round)
            await _measure_return(lanes, url, report)
            await followed(home)
            await _all_shown(url, lanes)
    await homes.drop(home)


async def _enlist(muster: Instance, lanes: int) -> list[_Phone]:
    """Sites with seven lanes, and at each lane a sampler with a phone."""
    crew, some = Crew(muster), asyncio.Semaphore(ENLISTED_AT_ONCE)
    sites = await _sites(muster, -(-lanes // SITE_LANES))

    async def enlist(number: int) -> _Phone:
        site, lane = sites[number // SITE_LANES], number % SITE_LANES + 1
        login, code = f"lane-{number}", f"lane-{number}-phone"
        async with some:
            await crew.staff(login, Grant("sampler", site=site))
            token = await crew.device(code, holder=login, where=Where(site=site))
        return _Phone(Device(code, login, token, str(site)), site, lane)

    return await asyncio.gather(*(enlist(number) for number in range(lanes)))


async def _sites(muster: Instance, many: int) -> list[UUID]:
    async with muster.pool.connection() as conn:
        found = await (await conn.execute(_COMMUNITIES.encode(), [many])).fetchall()
    areas = [row[0] for row in found]
    if len(areas) < many:
        raise MeasurementFailed(what="the lanes", reason=f"have {len(areas)} communities only")
    sites = [uuid7() for _ in areas]
    await muster.door.append([
        Event(uuid7(), "SiteListed", site, LONG_AGO, LONG_AGO, LONG_AGO, "bench",
              SiteListed(code=f"S{number}", name=f"S{number}", area=area, lanes=SITE_LANES))
        for number, (site, area) in enumerate(zip(sites, areas, strict=True))
    ])  # fmt: skip
    return sites


async def _measure_slices(server: Server, phones: Sequence[_Phone], report: Report) -> None:
    """Every phone asks for its lists at once; how long until the last one has them."""
    first = phones[::SITE_LANES]
    alone = [await _slice(server, one, Random(1)) for one in first[:SITE_LANES]]
    answers = await asyncio.gather(
        *(_slice(server, one, Random(n)) for n, one in enumerate(phones))
    )
    took = [one.seconds for one in answers]
    people = [_people(one.body) for one in answers[::SITE_LANES]]
    if not all(people):
        raise MeasurementFailed(what="a slice", reason="lists nobody")
    report.add(
        Figure(
            "lanes_slice_last_s", max(took), "s", "lanes", most=SLICE_S,
            reference=f"{len(phones)} lanes of {len(first)} sites at once, median"
            f" {percentile(took, 0.5):.1f} s; {sum(one.again for one in answers)} times asked again;"
            f" alone {percentile([one.seconds for one in alone], 0.5):.2f} s;"
            f" {sum(people) / len(people):,.0f} people,"
            f" {sum(len(one.body) for one in answers) / len(answers) / 1000:,.0f} kB each",
        )
    )  # fmt: skip


@dataclass(frozen=True)
class _Lists:
    body: bytes
    seconds: float
    again: int


async def _slice(server: Server, phone: _Phone, random: Random) -> _Lists:
    """As a phone asks: it gives up after a while, and asks again within the next minute."""
    started, again = time.perf_counter(), 0
    while True:
        wire = Wire(HOST, server.port, phone.device.token)
        request = wire.request("GET", "/v1/slice", headers="accept-encoding: gzip\r\n")
        try:
            async with asyncio.timeout(SLICE_S):
                body = await wire.ask(request)
        except (TimeoutError, WireError):
            await wire.close()
            again += 1
            if again > ASKED_MOST:
                raise MeasurementFailed(what="a slice", reason=f"never came: {again}") from None
            await asyncio.sleep(random.random() * AGAIN_S)
        else:
            await wire.close()
            return _Lists(body, time.perf_counter() - started, again)


def _people(body: bytes) -> int:
    people = msgspec.json.decode(gzip.decompress(body))["people"]
    return len(people["rows"]) if people else 0


def _two_hours(
    server: Server, phones: Sequence[_Phone], people: Sequence[str], round: str
) -> list[Lane]:
    """Everybody once, in tubes of ten, spread over the two hours that end now."""
    began, tubes = now() - timedelta(hours=HOURS), parts(people, TUBE)
    if len(tubes) < len(phones) * TUBES:
        raise MeasurementFailed(what="the lanes", reason=f"have {len(tubes)} tubes to fill only")
    lanes = []
    for number, phone in enumerate(phones):
        lane = Lane(phone.device.name, Wire(HOST, server.port, phone.device.token),
                    Random(number), lost=LOST)  # fmt: skip
        for turn, members in enumerate(tubes[number * TUBES : (number + 1) * TUBES], 1):
            at = began + turn * timedelta(hours=HOURS) / (TUBES + 1)
            body: Item = {
                "barcode": f"LN{number:04}{turn:04}", "purpose": "round", "capacity": TUBE,
                "round": round, "site": str(phone.site), "lane": phone.lane,
                "members": [{"person": one, "position": n} for n, one in enumerate(members, 1)],
            }  # fmt: skip
            lane.record(phone.device.event("TubeSealed", uuid7(), at, body))
        lanes.append(lane)
    return lanes


async def _measure_return(lanes: Sequence[Lane], url: str, report: Report) -> None:
    """All queues in the same second; then the ledger is counted."""
    made = {(id_, lane.code, seq) for lane in lanes for seq, (id_, _) in enumerate(lane.queue, 1)}
    started = time.perf_counter()

    async def send(lane: Lane) -> float:
        await lane.drain()
        return time.perf_counter() - started

    try:
        took = await asyncio.gather(*(send(lane) for lane in lanes))
    except LaneStuck as error:
        raise MeasurementFailed(what="a lane", reason=str(error)) from error
    rows = await _rows(url, _SEALED)
    if len(rows) != len(made) or set(rows) != made:
        lost = len(made - set(rows))
        raise MeasurementFailed(
            what="the ledger",
            reason=f"holds {len(rows)} of {len(made)} records, {lost} are missing",
        )
    swallowed, put_off, known = (
        sum(getattr(lane, name) for lane in lanes) for name in ("swallowed", "put_off", "known")
    )
    if not swallowed or not known:
        raise MeasurementFailed(what="the lanes", reason="lost no answer")
    report.add(
        Figure("lanes_p50_s", percentile(took, 0.5), "s", "lanes"),
        Figure("lanes_p95_s", percentile(took, 0.95), "s", "lanes"),
        Figure(
            "lanes_slowest_s", max(took), "s", "lanes", most=LANE_S,
            reference=f"{len(lanes)} lanes with {TUBES} tubes each; {swallowed} answers lost,"
            f" {put_off} pauses, {known:,} records sent again",
        ),
        Figure(
            "lanes_records_per_s", len(made) / max(took), "records/s", "lanes",
            reference=f"{len(made) * TUBE / max(took):,.0f} persons/s; {len(made):,} records made,"
            f" each once in the ledger",
        ),
    )  # fmt: skip


async def _all_shown(url: str, lanes: Sequence[Lane]) -> None:
    """What pages show is what was recorded, and nothing waits for a person's word."""
    tubes = sum(lane.stored + lane.known for lane in lanes)
    (shown,) = await _rows(url, _SHOWN)
    if shown != (tubes, tubes * TUBE, 0):
        raise MeasurementFailed(what="the lanes' tubes", reason=f"are {shown}, not {tubes}")


async def _rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    async with await psycopg.AsyncConnection.connect(url) as conn:
        return await (await conn.execute(sql.encode())).fetchall()
