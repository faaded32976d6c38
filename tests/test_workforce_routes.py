"""Call-ups over HTTP: opened at a desk, answered behind links without an account, checked in at the post."""

from datetime import timedelta
from typing import Any

import httpx

from muster.access.decide import Grant
from muster.catalogue import CATALOGUE
from muster.core.clock import now
from muster.core.problems import Problem
from muster.instance import Instance
from muster.keeping.follower import catch_up
from muster.workforce import links
from muster.workforce.calling import fill_open_call_ups
from tests.browsers import Browser, Door, someone, visit
from tests.conftest import Play
from tests.table import STREET_UNITS, events, named

NOBODY = "00000000-0000-4000-8000-000000000000"
ANSWERED = {
    ("GET", "/v1/staff"), ("POST", "/v1/demands"), ("GET", "/v1/call-ups"), ("POST", "/v1/call-ups"),
    ("GET", "/v1/call-ups/C"), ("GET", "/v1/call-ups/C/telephone-list"), ("POST", "/v1/call-ups/C/top-up"),
    ("POST", "/v1/call-ups/C/stop"), ("POST", f"/v1/summons/{NOBODY}/answer"),
    ("GET", "/v1/posts/at-risk"), ("GET", f"/v1/demands/{NOBODY}/fills"),
    ("GET", f"/v1/demands/{NOBODY}/postings"), ("POST", f"/v1/demands/{NOBODY}/postings"),
    ("POST", f"/v1/postings/{NOBODY}/free"), ("POST", f"/v1/postings/{NOBODY}/arrive"),
    ("POST", f"/v1/postings/{NOBODY}/relieve"), ("GET", "/r/w/C"), ("POST", "/r/w/C"), ("GET", "/r/at/C"),
    ("POST", "/r/at/C"),
    *(("POST", f"/v1/postings/{NOBODY}/{what}")
        for what in ("break", "work-again", "relief", "stay", "hand-over", "work")),
    ("GET", "/v1/clocks"), ("GET", f"/v1/postings/{NOBODY}/hand-over"), ("GET", "/v1/incidents"),
    ("POST", "/v1/incidents"), ("POST", f"/v1/incidents/{NOBODY}/clear"), ("GET", "/v1/gaps/C"),
    ("GET", "/v1/leads"), ("POST", "/v1/leads"), ("GET", "/v1/owners"), ("POST", "/v1/owners"),
    ("POST", f"/v1/staff/{NOBODY}/proofs"), ("GET", "/v1/heat"), ("POST", "/v1/heat"),
}  # fmt: skip
STAFF = "\n".join(
    f"07:01  StaffListed  w{n}  unit={'U1' if n < 6 else 'U2'} home=G1 name=李{'一二三四五六七八九'[n - 1]}"
    f" phone=1380000000{n}"
    for n in range(1, 10)
)
SCENE = f"{STREET_UNITS}\n    07:01  SiteListed  X1  area=G1 name=东门\n{STAFF}"


def at_the_desk(play: Play, story: Any) -> None:
    async def inside(muster: Instance, door: Door) -> None:
        await muster.door.append(events(SCENE))
        await someone(muster, "lead", Grant("command_post", everywhere=True))
        async with muster.pool.connection() as conn:
            await catch_up(conn, CATALOGUE)
        async with door.signed_in("lead") as browser:
            await browser.set_up_codes()
            await story(muster, door, browser)

    visit(play, inside)


