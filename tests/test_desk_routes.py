"""The desk's routes as a command post asks them: lists by every filter, records, histories, changes and
their taking back, work lists, boards.
"""

from typing import Any

import httpx

from muster.catalogue import CATALOGUE
from muster.exercise.crew import Crew
from muster.instance import Instance
from muster.keeping.follower import catch_up
from tests.conftest import Play
from tests.senders import client, query, send, visit
from tests.table import TOWN, events, named
from tests.test_http import NOBODY, check

SCENE = (
    TOWN.rstrip()
    + """
    07:00  SiteListed      X1  area=G1 name=East lanes=2
    07:00  SiteListed      X2  area=G2 name=West
    07:00  LabListed       L1
    07:05  ResidentListed  p5  building=H1 room=101 name=张三 phone=13800001111
    07:05  SiteOpened      X1
    07:06  LaneOpened      X1  lane=1
    08:00  TubeSealed      T1  members=p1,p2 round=R1 site=X1 barcode=B1
    08:05  TubeSealed      T2  members=p3 round=R1 site=X1 barcode=B2
    08:10  TubeSealed      T3  round=R1 site=X2 barcode=C3
    08:15  TubeOpened      T4  site=X2 barcode=C4
    08:20  TubeSealed      T5  members=p4 round=R1 site=X2 barcode=C5
    08:30  BoxPacked       K1  code=BOX1 tubes=B1,B2 site=X1 bound_for=L1
    09:00  BoxReceived     C1  code=BOX1
    09:01  TubesReceived   C1  scans=B1
    09:02  ReceptionEnded  C1
    10:00  ResultReleased  r1  barcode=B1 outcome=positive lab=L1
    10:00  ResultReleased  r9  barcode=LOST outcome=positive lab=L9
"""
)
P1 = f"/v1/people/{named('p1')}"
SITE = {"code": "X1", "name": "East gate", "area": "G1", "lanes": 3}
UNIT = {"code": "U1", "name": "Mill", "kind": "enterprise", "area": "G1", "headcount": 20}
ASKED: list[tuple[str, str, Any, Any]] = [
    ("GET", "/v1/tubes", None, 200),
    ("GET", "/v1/tubes?after=x", None, "bad-cursor"),
    ("POST", "/v1/people/by-phone", {"phone": "13800001111"}, 200),
    ("POST", "/v1/people/by-phone", {"phone": "1"}, "bad-request"),
    ("GET", "/v1/tubes?site=nowhere", None, "site-unknown"),
    ("GET", "/v1/search?q=B1", None, 200),
    ("GET", "/v1/search", None, "bad-request"),
    ("GET", "/v1/work", None, 200),
    ("GET", "/v1/work?kind=mood", None, "bad-request"),
    ("GET", "/v1/sites/X1", None, 200),
    ("GET", "/v1/sites/X9", None, "no-such-site"),
    ("GET", "/v1/labs/L1", None, 200),
    ("GET", "/v1/labs/L7", None, "no-such-lab"),
    ("GET", f"{P1}/story", None, 200),
    ("GET", f"{P1}/why", None, 200),
    ("GET", f"/v1/people/{NOBODY}/why", None, "person-unknown"),
    ("GET", f"{P1}/history", None, 200),
    ("GET", f"/v1/history/{named('X1')}", None, 200),
    ("GET", "/v1/history/policies", None, 200),
    ("GET", "/v1/devices/board", None, 200),
    ("GET", "/v1/devices/none", None, "no-such-device"),
    ("GET", "/v1/recalls/tubes", None, 200),
    ("POST", f"/v1/recalls/{NOBODY}/contact", {"how": "phone"}, "no-such-recall"),
    ("POST", "/v1/sites", SITE, 201),
    ("POST", "/v1/sites", {**SITE, "new": True}, "code-taken"),
    ("POST", "/v1/sites", {**SITE, "area": "nowhere"}, "area-unknown"),
    ("POST", "/v1/units", UNIT, 201),
    ("POST", "/v1/units", {**UNIT, "new": True}, "code-taken"),
    ("POST", "/v1/units", {**UNIT, "kind": "mood"}, "bad-request"),
    ("POST", "/v1/areas/G1/change", {"name": "First"}, 201),
    ("POST", "/v1/areas/G1/denominators", {"people": 9, "source": "s", "on": "2022-08-01"}, 201),
    ("POST", f"/v1/history/{NOBODY}/undo", None, "cannot-be-taken-back"),
]  # fmt: skip
ANSWERED = {(method, path) for method, path, *_ in ASKED}
FILTERED = {
    "": "C5 C4 C3 B2 B1",
    "q=B": "B2 B1",
    "site=X2": "C5 C4 C3",
    "area=G1": "B2 B1",
    "round=R1": "C5 C3 B2 B1",
    "flag=sealed_empty": "C3",
    "flag=any": "C3",
    "flag=nobody": "C4 C3",
    "outcome=positive": "B1",
    "outcome_state=final": "B1",
    "stage=open": "C4",
    "stage=sealed": "C5 C3",
    "stage=packed": "",
    "stage=handed_over": "B2",  # the laboratory took its box in and did not find it
    "stage=received": "",
    "stage=released": "B1",
    "since=2022-08-01T08:10:00%2B08:00": "C5 C4 C3",
    "until=2022-08-01T08:05:00%2B08:00": "B1",
    "q=C&site=X2&stage=open": "C4",
}


