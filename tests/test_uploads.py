"""Uploads: whatever comes, each item gets its answer, and nothing that came is lost."""

import gzip
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from muster.config import BODY_LIMIT_BYTES, ITEMS_LIMIT, UNZIPPED_LIMIT_BYTES
from muster.core.clock import now
from muster.instance import Instance
from muster.ledger import door
from tests.conftest import Play
from tests.senders import SENT, changed, item, items, post, query, said, send, visit
from tests.table import TOWN, events, named

(SEALED,) = items("08:20  TubeSealed  T1  members=p1,p2 round=R1")
UPLOAD = json.dumps({"items": [SEALED]}).encode()


async def kept(muster: Instance, *boxes: str) -> list[bytes]:
    """The bytes kept in these inbox items, or in all of them."""
    rows = await query(muster, "SELECT id::text, sealed FROM ledger.inbox WHERE sealed IS NOT NULL")
    found = {box: muster.vault.open(bytes(sealed)) for box, sealed in rows}
    return [found[box] for box in boxes or found]


def test_one_bad_item_among_a_hundred(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        sent = items("\n".join(f"08:20  TubeOpened  T{n}" for n in range(100)))
        bad = changed(sent[37], body={**sent[37]["event"]["body"], "capacity": "ten"})
        sent[37] = bad
        answers = await send(http, sent)
        assert said(answers) == ["stored"] * 37 + ["unreadable-item"] + ["stored"] * 62
        assert [one["id"] for one in answers] == [one["event"]["id"] for one in sent]
        assert answers[37]["detail"].startswith(
            "The item does not fit its type: Expected `int`, got `str` - at `$.capacity`."
        )
        assert await query(muster, "SELECT count(*) FROM sampling.tube") == [99]
        assert [json.loads(raw) for raw in await kept(muster)] == [bad]
        assert said(await send(http, sent)) == ["known"] * 37 + ["unreadable-item"] + ["known"] * 62
        assert len(await kept(muster)) == 1

    visit(play, story)


TAKEN = [  # what is no upload at all, why, and whether its bytes are kept
    (b"", {}, 400, "malformed-upload", True),
    (b'{"items": [', {}, 400, "malformed-upload", True),
    (b'{"items": {}}', {}, 400, "malformed-upload", True),
    (b'{"items": [], "sent_at": "2022-08-01 08:00"}', {}, 400, "malformed-upload", True),
    (b'{"items": [], "device": "a\\u0000"}', {}, 400, "malformed-upload", True),
    (b'\xff{"items": []}', {}, 400, "malformed-upload", True),
    (b'{"items": [' + b"[" * 90_000 + b"]" * 90_000 + b"]}", {}, 400, "malformed-upload", True),
    (UPLOAD, {"content-encoding": "gzip"}, 400, "malformed-upload", True),
    (gzip.compress(UPLOAD)[:-9], {"content-encoding": "gzip"}, 400, "malformed-upload", True),
    (gzip.compress(UPLOAD) + b"x", {"content-encoding": "gzip"}, 400, "malformed-upload", True),
    (gzip.compress(bytes(UNZIPPED_LIMIT_BYTES + 1)), {"content-encoding": "gzip"}, 413,
     "upload-too-large", False),
    (b'{"items": [' + b"0," * ITEMS_LIMIT + b"0]}", {}, 413, "upload-too-large", False),
    (b" " * (BODY_LIMIT_BYTES + 1), {}, 413, "upload-too-large", False),
]  # fmt: skip


def test_what_is_no_upload_is_refused_and_kept(play: Play):
    """Too large a body stays with its sender, who can divide it; any other is kept as it came."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        for body, headers, status, slug, _ in TAKEN:
            answer = await http.post("/v1/events", content=body, headers=headers)
            assert answer.status_code == status, (body[:40], answer.text)
            problem = answer.json()
            assert problem["type"] == f"urn:muster:problem:{slug}"
            assert answer.headers["content-type"] == "application/problem+json"
            if "inbox" in problem["facts"]:
                assert await kept(muster, problem["facts"]["inbox"]) == [body]
        assert set(await kept(muster)) == {body for body, *_, held in TAKEN if held}
        assert await query(muster, f"SELECT count(*) FROM ledger.event WHERE {SENT}") == [0]
        assert await post(http, UPLOAD) != []

    visit(play, story)


def test_a_body_without_a_length_is_measured_as_it_comes(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        async def chunks(count: int) -> AsyncIterator[bytes]:
            yield UPLOAD[:-1]
            for _ in range(count):
                yield b" " * 100_000
            yield b"}"

        answer = await http.post("/v1/events", content=chunks(3))
        assert said(answer.json()["answers"]) == ["stored"]
        answer = await http.post("/v1/events", content=chunks(90))
        assert answer.status_code == 413
        assert said((await post(http, UPLOAD))["answers"]) == ["known"]

    visit(play, story)


def test_a_gzip_encoded_body(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        answer = await post(http, gzip.compress(UPLOAD), **{"content-encoding": "gzip"})
        assert said(answer["answers"]) == ["stored"]
        last = "SELECT id, last_seq, hash FROM ledger.batch ORDER BY id DESC LIMIT 1"
        ((batch, seq, hash_),) = await query(muster, last)
        stored = f"SELECT seq FROM ledger.event WHERE {SENT}"
        assert await query(muster, stored) == [seq]
        assert answer["head"] == {"batch": batch, "seq": seq, "hash": hash_.hex()}

    visit(play, story)


BAD_ITEMS: list[tuple[Any, str]] = [
    (5, "unreadable-item"),
    ([], "unreadable-item"),
    ({}, "unreadable-item"),
    ({**SEALED, "name": "张三"}, "unreadable-item"),
    (changed(SEALED, id="T1"), "unreadable-item"),
    (changed(SEALED, device_at="2022-08-01T08:20:00"), "unreadable-item"),
    (changed(SEALED, device_at="0001-01-01T00:00:00+08:00"), "unreadable-item"),
    (changed(SEALED, device_at="9999-12-31T23:59:59-08:00"), "unreadable-item"),
    (changed(SEALED, actor=""), "unreadable-item"),
    (changed(SEALED, actor="a\0b"), "unreadable-item"),
    (changed(SEALED, device_seq=0), "unreadable-item"),
    (changed(SEALED, body=None), "unreadable-item"),
    (changed(SEALED, body={"members": []}), "unreadable-item"),
    (changed(SEALED, body={**SEALED["event"]["body"], "name": "张三"}), "unreadable-item"),
    (changed(SEALED, type="TubeFrozen"), "unknown-type"),
    (changed(SEALED, v=2), "unknown-type"),
    ({**SEALED, "identity": {"name": "张三"}}, "unreadable-item"),
    ({**SEALED, "note": "x" * 2_001}, "unreadable-item"),
]


def test_a_long_receipt_is_packed(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        many = [changed(SEALED, id=str(uuid4()), subject=str(uuid4())) for _ in range(200)]
        body = json.dumps({"items": many}).encode()
        plain = await http.post("/v1/events", content=body, headers={"accept-encoding": "identity"})
        packed = await http.post("/v1/events", content=body, headers={"accept-encoding": "gzip"})
        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert int(packed.headers["content-length"]) < len(plain.content) / 2
        assert said(packed.json()["answers"]) == ["known"] * 200
        assert packed.json()["head"] == plain.json()["head"]

    visit(play, story)


def test_what_cannot_be_read_is_held_with_the_reason(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        sent = [one for one, _ in BAD_ITEMS]
        answers = await send(http, [*sent, SEALED])
        assert said(answers) == [*(why for _, why in BAD_ITEMS), "stored"]
        boxes = [one["inbox"] for one in answers[:-1]]
        assert [json.loads(raw) for raw in await kept(muster, *boxes)] == sent
        listed = (await http.get("/v1/inbox", params={"limit": 1_000})).json()["items"]
        assert {one["id"]: one["slug"] for one in listed} == dict(
            zip(boxes, [why for _, why in BAD_ITEMS], strict=True)
        )

    visit(play, story)


def test_a_backslash_before_u0000_is_no_nul(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        sent = [changed(SEALED, actor="a\\u0000"), changed(SEALED, actor="\\\0")]
        assert said(await send(http, sent)) == ["stored", "unreadable-item"]
        assert await query(muster, f"SELECT actor FROM ledger.event WHERE {SENT}") == ["a\\u0000"]

    visit(play, story)


def test_an_id_used_again(play: Play):
    """Twice within one upload, in the next, and for something else: both are kept."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        other = changed(SEALED, subject=str(named("T9")))
        answers = await send(http, [SEALED, SEALED, other])
        assert said(answers) == ["stored", "known", "id-reused"]
        assert said(await send(http, [other, SEALED])) == ["id-reused", "known"]
        assert await query(muster, "SELECT tube FROM sampling.tube") == [named("T1")]
        assert [json.loads(raw) for raw in await kept(muster)] == [other]

    visit(play, story)


def test_receipts_tell_what_became_of_each(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        late = changed(SEALED, id=str(named("x")), type="TubeFrozen")
        _, held = await send(http, [SEALED, late])
        ids = [late["event"]["id"], str(named("never")), SEALED["event"]["id"]]
        found = (await http.get("/v1/receipts", params={"id": ids})).json()
        assert {one["id"]: (one["state"], one["why"], one["inbox"]) for one in found} == {
            ids[0]: ("held", "unknown-type", held["inbox"]),
            ids[1]: ("unknown", None, None),
            ids[2]: ("stored", None, None),
        }

    visit(play, story)


def test_reasons_in_the_senders_language(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        body = json.dumps({"items": [changed(SEALED, type="TubeFrozen")]}).encode()
        for language, beginning in (
            ("zh-CN,zh;q=0.9", "服务器还不认识事件类型 TubeFrozen（版本 1）。"),
            ("en", "This server does not know the event type TubeFrozen, version 1."),
        ):
            (answer,) = (await post(http, body, **{"accept-language": language}))["answers"]
            assert answer["detail"].startswith(beginning)

    visit(play, story)


def test_clocks_that_are_off(play: Play):
    """`at` is the device's time corrected by the offset of its upload and never later than receipt.
    What another device's phone brings along is taken as it is."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        at = now().replace(microsecond=0) - timedelta(hours=2)
        cases = [  # how far the clock is off; its event; `at` and what was applied
            ("fast", timedelta(days=3), "fast", at, -timedelta(days=3)),
            ("slow", -timedelta(days=3), "slow", at, timedelta(days=3)),
            ("year0", -timedelta(days=20_000), "year0", at, timedelta(days=20_000)),
            ("right", timedelta(seconds=2), "right", at + timedelta(seconds=2), timedelta()),
            ("fast", timedelta(days=3), "other", None, timedelta()),
            ("slow", -timedelta(days=3), "else", at - timedelta(days=3), timedelta()),
        ]
        for n, (sender, off, device, _, _) in enumerate(cases):
            (event,) = items(f"08:20  TubeOpened  T{n} device={device}")
            sent = changed(event, device_at=(at + off).isoformat())
            answers = await send(http, [sent], device=sender, sent_at=(now() + off).isoformat())
            assert said(answers) == ["stored"]
        told = f"SELECT at, received_at, offset_ms FROM ledger.event WHERE {SENT} ORDER BY seq"
        found = await query(muster, told)
        for (_, _, _, wanted, applied), (said_at, received_at, offset) in zip(
            cases, found, strict=True
        ):
            assert abs(timedelta(milliseconds=offset) - applied) < timedelta(seconds=2)
            assert abs(said_at - (wanted or received_at)) < timedelta(seconds=2)
            assert said_at <= received_at

    visit(play, story)


def test_a_walk_in_whose_document_is_known_is_the_resident(play: Play):
    """p1 is on the roster with a document; w1 and w2 are met outside it, w1 with the same one."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await muster.door.append(events(TOWN))
        sent = items("""
            07:10  ResidentListed  p1  building=H1 name=李四 number=11010519491231002X
            08:00  ResidentListed  w1  source=walk_in name=李四 number=11010519491231002x
            08:00  ResidentListed  w2  source=walk_in name=李四 number=E12345678
            08:20  TubeSealed      T1  members=w1,w2 round=R1
            12:00  ResultReleased  r1  barcode=T1 outcome=negative
        """)
        assert said(await send(http, sent)) == ["stored"] * 5
        merged = "SELECT subject, actor FROM ledger.event WHERE type = 'ResidentsMerged'"
        assert await query(muster, merged) == [(named("w1"), "rule:registry.same_document")]
        told = {}
        for who in ("p1", "w1", "w2", "p2"):
            results = (await http.get(f"/v1/people/{named(who)}/results")).json()
            told[who] = [(one["tube"], one["told"]) for one in results]
        mine = [(str(named("T1")), "negative")]
        assert told == {"p1": mine, "w1": mine, "w2": mine, "p2": []}

    visit(play, story)


def test_names_and_notes_are_in_the_vault_only(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        (listed,) = items(
            "08:00 ResidentListed w1 source=walk_in name=欧阳修 number=E12345678 phone=13800001111"
        )
        noted = {**item(events("08:20  TubeSealed  T1  members=w1")[0]), "note": "他怕针，带糖"}
        assert said(await send(http, [listed, noted])) == ["stored"] * 2
        everything = str(await query(muster, "SELECT to_jsonb(e)::text FROM ledger.event e"))
        for secret in ("欧阳修", "E12345678", "13800001111", "他怕针"):
            assert secret not in everything
        ((event, sealed, left),) = await query(
            muster, "SELECT event, sealed, expires_at - now() FROM vault.note"
        )
        assert str(event) == noted["event"]["id"]
        assert muster.vault.open(bytes(sealed)).decode() == "他怕针，带糖"
        assert timedelta(days=89) < left <= timedelta(days=90)
        found = (await http.get(f"/v1/people/{named('w1')}")).json()
        assert (found["name"], found["number"], found["phone"]) == (
            "欧*修", "*******78", "138****1111"
        )  # fmt: skip

    visit(play, story)


def test_more_than_the_queue_holds_is_asked_to_come_later(
    play: Play, monkeypatch: pytest.MonkeyPatch
):
    """Nothing of it is acknowledged, and sent again it is stored once."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        monkeypatch.setattr(door, "QUEUE_WEIGHT_LIMIT", 2)
        answer = await http.post("/v1/events", content=UPLOAD)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["type"] == "urn:muster:problem:too-busy"
        assert await query(muster, f"SELECT count(*) FROM ledger.event WHERE {SENT}") == [0]
        monkeypatch.undo()
        assert said((await post(http, UPLOAD))["answers"]) == ["stored"]

    visit(play, story)


@pytest.mark.parametrize("count", [0, ITEMS_LIMIT])
def test_none_and_as_many_as_may_be(play: Play, count: int):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        sent = items("\n".join(f"08:20  TubeSealed  T{n}  members=p{n}" for n in range(count)))
        half = [changed(one, type="TubeFrozen") if n % 2 else one for n, one in enumerate(sent)]
        assert said(await send(http, half)) == ["stored", "unknown-type"] * (count // 2)
        assert len(await kept(muster)) == count // 2

    visit(play, story)
