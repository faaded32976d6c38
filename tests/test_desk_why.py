"""Why is there no result? One scene for each place where a result is lost, and in each the uninvolved
neighbour who has one.
"""

from typing import Any

import httpx
import pytest

from muster.catalogue import CATALOGUE
from muster.core.clock import now
from muster.desk.chain import NobodyThere, why_no_result
from muster.desk.engine.why import STAGES, TURN, Reason, Verdict
from muster.instance import Instance
from muster.keeping.follower import catch_up
from tests.conftest import Play
from tests.laboratory import load, prepare, run
from tests.senders import query, visit
from tests.table import TOWN, events, named

# p9 is the neighbour: swabbed in a tube of their own, received, negative.
SCENE = (
    TOWN.rstrip()
    + """
    07:00  SiteListed      X1  area=S1
    07:00  LabListed       L1
    08:00  TubeSealed      T9  members=p9 round=R1 site=X1 barcode=B9
    09:00  BoxPacked       K9  code=BOX9 tubes=B9 bound_for=L1
    10:00  BoxReceived     C9  code=BOX9 lab=L1
    10:01  TubesReceived   C9  scans=B9 lab=L1
    12:00  ResultReleased  r9  barcode=B9 outcome=negative lab=L8
"""
)
SEALED = "08:10 TubeSealed T1 members=p1,p2 round=R1 site=X1 barcode=B1"
PACKED = SEALED + "\n09:00 BoxPacked K1 code=BOX1 tubes=B1 bound_for=L1"
VAN = '{"vehicle":"VAN1"}'
CARRIED = PACKED + (
    f'\n09:30 BoxHandedOver K1 side=gives giver={{"site":"{named("X1")}"}} taker={VAN}'
)
ARRIVED = CARRIED + "\n10:00 BoxReceived C1 code=BOX1 lab=L1"
SCANNED = ARRIVED + "\n10:01 TubesReceived C1 scans=B1 lab=L1"
SAME = "number=E10000001 name=张三"
BORN = "name=李四 phone=13800001111"

SCENES: list[tuple[str, Reason | None, str]] = [
    # at registration and at the swab
    ("not listed with a number, known by another", "other_id", f"""
        07:10 ResidentListed p1 building=H1 room=101 {BORN}
        07:11 ResidentListed w1 source=walk_in {BORN}
        08:10 TubeSealed T1 members=w1 round=R1 site=X1 barcode=B1"""),
    ("somebody behind the same door was swabbed twice", "someone_elses_code", """
        07:10 ResidentListed h1 building=H1 room=101
        08:10 TubeSealed T1 members=h1 round=R1 site=X1 barcode=B1
        08:12 TubeSealed T2 members=h1 round=R1 site=X1 barcode=B2"""),
    ("taken out of the tube", "taken_out", f"""
        {SEALED}
        08:20 SpecimenVoided T1 person=p1 reason=left"""),
    ("swabbed, and the seal does not say so", "taken_out", """
        08:05 SpecimenTaken T1 person=p1 position=1
        08:10 TubeSealed T1 members=p2 round=R1 site=X1 barcode=B1"""),
    ("exempt", "exempt", "08:00 ExemptionGranted p1 reason=infant"),
    ("refused", "refused", "08:00 RefusalRecorded p1 round=R1"),
    ("away", "away", "07:20 ResidentStateChanged p1 state=away"),
    ("swabbed in another round", "other_round", """
        07:30 RoundOpened R0 areas=S1 starts_at=05:00
        08:10 TubeSealed T1 members=p1 round=R0 site=X1 barcode=B1"""),
    ("nothing is known of a swab", "not_sampled", "07:20 ResidentStateChanged p1 state=resident"),
    ("the tube is still open", "tube_open", """
        08:05 TubeOpened T1 round=R1 site=X1 barcode=B1
        08:06 SpecimenTaken T1 person=p1 position=1"""),
    ("the tube is still open, and its phone shows a gap", "device_unsent", """
        08:05 TubeOpened T1 round=R1 site=X1 barcode=B1 device=D1 seq=1
        08:06 SpecimenTaken T1 person=p1 position=1 device=D1 seq=3"""),
    # on the way
    ("left at the site", "tube_at_site", SEALED),
    ("in a box that nobody took", "in_box", PACKED),
    ("with the courier", "on_the_way", CARRIED),
    ("the box came and the tube was not in it", "not_in_its_box", ARRIVED),
    # in the laboratory
    ("received and not on a plate", "not_on_plate", SCANNED),
    ("leaking", "unfit", f"{ARRIVED}\n10:01 TubesReceived C1 scans=B1:leaking lab=L1"),
    ("one barcode on two tubes", "result_conflict", f"""
        {SEALED}
        08:20 TubeSealed T2 members=p3 round=R1 site=X1 barcode=B1
        12:00 ResultReleased r1 barcode=B1 outcome=negative lab=L8"""),
    ("a result that shows no well", "result_unproven", f"""
        07:05 LabListed L7 wells_since=06:00
        {SCANNED}
        12:00 ResultReleased r1 barcode=B1 outcome=negative lab=L7"""),
    ("invalid: swab again", "invalid",
     f"{SCANNED}\n12:00 ResultReleased r1 barcode=B1 outcome=invalid lab=L8"),
    ("the pool was positive: a single swab decides", "recalled",
     f"{SCANNED}\n12:00 ResultReleased r1 barcode=B1 outcome=positive lab=L8"),
    ("there is a result", None,
     f"{SCANNED}\n12:00 ResultReleased r1 barcode=B1 outcome=negative lab=L8"),
]  # fmt: skip


