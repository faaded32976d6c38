"""The slice of a phone's place: what is in it, for whom, what changed since, and what never is in it."""

import hmac
import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import pytest

from muster.access import decide, devices
from muster.access.decide import Grant
from muster.access.devices import Where
from muster.access.queries import account_by_login
from muster.catalogue import CATALOGUE
from muster.core.clock import now
from muster.exercise.crew import Crew
from muster.field.queries import basis
from muster.instance import Instance
from muster.keeping.follower import catch_up
from muster.keeping.redact import redact
from tests.conftest import Play
from tests.senders import client, query, visit
from tests.table import TOWN, events, named

# Two grids; at the site of the first the swabs of both are taken. p2 refused, p3 is away, p4 and p9 live
# in the other grid, w1 nowhere.
SCENE = f"""{TOWN.strip()}
    07:00  SiteListed      X1  area=G1 lanes=2
    07:00  SiteListed      X2  area=G2
    07:00  SiteOpened      X1
    07:00  LabListed       L1
    07:00  LabListed       L2
    07:10  ResidentListed p1  building=H1 room=101 birth_year=1949 name=甲一 number=11010519491231002X phone=13800001111
    07:10  ResidentListed  p2  building=H1 room=102 sex=male name=乙二 phone=13900002222
    07:10  ResidentListed  p3  building=H2 name=丙三 number=E12345678
    07:10  ResidentListed  p4  building=H3 name=丁四 number=440524188001010014
    07:10  ResidentListed  w1  source=walk_in name=戊五 number=E87654321
    07:20  RefusalRecorded p2  round=R1
    07:20  ResidentStateChanged p3 state=away
    07:30  BarcodeFormatAdopted F1 supplier=S kind=tube pattern=T#### since=06:00
    07:30  LabelsIssued    B1  kind=tube format=F1 first=T0001 last=T0100 count=100 site=X1
    07:30  LabelsIssued    B2  kind=tube format=F1 first=T0101 last=T0200 count=100 site=X2
    07:30  PolicyAdopted   Q1  name=tube_size value=5 since=06:00
    07:30  PolicyAdopted   Q2  name=tube_size value=20 since=06:00 area=G1
    07:30  PolicyAdopted   Q3  name=tube_size value=3 since=06:00 area=G2
    07:30  PolicyAdopted   Q4  name=tube_age_minutes value=90 since=06:00
    08:20  TubeSealed      T1  members=p1,p4,w1 round=R1 site=X1
"""  # fmt: skip
P1 = "11010519491231002X"
SECRETS = {
    P1, "E12345678", "440524188001010014", "E87654321", "13800001111", "13900002222", "1380000",
}  # fmt: skip
NAMES = {"甲一", "乙二", "丙三", "丁四", "戊五"}
Phones = dict[str, httpx.AsyncClient]


async def caught_up(muster: Instance, table: str = "") -> None:
    if table:
        assert set(await muster.door.append(events(table))) == {"stored"}
    async with muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)


async def phone(
    muster: Instance,
    http: httpx.AsyncClient,
    login: str,
    *grants: Grant,
    where: Where | None = None,
) -> httpx.AsyncClient:
    """A phone in the hands of one who holds these roles."""
    crew = Crew(muster)
    await crew.staff(login, *grants)
    return client(str(http.base_url), await crew.device(f"{login}-1", holder=login, where=where))


async def sampler(muster: Instance, http: httpx.AsyncClient) -> httpx.AsyncClient:
    site = named("X1")
    return await phone(muster, http, "s1", Grant("sampler", site=site), where=Where(site=site))


