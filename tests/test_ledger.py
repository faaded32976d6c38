"""The door: every event stored once, in one chain, answered in order, whatever else happens."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from muster.catalogue import CATALOGUE
from muster.core.clock import now
from muster.core.problems import Problem
from muster.core.rows import rows
from muster.instance import Instance
from muster.keeping.replay import rebuild
from muster.keeping.tick import reconcile, tick
from muster.keeping.verify import verify
from muster.ledger.door import Door
from muster.ledger.event import Event
from muster.ledger.projection import Rule
from tests.conftest import Play, second_server
from tests.table import TOWN, events, named

TUBES = """
    08:20  TubeSealed  T1  members=p1,p2
    08:21  TubeSealed  T2  members=p3
    08:22  TubeSealed  T9  members=p9
"""

ENDLESS = Rule(
    "test.endless",
    "TubeOpened",
    ("tube",),
    b"SELECT t.tube, t.tube, gen_random_uuid()::text,"
    b" jsonb_build_object('barcode', 'b', 'purpose', 'round', 'capacity', 10)"
    b" FROM sampling.tube t WHERE t.tube = ANY (%(tube)s::uuid[])",
    "",
)


async def value(muster: Instance, sql: str, *values: Any) -> Any:
    """What a query returns: its first column's only value, or all of them as a list."""
    async with muster.pool.connection() as conn:
        rows = await (await conn.execute(sql.encode(), values)).fetchall()
    return rows[0][0] if len(rows) == 1 else [row[0] for row in rows]


async def findings(muster: Instance, head_file: Path | None = None) -> list[str]:
    async with muster.pool.connection() as conn:
        return [f"{f.where}: {f.what}" for f in await verify(conn, CATALOGUE, head_file=head_file)]


async def run(muster: Instance, *statements: str) -> None:
    async with muster.pool.connection() as conn:
        for sql in statements:
            await conn.execute(sql.encode())


def tubes(prefix: str, count: int) -> list[Event]:
    return events(
        "\n".join(f"08:20 TubeSealed {prefix}{n} members={prefix}p{n}" for n in range(count))
    )


def test_stored_then_known_then_reused(play: Play):
    async def story(muster: Instance) -> None:
        first, second, third = events(TUBES)
        other = replace(second, id=first.id)
        assert await muster.door.append([first, first, other]) == ["stored", "known", "reused"]
        assert await muster.door.append([third, other, first]) == ["stored", "reused", "known"]
        assert await muster.door.append([]) == []
        assert await value(muster, "SELECT id FROM ledger.event ORDER BY seq") == [
            first.id,
            third.id,
        ]
        assert await findings(muster) == []

    play(story)


def test_what_is_reused_is_told_apart_from_what_the_server_measured(play: Play):
    """The same event sent later has another offset and time of receipt; it is known."""

    async def story(muster: Instance) -> None:
        (event,) = events("08:20  TubeSealed  T1  members=p1 device=d1 seq=1")
        later = replace(event, received_at=now(), at=now(), offset_ms=7)
        assert await muster.door.append([event]) == ["stored"]
        assert await muster.door.append([later]) == ["known"]
        for change in ({"actor": "other"}, {"device_seq": 2}, {"type": "TubeOpened"}):
            assert await muster.door.append([replace(event, **change)]) == ["reused"]

    play(story)


def test_many_uploads_at_once_share_transactions_and_one_chain(play: Play):
    async def story(muster: Instance) -> None:
        uploads = [[event] for event in tubes("T", 200)]
        answers = await asyncio.gather(*(muster.door.append(upload) for upload in uploads))
        assert answers == [["stored"]] * 200
        assert await value(muster, "SELECT count(*) FROM ledger.event") == 200
        assert await value(muster, "SELECT max(seq) FROM ledger.event") == 200
        assert await value(muster, "SELECT count(*) < 100 FROM ledger.batch")
        assert muster.door.head.seq == 200
        assert await findings(muster) == []

    play(story)


def test_two_servers_on_one_database_write_one_chain(play: Play):
    async def story(muster: Instance) -> None:
        async with second_server(muster.settings) as other:
            shared = tubes("S", 40)
            pairs = await asyncio.gather(
                *(muster.door.append([event]) for event in (*tubes("A", 40), *shared)),
                *(other.door.append([event]) for event in (*shared, *tubes("B", 40))),
            )
            assert sorted(str(answer) for (answer,) in pairs) == ["known"] * 40 + ["stored"] * 120
            assert await value(muster, "SELECT count(DISTINCT tube) FROM sampling.specimen") == 120
            assert await value(other, "SELECT max(seq) FROM ledger.event") == 120
            assert await findings(muster) == await findings(other) == []

    play(story)


