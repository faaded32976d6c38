"""Backups and what is restored from them: the same ledger and the same rows; nothing from a file that
was touched, nothing half after a kill, nobody who was erased.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import muster
import muster.cli as cli
import muster.keeping.sealed as sealed
from muster.config import Settings
from muster.core.clock import now
from muster.instance import Instance
from muster.intake.upload import Held, UnreadableItem
from muster.keeping import erasing, erasures
from muster.keeping.backup import LEFT_OUT, SUFFIX, backup
from muster.keeping.follower import catch_up
from muster.keeping.sealed import BackupDamaged, Header, Sealing, content, open_key
from tests.conftest import Play, Server
from tests.import_files import number
from tests.table import TOWN, events, named

SCENE = f"""
    08:00  ResidentListed   p1  building=H1 room=101 name=张乐 number={number(sequence=1)} phone=13800138000
    08:00  ResidentListed   w1  source=walk_in name=李明 number={number(sequence=2)} phone=13900139000
    08:10  RefusalRecorded  p2  round=R1 note=不在家
    08:20  TubeSealed       T1  members=p1,w1,p3 round=R1 device=phone seq=1
    08:30  TubeSealed       T2  members=p4 round=R1 device=phone seq=2
    12:00  ResultReleased   r1  barcode=T1 outcome=positive
"""
Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def scene(play: Play) -> None:
    """People with names and numbers, a note, a held item, a positive tube and its recalls."""

    async def story(muster: Instance) -> None:
        await muster.door.append(events(TOWN.rstrip() + SCENE))
        await muster.intake.hold([Held(b"{}", UnreadableItem(reason="-"))], "phone", now())
        async with muster.pool.connection() as conn:
            await catch_up(conn, muster.door.catalogue)

    play(story)


@pytest.fixture
def empty(server: Server, database: Settings) -> Iterator[Settings]:
    """Settings of an empty database beside the test's, with the same keys and a home of its own."""
    name = f"muster_empty_{uuid4().hex[:8]}"
    server.run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")
    home = server.folder / name
    home.mkdir()
    yield replace(
        database, home=home, database_url=make_conninfo(server.url, dbname=name),
        backup_key=database.backup_key_file,
    )  # fmt: skip
    server.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def run(settings: Settings, *words: object) -> tuple[int, Any]:
    """Run a command; its exit code and its document."""
    environment = environment_of(settings)
    done = CliRunner().invoke(cli.main, [*map(str, words), "--json"], env=environment)
    return done.exit_code, json.loads(done.stdout) if done.stdout else done.stderr


def environment_of(settings: Settings) -> dict[str, str]:
    return {
        "MUSTER_HOME": str(settings.home), "DATABASE_URL": settings.database_url or "",
        "MUSTER_KEY_FILE": str(settings.key_file), "MUSTER_LANGUAGE": "en",
        "MUSTER_BACKUP_KEY_FILE": str(settings.backup_key_file),
    }  # fmt: skip


def made(settings: Settings, *words: object) -> Path:
    """A backup of the database."""
    code, said = run(settings, "backup", *words)
    assert code == 0, said
    return settings.home / "backups" / said["file"]


def slug(said: Any) -> str:
    return said["type"].removeprefix("urn:muster:problem:")


def contents(settings: Settings) -> dict[str, list[Any]]:
    """Every row of every table, read tables too."""
    assert settings.database_url
    with psycopg.connect(settings.database_url) as conn:
        names = conn.execute(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables"
            " WHERE table_type = 'BASE TABLE' AND table_schema !~ '^pg_|^information_schema$'"
        ).fetchall()
        return {
            name: sorted(conn.execute(f"SELECT t::text FROM {name} t".encode()).fetchall())
            for (name,) in names
            if name not in ("ledger.follower", "access.secured")
        }


def is_empty(settings: Settings) -> bool:
    assert settings.database_url
    with psycopg.connect(settings.database_url) as conn:
        found = conn.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname !~ '^pg_|^information_schema$'"
        ).fetchone()
    return found == (0,)


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
    """What comes after the first look is not in the backup, and nothing of it is half in."""
    key, _ = open_key(database.backup_key_file, make=True)
    file = database.home / "backups" / f"one{SUFFIX}"

    async def story(muster: Instance) -> Header:
        late, told = events("09:00  TubeSealed  T9  members=p9 round=R1"), []
        async with await psycopg.AsyncConnection.connect(muster.conninfo, autocommit=True) as conn:
            # Asked for by the first progress: the snapshot is taken by then.
            header = await backup(
                conn, file, key=key, made_at=now(), keep_days=1, program="x",
                progress=lambda *_: told.append(1),
            )  # fmt: skip
            assert (await muster.door.append(late)) == ["stored"]
        assert told
        return header

    header = play(story)
    code, restored = run(empty, "restore", file, "--without-erasures")
    assert (code, restored["seq"]) == (0, header.seq)


def header_of(**facts: Any) -> Header:
    made_at = now()
    known = {
        "format": 1, "made_at": made_at, "expires_at": made_at + timedelta(days=1), "program": "x",
        "ledger": "", "batch": 0, "seq": 0, "hash": "", "migrations": [], "rows": {},
        "salt": os.urandom(32),
    }  # fmt: skip
    return Header(**(known | facts))


@pytest.fixture
def chunked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, bytes, list[bytes]]:
    """A sealed file of several chunks: the file, its content, its parts (head first)."""
    monkeypatch.setattr(sealed, "CHUNK_BYTES", 100)
    file, text = tmp_path / "x.backup", os.urandom(350)
    with file.open("wb") as opened:
        sealing = Sealing(opened, b"k" * 32, header_of())
        sealing.write(text[:7])
        sealing.write(text[7:])
        sealing.finish()
    return file, text, parts_of(file)


