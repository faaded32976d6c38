"""The inbox over HTTP and from phones: who is asked, who may answer, and who is told that a result they
had read was amended. The streets of tests/scene_rights.py: in each a tube is positive.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args
from uuid import uuid4

import httpx

from muster.access.engine.roles import ROLES
from muster.core.clock import now
from muster.hq.events import CalledRole
from muster.instance import Instance
from muster.keeping.tick import tick
from tests.conftest import Play
from tests.scene_rights import Caller, callers, close, slug, visit
from tests.senders import changed, item, query, said, send
from tests.table import events, named

SQUAD, LEAD, WORKER = "squad.area", "area-lead.area", "grid-worker.area"
TUBE = named("TA1")


async def inbox(caller: Caller, state: str = "open") -> list[dict[str, Any]]:
    answer = await caller.http.get("/v1/tasks", params={"task_state": state})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def the_task(muster: Instance, role: str, area: str = "SA") -> str:
    sql = "SELECT task FROM hq.task WHERE tube = %s AND role = %s AND area = %s"
    (task,) = await query(muster, sql, TUBE, role, named(area))
    return str(task)


def told(tasks: list[dict[str, Any]]) -> list[tuple[str, str | None, str]]:
    return [(one["kind"], one["barcode"], one["state"]) for one in tasks]


POSITIVE = ("positive_tube", "TUBE-A1")


def test_an_inbox_holds_what_is_meant_for_ones_roles_where_one_holds_them(play: Play):
    async def story(muster: Instance, address: str) -> None:
        everybody = await callers(muster, address)
        found = {
            one.login: told(await inbox(one)) for one in everybody if "tasks" in one.role.rights
        }
        assert found[SQUAD] == [(*POSITIVE, "issued")]
        assert found[LEAD] == [("incident", None, "issued"), (*POSITIVE, "issued")]
        # Of what the laboratory has to do, its people; and who works everywhere, of everything.
        seen = {login for login, tasks in found.items() if "TUBE-A1" in str(tasks)}
        assert seen == {
            SQUAD, LEAD, "lab-receiver.lab", "lab-operator.lab", "lab-releaser.lab", "courier.lab",
            "command-post.everywhere", "tracer.everywhere",
        }  # fmt: skip
        assert (
            found["courier.everywhere"] == [("other", None, "issued")] * 2
        )  # tubes it may not see
        assert found["resident.person"] == found[WORKER] == []
        await close(*everybody)

    visit(play, story)


def test_an_answer_counts_once_and_is_given_by_whom_it_is_meant_for(play: Play):
    async def story(muster: Instance, address: str) -> None:
        squad, lead, worker = await callers(muster, address, SQUAD, LEAD, WORKER)
        task, abroad = await the_task(muster, "squad"), await the_task(muster, "area_lead", "SB")
        answers = [
            (lead, task, "acknowledge", "task-not-yours"),
            (worker, task, "done", "task-not-yours"),
            (lead, abroad, "done", "task-unknown"),
            (squad, str(named("nothing")), "done", "task-unknown"),
            (squad, task, "acknowledge", ""),
            (squad, task, "acknowledge", ""),
            (squad, task, "done", ""),
            (squad, task, "done", ""),
        ]
        for who, which, verb, problem in answers:
            body = {"outcome": "done"} if verb == "done" else None
            answer = await who.http.post(f"/v1/tasks/{which}/{verb}", json=body)
            assert (slug(answer), answer.is_success) == (problem, not problem), (verb, answer.text)
        said = "SELECT type FROM ledger.event WHERE subject = %s ORDER BY seq"
        assert await query(muster, said, task) == ["TaskIssued", "TaskAcknowledged", "TaskDone"]
        assert await inbox(squad) == []
        (one,) = await inbox(squad, "done")
        assert (one["done_by"], one["acknowledged_by"], one["outcome"]) == (SQUAD, SQUAD, "done")
        assert one["area_code"] == "STREET-A"
        await close(squad, lead, worker)

    visit(play, story)


def test_what_was_withdrawn_needs_no_answer(play: Play):
    async def story(muster: Instance, address: str) -> None:
        (squad,) = await callers(muster, address, SQUAD)
        task = await the_task(muster, "squad")
        amended = "13:00 ResultAmended rA1 barcode=TUBE-A1 outcome=negative"
        await muster.door.append(events(amended))
        assert await inbox(squad) == []
        answer = await squad.http.post(f"/v1/tasks/{task}/acknowledge")
        assert slug(answer) == "task-over"
        await close(squad)

    visit(play, story)


def test_a_phone_answers_by_event_for_its_own_role_and_place_only(play: Play):
    async def story(muster: Instance, address: str) -> None:
        squad, lead, worker = await callers(muster, address, SQUAD, LEAD, WORKER)
        task, abroad = await the_task(muster, "squad"), await the_task(muster, "area_lead", "SB")
        mine = events("12:40 TaskIssued L1 kind=other due_at=13:00 login=grid-worker.area")
        await muster.door.append(mine)

        async def says(who: Caller, type_: str, subject: str) -> str:
            (one,) = events(f"13:00 {type_} X id={who.login}-{type_}-{subject}")
            answer = changed(item(one), subject=subject, actor=who.login, device=who.device)
            return said(await send(who.http, [answer]))[0]

        assert await says(lead, "TaskDone", task) == "outside-scope"  # another's role
        assert await says(worker, "TaskDone", task) == "outside-scope"
        assert await says(lead, "TaskDone", abroad) == "outside-scope"  # another's place
        assert await says(lead, "TaskDone", str(named("L1"))) == "outside-scope"  # another's own
        assert await says(worker, "TaskDone", str(named("L1"))) == "stored"
        assert await says(squad, "TaskAcknowledged", task) == "stored"
        assert await says(squad, "TaskDone", task) == "stored"
        done = "SELECT done_by FROM hq.task WHERE state = 'done' ORDER BY done_by"
        assert await query(muster, done) == [WORKER, SQUAD]
        await close(squad, lead, worker)

    visit(play, story)


RECALL = f"/v1/tubes/{TUBE}/recall"


async def members(http: httpx.AsyncClient, **asked: str) -> dict[str, dict[str, Any]]:
    """The recalled members of the tube, by id."""
    answer = await http.get(RECALL, params=asked)
    assert answer.status_code == 200, answer.text
    return {one["person"]: one for one in answer.json()["members"]}


def test_members_are_listed_with_stage_address_and_contact_whole_for_a_reason_only(play: Play):
    async def story(muster: Instance, address: str) -> None:
        squad, sampler = await callers(muster, address, SQUAD, "sampler.area")
        one, guest = str(named("pA1")), str(named("guest"))
        found = (await members(squad.http))[one]
        shown = [found[name] for name in ("stage", "name", "phone", "room", "building_code")]
        assert shown == ["ordered", "甲**一", "138****1111", "R-A-1", "HOUSE-A"]
        assert found["address"] == ["CITY", "STREET-A", "HOUSE-A"]
        whole = await members(squad.http, reason="call_back")
        assert (whole[one]["name"], whole[one]["phone"]) == ("甲庄霜一", "13800001111")
        # Who lives in the other street is known to have been in the tube, and no more.
        assert (whole[guest]["name"], whole[guest]["phone"], whole[guest]["room"]) == (None,) * 3
        why = "SELECT why, masked FROM access.reading WHERE who = %s ORDER BY id"
        assert await query(muster, why, SQUAD) == [("", True), ("call_back", False)]

        recall = whole[one]["recall"]
        line = "13:00 MemberReached TA1 person=pA1 recall=N how=phone"
        (reached,) = events(line)
        body = {"person": one, "recall": recall, "how": "phone"}
        event = changed(item(reached), body=body, actor=SQUAD, device=squad.device)
        assert said(await send(squad.http, [event])) == ["stored"]
        found = (await members(squad.http))[one]
        assert (found["stage"], found["reached_how"], found["reached_by"]) == (
            "reached", "phone", SQUAD,
        )  # fmt: skip
        assert slug(await sampler.http.get(RECALL)) == "forbidden"
        nowhere = await squad.http.get(f"/v1/tubes/{named('TB2')}/recall")
        assert slug(nowhere) == "recall-tube-unknown"
        await close(squad, sampler)

    visit(play, story)


HOUSEHOLD = """
    07:10  ResidentListed  c1  building=HA room=R-A-1
    07:10  ResidentListed  c2  building=HA room=R-A-1 state=moved_away
    07:10  ResidentListed  c3  building=HA room=R-A-77
    07:10  ResidentListed  c4  building=HA room=R-A-2