def test_what_was_acknowledged_survives_the_loss_of_the_connection(play: Play):
    """The backend of the door is ended again and again; senders send again what failed."""

    async def story(muster: Instance) -> None:
        stop = asyncio.Event()

        async def kill() -> int:
            killed = 0
            while not stop.is_set():
                await asyncio.sleep(0.03)
                found = await value(
                    muster,
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE application_name = 'muster door' AND datname = current_database()",
                )
                killed += found
            return killed

        async def send(event: Event) -> str:
            while True:
                try:
                    (answer,) = await muster.door.append([event])
                    return str(answer)
                except Problem:
                    await asyncio.sleep(0.01)

        async def sender(mine: list[Event]) -> list[str]:
            return [await send(event) for event in mine]

        killer = asyncio.create_task(kill())
        sent = tubes("T", 240)
        answers = await asyncio.gather(*(sender(sent[n::8]) for n in range(8)))
        stop.set()
        assert await killer > 3
        assert {answer for part in answers for answer in part} <= {"stored", "known"}
        kept = await value(muster, "SELECT id FROM ledger.event")
        assert sorted(kept) == sorted(event.id for event in sent)
        assert await findings(muster) == []

    play(story)


def test_one_event_that_breaks_a_view_harms_nobody_else(play: Play):
    async def story(muster: Instance) -> None:
        await run(muster, "ALTER TABLE sampling.tube ADD CONSTRAINT b CHECK (barcode <> 'BOOM')")
        await muster.door.append(events(TOWN))
        good = events("""
            08:20  TubeSealed  T1  members=p1 round=R1
            08:22  TubeSealed  T9  members=p9 round=R1
            08:23  TubeSealed  T3  members=p3 round=R1
        """)
        bad = events("08:21  TubeSealed  T2  barcode=BOOM members=p2 round=R1")
        uploads = [good[:1], bad, good[1:]]
        answers = await asyncio.gather(*(muster.door.append(upload) for upload in uploads))
        assert answers == [["stored"], ["stored"], ["stored", "stored"]]
        shown = "SELECT tube FROM sampling.tube ORDER BY tube"
        assert await value(muster, shown) == sorted(named(tube) for tube in ("T1", "T3", "T9"))
        stalled = "SELECT subject, view, event, error FROM ledger.stalled"
        async with muster.pool.connection() as conn:
            ((subject, view, event, error),) = await (await conn.execute(stalled)).fetchall()
            assert (subject, view, event) == (named("T2"), "sampling.tube", bad[0].id)
            assert error.startswith("CheckViolation 23514")
            assert (await tick(conn, muster.door, now()))["unstalled"] == 0
        assert await value(muster, "SELECT sampled FROM coverage.building LIMIT 0") == []
        assert len(await findings(muster)) > 0

        await run(muster, "ALTER TABLE sampling.tube DROP CONSTRAINT b")
        async with muster.pool.connection() as conn:
            assert (await tick(conn, muster.door, now()))["unstalled"] == 1
        assert await value(muster, stalled) == []
        assert len(await value(muster, shown)) == 4
        assert await findings(muster) == []

    play(story)


def test_a_consequence_that_breaks_a_view_is_shown_once_that_is_mended(play: Play):
    async def story(muster: Instance) -> None:
        await muster.door.append(events(TUBES))
        await run(
            muster,
            "CREATE FUNCTION boom() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN RAISE division_by_zero; END$$",
            "CREATE TRIGGER boom BEFORE INSERT ON lab.recall FOR EACH ROW EXECUTE FUNCTION boom()",
        )
        results = events("""
            12:00  ResultReleased  r1  barcode=T1 outcome=positive
            12:00  ResultReleased  r9  barcode=T9 outcome=negative
        """)
        assert await muster.door.append(results) == ["stored", "stored"]
        assert await value(muster, "SELECT count(*) FROM lab.outcome") == 2
        assert await value(muster, "SELECT count(*) FROM lab.recall") == 0
        await run(muster, "DROP TRIGGER boom ON lab.recall")
        async with muster.pool.connection() as conn:
            await tick(conn, muster.door, now())
        assert await value(muster, "SELECT count(*) FROM lab.recall") == 2
        assert await findings(muster) == []

    play(story)


