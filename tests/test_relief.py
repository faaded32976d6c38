"""At posts over HTTP: breaks, relief that finds somebody, incidents and clearance, handing over, gaps."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from muster.core.clock import now
from muster.core.ids import uuid7
from muster.instance import Instance
from muster.ledger.event import Event
from muster.workforce.calling import watch_clocks
from muster.workforce.events import ArrivedAtPost, StaffPosted
from tests.browsers import Browser, Door
from tests.conftest import Play
from tests.table import events, named
from tests.test_workforce_routes import at_the_desk, called, form, telephones

COUNTS = ("placed", "arrived", "resting", "gone")


async def stood(
    muster: Instance, browser: Browser, *people: str, hours: float = 9, **said: Any
) -> tuple[str, list[str]]:
    """A demand at the site, and these people who came to stand there so many hours ago: their places."""
    starts_at = (now() - timedelta(hours=hours)).replace(microsecond=0)
    body = {"area": "G1", "site": "X1", "role": "queue_guide", "count": 3, "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=hours + 3)).isoformat()} | said  # fmt: skip
    demand = (await browser.done("/v1/demands", body))["id"]
    places = [uuid7() for _ in people]
    for place, person in zip(places, people, strict=True):
        posted = StaffPosted(
            named(person),
            UUID(demand),
            body["role"],
            starts_at,
            starts_at + timedelta(hours=hours + 3),
        )
        for what in (posted, ArrivedAtPost("desk")):
            await muster.door.append([
                Event(uuid7(), type(what).__name__, place, starts_at, starts_at, starts_at, "lead", what)
            ])  # fmt: skip
    return demand, [str(one) for one in places]


async def kinds(muster: Instance) -> list[str]:
    """Of what whoever leads the street is told now."""
    async with muster.pool.connection() as conn:
        found = await conn.execute(
            "SELECT kind FROM hq.task WHERE state = 'issued' AND role = 'area_lead' ORDER BY kind"
        )
        return [kind for (kind,) in await found.fetchall()]


def test_the_clock_sees_who_stands_too_long_and_a_break_sees_to_the_suit(play: Play):
    async def story(muster: Instance, door: Door, browser: Browser) -> None:
        _, (long,) = await stood(muster, browser, "w1", hours=13)
        _, (short,) = await stood(
            muster, browser, "w7", hours=2, role="disinfector", starts_at=(now() - timedelta(hours=2)).isoformat()
        )  # fmt: skip
        at = now()
        assert (await watch_clocks(muster, at), await watch_clocks(muster, at)) == (1, 0)
        assert await kinds(muster) == ["duty_limit"]
        clocks = (await browser.get("/v1/clocks?area=S1"))["items"]
        shown = ("posting", "duty_minutes", "suit_minutes", "resting", "passed", "days")
        assert [tuple(one[name] for name in shown[:1]) for one in clocks] == [(long,), (short,)]
        assert [one["duty_minutes"] // 60 for one in clocks] == [13, 2]
        assert [one["passed"] for one in clocks] == [["limit"], []]
        # It has become hot: an hour in the suit is enough.
        await browser.done("/v1/heat", {"area": "S1", "decidegrees": 362})
        heat = await browser.get("/v1/heat?area=G1")
        assert (heat["area_name"], heat["suit_minutes"], heat["measures"][0]) == (
            "S1",
            60,
            "rotate",
        )
        assert (await watch_clocks(muster, now()), await watch_clocks(muster, now())) == (1, 0)
        assert await kinds(muster) == ["duty_limit", "duty_suit", "heat"]
        await browser.done(f"/v1/postings/{short}/break", {})
        assert await kinds(muster) == ["duty_limit", "heat"]
        (resting,) = (await browser.get("/v1/clocks?area=S1&only=resting"))["items"]
        assert (resting["posting"], resting["suit_minutes"]) == (short, 0)
        await browser.done(f"/v1/postings/{short}/work-again", {})
        assert (await browser.get("/v1/clocks?area=S1&only=resting"))["items"] == []
        (over,) = (await browser.get("/v1/clocks?area=S1&only=passed&reason=call_back"))["items"]
        assert (over["posting"], over["name"]) == (long, "李一")

    at_the_desk(play, story)


def test_whoever_asks_for_relief_is_relieved_by_somebody_who_was_called(play: Play):
    async def story(muster: Instance, door: Door, browser: Browser) -> None:
        _, (tired, other) = await stood(muster, browser, "w1", "w2")
        sought = await browser.done(f"/v1/postings/{tired}/relief", {"why": "tired"})
        again = await browser.done(f"/v1/postings/{tired}/relief", {"why": "heat"})
        assert sought == again
        assert await kinds(muster) == ["relief_asked"]
        (call_up,) = (await browser.get("/v1/call-ups"))["items"]
        assert (call_up["name"], call_up["needed"]) == ("接替 东门", 1)
        first, *_ = (await browser.get(f"/v1/call-ups/{call_up['call_up']}/telephone-list"))[
            "items"
        ]
        said = await browser.done(f"/v1/summons/{first['summons']}/answer", {"answer": "accepted"})
        refused = await browser.refused(f"/v1/postings/{tired}/hand-over", {"to": said["posting"]})
        assert refused == "handed-to-nobody"  # who has a place does not stand there yet
        await browser.done(f"/v1/postings/{said['posting']}/arrive", {})
        await browser.done(
            f"/v1/postings/{tired}/hand-over",
            {"to": said["posting"], "open_matters": 2, "note": "两管待封，冰袋将尽"})  # fmt: skip
        note = await browser.get(f"/v1/postings/{tired}/hand-over?reason=call_back")
        assert (note["open_matters"], note["note"]) == (2, "两管待封，冰袋将尽")
        assert (note["name"], note["overlap_minutes"]) == ("李一", 0)
        assert await browser.get(f"/v1/postings/{other}/hand-over") is None
        assert await kinds(muster) == []
        assert {one["posting"] for one in (await browser.get("/v1/clocks?area=S1"))["items"]} == {
            other, said["posting"],
        }  # fmt: skip

    at_the_desk(play, story)


def test_whoever_stays_after_all_lets_the_others_go(play: Play):
    async def story(muster: Instance, door: Door, browser: Browser) -> None:
        _, (tired,) = await stood(muster, browser, "w1")
        sought = await browser.done(f"/v1/postings/{tired}/relief", {"why": "family"})
        (call_up,) = (await browser.get("/v1/call-ups"))["items"]
        first, *_ = (await browser.get(f"/v1/call-ups/{call_up['call_up']}/telephone-list"))[
            "items"
        ]
        await browser.done(f"/v1/summons/{first['summons']}/answer", {"answer": "accepted"})
        await browser.done(f"/v1/postings/{tired}/stay", {})
        assert (await browser.get(f"/v1/demands/{sought['demand']}/postings"))["items"] == []
        board = await browser.get(f"/v1/call-ups/{call_up['call_up']}")
        assert [board["lines"][0][one] for one in ("needed", "waiting", "placed")] == [0, 0, 0]
        # Asked again, others are asked anew.
        await browser.done(f"/v1/postings/{tired}/relief", {"why": "tired"})
        assert len((await browser.get("/v1/call-ups"))["items"]) == 2

    at_the_desk(play, story)


def test_whoever_collapses_is_replaced_and_stands_nowhere_before_they_are_cleared(play: Play):
    async def story(muster: Instance, door: Door, browser: Browser) -> None:
        _, (hurt, other) = await stood(muster, browser, "w1", "w2")
        tonight = now() + timedelta(hours=14)
        times = {
            "starts_at": tonight.isoformat(),
            "ends_at": (tonight + timedelta(hours=4)).isoformat(),
        }
        place = {"area": "G1", "role": "queue_guide", "count": 5, **times}
        later = (await browser.done("/v1/demands", place))["id"]
        await browser.done(f"/v1/demands/{later}/postings", {"staff": str(named("w1"))})
        incident = await browser.done(
            "/v1/incidents", {"posting": hurt, "kind": "collapse", "note": "中暑晕倒，已送医"}
        )
        assert await kinds(muster) == ["incident"]
        assert [one["posting"] for one in (await browser.get("/v1/clocks?area=S1"))["items"]] == [
            other
        ]
        assert (await browser.get(f"/v1/demands/{later}/postings"))["items"] == []
        assert [one["needed"] for one in (await browser.get("/v1/call-ups"))["items"]] == [1]
        body = {"staff": str(named("w1"))}
        assert await browser.refused(f"/v1/demands/{later}/postings", body) == "not-cleared"
        lifted = body | {"overridden": ["not_cleared"], "reason": "人手不足"}
        assert await browser.refused(f"/v1/demands/{later}/postings", lifted) == "never-lifted"
        assert str(named("w1")) not in {
            one["staff"] for one in await browser.get(f"/v1/demands/{later}/fills")
        }
        (listed,) = (await browser.get("/v1/incidents"))["items"]
        assert (listed["incident"], listed["kind"], listed["cleared"]) == (
            incident["id"],
            "collapse",
            False,
        )
        await browser.done(f"/v1/incidents/{incident['id']}/clear", {})
        assert (await browser.get("/v1/incidents"))["items"] == []
        assert await kinds(muster) == []
        await browser.done(f"/v1/demands/{later}/postings", body)

    at_the_desk(play, story)


def test_what_nobody_sees_to(play: Play):
    async def story(muster: Instance, door: Door, browser: Browser) -> None:
        await muster.door.append(
            events("""
            07:30  SiteListed   X2  area=G2
            07:40  SiteOpened   X1
            07:40  SiteOpened   X2
        """)
        )

        async def gaps(kind: str, more: str = "") -> list[tuple[str, str]]:
            found = (await browser.get(f"/v1/gaps/{kind}?area=S1{more}"))["items"]
            return sorted((one["site_code"] if one.get("site_code") else one["area_name"], one["why"])
                          for one in found)  # fmt: skip

        _, (idle,) = await stood(muster, browser, "w1", role="other")
        await stood(muster, browser, "w2", role="police")
        await stood(muster, browser, "w3", role="door_worker", site=None)
        assert await gaps("no_task") == [("X1", "nothing_given")]
        assert await gaps("no_police") == [("X2", "nobody")]
        assert await gaps("grid_uncovered") == [("G2", "nobody")]
        await browser.done(f"/v1/postings/{idle}/work", {"what": "三号楼送菜"})
        assert await gaps("no_task") == []
        assert await gaps("no_chief") == [("X1", "chief"), ("X2", "chief")]
        for part, who in (("chief", "w4"), ("deputy", "w5"), ("relief", "w6")):
            body = {"part": part, "site": "X1", "staff": str(named(who))}
            await browser.done("/v1/leads", body)
        assert await gaps("no_chief") == [("X2", "chief")]
        led = (await browser.get("/v1/leads?area=S1&reason=call_back"))["items"]
        assert [(one["part"], one["name"]) for one in led] == [
            ("chief", "李四"), ("deputy", "李五"), ("relief", "李六"),
        ]  # fmt: skip
        assert await gaps("no_owner", "&level=building") == [
            ("H1", "building"), ("H2", "building"), ("H3", "building"),
        ]  # fmt: skip
        for area in ("H1", "H2", "S1"):
            await browser.done("/v1/owners", {"area": area, "staff": str(named("w7"))})
        assert await gaps("no_owner") == [("G1", "grid"), ("G2", "grid"), ("H3", "building")]
        owners = await browser.get("/v1/owners?area=H1&reason=call_back")
        assert [(one["level"], one["name"]) for one in owners] == [
            ("street", "李七"), ("grid", None), ("building", "李七"),
        ]  # fmt: skip

    at_the_desk(play, story)


def test_a_proof_is_asked_for_where_the_demand_says_so(play: Play):
    async def story(muster: Instance, door: Door, browser: Browser) -> None:
        starts_at = now() + timedelta(hours=2)
        ends_at = starts_at + timedelta(hours=2)
        body = {"area": "G1", "role": "driver", "count": 1, "skill": "driving", "proven": True,
                "starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}  # fmt: skip
        demand = (await browser.done("/v1/demands", body))["id"]
        assert await browser.get(f"/v1/demands/{demand}/fills") == []
        proof = {"skill": "driving", "issuer": "车管所", "on": "2020-01-01"}
        for who, until in (("w3", "2020-12-31"), ("w4", None)):
            await browser.done(
                f"/v1/staff/{named(who)}/proofs", proof | {"until": until, "number": "A-12345"}
            )
        found = await browser.get(f"/v1/demands/{demand}/fills")
        assert [one["staff"] for one in found] == [str(named("w4"))]

    at_the_desk(play, story)


def test_without_an_account_one_rests_and_asks_for_relief_behind_the_link(play: Play):
    async def story(muster: Instance, door: Door, browser: Browser) -> None:
        _, call_up = await called(browser)
        first, *_ = await telephones(browser, call_up)
        async with httpx.AsyncClient(base_url=door.address) as http:

            async def say(answer: str) -> str:
                return (await form(http, first["link"], answer=answer, lang="en")).text

            assert "You have a place" in await say("accepted")
            assert "Ask whoever leads the site" in await say("break")  # not there yet
            at = (await browser.get(f"/v1/call-ups/{call_up}"))["lines"][0]["arrival_path"]
            await form(http, at, phone=first["phone"], lang="en")
            assert "You are taking a break" in await say("break")
            assert "You are taking a break" in await say("break")
            assert "You are checked in" in await say("work_again")
            assert "somebody is being called" in await say("relief")
            assert await kinds(muster) == ["relief_asked"]
            assert "You are checked in" in await say("stay")
            assert await kinds(muster) == []

    at_the_desk(play, story)
