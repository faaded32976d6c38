"""Teams over HTTP: formed one by one and evenly from many; their lists and badges as they are printed."""

import io
from typing import Any

import pypdf
import zxingcpp
from PIL import Image

from muster.instance import Instance
from muster.papers import team_sheets
from muster.registry.engine.personal_code import written_id
from tests.browsers import Browser, Door
from tests.conftest import Play
from tests.table import events, named
from tests.test_reports import text_of
from tests.test_workforce_routes import NOBODY, at_the_desk, called

ANSWERED = {
    ("GET", "/v1/teams"), ("POST", "/v1/teams"), ("POST", "/v1/team-groups"), ("GET", "/v1/teams/C"),
    ("GET", "/v1/teams/C/members"),
    *(("POST", f"/v1/teams/{NOBODY}/{what}") for what in ("change", "dissolve", "join", "let-go")),
    ("GET", "/v1/aid"), ("POST", "/v1/aid"), ("GET", "/v1/aid/C"), ("POST", f"/v1/aid/{NOBODY}/waves"),
    ("POST", f"/v1/waves/{NOBODY}/arrival"), ("POST", "/v1/duty-carried"), ("POST", "/v1/lodgings"),
    ("POST", f"/v1/aid/{NOBODY}/assign"), ("GET", "/v1/aid/C/posts"), ("POST", f"/v1/aid/{NOBODY}/release"),
    ("POST", f"/v1/aid/{NOBODY}/accounts"), ("GET", "/v1/badges/C"),
    *(("GET", f"/v1/print/{what}") for what in ("badges", "teams", "roster", "certificates", "post")),
}  # fmt: skip
TEAM = {"code": "T1", "name": "先锋队", "kind": "commando", "area": "G1"}
WAY = ("swab", "register", "drive")


def people(*names: str) -> dict[str, list[str]]:
    return {"staff": [str(named(one)) for one in names]}


async def paper(browser: Browser, path: str) -> bytes:
    answer = await browser.ask("GET", path)
    assert (answer.status_code, answer.headers.get("content-type")) == (200, "application/pdf"), (
        answer.text
    )
    return answer.content


async def codes_of(browser: Browser, path: str) -> list[str]:
    """What a scanner reads off the first page."""
    answer = await browser.ask("GET", f"{path}&format=png")
    assert answer.headers["content-type"] == "image/png", answer.text
    picture = Image.open(io.BytesIO(answer.content)).convert("L")
    return sorted(one.text for one in zxingcpp.read_barcodes(picture))


def test_a_team_is_formed_changed_joined_left_and_dissolved(play: Play):
    async def story(_muster: Instance, _door: Door, browser: Browser) -> None:
        team = (await browser.done("/v1/teams", TEAM))["team"]
        assert await browser.refused("/v1/teams", TEAM) == "team-code-taken"
        other = (await browser.done("/v1/teams", TEAM | {"area": "G2"}))["team"]

        assert (await browser.ask("GET", "/v1/teams/T1")).json()["type"].endswith("team-ambiguous")
        at = f"/v1/teams/{team}"
        said = TEAM | {
            "leader": str(named("w1")),
            "marking": "green",
            "vehicle": "闽A·1",
            "lodging": "中学",
        }
        await browser.done(f"{at}/change", said)
        assert await browser.done(f"{at}/join", people("w1", "w2", "w7")) == {"people": 3}
        assert await browser.done(f"{at}/join", people("w1", "w3")) == {"people": 1}
        assert await browser.done(f"{at}/let-go", people("w2", "w9") | {"why": "mistake"}) == {
            "people": 1
        }
        shown = await browser.get(at)
        assert (shown["people"], shown["marking"], shown["pattern"], shown["lodging"]) == (
            3, "green", "checks", "中学",
        )  # fmt: skip
        assert shown["composition"] == {"total": {"people": "<5"}}
        listed = (await browser.get(f"{at}/members?reason=call_back"))["items"]
        assert (listed[0]["name"], listed[0]["part"]) == ("李一", "leader")
        assert {one["name"] for one in listed} == {"李一", "李三", "李七"}
        masked = await browser.get(f"{at}/members?limit=1")
        assert (masked["items"][0]["name"], len(masked["items"])) == ("李*", 1)
        assert await browser.get(f"{at}/members?limit=2&after={masked['next']}") == {
            "items": (await browser.get(f"{at}/members"))["items"][1:], "next": None,
        }  # fmt: skip
        # Another team of the kind: who joins it has left the first.
        await browser.done(f"/v1/teams/{other}/join", people("w7"))
        assert (await browser.get(at))["people"] == 2
        await browser.done(f"{at}/dissolve")
        await browser.done(f"{at}/dissolve")
        assert await browser.refused(f"{at}/join", people("w1")) == "team-dissolved"
        assert [one["team"] for one in (await browser.get("/v1/teams"))["items"]] == [other]
        assert (await browser.get(at))["people"] == 0
        assert (await browser.done("/v1/teams", TEAM))["team"] == team  # formed anew, and empty
        assert (await browser.get(at))["people"] == 0

    at_the_desk(play, story)


