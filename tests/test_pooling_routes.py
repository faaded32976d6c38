"""Pooling over HTTP: the engine's answers, and its problems."""

from typing import Any
from urllib.parse import urlencode

from muster.access.decide import Grant
from muster.catalogue import CATALOGUE
from muster.instance import Instance
from muster.keeping.follower import catch_up
from tests.browsers import Door, someone, visit
from tests.conftest import Play
from tests.table import STREET_UNITS, events

ANSWERED = {
    ("GET", "/v1/pooling/design"), ("GET", "/v1/pooling/advice"), ("GET", "/v1/pooling/prevalence"),
    ("GET", "/v1/pooling/ct-shift"), ("POST", "/v1/pooling/decode"),
}  # fmt: skip


def test_questions_over_http(play: Play) -> None:
    async def story(muster: Instance, door: Door) -> None:
        await muster.door.append(events(STREET_UNITS))
        await someone(muster, "lead", Grant("command_post", everywhere=True))
        async with door.signed_in("lead") as browser:
            await browser.set_up_codes()

            async def ask(path: str, **params: Any) -> Any:
                return (await browser.ask("GET", f"/v1/pooling/{path}?{urlencode(params)}")).json()

            design = await ask("design", prevalence=0.01, stages="10,1")
            assert (design["configuration"], round(design["expected_tests"], 4)) == ("10,1", 2.0371)
            best = await ask("design", prevalence=0.01, optimal="3", max_size=24)
            assert best["configuration"] == "24;5,5,5,5,4;1"
            side = await ask("design", prevalence=0.01, array_side=10, master=True)
            assert (side["size"], round(side["tests_per_person"], 4)) == (100, 0.1556)
            advice = await ask("advice", pools="10:500:1")
            assert (advice["best"]["size"], len(advice["options"])) == (20, 20)
            assert {*advice["reasons"][0]} == {"en", "zh"}
            known = await ask("advice", prevalence=0.4)
            assert known["best"]["size"] == 1
            assert (await ask("prevalence", pools="1:20:1"))["estimate"] - 0.05 < 1e-9
            shift = await ask("ct-shift", members=10, tube_ml=6, single_ml=3, efficiency=0.95)
            assert round(shift["ct_shift"], 6) == 1.037911
            body = {"design": "a,b,c\n1,1,0\n0,1,1\n", "ct": "31,5\nUndetermined\n"}
            decoded = await browser.ask("POST", "/v1/pooling/decode", body)
            assert decoded.json() == {
                "positive": ["a"], "negative": ["b", "c"], "retest": [], "stray_pools": [],
                "explained": True,
            }  # fmt: skip
            for slug, answer in (
                ("pooling-unclear", await ask("design", prevalence=0.01)),
                ("pooling-unclear", await ask("advice")),
                ("prevalence-unfit", await ask("design", prevalence=2, stages="10,1")),
                ("stages-unfit", await ask("design", prevalence=0.1, stages="24,7,1")),
                ("pools-unfit", await ask("prevalence", pools="10:5:6")),
                ("amount-unfit", await ask("ct-shift", members=1, tube_ml=0, single_ml=3)),
            ):
                assert answer["type"] == f"urn:muster:problem:{slug}"

    visit(play, story)


def test_an_area_is_advised_by_its_tubes_of_a_round(play: Play) -> None:
    async def story(muster: Instance, door: Door) -> None:
        await muster.door.append(
            events(f"""{STREET_UNITS}
            08:20  TubeSealed      T1  members=p1,p2 round=R1 barcode=B1
            08:21  TubeSealed      T2  members=p3 round=R1 barcode=B2
            08:22  TubeSealed      T3  members=p4,p9 round=R1 barcode=B3
            08:23  TubeSealed      T4  members=p1 round=R1 barcode=B4 purpose=recall
            12:00  ResultReleased  r1  barcode=B1 tube=T1 outcome=negative lab=L1
            12:00  ResultReleased  r3  barcode=B3 tube=T3 outcome=positive lab=L1
            12:00  ResultReleased  r4  barcode=B4 tube=T4 outcome=positive lab=L1
        """)
        )
        async with muster.pool.connection() as conn:
            await catch_up(conn, CATALOGUE)
        await someone(muster, "lead", Grant("command_post", everywhere=True))
        async with door.signed_in("lead") as browser:
            await browser.set_up_codes()
            pools = [(await browser.get(f"/v1/pooling/advice?area={area}&round=R1"))["pools"]
                     for area in ("S1", "G1", "G2")]  # fmt: skip
            assert pools == ["2:2:1", "2:1:0", "2:1:1"]  # T2 waits, T4 is a re-test
            told = await browser.get("/v1/pooling/advice?area=H2")
            assert told["type"] == "urn:muster:problem:nothing-tested"

    visit(play, story)
