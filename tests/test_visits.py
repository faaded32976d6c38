"""From the tree to the door: figures per area, who lives behind a door, what is said there and taken back,
whose way it is, and what keeps a round open.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from muster.access.decide import Grant
from muster.core.clock import now
from muster.instance import Instance
from muster.keeping.follower import catch_up
from tests.browsers import Browser, Door, someone, visit
from tests.conftest import Play
from tests.import_files import select
from tests.table import events, named

Story = Callable[[Instance, Door, Browser], Awaitable[Any]]
ONE = "/v1/stances/00000000-0000-4000-8000-000000000000"
# Every route that is asked here, for tests/test_routes.py.
ANSWERED = {
    ("GET", "/v1/rounds/R/tree"), ("GET", "/v1/rounds/R/doors"), ("POST", "/v1/rounds/R/stances"),
    ("GET", "/v1/rounds/R/waiting"), ("GET", "/v1/rounds/R/unplaced"),
    ("POST", f"{ONE}/undo"), ("GET", "/v1/walkers"), ("GET", "/v1/rounds/R/assignments"),
    ("POST", "/v1/rounds/R/assignments"), ("GET", "/v1/rounds/R/closing"),
    ("POST", "/v1/assignments/00000000-0000-4000-8000-000000000000/reassign"),
    ("POST", "/v1/assignments/00000000-0000-4000-8000-000000000000/withdraw"),
}  # fmt: skip
STREET = """
    07:00  AreaListed     D    level=district code=D name=芝罘区
    07:00  AreaListed     S    level=street parent=D code=S name=东山街道
    07:00  AreaListed     T    level=street parent=D code=T name=向阳街道
    07:00  AreaListed     K    level=community parent=S code=K name=一社区
    07:00  AreaListed     B1   level=building parent=K code=B1 name=1号楼
    07:00  AreaListed     B2   level=building parent=K code=B2 name=2号楼
    07:00  AreaListed     B3   level=building parent=T code=B3 name=3号楼
    07:00  RoundOpened    R    areas=D name=R
    07:10  ResidentListed ann  building=B1 room=101 name=王一
    07:10  ResidentListed bob  building=B1 room=101 name=王二
    07:10  ResidentListed cat  building=B1 room=102 name=李三
    07:10  ResidentListed dan  building=B2 room=201 name=赵四
    07:10  ResidentListed eve  building=B3 room=301 name=孙五
    08:00  TubeSealed     T1   members=ann,dan round=R
