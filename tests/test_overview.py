"""A round at one glance: figures that add up, the records behind each of them, and the stream of them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from muster.access.decide import Grant
from muster.catalogue import CATALOGUE
from muster.core.clock import now
from muster.exercise.crew import Crew
from muster.instance import Instance
from muster.keeping.follower import catch_up
from muster.ledger.event import Event
from tests.conftest import Play
from tests.senders import client, command_post, items, said, send, visit
from tests.table import TOWN, events, named
from tests.test_http import check

SITE, LAB = f'{{"site":"{named("X1")}"}}', '{"lab":"L1"}'
SCENE = f"""
    07:00  SiteListed       X1  area=G1 lanes=2
    07:00  SiteListed       X2  area=G2
    07:05  LabListed        L1  capacity_per_hour=60
    07:10  ResidentListed   p5  building=H3
    07:40  ExemptionGranted p4  round=R1 reason=illness
    08:00  SiteOpened       X1
    08:00  LaneOpened       X1  lane=1
    08:10  TubeSealed       T1  members=p1,p2 round=R1 barcode=B1 site=X1
    08:20  TubeSealed       T2  members=p2 round=R1 barcode=B2 site=X1
    09:05  TubeSealed       T3  members=p9 round=R1 barcode=B3 site=X2
    09:10  BoxPacked        Y1  code=BOX1 tubes=B1,B3 bound_for=L1
    09:20  BoxHandedOver    Y1  side=gives giver={SITE} taker={LAB}
    10:00  ResultReleased   r1  barcode=B1 outcome=positive
