"""An import that was cancelled or killed is resumed by feeding the file again."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from muster.catalogue import CATALOGUE
from muster.config import Settings
from muster.instance import Instance
from muster.intake.importing import import_table
from muster.intake.residents import Residents
from muster.keeping.verify import verify
from tests.conftest import Play
from tests.import_files import events_stored, feed, lines, number, one, written
from tests.table import events

PEOPLE = 8_000
LEFT_BEHIND = """SELECT FROM pg_stat_activity
    WHERE application_name = 'muster door' AND datname = current_database()"""


def roster(folder: Path) -> Path:
    rows = [
        ("某人", number(f"19{50 + n // 400}0101", n % 400 * 2 + 1), "B1", n) for n in range(PEOPLE)
    ]
    return written(folder, "姓名,证件号码,楼栋编码,房号\n" + lines(*rows), name="roster.csv")


async def complete(muster: Instance, path: Path) -> None:
    """Feeding the file again ends with everybody in, once."""
    report = await feed(muster, "residents", path)
    assert (report.stored + report.unchanged, report.rejected) == (PEOPLE, 0)
    assert await events_stored(muster) == PEOPLE + 1
    assert await one(muster, "SELECT count(DISTINCT number_hash) FROM vault.identity") == PEOPLE
    assert await one(muster, "SELECT count(*) FROM registry.resident") == PEOPLE
    async with muster.pool.connection() as conn:
        assert await verify(conn, CATALOGUE) == []


def test_a_cancelled_import_is_resumed(play: Play, tmp_path: Path):
    path = roster(tmp_path)

    async def story(muster: Instance) -> None:
        await muster.door.append(events("07:00 AreaListed B1"))
        kind = Residents(muster.vault)

        def cancel(_done: int, _total: int, rows: int) -> None:
            if rows >= 3_000:
                task.cancel()

        task = asyncio.create_task(import_table(muster, kind, path, progress=cancel))
        with pytest.raises(asyncio.CancelledError):
            await task
        assert 0 < await one(muster, "SELECT count(*) FROM registry.resident") < PEOPLE
        await complete(muster, path)

    play(story)


def test_a_killed_import_is_resumed(play: Play, database: Settings, tmp_path: Path):
    path = roster(tmp_path)

    async def list_building(muster: Instance) -> None:
        await muster.door.append(events("07:00 AreaListed B1"))

    play(list_building)
    environment = {
        **os.environ,
        "DATABASE_URL": database.database_url or "",
        "MUSTER_HOME": str(database.home),
        "MUSTER_KEY_FILE": str(database.key_file),
    }
    command = [sys.executable, "-m", "muster", "import", "residents", str(path)]
    with (
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process,
        psycopg.connect(database.database_url or "", autocommit=True) as conn,
    ):
        while process.poll() is None:
            row = conn.execute("SELECT count(*) FROM registry.resident").fetchone()
            if row and row[0]:
                process.send_signal(signal.SIGKILL)
            time.sleep(0.002)
        assert process.returncode == -signal.SIGKILL
        while any(conn.execute(LEFT_BEHIND)):  # the server may be at its last transaction yet
            time.sleep(0.01)

    async def story(muster: Instance) -> None:
        assert await one(muster, "SELECT count(*) FROM registry.resident") < PEOPLE
        await complete(muster, path)

    play(story)