async def asked(muster: Instance, person: str) -> Verdict:
    async with muster.pool.connection() as conn, muster.pool.connection() as own:
        await catch_up(conn, CATALOGUE)
        round = {"round": named("R1"), "name": "R1"}
        found = await why_no_result(own, conn, named(person), round=round, at=now())
    return found.answer


def table(text: str) -> list[Any]:
    return events("\n".join(line for line in text.splitlines() if line.strip()))


@pytest.mark.parametrize(("scene", "reason", "story"), SCENES, ids=[one[0] for one in SCENES])
def test_the_first_link_that_does_not_hold(
    play: Play, scene: str, reason: Reason | None, story: str
):
    async def told(muster: Instance) -> None:
        assert set(await muster.door.append([*table(SCENE), *table(story)])) == {"stored"}
        answer = await asked(muster, "p1")
        assert answer.reason == reason, scene
        assert answer.turn == (TURN[reason] if reason else None)
        assert [one.stage for one in answer.links] == list(STAGES)
        broken = [one.stage for one in answer.links if one.holds == "no"]
        assert len(broken) == (1 if reason else 0)
        if reason is None:
            assert answer.told == "negative"
        neighbour = await asked(muster, "p9")
        assert (neighbour.reason, neighbour.told) == (None, "negative")

    play(told)


def test_who_is_meant_is_shown(play: Play):
    async def told(muster: Instance) -> None:
        for one in (SCENES[0], SCENES[1]):
            await muster.door.append(table(SCENE) + table(one[2]))
        found = await asked(muster, "p1")
        assert {(one.person, one.why, *one.tubes) for one in found.others} == {
            (named("w1"), "same_phone", "B1"), (named("h1"), "twice", "B1", "B2"),
        }  # fmt: skip

    play(told)


@pytest.mark.parametrize(
    ("wells", "readings", "reason"),
    [
        ({}, {}, "not_on_plate"),
        ({"A01": "B1"}, {}, "plate_not_run"),
        ({"A01": "B1"}, {"A01": "B1 - - 25"}, "waits_for_signature"),
        ({"A01": "B1"}, {"A01": "B1 - 36 25"}, "second_run"),
        ({"A01": "B1"}, {"A01": "B1 - - 25", "H12": "PC - - -"}, "plate_blocked"),
    ],
)
def test_in_the_laboratory(
    play: Play, wells: dict[str, str], readings: dict[str, str], reason: Reason
):
    async def told(muster: Instance) -> None:
        await prepare(muster)
        if wells:
            await load(muster, "P1", wells)
        if readings:
            await run(muster, "P1", readings)
        answer = await asked(muster, "p1")
        assert answer.reason == reason
        assert answer.swab is not None
        assert answer.swab.lab == "L1"

    play(told)


def test_nobody(play: Play):
    async def told(muster: Instance) -> None:
        await muster.door.append(table(SCENE))
        with pytest.raises(NobodyThere):
            await asked(muster, "p99")

    play(told)


def test_it_is_asked_over_http_and_noted(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await muster.door.append(table(SCENE) + table(SCENES[0][2]))
        async with muster.pool.connection() as conn:
            await catch_up(conn, CATALOGUE)
        path = f"/v1/people/{named('p1')}/why"
        answer = (await http.get(path, params={"round": "R1"})).json()
        assert answer["name"] == "李*"
        assert answer["answer"]["reason"] == "other_id"
        assert answer["answer"]["others"][0]["name"] == "李*"
        whole = (await http.get(path, params={"reason": "call_back"})).json()
        assert whole["answer"]["others"][0]["name"] == "李四"
        (noted,) = await query(
            muster,
            "SELECT count(*) FROM access.reading WHERE what = 'GET /v1/people/{person:uuid}/why'"
            f" AND people @> ARRAY['{named('p1')}'::uuid, '{named('w1')}'::uuid]",
        )
        assert noted == 2

    visit(play, story)
