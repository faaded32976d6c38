"""Boxes, hand-overs and labels as they are asked for, and the one timeline of a tube."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import structlog
from click.testing import CliRunner

import muster.cli as cli
from muster.access.decide import Grant
from muster.catalogue import CATALOGUE
from muster.cli.listening import serving
from muster.config import Rates, Settings
from muster.core.clock import now
from muster.core.ids import uuid7
from muster.custody import queries
from muster.custody.events import BoxHandedOver, BoxPacked, PackedTube, Party
from muster.exercise.crew import Crew
from muster.instance import Instance
from muster.keeping.follower import catch_up
from muster.lab import releasing
from muster.ledger.event import Event
from muster.sampling.queries import tubes
from tests.conftest import Play
from tests.laboratory import desk, load, prepare, run, sign
from tests.senders import client
from tests.table import TOWN, events, named, time_of

VAN = '{"vehicle":"VAN1"}'
CITY = (
    TOWN.rstrip()
    + """
    07:00  SiteListed      XA  area=S1 code=SITE-A
    07:00  AreaListed      S2  level=street
    07:00  SiteListed      XB  area=S2 code=SITE-B
    07:30  LabListed       L1
    07:30  LabListed       L2
    08:00  TubeSealed      T1  members=p1,p2 round=R1 site=XA barcode=B1
    08:00  TubeSealed      T2  members=p3 round=R1 site=XA barcode=B2
    08:00  TubeSealed      T3  members=p9 round=R1 site=XB barcode=B3
    08:30  BoxPacked       G1  code=BAG1 kind=bag tubes=B1,B2 site=XA
"""
)
SITE_A = '{"site":"' + str(named("XA")) + '"}'
WAY = f"""
    09:00  BoxPacked       X1  code=BOX1 bags=G1 bound_for=L1 site=XA count=2
    09:00  BoxPacked       X2  code=BOX2 tubes=B3 bound_for=L2 site=XB
    09:10  BoxHandedOver   X1  side=gives giver={SITE_A} taker={VAN} count=2
    09:11  BoxHandedOver   X1  side=takes giver={SITE_A} taker={VAN} count=3
    09:30  TemperatureRead X1  temperature_decidegrees=95
    09:58  BoxHandedOver   X1  side=gives giver={VAN} taker={{"lab":"L1"}}
    10:00  BoxReceived     C1  code=BOX1
    10:01  TubesReceived   C1  scans=B1:leaking,B2
    10:30  BoxHandedOver   X2  side=gives giver={{"site":"{named("XB")}"}} taker={VAN}