"""
PERSONS = {
    "expected": 6, "sampled": 3, "sealed": 3, "in_transit": 3, "received": 2, "on_plate": 2,
    "called": 2, "released": 2, "recalled": 2, "recall_open": 2, "exempt": 1, "away": 0,
    "refused": 0, "missing": 2,
}  # fmt: skip
TUBES = {
    "opened": 3, "sealed": 3, "in_transit": 2, "received": 1, "on_plate": 1, "called": 1,
    "released": 1,
}  # fmt: skip
CHAIN = (
    "expected",
    "sampled",
    "sealed",
    "in_transit",
    "received",
    "on_plate",
    "called",
    "released",
)


async def scene(muster: Instance) -> None:
    await muster.door.append(events(TOWN))
    await muster.door.append(events(SCENE))
    await followed(muster)


async def followed(muster: Instance) -> None:
    async with muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)


async def asked(http: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_one_answer_holds_everything(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await scene(muster)
        glance = await asked(http, "/v1/overview", round="R1", area="S1")
        found = glance["overview"]
        total = found["total"]
        assert {name: total[name] for name in PERSONS} == PERSONS
        assert total["swabs"] == 4
        assert {name: found["tubes"][name] for name in TUBES} == TUBES
        assert found["tubes"]["swabs"] == 4
        assert [(one["tubes"], one["swabs"], one["persons"]) for one in found["curve"]] == [
            (2, 3, 2), (1, 1, 1)
        ]  # fmt: skip
        assert found["sites"] | {"worst": []} == {
            "sites": 2, "open": 1, "silent": 1, "lanes_open": 1, "waiting": 0, "counted": 0,
            "longest_wait_minutes": None, "swabs_60": 0, "worst": [],
        }  # fmt: skip
        assert [(one["lab"], one["open"]) for one in found["labs"]] == [("L1", 0)]
        assert found["behind_events"] == 0
        assert found["pace"]["late"] is True
        told = {one["alarm"]: one for one in glance["alarms"]}
        assert told["finish_after_end"]["owner"] == "command_post"
        assert told["finish_after_end"]["due_at"] == found["round"]["ends_at"]

    visit(play, story)


def test_areas_add_up_to_what_holds_them_at_every_level(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await scene(muster)
        await muster.door.append(events("07:00 ResidentListed p8 building=G1"))
        await followed(muster)
        for area in ("S1", "G1", "G2", "H1"):
            found = (await asked(http, "/v1/overview", round="R1", area=area))["overview"]
            for name in (*PERSONS, "swabs"):
                parts = [one["persons"][name] for one in found["areas"]]
                assert not parts or sum(parts) == found["total"][name], (area, name)
            chain = [found["total"][name] for name in CHAIN]
            assert chain == sorted(chain, reverse=True)
        itself = [one["area"]["code"] for one in found["areas"] if one["itself"]]
        assert itself == []
        grid = (await asked(http, "/v1/overview", round="R1", area="G1"))["overview"]
        assert [one["area"]["code"] for one in grid["areas"] if one["itself"]] == ["G1"]

    visit(play, story)


def test_every_figure_leads_to_as_many_records(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await scene(muster)
        for figure, count in {**PERSONS, "closed": 0}.items():
            path = "/v1/rounds/R1/persons"
            found = await asked(http, path, area="S1", figure=figure)
            assert len(found["items"]) == count, figure
            pages, after = [], None
            while True:
                page = await asked(http, path, area="S1", figure=figure, limit=1,
                                   **({"after": after} if after else {}))  # fmt: skip
                pages += page["items"]
                after = page["next"]
                if not after:
                    break
            assert pages == found["items"]
        for figure, count in TUBES.items():
            found = await asked(http, "/v1/rounds/R1/tubes", area="S1", figure=figure)
            assert len(found["items"]) == count, figure
        exact = await asked(http, "/v1/rounds/R1/tubes", area="S1", figure="sealed", exact=True)
        assert [one["barcode"] for one in exact["items"]] == ["B2"]
        here = await asked(http, "/v1/rounds/R1/tubes", area="S1", figure="opened", site="X2")
        assert [one["barcode"] for one in here["items"]] == ["B3"]
        span = {"since": "2022-08-01T08:00:00+08:00", "until": "2022-08-01T09:00:00+08:00"}
        hour = await asked(http, "/v1/rounds/R1/tubes", area="S1", figure="opened", **span)
        assert [one["barcode"] for one in hour["items"]] == ["B2", "B1"]

    visit(play, story)


def test_a_closed_round_answers_from_its_sheet(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await scene(muster)
        before = (await asked(http, "/v1/overview", round="R1", area="S1"))["overview"]["total"]
        closed = await http.post("/v1/rounds/R1/close", json={"allow_open": True})
        assert closed.status_code == 200, closed.text
        await muster.door.append(events("20:00 TubeSealed T9 members=p5 round=R1 barcode=B9"))
        await followed(muster)
        await asyncio.sleep(2.1)  # an answer of a moment ago is given again
        after = (await asked(http, "/v1/overview", round="R1", area="S1"))["overview"]
        assert after["total"] == before
        assert after["as_of"] == after["round"]["closed_at"]
        assert after["pace"] is None

    visit(play, story)


def test_waits_are_measured_or_estimated_and_old_counts_forgotten(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await scene(muster)
        at = now()
        sealed = events("08:10 TubeSealed T7 members=p5 round=R1 barcode=B7 site=X1")[0]
        counts = events("""
            08:00  QueueCounted  X1  waiting=50 wait_minutes=40
            08:00  QueueCounted  X1  waiting=3
            08:00  QueueCounted  X2  waiting=9 lane=1
            08:00  QueueCounted  X2  waiting=4 lane=2 wait_minutes=12
        """)

        def shifted(one: Event, minutes: int) -> Event:
            then = at - timedelta(minutes=minutes)
            return replace(one, at=then, device_at=then, received_at=then)

        await muster.door.append([
            shifted(sealed, 5), shifted(counts[0], 100), shifted(counts[1], 10),
            shifted(counts[2], 8), shifted(counts[3], 3),
        ])  # fmt: skip
        await followed(muster)
        found = (await asked(http, "/v1/overview/sites", round="R1", area="S1"))["sites"]
        rows = {one["code"]: one for one in found}
        assert (rows["X1"]["waiting"], rows["X1"]["wait_minutes"]) == (3, 45)
        assert rows["X1"]["wait_estimated"] is True
        assert (rows["X2"]["waiting"], rows["X2"]["wait_minutes"]) == (13, 12)
        assert rows["X2"]["wait_estimated"] is False
        assert [one["code"] for one in found] == ["X1", "X2"]
        assert rows["X1"]["state"] == "open"

    visit(play, story)


def test_nobody_sees_another_area(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await scene(muster)
        crew = Crew(muster)
        await crew.staff("lead", Grant("area_lead", area=named("G2")))
        token = await crew.device("lead-1", holder="lead")
        async with client(str(http.base_url), token) as lead:
            for path in ("/v1/overview", "/v1/live", "/v1/overview/sites", "/v1/map"):
                answer = await lead.get(path, params={"round": "R1", "area": "G1"})
                assert answer.json()["type"].endswith(":outside-your-area"), path
            own = await asked(lead, "/v1/overview", round="R1", area="G2")
            assert own["overview"]["total"]["expected"] == 3
            assert own["overview"]["tubes"]["opened"] == 1
            for path in ("persons", "tubes"):
                answer = await lead.get(
                    f"/v1/rounds/R1/{path}", params={"area": "G1", "figure": "sealed"}
                )
                assert answer.json()["type"].endswith(":outside-your-area"), path

    visit(play, story)


async def next_of(lines: AsyncIterator[str]) -> Any:
    """The next message of a stream."""
    async for line in lines:
        if line.startswith("data: ") and line != "data: {}":
            return msgspec.json.decode(line[6:])
    raise EOFError


def test_viewers_are_told_when_something_moves_and_nothing_more_when_they_may_not_see(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await scene(muster)
        deciding = await command_post(muster)
        params = {"round": "R1", "area": "S1"}
        async with (
            client(str(http.base_url), deciding) as other,
            http.stream("GET", "/v1/live", params=params) as one,
            other.stream("GET", "/v1/live", params=params) as two,
        ):
            assert one.headers["content-type"].startswith("text/event-stream")
            assert one.headers["cache-control"] == "no-store"
            first, second = one.aiter_lines(), two.aiter_lines()
            heard = [await next_of(first), await next_of(second)]
            assert heard[0] == heard[1]
            assert heard[0]["overview"]["total"]["sampled"] == 3
            new = "10:05 TubeSealed T8 members=p5 round=R1 barcode=B8 site=X2"
            assert said(await send(http, items(new))) == ["stored"]
            await followed(muster)
            async with asyncio.timeout(20):
                while heard[0]["overview"]["total"]["sampled"] != 4:
                    heard[0] = await next_of(first)
            # Whoever holds the device no longer may see nothing more, and is told so.
            assert (await other.post("/v1/device/holder/leave")).status_code == 204
            async with asyncio.timeout(40):
                told = [line async for line in second]
            assert "event: over" in told
        once = await http.get("/v1/live", params={**params, "once": "true"})
        assert once.text.count("data: ") == 1

    visit(play, story)


@pytest.mark.parametrize("area", ["S1", None])
def test_without_a_word_the_newest_round_and_all_of_it(play: Play, area: str | None):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await scene(muster)
        found = (await asked(http, "/v1/overview", **({"area": area} if area else {})))["overview"]
        assert (found["round"]["name"], found["area"]["code"]) == ("R1", "S1")

    visit(play, story)


REAL = {"as_of": "2022-08-01T14:00:00+08:00", "source": "s", "table": "区域,采样\n甲,1"}
FILE = {"type": "FeatureCollection", "features": []}
ASKED: list[tuple[str, str, Any, Any]] = [
    ("GET", "/v1/overview?round=R1&area=S1", None, 200),
    ("GET", "/v1/overview?round=R9", None, "round-unknown"),
    ("GET", "/v1/overview?area=nowhere", None, "area-unknown"),
    ("GET", "/v1/live?round=R1&area=S1&once=true", None, 200),
    ("GET", "/v1/live?round=R9", None, "round-unknown"),
    ("GET", "/v1/overview/sites?round=R1&area=S1", None, 200),
    ("GET", "/v1/overview/sites?area=nowhere", None, "area-unknown"),
    ("GET", "/v1/rounds/R1/persons?area=S1&figure=sealed", None, 200),
    ("GET", "/v1/rounds/R1/persons?area=S1&figure=sealed&format=csv", None, 200),
    ("GET", "/v1/rounds/R1/persons?area=S1&figure=sealed&after=W10", None, "bad-cursor"),
    ("GET", "/v1/rounds/R1/persons?area=S1&figure=lost", None, "bad-request"),
    ("GET", "/v1/rounds/R1/tubes?area=S1&figure=sealed", None, 200),
    ("GET", "/v1/rounds/R1/tubes?area=S1&figure=sealed&site=X9", None, "site-unknown"),
    ("GET", "/v1/rounds/R1/tubes?area=S1&figure=sealed&after=W10", None, "bad-cursor"),
    ("GET", "/v1/map?round=R1&area=S1", None, 200),
    ("GET", "/v1/map?round=R9", None, "round-unknown"),
    ("GET", "/v1/briefings", None, 200),
    ("GET", "/v1/briefings?since=soon", None, "bad-request"),
    ("POST", "/v1/briefings", REAL, 200),
    ("POST", "/v1/briefings", {**REAL, "as_of": "noon"}, "bad-request"),
    ("POST", "/v1/briefings", {**REAL, "table": "x"}, "briefing-unreadable"),
    ("POST", "/v1/positions?source=s", FILE, 200),
    ("POST", "/v1/positions?source=s", {"type": "Feature"}, "not-a-geo-json-file"),
    ("POST", "/v1/positions", FILE, "bad-request"),
]
ANSWERED = {(method, path) for method, path, *_ in ASKED}


def test_every_route_of_the_overview_answers(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await scene(muster)
        for method, path, body, wanted in ASKED:
            try:
                check(await http.request(method, path, json=body), wanted, "en")
            except AssertionError as error:
                raise AssertionError(f"{method} {path}") from error

    visit(play, story)
