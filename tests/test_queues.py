"""Queues that somebody else carries: judged as if their device had sent them, opened by nobody on the way,
and taken in once however often they come.
"""

import base64
import gzip
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

import muster.cli as cli
from muster.access.decide import Grant
from muster.access.devices import Where
from muster.config import BODY_LIMIT_BYTES, QUEUE_ITEMS_LIMIT, UNZIPPED_LIMIT_BYTES, Settings
from muster.core.clock import now
from muster.exercise.crew import Crew
from muster.instance import Instance
from muster.intake.queues import QueueKey, queue_key, sealed_to
from muster.registry.vault import open_vault
from tests.browsers import Door, someone
from tests.conftest import Play
from tests.senders import Item, changed, client, items, query, said, send, visit
from tests.table import TOWN, events, named

MINE = {"actor": "sampler-1", "device": "phone-1"}
ODD = (b"not gzip", gzip.compress(b"{}", mtime=0), gzip.compress(b'{"items": [', mtime=0))
SEALED = "08:20  TubeSealed  T1  members=p1,p2 round=R1 site=X1"
BYTES = {"content-type": "application/octet-stream"}


def mine(table: str = SEALED) -> list[Item]:
    """What the sampler recorded on their phone."""
    return [changed(one, **MINE) for one in items(table)]


def packed(token: str, carried: list[Item], **more: Any) -> bytes:
    """A queue before it is sealed."""
    queue = {"token": token, "device": "phone-1", "offset_ms": 0, "items": carried} | more
    return gzip.compress(json.dumps(queue).encode())


async def sealed(http: httpx.AsyncClient, plain: bytes) -> bytes:
    """The plain bytes as a phone seals them to this server."""
    key = QueueKey(**(await http.get("/v1/queue-key")).json())
    assert len(base64.b64decode(key.key)) == 65
    return sealed_to(key, plain)


async def brought(http: httpx.AsyncClient, body: bytes, status: int = 200) -> Any:
    answer = await http.post("/v1/queues", content=body, headers=BYTES)
    assert answer.status_code == status, answer.text
    return answer.json() if status == 200 else answer.json()["type"].rpartition(":")[2]


async def scene(muster: Instance) -> tuple[str, str]:
    """A sampler's phone, and another's: their tokens."""
    await muster.door.append(events(f"{TOWN.strip()}\n07:00 SiteListed X1 area=G1"))
    crew = Crew(muster)
    await crew.staff("sampler-1", Grant("sampler", site=named("X1")))
    await crew.staff("sampler-2", Grant("sampler", site=named("X1")))
    here = Where(site=named("X1"))
    return (
        await crew.device("phone-1", holder="sampler-1", where=here),
        await crew.device("phone-2", holder="sampler-2", where=here),
    )


def test_a_queue_comes_as_if_its_device_had_sent_it(play: Play):
    """By another device, again, and then by its own device: stored once."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        first, second = await scene(muster)
        body = await sealed(http, packed(first, mine()))
        async with client(str(http.base_url), second) as other:
            taken = await brought(other, body)
            assert (said(taken["answers"]), taken["device"], taken["items"]) == (
                ["stored"], "phone-1", 1
            )  # fmt: skip
            assert taken["head"]["seq"] == muster.door.head.seq
            assert said((await brought(other, body))["answers"]) == ["known"]
        async with client(str(http.base_url), first) as own:
            assert said(await send(own, mine())) == ["known"]
        members = "SELECT person FROM sampling.specimen ORDER BY position"
        assert await query(muster, members) == [named("p1"), named("p2")]

    visit(play, story)


def test_a_token_that_ran_out_still_says_whose_it_is(play: Play):
    """What is in the queue is judged by what its device may send, not by what its carrier may."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        first, _ = await scene(muster)
        await query(muster, "UPDATE access.device_token SET expires_at = now() - interval '9 days'"
                    " RETURNING device")  # fmt: skip
        crew = Crew(muster)
        await crew.staff("carrier", Grant("courier", everywhere=True))
        async with client(str(http.base_url), await crew.device("van", holder="carrier")) as van:
            both = mine(f"{SEALED}\n09:00  AreaListed  G1  level=grid parent=S1")
            taken = await brought(van, await sealed(http, packed(first, both)))
            assert said(taken["answers"]) == ["stored", "not-entitled"]
            assert taken["device"] == "phone-1"
        assert await query(muster, "SELECT owner, sender FROM ledger.inbox") == [
            ("phone-1", "device:phone-1")
        ]

    visit(play, story)