"""
CONFIRMED = """
    13:00  TubeSealed      Z1  purpose=recall retest_of=TA1 members=pA1 site=XA
    15:00  ResultReleased  z1  barcode=Z1 outcome=positive lab=LAB-A
"""


def test_tracing_is_offered_tube_mates_and_housemates_each_with_why(play: Play):
    async def story(muster: Instance, address: str) -> None:
        tracer, worker = await callers(muster, address, "tracer.area", WORKER)
        await muster.door.append(events(HOUSEHOLD))

        async def around(tube: str) -> dict[str, list[str]]:
            answer = await tracer.http.get(f"/v1/tubes/{named(tube)}/contacts")
            names = {
                str(named(n)): n for n in ("pA1", "pA2", "wA", "guest", "c1", "c2", "c3", "c4")
            }
            return {names[one["person"]]: one["why"] for one in answer.json()}

        mates = {name: ["tube_mate"] for name in ("pA1", "pA2", "wA", "guest")}
        assert await around("TA1") == mates | {"c1": ["housemate"], "c4": ["housemate"]}
        await muster.door.append(events(CONFIRMED))
        del mates["pA1"]  # the case: now only those around it
        assert await around("TA1") == await around("Z1") == mates | {"c1": ["housemate"]}
        assert await around("TA2") == {}  # negative
        refused = await worker.http.get(f"/v1/tubes/{TUBE}/contacts")
        assert slug(refused) == "forbidden"
        await close(tracer, worker)

    visit(play, story)


POLICE = {
    "code": "police", "name": "Police", "kinds": ["positive_tube"], "role": "tracer",
    "reach": "everywhere", "minutes": 15,
}  # fmt: skip


def test_the_command_post_of_the_city_says_who_else_is_told(play: Play):
    async def story(muster: Instance, address: str) -> None:
        post, part, tracer = await callers(
            muster, address, "command-post.everywhere", "command-post.area", "tracer.everywhere"
        )
        past = {**POLICE, "since": "2022-08-01T00:00:00+08:00"}
        lists = [
            (part, POLICE, "outside-your-area"),
            (tracer, POLICE, "forbidden"),
            (post, past, "addressee-in-the-past"),
            (post, {**POLICE, "role": "auditor"}, "bad-request"),
            (post, {**POLICE, "minutes": 0}, "bad-request"),
            (post, POLICE, ""),
        ]
        for who, body, problem in lists:
            answer = await who.http.post("/v1/addressees", json=body)
            assert slug(answer) == problem, answer.text
        listed = (await post.http.get("/v1/addressees")).json()
        assert sorted((one["code"], *one["kinds"]) for one in listed) == [
            ("area_lead", "positive_tube"), ("area_lead", "recall_overdue"),
            ("police", "positive_tube"), ("squad", "positive_tube"),
        ]  # fmt: skip
        assert {kind for kind, *_ in told(await inbox(tracer))} == {"other"}
        at = now() + timedelta(minutes=1)
        (result,) = events("12:00 ResultReleased q barcode=TUBE-A2 outcome=positive lab=LAB-A")
        await muster.door.append([replace(result, received_at=at)])
        (task,) = [one for one in await inbox(tracer) if one["kind"] == "positive_tube"]
        assert (task["barcode"], task["addressee_name"]) == ("TUBE-A2", "Police")
        await close(post, part, tracer)

    visit(play, story)


def test_whoever_may_be_called_has_an_inbox():
    assert {role for role in get_args(CalledRole) if "tasks" not in ROLES[role].rights} == set()


AMENDED = "13:00 ResultAmended rA1 barcode=TUBE-A1 outcome=negative"
RESIDENT = "resident.person"


def test_whoever_read_an_amended_result_is_told_residents_too(play: Play):
    async def story(muster: Instance, address: str) -> None:
        worker, lead, resident, squad, tracer = await callers(
            muster, address, WORKER, LEAD, RESIDENT, SQUAD, "tracer.area"
        )
        one = named("pA1")
        for who, path in [
            (worker, f"/v1/people/{one}/results"),
            (worker, f"/v1/people/{one}/results"),
            (resident, "/v1/own/results"),
            (lead, "/v1/tubes/TUBE-A1"),
            (squad, f"/v1/people/{one}"),  # shows no result
            (tracer, f"/v1/people/{named('pA3')}/results"),  # of another tube
        ]:
            assert (await who.http.get(path)).status_code == 200, path
        (amended,) = events(AMENDED)
        await muster.door.append([replace(amended, received_at=now())])

        async def readers() -> list[str]:
            sql = "SELECT login FROM hq.task WHERE kind = 'result_amended' ORDER BY login"
            return await query(muster, sql)

        assert await readers() == [LEAD, WORKER, RESIDENT]
        (task,) = await inbox(resident)
        assert (task["kind"], task["about"]) == ("result_amended", str(named("rA1")))
        answer = await resident.http.post(f"/v1/tasks/{task['task']}/acknowledge")
        assert answer.status_code == 204
        (own,) = (await resident.http.get("/v1/own/results")).json()
        assert own[0]["amended_at"] is not None
        results = (await worker.http.get(f"/v1/people/{named('pA3')}/results")).json()
        assert {each["amended_at"] for each in results} == {None}

        # Whose answer was on its way is told by the clock; nobody twice.
        note = "SELECT access.note_reading(%s, %s, '', 'GET /v1/recalls', '', true, NULL, %s)"
        await query(muster, note, now(), SQUAD, [one])
        for _ in range(2):
            async with muster.pool.connection() as conn:
                await tick(conn, muster.door, events(AMENDED)[0].at)
            assert await readers() == [LEAD, WORKER, RESIDENT, SQUAD]
        again = replace(amended, id=uuid4(), at=now(), received_at=now(), actor=LEAD)
        await muster.door.append([again])  # of another amendment all but whoever made it
        assert await readers() == [LEAD, *[WORKER] * 2, *[RESIDENT] * 2, *[SQUAD] * 2]
        await close(worker, lead, resident, squad, tracer)

    visit(play, story)


def test_what_is_past_its_time_is_an_alarm(play: Play):
    async def story(muster: Instance, address: str) -> None:
        (post,) = await callers(muster, address, "command-post.everywhere")

        async def alarm() -> list[tuple[int, int]]:
            found = (await post.http.get("/v1/alarms")).json()
            return [(one["rank"], one["count"]) for one in found if one["alarm"] == "task_overdue"]

        assert await alarm() == []
        async with muster.pool.connection() as conn:
            await tick(conn, muster.door, events("12:31 TaskDone X")[0].at)
        count = await query(
            muster, "SELECT count(*)::int FROM hq.task WHERE due_at <= '2022-08-01T12:31+08'"
        )
        assert await alarm() == [(2, count[0])]
        await close(post)

    visit(play, story)