def test_whoever_asks_at_the_desk_is_answered(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await settle(muster)
        for method, path, body, wanted in ASKED:
            answer = await http.request(method, path, json=body)
            try:
                check(answer, wanted, "en")
            except AssertionError as error:
                raise AssertionError(f"{method} {path}: {answer.text}") from error

    visit(play, story)


def test_tubes_are_filtered_and_paged(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await settle(muster)
        found = {}
        for asked in FILTERED:
            answer = (await http.get(f"/v1/tubes?{asked}")).json()
            found[asked] = " ".join(one["barcode"] for one in answer["items"])
        assert found == FILTERED
        barcodes, after = [], None
        while after is not None or not barcodes:
            page = (await http.get("/v1/tubes", params={"limit": 2, "after": after})).json()
            barcodes += [one["barcode"] for one in page["items"]]
            if (after := page["next"]) is None:
                break
        assert barcodes == ["C5", "C4", "C3", "B2", "B1"]
        boxes = (await http.get("/v1/boxes?q=BO")).json()["items"]
        assert [one["code"] for one in boxes] == ["BOX1"]
        assert (await http.get("/v1/boxes?q=XY")).json()["items"] == []
        for asked, codes in (
            ("q=Ea", ["X1"]), ("area=G2", ["X2"]), ("open=true", ["X1"]), ("q=X", ["X1", "X2"]),
        ):  # fmt: skip
            sites = (await http.get(f"/v1/sites?{asked}")).json()["items"]
            assert [one["code"] for one in sites] == codes

    visit(play, story)


def test_a_scan_finds_its_thing_first(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await settle(muster)
        for text, first in (
            ("B1", ("tube", "B1", True)), ("BOX1", ("box", "BOX1", True)),
            ("X1", ("site", "X1", True)), ("West", ("site", "X2", True)), ("BO", ("box", "BOX1", False)),
        ):  # fmt: skip
            items = (await http.get("/v1/search", params={"q": text})).json()["items"]
            assert (items[0]["kind"], items[0]["code"], items[0]["exact"]) == first
        for text in ("张", "zhang", "zs", "zhangsan"):
            (one,) = (await http.get("/v1/search", params={"q": text})).json()["items"]
            assert (one["kind"], one["name"], one["place"]) == ("person", "张*", "H1 101")
        for phone, names in (("138 0000-1111", ["张*"]), ("1111", []), ("13800001112", [])):
            answer = await http.post("/v1/people/by-phone", json={"phone": phone})
            found = answer.json() if answer.is_success else []
            assert [one["name"] for one in found] == names
        nothing = (await http.get("/v1/search", params={"q": "nothing of the kind"})).json()
        assert nothing["items"] == []

    visit(play, story)


def test_records_show_what_stands_around_them(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await settle(muster)
        site = (await http.get("/v1/sites/X1")).json()
        assert (site["open"], site["lanes_open"], site["waiting"]) == (True, 1, 1)
        assert [(one["name"], one["tubes"], one["swabs"]) for one in site["rounds"]] == [
            ("R1", 2, 3)
        ]
        assert [one["type"] for one in site["moments"]] == ["LaneOpened", "SiteOpened"]
        assert [one["code"] for one in site["boxes"]] == ["BOX1"]
        told = (await http.get(f"{P1}/story")).json()
        assert [one["kind"] for one in told] == [
            "recall_ordered", "resulted", "swabbed", "ResidentListed",
        ]  # fmt: skip
        assert (await http.get(f"/v1/people/{named('p4')}/story")).json()[0]["kind"] == "swabbed"
        work = {one["kind"]: one for one in (await http.get("/v1/work")).json()}
        assert {kind: one["count"] for kind, one in work.items() if one["count"]} == {
            "waiting": 1, "nobody": 1, "cases": 1,
        }  # fmt: skip
        assert work["nobody"]["items"][0]["code"] == "C3"

    visit(play, story)


def test_reference_data_is_changed_seen_and_taken_back(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await settle(muster)
        site = (await http.post("/v1/sites", json=SITE)).json()["id"]
        assert site == str(named("X1"))
        (change, _, _, first) = (await http.get(f"/v1/history/{site}")).json()
        assert {f["name"]: (f["before"], f["after"]) for f in change["fields"]} == {
            "name": ("East", "East gate"), "lanes": ("2", "3"),
        }  # fmt: skip
        assert (change["actor"], change["undo"], first["undo"]) == ("tester", True, False)
        assert (await http.post(f"/v1/history/{first['event']}/undo")).status_code == 409
        assert (await http.post(f"/v1/history/{change['event']}/undo")).status_code == 201
        assert (await http.get("/v1/sites/X1")).json()["name"] == "East"
        await http.post("/v1/areas/G1/change", json={"name": "First", "floors": None})
        assert (await http.get("/v1/areas/G1")).json()["name"] == "First"
        assert (await http.get("/v1/areas/G2")).json()["name"] == "G2"
        await http.post(
            "/v1/areas/G1/denominators",
            json={"people": 9, "source": "register", "on": "2022-08-01"},
        )
        types = [one["type"] for one in (await http.get(f"/v1/history/{named('G1')}")).json()]
        assert types == ["DenominatorDeclared", "AreaListed", "AreaListed"]
        unit = (await http.post("/v1/units", json=UNIT)).json()["id"]
        await http.post("/v1/units", json={**UNIT, "headcount": 30})
        assert await query(muster, "SELECT headcount FROM registry.unit WHERE unit = %s", unit) == [
            30
        ]

    visit(play, story)


def test_a_device_says_what_it_keeps(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await settle(muster)
        token = await Crew(muster).gateway("phone-7")
        async with client(str(http.base_url), token) as phone:
            await send(phone, [], unsent=12)
            board = (await http.get("/v1/devices/board")).json()
            worst = board["devices"][0]
            assert (worst["unsent"], worst["rank"]) == (12, 0)
            assert [one["code"] for one in board["devices"] if one["unsent"]] == [worst["code"]]
            whole = (await http.get(f"/v1/devices/{worst['code']}")).json()
            assert (whole["unsent"], whole["gaps"]) == (12, [])
            await send(phone, [], unsent=0)
        assert (await http.get(f"/v1/devices/{worst['code']}")).json()["rank"] == 2

    visit(play, story)


def test_a_recalled_person_is_told(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await settle(muster)
        (board,) = (await http.get("/v1/recalls/tubes")).json()["tubes"]
        assert (board["barcode"], board["members"], board["ordered"]) == ("B1", 2, 2)
        members = (await http.get(f"/v1/tubes/{board['tube']}/recall")).json()["members"]
        one, other = (f"/v1/recalls/{member['recall']}/contact" for member in members)
        assert (await http.post(one, json={"how": "not_found"})).status_code == 204
        assert (await http.post(other, json={"how": "door"})).status_code == 204
        (board,) = (await http.get("/v1/recalls/tubes")).json()["tubes"]
        assert [board[name] for name in ("ordered", "not_found", "reached")] == [0, 1, 1]

    visit(play, story)


async def settle(muster: Instance) -> None:
    assert set(await muster.door.append(events(SCENE))) == {"stored"}
    async with muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)
