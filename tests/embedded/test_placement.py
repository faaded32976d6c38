"""Where a server cannot live is told with a remedy; else it lives: as root, as an ordinary user."""

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from muster.db import embedded, placement, supervisor
from muster.db.placement import (
    BinariesDoNotRun,
    DataNotUsable,
    DataOfOtherVersion,
    DiskFull,
    GlibcTooOld,
    HomeNotWritable,
    ServerDidNotStart,
)
from tests.embedded.scene import (
    ROOT,
    SOURCE,
    User,
    eventually,
    keep,
    kept,
    outside,
    processes,
    run_as,
)


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
    with pytest.raises(ServerDidNotStart, match=str(used / supervisor.LOG)) as caught:
        embedded.start(used)
    assert "server.log" in caught.value.message("zh")
    assert "no_such_setting" in (used / supervisor.LOG).read_text()
    eventually(lambda: not processes(used))


def test_a_home_that_cannot_be_is_told(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(HomeNotWritable):
        embedded.start(folder / "file" / "home")
    with pytest.raises(HomeNotWritable):
        embedded.start(folder / "file")


def test_binaries_of_another_platform_are_told(folder: Path, home: Path) -> None:
    real = placement.package_binaries()
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
        assert not processes(home)
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
    package = placement.package_binaries().parents[1]
    ignored = shutil.ignore_patterns("include", "*.a", "pginstall")
    for part in (package, package.with_name(package.name + ".libs")):
        shutil.copytree(part, closed / part.name, ignore=ignored)
    binaries = closed / placement.package_binaries().relative_to(package.parent)
    copies = folder / "copies"
    monkeypatch.setenv("MUSTER_PG_BINARIES_HOME", str(copies))
    home = closed / "project" / ".muster"
    moved = home.with_name("moved")
    try:
        with embedded.start(home, binaries=binaries) as server:
            keep(server.url, "before")
            assert not server.data.is_relative_to(home)
            assert os.stat(server.data).st_uid == pwd.getpwnam("nobody").pw_uid
            place = supervisor.read_place(home)
            assert place
            assert Path(place.binaries).is_relative_to(copies)
        home.rename(moved)
        (Path(place.binaries) / "initdb").write_bytes(b"")  # as after a power cut
        with embedded.start(moved, binaries=binaries) as server:
            assert kept(server.url) == ["before"]
        assert len([path for path in copies.iterdir() if path.is_dir()]) == 1
        assert (closed.stat().st_mode & 0o777, closed.stat().st_uid) == (0o700, 0)
    finally:
        embedded.remove(home)
        embedded.remove(moved)
    assert not list((closed / "project").iterdir())
    shutil.rmtree(closed)
    shutil.rmtree(copies)
    for path in (home, moved):
        assert not processes(path)
        assert not outside(path)


def test_an_ordinary_user(folder: Path) -> None:
    """As root, by way of a process of nobody's; every other test is run as whoever runs it."""
    if not ROOT:
        pytest.skip("NOT RUN: already an ordinary user, as all other tests show")
    drop = run_as(pwd.getpwnam("nobody").pw_uid)
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
    keep(url, "before")
    assert os.stat(home / "data").st_uid == drop["user"]
    assert f"muster-{drop['user']}-" in url
    user.kill()
    eventually(lambda: not processes(home), seconds=5)
    user = User(home, python=python, source=source, **drop)
    assert kept(user.url()) == ["before"]
    user.end()
    assert not processes(home)
    assert not Path(f"/tmp/muster-{drop['user']}-{placement.home_key(home)}").exists()


def _python_for(drop: dict) -> str:
    """A Python that an ordinary user can run: ours may lie in root's own folder."""
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        with contextlib.suppress(OSError):
            run = subprocess.run([python, "-c", check], cwd="/", check=False, **drop)
            if run.returncode == 0:
                return python
    pytest.skip("NOT RUN: no Python that an ordinary user can run")
