"""What goes over the network about people: masked unless somebody who may unmask says why, recorded
before it leaves, and marked where it leaves as a file.
"""

import csv
import io
import json
from typing import Any
from uuid import UUID

import httpx
import pytest

from muster.access.decide import Grant
from muster.access.engine.roles import ROLES
from muster.access.events import AccountKind
from muster.catalogue import CATALOGUE
from muster.core.paging import decode
from muster.exercise.crew import Crew
from muster.instance import Instance
from muster.keeping.follower import catch_up
from tests.conftest import Play
from tests.import_files import number
from tests.senders import client, query, visit
from tests.table import TOWN, events, named

NAMES = ("欧阳璟琦", "张三")
PHONE = "13912345678"
SCENE = (
    TOWN.rstrip()
    + f"""
    08:00  ResidentListed   p1  building=H1 room=101 name=欧阳璟琦 number={number()} phone={PHONE}
    08:00  ResidentListed   p2  building=H1 room=102 name=张三 phone=13712345678
    08:00  ResidentListed   p4  building=H3 name=李四
    08:10  SiteListed       Z1  area=S1
    08:20  TubeSealed       T1  members=p1 round=R1 site=Z1
    12:00  ResultReleased   r1  barcode=T1 outcome=positive
"""
)
PEOPLE = "/v1/people?area=S1&name="
MISSING = "/v1/rounds/R1/missing?area=S1"
ROUTES = [PEOPLE + "o", MISSING, f"/v1/people/{named('p1')}", "/v1/tubes/T1", "/v1/recalls"]


async def staged(muster: Instance) -> None:
    await muster.door.append(events(SCENE))
    async with muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)


async def caller(
    muster: Instance, http: httpx.AsyncClient, login: str, *grants: Grant,
    kind: AccountKind = "staff",
) -> httpx.AsyncClient:  # fmt: skip
    """Somebody with these roles, at a device of theirs."""
    crew = Crew(muster)
    await crew.staff(login, *grants, kind=kind)
    system = any(ROLES[grant.role].sees == "system" for grant in grants)
    token = await crew.device(
        f"{login}-device", holder=login, kind="gateway" if system else "phone"
    )
    return client(str(http.base_url), token)


async def readings(muster: Instance) -> list[Any]:
    return await query(
        muster, "SELECT who, what, why, masked, people FROM access.reading ORDER BY id"
    )


@pytest.mark.parametrize("route", ROUTES)
def test_masked_by_default_and_whole_for_a_reason(play: Play, route: str):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await staged(muster)
        answer = await http.get(route)
        assert answer.status_code == 200, answer.text
        whole = [*NAMES, number(), PHONE, "ouyang"]
        assert [text for text in whole if text in answer.text] == []
        assert "欧**琦" in answer.text or "张*" in answer.text
        apart = "&" if "?" in route else "?"
        answer = await http.get(f"{route}{apart}reason=call_back")
        assert any(name in answer.text for name in NAMES)
        if route == ROUTES[2]:
            assert (answer.json()["number"], answer.json()["phone"]) == (number(), PHONE)
        assert (await http.get(f"{route}{apart}reason=curiosity")).status_code == 400
        (masked, full) = await readings(muster)
        assert (masked[0], masked[2:4]) == ("tester", ("", True))
        assert (full[0], full[2:4]) == ("tester", ("call_back", False))
        assert masked[4] == full[4]
        assert set(masked[4]) >= {named("p2") if route == MISSING else named("p1")}
        assert named("p4") not in masked[4] or route == MISSING
        assert "{" in masked[1] or masked[1] == f"GET {route.partition('?')[0]}"

    visit(play, story)


