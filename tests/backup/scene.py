"""The scene that is backed up, and the commands as a user gives them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from click.testing import CliRunner

import muster
import muster.cli as cli
from muster.config import Settings
from tests.import_files import number

SCENE = f"""
    08:00  ResidentListed   p1  building=H1 room=101 name=张乐 number={number(sequence=1)} phone=13800138000
    08:00  ResidentListed   w1  source=walk_in name=李明 number={number(sequence=2)} phone=13900139000
    08:10  RefusalRecorded  p2  round=R1 note=不在家
    08:20  TubeSealed       T1  members=p1,w1,p3 round=R1 device=phone seq=1
    08:30  TubeSealed       T2  members=p4 round=R1 device=phone seq=2
    12:00  ResultReleased   r1  barcode=T1 outcome=positive
"""


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
