"""What passes the gate: in whose name, from which device, under which role, where and when; and what
becomes of the rest. Devices: enrolled, handed on, renewed, moved, revoked.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from muster.access import decide, devices
from muster.access.decide import Grant
from muster.access.devices import (
    DeviceRevokedNow,
    EnrolmentOver,
    PinTooSimple,
    PinWrong,
    TokenOver,
    Where,
)
from muster.access.engine.judge import NotEntitled, Sender
from muster.access.queries import account_by_login
from muster.catalogue import CATALOGUE
from muster.config import DEVICE_TOKEN_MINUTES, PIN_WRONG_LIMIT
from muster.core.clock import now
from muster.exercise.crew import Crew
from muster.instance import Instance
from muster.keeping.follower import catch_up
from tests.conftest import Play
from tests.senders import Item, changed, client, items, query, said, send, visit
from tests.table import TOWN, events, named

SITES = "07:00  SiteListed  X1  area=G1\n07:00  SiteListed  X2  area=G2"
G1, X1, X2 = named("G1"), named("X1"), named("X2")
WHEN = datetime.fromisoformat("2022-08-01T10:00:00+08:00")


async def scene(muster: Instance) -> Crew:
    """A town with two sites, a sampler at the first with a phone, and a grid worker without."""
    await muster.door.append(events(TOWN + SITES))
    async with muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)
    crew = Crew(muster)
    await crew.staff("sampler-1", Grant("sampler", site=X1))
    await crew.staff("worker-1", Grant("grid_worker", area=G1))
    return crew


async def administrator(crew: Crew, http: httpx.AsyncClient) -> httpx.AsyncClient:
    if not await query(crew.muster, "SELECT 1 FROM access.account WHERE login = 'admin'"):
        await crew.staff("admin", Grant("administrator", everywhere=True))
    token = await crew.device("admin-system", holder="admin", kind="gateway")
    return client(str(http.base_url), token)


async def sent(muster: Instance, http: httpx.AsyncClient, token: str, table: str,
               **facts: Any) -> list[str]:  # fmt: skip
    """What becomes of these events, sent with a device's token and changed so."""
    async with client(str(http.base_url), token) as device:
        return said(await send(device, [changed(one, **facts) for one in items(table)]))


MINE = {"actor": "sampler-1", "device": "phone-1"}
SEAL = "08:20  TubeSealed  {tube}  members=p1,p2 round=R1 site={site}"
JUDGED = [  # what is sent, in which name and from which device, and what becomes of it
    (SEAL.format(tube="T1", site="X1"), MINE, "stored"),
    (SEAL.format(tube="T2", site="X2"), MINE, "outside-scope"),
    ("08:20  TubeSealed  T3  members=p1", MINE, "stored"),  # a place nobody named is no objection
    (SEAL.format(tube="T4", site="X1"), {**MINE, "actor": "worker-1"}, "not-your-name"),
    (SEAL.format(tube="T5", site="X1"), {**MINE, "actor": "nobody"}, "not-your-name"),
    (SEAL.format(tube="T6", site="X1"), {**MINE, "device": "phone-9"}, "not-your-name"),
    (SEAL.format(tube="T7", site="X1"), {**MINE, "device": None}, "not-your-name"),
    ("12:00  ResultReleased  r1  barcode=T1 outcome=negative", MINE, "not-entitled"),
    ("12:00  RecallClosed  T1  person=p1 recall=T1 retest=T9 outcome=released", MINE, "not-entitled"),
    ("12:00  RedactionAuthorised  T1  reason=mistake", MINE, "not-entitled"),
    ("12:00  RoleGranted  x  role=administrator everywhere=true starts_at=06:00", MINE,
     "not-entitled"),
    ("08:20  RefusalRecorded  p4  round=R1", MINE, "stored"),  # whoever comes to the site
]  # fmt: skip


