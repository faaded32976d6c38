"""What somebody tries who has some right and wants more: others' things by their ids, events that take
them, fields nobody offered, tokens that are none, clocks that lie, and roads around the guard.
"""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from muster.access.decide import Grant
from muster.app import make_app
from muster.exercise.crew import Crew
from muster.guarding import routes
from muster.instance import Instance
from tests.conftest import Play
from tests.rights_table import TABLE, Things
from tests.scene_rights import (
    Caller,
    as_sent,
    callers,
    close,
    leaked,
    papers,
    people_of,
    sent,
    slug,
    visit,
)
from tests.senders import changed, client, query, said, send
from tests.table import named

STAFF = ("command-post.area", "area-lead.area", "grid-worker.area", "sampler.site")

# What lies in street B, listed anew as if it were in street A: it would move there with all it holds.
TAKING = """
    09:00  ResidentMoved   pB1  building=HA
    09:00  ResidentListed  pB1  building=HA
    09:00  AreaListed      SB   level=street parent=SA code=STREET-B name=STREET-B
    09:00  SiteListed      XB   area=SA code=SITE-B name=SITE-B
    09:00  UnitListed      UB   area=SA code=UNIT-B name=UNIT-B kind=shop
    07:59  TubeSealed      TB1  site=XA members=pA1
    07:59  TubeOpened      TB1  site=XA
    09:00  SpecimenMoved   TA2  person=pA3 to=TB1 position=9 reason=other
"""


def test_nobody_takes_by_an_event_what_lies_elsewhere(play: Play):
    async def story(muster: Instance, address: str) -> None:
        everybody = await callers(muster, address, *STAFF)
        for caller in everybody:
            answers = await sent(caller, told(TAKING, caller))
            assert set(answers) <= {"outside-scope", "not-entitled"}, (caller.login, answers)
            assert slug(await caller.http.get(f"/v1/people/{named('pB1')}")) == "person-unknown"
        homes = "SELECT building FROM registry.resident WHERE resident = %s"
        assert await query(muster, homes, named("pB1")) == [named("HB")]
        assert await query(muster, "SELECT area FROM sampling.site WHERE code = 'SITE-B'") == [
            named("SB")
        ]
        await close(*everybody)

    visit(play, story)


def test_a_site_lists_whoever_comes_from_anywhere(play: Play):
    async def story(muster: Instance, address: str) -> None:
        (sampler,) = await callers(muster, address, "sampler.site")
        lines = "09:00 ResidentListed new1 building=HB\n09:00 RefusalRecorded pB2 round=RB"
        assert await sent(sampler, lines) == ["stored", "stored"]
        await close(sampler)

    visit(play, story)


def told(table: str, caller: Caller) -> str:
    """The lines of a table, each with an id of this caller's."""
    lines = table.strip().splitlines()
    return "\n".join(f"{line} id={caller.login}{n}" for n, line in enumerate(lines))


def test_a_streets_command_post_does_not_pass_its_own_held_events(play: Play):
    async def story(muster: Instance, address: str) -> None:
        post, city = await callers(muster, address, "command-post.area", "command-post.everywhere")
        assert await sent(post, "09:00 ResidentMoved pB1 building=HA") == ["outside-scope"]
        (box,) = await query(muster, "SELECT id FROM ledger.inbox")
        for what, body in (("accept", None), ("refuse", {"reason": "other"})):
            answer = await post.http.post(f"/v1/inbox/{box}/{what}", json=body)
            assert slug(answer) == "outside-your-area"
        assert (await post.http.post("/v1/inbox/retry")).json() == {"applied": 0, "held": 0}
        assert (await city.http.post(f"/v1/inbox/{box}/accept")).is_success
        await close(post, city)

    visit(play, story)


FILES = "POST /v1/labs/{lab:str}/files"  # its body is a file, whatever that holds


