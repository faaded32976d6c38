"""Erasing a person: afterwards nothing that names them is found, wherever one looks, and the ledger
still verifies. A planted name, number and phone come in by every way there is.
"""

import asyncio
import io
from collections.abc import Iterator
from contextlib import redirect_stderr
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb

from muster.catalogue import CATALOGUE
from muster.cli.running import serving
from muster.config import Settings
from muster.core import log
from muster.core.clock import now
from muster.db import embedded
from muster.instance import Instance, open_instance
from muster.keeping import erasing, erasures
from muster.keeping.erasing import RoundsOpen
from muster.keeping.replay import rebuild
from muster.keeping.retention import clocks
from muster.keeping.tick import tick
from muster.keeping.verify import verify
from muster.ledger.event import body_bytes, canonical, digest
from tests import senders
from tests.conftest import Play
from tests.erasure_scene import (
    NAME,
    NUMBER,
    OTHER,
    OTHER_NUMBER,
    OTHER_PHONE,
    PHONE,
    PLANTED,
    dumped,
    erased,
    in_files,
    in_tables,
    owner,
    planted,
    rows,
)
from tests.senders import client, query
from tests.table import TOWN, events, named


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A Muster with a PostgreSQL of its own, in whose files one can look."""
    folder = tmp_path_factory.mktemp("erasure")
    settings = Settings(
        home=folder / "home", database_url=None, key_file=folder / "home" / "vault.key",
        timezone="Asia/Shanghai", language="en",
    )  # fmt: skip
    yield settings
    embedded.remove(settings.home)


def test_nothing_of_an_erased_person_is_found(home: Settings, tmp_path: Path):
    """In tables, indexes, samples, the write-ahead log, dumps, logs and the home folder; whoever
    stood beside them is whole."""
    logs = io.StringIO()

    async def story() -> None:
        async with open_instance(home) as muster:
            token = await senders.tester(muster)
            async with serving(muster) as (_, address), client(address, token) as http:
                person = await planted(muster, tmp_path, http)
                unmasked = await http.get(f"/v1/people/{person}?reason=call_back")
                assert unmasked.json()["name"] == NAME
            data = Path((await query(muster, "SHOW data_directory"))[0])
            folders = (data, home.home, tmp_path)
            before = in_files(*folders)
            assert {"name", "pinyin"} <= before.keys(), "it could have been found"
            assert await in_tables(muster, NAME) >= {"vault.identity", "vault.search"}
            assert NAME.encode() in dumped(muster)

            conn = await owner(muster)
            async with conn:
                plan = await erasing.plan_person(conn, muster.vault.open, person)
                assert set(plan.residents) == {person, named("w1")}
                goes = {name: count for name, count in plan.counts.items() if count}
                assert goes == {
                    "vault.identity": 2, "vault.search": 1, "vault.note": 1, "ledger.inbox": 2,
                    "registry.resident": 2, "sampling.stance": 1,
                    "ledger.event ResidentListed": 2, "ledger.event RefusalRecorded": 1,
                }  # fmt: skip
                assert plan.kept == {
                    "sampling.specimen": 1, "lab.recall": 0, "access.reading": 2
                }  # fmt: skip
                proof = await erased(muster, conn, plan)
                assert proof["storage"]["tables"]["ledger.event"] == "rewritten"
                assert await verify(conn, CATALOGUE) == []
            for text in (NAME, NUMBER, PHONE, "ouyangjingqi"):
                assert await in_tables(muster, text) == set()
            dump = dumped(muster)
            assert not [term for term, text in PLANTED.items() if text in dump]
            assert in_files(*folders) == {}
            await whole(muster)
        assert in_files(*folders) == {}, "nor after the server has stopped"

    with redirect_stderr(logs):
        log.configure(json=True)
        asyncio.run(story())
    assert not [term for term, text in PLANTED.items() if text in logs.getvalue().encode()]


async def whole(muster: Instance) -> None:
    """The uninvolved third person has everything still."""
    found = await rows(
        muster, "SELECT name, number, phone FROM vault.identity WHERE name = %s ORDER BY phone",
        OTHER,
    )  # fmt: skip
    texts = [[cell and muster.vault.open(cell).decode() for cell in row[1:]] for row in found]
    assert texts == [[OTHER_NUMBER, OTHER_PHONE], [OTHER_NUMBER, None]]
    assert await query(muster, "SELECT count(*) FROM vault.search WHERE name = %s", OTHER) == [1]
    assert await query(muster, "SELECT count(*) FROM vault.note") == [1]
    assert await query(muster, "SELECT count(*) FROM ledger.inbox WHERE sealed IS NOT NULL") == [1]
    assert await query(muster, "SELECT count(*) FROM sampling.stance") == [1]
    assert await query(muster, "SELECT count(*) FROM sampling.specimen") == [2], "the tube is whole"


def test_a_redacted_body_can_be_neither_changed_nor_guessed(play: Play, tmp_path: Path):
    async def story(muster: Instance) -> None:
        person = await planted(muster, tmp_path)
        conn = await owner(muster)
        async with conn:
            listed = events("08:00  ResidentListed  w1  source=walk_in")[0]
            sql = "SELECT * FROM ledger.event WHERE subject = %s AND type = 'ResidentListed'"
            async with conn.cursor(row_factory=namedtuple_row) as cursor:
                before: Any = await (await cursor.execute(sql.encode(), [named("w1")])).fetchone()
                content = canonical(before, body_bytes(listed.body))
                assert digest(before.salt, content) == before.digest, "the guess is right"
                await erased(
                    muster, conn, await erasing.plan_person(conn, muster.vault.open, person)
                )
                after: Any = await (await cursor.execute(sql.encode(), [named("w1")])).fetchone()
            assert (after.salt, after.body, after.digest) == (None, None, before.digest)
            guesses = [b"", bytes(16), named("w1").bytes, before.digest[:16]]
            assert before.digest not in [digest(salt, content) for salt in guesses]
            assert await verify(conn, CATALOGUE) == []
            await conn.execute(
                "UPDATE ledger.event SET salt = %s, body = '{\"source\": \"walk_in\"}'"
                " WHERE id = %s", [bytes(16), after.id],
            )  # fmt: skip
            found = {one.what for one in await verify(conn, CATALOGUE)}
            assert "it is not what was written" in found
            await conn.execute(
                "UPDATE ledger.event SET salt = NULL, body = NULL WHERE id = %s", [after.id]
            )
            await conn.execute(
                "DELETE FROM ledger.event WHERE type = 'RedactionAuthorised' AND subject = %s",
                [after.id],
            )
            found = {one.what for one in await verify(conn, CATALOGUE)}
            assert "it was emptied without authorisation" in found

    play(story)


def test_nobody_erased_comes_back(play: Play, tmp_path: Path):
    """What a phone still sends about them is stored without the name; a restored backup is erased
    again from the list, and verifies."""

    async def story(muster: Instance) -> None:
        person = await planted(muster, tmp_path)
        conn = await owner(muster)
        file = muster.settings.home / erasures.FILE_NAME
        async with conn:
            saved = {
                table: await (await conn.execute(f"SELECT * FROM {table}".encode())).fetchall()
                for table in ("ledger.event", "ledger.batch", "vault.identity", "vault.note")
            }
            await erased(muster, conn, await erasing.plan_person(conn, muster.vault.open, person))
            late = events(f"""
                09:30  ResidentListed  w1  source=walk_in name={NAME} number={NUMBER} id=late
                09:31  RefusalRecorded w1  round=R1 note={NAME} id=later
            """)
            assert await muster.door.append(late) == ["stored"] * 2
            assert await in_tables(muster, NAME) == set()
            assert await erasing.sweep(conn, muster.door, file=file, actor="a", at=now()) == 2
            assert await erasing.sweep(conn, muster.door, file=file, actor="a", at=now()) == 0
            # The backup of before the erasure, its read tables rebuilt.
            await conn.execute("TRUNCATE ledger.event, ledger.batch, vault.identity, vault.note,"
                               " vault.erased")  # fmt: skip
            for table, kept in saved.items():
                marks = ", ".join(["%s"] * len(kept[0]))
                async with conn.cursor() as cursor:
                    await cursor.executemany(
                        f"INSERT INTO {table} VALUES ({marks})".encode(),
                        [[adapted(cell) for cell in row] for row in kept],
                    )
            assert await in_tables(muster, NAME) != set(), "it could have come back"
            listed = erasures.read(file)
            assert {one for line in listed for one in line.residents} == {person, named("w1")}
            assert await erasures.replay(conn, listed) == 5  # 2 identities, 3 events
            assert await erasures.replay(conn, listed) == 0
            await rebuild(conn, CATALOGUE)
            assert await verify(conn, CATALOGUE) == []
            assert await in_tables(muster, NAME) == set()
            assert await query(
                muster, "SELECT count(*) FROM vault.identity WHERE name = %s", OTHER
            ) == [2]

    play(story)


def adapted(cell: Any) -> Any:
    return Jsonb(cell) if isinstance(cell, dict) else cell


def test_a_campaign_is_erased_once_its_rounds_are_closed(play: Play, tmp_path: Path):
    async def story(muster: Instance) -> None:
        await planted(muster, tmp_path)
        conn = await owner(muster)
        async with conn:
            with pytest.raises(RoundsOpen):
                await erasing.plan_campaign(conn, muster.vault.open)
            await muster.door.append(events("20:00  RoundClosed  R1  balance=[]"))
            of_round = await erasing.plan_campaign(conn, muster.vault.open, named("R1"))
            assert len(of_round.residents) == 4, "two people under two ids each"
            assert (await erasing.plan_expired(conn, muster.vault.open, now())).residents
            assert not (
                await erasing.plan_expired(conn, muster.vault.open, events(TOWN)[0].at)
            ).residents
            due = {row["kind"]: row["due"] for row in await clocks(conn, now())}
            assert (due["identities"], due["swab_links"]) == (4, 2)
            plan = await erasing.plan_campaign(conn, muster.vault.open)
            proof = await erased(muster, conn, plan)
            assert proof["people"] == 9
            for table in ("vault.identity", "vault.search", "vault.note", "registry.resident"):
                assert await query(muster, f"SELECT count(*) FROM {table}") == [0]
            assert await query(muster, "SELECT count(*) FROM sampling.specimen") == [2]
            assert await verify(conn, CATALOGUE) == []

    play(story)


def test_the_clock_ends_what_needs_nobodys_word(play: Play, tmp_path: Path):
    async def story(muster: Instance) -> None:
        await planted(muster, tmp_path)
        async with muster.pool.connection() as conn:
            soon = await tick(conn, muster.door, now())
            late = await tick(conn, muster.door, now() + timedelta(days=91))
        assert (soon["expired_inbox"], soon["expired_notes"]) == (0, 0)
        assert (late["expired_inbox"], late["expired_notes"]) == (3, 2)

    play(story)
