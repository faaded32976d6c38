"""Aid from elsewhere: two hundred over a hundred and fifty-nine compounds overnight, their accounts, their release,
their certificates.
"""

import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pypdf

from muster.access import passwords
from muster.access.decide import sign_undertaking
from muster.catalogue import CATALOGUE
from muster.core.clock import now
from muster.core.ids import uuid7
from muster.exercise.crew import Crew
from muster.instance import Instance
from muster.keeping.follower import catch_up
from muster.ledger.event import Event
from muster.registry.events import DenominatorDeclared
from muster.teams import assigning, queries
from muster.teams.accounts import account_of
from muster.workforce import links
from muster.workforce import queries as workforce
from muster.workforce.events import ArrivedAtPost, IncidentRecorded, Relieved, StaffPosted
from tests.browsers import ADMINISTRATOR, PASSWORD, Browser, Door, someone
from tests.conftest import Play
from tests.senders import changed, client, items, query, said, send
from tests.table import events, named
from tests.test_reports import text_of
from tests.test_teams import codes_of, paper
from tests.test_workforce_routes import at_the_desk

COMPOUNDS, SENT = 159, 200
WAVE = {"number": 1, "count": SENT}
TEAM = {"code": "AID", "name": "支援队", "kind": "aid", "area": "Z1", "aid": "对口支援"}
SHIFT = 8


def sender() -> list[str]:
    return [f"a{n}" for n in range(SENT)]


async def hosted(muster: Instance, browser: Browser) -> tuple[str, str]:
    """A district of 159 compounds that takes two hundred people in: the aid and its only wave, here and in one
    team. Another street beside it asked for nobody."""
    lines = ["07:00  AreaListed  Z1  level=street", "07:00  AreaListed  Z2  level=street",
             "07:00  AreaListed  K  level=compound parent=Z2", "07:00  UnitListed  VA  area=Z1"]  # fmt: skip
    lines += [f"07:00  AreaListed  k{n}  level=compound parent=Z1" for n in range(COMPOUNDS)]
    lines += [f"07:02  StaffListed  {one}  unit=VA name=林{chr(0x4E00 + n)} skills=swab"
              for n, one in enumerate(sender())]  # fmt: skip
    await muster.door.append(events("\n".join(lines)))
    at = now()
    await muster.door.append([
        Event(uuid7(), "DenominatorDeclared", named(f"k{n}"), at, at, at, "tester",
              DenominatorDeclared(people=100 + 40 * n, source="committee", on=at.date()))
        for n in range(COMPOUNDS)
    ])  # fmt: skip
    async with muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)
    times = {
        "starts_at": (at - timedelta(days=1)).isoformat(),
        "ends_at": (at + timedelta(days=9)).isoformat(),
    }
    body = {
        "name": "对口支援",
        "sender": "邻市",
        "host": "Z1",
        "kind": "medics",
        "unit": "VA",
        "meals": "食堂",
    }
    aid = (await browser.done("/v1/aid", body | times))["id"]
    set_out = WAVE | {"leaves_at": times["starts_at"], "arrives_by": at.isoformat()}
    wave = (await browser.done(f"/v1/aid/{aid}/waves", set_out))["id"]
    team = (await browser.done("/v1/teams", TEAM | {"wave": wave}))["team"]
    await browser.done(f"/v1/teams/{team}/join", {"staff": [str(named(one)) for one in sender()]})
    return aid, wave


