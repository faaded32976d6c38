"""What a phone shows of its own work (web/src/ledger) is what the server makes of the same events: the
cases of overlay_cases.json, played through the door. Each is played twice, as listed and backwards, with
ids of its own, so that all share a database.
"""

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from muster.catalogue import CATALOGUE
from muster.core.clock import now
from muster.core.ids import derived, uuid7
from muster.field.queries import Ground, people
from muster.instance import Instance
from muster.intake.upload import read_item
from muster.keeping.follower import catch_up
from muster.keeping.verify import verify
from muster.ledger.event import Body, Event
from muster.registry.events import AreaListed, ResidentListed
from muster.registry.vault import Identity
from muster.sampling.events import RoundOpened, SiteListed
from tests.conftest import Play
from tests.senders import query

CASES = json.loads(Path(__file__).with_name("overlay_cases.json").read_text())
SCENE = CASES["scene"]
_OWN_ID = re.compile(
    r"[1-4]0000000-0000-4000-8000-\d{12}"
)  # people, tubes, events, boxes of a case
Case = dict[str, Any]


class Ids:
    """The ids of one playing of a case, and what they are called in the file."""

    def __init__(self, playing: str) -> None:
        self.playing = playing
        self.called: dict[str, str] = {}

    def mine(self, told: Any) -> Any:
        """Anything of the file under the playing's own ids."""
        return json.loads(_OWN_ID.sub(lambda found: self.one(found[0]), json.dumps(told)))

    def one(self, name: str) -> str:
        own = str(derived("overlay", self.playing, name))
        self.called[own] = name
        return own

    def of(self, kind: int) -> list[UUID]:
        """The ids of people (1), tubes (2) or boxes (4)."""
        return [UUID(own) for own, name in self.called.items() if name[0] == str(kind)]

    def name(self, own: UUID) -> str:
        return self.called[str(own)]


def test_there_are_cases_enough_and_each_has_a_name_of_its_own():
    names = [one["name"] for one in CASES["cases"]]
    assert len(set(names)) == len(names) >= 25
    types = {e["type"] for one in CASES["cases"] for e in one["events"]}
    assert {"TubeOpened", "SpecimenTaken", "TubeSealed", "SpecimenVoided", "SpecimenRestored",
            "SpecimenMoved", "RefusalRecorded", "StanceWithdrawn", "BoxPacked"} <= types  # fmt: skip
    for one in CASES["cases"]:
        told = {e["device_seq"]: e["device_at"] for e in one["events"]}
        assert [told[seq] for seq in sorted(told)] == sorted(told.values()), one["name"]


def test_the_server_makes_of_each_case_what_it_says(play: Play):
    async def story(muster: Instance) -> None:
        await muster.door.append(list(scene()))
        wrong = []
        for case in CASES["cases"]:
            for order in (1, -1):
                ids = Ids(f"{case['name']} {order}")
                found = await outcome(muster, case, ids, order)
                if found != case["expect"]:
                    wrong.append(f"{case['name']} {order}: {json.dumps(found, indent=1)}")
        assert wrong == [], "\n".join(wrong)
        async with muster.pool.connection() as conn:
            assert await verify(conn, CATALOGUE) == []

    play(story)


async def outcome(muster: Instance, case: Case, ids: Ids, order: int) -> dict[str, Any]:
    """What the read tables say once a case was played, in the words of its `expect`."""
    mine = ids.mine({key: case[key] for key in ("slice", "before", "events")})
    await muster.door.append([resident(one) for one in mine["slice"]["people"]])
    for part in ("before", "events"):
        sent = [read(one) for one in mine[part][::order]]
        assert set(await muster.door.append(sent)) <= {"stored"}, case["name"]
    async with muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)
        rounds = [UUID(SCENE["round"]["id"])]
        everywhere = Ground(hi=1_000)
        listed = await people(conn, everywhere, rounds, recalls=False, homes=False, only=ids.of(1))
    swabbed = await query(
        muster, "SELECT DISTINCT person FROM sampling.specimen WHERE person = ANY (%s) AND round = %s",
        ids.of(1), rounds[0],
    )  # fmt: skip
    here = {ids.name(one["resident"]) for one in listed if one["swabbed_at"]}
    assert here <= {ids.name(one) for one in swabbed}
    return {
        "tubes": await tubes(muster, ids, {one["subject"] for one in mine["before"]}),
        "swabbed": sorted(ids.name(one) for one in swabbed),
        "stances": {
            ids.name(one["resident"]): one["stance"] for one in listed if one["stance"]
        },
        "people": sorted(ids.name(one["resident"]) for one in listed),
        "boxes": await boxes(muster, ids),
    }  # fmt: skip


