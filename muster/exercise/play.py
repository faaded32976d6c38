"""Plays a round as its devices would: each fetches its community's list, seals tubes of ten as the
queue comes, and uploads late, twice and out of order. It knows the server only through HTTP.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from muster.core.ids import derived
from muster.exercise.device import Device, Item, Tube
from muster.exercise.wire import Wire

TUBE = 10
ABSENT, REFUSING = 0.012, 0.002  # of those asked; invented, so that lists are not empty
LATE, TWICE = 0.05, 0.05  # of uploads


@dataclass(frozen=True)
class Round:
    """What the devices know of the round they work in."""

    id: str
    starts_at: datetime
    ends_at: datetime


@dataclass
class Played:
    """What was played: every tube's barcode and time by id, and those planted positive."""

    tubes: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    positive: list[str] = field(default_factory=list)
    items: int = 0
    uploads: int = 0
    repeated: int = 0
    late: int = 0


# Who is given a phone for a community (code) and a site: its device, ready to be used.
Enlist = Callable[[str, str | None], Awaitable[Device]]


async def play_round(
    desk: Wire, round: Round, communities: list[str], *, enlist: Enlist, seed: int,
    positives: int = 3, on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Played:  # fmt: skip
    """Sample everybody who comes in these communities (codes); at most eight devices at a time. The
    `desk` only asks where the sites are."""
    random, played = Random(seed), Played()
    host, port, sites = desk.host, desk.port, await _sites(desk)
    queue = list(enumerate(communities))
    late: list[tuple[Device, list[Item]]] = []
    done = 0

    async def work() -> None:
        nonlocal done
        while queue:
            number, community = queue.pop(0)
            device = await enlist(community, _nearest(sites, community))
            wire = Wire(host, port, device.token)
            people = await _people(wire, round, community)
            if number == 1:
                device.clock = timedelta(days=3)  # one phone whose date is wrong
            items = list(_community(device, round, people, random, played, number))
            for start in range(0, len(items), 20):
                part = items[start : start + 20]
                if random.random() < LATE:
                    late.append((device, part))
                    continue
                await _send(wire, device, round, part, random, played)
            await wire.close()
            done += 1
            on_progress(done, len(communities))

    await asyncio.gather(*(work() for _ in range(8)))
    for device, part in reversed(late):
        played.late += 1
        wire = Wire(host, port, device.token)
        await _send(wire, device, round, part, random, played)
        await wire.close()
    sealed = sorted(played.tubes)
    played.positive = random.sample(sealed, min(positives, len(sealed)))
    return played


async def _sites(wire: Wire) -> dict[str, str]:
    """The catalogue's sites by code."""
    sites: dict[str, str] = {}
    after = ""
    while True:
        page = await wire.get("/v1/sites", **({"after": after} if after else {}))
        sites |= {one["code"]: one["site"] for one in page["items"]}
        if not (after := page["next"]):
            return sites


def _nearest(sites: dict[str, str], community: str) -> str | None:
    """A site of the community, else of its street, else any: people also go elsewhere."""
    for digits in (12, 9, 0):
        for code, site in sites.items():
            if code.startswith(community[:digits]):
                return site
    return None


async def _people(wire: Wire, round: Round, community: str) -> list[Item]:
    people: list[Item] = []
    after = ""
    while True:
        query = {"area": community, "limit": 1000} | ({"after": after} if after else {})
        page = await wire.get(f"/v1/rounds/{round.id}/missing", **query)
        people += page["items"]
        if not (after := page["next"]):
            return people


def _community(
    device: Device, round: Round, people: list[Item], random: Random, played: Played, number: int
) -> Iterator[Item]:
    present: list[str] = []
    for person in people:
        chance = random.random()
        if chance < REFUSING:
            yield device.event(
                "RefusalRecorded", UUID(person["resident"]), round.starts_at, {"round": round.id}
            )
        elif chance > REFUSING + ABSENT:
            present.append(person["resident"])
    groups = [present[at : at + TUBE] for at in range(0, len(present), TUBE)]
    if number == 2 and len(groups) > 2:  # what goes wrong in every round, once each
        groups[0] = groups[0] + groups[1][:1]  # an eleventh member, who is then in two tubes
        groups.append([])  # a tube sealed empty
    hours = (round.ends_at - round.starts_at) * 0.5
    for n, members in enumerate(groups):
        at = round.starts_at + hours * ((n + random.random()) / (len(groups) + 1))
        tube = derived("tube", round.id, device.name, n)
        barcode = f"ZF{tube.int % 10**10:010d}"
        if number in (3, 4) and n == 0:
            barcode = f"ZF{round.id[-8:].upper()}"  # one supplier's code, at two sites
        played.tubes[str(tube)] = (barcode, at)
        yield device.event(
            "TubeSealed", tube, at,
            {
                "barcode": barcode, "purpose": "round", "capacity": TUBE, "round": round.id,
                "site": device.site, "lane": 1,
                "members": [{"person": p, "position": i + 1} for i, p in enumerate(members)],
            },
        )  # fmt: skip
    if number == 0:
        yield from _walk_in(device, round, played)


def _walk_in(device: Device, round: Round, played: Played) -> Iterator[Item]:
    """Somebody who is on no list: the phone mints the id, the identity travels beside the event."""
    person = derived("walk-in", round.id)
    listed = device.event("ResidentListed", person, round.starts_at, {"source": "walk_in"})
    yield {**listed, "identity": {"name": "过路人", "kind": "passport", "number": "E00000000"}}
    tube = derived("walk-in tube", round.id)
    barcode = f"ZF{tube.int % 10**10:010d}"
    played.tubes[str(tube)] = (barcode, round.starts_at)
    yield device.event(
        "TubeSealed", tube, round.starts_at,
        {"barcode": barcode, "purpose": "round", "capacity": 1, "round": round.id,
         "members": [{"person": str(person), "position": 1}]},
    )  # fmt: skip


async def _send(
    wire: Wire, device: Device, round: Round, items: list[Item], random: Random, played: Played
) -> None:
    shuffled = random.sample(items, len(items))
    sent_at = datetime.now(round.starts_at.tzinfo) + device.clock
    upload = {"device": device.name, "sent_at": sent_at.isoformat(), "items": shuffled}
    times = 2 if random.random() < TWICE else 1
    for _ in range(times):
        answer = await wire.post("/v1/events", upload)
        lost = [one for one in answer["answers"] if one["answer"] == "held"]
        if lost:
            raise RuntimeError(f"held: {lost[0]}")
    played.items += len(items)
    played.uploads += 1
    played.repeated += times - 1


async def retest(
    host: str, port: int, round: Round, device: Device, *, at: datetime, confirmed: int = 1
) -> tuple[int, list[Tube], list[str]]:
    """Swab every recalled person again, singly: how many, their tubes, and those planted positive."""
    wire = Wire(host, port, device.token)
    recalls = (await wire.get("/v1/recalls", recall_state="open", limit=1000))["items"]
    items, singles = [], []
    for recall in recalls:
        tube = derived("retest", recall["recall"])
        barcode = f"RT{tube.int % 10**10:010d}"
        items.append(
            device.event(
                "TubeSealed", tube, at,
                {"barcode": barcode, "purpose": "recall", "capacity": 1, "round": round.id,
                 "retest_of": recall["tube"],
                 "members": [{"person": recall["person"], "position": 1}]},
            )
        )  # fmt: skip
        singles.append(Tube(str(tube), barcode, at))
    for start in range(0, len(items), 20):
        await wire.post("/v1/events", {"device": device.name, "items": items[start : start + 20]})
    await wire.close()
    return len(items), singles, [one.tube for one in singles[:confirmed]]
