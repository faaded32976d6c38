"""Backups and restores that are killed, met by others or run out of disk: nothing half is left."""

import signal
import subprocess
import time

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from muster.config import Settings
from muster.keeping.sealed import open_key
from tests.backup.scene import contents, is_empty, made, process, run, slug, until


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
    assert code == 0, said
    assert len(contents(empty)["ledger.inbox"]) == 6_001
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