def test_each_event_is_judged_by_name_device_role_and_place(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        crew = await scene(muster)
        token = await crew.device("phone-1", holder="sampler-1", where=Where(site=X1))
        for table, facts, outcome in JUDGED:
            assert await sent(muster, http, token, table, **facts) == [outcome], table
        kept = await query(muster, "SELECT DISTINCT sender FROM ledger.inbox")
        assert kept == ["device:phone-1"]
        for types in ("RecallClosed", "RedactionAuthorised", "ResultReleased"):
            assert await query(muster, "SELECT 1 FROM ledger.event WHERE type = %s", types) == []

    visit(play, story)


def test_no_other_use_of_its_id_hides_where_something_is(play: Play):
    """A site elsewhere is a tube, a person and a box, too, in the same upload: it stays where it is."""
    disguised = [
        SEAL.format(tube="X2", site="X2"),
        "08:21  TubeSealed   T9  members=p1 site=X2 round=R1",
        "08:22  ResidentListed  X2  building=H1",
        "08:23  BoxPacked    X2  code=B1 site=X2",
    ]

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        crew = await scene(muster)
        token = await crew.device("phone-1", holder="sampler-1")
        answers = await sent(muster, http, token, "\n".join(disguised), **MINE)
        assert answers == ["outside-scope", "outside-scope", "stored", "outside-scope"]

    visit(play, story)


def test_one_refused_item_holds_up_none_of_the_others(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        crew = await scene(muster)
        token = await crew.device("phone-1", holder="sampler-1")
        table = "\n".join(
            SEAL.format(tube=f"T{n}", site="X2" if n == 5 else "X1") for n in range(10)
        )
        answers = await sent(muster, http, token, table, **MINE)
        assert answers == ["stored"] * 5 + ["outside-scope"] + ["stored"] * 4
        again = await sent(muster, http, token, table, **MINE)
        assert again == ["known"] * 5 + ["outside-scope"] + ["known"] * 4
        assert await query(muster, "SELECT count(*) FROM sampling.tube") == [9]

    visit(play, story)


def test_what_a_revoked_device_sends_waits_for_a_persons_word(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        crew = await scene(muster)
        token = await crew.device("phone-1", holder="sampler-1")
        first = SEAL.format(tube="T1", site="X1")
        assert await sent(muster, http, token, first, **MINE) == ["stored"]
        async with await administrator(crew, http) as admin:
            lost = await admin.post("/v1/devices/phone-1/revoke", json={"reason": "lost"})
            assert lost.status_code == 204
        late = "\n".join(SEAL.format(tube=tube, site="X1") for tube in ("T1", "T2", "T3", "T4"))
        answers = await sent(muster, http, token, late, **MINE)
        assert answers == ["known"] + ["device-was-revoked"] * 3
        async with client(str(http.base_url), token) as phone:
            refused = await phone.get("/v1/rounds")
            assert (refused.status_code, refused.json()["title"]) == (403, "device revoked now")
        tubes = "SELECT barcode FROM sampling.tube ORDER BY barcode"
        assert await query(muster, tubes) == ["T1"]
        assert (await http.post("/v1/inbox/retry")).json() == {"applied": 0, "held": 0}

        boxes = dict(await query(muster, "SELECT event, id FROM ledger.inbox"))
        by_tube = {one["event"]["subject"]: boxes[UUID(one["event"]["id"])]
                   for one in items(late) if UUID(one["event"]["id"]) in boxes}  # fmt: skip
        second, third = by_tube[str(named("T2"))], by_tube[str(named("T3"))]
        assert (await http.post(f"/v1/inbox/{second}/accept")).status_code == 200
        refusal = {"reason": "not_genuine"}
        assert (await http.post(f"/v1/inbox/{third}/refuse", json=refusal)).status_code == 204
        for box in (second, third):  # decided once
            assert (await http.post(f"/v1/inbox/{box}/accept")).status_code == 404
        assert await query(muster, tubes) == ["T1", "T2"]
        said_ = (
            "SELECT type, subject, actor FROM ledger.event WHERE type LIKE 'Held%%' ORDER BY seq"
        )
        assert await query(muster, said_) == [
            ("HeldAccepted", second, "tester"), ("HeldRefused", third, "tester"),
        ]  # fmt: skip
        again = await sent(muster, http, token, late, **MINE)
        assert again == ["known", "known", "device-was-revoked", "device-was-revoked"]
        assert await query(muster, tubes) == ["T1", "T2"]

        async with await administrator(crew, http) as admin:
            assert (await admin.post("/v1/devices/phone-1/reinstate")).status_code == 204
        assert await sent(muster, http, token, late, **MINE) == [
            "known",
            "known",
            "stored",
            "stored",
        ]

    visit(play, story)


def test_what_was_recorded_before_a_move_counts_and_both_are_told(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        crew = await scene(muster)
        await crew.staff("sampler-2", Grant("sampler", site=X1))
        token = await crew.device("phone-1", holder="sampler-1")
        other = await crew.device("phone-2", holder="sampler-2")
        moved_at = now()
        async with muster.pool.connection() as conn:
            account = (await account_by_login(conn, "sampler-1"))["account"]
            (held,) = await devices.holdings_of(conn, account, at=moved_at)
            await decide.move_role(
                conn, muster.door, account, holding=held.holding,
                wanted=Grant("sampler", site=X2), actor="tester", at=moved_at,
            )  # fmt: skip
        before = (moved_at - timedelta(hours=1)).isoformat()
        after = (moved_at + timedelta(milliseconds=1)).isoformat()
        old = SEAL.format(tube="T1", site="X1")
        assert await sent(muster, http, token, old, **MINE, device_at=before) == ["stored"]
        new = SEAL.format(tube="T2", site="X1")
        assert await sent(muster, http, token, new, **MINE, device_at=after) == ["outside-scope"]
        there = SEAL.format(tube="T3", site="X2")
        assert await sent(muster, http, token, there, **MINE, device_at=after) == ["stored"]
        for who in (token, other):  # the one who was moved, and who now holds the place
            async with client(str(http.base_url), who) as phone:
                late = (await phone.get("/v1/late")).json()["items"]
            assert [(one["login"], one["site"], one["subject"]) for one in late] == [
                ("sampler-1", str(X1), str(named("T1")))
            ]
        stranger = await crew.device("phone-3", holder="worker-1")
        async with client(str(http.base_url), stranger) as phone:
            await phone.get("/v1/late")

    visit(play, story)


def test_what_was_recorded_before_an_account_expired_counts(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        crew = await scene(muster)
        token = await crew.device("phone-1", holder="sampler-1")
        at = now()
        async with muster.pool.connection() as conn:
            account = (await account_by_login(conn, "sampler-1"))["account"]
            await decide.close_account(
                conn, muster.door, account, reason="left", actor="tester", at=at
            )
        table = SEAL.format(tube="T1", site="X1")
        early, late = (at - timedelta(hours=1)).isoformat(), (at + timedelta(hours=1)).isoformat()
        assert await sent(muster, http, token, table, **MINE, device_at=early) == ["stored"]
        table = SEAL.format(tube="T2", site="X1")
        # a clock that runs ahead does not make it earlier or later than it came in
        assert await sent(muster, http, token, table, **MINE, device_at=late) == [
            "not-entitled-then"
        ]
        async with client(str(http.base_url), token) as phone:
            assert (await phone.get("/v1/rounds")).status_code == 403

    visit(play, story)


def test_a_device_works_in_its_place_whoever_holds_it(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        crew = await scene(muster)
        await crew.staff("lead-1", Grant("area_lead", area=named("S1")))
        bound = await crew.device("phone-1", holder="lead-1", where=Where(area=G1))
        free = await crew.device("phone-2", holder="lead-1")
        for token, seen in ((bound, 403), (free, 200)):
            async with client(str(http.base_url), token) as phone:
                ask = {"area": "G2"}
                answer = await phone.get("/v1/rounds/R1/missing", params=ask)
                assert answer.status_code == seen
                within = await phone.get("/v1/rounds/R1/missing", params={"area": "G1"})
                assert len(within.json()["items"]) == 3

    visit(play, story)


def test_an_enrolment_code_serves_once(play: Play):
    async def story(muster: Instance) -> None:
        await scene(muster)
        at = now()
        async with muster.pool.connection() as conn:
            new = {"code": "phone-1", "kind": "phone", "where": Where(site=X1), "by": "tester"}
            _, code = await devices.enrol(conn, muster.door, **new, at=at)  # type: ignore[arg-type]
            with pytest.raises(devices.DeviceCodeTaken):
                await devices.enrol(conn, muster.door, **new, at=at)  # type: ignore[arg-type]
            tokens = await devices.claim(conn, code, at=at)
            assert (await devices.principal(conn, tokens.token, at=at)).device_code == "phone-1"
            for wrong in (code, "guess"):
                with pytest.raises(EnrolmentOver):
                    await devices.claim(conn, wrong, at=at)
            found = await devices.by_code(conn, "phone-1")
            later = await devices.new_code(conn, found["device"], at=at - timedelta(days=30))
            with pytest.raises(EnrolmentOver):
                await devices.claim(conn, later, at=at)
        kept = str(await query(muster, "SELECT to_jsonb(t)::text FROM access.device_token t"))
        assert not any(secret in kept for secret in (tokens.token, tokens.refresh))

    play(story)


def test_tokens_rotate_and_a_copied_one_revokes_the_device(play: Play):
    async def story(muster: Instance) -> None:
        await scene(muster)
        at = now()
        async with muster.pool.connection() as conn:
            device, code = await devices.enrol(
                conn, muster.door, code="phone-1", kind="phone", where=Where(), by="tester", at=at
            )
            first = await devices.claim(conn, code, at=at)
            over = at + timedelta(minutes=DEVICE_TOKEN_MINUTES)
            with pytest.raises(TokenOver):
                await devices.principal(conn, first.token, at=over)
            lost = await devices.rotate(conn, muster.door, first.refresh, at=over)
            # The answer was lost on its way: the device asks again with what it has.
            second = await devices.rotate(conn, muster.door, first.refresh, at=over)
            for old in (first.token, lost.token):
                with pytest.raises(TokenOver):
                    await devices.principal(conn, old, at=over)
            assert (await devices.principal(conn, second.token, at=over)).device == device
            # Now the new pair is in use: whoever shows the old one again has a copy.
            with pytest.raises(DeviceRevokedNow):
                await devices.rotate(conn, muster.door, first.refresh, at=over)
            with pytest.raises(DeviceRevokedNow):
                await devices.rotate(conn, muster.door, second.refresh, at=over)
            assert (await devices.principal(conn, second.token, at=over)).revoked

    play(story)


def test_several_people_in_turn_with_a_pin_each(play: Play):
    async def story(muster: Instance) -> None:
        crew = await scene(muster)
        token = await crew.device("phone-1", holder="sampler-1")
        at = now()
        async with muster.pool.connection() as conn:
            device = (await devices.by_code(conn, "phone-1"))["device"]
            worker = (await account_by_login(conn, "worker-1"))["account"]
            for simple in ("123456", "000000", "987654", "121212"):
                with pytest.raises(PinTooSimple):
                    await devices.set_pin(conn, device, worker, simple, at=at)

            async def holder() -> str:
                return (await devices.principal(conn, token, at=now())).login

            await devices.set_pin(conn, device, worker, "480913", at=at)
            assert await holder() == "worker-1"
            await devices.put_down(conn, device)
            assert await holder() == ""
            await devices.take_over(conn, device, "worker-1", "480913", at=at)
            assert await holder() == "worker-1"
            for _ in range(PIN_WRONG_LIMIT):
                with pytest.raises(PinWrong):
                    await devices.take_over(conn, device, "worker-1", "480914", at=at)
            with pytest.raises(PinWrong):  # the right one is worth nothing any more
                await devices.take_over(conn, device, "worker-1", "480913", at=at)
            assert await holder() == ""

    play(story)


def test_nobody_asks_through_a_device_that_was_put_down(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        crew = await scene(muster)
        token = await crew.device("phone-1", holder="sampler-1")
        async with muster.pool.connection() as conn:
            device = (await devices.by_code(conn, "phone-1"))["device"]
            await devices.put_down(conn, device)
        async with client(str(http.base_url), token) as phone:
            assert (await phone.get("/v1/rounds")).status_code == 403
        seal: list[Item] = [
            changed(one, **MINE) for one in items(SEAL.format(tube="T1", site="X1"))
        ]
        async with client(str(http.base_url), token) as phone:  # what it saved still goes out
            assert said(await send(phone, seal)) == ["stored"]

    visit(play, story)


def test_nobody_holds_up_anothers_event_by_copying_its_id(play: Play):
    """Both uploads wait for the same transaction; the copy comes first."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        crew = await scene(muster)
        await crew.device("phone-1", holder="sampler-1")
        await crew.device("phone-2", holder="worker-1")
        (seal,) = events(SEAL.format(tube="T1", site="X1"))
        mine = replace(seal, actor="sampler-1", device="phone-1", received_at=now())
        copied = replace(mine, actor="worker-1", device="phone-2", subject=named("T9"))
        answers = await asyncio.gather(
            muster.door.append([replace(copied, type="X")], sender=Sender(device="phone-9")),
            muster.door.append([mine], sender=Sender(device="phone-1")),
            muster.door.append([copied], sender=Sender(device="phone-2")),
        )
        assert isinstance(answers[0][0], NotEntitled)
        assert [answers[1], answers[2]] == [["stored"], ["reused"]]

    visit(play, story)


def test_no_phone_makes_its_holder_an_administrator(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        crew = await scene(muster)
        for role in ("administrator", "auditor"):
            await crew.staff(f"{role}-1", Grant(role, everywhere=True))
            token = await crew.device(f"{role}-phone", holder=f"{role}-1")
            async with client(str(http.base_url), token) as phone:
                for path in ("/v1/accounts", "/v1/devices", "/v1/readings", "/v1/alarms"):
                    assert (await phone.get(path)).status_code == 403, (role, path)

    visit(play, story)