def test_a_hundred_and_forty_people_in_fourteen_even_groups_with_their_lists(play: Play):
    async def story(muster: Instance, _door: Door, browser: Browser) -> None:
        sizes = [38, 31, 24, 19, 14, 9, 5]
        await muster.door.append(events("\n".join(
            f"07:00  UnitListed  V{unit}  area=G{unit % 2 + 1} kind={'organ' if unit < 3 else 'school'}\n" + "\n".join(
                f"07:02  StaffListed  v{unit}x{n}  unit=V{unit} sex={'female' if n % 3 else 'male'}"
                f" birth_year={1965 + n} skills={WAY[(n * n + unit) % 3]} name=陈{chr(0x4E00 + 40 * unit + n)}"
                for n in range(size))
            for unit, size in enumerate(sizes)
        )))  # fmt: skip
        all_ = [f"v{unit}x{n}" for unit, size in enumerate(sizes) for n in range(size)]
        wish = {
            "team": TEAM | {"kind": "group", "code": "C", "name": "社区组"},
            "count": 14,
            **people(*all_),
        }
        dry = await browser.done("/v1/team-groups", wish | {"dry": True})
        assert (await browser.get("/v1/teams"))["items"] == []
        made = await browser.done("/v1/team-groups", wish)
        assert made["groups"] == dry["groups"]
        assert sorted(one for group in made["groups"] for one in group["staff"]) == sorted(
            people(*all_)["staff"]
        )
        assert max(made["unevenness"].values()) <= 1, made["unevenness"]
        of = {str(named(one)): one.split("x")[0] for one in all_}
        for unit in {*of.values()}:
            counts = [sum(of[one] == unit for one in group["staff"]) for group in made["groups"]]
            assert max(counts) - min(counts) <= 1
        listed = (await browser.get("/v1/teams?kind=group"))["items"]
        assert [(one["code"], one["people"]) for one in listed] == [
            (f"C-{n:02}", 10) for n in range(1, 15)
        ]
        asked = "&".join(f"team=C-{n:02}" for n in range(1, 15))
        pdf = await paper(browser, f"/v1/print/teams?{asked}&language=zh&reason=call_back")
        assert len(pypdf.PdfReader(io.BytesIO(pdf)).pages) == 14
        text = text_of(pdf)
        shown = await browser.get("/v1/teams/C-01")
        assert shown["composition"]["total"] == {"people": 10}
        assert not any(
            isinstance(count, int) and count < 5
            for cells in shown["composition"].values() for count in cells.values()
        )  # fmt: skip
        assert [
            one
            for one in ("社区组 14 C-14", "人员构成", "红 · 实心", "<5", "陈一")
            if one not in text
        ] == []

    at_the_desk(play, story)