async def tubes(muster: Instance, ids: Ids, not_here: set[str]) -> dict[str, Any]:
    """The tubes of this phone with their members by position."""
    found: dict[str, Any] = {}
    wanted = [one for one in ids.of(2) if str(one) not in not_here]
    for tube, barcode, capacity, sealed_at in await query(
        muster, "SELECT tube, barcode, capacity, sealed_at FROM sampling.tube WHERE tube = ANY (%s)",
        wanted,
    ):  # fmt: skip
        members = await query(
            muster, "SELECT person, position FROM sampling.specimen WHERE tube = %s"
            " ORDER BY position, person", tube,
        )  # fmt: skip
        flags = "SELECT flag FROM sampling.flag WHERE tube = %s ORDER BY flag"
        found[ids.name(tube)] = {
            "barcode": barcode, "state": "sealed" if sealed_at else "open", "capacity": capacity,
            "members": sorted([ids.name(person), position] for person, position in members),
            "flags": await query(muster, flags, tube),
        }  # fmt: skip
    return dict(sorted(found.items()))


async def boxes(muster: Instance, ids: Ids) -> dict[str, Any]:
    found = {}
    for box, code, kind, bound_for, with_, labels, bags in await query(
        muster,
        """
        SELECT b.box, b.code, b.kind, b.bound_for,
            (SELECT l.taker FROM custody.leg l WHERE l.box = b.box LIMIT 1),
            ARRAY(SELECT p.barcode FROM custody.packed p WHERE p.box = b.box ORDER BY p.barcode),
            ARRAY(SELECT g.bag FROM custody.bagged g WHERE g.box = b.box)
        FROM custody.box b WHERE b.box = ANY (%s)
        """,
        ids.of(4),
    ):
        found[ids.name(box)] = {
            "code": code, "kind": kind, "bound_for": bound_for, "with": with_, "tubes": labels,
            "bags": [ids.name(bag) for bag in bags],
        }  # fmt: skip
    return dict(sorted(found.items()))


def scene() -> list[Event]:
    """The areas, the site and the round that all cases share."""
    made = []
    for area, parent, code, name, level in SCENE["areas"]:
        body = AreaListed(code=code, level=level, name=name, parent=parent and UUID(parent))
        made.append(event(area, body))
    site, round_ = SCENE["site"], SCENE["round"]
    listed = SiteListed(site["code"], site["name"], UUID(site["area"]), site["lanes"])
    times = {name: round_[name] for name in ("starts_at", "ends_at")}
    areas = [UUID(SCENE["areas"][0][0])]
    body = msgspec.convert({"name": round_["name"], "areas": areas, **times}, RoundOpened)
    return [*made, event(site["id"], listed), event(round_["id"], body)]


def resident(one: dict[str, Any]) -> Event:
    """Somebody of a slice as the roster lists them."""
    building = UUID(SCENE["areas"][one["building"]][0])
    body = ResidentListed("roster", one["state"], building, one["room"])
    return event(one["id"], body, Identity(one["name"]))


def event(subject: str, body: Body, identity: Identity | None = None) -> Event:
    at = msgspec.convert(SCENE["round"]["starts_at"], type=type(now()))
    return Event(
        uuid7(), type(body).__name__, UUID(subject), at, at, at, "roster", body, identity=identity
    )


def read(one: dict[str, Any]) -> Event:
    """An event of the file as an upload brings it."""
    envelope = {"actor": "sampler", "device": "phone", **one}
    identity = envelope.pop("identity", None)
    item = {"event": envelope} | ({"identity": identity} if identity else {})
    return read_item(json.dumps(item).encode(), now(), None, 0)