def test_nobodys_token_is_judged_as_its_carriers(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        _, second = await scene(muster)
        body = await sealed(http, packed("made up", mine()))
        async with client(str(http.base_url), second) as other:
            taken = await brought(other, body)
            assert (said(taken["answers"]), taken["device"]) == (["stored"], None)
        door = Door(str(http.base_url))
        await someone(muster, "clerk", Grant("grid_worker", area=named("G1")))
        table = "08:30  TubeSealed  T2  members=p3 round=R1 site=X1"
        body = await sealed(http, packed("made up", mine(table)))
        async with door.signed_in("clerk") as clerk:
            answer = await clerk.http.post("/v1/queues", content=body, headers=BYTES)
            assert said(answer.json()["answers"]) == ["not-your-name"]
        async with client(str(http.base_url)) as stranger:
            assert await brought(stranger, body, 401) == "not-signed-in"

    visit(play, story)


def test_a_queue_is_brought_in_a_session(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        first, _ = await scene(muster)
        await someone(muster, "clerk", Grant("grid_worker", area=named("G1")))
        body = await sealed(http, packed(first, mine()))
        async with Door(str(http.base_url)).signed_in("clerk") as clerk:
            answer = await clerk.http.post("/v1/queues", content=body, headers=BYTES)
            assert answer.is_success, answer.text
            assert (answer.json()["device"], said(answer.json()["answers"])) == (
                "phone-1", ["stored"]
            )  # fmt: skip

    visit(play, story)


def test_a_revoked_devices_queue_waits_for_a_persons_word(play: Play):
    """Whoever brings it; and a revoked device may still bring what another has sealed."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        first, second = await scene(muster)
        crew = Crew(muster)
        await crew.staff("keeper", Grant("administrator", everywhere=True))
        token = await crew.device("keeper-1", holder="keeper", kind="gateway")
        async with client(str(http.base_url), token) as keeper:
            done = await keeper.post("/v1/devices/phone-1/revoke", json={"reason": "lost"})
            assert done.is_success, done.text
        async with client(str(http.base_url), second) as other:
            taken = await brought(other, await sealed(http, packed(first, mine())))
            assert said(taken["answers"]) == ["device-was-revoked"]
        theirs = [
            changed(one, actor="sampler-2", device="phone-2")
            for one in items("08:30  TubeSealed  T2  members=p3 round=R1 site=X1")
        ]
        async with client(str(http.base_url), first) as revoked:
            taken = await brought(revoked, await sealed(http, packed(second, theirs)))
            assert (said(taken["answers"]), taken["device"]) == (["stored"], "phone-2")

    visit(play, story)


def test_the_clock_of_the_device_is_corrected(play: Play):
    """By what the phone measured last, not by when the queue came; a wild offset is none."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        first, second = await scene(muster)
        at = now().replace(microsecond=0) - timedelta(hours=2)
        (one,) = mine()
        fast = changed(one, device_at=(at + timedelta(days=3)).isoformat())
        async with client(str(http.base_url), second) as other:
            offset = -3 * 24 * 3600 * 1000
            body = await sealed(http, packed(first, [fast], offset_ms=offset))
            assert said((await brought(other, body))["answers"]) == ["stored"]
            wild = await sealed(http, packed(first, [fast], offset_ms=2**62))
            assert await brought(other, wild, 400) == "malformed-upload"
        told = "SELECT at, offset_ms FROM ledger.event WHERE type = 'TubeSealed'"
        assert await query(muster, told) == [(at, offset)]

    visit(play, story)


def test_what_is_no_queue_is_refused(play: Play, tmp_path: Path):
    """Cut off anywhere, changed, sealed to another server, too large: nothing of it is taken in."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        first, second = await scene(muster)
        plain = packed(first, mine())
        body, last = await sealed(http, plain), muster.door.head.seq
        here = QueueKey(**(await http.get("/v1/queue-key")).json())
        number = 0
        while (elsewhere := queue_key(open_vault(tmp_path / f"{number}.key"))).id == here.id:
            number += 1
        altered = bytes([*body[:-20], body[-20] ^ 1, *body[-19:]])
        bomb = await sealed(http, gzip.compress(bytes(UNZIPPED_LIMIT_BYTES + 1)))
        many = packed(first, [{}] * (QUEUE_ITEMS_LIMIT + 1))  # type: ignore[list-item]
        wrong = [
            (b"", 400, "not-a-queue"), (b"MQ", 400, "not-a-queue"), (plain, 400, "not-a-queue"),
            (b"MQ1", 400, "queue-broken"), (body[:4], 400, "queue-broken"),
            (body[:50], 400, "queue-broken"), (body[:-1], 400, "queue-broken"),
            (body + b"x", 400, "queue-broken"), (altered, 400, "queue-broken"),
            (sealed_to(elsewhere, plain), 409, "queue-sealed-elsewhere"),
            # of the one in 256 servers whose key has the same byte it is said that it may be so
            (sealed_to(replace_id(elsewhere, here.id), plain), 400, "queue-broken"),
            (body + bytes(BODY_LIMIT_BYTES), 413, "upload-too-large"),
            (bomb, 413, "upload-too-large"), (await sealed(http, many), 413, "upload-too-large"),
        ]  # fmt: skip
        async with client(str(http.base_url), second) as other:
            for sent, status, slug in wrong:
                assert await brought(other, sent, status) == slug, sent[:60]
            assert await query(muster, "SELECT count(*) FROM ledger.inbox") == [0]
            assert muster.door.head.seq == last
            # what was sealed well and is no upload is kept, as any other upload
            for odd in ODD:
                assert await brought(other, await sealed(http, odd), 400) == "malformed-upload"
        kept = await query(muster, "SELECT sealed FROM ledger.inbox")
        assert {muster.vault.open(bytes(one)) for one in kept} == set(ODD)

    visit(play, story)


def replace_id(key: QueueKey, id: int) -> QueueKey:
    return QueueKey(key.key, id)


def test_five_thousand_tubes(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        first, second = await scene(muster)
        table = "\n".join(
            f"08:20  TubeSealed  T{n}  members=a{n},b{n} round=R1 site=X1" for n in range(5_000)
        )
        body = await sealed(http, packed(first, mine(table)))
        async with client(str(http.base_url), second) as other:
            taken = await brought(other, body)
            assert (taken["items"], set(said(taken["answers"]))) == (5_000, {"stored"})
            assert set(said((await brought(other, body))["answers"])) == {"known"}
        assert await query(muster, "SELECT count(*) FROM sampling.specimen") == [10_000]

    visit(play, story, clean=False)


def test_a_queue_sealed_before_the_keys_changed_still_opens(database: Settings, play: Play):
    """The key of a queue follows from the vault's: it is in every copy of the key file."""
    vault = open_vault(database.key_file)
    assert queue_key(vault) == queue_key(open_vault(database.key_file))

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        first, second = await scene(muster)
        before = await sealed(http, packed(first, mine()))
        ring = muster.vault.ring.now.with_key()
        muster.vault.ring._ring = replace(ring, current=2)
        after = QueueKey(**(await http.get("/v1/queue-key")).json())
        assert after != queue_key(vault)
        async with client(str(http.base_url), second) as other:
            assert said((await brought(other, before))["answers"]) == ["stored"]
            again = sealed_to(after, packed(first, mine()))
            assert said((await brought(other, again))["answers"]) == ["known"]

    visit(play, story)


def test_a_queue_comes_as_a_file(
    play: Play, database: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    file, torn = tmp_path / "phone-1.mq", tmp_path / "torn.mq"

    async def prepared(muster: Instance) -> None:
        first, _ = await scene(muster)
        body = sealed_to(queue_key(muster.vault), packed(first, mine()))
        file.write_bytes(body)
        torn.write_bytes(body[:-9])

    play(prepared)
    monkeypatch.setenv("DATABASE_URL", database.database_url or "")
    monkeypatch.setenv("MUSTER_HOME", str(database.home))
    monkeypatch.setenv("MUSTER_KEY_FILE", str(database.key_file))
    for stored, known in ((1, 0), (0, 1)):
        run = CliRunner().invoke(cli.main, ["field", "take", str(file), "--json"])
        assert run.exit_code == 0, run.output
        assert json.loads(run.stdout) == [{
            "file": str(file), "device": "phone-1", "items": 1, "stored": stored, "known": known,
            "held": 0,
        }]  # fmt: skip
    run = CliRunner().invoke(cli.main, ["field", "take", str(torn)])
    assert run.exit_code == 1
    assert "cut off" in run.output + run.stderr
    run = CliRunner().invoke(cli.main, ["field", "take", str(tmp_path / "none.mq")])
    assert run.exit_code == 1
