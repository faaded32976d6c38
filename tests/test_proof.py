"""Proof: whatever is altered, dropped, slipped in or cut off is found; what is redacted is not."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from muster.catalogue import CATALOGUE
from muster.instance import Instance, write_head
from muster.keeping.follower import catch_up, follow
from muster.keeping.redact import redact
from muster.keeping.replay import rebuild
from tests.conftest import Play
from tests.table import TOWN, events, named
from tests.test_ledger import findings, run, value

DAY = """
    08:20  TubeSealed      T1  members=p1,p2 round=R1
    08:22  TubeSealed      T9  members=p9 round=R1
    12:00  ResultReleased  r1  barcode=T1 outcome=positive
    12:00  ResultReleased  r9  barcode=T9 outcome=negative
"""


async def a_day(muster: Instance) -> None:
    """Three batches; a recall of two people follows from the third."""
    for table in (TOWN, DAY.partition("    12:00")[0], DAY):
        await muster.door.append(events(table))
    write_head(muster)
    assert await value(muster, "SELECT count(*) FROM ledger.batch") == 3
    assert await findings(muster, muster.head_file) == []


@pytest.mark.parametrize(
    ("deed", "found"),
    [
        (
            "UPDATE ledger.event SET body = body || '{\"outcome\": \"negative\"}' WHERE seq = 15",
            ["event {15}: it is not what was written", "lab.result", "lab.result"],
        ),
        (
            "UPDATE ledger.event SET body = '{\"members\": 7}' WHERE seq = 14",
            ["event {14}: it is not what was written", "sampling.tube: its view fails: Inv"],
        ),
        (
            "UPDATE ledger.event SET actor = 'somebody else' WHERE seq = 15",
            ["event {15}: it is not what was written"],
        ),
        (
            "UPDATE ledger.event SET at = at - interval '1 second' WHERE seq = 1",
            ["event {1}: it is not what was written"],
        ),
        (
            "UPDATE ledger.event SET digest = sha256('') WHERE seq = 15",
            ["batch 3: its hash does not follow", "event {15}: it is not what was written"],
        ),
        (
            "DELETE FROM ledger.event WHERE type = 'ResidentListed' AND subject = '{p4}'",
            ["batch 1: its hash does not follow", "registry.resident: 1 rows that do not follow"],
        ),
        (
            "INSERT INTO ledger.event SELECT 99, gen_random_uuid(), type, v, gen_random_uuid(), at,"
            " device_at, offset_ms, received_at, actor, device, device_seq, cause, salt, digest,"
            " body FROM ledger.event WHERE seq = 1",
            ["ledger.event: 1 events stand outside every batch", "event", "registry.area: 1 rows"],
        ),
        (
            "UPDATE ledger.batch SET hash = sha256('') WHERE id = 2",
            ["batch 2: its hash does not follow", "batch 3: its hash does not follow"],
        ),
        (
            "DELETE FROM lab.recall WHERE person = '{p1}'",
            ["lab.recall: 1 rows that follow from the ledger and are missing"],
        ),
        (
            "UPDATE sampling.specimen SET person = '{p9}' WHERE person = '{p1}'",
            ["sampling.specimen: 1 rows that do not follow", "sampling.specimen: 1 rows that fol"],
        ),
        (
            "INSERT INTO sampling.tube SELECT * FROM sampling.tube WHERE tube = '{T9}'",
            ["sampling.tube: 1 rows that do not follow"],
        ),
        (
            "UPDATE coverage.building SET sampled = sampled + 1 WHERE sampled > 1",
            ["coverage.building: 1 rows that do not follow", "coverage.building: 1 rows that fol"],
        ),
    ],
)  # fmt: skip
def test_what_is_tampered_with_is_found(play: Play, deed: str, found: Sequence[str]):
    async def story(muster: Instance) -> None:
        await a_day(muster)
        ids = dict(await pairs(muster, "SELECT '{' || seq || '}', id::text FROM ledger.event"))
        ids |= {f"{{{name}}}": str(named(name)) for name in ("p1", "p4", "p9", "T9")}
        await run(muster, filled(deed, ids))
        said = await findings(muster, muster.head_file)
        expected = [filled(text, ids) for text in found]
        assert [line[: len(text)] for line, text in zip(said, expected, strict=False)] == expected

    play(story)


def filled(text: str, ids: dict[str, str]) -> str:
    for mark, one in ids.items():
        text = text.replace(mark, one)
    return text


async def pairs(muster: Instance, sql: str) -> list[tuple[str, str]]:
    async with muster.pool.connection() as conn:
        return await (await conn.execute(sql.encode())).fetchall()


def test_a_tail_that_was_cut_off_is_seen_by_the_head_file(play: Play):
    async def story(muster: Instance) -> None:
        await a_day(muster)
        cut = "DELETE FROM ledger.event e USING ledger.batch b WHERE b.id = 3 AND seq >= first_seq"
        await run(muster, cut, "DELETE FROM ledger.batch WHERE id = 3")
        async with muster.pool.connection() as conn:
            await rebuild(conn, CATALOGUE)
        assert await findings(muster) == []
        assert await findings(muster, muster.head_file) == [
            "batch 3: the head file knows it, the database does not"
        ]
        await muster.door.append(events("13:00  TubeOpened  T3"))
        assert await findings(muster, muster.head_file) == [
            "batch 3: the head file has another hash"
        ]

    play(story)


def test_a_redacted_event_is_gone_and_the_chain_holds(play: Play):
    async def story(muster: Instance) -> None:
        await a_day(muster)
        (sealed, *_) = events(DAY)
        async with muster.pool.connection() as conn:
            await redact(conn, muster.door, [sealed.id], actor="dpo", reason="erasure")
        assert await value(muster, "SELECT tube FROM sampling.tube") == named("T9")
        assert await value(muster, "SELECT person FROM sampling.specimen") == named("p9")
        assert await value(muster, "SELECT body FROM ledger.event WHERE id = %s", sealed.id) is None
        assert await value(muster, "SELECT salt FROM ledger.event WHERE id = %s", sealed.id) is None
        assert await value(muster, "SELECT sum(sampled) FROM coverage.building") == 1
        assert await findings(muster, muster.head_file) == []
        assert await muster.door.append([sealed]) == ["known"]

    play(story)


@pytest.mark.parametrize(
    "line",
    [line for line in TOWN.strip().splitlines() if "G2" in line or "p3" in line or "R1" in line]
    + DAY.strip().splitlines()
    + ["08:00  SpecimenTaken   T1  person=p1", "09:00  ResidentsMerged  w1  into=p4"],
)
def test_whatever_is_redacted_every_table_follows(play: Play, line: str):
    async def story(muster: Instance) -> None:
        await muster.door.append(
            events("""
                08:00  TubeOpened       T1  barcode=T2
                08:00  SpecimenTaken    T1  person=p1
                08:00  TubeSealed       T2  members=w1,p3 round=R1
                08:00  ResidentListed   w1  source=walk_in
                09:00  ResidentsMerged  w1  into=p4
            """)
        )
        await a_day_after(muster)
        ids = [event.id for event in events(line)]
        async with muster.pool.connection() as conn:
            await catch_up(conn, CATALOGUE)
            assert await redact(conn, muster.door, ids, actor="dpo", reason="mistake") == 1
        assert await findings(muster) == []

    async def a_day_after(muster: Instance) -> None:
        await muster.door.append(events(TOWN))
        await muster.door.append(events(DAY))

    play(story)


def test_emptying_an_event_without_authorisation_is_found(play: Play):
    async def story(muster: Instance) -> None:
        await a_day(muster)
        await run(muster, "UPDATE ledger.event SET body = NULL, salt = NULL WHERE seq = 14")
        (event,) = await ids_at(muster, 14)
        assert (await findings(muster))[0] == f"event {event}: it was emptied without authorisation"

    play(story)


def test_an_authorisation_cannot_be_emptied(play: Play):
    async def story(muster: Instance) -> None:
        await a_day(muster)
        async with muster.pool.connection() as conn:
            (sealed, *_) = events(DAY)
            await redact(conn, muster.door, [sealed.id], actor="dpo", reason="erasure")
            last = await value(muster, "SELECT id FROM ledger.event ORDER BY seq DESC LIMIT 1")
            assert await redact(conn, muster.door, [last], actor="dpo", reason="erasure") == 0
        kept = "SELECT count(*) FROM ledger.event WHERE type = 'RedactionAuthorised' AND salt <> ''"
        assert await value(muster, kept) == 2
        assert await findings(muster) == []

    play(story)


async def ids_at(muster: Instance, *seqs: int) -> list[UUID]:
    async with muster.pool.connection() as conn:
        rows = await conn.execute("SELECT id FROM ledger.event WHERE seq = ANY (%s)", [list(seqs)])
        return [row[0] for row in await rows.fetchall()]


def test_a_running_server_is_proved_without_false_alarms(play: Play):
    """Verification, two followers and the door work on the same tables at the same moment."""

    async def story(muster: Instance) -> None:
        await muster.door.append(events(TOWN))
        followers = [asyncio.create_task(follow(muster.conninfo, CATALOGUE)) for _ in "ab"]
        done = asyncio.Event()

        async def send() -> int:
            sent = 0
            while not done.is_set():
                sent += 1
                await muster.door.append(
                    events(f"08:20  TubeSealed  T{sent}  members=p{sent % 4 + 1},p9 round=R1")
                )
            return sent

        sender = asyncio.create_task(send())
        for _ in range(5):
            assert await findings(muster) == []
            await asyncio.sleep(0.1)
        done.set()
        assert await sender > 20
        for task in followers:
            task.cancel()
        await asyncio.gather(*followers, return_exceptions=True)
        assert await findings(muster) == []

    play(story)