async def called(browser: Browser, count: int = 2, **said: Any) -> tuple[str, str]:
    """A demand of the site and its call-up."""
    starts_at = now() + timedelta(hours=1)
    body = {"area": "G1", "site": "X1", "role": "queue_guide", "count": count, "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=4)).isoformat()} | said  # fmt: skip
    demand = (await browser.done("/v1/demands", body))["id"]
    made = await browser.done(
        "/v1/call-ups", {"name": "夜班", "demands": [demand], "answer_minutes": 5}
    )
    return demand, made["call_up"]


async def telephones(browser: Browser, call_up: str) -> list[dict[str, Any]]:
    """Those who have not answered yet, with their links."""
    return (await browser.get(f"/v1/call-ups/{call_up}/telephone-list?reason=call_back"))["items"]


async def form(http: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    return await http.post(path, data=fields, headers={"accept-language": "en"})


def test_from_the_demand_to_the_post(play: Play):
    async def story(muster: Instance, door: Door, browser: Browser) -> None:
        demand, call_up = await called(browser)
        first = await telephones(browser, call_up)
        assert len(first) == 4  # two places at 55 %
        assert {len(one["phone"]) for one in first} == {11}
        async with httpx.AsyncClient(base_url=door.address) as http:
            shown = await http.get(first[0]["link"])
            assert (shown.status_code, "夜班" in shown.text, "东门" in shown.text) == (
                200,
                True,
                True,
            )
            said = await form(http, first[0]["link"], answer="accepted", lang="en")
            assert "You have a place" in said.text
            again = await form(http, first[0]["link"], answer="accepted", lang="en")
            assert "You have a place" in again.text
            await form(http, first[1]["link"], answer="declined", lang="en")
            await form(http, first[2]["link"], answer="accepted", lang="en")
            full = await form(http, first[3]["link"], answer="accepted", lang="en")
            assert (full.status_code, "All places are taken" in full.text) == (409, True)

            board = await browser.get(f"/v1/call-ups/{call_up}")
            (line,) = board["lines"]
            counts = ("needed", "asked", "accepted", "declined", "placed", "arrived")
            assert [line[one] for one in counts] == [2, 4, 3, 1, 2, 0]

            at = line["arrival_path"]
            assert "东门" in (await http.get(at)).text
            other = await form(http, at, phone="13800000099", lang="en")
            assert (other.status_code, "no place here" in other.text) == (404, True)
            here = await form(http, at, phone=f"+86 {first[0]['phone']}", lang="en")
            assert "You are checked in" in here.text
            assert "You are checked in" in (await http.get(f"{first[0]['link']}?lang=en")).text
        board = await browser.get(f"/v1/call-ups/{call_up}")
        assert [board["lines"][0][one] for one in counts] == [2, 4, 3, 1, 2, 1]
        listed = (await browser.get(f"/v1/demands/{demand}/postings"))["items"]
        assert sorted(one["state"] for one in listed) == ["arrived", "posted"]
        assert all("*" in one["name"] for one in listed)
        (summary,) = (await browser.get("/v1/call-ups"))["items"]
        assert (summary["needed"], summary["placed"], summary["arrived"]) == (2, 2, 1)

    at_the_desk(play, story)


def test_a_caller_answers_and_the_clock_asks_others(play: Play):
    async def story(muster: Instance, _door: Door, browser: Browser) -> None:
        _, call_up = await called(browser)
        first = await telephones(browser, call_up)
        for one in first:
            said = await browser.done(
                f"/v1/summons/{one['summons']}/answer", {"answer": "declined"}
            )
            assert said["state"] == "declined"
        asked = await fill_open_call_ups(muster, now())
        second = await telephones(browser, call_up)
        assert asked == len(second) > 0
        assert not {one["staff"] for one in first} & {one["staff"] for one in second}
        said = await browser.done(
            f"/v1/summons/{second[0]['summons']}/answer", {"answer": "accepted"}
        )
        assert said["posting"]
        await browser.done(f"/v1/postings/{said['posting']}/free", {"why": "no_show"})
        await browser.done(f"/v1/call-ups/{call_up}/top-up")
        await browser.done(f"/v1/call-ups/{call_up}/stop")
        assert await telephones(browser, call_up) == []
        assert await fill_open_call_ups(muster, now()) == 0

    at_the_desk(play, story)


def test_a_call_up_that_is_over_is_closed_by_the_clock(play: Play):
    async def story(muster: Instance, _door: Door, browser: Browser) -> None:
        _, call_up = await called(browser)
        await fill_open_call_ups(muster, now() + timedelta(hours=6))
        assert (await browser.get(f"/v1/call-ups/{call_up}"))["closed_why"] == "over"

    at_the_desk(play, story)


def test_given_a_place_by_name_and_relieved(play: Play):
    async def story(_muster: Instance, _door: Door, browser: Browser) -> None:
        demand, _ = await called(browser, role="sampler")
        one = {"staff": str(named("w1"))}
        place = f"/v1/demands/{demand}/postings"
        assert await browser.refused(place, one) == "limit-broken"
        assert (
            await browser.refused(place, one | {"overridden": ["not_trained"]}) == "reason-missing"
        )
        lifted = one | {"overridden": ["not_trained"], "reason": "护士，证书后补"}
        posting = (await browser.done(place, lifted))["id"]
        at = f"/v1/postings/{posting}"
        assert await browser.refused(f"{at}/relieve", {}) == "place-not-theirs"
        await browser.done(f"{at}/arrive")
        await browser.done(f"{at}/relieve", {})
        (line,) = (await browser.get(f"/v1/demands/{demand}/postings"))["items"]
        assert (line["state"], line["overridden"], line["posted_by"]) == (
            "left",
            ["not_trained"],
            "lead",
        )

    at_the_desk(play, story)


def test_posts_at_risk_and_who_could_fill_them(play: Play):
    """Empty places, who is late, who did not come the last time; nobody who stands elsewhere is proposed."""

    async def story(muster: Instance, _door: Door, browser: Browser) -> None:
        at = now()

        async def stands(who: str, start: float, end: float, count: int = 1) -> str:
            times = {"starts_at": at + timedelta(hours=start), "ends_at": at + timedelta(hours=end)}
            said = {"area": "G1", "role": "caller", "count": count} | {
                k: v.isoformat() for k, v in times.items()
            }
            demand = (await browser.done("/v1/demands", said))["id"]
            place = {"staff": str(named(who))}
            made[who] = (await browser.done(f"/v1/demands/{demand}/postings", place))["id"]
            return demand

        made: dict[str, str] = {}
        await muster.door.append(events("""
            07:30  DemandRaised  D7  area=G1 count=1
            07:30  StaffPosted   q7  staff=w2 demand=D7
        """))  # fmt: skip
        running = await stands("w1", -1, 3)  # should stand there, and does not
        soon = await stands("w2", 2, 5, 3)  # two places nobody has
        fine = await stands("w3", 2, 5)
        later = await stands("w4", 30, 34, 2)  # not within the hours asked for
        listed = (await browser.get("/v1/posts/at-risk"))["items"]
        shown = [(one["demand"], one["empty"], one["late"], one["missed"]) for one in listed]
        assert shown == [(running, 0, 1, 0), (soon, 2, 0, 1)]
        assert fine not in str(listed)
        within = (await browser.get("/v1/posts/at-risk?hours=48&area=G1"))["items"]
        assert [one["demand"] for one in within] == [running, soon, later]

        await browser.done(f"/v1/postings/{made['w1']}/arrive")
        proposed = await browser.get(f"/v1/demands/{soon}/fills?reason=call_back")
        names = {one["name"] for one in proposed}
        assert len(proposed) == 6
        assert not names & {"李一", "李二", "李三"}  # they stand somewhere about then
        assert names <= {f"李{n}" for n in "四五六七八九"}

    at_the_desk(play, story)


def test_a_link_that_nobody_made_leads_nowhere(play: Play):
    async def story(muster: Instance, door: Door, browser: Browser) -> None:
        _, call_up = await called(browser)
        link = (await telephones(browser, call_up))[0]["link"]
        wrong = [link[:-1] + ("0" if link[-1] != "0" else "1"), link[:-10], link.replace("/w/", "/at/"),
                 "/r/w/%E6%9D%8E", f"/r/w/{'Z' * 36}"]  # fmt: skip
        async with httpx.AsyncClient(base_url=door.address) as http:
            for path in wrong:
                assert (await http.get(path)).status_code == 404, path
                assert (await form(http, path, answer="accepted")).status_code == 404, path
        masked = (await browser.get(f"/v1/call-ups/{call_up}/telephone-list"))["items"]
        assert {one["link"] for one in masked} == {None}
        assert links.summons_of(muster.vault, "") is None

    at_the_desk(play, story)


def test_what_cannot_be(play: Play):
    async def story(_muster: Instance, _door: Door, browser: Browser) -> None:
        demand, call_up = await called(browser)
        then = now() - timedelta(hours=9)
        late = {"area": "G1", "role": "caller", "count": 1, "starts_at": then.isoformat(),
                "ends_at": (then + timedelta(hours=1)).isoformat()}  # fmt: skip
        refused: list[tuple[str, Any, str]] = [
            ("/v1/demands", late, "shift-unfit"),
            ("/v1/demands", late | {"site": "X9"}, "site-unknown"),
            ("/v1/call-ups", {"name": "n", "demands": [NOBODY]}, "demand-unknown"),
            ("/v1/call-ups", {"name": "n", "demands": [demand], "units": ["U9"]}, "unit-unknown"),
            (f"/v1/summons/{NOBODY}/answer", {"answer": "accepted"}, "summons-unknown"),
            (f"/v1/demands/{demand}/postings", {"staff": NOBODY}, "staff-unknown"),
            (f"/v1/postings/{NOBODY}/free", {"why": "mistake"}, "posting-unknown"),
            ("/v1/call-ups/none/stop", None, "call-up-unknown"),
        ]
        for path, body, slug in refused:
            assert await browser.refused(path, body) == slug
            assert Problem.catalogue[slug].zh
        assert call_up

    at_the_desk(play, story)
