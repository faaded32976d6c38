"""The inbox: what could not be read is kept for its sender, and applied once the server has learnt to
read it.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from muster.access.decide import Grant
from muster.catalogue import CATALOGUE
from muster.core.clock import now
from muster.exercise.crew import Crew
from muster.instance import Instance
from muster.keeping.follower import catch_up
from muster.ledger.event import Body
from muster.sampling.events import TubeSealed
from tests.conftest import Play
from tests.senders import SENT, Item, changed, client, command_post, items, query, said, send, visit
from tests.table import TOWN, events, named

(SEALED,) = items("08:20  TubeSealed  T1  members=p1,p2 round=R1")


def unknown(one: Item, name: str, **facts: Any) -> Item:
    """An item of a type that only a newer server knows."""
    facts = {"id": str(named(name)), "type": "TubeFrozen", "body": {"freezer": "F1"}, **facts}
    return changed(one, **facts)


def voided(name: str, **facts: Any) -> Item:
    """An item of a type that the server of `learn` does not know yet."""
    body = {"person": str(named("p1")), "reason": "left"}
    facts = {"id": str(named(name)), "type": "SpecimenVoided", "body": body, **facts}
    return changed(SEALED, **facts)


@pytest.fixture
def learn(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server older than SpecimenVoided; makes it know that, as an upgrade would."""
    with monkeypatch.context() as older:
        older.delitem(Body.types, "SpecimenVoided")
        yield older.undo


async def kept(muster: Instance) -> list[Any]:
    sealed = await query(muster, "SELECT sealed FROM ledger.inbox WHERE sealed IS NOT NULL")
    return [json.loads(muster.vault.open(bytes(one))) for one in sealed]


def test_a_type_is_applied_once_it_is_known(play: Play, learn: Any):
    """With the clock as it was measured when it came; what is still unreadable stays."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        before, off = now(), timedelta(days=3)
        at = before - timedelta(hours=2)
        facts = {"device": "slow", "device_at": (at - off).isoformat()}
        late = [voided(f"f{n}", **facts) for n in range(450)]
        broken = voided("broken", body={"person": 7})
        sent_at = (now() - off).isoformat()
        answers = await send(http, [*late, broken], device="slow", sent_at=sent_at)
        assert said(answers) == ["unknown-type"] * 451
        assert (await http.post("/v1/inbox/retry")).json() == {"applied": 0, "held": 451}
        after = now()
        learn()
        assert (await http.post("/v1/inbox/retry")).json() == {"applied": 450, "held": 1}
        assert (await http.post("/v1/inbox/retry")).json() == {"applied": 0, "held": 1}
        assert await kept(muster) == [broken]
        assert said(await send(http, late[:2])) == ["known"] * 2
        found = await query(
            muster, f"SELECT DISTINCT at, received_at FROM ledger.event WHERE {SENT}"
        )
        ((told, received_at),) = found
        assert abs(told - at) < timedelta(seconds=2)
        assert before < received_at < after
        ids = [one["event"]["id"] for one in (*late[:2], broken)]
        receipts = (await http.get("/v1/receipts", params={"id": ids})).json()
        assert {one["id"]: one["state"] for one in receipts} == dict(
            zip(ids, ("stored", "stored", "held"), strict=True)
        )
        again = [voided("f0", subject=str(named("T9"))), broken]
        assert said(await send(http, again)) == ["id-reused", "unreadable-item"]
        assert (await http.post("/v1/inbox/retry")).json() == {"applied": 0, "held": 2}

    visit(play, story)


def test_a_newer_version_waits_for_its_reader(play: Play, monkeypatch: pytest.MonkeyPatch):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        newer = changed(SEALED, v=2)
        assert said(await send(http, [newer])) == ["unknown-type"]
        monkeypatch.setattr(TubeSealed, "version", 2)
        assert (await http.post("/v1/inbox/retry")).json() == {"applied": 1, "held": 0}
        assert said(await send(http, [newer, SEALED])) == ["known", "id-reused"]
        assert await query(muster, "SELECT tube FROM sampling.tube") == [named("T1")]

    visit(play, story)


def test_who_it_is_from_and_until_when_it_is_kept(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        bad = unknown(SEALED, "x")
        await send(http, [bad], device="phone-7")
        await send(http, [changed(bad, v=9)])
        await http.post("/v1/events", content=b"{")
        found = (await http.get("/v1/inbox")).json()["items"]
        assert [(one["owner"], one["event"], one["kept"]) for one in found] == [
            ("phone-7", str(named("x")), True),
            ("tester-system", str(named("x")), True),
            ("tester-system", None, True),
        ]
        senders = await query(muster, "SELECT sender FROM ledger.inbox")
        assert senders == ["device:tester-system"] * 3
        days = "SELECT DISTINCT expires_at - received_at FROM ledger.inbox"
        assert await query(muster, days) == [timedelta(days=30)]

    visit(play, story)


def test_what_cannot_be_applied_is_not_accepted(play: Play):
    """Held for want of a right; meanwhile its id came to stand for something else."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await muster.door.append(events(TOWN))
        async with muster.pool.connection() as conn:
            await catch_up(conn, CATALOGUE)
        crew = Crew(muster)
        await crew.staff("outsider", Grant("grid_worker", area=named("G1")))
        phone = client(str(http.base_url), await crew.device("outsider-1", holder="outsider"))
        (listed,) = items("07:30  ResidentListed  z1  building=H3 id=x")
        by = {"actor": "outsider", "device": "outsider-1"}
        async with phone:
            (held,) = await send(phone, [changed(listed, **by)])
        assert said([held]) == ["outside-scope"]
        await muster.door.append(events("07:30  AreaListed  S9  level=street id=x"))
        async with client(str(http.base_url), await command_post(muster)) as other:
            answer = await other.post(f"/v1/inbox/{held['inbox']}/accept")
        assert answer.json()["type"] == "urn:muster:problem:not-readable"
        assert answer.json()["facts"]["reason"] == "reused"
        decided = "SELECT count(*) FROM ledger.event WHERE type = 'HeldAccepted'"
        assert await query(muster, decided) == [0]
        refused = await http.post(f"/v1/inbox/{held['inbox']}/refuse", json={"reason": "other"})
        assert refused.status_code == 204

    visit(play, story)


def test_what_had_expired_is_kept_again_when_it_comes_again(play: Play):
    """`held` says that the server has the bytes."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        bad = unknown(SEALED, "x")
        (first,) = await send(http, [bad])
        await query(muster, "UPDATE ledger.inbox SET sealed = NULL RETURNING 1")
        (second, third) = await send(http, [bad, bad])
        assert first == second == third
        assert await kept(muster) == [bad]

    visit(play, story)


def test_nothing_readable_is_in_the_database(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        sent = {**unknown(SEALED, "x"), "identity": {"name": "欧阳修", "number": "E12345678"}}
        await send(http, [sent])
        ((text, sealed),) = await query(
            muster, "SELECT to_jsonb(i)::text, sealed FROM ledger.inbox i"
        )
        assert "欧阳修".encode() in muster.vault.open(bytes(sealed))
        for secret in ("欧阳修", "欧阳修".encode().hex(), "E12345678", b"E12345678".hex()):
            assert secret not in text

    visit(play, story)
