"""Scenes for backups: a database to back up, an empty one beside it, and the commands as a user gives
them. Its fixtures are for modules that name it in `pytest_plugins`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import make_conninfo

import muster
import muster.cli as cli
from muster.config import Settings
from muster.core.clock import now
from muster.instance import Instance
from muster.intake.upload import Held, UnreadableItem
from muster.keeping.follower import catch_up
from tests.conftest import Play, Server
from tests.import_files import number
from tests.table import TOWN, events

SCENE = f"""
    08:00  ResidentListed   p1  building=H1 room=101 name=张乐 number={number(sequence=1)} phone=13800138000
    08:00  ResidentListed   w1  source=walk_in name=李明 number={number(sequence=2)} phone=13900139000
    08:10  RefusalRecorded  p2  round=R1 note=不在家
    08:20  TubeSealed       T1  members=p1,w1,p3 round=R1 device=phone seq=1
    08:30  TubeSealed       T2  members=p4 round=R1 device=phone seq=2
    12:00  ResultReleased   r1  barcode=T1 outcome=positive
"""


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
