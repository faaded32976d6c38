"""Backups and what is restored from them: the same ledger and the same rows; nothing from a file that
was touched, nothing half after a kill, nobody who was erased.
"""

import asyncio
import itertools
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from muster.config import Settings
from muster.core.clock import now
from muster.instance import Instance, open_instance
from muster.keeping import erasing, erasures
from muster.keeping.backup import LEFT_OUT, SUFFIX, backup
from muster.keeping.sealed import Header, open_key
from tests.backup.scene import SCENE, contents, is_empty, made, run, slug
from tests.conftest import Play, Server
from tests.import_files import number
from tests.table import TOWN, events, named


def test_what_is_restored_is_the_same(database: Settings, scene: None, empty: Settings):
    assert database.database_url
    with psycopg.connect(database.database_url, autocommit=True) as conn:
        conn.execute("CREATE TABLE vault.of_tomorrow (id int, word text)")  # a table nobody listed
        conn.execute(
            "INSERT INTO vault.of_tomorrow VALUES (1, E'tab\\t, line\\n, \\\\N'), (2, NULL)"
        )
        code, said = run(database, "backup", "--no-verify")
        assert (code, said["rows"]["vault.of_tomorrow"]) == (0, 2)
        conn.execute("DROP TABLE vault.of_tomorrow")
        conn.execute("SELECT access.note_reading(now(), 'x', '', 'y', '', true, NULL, '{}')")
    code, said = run(database, "backup")
    assert code == 0, said
    assert (said["proven"], said["rows"]["vault.note"], said["rows"]["ledger.inbox"]) == (
        True,
        1,
        1,
    )
    file = database.home / "backups" / said["file"]
    assert file.stat().st_mode & 0o777 == 0o600
    for known in ("张乐", number(sequence=1), "13800138000", "TubeSealed"):
        assert known.encode() not in file.read_bytes()

    code, restored = run(empty, "restore", file, "--without-erasures")
    assert code == 0, restored
    assert (restored["hash"], restored["seq"]) == (said["hash"], said["events"])
    before, after = contents(database), contents(empty)
    assert len(before["sampling.specimen"]) == 4
    assert len(before["lab.recall"]) == 3
    assert {name: rows for name, rows in before.items() if rows != after.get(name)} == {}
    assert set(before) == set(after)
    assert run(empty, "verify") == (0, {"findings": []})
    assert (empty.home / "heads.txt").read_text() == f"{said['batch']} {said['hash']}\n"
    with psycopg.connect(empty.database_url or "") as conn:  # the numbering goes on
        conn.execute("SELECT access.note_reading(now(), 'x', '', 'y', '', true, NULL, '{}')")
        assert conn.execute("SELECT max(id) FROM access.reading").fetchone() == (2,)
    scratch = "SELECT count(*) FROM pg_database WHERE datname LIKE 'muster_scratch_%'"
    with psycopg.connect(database.database_url) as conn:
        assert conn.execute(scratch).fetchone() == (0,)


def test_what_was_good_once_is_not_good_again(database: Settings, scene: None):
    """Sessions and one-time codes; computed tables come from the rest."""
    _, said = run(database, "backup", "--no-verify")
    with psycopg.connect(database.database_url or "") as conn:
        for name in LEFT_OUT:
            assert conn.execute("SELECT to_regclass(%s)", [name]).fetchone() != (None,)
            assert name not in said["rows"]
    assert {"ledger.event", "vault.identity", "credential.password"} <= set(said["rows"])
    assert not {"sampling.tube", "vault.search"} & set(said["rows"])


def test_the_door_goes_on_meanwhile(database: Settings, scene: None, play: Play, empty: Settings):
    """A backup ends with a whole batch, whatever comes in while it is made."""
    key, _ = open_key(database.backup_key_file, make=True)
    file = database.home / "backups" / f"one{SUFFIX}"

    async def story(muster: Instance) -> tuple[Header, int]:
        done = asyncio.Event()

        async def senders() -> None:
            for n in itertools.count():
                await muster.door.append(events(f"09:00  TubeSealed  X{n}  members=p9 round=R1"))
                if done.is_set():
                    return

        sending = asyncio.create_task(senders())
        async with await psycopg.AsyncConnection.connect(muster.conninfo, autocommit=True) as conn:
            while muster.door.stored < 20:
                await asyncio.sleep(0.01)
            header = await backup(conn, file, key=key, made_at=now(), keep_days=1, program="x")
            done.set()
            await sending
        return header, muster.door.head.seq

    header, seq = play(story)
    assert 20 < header.seq < seq
    code, restored = run(empty, "restore", file, "--without-erasures")  # which verifies it
    assert (code, restored["seq"], restored["hash"]) == (0, header.seq, header.hash)