"""
DAY = CITY + WAY.strip("\n")
NOON = datetime(2022, 8, 1, 4, tzinfo=UTC)  # 12:00 of the story


def told(timeline: list[dict[str, Any]]) -> list[str]:
    return [one["type"] for one in timeline]


def test_boxes_and_how_far_they_have_come(play: Play):
    async def story(muster: Instance) -> None:
        await muster.door.append(events(DAY))
        async with muster.pool.connection() as conn:
            found = (await queries.boxes(conn)).items
            assert {one["code"]: (one["state"], one["lab"]) for one in found} == {
                "BOX1": ("received", "L1"), "BOX2": ("underway", None), "BAG1": ("packed", None),
            }  # fmt: skip
            (one,) = (await queries.boxes(conn, bound_for="L2")).items
            assert (one["code"], one["with"]) == ("BOX2", "vehicle:VAN1")
            assert (await queries.boxes(conn, site=named("XB"), state="received")).items == []
            first = await queries.boxes(conn, limit=2)
            rest = await queries.boxes(conn, limit=2, after=first.next)
            assert {one["code"] for one in first.items} == {"BOX1", "BOX2"}
            assert ([one["code"] for one in rest.items], rest.next) == (["BAG1"], None)

    play(story)


def test_a_box_with_all_that_is_known_of_it(play: Play):
    async def story(muster: Instance) -> None:
        await muster.door.append(events(DAY))
        async with muster.pool.connection() as conn:
            (box,) = await queries.boxes_called(conn, "BOX1")
            assert [bag["code"] for bag in box["holds"]] == ["BAG1"]
            assert [(one["barcode"], one["scanned"]) for one in box["manifest"]] == [
                ("B1", True), ("B2", True)
            ]  # fmt: skip
            assert [(one["taker"], one["differs"]) for one in box["legs"]] == [
                ("vehicle:VAN1", ["count"]), ("lab:L1", [])
            ]  # fmt: skip
            assert [one["decidegrees"] for one in box["temperatures"]] == [95]
            assert [one["lab"] for one in box["receptions"]] == ["L1"]
            assert {(one["kind"], one["barcode"]) for one in box["cases"]} == {("leaking", "B1")}
            (bag,) = await queries.boxes_called(conn, str(named("G1")))
            assert [one["code"] for one in bag["in_boxes"]] == ["BOX1"]

    play(story)


def test_hand_overs_that_want_looking_at(play: Play):
    """Open: one side only, for longer than the limit in force; else the sides must differ."""

    async def story(muster: Instance) -> None:
        await muster.door.append(events(DAY))

        async def found(minutes: int, open: bool | None = None) -> list[tuple[str, bool]]:
            at = NOON + timedelta(minutes=minutes)
            async with muster.pool.connection() as conn:
                page = await queries.hand_overs(conn, at=at, open=open)
            return [(one["code"], one["open"]) for one in page.items]

        assert await found(-61) == [("BOX1", False)]
        assert await found(-59) == [("BOX1", False), ("BOX2", True)]
        assert await found(-59, open=True) == [("BOX2", True)]
        assert await found(-59, open=False) == [("BOX1", False)]
        assert await found(4 * 24 * 60) == []
        limit = "09:00 PolicyAdopted H name=hand_over_minutes value=60 since=10:00"
        await muster.door.append(events(limit))
        assert await found(-59) == [("BOX1", False)]
        assert await found(-29, open=True) == [("BOX2", True)]
        async with muster.pool.connection() as conn:
            first = await queries.hand_overs(conn, at=NOON, limit=1)
            rest = await queries.hand_overs(conn, at=NOON, limit=1, after=first.next)
        assert [one["code"] for one in first.items + rest.items] == ["BOX1", "BOX2"]
        assert rest.next is None

    play(story)


LABELS = {
    "GD-12345670": ("tube", [("A", "tube")], None),
    "ＧＤ-1234 5670": ("tube", [("A", "tube")], None),
    "GD-12345676": ("tube", [], "check-digit-wrong"),
    "BX123": ("tube", [("A", "box")], "wrong-kind"),
    "anything": ("tube", [], "unknown-format"),
    "PLATE1": ("plate", [], None),
}


def test_what_a_label_is(play: Play):
    async def story(muster: Instance) -> None:
        await muster.door.append(events("""
            07:00  BarcodeFormatAdopted  F1  supplier=A kind=tube pattern=GD-######## check=mod10 since=07:00
            07:00  BarcodeFormatAdopted  F2  supplier=A kind=box pattern=BX### since=07:00
            07:00  BarcodeFormatAdopted  F3  supplier=B kind=tube pattern=anything# since=07:00 retired=true
        """))  # fmt: skip
        async with muster.pool.connection() as conn:
            for text, (kind, formats, slug) in LABELS.items():
                one = await queries.barcode(conn, text, kind, at=now(), language="en")  # type: ignore[arg-type]
                assert [(each.supplier, each.kind) for each in one.formats] == formats
                assert (one.problem or {}).get("type") == (slug and f"urn:muster:problem:{slug}")
            assert (await queries.barcode(
                conn, "GD-12345670", "tube", at=NOON - timedelta(days=1), language="en"
            )).formats == []  # fmt: skip

    play(story)


def test_the_timeline_of_a_tube_from_resident_to_result(play: Play):
    """Of what is about many tubes, only the part that is about this one."""

    async def story(muster: Instance) -> None:
        await prepare(muster, DAY + "\n    10:02  ReceptionEnded  C1")
        await load(muster, "P1", {"A01": "B1", "B01": "B2"})
        await run(muster, "P1", {"A01": "B1 22 23 27", "B01": "B2 - - 26"})
        await sign(muster, "anna", "B1")
        async with desk(muster, "bert") as one:
            await releasing.decline(one, await proposed(muster), "doubtful_curve")
        await load(muster, "P2", {"A01": "B1"}, repeats=["B1"])
        await run(muster, "P2", {"A01": "B1 23 24 27"})
        await sign(muster, "anna", "B1")
        await sign(muster, "bert", "B1")
        async with muster.pool.connection() as conn:
            (tube,) = await tubes(conn, "B1")
        kinds = told(tube["timeline"])
        before = kinds[: kinds.index("PlateLoaded")]
        assert [one for one in before if one != "DiscrepancyOpened"] == [
            "TubeSealed", "BoxPacked", "BoxPacked", "BoxHandedOver", "BoxHandedOver",
            "TemperatureRead", "BoxHandedOver", "BoxReceived", "TubesReceived",
        ]  # fmt: skip
        assert [one for one in kinds if one.startswith(("Plate", "Run", "Result", "Prop"))] == [
            "PlateLoaded", "RunImported", "RunCalled", "ResultProposed", "ProposalDeclined",
            "PlateLoaded", "RunImported", "RunCalled", "ResultProposed", "ResultReleased",
        ]  # fmt: skip
        assert kinds.count("RecallOrdered") == 2
        assert "B2" not in str(tube["timeline"])
        by_type = {one["type"]: one["body"] for one in tube["timeline"]}
        assert by_type["TubesReceived"]["condition"] == "leaking"
        assert (by_type["PlateLoaded"]["code"], by_type["PlateLoaded"]["well"]) == ("P2", "A01")
        assert {one["well"] for one in by_type["RunImported"]["readings"]} == {"A01"}
        assert (by_type["RunCalled"]["call"], by_type["RunCalled"]["barcode"]) == ("positive", "B1")
        assert all(one["at"] and one["seq"] and one["received_at"] for one in tube["timeline"])

    play(story)


async def proposed(muster: Instance) -> Any:
    async with muster.pool.connection() as conn:
        found = await conn.execute("SELECT result FROM lab.proposal WHERE answer IS NULL")
        ((result,),) = await found.fetchall()
        return result


def test_two_tubes_with_one_barcode_have_a_timeline_each(play: Play):
    """What the label alone says may be of either, and is told of neither."""

    async def story(muster: Instance) -> None:
        at = time_of("09:00")
        body = BoxPacked("BOX1", tubes=(PackedTube("B1", named("T2")),))
        packed = Event(uuid7(), "BoxPacked", named("X1"), at, at, at, "tester", body)
        await muster.door.append([packed, *events(TOWN.rstrip() + """
    08:00  TubeSealed     T1  members=p1 round=R1 barcode=B1
    08:10  TubeSealed     T2  members=p2 round=R1 barcode=B1
    09:00  BoxPacked      X2  code=BOX2 tubes=B1
    10:00  BoxReceived    C1  code=BOX1
    10:01  TubesReceived  C1  scans=B1
        """.rstrip())])  # fmt: skip
        async with muster.pool.connection() as conn:
            found = {one["tube"]: told(one["timeline"]) for one in await tubes(conn, "B1")}
        assert found == {
            named("T1"): ["TubeSealed"],
            named("T2"): ["TubeSealed", "BoxPacked", "BoxReceived", "TubesReceived"],
        }

    play(story)


# Who is asked for at the door, and where they work.
PEOPLE: dict[str, Grant] = {
    "chief": Grant("command_post", everywhere=True),
    "sampler": Grant("sampler", site=named("XA")),
    "lead": Grant("area_lead", area=named("S2")),
    "courier": Grant("courier", everywhere=True),
    "lab-one": Grant("lab_operator", lab="L1"),
    "lab-two": Grant("lab_operator", lab="L2"),
    "guard": Grant("gate_guard", everywhere=True),
}


def visit(play: Play, asked: Any) -> None:
    """Tell the day, open the doors, and ask as each of PEOPLE: `asked(muster, {login: client})`."""

    async def story(muster: Instance) -> None:
        await muster.door.append(events(DAY))
        async with muster.pool.connection() as conn:
            await catch_up(conn, CATALOGUE)
        crew = Crew(muster)
        async with serving(muster, rates=Rates(0, 0, 0)) as (_, address):
            clients = {}
            for login, grant in PEOPLE.items():
                await crew.staff(login, grant)
                token = await crew.device(f"{login}-phone", holder=login)
                clients[login] = client(address, token)
            await asked(muster, clients)
            for one in clients.values():
                await one.aclose()

    play(story)


def test_who_sees_which_box(play: Play):
    async def asked(muster: Instance, http: dict[str, httpx.AsyncClient]) -> None:
        for login, codes in {
            "chief": {"BOX1", "BOX2", "BAG1"}, "courier": {"BOX1", "BOX2", "BAG1"},
            "sampler": {"BOX1", "BAG1"}, "lead": {"BOX2"}, "guard": None, "lab-one": {"BOX1"},
            "lab-two": {"BOX2"},
        }.items():  # fmt: skip
            answer = await http[login].get("/v1/boxes")
            shown = {one["code"] for one in answer.json()["items"]} if codes else None
            assert (answer.status_code, shown) == (200 if codes else 403, codes), login
        answer = await http["courier"].get("/v1/boxes", params={"format": "csv"})
        assert "BOX2" in answer.text
        assert (await http["lead"].get("/v1/boxes/BOX1")).status_code == 404
        (box,) = (await http["lead"].get("/v1/boxes/BOX2")).json()
        assert [one["barcode"] for one in box["manifest"]] == ["B3"]
        answer = await http["courier"].get("/v1/boxes", params={"site": "SITE-A"})
        assert {one["code"] for one in answer.json()["items"]} == {"BOX1", "BAG1"}
        assert (await http["chief"].get("/v1/boxes", params={"site": "NONE"})).status_code == 404

    visit(play, asked)


def test_who_sees_what_of_a_tube(play: Play):
    """Laboratories see their own part and no member; who sees the tube by its place sees all of it."""

    async def asked(muster: Instance, http: dict[str, httpx.AsyncClient]) -> None:
        (tube,) = (await http["sampler"].get("/v1/tubes/B1")).json()
        assert "TubesReceived" in told(tube["timeline"])
        assert len(tube["timeline"][0]["body"]["members"]) == 2
        (tube,) = (await http["lab-one"].get("/v1/tubes/B1")).json()
        assert {"TubeSealed", "BoxPacked", "TubesReceived"} <= set(told(tube["timeline"]))
        assert not {str(named("p1")), str(named("p2"))} & set(str(tube).split("'"))
        (tube,) = (await http["lab-two"].get("/v1/tubes/B1")).json()
        assert told(tube["timeline"]) == ["TubeSealed"]
        assert (await http["lead"].get("/v1/tubes/B1")).status_code == 404
        assert (await http["courier"].get("/v1/tubes/B1")).status_code == 403

    visit(play, asked)


def test_formats_are_adopted_by_who_decides_everywhere(play: Play):
    async def asked(muster: Instance, http: dict[str, httpx.AsyncClient]) -> None:
        new = {"supplier": "A", "kind": "tube", "pattern": "GD-####", "capacity": 10}
        assert (await http["courier"].post("/v1/barcode-formats", json=new)).status_code == 403
        (first, again) = [
            (
                await http["chief"].post("/v1/barcode-formats", json={**new, "retired": retired})
            ).json()
            for retired in (False, True)
        ]
        assert first == again
        (one,) = (await http["courier"].get("/v1/barcode-formats")).json()
        assert (one["pattern"], one["retired"]) == ("GD-####", True)
        for wrong in (
            {"pattern": "GD-1"},
            {"pattern": "GD ##"},
            {"pattern": "AB", "check": "mod10"},
        ):
            answer = await http["chief"].post("/v1/barcode-formats", json={**new, **wrong})
            assert answer.json()["type"] == "urn:muster:problem:format-unusable"
        await http["chief"].post("/v1/barcode-formats", json=new)
        answer = await http["courier"].get("/v1/barcodes/GD-12", params={"kind": "tube"})
        assert answer.json()["problem"]["type"] == "urn:muster:problem:unknown-format"
        assert (await http["courier"].get("/v1/barcodes/GD-1234")).json()["problem"] is None

    visit(play, asked)


def test_hand_overs_are_asked_for_by_who_carries(play: Play):
    """The day of the story is long past: nothing of it is looked at now."""

    async def asked(muster: Instance, http: dict[str, httpx.AsyncClient]) -> None:
        answer = await http["courier"].get("/v1/hand-overs", params={"open": "true"})
        assert answer.json() == {"items": [], "next": None}
        at = now()
        body = BoxHandedOver("gives", Party(vehicle="V1"), Party(vehicle="V2"))
        early = at - timedelta(hours=2)
        await muster.door.append(
            [Event(uuid7(), "BoxHandedOver", named("X1"), early, early, at, "tester", body)]
        )
        (one,) = (await http["courier"].get("/v1/hand-overs")).json()["items"]
        assert (one["code"], one["giver"], one["open"]) == ("BOX1", "vehicle:V1", True)
        assert (await http["lead"].get("/v1/hand-overs")).json()["items"] == []

    visit(play, asked)


@pytest.mark.parametrize(
    ("words", "english", "chinese"),
    [
        ("box list", "vehicle:VAN1", "转运中"),
        ("box list --site SITE-B --for L2 --state underway", "BOX2", "送往"),
        ("box show BOX1", "B1", "不符项"),
        ("handover list", "0 rows", "共 0 行"),
        ("tube B1", "box packed", "装箱"),
    ],
)
def test_the_command_line_shows_boxes(
    play: Play, database: Settings, monkeypatch: pytest.MonkeyPatch, words: str, english: str,
    chinese: str,
):  # fmt: skip
    async def story(muster: Instance) -> None:
        await muster.door.append(events(DAY))

    play(story)
    monkeypatch.setenv("DATABASE_URL", database.database_url or "")
    monkeypatch.setenv("MUSTER_HOME", str(database.home))
    monkeypatch.setenv("MUSTER_KEY_FILE", str(database.key_file))
    for language, expected in (("en", english), ("zh", chinese)):
        monkeypatch.setenv("MUSTER_LANGUAGE", language)
        shown = CliRunner().invoke(cli.main, words.split())
        assert shown.exit_code == 0, shown.output
        assert expected in shown.output
    told = json.loads(CliRunner().invoke(cli.main, [*words.split(), "--json"]).stdout)
    assert isinstance(told, list)
    structlog.reset_defaults()  # a command sends its log to the standard error of its run


def test_an_unknown_box_is_a_problem_with_its_remedy(play: Play):
    async def asked(muster: Instance, http: dict[str, httpx.AsyncClient]) -> None:
        answer = await http["chief"].get("/v1/boxes/NOTHING", headers={"accept-language": "zh"})
        assert (answer.status_code, answer.json()["type"]) == (
            404,
            "urn:muster:problem:box-unknown",
        )
        assert "muster box list" in answer.json()["detail"]

    visit(play, asked)