def test_no_body_takes_a_field_it_does_not_offer(play: Play):
    async def story(muster: Instance, address: str) -> None:
        everybody = await callers(
            muster, address, "command-post.everywhere", "lab-releaser.lab",
            "administrator.everywhere", "resident.person", "lab-receiver.lab", "lab-operator.lab",
        )  # fmt: skip
        tried = 0
        rights = {f"{method} {path}": right for method, path, right in routes(make_app(muster))}
        for route, right in rights.items():
            body = TABLE[route][0].body if route.startswith("POST") else None
            if not isinstance(body, dict) or route in ("POST /v1/events", FILES):
                continue
            if route.startswith("POST /r/"):  # residents' forms, which are read by name
                continue
            who = next((one for one in everybody if right in one.role.rights), everybody[0])
            things = Things("A", who, {})
            path = re.sub(
                r"\{(?!.*\{x\})[^}]*\}", str(uuid4()), things.filled(TABLE[route][0].path)
            )
            for more in ({"actor": "adm"}, {"sees": "names"}, {"at": "2000-01-01T00:00:00Z"}):
                answer = await who.http.post(path, json={**things.filled(body), **more})
                assert slug(answer) == "bad-request", (route, answer.text)
            tried += 1
        assert tried > 20
        await close(*everybody)

    visit(play, story)


def test_no_event_takes_a_field_it_does_not_offer(play: Play):
    async def story(muster: Instance, address: str) -> None:
        (lead, other) = await callers(muster, address, "area-lead.area", "grid-worker.area")
        (one,) = as_sent("09:00 ResidentListed n1 building=HA", lead.login, lead.device)
        tries = [changed(one, id=str(uuid4()), **more) for more in (
            {"received_at": "2000-01-01T00:00:00Z"}, {"at": "2000-01-01T00:00:00Z"}, {"seq": 1},
            {"body": {"source": "roster", "building": str(named("HA")), "merged_into": None}},
            {"body": {"source": "roster", "name": "甲"}},
        )]  # fmt: skip
        assert set(said(await send(lead.http, tries))) == {"unreadable-item"}
        names = [changed(one, id=str(uuid4()), **more) for more in (
            {"actor": other.login}, {"device": other.device}, {"device": None}, {"device": "none"},
            {"actor": "muster"}, {"actor": "command line"},
        )]  # fmt: skip
        assert set(said(await send(lead.http, names))) == {"not-your-name"}
        assert said(await send(lead.http, names, device=other.device)) == ["not-your-name"] * 6
        moved = {**changed(one, type="ResidentMoved"), "identity": {"name": "甲"}}
        assert said(await send(lead.http, [moved])) == ["unreadable-item"]
        await close(lead, other)

    visit(play, story)


def test_a_clock_that_lies_gives_no_right(play: Play):
    """Neither ahead nor behind: a right that begins tomorrow is none today, one that has ended is shown
    to who looks at what came late."""

    async def story(muster: Instance, address: str) -> None:
        crew, at = Crew(muster), datetime.now(UTC)
        ends = {"gone": (None, at - timedelta(days=1)), "soon": (at + timedelta(days=1), None)}
        for who, (starts_at, ends_at) in ends.items():
            grant = Grant("area_lead", area=named("SA"), starts_at=starts_at, ends_at=ends_at)
            await crew.staff(who, grant)
            http = client(address, await crew.device(f"{who}-1", holder=who))
            (one,) = as_sent("09:00 ResidentListed n1 building=HA", who, f"{who}-1")
            for days, wanted in ((-2, "gone"), (0, ""), (2, "soon")):
                said_at = (at + timedelta(days=days)).isoformat()
                for sent_at in (None, at, at - timedelta(days=2), at + timedelta(days=2)):
                    new = changed(one, id=str(uuid4()), device_at=said_at)
                    clock = sent_at and sent_at.isoformat()
                    (answer,) = said(await send(http, [new], device=f"{who}-1", sent_at=clock))
                    if who == "soon":
                        assert answer == "not-entitled-then", (wanted, days, sent_at)
                    else:
                        assert answer in ("stored", "not-entitled-then")
                        late = "SELECT event FROM access.late WHERE event = %s"
                        found = await query(muster, late, UUID(new["event"]["id"]))
                        assert bool(found) == (answer == "stored")
            await http.aclose()

    visit(play, story)