def test_reconcile_appends_what_a_rule_missed_and_nothing_twice(play: Play):
    async def story(muster: Instance) -> None:
        await muster.door.append(events(TUBES))
        rest = [rule for rule in CATALOGUE.rules if rule.name != "lab.recall_members"]
        async with with_rules(muster, *rest) as door:
            await door.append(events("12:00  ResultReleased  r1  barcode=T1 outcome=positive"))
        assert await value(muster, "SELECT count(*) FROM lab.recall") == 0
        async with muster.pool.connection() as conn:
            assert await reconcile(conn, muster.door, "lab.recall_members") == 2
            assert await reconcile(conn, muster.door, "lab.recall_members") == 0
        assert await value(muster, "SELECT count(*) FROM lab.recall WHERE state = 'open'") == 2
        assert await findings(muster) == []

    play(story)


def test_a_rule_without_end_stalls_one_event_and_loses_nothing(play: Play):
    async def story(muster: Instance) -> None:
        async with with_rules(muster, *CATALOGUE.rules, ENDLESS) as door:
            assert await door.append(events(TUBES)) == ["stored"] * 3
        assert await value(muster, "SELECT DISTINCT view FROM ledger.stalled") == "rules"
        assert await value(muster, "SELECT count(*) FROM sampling.tube") == 3
        assert await findings(muster) == []

    play(story)


def test_what_the_database_cannot_hold_is_said_and_the_rest_is_stored(play: Play):
    async def story(muster: Instance) -> None:
        first, second, third = events(TUBES)
        bad = replace(second, actor="\0")
        assert await muster.door.append([first, bad, third]) == ["stored", "unstorable", "stored"]
        assert await value(muster, "SELECT count(*) FROM ledger.event") == 2
        assert await findings(muster) == []

    play(story)


def test_a_devices_own_count_shows_what_has_not_arrived(play: Play):
    async def story(muster: Instance) -> None:
        await muster.door.append(
            events("""
                08:00  TubeOpened  T1  device=d1 seq=1
                08:03  TubeOpened  T4  device=d1 seq=4
                08:00  TubeOpened  T9  device=d9 seq=1
            """)
        )
        async with muster.pool.connection() as conn:
            gaps = await rows(conn, "muster.sampling", "device_gaps", limit=10)
            found = [(gap["device"], gap["first_missing"], gap["last_missing"]) for gap in gaps]
            assert found == [("d1", 2, 3)]
            await muster.door.append(
                events("""
                    08:02  TubeOpened  T3  device=d1 seq=3
                    08:01  TubeOpened  T2  device=d1 seq=2
                """)
            )
            assert await rows(conn, "muster.sampling", "device_gaps", limit=10) == []

    play(story)


def test_rebuilding_while_the_door_goes_on(play: Play):
    """Merges, moves and new labels arrive meanwhile; in the end every table equals its view."""

    async def story(muster: Instance) -> None:
        await muster.door.append(events(TOWN))
        rebuilt = asyncio.Event()
        sent = 0

        async def send() -> None:
            nonlocal sent
            while not rebuilt.is_set():
                x, sent = f"x{sent}", sent + 8
                answers = await muster.door.append(
                    events(f"""
                        08:00  TubeOpened       {x}a  barcode={x} round=R1
                        08:01  SpecimenTaken    {x}a  person=p1
                        08:00  ResidentListed   {x}w  source=walk_in
                        08:20  TubeSealed       {x}a  barcode={x}c members=p2,{x}w round=R1
                        08:20  TubeSealed       {x}b  barcode={x} members=p2 round=R1
                        12:00  ResultReleased   {x}r  barcode={x} outcome=positive
                        13:00  SpecimenMoved    {x}a  person=p2 to={x}b
                        14:00  ResidentsMerged  {x}w  into=p3
                    """)
                )
                assert answers == ["stored"] * 8

        sender = asyncio.create_task(send())
        seq = 0
        async with muster.pool.connection() as conn:
            for _ in range(4):
                seq = await rebuild(conn, CATALOGUE)
        rebuilt.set()
        await sender
        assert seq > 100
        shadows = "SELECT nspname FROM pg_namespace WHERE nspname ~ '__new$'"
        assert await value(muster, shadows) == []
        assert await value(muster, "SELECT count(*) FROM sampling.tube") == sent // 4
        assert await findings(muster) == []

    play(story)


def with_rules(muster: Instance, *rules: Rule) -> Door:
    """A door of its own that knows these rules."""
    return Door(muster.conninfo, replace(CATALOGUE, rules=rules), muster.vault)
