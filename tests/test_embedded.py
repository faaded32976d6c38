"""The embedded server under real faults: kills, stale files, full disks, folders out of reach.

Users are real processes (`User`), so that they can be killed; every test ends with the check that
it left no process and no folder.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from muster.db import embedded, supervisor
from muster.db.embedded import (
    BinariesDoNotRun,
    DataNotUsable,
    DataOfOtherVersion,
    DiskFull,
    GlibcTooOld,
    HomeNotRemoved,
    HomeNotWritable,
)

ROOT = os.geteuid() == 0
SOURCE = Path(embedded.__file__).parents[2]
SCRIPT = """
import sys
from pathlib import Path
from muster.db import embedded
with embedded.start(Path(sys.argv[1]), binaries=Path(sys.argv[2])) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


class User:
    """A process that uses the server of `home` until its input ends, or it is killed."""

    def __init__(self, home: Path, *, python: str = sys.executable, source: Path = SOURCE, **drop):
        binaries = embedded._package_binaries()
        self.process = subprocess.Popen(
            [python, "-c", SCRIPT, str(home), str(binaries)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
            env={"PYTHONPATH": str(source), "PATH": "/usr/bin:/bin"},
            text=True,
            **drop,
        )

    def url(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.communicate(timeout=40)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=10)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that anyone can reach (pytest's own is closed to other users)."""
    path = Path(tempfile.mkdtemp(prefix="muster-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def home(folder: Path) -> Iterator[Path]:
    """The home of a test, which has to leave nothing behind once the home is removed."""
    path = folder / "home"
    yield path
    embedded.remove(path)
    assert not path.exists()
    assert not list(folder.iterdir())
    assert not _outside(path)
    assert not _processes(path)


@pytest.fixture
def used(home: Path, template: Path) -> Path:
    """A home that was started before: a copy is faster than a first start."""
    home.mkdir(mode=0o755)
    subprocess.run(["cp", "-a", str(template / "data"), str(home)], check=True)
    return home


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="muster-test-"))
    path.chmod(0o755)
    embedded.start(path / "home").close()
    yield path / "home"
    embedded.remove(path / "home")
    path.rmdir()


def _outside(home: Path) -> list[Path]:
    """Where sockets and data outside of this home may lie."""
    parents = ("/run", "/tmp", "/var/tmp", "/var/lib/muster", "/var/tmp/muster-0")
    key = embedded._key(home)
    return [path for parent in parents for path in Path(parent).glob(f"*{key}*")]


def _processes(home: Path) -> list[str]:
    """Command lines of the supervisors and servers of `home`, and any zombie of ours."""
    key = embedded._key(home)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f") Z {os.getpid()} " in (process / "stat").read_text():
                found.append(f"zombie {process.name}")
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            about = line + os.readlink(process / "cwd")
            ours = "supervisor.py" in line or "postgres" in line
            if ours and (f"{home}" in about or key in about):
                found.append(line)
    return found


def _eventually(true: Callable[[], object], *, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def _connect(url: str, *, seconds: float = 15) -> psycopg.Connection:
    """Connect as a client does that reconnects."""
    end = time.monotonic() + seconds
    while True:
        try:
            return psycopg.connect(url, autocommit=True)
        except psycopg.OperationalError:
            assert time.monotonic() < end
            time.sleep(0.05)


def _keep(url: str, word: str) -> None:
    with _connect(url) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
        conn.execute("INSERT INTO kept VALUES (%s)", [word])


def _kept(url: str) -> list[str]:
    with _connect(url) as conn:
        return [word for (word,) in conn.execute("SELECT word FROM kept ORDER BY 1")]


def _postmaster(server: embedded.Embedded) -> int:
    pid = supervisor._recorded_postmaster(str(server.data))
    assert pid
    return pid


def test_first_start_makes_a_database_that_other_processes_share(home: Path) -> None:
    with embedded.start(home) as server:
        other = User(home)
        assert other.url() == server.url
        with _connect(server.url) as conn:
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
    assert not _processes(home)


def test_errors_with_personal_data_are_not_logged(used: Path) -> None:
    with embedded.start(used) as server:
        with _connect(server.url) as conn:
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
    _keep(url, "before")
    users[0].kill()
    time.sleep(2 * supervisor.POLL_SECONDS)
    assert _kept(url) == ["before"]
    users[1].kill()
    _eventually(lambda: not _processes(used), seconds=5)
    # Starting at the moment when the supervisor ends is no different from any other moment.
    with embedded.start(used) as server:
        assert _kept(server.url) == ["before"]


def test_start_while_the_server_is_stopping(used: Path) -> None:
    for wait_seconds in (0.0, 0.5):
        user = User(used)
        user.url()
        user.kill()
        time.sleep(wait_seconds)
        with embedded.start(used) as server, _connect(server.url, seconds=0) as conn:
            time.sleep(1.5 * supervisor.POLL_SECONDS)
            assert conn.execute("SELECT 1").fetchone() == (1,)


def test_a_killed_postmaster_comes_back_with_what_was_committed(used: Path) -> None:
    with embedded.start(used) as server:
        _keep(server.url, "before")
        with _connect(server.url) as busy:  # a backend that keeps the shared memory for a while
            busy.execute("SET statement_timeout = 0")
            first = _postmaster(server)
            query = subprocess.Popen(
                [sys.executable, "-c", _BUSY, server.url], stderr=subprocess.DEVNULL
            )
            running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%generate%%'"
            _eventually(lambda: busy.execute(running).fetchall() > [(1,)])
            os.kill(first, signal.SIGKILL)
        assert _kept(server.url) == ["before"]
        assert _postmaster(server) != first
        assert query.wait(timeout=10) == 1
        _keep(server.url, "after")
    with embedded.start(used) as server:
        assert _kept(server.url) == ["after", "before"]


_BUSY = """
import sys, psycopg
with psycopg.connect(sys.argv[1]) as conn:
    conn.execute("SELECT sum(a * b) FROM generate_series(1, 90000) a, generate_series(1, 90000) b")
"""


def test_a_killed_supervisor_takes_the_server_with_it(used: Path) -> None:
    user = User(used)
    url = user.url()
    _keep(url, "before")
    _kill_supervisor(used)
    with embedded.start(used) as server:  # at once, while the old server still stops
        assert _kept(server.url) == ["before"]
        _kill_supervisor(used)
        _eventually(lambda: not _processes(used))
        user.end()
    with embedded.start(used) as server:
        assert _kept(server.url) == ["before"]


def _kill_supervisor(home: Path) -> None:
    pid = supervisor.supervised(home)
    assert pid
    os.kill(pid, signal.SIGKILL)
    _eventually(lambda: supervisor.supervised(home) is None)


def test_a_stale_process_id_of_an_unrelated_process_does_not_matter(used: Path) -> None:
    with embedded.start(used) as server:
        _keep(server.url, "before")
        drop = _as(os.stat(server.data).st_uid)
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
        assert _kept(server.url) == ["before"]
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_two_first_starts_at_once_share_one_server(home: Path) -> None:
    users = [User(home) for _ in range(3)]
    assert len({user.url() for user in users}) == 1
    assert len([line for line in _processes(home) if "supervisor.py" in line]) == 1
    for user in users:
        assert user.process.stdin
        user.process.stdin.close()  # all at once
    for user in users:
        assert user.process.wait(timeout=10) == 0
        assert user.process.stdout
        user.process.stdout.close()
    _eventually(lambda: not _processes(home))


def test_a_first_start_that_was_killed_does_not_matter(home: Path) -> None:
    for wait_seconds in (0.3, 0.8):
        user = User(home)
        time.sleep(wait_seconds)
        user.kill()
    with embedded.start(home) as server:
        _keep(server.url, "before")
    time.sleep(1)  # an orphaned initdb ends by itself
    with embedded.start(home) as server:
        assert _kept(server.url) == ["before"]
        assert not list(home.glob("data.*"))


def test_a_home_is_not_removed_while_it_is_used(used: Path, folder: Path) -> None:
    with embedded.start(used), pytest.raises(HomeNotRemoved):
        embedded.remove(used)
    with pytest.raises(HomeNotRemoved):
        embedded.remove(folder)  # some folder that is not a home
    assert used.exists()


def test_data_of_another_version_or_gone_are_told(used: Path) -> None:
    with embedded.start(used) as server:
        pass
    version = server.data / "PG_VERSION"
    ours = version.read_text()
    version.write_text("15\n")
    with pytest.raises(DataOfOtherVersion, match="PostgreSQL 15"):
        embedded.start(used)
    version.write_text(ours)
    server.data.rename(server.data.with_name("away"))
    with pytest.raises(DataNotUsable, match="is gone"):
        embedded.start(used)
    server.data.with_name("away").rename(server.data)
    embedded.start(used).close()


def test_a_server_that_cannot_start_names_its_log(used: Path) -> None:
    with embedded.start(used) as server:
        pass
    with open(server.data / "postgresql.conf", "a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(embedded.ServerDidNotStart, match=str(used / supervisor.LOG)) as caught:
        embedded.start(used)
    assert "server.log" in caught.value.message("zh")
    assert "no_such_setting" in (used / supervisor.LOG).read_text()
    assert not _processes(used)


def test_a_home_that_cannot_be_is_told(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(HomeNotWritable):
        embedded.start(folder / "file" / "home")
    with pytest.raises(HomeNotWritable):
        embedded.start(folder / "file")


def test_binaries_of_another_platform_are_told(folder: Path, home: Path) -> None:
    real = embedded._package_binaries()
    with pytest.raises(BinariesDoNotRun, match="No such file"):
        embedded.start(home, binaries=folder)
    fake = folder / "bin"
    shutil.copytree(real, fake, ignore=shutil.ignore_patterns("[a-hj-oq-z]*", "pg*", "psql"))
    program = (real / "postgres").read_bytes()
    for name in ("postgres", "initdb"):  # the same program, made to need a glibc of the future
        (fake / name).write_bytes(program.replace(b"\0GLIBC_2.2.5\0", b"\0GLIBC_9.2.5\0"))
    with pytest.raises(GlibcTooOld, match=r"9\.2\.5"):
        embedded.start(home, binaries=fake)
    for name in ("postgres", "initdb"):  # the same program, for a machine that does not exist
        (fake / name).write_bytes(program[:18] + b"\xee\xee" + program[20:])
    with pytest.raises(BinariesDoNotRun, match="Exec format"):
        embedded.start(home, binaries=fake)
    shutil.rmtree(fake)


def test_disk_full_at_the_first_start(folder: Path) -> None:
    if not ROOT:
        pytest.skip("NOT RUN: only root can mount a small disk")
    command = ["mount", "-t", "tmpfs", "-o", "size=20m,mode=755", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"NOT RUN: cannot mount a small disk: {mounted.stderr.strip()}")
    home = folder / "home"
    try:
        with pytest.raises(DiskFull):
            embedded.start(home)
        assert not list(home.glob("data*"))
        assert not _processes(home)
        embedded.remove(home)
        assert not list(folder.iterdir())
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_root_with_everything_out_of_the_servers_reach(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not ROOT:
        pytest.skip("NOT RUN: only root gives the server to another user")
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    package = embedded._package_binaries().parents[1]
    ignored = shutil.ignore_patterns("include", "*.a", "pginstall")
    for part in (package, package.with_name(package.name + ".libs")):
        shutil.copytree(part, closed / part.name, ignore=ignored)
    binaries = closed / embedded._package_binaries().relative_to(package.parent)
    copies = folder / "copies"
    monkeypatch.setenv("MUSTER_PG_BINARIES_HOME", str(copies))
    home = closed / "project" / ".muster"
    moved = home.with_name("moved")
    try:
        with embedded.start(home, binaries=binaries) as server:
            _keep(server.url, "before")
            assert not server.data.is_relative_to(home)
            assert os.stat(server.data).st_uid == pwd.getpwnam("nobody").pw_uid
            place = supervisor.read_place(home)
            assert place
            assert Path(place.binaries).is_relative_to(copies)
        home.rename(moved)
        (Path(place.binaries) / "initdb").write_bytes(b"")  # as after a power cut
        with embedded.start(moved, binaries=binaries) as server:
            assert _kept(server.url) == ["before"]
        assert len([path for path in copies.iterdir() if path.is_dir()]) == 1
        assert (closed.stat().st_mode & 0o777, closed.stat().st_uid) == (0o700, 0)
    finally:
        embedded.remove(home)
        embedded.remove(moved)
    assert not list((closed / "project").iterdir())
    shutil.rmtree(closed)
    shutil.rmtree(copies)
    for path in (home, moved):
        assert not _processes(path)
        assert not _outside(path)


def test_an_ordinary_user(folder: Path) -> None:
    """As root, by way of a process of nobody's; every other test is run as whoever runs it."""
    if not ROOT:
        pytest.skip("NOT RUN: already an ordinary user, as all other tests show")
    drop = _as(pwd.getpwnam("nobody").pw_uid)
    source = folder / "source"
    (source / "muster" / "core").mkdir(parents=True)
    for name in ("__init__.py", "core/__init__.py", "core/problems.py"):
        shutil.copy(SOURCE / "muster" / name, source / "muster" / name)
    shutil.copytree(SOURCE / "muster" / "db", source / "muster" / "db")
    python = _python_for(drop)
    parent = folder / "project"
    parent.mkdir()
    os.chown(parent, drop["user"], drop["group"])
    home = parent / "home"
    user = User(home, python=python, source=source, **drop)
    url = user.url()
    _keep(url, "before")
    assert os.stat(home / "data").st_uid == drop["user"]
    assert f"muster-{drop['user']}-" in url
    user.kill()
    _eventually(lambda: not _processes(home), seconds=5)
    user = User(home, python=python, source=source, **drop)
    assert _kept(user.url()) == ["before"]
    user.end()
    assert not _processes(home)
    assert not Path(f"/tmp/muster-{drop['user']}-{embedded._key(home)}").exists()


def _python_for(drop: dict) -> str:
    """A Python that an ordinary user can run: ours may lie in root's own folder."""
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        with contextlib.suppress(OSError):
            run = subprocess.run([python, "-c", check], cwd="/", check=False, **drop)
            if run.returncode == 0:
                return python
    pytest.skip("NOT RUN: no Python that an ordinary user can run")


def _owner(path: Path) -> tuple[int, int]:
    return path.stat().st_uid, path.stat().st_gid


def _as(uid: int) -> dict:
    if not ROOT:
        return {}
    return {"user": uid, "group": pwd.getpwuid(uid).pw_gid, "extra_groups": []}