def test_roads_around_the_guard(play: Play):
    """Other methods, spellings of the path, and headers that some servers believe."""

    async def story(muster: Instance, address: str) -> None:
        (lead,) = await callers(muster, address, "area-lead.area")
        person = f"/v1/people/{named('pB1')}"
        spellings = [
            person, f"{person}/", f"/{person}", f"/v1//people/{named('pB1')}", f"{person}?",
            f"/v1/areas/..{person[3:]}", f"/healthz/..{person}", f"/%2e%2e{person}", f"{person};a=b",
            person.upper(), f"{person}%00", f"{person}%20", f"{person}.json", f"{person}/about/",
            f"{person}#x", f"/v1/people/{{{named('pB1')}}}", f"/v1/people/urn:uuid:{named('pB1')}",
            "/v1/people/*", "/v1/people/00000000-0000-0000-0000-000000000000",
        ]  # fmt: skip
        headers = [
            {}, {"x-original-url": person}, {"x-rewrite-url": person}, {"x-forwarded-user": "adm"},
            {"x-http-method-override": "GET"}, {"x-forwarded-for": "127.0.0.1"},
            {"x-forwarded-host": "localhost"}, {"host": "localhost"}, {"host": "evil.example"},
            {"origin": "null"}, {"x-muster-csrf": "0" * 48}, {"remote-user": "adm"},
        ]  # fmt: skip
        hidden = people_of("B")
        async with client(address) as nobody:
            for http, path in ((one, two) for one in (nobody, lead.http) for two in spellings):
                asked = {one for one in hidden if one in path.lower()}
                for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "TRACE", "DELETE"):
                    answer = await http.request(method, path)
                    assert not answer.is_success or method == "OPTIONS", (method, path)
                    assert answer.status_code < 500, (method, path)
                    found = leaked(answer.text + str(answer.headers), hidden - asked)
                    assert found == [], (method, path)
            for extra in headers:
                for path in (person, "/healthz"):
                    answer = await nobody.get(path, headers=extra)
                    assert answer.status_code == (200 if path == "/healthz" else 401), extra
                    answer = await lead.http.get(path, headers=extra)
                    assert answer.status_code == (200 if path == "/healthz" else 404), extra
                    assert leaked(answer.text, papers("B")) == []
        await close(lead)

    visit(play, story)


def test_those_who_ask_at_once_get_their_own_answers(play: Play):
    """Connections and joint answers are shared; what may be seen is not."""

    async def story(muster: Instance, address: str) -> None:
        street, city, lab = await callers(
            muster, address, "command-post.area", "command-post.everywhere", "lab-operator.lab"
        )
        results, recalls = f"/v1/people/{named('pB1')}/results", "/v1/recalls"
        asked = [(who, path) for _ in range(25) for who in (street, city, lab)
                 for path in (results, recalls, "/v1/conflicts", "/v1/tubes/TUBE-B1")]  # fmt: skip
        answers = await asyncio.gather(*(who.http.get(path) for who, path in asked))
        seen: dict[tuple[str, str], set[str]] = {}
        for (who, path), answer in zip(asked, answers, strict=True):
            seen.setdefault((who.login, path), set()).add(answer.text)
            if who is not city:
                assert leaked(answer.text, people_of("B") - {path.split("/")[-2]}) == []
        assert {key: len(texts) for key, texts in seen.items()} == dict.fromkeys(seen, 1)
        assert str(named("TB1")) in seen[city.login, results].pop()
        assert seen[street.login, results] == {"[]"}
        await close(street, city, lab)

    visit(play, story)


def test_who_people_are_stands_in_the_vault_only(play: Play, capfd: pytest.CaptureFixture[str]):
    """No log and no table but the vault's holds a name, none at all a number or a phone."""

    async def story(muster: Instance, address: str) -> None:
        (city,) = await callers(muster, address, "command-post.everywhere")
        for path in (
            "/v1/people?area=CITY&name=甲庄霜一",
            f"/v1/people/{named('pA1')}/about",
            "/v1/people?area=nowhere&name=甲庄霜一",
            "/v1/recalls?format=csv&reason=tracing",
        ):
            await city.http.get(path)
        for number in ("AA8000001", "13800001111", "AA8000001\0"):
            await city.http.post("/v1/people/by-number", json={"number": number})
        (one,) = as_sent("09:00 ResidentListed n1 building=HA", city.login, city.device)
        await send(city.http, [{**one, "identity": {"name": "甲庄霜一", "age": "13800001111"}}])
        tables = await query(muster, "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN"
                             " pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND"
                             " n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'")  # fmt: skip
        holding: dict[str, list[str]] = {}
        for table in tables:
            text = "\n".join(await query(muster, f"SELECT t::text FROM {table} t"))
            if found := leaked(text, papers("A") | papers("B")):
                holding[table] = found
        assert set(holding) == {"vault.identity", "vault.search"}
        shown = {word for found in holding.values() for word in found}
        assert not [word for word in shown if any(letter.isdigit() for letter in word)]
        await close(city)

    visit(play, story)
    written = "".join(capfd.readouterr())
    assert leaked(written, papers("A") | papers("B")) == []
