"""A server lives as long as somebody uses it, whatever is killed meanwhile, and loses nothing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from muster.db import embedded, supervisor
from muster.db.placement import HomeNotRemoved
from tests.embedded.scene import User, connected, eventually, keep, kept, processes, run_as


def _postmaster(server: embedded.Embedded) -> int:
    pid = supervisor._recorded_postmaster(str(server.data))
    assert pid
    return pid


def test_first_start_makes_a_database_that_other_processes_share(home: Path) -> None:
    with embedded.start(home) as server:
        other = User(home)
        assert other.url() == server.url
        with connected(server.url) as conn:
            rows = conn.execute(
                "SELECT current_user, current_database(), datcollate,"
                " pg_encoding_to_char(encoding), rolsuper FROM pg_database, pg_roles"
                " WHERE datname = 'muster' AND rolname = 'muster'"
            ).fetchall()
            assert rows == [("muster", "muster", "C.UTF-8", "UTF8", True)]
            shown = ("listen_addresses", "fsync", "synchronous_commit", "jit", "max_connections")
            values = [conn.execute(f"SHOW {name}").fetchone() for name in shown]
            assert values == [("",), ("on",), ("on",), ("off",), ("60",)]
            # Ended by one of its users, it stays for the other.
            other.end()
            assert conn.execute("SELECT 1").fetchone() == (1,)
    assert not processes(home)


def test_errors_with_personal_data_are_not_logged(used: Path) -> None:
    with embedded.start(used) as server:
        with connected(server.url) as conn:
            with pytest.raises(psycopg.errors.InvalidTextRepresentation):
                conn.execute("SELECT '张三'::int")
            with pytest.raises(psycopg.errors.RaiseException):
                conn.execute("DO $$ BEGIN RAISE EXCEPTION '张三' USING DETAIL = '张三'; END $$")
            conn.execute("DO $$ BEGIN RAISE WARNING '张三'; END $$")
        logs = [*(server.data / "log").iterdir(), used / supervisor.LOG]
    assert len(logs) == 2
    text = "".join(log.read_text() for log in logs)
    assert "database system is shut down" in text  # it is the log
    assert "张三" not in text


def test_a_killed_user_leaves_nothing_running(used: Path) -> None:
    users = [User(used), User(used)]
    url = users[0].url()
    assert users[1].url() == url
    keep(url, "before")
    users[0].kill()
    time.sleep(2 * supervisor.POLL_SECONDS)
    assert kept(url) == ["before"]
    users[1].kill()
    eventually(lambda: not processes(used), seconds=5)
    # Starting at the moment when the supervisor ends is no different from any other moment.
    with embedded.start(used) as server:
        assert kept(server.url) == ["before"]


def test_start_while_the_server_is_stopping(used: Path) -> None:
    for wait_seconds in (0.0, 0.5):
        user = User(used)
        user.url()
        user.kill()
        time.sleep(wait_seconds)
        with embedded.start(used) as server, connected(server.url, seconds=0) as conn:
            time.sleep(1.5 * supervisor.POLL_SECONDS)
            assert conn.execute("SELECT 1").fetchone() == (1,)


def test_a_killed_postmaster_comes_back_with_what_was_committed(used: Path) -> None:
    with embedded.start(used) as server:
        keep(server.url, "before")
        with connected(server.url) as busy:  # a backend that keeps the shared memory for a while
            busy.execute("SET statement_timeout = 0")
            first = _postmaster(server)
            query = subprocess.Popen(
                [sys.executable, "-c", _BUSY, server.url], stderr=subprocess.DEVNULL
            )
            running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%generate%%'"
            eventually(lambda: busy.execute(running).fetchall() > [(1,)])
            os.kill(first, signal.SIGKILL)
        assert kept(server.url) == ["before"]
        assert _postmaster(server) != first
        assert query.wait(timeout=10) == 1
        keep(server.url, "after")
    with embedded.start(used) as server:
        assert kept(server.url) == ["after", "before"]


_BUSY = """
import sys, psycopg
with psycopg.connect(sys.argv[1]) as conn:
    conn.execute("SELECT sum(a * b) FROM generate_series(1, 90000) a, generate_series(1, 90000) b")
"""


def test_a_killed_supervisor_takes_the_server_with_it(used: Path) -> None:
    user = User(used)
    url = user.url()
    keep(url, "before")
    _kill_supervisor(used)
    with embedded.start(used) as server:  # at once, while the old server still stops
        assert kept(server.url) == ["before"]
        _kill_supervisor(used)
        eventually(lambda: not processes(used))
        user.end()
    with embedded.start(used) as server:
        assert kept(server.url) == ["before"]


def _kill_supervisor(home: Path) -> None:
    pid = supervisor.supervised(home)
    assert pid
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: supervisor.supervised(home) is None)


def test_a_stale_process_id_of_an_unrelated_process_does_not_matter(used: Path) -> None:
    with embedded.start(used) as server:
        keep(server.url, "before")
        drop = run_as(os.stat(server.data).st_uid)
    stranger = subprocess.Popen(["/bin/sleep", "60"], cwd="/", **drop)
    place = supervisor.read_place(used)
    assert place
    pid = f"{stranger.pid}\n{server.data}\n1\n5432\n{place.sockets}\n\n1 1\nready   \n"
    (server.data / "postmaster.pid").write_text(pid)
    os.chown(server.data / "postmaster.pid", *_owner(server.data))
    supervisor.make_sockets(place)
    lock = Path(place.sockets, ".s.PGSQL.5432.lock")
    lock.write_text(pid)
    os.chown(lock, *_owner(server.data))
    with embedded.start(used) as server:
        assert kept(server.url) == ["before"]
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_two_first_starts_at_once_share_one_server(home: Path) -> None:
    users = [User(home) for _ in range(3)]
    assert len({user.url() for user in users}) == 1
    assert len([line for line in processes(home) if "supervisor.py" in line]) == 1
    for user in users:
        assert user.process.stdin
        user.process.stdin.close()  # all at once
    for user in users:
        assert user.process.wait(timeout=10) == 0
        assert user.process.stdout
        user.process.stdout.close()
    eventually(lambda: not processes(home))


def test_a_first_start_that_was_killed_does_not_matter(home: Path) -> None:
    for wait_seconds in (0.3, 0.8):
        user = User(home)
        time.sleep(wait_seconds)
        user.kill()
    with embedded.start(home) as server:
        keep(server.url, "before")
    time.sleep(1)  # an orphaned initdb ends by itself
    with embedded.start(home) as server:
        assert kept(server.url) == ["before"]
        assert not list(home.glob("data.*"))


def test_a_home_is_not_removed_while_it_is_used(used: Path, folder: Path) -> None:
    with embedded.start(used), pytest.raises(HomeNotRemoved):
        embedded.remove(used)
    with pytest.raises(HomeNotRemoved):
        embedded.remove(folder)  # some folder that is not a home
    assert used.exists()


def _owner(path: Path) -> tuple[int, int]:
    return path.stat().st_uid, path.stat().st_gid