def wish(hours: float = 10, **also: Any) -> dict[str, Any]:
    starts_at = (now() + timedelta(hours=hours)).replace(microsecond=0)
    return {"role": "queue_guide", "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=SHIFT)).isoformat()} | also  # fmt: skip


def test_two_hundred_are_assigned_to_all_compounds_overnight(play: Play):
    async def story(muster: Instance, _door: Door, browser: Browser) -> None:
        aid, wave = await hosted(muster, browser)
        assign = f"/v1/aid/{aid}/assign"
        assert await browser.refused(assign, wish()) == "nobody-to-assign"  # they are not here yet
        assert await browser.refused(f"/v1/aid/{aid}/release", {"wave": wave}) == "not-arrived-yet"
        await browser.done(f"/v1/waves/{wave}/arrival", {"count": SENT - 1})
        today = now().astimezone(UTC).date()
        longest = [str(named(one)) for one in ("a7", "a8", "a9")]
        await browser.done(
            "/v1/duty-carried",
            {"staff": longest[:1], "days": 15, "on": str(today + timedelta(days=1))},
        )
        await browser.done(
            "/v1/duty-carried",
            {"staff": longest[1:], "days": 9, "on": str(today + timedelta(days=1))},
        )
        await browser.done(
            "/v1/lodgings", {"staff": [str(named("a5"))], "lodging": "招待所", "area": "k3"}
        )
        # Of two who stand elsewhere then, and one who was hurt, none can go.
        night = wish()
        for n in (0, 1):
            elsewhere = {"area": "Z2", "role": "caller", "count": 1} | {
                name: night[name] for name in ("starts_at", "ends_at")}  # fmt: skip
            demand = (await browser.done("/v1/demands", elsewhere))["id"]
            await browser.done(f"/v1/demands/{demand}/postings", {"staff": str(named(f"a{n}"))})
        at = now()
        await muster.door.append([
            Event(uuid7(), "IncidentRecorded", uuid7(), at, at, at, "lead", IncidentRecorded(named("a2"), "illness"))
        ])  # fmt: skip
        dry = await browser.done(assign, night | {"rest": 3, "dry": True})
        assert await query(
            muster, "SELECT count(*) FROM workforce.posting WHERE role = 'queue_guide'"
        ) == [0]
        made = await browser.done(assign, night | {"rest": 3})
        assert made == dry | {"dry": False}
        assert {one["staff"]: one["days"] >= 9 for one in made["resting"]} == dict.fromkeys(
            longest, True
        )
        assert made["unfit"] == {
            str(named("a0")): "double_booked", str(named("a1")): "double_booked", str(named("a2")): "not_cleared",
        }  # fmt: skip
        assert (made["assigned"], made["refused"]) == (SENT - 6, {})
        counts = [len(one["staff"]) for one in made["places"]]
        assert (len(counts), min(counts), sum(counts)) == (COMPOUNDS, 1, SENT - 6)
        by_size = sorted((one["size"], len(one["staff"])) for one in made["places"])
        assert [count for _, count in by_size] == sorted(counts)  # a larger one has no fewer
        (near,) = [one for one in made["places"] if one["code"] == "k3"]
        assert str(named("a5")) in near["staff"]
        stored = await query(
            muster, "SELECT staff, demand FROM workforce.posting WHERE role = 'queue_guide'"
        )
        assert Counter(stored) == Counter(
            (UUID(staff), UUID(one["demand"])) for one in made["places"] for staff in one["staff"]
        )
        # Again, nobody is left who could go, and nothing changes.
        again = await browser.done(assign, night | {"rest": 3})
        assert (again["assigned"], again["refused"]) == (0, {})
        assert len(again["unfit"]) == SENT - 3
        posts = (await browser.get(f"/v1/aid/{aid}/posts?limit=1000&reason=call_back"))["items"]
        assert len([one for one in posts if one["role"] == "queue_guide"]) == SENT - 6
        assert posts[0]["name"].startswith("林")

    at_the_desk(play, story)


def test_who_takes_another_place_meanwhile_is_refused_under_the_lock(play: Play):
    """A plan is made, then somebody on it is posted elsewhere: the door refuses that one, and gives the others
    their places."""

    async def story(muster: Instance, _door: Door, browser: Browser) -> None:
        aid, wave = await hosted(muster, browser)
        await browser.done(f"/v1/waves/{wave}/arrival", {"count": SENT})
        night = wish()
        of = assigning.Wish("queue_guide", datetime.fromisoformat(night["starts_at"]),
                            datetime.fromisoformat(night["ends_at"]))  # fmt: skip
        async with muster.pool.connection() as conn:
            found = await queries.aid(conn, aid)
            planned = await assigning.plan(conn, found, of, zone="Asia/Shanghai", at=now())
            limits = await workforce.limits(conn, at=now())
        elsewhere = {"area": "Z2", "role": "caller", "count": 1} | {
            name: night[name] for name in ("starts_at", "ends_at")}  # fmt: skip
        demand = (await browser.done("/v1/demands", elsewhere))["id"]
        await browser.done(f"/v1/demands/{demand}/postings", {"staff": str(named("a9"))})
        refused = await assigning.assign(
            muster.door, planned, of, limits=limits, actor="lead", at=now()
        )
        assert refused == {named("a9"): "stands-elsewhere"}
        assert await query(muster, "SELECT count(*) FROM workforce.posting") == [SENT]

    at_the_desk(play, story)


def test_accounts_hold_in_the_hosts_area_and_time_and_end_with_the_release(play: Play):
    async def story(muster: Instance, door: Door, browser: Browser) -> None:
        aid, wave = await hosted(muster, browser)
        await muster.door.append(events("""
            07:00  SiteListed  XZ  area=Z1
            07:00  SiteListed  XY  area=Z2
            07:00  RoundOpened  RZ  areas=Z1,Z2
        """))  # fmt: skip
        async with muster.pool.connection() as conn:
            await catch_up(conn, CATALOGUE)
        await someone(muster, "boss", ADMINISTRATOR)
        assert await browser.refused(f"/v1/aid/{aid}/accounts", {"role": "sampler"}) == "forbidden"
        async with door.signed_in("boss") as boss:
            await boss.set_up_codes()
            asked = (f"/v1/aid/{aid}/accounts", {"role": "sampler"})
            assert await boss.done(*asked) == []  # nobody is here
            await browser.done(f"/v1/waves/{wave}/arrival", {"count": SENT})
            made = await boss.done(*asked)
            assert [one["new"] for one in made] == [True] * SENT
            assert [one["new"] for one in await boss.done(*asked)] == [False] * SENT
        mine = next(one for one in made if one["staff"] == str(named("a1")))
        account = account_of(UUID(aid), named("a1"))
        (held,) = await query(muster,
            "SELECT role, area, ends_at < now() + interval '10 days' FROM access.holding WHERE account = %s",
            account)  # fmt: skip
        assert held == ("sampler", named("Z1"), True)
        async with muster.pool.connection() as conn:
            await passwords.set_password(conn, account, PASSWORD, at=now())
        await sign_undertaking(muster.door, account, actor=mine["login"], at=now())
        token = await Crew(muster).device("aid-phone", holder=mine["login"])

        async def recorded(tube: str, site: str, at: datetime) -> list[str]:
            """What becomes of a tube they seal there and then, at the real gate."""
            by = {"actor": mine["login"], "device": "aid-phone", "device_at": at.isoformat()}
            made = items(f"08:20  TubeSealed  {tube}  members=p1,p2 round=RZ site={site}")
            async with client(door.address, token) as phone:
                return said(await send(phone, [changed(one, **by) for one in made]))

        assert await recorded("T1", "XZ", now()) == ["stored"]
        assert await recorded("T2", "XY", now()) == ["outside-scope"]
        assert await recorded("T3", "XZ", now() - timedelta(days=2)) == ["not-entitled-then"]
        async with door.browser() as theirs:
            await theirs.sign_in(mine["login"])
            assert (await theirs.ask("GET", "/v1/areas")).status_code == 200
            (released,) = [await browser.done(f"/v1/aid/{aid}/release", {})]
            assert released == {"people": SENT, "accounts": SENT}
            assert (await theirs.ask("GET", "/v1/areas")).status_code == 401
        async with door.browser() as later:
            refused = await later.refused(
                "/v1/session", {"login": mine["login"], "password": PASSWORD}
            )
            assert refused == "wrong-sign-in"
        assert await recorded("T4", "XZ", now()) == ["not-entitled-then"]
        again = await browser.done(f"/v1/aid/{aid}/release", {})
        assert again == {"people": SENT, "accounts": 0}

    at_the_desk(play, story)


def test_released_with_certificates(play: Play):
    """Places nobody came to are free; who stood somewhere has it in writing, who did not has nothing."""

    async def story(muster: Instance, _door: Door, browser: Browser) -> None:
        aid, wave = await hosted(muster, browser)
        await browser.done(f"/v1/waves/{wave}/arrival", {"count": SENT})
        made = await browser.done(f"/v1/aid/{aid}/assign", wish())
        start = now() - timedelta(hours=9)
        place = uuid7()
        demand = UUID(made["places"][0]["demand"])
        for at, body in (
            (start, StaffPosted(named("a5"), demand, "caller", start, start + timedelta(hours=6))),
            (start, ArrivedAtPost("desk")),
            (start + timedelta(hours=6), Relieved()),
        ):
            await muster.door.append(
                [Event(uuid7(), type(body).__name__, place, at, at, at, "lead", body)]
            )
        assert (await browser.done(f"/v1/aid/{aid}/release", {}))["people"] == SENT
        states = "SELECT state, count(*)::int FROM workforce.posting GROUP BY state ORDER BY state"
        assert await query(muster, states) == [("left", 1), ("withdrawn", SENT)]
        shown = await browser.get(f"/v1/aid/{aid}")
        assert shown["released_at"] is not None
        assert await browser.refused(f"/v1/aid/{aid}/assign", wish()) == "nobody-to-assign"
        pdf = await paper(browser, f"/v1/print/certificates?aid={aid}&language=zh&reason=call_back")
        (looked,) = await query(
            muster,
            "SELECT people FROM access.reading WHERE what ~ 'certificates' AND NOT masked",
        )
        assert looked == [named("a5")]  # whose it is can ask who printed it
        assert len(pypdf.PdfReader(io.BytesIO(pdf)).pages) == 1
        text = text_of(pdf)
        assert [
            one for one in ("服务证明", f"林{chr(0x4E05)}", "对口支援", "6.0") if one not in text
        ] == []

    at_the_desk(play, story)


def test_the_duty_roster_of_a_day_and_the_sheet_of_a_post(play: Play):
    async def story(muster: Instance, _door: Door, browser: Browser) -> None:
        aid, wave = await hosted(muster, browser)
        await browser.done(f"/v1/waves/{wave}/arrival", {"count": SENT})
        night = wish()
        made = await browser.done(f"/v1/aid/{aid}/assign", night)
        day = datetime.fromisoformat(night["starts_at"]).astimezone().date()
        text = text_of(
            await paper(browser, f"/v1/print/roster?area=Z1&day={day}&language=zh&reason=call_back")
        )
        assert [
            one for one in ("值班表", "引导员", "k3", "k158", f"林{chr(0x4E05)}") if one not in text
        ] == []
        none = text_of(await paper(browser, "/v1/print/roster?area=Z2&day=2022-01-01&language=en"))
        assert "Nobody is on duty here that day." in none
        place = "/v1/print/post?area=k3"
        sheet = text_of(await paper(browser, place))
        assert [one for one in ("到岗签到", "Here to work?", "k3") if one not in sheet] == []
        (code,) = await codes_of(browser, place)
        assert code.endswith(links.place_path(muster.vault, named("k3")))
        assert (await browser.ask("GET", code[code.index("/r/at/") :])).status_code == 200
        assert (await browser.ask("GET", "/v1/print/post")).json()["type"].endswith("place-unsaid")
        assert made["assigned"] == SENT

    at_the_desk(play, story)