"""


async def followed(muster: Instance) -> None:
    async with muster.pool.connection() as conn:
        await catch_up(conn, muster.door.catalogue)


def at_work(play: Play, story: Story, *grants: Grant) -> None:
    async def inside(muster: Instance, door: Door) -> None:
        await muster.door.append(events(STREET))
        await someone(muster, "walker", Grant("grid_worker", area=named("K")))
        await someone(muster, "stranger", Grant("grid_worker", area=named("T")))
        await someone(muster, "lead", *(grants or (Grant("command_post", everywhere=True),)))
        async with door.signed_in("lead") as browser:
            await browser.set_up_codes()
            await followed(muster)
            await story(muster, door, browser)

    visit(play, inside)


def sums(items: list[dict[str, Any]]) -> list[tuple[str, int, int, int]]:
    return [(one["code"], one["expected"], one["sampled"], one["missing"]) for one in items]


def test_the_tree_adds_up_at_every_level(play: Play):
    async def story(_muster: Instance, _door: Door, browser: Browser) -> None:
        top = await browser.get("/v1/rounds/R/tree")
        assert sums(top["items"]) == [("D", 5, 2, 3)]
        streets = await browser.get("/v1/rounds/R/tree?area=D")
        assert sums(streets["items"]) == [("S", 4, 2, 2), ("T", 1, 0, 1)]
        assert (streets["total"]["missing"], streets["behind_events"]) == (3, 0)
        assert streets["as_of"]
        houses = await browser.get("/v1/rounds/R/tree?area=K")
        assert sums(houses["items"]) == [("B1", 3, 1, 2), ("B2", 1, 1, 0)]
        assert [one["name"] for one in houses["line"]] == ["芝罘区", "东山街道", "一社区"]
        assert [one["children"] for one in streets["items"]] == [1, 1]

    at_work(play, story)


def test_who_leads_a_street_sees_that_street(play: Play):
    async def story(_muster: Instance, _door: Door, browser: Browser) -> None:
        assert sums((await browser.get("/v1/rounds/R/tree"))["items"]) == [("S", 4, 2, 2)]
        answer = await browser.ask("GET", "/v1/rounds/R/tree?area=T")
        assert answer.status_code == 403
        for path in ("doors", "assignments"):
            answer = await browser.ask("GET", f"/v1/rounds/R/{path}?area=B3")
            assert answer.status_code == 403
        said = {"person": str(named("eve")), "said": "refused"}
        assert await browser.refused("/v1/rounds/R/stances", said) == "person-unknown"
        given = {"area": "B3", "login": "stranger", "due_at": "2199-01-01T00:00:00Z"}
        assert await browser.refused("/v1/rounds/R/assignments", given) == "outside-your-area"

    at_work(play, story, Grant("area_lead", area=named("S")))


def test_a_closed_round_shows_its_sheet(play: Play):
    async def story(muster: Instance, _door: Door, browser: Browser) -> None:
        closing = await browser.get("/v1/rounds/R/closing")
        assert [(o["what"], o["count"], o["stops"]) for o in closing["open"]] == [
            ("missing", 3, True), ("pending", 2, True),
        ]  # fmt: skip
        assert await browser.refused("/v1/rounds/R/close", {}) == "round-still-open"
        await browser.done("/v1/rounds/R/close", {"allow_open": True})
        await followed(muster)
        streets = await browser.get("/v1/rounds/R/tree?area=D")
        assert streets["closed"]
        assert sums(streets["items"]) == [("S", 4, 2, 2), ("T", 1, 0, 1)]
        said = {"person": str(named("bob")), "said": "refused"}
        assert await browser.refused("/v1/rounds/R/stances", said) == "round-over"

    at_work(play, story)


def test_a_door_shows_its_last_visit_and_the_building_when_it_was_called(play: Play):
    async def story(muster: Instance, _door: Door, browser: Browser) -> None:
        await muster.door.append(events("""
            08:00  SiteListed      X    area=K name=东门
            09:00  VisitMade       bob  outcome=not_home round=R again_at=18:00
            09:01  RefusalRecorded cat  round=R reason=afraid
            09:02  BuildingCalled  B1   round=R to_site=X
            09:03  BuildingCalled  B1   round=R
            09:04  BuildingCalled  B2   round=R
        """))  # fmt: skip
        doors = await browser.get("/v1/rounds/R/doors?area=B1")
        assert [(one["site_name"], one["called_by"]) for one in doors["calls"]] == [
            (None, "tester"), ("东门", "tester")
        ]  # fmt: skip
        told = {one["person"]: one for one in doors["people"]}
        bob, cat, ann = (told[str(named(one))] for one in ("bob", "cat", "ann"))
        assert (bob["visit"], bob["standing"]) == ("not_home", "missing")
        assert bob["again_at"].startswith("2022-08-01T10:00")
        assert (cat["standing"], cat["reason"], cat["visit"]) == ("refused", "afraid", None)
        assert (ann["visit"], ann["visited_at"], ann["again_at"]) == (None, None, None)

    at_work(play, story)


async def standings(browser: Browser, area: str = "B1") -> list[tuple[str, str, str]]:
    doors = await browser.get(f"/v1/rounds/R/doors?area={area}")
    return [(one["room"], one["name"], one["standing"]) for one in doors["people"]]


def test_what_is_said_at_the_door_is_recorded_and_taken_back(play: Play):
    async def story(muster: Instance, _door: Door, browser: Browser) -> None:
        at_first = [("101", "王*", "missing"), ("101", "王*", "sampled"), ("102", "李*", "missing")]
        assert sorted(await standings(browser)) == at_first
        bob, cat = str(named("bob")), str(named("cat"))
        path = "/v1/rounds/R/stances"
        no_reason = {"person": cat, "said": "exempt"}
        assert await browser.refused(path, no_reason) == "reason-wanted"
        refused = await browser.done(path, {"person": bob, "said": "refused", "note": "要求上门"})
        exempt = await browser.done(path, no_reason | {"reason": "bedridden", "every_round": True})
        assert [one[2] for one in sorted(await standings(browser))] == [
            "refused",
            "sampled",
            "exempt",
        ]
        again = {"person": bob, "said": "refused"}
        assert await browser.refused(path, again) == "stands-already"
        sampled = {"person": str(named("ann")), "said": "refused"}
        assert await browser.refused(path, sampled) == "sampled-already"
        await followed(muster)
        (house, _) = (await browser.get("/v1/rounds/R/tree?area=K"))["items"]
        assert (house["missing"], house["refused"], house["exempt"]) == (0, 1, 1)
        for event in (refused["event"], exempt["event"]):
            await browser.done(f"/v1/stances/{event}/undo")
            assert await browser.refused(f"/v1/stances/{event}/undo") == "nothing-to-take-back"
        assert sorted(await standings(browser)) == at_first
        (found,) = await select(muster, "SELECT count(*), min(e.actor) FROM ledger.event e"
                                " WHERE type = 'StanceWithdrawn'")  # fmt: skip
        assert found == (2, "lead")

    at_work(play, story)


def test_away_is_taken_back_to_what_was(play: Play):
    async def story(_muster: Instance, _door: Door, browser: Browser) -> None:
        id_ = "01890000-0000-7000-8000-000000000001"
        said = {"person": str(named("cat")), "said": "away", "id": id_}
        for _ in range(2):  # sent again because its answer was lost
            assert await browser.done("/v1/rounds/R/stances", said) == {"event": id_}
        assert ("102", "李*", "away") in await standings(browser)
        await browser.done(f"/v1/stances/{id_}/undo")
        assert ("102", "李*", "missing") in await standings(browser)
        back = {"person": str(named("cat")), "said": "back"}
        assert await browser.refused("/v1/rounds/R/stances", back) == "stands-already"
        await browser.done("/v1/rounds/R/stances", back | {"said": "away"})
        await browser.done("/v1/rounds/R/stances", back)
        assert ("102", "李*", "missing") in await standings(browser)

    at_work(play, story)


def test_the_missing_of_an_area_are_somebodys_way(play: Play):
    async def story(_muster: Instance, door: Door, browser: Browser) -> None:
        path = "/v1/rounds/R/assignments"
        walkers = await browser.get("/v1/walkers?area=B1")
        assert [(one["login"], one["whole"]) for one in walkers] == [("walker", True)]
        due = (now() + timedelta(hours=3)).isoformat()
        given = {"area": "B1", "login": "walker", "due_at": due}
        over = given | {"due_at": "2022-01-01T00:00:00Z"}
        assert await browser.refused(path, over) == "deadline-over"
        assert await browser.refused(path, given | {"login": "stranger"}) == "no-walker"
        task = (await browser.done(path, given))["task"]
        assert await browser.refused(path, given) == "assigned-already"
        async with door.signed_in("walker") as walker:
            (found,) = (await walker.get("/v1/tasks"))["items"]
            assert (found["kind"], found["area_code"], found["task"]) == (
                "door_to_door",
                "B1",
                task,
            )
            await walker.done(f"/v1/tasks/{task}/acknowledge")
        async with door.signed_in("stranger") as stranger:
            assert (await stranger.get("/v1/tasks"))["items"] == []
        (one,) = await browser.get(f"{path}?area=D")
        assert (one["login"], one["state"], one["missing"], one["expected"], one["overdue"]) == (
            "walker", "acknowledged", 2, 3, False,
        )  # fmt: skip
        assert one["issued_by"] == "lead"
        new = await browser.done(
            f"/v1/assignments/{task}/reassign", {"login": "walker", "due_at": due}
        )
        states = [(o["task"], o["state"]) for o in await browser.get(f"{path}?area=K")]
        assert states == [(new["task"], "issued"), (task, "withdrawn")]
        await browser.done(f"/v1/assignments/{new['task']}/withdraw")
        assert await browser.refused(f"/v1/assignments/{new['task']}/withdraw") == "assignment-over"

    at_work(play, story)


def test_who_keeps_a_round_open_is_listed_until_answered(play: Play):
    async def story(muster: Instance, _door: Door, browser: Browser) -> None:
        async def names(what: str, area: str = "D") -> list[tuple[str, str]]:
            found = await browser.get(f"/v1/rounds/R/waiting?area={area}&what={what}")
            return [(one["building_code"], one["name"]) for one in found["items"]]

        assert await names("pending") == [("B1", "王*"), ("B2", "赵*")]
        assert await names("pending", "B2") == [("B2", "赵*")]
        assert await names("pending", "B2&reason=call_back") == [("B2", "赵四")]
        assert await names("invalid") == await names("pending", "T") == []
        await muster.door.append(events("12:00 ResultReleased r1 barcode=T1 outcome=invalid"))
        await followed(muster)
        assert await names("invalid") == [("B1", "王*"), ("B2", "赵*")]
        assert await names("pending") == []
        await muster.door.append(events("13:00 TubeSealed T2 members=ann round=R"))
        await followed(muster)
        assert await names("pending") == [("B1", "王*")]
        assert await names("invalid") == [("B2", "赵*")]
        await muster.door.append(events("14:00 ResultReleased r2 barcode=T2 outcome=negative"))
        await followed(muster)
        assert await names("pending") == []
        assert await names("invalid") == [("B2", "赵*")]
        top = (await browser.get("/v1/rounds/R/tree"))["total"]
        assert (top["resulted"], top["invalid"], top["pending"]) == (1, 1, 0)

    at_work(play, story)


def test_walk_ins_that_live_nowhere_are_listed(play: Play):
    async def story(muster: Instance, _door: Door, browser: Browser) -> None:
        assert (await browser.get("/v1/rounds/R/unplaced"))["items"] == []
        await muster.door.append(events("""
            09:00 ResidentListed wei source=walk_in name=魏六
            09:10 TubeSealed T3 members=wei,bob round=R barcode=T3
        """))  # fmt: skip
        await followed(muster)
        (found,) = (await browser.get("/v1/rounds/R/unplaced"))["items"]
        assert (found["name"], found["barcode"]) == ("魏*", "T3")
        told = (await browser.get("/v1/rounds/R/closing"))["open"]
        assert ("unplaced", 1) in [(one["what"], one["count"]) for one in told]
        placed = "10:00 ResidentListed wei building=B1 room=9 name=魏六"
        await muster.door.append(events(placed))
        await followed(muster)
        assert (await browser.get("/v1/rounds/R/unplaced"))["items"] == []

    at_work(play, story)