def test_groups_of_a_unit_and_of_who_arrived(play: Play):
    async def story(_muster: Instance, _door: Door, browser: Browser) -> None:
        wish = {"team": TEAM, "count": 2}
        assert await browser.refused("/v1/team-groups", wish) == "people-unsaid"
        both = wish | {"unit": "U1"} | people("w1")
        assert await browser.refused("/v1/team-groups", both) == "people-unsaid"
        groups = (await browser.done("/v1/team-groups", wish | {"unit": "U1"}))["groups"]
        assert sorted(len(one["staff"]) for one in groups) == [2, 3]
        demand, call_up = await called(browser)
        for who, comes in (("w6", True), ("w7", False)):
            place = await browser.done(f"/v1/demands/{demand}/postings", {"staff": str(named(who))})
            if comes:
                await browser.done(f"/v1/postings/{place['id']}/arrive")
        of = {"team": TEAM | {"code": "A"}, "count": 1, "call_up": call_up}
        (only,) = (await browser.done("/v1/team-groups", of))["groups"]
        assert only["staff"] == people("w6")["staff"]
        many = {"team": TEAM | {"code": "B"}, "count": 2, "call_up": call_up}
        assert await browser.refused("/v1/team-groups", many) == "too-few-for-groups"

    at_the_desk(play, story)


def test_badges_say_the_colour_and_are_scanned(play: Play):
    async def story(_muster: Instance, _door: Door, browser: Browser) -> None:
        await browser.done(
            "/v1/teams", TEAM | {"marking": "orange", "badge": "臂章 7", "leader": str(named("w1"))}
        )
        team = (await browser.get("/v1/teams/T1"))["team"]
        await browser.done(f"/v1/teams/{team}/join", people("w1", "w7"))
        pdf = await paper(browser, "/v1/print/badges?team=T1&language=zh&reason=call_back")
        text = text_of(pdf)
        assert [
            one
            for one in ("李一", "李七", "队长", "队员", "先锋队", "橙 · 斜纹", "臂章 7", "U2")
            if one not in text
        ] == []
        assert "李二" not in text
        codes = sorted(team_sheets.BADGE_PREFIX + written_id(named(one)) for one in ("w1", "w7"))
        assert await codes_of(browser, "/v1/print/badges?team=T1") == codes
        english = text_of(await paper(browser, "/v1/print/badges?team=T1&language=en"))
        assert "orange · stripes" in english
        assert "李一" not in english  # masked without a reason
        whose = await browser.get(f"/v1/badges/{codes[0]}?reason=call_back")
        assert (whose["name"], whose["teams"]) in (("李一", ["T1"]), ("李七", ["T1"]))
        nobody = team_sheets.BADGE_PREFIX + written_id(named("w99"))
        assert (await browser.get(f"/v1/badges/{nobody}"))["status"] == 404

    at_the_desk(play, story)


def test_a_team_cannot_be(play: Play):
    async def story(_muster: Instance, _door: Door, browser: Browser) -> None:
        refused: list[tuple[str, Any, str]] = [
            ("/v1/teams", TEAM | {"area": "nowhere"}, "area-unknown"),
            ("/v1/teams", TEAM | {"parent": "T9"}, "team-unknown"),
            ("/v1/teams", TEAM | {"aid": "none"}, "aid-unknown"),
            ("/v1/teams", TEAM | {"leader": NOBODY}, "staff-unknown"),
            ("/v1/teams", TEAM | {"marking": "pink"}, "bad-request"),
            (f"/v1/teams/{NOBODY}/join", people("w1"), "team-unknown"),
            ("/v1/team-groups", {"team": TEAM, "count": 2, "unit": "U9"}, "unit-unknown"),
        ]
        for path, body, slug in refused:
            assert await browser.refused(path, body) == slug, path
        assert (await browser.get("/v1/teams"))["items"] == []

    at_the_desk(play, story)