def test_a_user_of_the_database_who_may_do_little(server: Server, database: Settings):
    """Who may not make databases proves a backup on a server of Muster's own, and sees every row
    although row-level security holds for owners too."""
    if os.environ.get("DATABASE_URL"):
        pytest.skip("that server may ask for a password")
    name = f"muster_poor_{uuid4().hex[:8]}"
    server.run(f"CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")
    server.run(f"GRANT muster_door, muster_reader TO {name}")
    server.run(
        f"CREATE DATABASE {name} OWNER {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
    )
    url = make_conninfo(server.url, dbname=name, user=name)
    settings = replace(database, database_url=url)
    try:
        asyncio.run(told(settings))
        code, said = run(settings, "backup")
        assert code == 0, said
        assert (said["proven"], said["rows"]["vault.identity"]) == (True, 2)
    finally:
        server.run(f"DROP DATABASE {name} WITH (FORCE)")
        server.run(f"DROP ROLE {name}")


async def told(settings: Settings) -> None:
    async with open_instance(settings) as muster:
        await muster.door.append(events(TOWN.rstrip() + SCENE))


def test_a_touched_backup_restores_nothing(database: Settings, scene: None, empty: Settings):
    file = made(database, "--no-verify")
    whole = file.read_bytes()
    for touched in (
        whole[:-100], whole[: len(whole) // 2], whole + b"0", b"", whole[:20],
        whole.replace(b'"seq":', b'"seq":1', 1),
        whole[:-500] + bytes([whole[-500] ^ 4]) + whole[-499:],
    ):  # fmt: skip
        assert touched != whole
        file.write_bytes(touched)
        code, said = run(empty, "restore", file, "--without-erasures")
        assert (code, slug(said)) == (1, "backup-damaged")
        code, said = run(database, "backups", "check", file)
        assert (code, slug(said)) == (1, "backup-damaged")
    assert is_empty(empty)
    file.write_bytes(whole)
    assert run(database, "backups", "check", file)[0] == 0


def test_keys_that_do_not_fit(database: Settings, scene: None, empty: Settings, tmp_path: Path):
    file, other = made(database, "--no-verify"), tmp_path / "other.key"
    other.write_bytes(os.urandom(32))
    short = tmp_path / "short.key"
    short.write_bytes(b"short")
    for settings, wanted in (
        (replace(empty, backup_key=other), "backup-damaged"),
        (replace(empty, backup_key=short), "backup-key-unusable"),
        (replace(empty, backup_key=tmp_path / "none.key"), "backup-key-unusable"),
        (replace(empty, key_file=tmp_path / "none.key"), "vault-key-missing"),
        (replace(empty, key_file=other), "vault-key-unusable"),
    ):
        code, said = run(settings, "restore", file, "--without-erasures")
        assert (code, slug(said)) == (1, wanted)
        assert not (tmp_path / "none.key").exists()
        assert is_empty(empty)


def test_where_it_must_not_be_restored(database: Settings, scene: None, empty: Settings):
    file = made(database, "--no-verify")
    code, said = run(empty, "restore", file)
    assert (code, slug(said)) == (1, "erasure-list-missing")
    code, said = run(database, "restore", file, "--without-erasures")
    assert (code, slug(said)) == (1, "database-not-empty")
    with psycopg.connect(empty.database_url or "", autocommit=True) as conn:
        conn.execute("CREATE VIEW somebodys AS SELECT 1")
    code, said = run(empty, "restore", file, "--without-erasures")
    assert (code, slug(said)) == (1, "database-not-empty")
    code, said = run(empty, "backup")
    assert (code, slug(said)) == (1, "nothing-to-back-up")


def test_nobody_who_was_erased_comes_back(
    database: Settings, scene: None, play: Play, empty: Settings
):
    file = made(database, "--no-verify")
    person = named("p1")

    async def story(muster: Instance) -> None:
        async with await psycopg.AsyncConnection.connect(muster.conninfo, autocommit=True) as conn:
            plan = await erasing.plan_person(conn, muster.vault.open, person)
            await erasing.erase(
                conn,
                muster.door,
                plan,
                file=database.home / erasures.FILE_NAME,
                actor="x",
                at=now(),
            )

    play(story)
    list_ = database.home / erasures.FILE_NAME
    code, said = run(empty, "restore", file, "--erasures", list_)
    assert code == 0, said
    assert said["erased_again"] > 1
    found = contents(empty)
    ((kept,),) = found["vault.identity"]
    assert "李明" in kept
    assert [name for name, rows in found.items() if "张乐" in str(rows)] == []
    assert [name for name, rows in contents(database).items() if "李明" in str(rows)] != []
    assert run(empty, "verify") == (0, {"findings": []})
    assert (empty.home / erasures.FILE_NAME).read_bytes() == list_.read_bytes()  # for the next time


def test_nor_when_the_server_was_recovered_to_a_point_in_time(
    database: Settings, scene: None, server: Server
):
    """PostgreSQL has put the database back to before an erasure: only the list knows of it."""
    list_ = database.home / erasures.FILE_NAME
    erasures.append(list_, erasures.Erased(now(), (named("p1"),), ()))
    assert "张乐" in str(contents(database)["vault.identity"])
    code, said = run(database, "restore", "--recovered")
    assert (code, said["erased_again"]) == (0, 1)
    found = contents(database)
    assert [name for name, rows in found.items() if "张乐" in str(rows)] == []
    assert "李明" in str(found["vault.identity"])
    assert run(database, "verify") == (0, {"findings": []})
    assert run(database, "restore")[0] == 2


def test_end_dates_and_clocks(database: Settings, scene: None, play: Play, empty: Settings):
    """One that is over, one that is not, and one by a machine whose clock was two days ahead."""
    key, _ = open_key(database.backup_key_file, make=True)
    folder = database.home / "backups"

    async def story(muster: Instance) -> None:
        async with await psycopg.AsyncConnection.connect(muster.conninfo, autocommit=True) as conn:
            for name, days in (("over", -31), ("fresh", -29), ("ahead", 2)):
                await backup(
                    conn, folder / f"{name}{SUFFIX}", key=key, made_at=now() + timedelta(days=days),
                    keep_days=30, program="x",
                )  # fmt: skip

    play(story)
    (folder / f"junk{SUFFIX}").write_bytes(b"junk")
    over = folder / f"over{SUFFIX}"
    code, said = run(empty, "restore", over, "--without-erasures")
    assert (code, slug(said)) == (1, "backup-expired")
    assert is_empty(empty)
    _, rows = run(database, "backups", "list")
    assert [one["file"] for one in rows] == [
        f"{n}{SUFFIX}" for n in ("ahead", "fresh", "junk", "over")
    ]
    _, said = run(database, "backups", "expire")
    assert ([one["file"] for one in said["expired"]], said["removed"]) == ([over.name], 0)
    assert over.exists()
    code, said = run(empty, "restore", folder / f"ahead{SUFFIX}", "--without-erasures")
    assert code == 0
    _, said = run(database, "backups", "expire", "--yes")
    assert said["removed"] == 1
    assert sorted(one.name for one in folder.iterdir()) == [
        f"{n}{SUFFIX}" for n in ("ahead", "fresh", "junk")
    ]


def test_what_was_lost_is_told(database: Settings, scene: None, empty: Settings):
    """The head file outside the database knows that there was more than the backup holds."""
    file = made(database, "--no-verify")
    (empty.home / "heads.txt").write_text(f"1 {'0' * 64}\n900 {'1' * 64}\n")
    code, said = run(empty, "restore", file, "--without-erasures")
    assert (code, slug(said)) == (1, "ledger-not-proven")  # batch 1 was another one: another ledger
    assert list(empty.home.glob("heads-lost-*.txt"))


def test_a_newer_muster_s_backup_is_left_alone(database: Settings, scene: None, empty: Settings):
    with psycopg.connect(database.database_url or "", autocommit=True) as conn:
        conn.execute("INSERT INTO public.migration VALUES ('9999_of_tomorrow.sql')")
    file = made(database, "--no-verify")
    code, said = run(empty, "restore", file, "--without-erasures")
    assert (code, slug(said)) == (1, "backup-too-new")
    assert is_empty(empty)


def test_an_older_muster_s_backup_is_brought_up_to_date(
    database: Settings, scene: None, empty: Settings, monkeypatch: pytest.MonkeyPatch
):
    """A migration that came after the backup is applied to what was restored."""
    import muster.cli.backing as backing

    file = made(database, "--no-verify")
    migrations = backing.migrations() | {
        "9999_of_tomorrow.sql": "CREATE TABLE ledger.counted AS SELECT count(*) FROM ledger.event"
    }
    monkeypatch.setattr(backing, "migrations", lambda: migrations)
    code, said = run(empty, "restore", file, "--without-erasures")
    assert code == 0
    assert contents(empty)["ledger.counted"] == [(f"({said['seq']})",)]