def parts_of(file: Path) -> list[bytes]:
    left, parts = file.read_bytes(), []
    at = len(sealed.MAGIC)
    size = at + 4 + int.from_bytes(left[at : at + 4], "big")
    while left:
        parts.append(left[:size])
        left = left[size:]
        size = 4 + int.from_bytes(left[:4], "big")
    return parts


def opens(file: Path, parts: list[bytes], key: bytes = b"k" * 32) -> bytes | None:
    """What is read of these parts; None where any of it is refused."""
    file.write_bytes(b"".join(parts))
    try:
        return b"".join(content(file, key))
    except BackupDamaged:
        return None


def test_a_touched_file_does_not_open(chunked: tuple[Path, bytes, list[bytes]]):
    file, text, parts = chunked
    head, first, second, *rest = parts
    assert len(rest) >= 2
    assert opens(file, parts) == text
    assert opens(file, parts, b"q" * 32) is None
    assert opens(file, [head, second, first, *rest]) is None
    assert opens(file, [head, first, *rest]) is None
    assert opens(file, [head, first, first, second, *rest]) is None
    assert opens(file, [*parts, rest[-1]]) is None
    assert opens(file, [*parts, b"x"]) is None
    for count in range(len(parts)):
        assert opens(file, parts[:count]) is None
    whole = b"".join(parts)
    for at in range(len(whole)):
        assert opens(file, [whole[:at], bytes([whole[at] ^ 1]), whole[at + 1 :]]) is None, at
        assert opens(file, [whole[:at]]) is None, at


def test_parts_of_another_file_do_not_fit(chunked: tuple[Path, bytes, list[bytes]], tmp_path: Path):
    file, _, parts = chunked
    other = tmp_path / "other.backup"
    with other.open("wb") as opened:
        sealing = Sealing(opened, b"k" * 32, header_of())
        sealing.write(os.urandom(350))
        sealing.finish()
    theirs = parts_of(other)
    assert opens(other, theirs) is not None
    assert opens(file, [parts[0], *theirs[1:]]) is None
    assert opens(file, [*parts[:2], *theirs[2:]]) is None


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


@pytest.fixture
def much(database: Settings, scene: None) -> None:
    """So much to write that a process can be caught at it: random bytes, as held items are."""
    sql = (
        "COPY ledger.inbox (id, received_at, expires_at, owner, offset_ms, slug, digest, sealed)"
        " FROM STDIN"
    )
    with psycopg.connect(database.database_url or "") as conn, conn.cursor().copy(sql) as copy:
        for _ in range(6_000):
            copy.write_row([uuid4(), now(), now(), "x", 0, "x", os.urandom(16), os.urandom(2_000)])


def process(settings: Settings, *words: object) -> subprocess.Popen[bytes]:
    source = str(Path(muster.__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "-m", "muster", *map(str, words), "--json"], cwd="/",
        env={**environment_of(settings), "PATH": os.environ["PATH"], "PYTHONPATH": source},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def until(true: Callable[[], Any], running: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < end
        time.sleep(0.001)


def test_killed_in_the_middle(database: Settings, much: None, empty: Settings):
    """A backup that was killed is none; a restore that was killed left nothing. Then both work."""
    folder = database.home / "backups"
    open_key(database.backup_key_file, make=True)
    running = process(database, "backup")
    until(lambda: any(x.stat().st_size > 1_000_000 for x in folder.glob("*.part")), running)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert [one.suffix for one in folder.iterdir()] == [".part"]
    assert run(database, "backups", "list") == (0, [])

    file = made(database)
    assert list(folder.iterdir()) == [file]  # the leftover is gone

    running = process(empty, "restore", file, "--without-erasures")
    busy = (
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY ledger.inbox%%FROM STDIN'"
        " AND datname = %s"
    )
    name = conninfo_to_dict(empty.database_url or "")["dbname"]
    with psycopg.connect(database.database_url or "", autocommit=True) as conn:
        until(lambda: conn.execute(busy, [name]).fetchone() != (0,), running)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        while conn.execute(busy, [name]).fetchone() != (0,):
            time.sleep(0.01)
    assert is_empty(empty)
    code, said = run(empty, "restore", file, "--without-erasures")
    assert (code, said["rows"]["ledger.inbox"]) == (0, 6_001)
    assert run(empty, "verify") == (0, {"findings": []})


def test_only_one_at_a_time(database: Settings, much: None):
    folder = database.home / "backups"
    open_key(database.backup_key_file, make=True)
    running = process(database, "backup", "--no-verify")
    until(lambda: list(folder.glob("*.part")), running)
    running.send_signal(signal.SIGSTOP)
    try:
        code, said = run(database, "backup", "--no-verify")
        assert (code, slug(said)) == (1, "backup-running")
        assert list(folder.glob("*.part"))  # what is being written is nobody's leftover
    finally:
        running.send_signal(signal.SIGCONT)
    assert running.wait(30) == 0
    assert len(list(folder.iterdir())) == 1


@pytest.mark.faults
def test_a_full_disk(database: Settings, much: None):
    """Clear words, and nothing left that could be taken for a backup."""
    folder = database.home / "backups"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small file system to fill: {mounted.stderr.decode().strip()}")
    try:
        code, said = run(database, "backup")
        assert (code, slug(said)) == (1, "backup-not-written")
        assert "No space left" in said["detail"]
        assert list(folder.iterdir()) == []
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    assert made(database, "--no-verify").exists()