def test_a_cursor_tells_no_name(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await staged(muster)
        more = "\n".join(
            f"08:00  ResidentListed  q{i}  building=H1 name=欧阳{chr(0x4E00 + i)}" for i in range(5)
        )
        await muster.door.append(events(more))
        async with muster.pool.connection() as conn:
            await catch_up(conn, CATALOGUE)
        seen: list[str] = []
        after: str | None = None
        while True:
            cursor = f"&after={after}" if after else ""
            page = (await http.get(f"{PEOPLE}欧阳&limit=2{cursor}")).json()
            seen += [row["resident"] for row in page["items"]]
            if (after := page["next"]) is None:
                break
            assert decode(after, UUID) == (UUID(seen[-1]),)
        assert len(seen) == len(set(seen)) == 6

    visit(play, story)


def test_who_may_not_unmask_gives_no_reason(play: Play):
    """And a laboratory sees neither names nor who is in a tube."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await staged(muster)
        site = Grant("sampler", area=named("S1"))
        async with await caller(muster, http, "s1", site) as sampler:
            assert (await sampler.get(PEOPLE + "o")).json()["items"][0]["name"] == "欧**琦"
            refused = await sampler.get(PEOPLE + "o&reason=tracing")
            assert (refused.status_code, refused.json()["title"]) == (403, "forbidden")
        both = (site, Grant("area_lead", area=named("G2")))
        async with await caller(muster, http, "s2", *both) as two:
            refused = await two.get(PEOPLE + "o&reason=tracing")
            assert (refused.status_code, refused.json()["title"]) == (403, "outside your area")
            assert (await two.get(PEOPLE + "o")).json()["items"][0]["name"] == "欧**琦"
        async with await caller(muster, http, "l1", Grant("lab_operator", lab="L1")) as lab:
            (tube,) = (await lab.get("/v1/tubes/T1")).json()
            assert (tube["barcode"], tube["members"]) == ("T1", [])
        assert {who for who, *_ in await readings(muster)} == {"s1", "s2"}

    visit(play, story)


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_a_file_is_marked_and_logged(play: Play, format: str):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await staged(muster)
        answer = await http.get(f"{MISSING}&format={format}")
        ((export, people),) = await query(muster, "SELECT export, people FROM access.reading")
        assert len(people) == 4
        if format == "csv":
            *_, (mark,) = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
            assert str(export) in mark
            assert "4 行" in mark
            assert "张三" not in answer.text
        await http.get(f"/v1/areas?format={format}")
        assert len(await query(muster, "SELECT export FROM access.reading")) == 2, "that, too"
        async with await caller(
            muster, http, "au", Grant("auditor", everywhere=True)
        ) as auditor:  # fmt: skip
            found = (await auditor.get("/v1/readings", params={"export": str(export)})).json()
            assert [row["who"] for row in found["items"]] == ["tester"]
            about = await auditor.get("/v1/readings", params={"person": str(named("p2"))})
            assert [row["what"] for row in about.json()["items"]] == [
                "GET /v1/rounds/{round:str}/missing"
            ]
            assert (await auditor.get(MISSING)).status_code == 403

    visit(play, story)


def test_a_person_is_found_by_number(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await staged(muster)
        found = await http.post("/v1/people/by-number", json={"number": number()})
        assert (found.json()["resident"], found.json()["name"]) == (str(named("p1")), "欧**琦")
        wanted = {"number": number(), "reason": "emergency"}
        found = await http.post("/v1/people/by-number", json=wanted)
        assert (found.json()["name"], found.json()["number"]) == ("欧阳璟琦", number())
        assert (await http.post("/v1/people/by-number", json={"number": "1"})).status_code == 404
        assert [why for _, _, why, *_ in await readings(muster)] == ["", "emergency"]

    visit(play, story)


def test_results_and_status_are_reads_too(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await staged(muster)
        for what in ("results", "status"):
            assert (await http.get(f"/v1/people/{named('p1')}/{what}")).status_code == 200
        found = [(what, people) for _, what, _, _, people in await readings(muster)]
        assert found == [
            ("GET /v1/people/{person:uuid}/results", [named("p1")]),
            ("GET /v1/people/{person:uuid}/status", [named("p1")]),
        ]

    visit(play, story)


def test_residents_see_what_is_held_and_object(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await staged(muster)
        await http.get(PEOPLE + "o")
        grant = Grant("resident", person=named("p1"))
        async with await caller(muster, http, "r1", grant, kind="resident") as mine:
            answer = await mine.get("/v1/own")
            (told,) = answer.json()
            assert [row["number"] for row in told["identities"]] == [number()]
            assert [(row["who"], row["roles"]) for row in told["readings"]] == [
                ("tester", ["command_post", "gateway", "lab_releaser"])
            ]
            assert "张三" not in answer.text
            assert (await mine.get(f"/v1/people/{named('p2')}")).status_code == 403
            raised = await mine.post(
                "/v1/own/objections", json={"about": "result", "note": "不是我"}
            )
            assert raised.status_code == 201
            other = {"about": "other", "person": str(named("p2"))}
            assert (await mine.post("/v1/own/objections", json=other)).status_code == 404
            again = (await mine.get("/v1/own")).json()[0]
            assert [row["why"] for row in again["readings"]] == ["data_subject", ""]
        (waiting,) = (await http.get("/v1/objections")).json()["items"]
        assert (waiting["name"], waiting["about"]) == ("欧**琦", "result")
        path = f"/v1/objections/{waiting['objection']}/answer"
        other = Grant("area_lead", area=named("G2"))
        async with await caller(muster, http, "elsewhere", other) as lead:
            assert (await lead.get("/v1/objections")).json()["items"] == []
            assert (await lead.post(path, json={"answer": "rejected"})).status_code == 404
            assert (await lead.get(f"/v1/people/{named('p1')}/about")).status_code == 404
        reply = {"answer": "upheld", "note": "管号对错了"}
        assert (await http.post(path, json=reply)).status_code == 204
        assert (await http.get("/v1/objections")).json()["items"] == []
        about = (await http.get(f"/v1/people/{named('p1')}/about")).json()
        ((one),) = about["objections"]
        assert (one["said"], one["answer"], one["told"]) == ("不是我", "upheld", "管号对错了")
        bodies = json.dumps(await query(muster, "SELECT body FROM ledger.event"), default=str)
        assert "不是我" not in bodies

    visit(play, story)