async def asked(http: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    answer = await http.get("/v1/slice", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def problem(http: httpx.AsyncClient, **params: Any) -> str:
    answer = await http.get("/v1/slice", params=params)
    assert not answer.is_success, answer.text
    return answer.json()["type"].rpartition(":")[2]


def people(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The people of a slice by id."""
    listed = found["people"]
    return {row[0]: dict(zip(listed["columns"], row, strict=True)) for row in listed["rows"]}


def ids(*names: str) -> set[str]:
    return {str(named(name)) for name in names}


def test_a_samplers_slice(play: Play):
    """Who lives under the area of the site, with what a door or a lane needs, and nobody else."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await caught_up(muster, SCENE)
        async with await sampler(muster, http) as own:
            found = await asked(own)
            again = await asked(own)
        assert found["place"] == {
            "kind": "site", "id": str(named("X1")), "code": "X1", "name": "X1"
        }  # fmt: skip
        assert (found["whole"], found["seq"], found["too_many"]) == (
            True, muster.door.head.seq, None
        )  # fmt: skip
        assert found["device"]["code"] == "s1-1"
        assert (found["holder"]["login"], found["holder"]["roles"]) == ("s1", ["sampler"])
        assert {"slice", "events"} <= set(found["holder"]["rights"])
        assert [one["name"] for one in found["rounds"]] == ["R1"]
        assert found["tube"] == {"size": 20, "household": False}
        assert found["policies"] == {"tube_age_minutes": 90}
        assert [(one["code"], one["lanes"], one["open"]) for one in found["sites"]] == [
            ("X1", 2, True)
        ]  # fmt: skip
        assert [one["lab"] for one in found["labs"]] == ["L1", "L2"]
        assert [(area[2], area[4]) for area in found["areas"]] == [
            ("S1", "street"), ("G1", "grid"), ("H1", "building"), ("H2", "building")
        ]  # fmt: skip
        assert [one["pattern"] for one in found["formats"]] == ["T####"]
        assert [(one["first"], one["last"]) for one in found["labels"]] == [("T0001", "T0100")]
        assert again["salt"] == found["salt"]
        rows = people(found)
        assert [row[0] for row in found["people"]["rows"]] == [
            str(named(one)) for one in ("p1", "p2", "p3")
        ]  # fmt: skip
        first = rows[str(named("p1"))]
        tag = hmac.digest(bytes.fromhex(found["salt"]), P1.encode(), "sha256")[:5].hex()
        swabbed = int(datetime.fromisoformat("2022-08-01T08:20:00+08:00").timestamp())
        assert first == {
            "id": str(named("p1")), "name": "甲一", "pinyin": "jiayi", "initials": "jy",
            "building": 2, "room": "101", "birth_year": 1949, "sex": None, "state": "resident",
            "phone_tail": "1111", "number_hash": tag, "swabbed_at": swabbed, "stance": None,
            "recall": None, "visit": None, "visited_at": None, "again_at": None,
            "asked_home": None,
        }  # fmt: skip
        told = [(one["stance"], one["swabbed_at"] and True) for one in rows.values()]
        assert rows[str(named("p2"))]["sex"] == "male"
        assert told == [(None, True), ("refused", None), ("away", None)]
        text = json.dumps(found, ensure_ascii=False)
        assert [one for one in SECRETS | {"丁四", "戊五"} if one in text] == []
        ((who, what, masked, shown),) = await query(
            muster, "SELECT who, what, masked, people FROM access.reading WHERE id = 1"
        )
        assert (who, what, masked) == ("s1", "GET /v1/slice", False)
        assert {str(one) for one in shown} == ids("p1", "p2", "p3")

    visit(play, story)


def test_a_restored_database_is_another(play: Play):
    """What it is known by can be asked without a privilege, as a given server grants none."""

    async def story(muster: Instance) -> None:
        async with muster.pool.connection() as conn:
            here = await basis(conn, [])
            assert here == await basis(conn, [])
        asking = "has_function_privilege('muster_reader', '{}()', 'execute')"
        for one in ("pg_control_system", "pg_control_checkpoint"):
            assert await query(muster, f"SELECT {asking.format(one)}") == [True]

    play(story)


def test_two_phones_have_two_salts(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await caught_up(muster, SCENE)
        async with await sampler(muster, http) as own:
            first = await asked(own)
        async with await phone(muster, http, "g1", Grant("grid_worker", area=named("G1"))) as other:
            second = await asked(other)
        assert first["salt"] != second["salt"]
        tags = [people(one)[str(named("p1"))]["number_hash"] for one in (first, second)]
        assert tags[0] != tags[1]
        assert set(people(first)) == set(people(second))

    visit(play, story)


def test_a_laboratorys_slice_has_codes_and_nobody(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await caught_up(muster, SCENE)
        days = (now() - datetime.fromisoformat("2022-08-01T00:00:00+08:00")).days + 1
        await caught_up(muster, f"""
            {days}/00:01  BoxPacked  K1  tubes=T0001,T0002 site=X1 bound_for=L1
            {days}/00:01  BoxPacked  K2  tubes=T0003 site=X1 bound_for=L2
            {days}/00:01  BoxPacked  K3  tubes=T0004 site=X1 bound_for=L1
            {days}/00:02  BoxReceived C3 code=K3 lab=L1
        """.strip())  # fmt: skip
        async with await phone(muster, http, "r1", Grant("lab_receiver", lab="L1"),
                               where=Where(lab="L1")) as own:  # fmt: skip
            found = await asked(own)
        text = json.dumps(found, ensure_ascii=False)
        assert [one for one in SECRETS | NAMES | ids("p1", "p2", "p3", "p4") if one in text] == []
        assert (found["people"], found["areas"], found["recalls"]) == (None, [], [])
        assert found["place"] == {"kind": "lab", "id": None, "code": "L1", "name": "L1"}
        assert [(one["code"], one["tubes"]) for one in found["boxes"]] == [
            ("K1", ["T0001", "T0002"])
        ]
        assert await query(muster, "SELECT count(*) FROM access.reading") == [0]
        async with await phone(muster, http, "c1", Grant("courier", everywhere=True)) as van:
            found = await asked(van)
        assert sorted(one["code"] for one in found["boxes"]) == ["K1", "K2"]
        assert {one["code"] for one in found["sites"]} == {"X1", "X2"}
        text = json.dumps(found, ensure_ascii=False)
        assert [one for one in SECRETS | NAMES | ids("p1", "p2", "p3", "p4") if one in text] == []
        assert found["people"] is None

    visit(play, story)


def test_who_was_in_a_positive_tube_is_for_who_may_know(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await caught_up(muster, SCENE + "    12:00 ResultReleased r1 barcode=T1 outcome=positive")
        recalls = await query(muster, "SELECT count(*) FROM lab.recall WHERE state = 'open'")
        assert recalls == [3]
        async with await sampler(muster, http) as own:
            found = await asked(own)
            assert found["recalls"] == []
            assert {one["recall"] for one in people(found).values()} == {None}
        async with await phone(muster, http, "q1", Grant("squad", area=named("G1"))) as squad:
            found = await asked(squad)
        (recall,) = await query(
            muster, "SELECT recall::text FROM lab.recall WHERE person = %s", named("p1")
        )
        assert people(found)[str(named("p1"))]["recall"] == recall
        assert recall in {one["id"] for one in found["recalls"]}
        assert "丁四" not in json.dumps(found, ensure_ascii=False)

    visit(play, story)


CHANGES = [  # what happens, and whose row comes for it
    ("08:30 TubeSealed T2 members=p2 round=R1 site=X1", {"p2"}),
    ("08:31 SpecimenVoided T1 person=p1", {"p1"}),
    ("08:32 TubeOpened T3 round=R1 site=X1", set()),
    ("08:33 SpecimenTaken T3 person=p3", {"p3"}),
    ("08:34 SpecimenMoved T3 person=p3 to=T1", {"p3"}),
    ("08:35 ExemptionGranted p1 reason=illness round=R1", {"p1"}),
    ("08:36 ResidentStateChanged p3 state=resident", {"p3"}),
    ("08:37 ResidentListed p5 building=H2 name=己六", {"p5"}),
    ("08:38 ResidentMoved p4 building=H1", {"p4"}),
    ("08:39 RefusalRecorded p9 round=R1", set()),
    ("08:39 VisitMade p2 outcome=not_home round=R1 again_at=18:00 id=v2", {"p2"}),
    ("08:40 VisitWithdrawn p2 cause=v2", {"p2"}),
    ("08:39 VisitMade p9 outcome=told", set()),
    ("08:40 ResidentListed z9 building=H3 name=庚七", set()),
    ("08:41 HomeSamplingAsked p3 reason=infant id=h3", {"p3"}),
    ("08:41 HomeSamplingAsked p2 reason=bedridden id=h2", {"p2"}),
    ("08:42 HomeSamplingClosed p2 cause=h2 outcome=not_possible", {"p2"}),
    ("08:41 TubeSealed T9 members=p9 round=R1 site=X2", set()),
]


def test_what_changed_since(play: Play):
    """Each change brings the rows it is about, and in the end all changes give what the whole gives."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await caught_up(muster, SCENE)
        async with await sampler(muster, http) as own:
            has = await asked(own)
            kept = people(has)
            nothing = await asked(own, since=has["seq"], basis=has["basis"])
            assert (nothing["whole"], nothing["people"]["rows"], nothing["gone"]) == (False, [], [])
            assert nothing["sites"] == has["sites"]
            seq = has["seq"]
            for line, touched in CHANGES:
                await caught_up(muster, line)
                found = await asked(own, since=seq, basis=has["basis"])
                assert not found["whole"], line
                assert (set(people(found)), found["gone"]) == (ids(*touched), []), line
                kept |= people(found)
                seq = found["seq"]
            kept |= people(await asked(own, since=has["seq"], basis=has["basis"]))
            assert kept == people(await asked(own))
            waits = {who for who, one in kept.items() if one["asked_home"] is not None}
            assert waits == ids("p3")
            assert kept[str(named("p3"))]["asked_home"] == "infant"

    visit(play, story)


LEAVING = [
    "08:38 ResidentMoved p1 building=H3",
    "08:38 ResidentStateChanged p1 state=moved_away",
    "08:38 ResidentsMerged p1 into=p4",
    "08:38 ResidentListed p1 building=H3",
]


@pytest.mark.parametrize("line", LEAVING)
def test_who_left_is_gone(play: Play, line: str):
    """Somebody of the other grid who was never here is not named, though they were listed."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await caught_up(muster, SCENE)
        async with await sampler(muster, http) as own:
            has = await asked(own)
            await caught_up(muster, line + "\n08:39 ResidentListed z9 building=H3 name=庚七")
            found = await asked(own, since=has["seq"], basis=has["basis"])
        assert (found["whole"], found["gone"]) == (False, list(ids("p1")))
        assert people(found) == {}

    visit(play, story)


def test_other_rights_another_place_or_another_tree_give_the_whole(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await caught_up(muster, SCENE)
        async with await sampler(muster, http) as own:
            has = await asked(own)

            async def whole(since: int) -> bool:
                found = await asked(own, since=since, basis=has["basis"])
                has.update(found)
                return found["whole"]

            assert not await whole(has["seq"])
            assert (await asked(own, since=has["seq"]))["whole"], "made of what it does not say"
            await caught_up(muster, "08:00 AreaListed H7 parent=G1")
            before = dict(has)
            assert await whole(has["seq"])
            has.update(before)
            assert await whole(has["seq"]), "its answer may be lost"
            assert not await whole(has["seq"])
            await caught_up(muster, "08:00 RoundOpened R2 areas=G1")
            assert await whole(has["seq"])
            await caught_up(muster, "08:00 RoundOpened R3 areas=G2")
            assert not await whole(has["seq"])
            async with muster.pool.connection() as conn:
                device = (await devices.by_code(conn, "s1-1"))["device"]
                account = (await account_by_login(conn, "s1"))["account"]
                grant = Grant("squad", area=named("G1"))
                await decide.grant(conn, muster.door, account, wanted=grant, actor="x", at=now())
            await http.post("/v1/device/holder/leave")  # everybody is looked up again
            assert await whole(has["seq"])
            house = Where(area=named("H1"))
            await devices.bind(muster.door, device, house, by="x", at=now())
            await http.post("/v1/device/holder/leave")
            assert await whole(has["seq"])
            assert has["place"]["code"] == "H1"
            assert set(people(has)) == ids("p1", "p2")
            assert await whole(has["seq"] + 1_000), "from after a restore"
            salt, ring = has["salt"], muster.vault.ring.now.with_key()
            muster.vault.ring._ring = replace(ring, current=2)
            assert await whole(has["seq"])
            assert has["salt"] != salt
            seal = "SELECT id FROM ledger.event WHERE type = 'TubeSealed'"
            async with muster.pool.connection() as conn:
                ids_ = await query(muster, seal)
                await redact(conn, muster.door, ids_, actor="x", reason="mistake")
            assert await whole(has["seq"])

    visit(play, story, clean=False)
