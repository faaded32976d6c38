"""Keeps the PostgreSQL server of one home folder running while any process uses it, no longer.

It is the parent of postgres and watches its child (a dead postmaster is started again), the users'
lock (free as soon as the last user has ended, in whatever way) and its own signals. Should this
process itself be killed, the kernel tells postgres to shut down.

Run detached by `launch`. Little of the standard library only: it stays in memory. Linux only.

The locks in the home are flocks, so that they end with their process: users.lock (shared: every
user; exclusive: the supervisor while it stops the server), start.lock (whoever prepares, asks or
removes), supervisor.lock (the supervisor).
"""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import sys
import time
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

POLL_SECONDS = 0.5
STOP_SECONDS = 90  # a shutdown writes a checkpoint first
ORPHAN_SECONDS = 2
CLOSE_SECONDS = 30
LAUNCH_SECONDS = 20
FAILURES_ALLOWED = 3
RETRY_SECONDS = 5
LOG_BYTES = 2**20

PLACE = "place.json"
LOG = "server.log"
USERS_LOCK = "users.lock"
START_LOCK = "start.lock"
SUPERVISOR_LOCK = "supervisor.lock"
SETTINGS_FILE = "muster.conf"
PORT = 5432
SOCKET_FILE = f".s.PGSQL.{PORT}"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

_WATCHED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

# Where everything of one home is; `uid` and `gid` are None unless the server has its own user.
Place = namedtuple("Place", "data sockets binaries uid gid")


def main(home: Path) -> int:
    lock = take_lock(home / SUPERVISOR_LOCK, fcntl.LOCK_EX, seconds=2)
    place = read_place(home)
    if lock is None or place is None:
        return _say("not needed")
    # Locked before we detach: once our first process has ended, the home is known as supervised.
    # Detached, we can never become the zombie of whoever launched us.
    if os.fork():
        os._exit(0)
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    os.umask(0o077)
    # Backends of a killed postmaster come to us, so that we can reap them.
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # for the child, between unblocking and exec
    users = os.open(home / USERS_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        return _serve(place, users)
    finally:
        _clear(place.data)
        remove_sockets(place.sockets)
        os.close(lock)  # before the users' lock: who waits for that shall find no supervisor


def _serve(place: Place, users: int) -> int:
    """Start postgres again and again until nobody uses it, we are told to end, or it never runs:
    what ran once may wait for room on a full disk."""
    failures, has_run = 0, False
    while has_run or failures < FAILURES_ALLOWED:
        _clear(place.data)
        if not make_sockets(place):
            return _say(f"{place.sockets} is not ours")
        write_settings(place)
        died, was_ready = _watch(_spawn_postgres(place), place, users)
        if not died or try_lock(users, fcntl.LOCK_EX):
            return 0
        _say("postgres ended by itself; starting it again")
        has_run = has_run or was_ready
        failures = 0 if was_ready else failures + 1
        if has_run or failures < FAILURES_ALLOWED:
            time.sleep(min(POLL_SECONDS * failures, RETRY_SECONDS))
    return _say("postgres does not start; giving up")


def _watch(postmaster: int, place: Place, users: int) -> tuple[bool, bool]:
    """Wait for the end of the postmaster or of our task: (did it die, was it ever ready)."""
    was_ready = False
    while True:
        event = signal.sigtimedwait(_WATCHED, POLL_SECONDS)
        was_ready = was_ready or is_ready(place.data, os.getpid())
        if event is not None and event.si_signo in (signal.SIGTERM, signal.SIGINT):
            return False, was_ready
        if postmaster in _reap():
            return True, was_ready
        if try_lock(users, fcntl.LOCK_EX):
            return False, was_ready


def _spawn_postgres(place: Place) -> int:
    supervisor = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        if place.uid is not None:
            os.setgroups([])
            os.setgid(place.gid)
            os.setuid(place.uid)
        # Only now: a change of user clears the parent-death signal. SIGINT is "fast shutdown".
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
        if os.getppid() == supervisor:
            os.chdir(place.data)  # by its folder the server is recognised, from the beginning
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            binary = os.path.join(place.binaries, "postgres")
            os.execve(binary, [binary, "-D", place.data], ENVIRONMENT)  # noqa: S606
    except OSError as error:
        _say(f"cannot run postgres: {error}")
    finally:
        os._exit(127)


def _clear(data: str) -> None:
    """Shut down whatever server works in `data`, ours or one of an earlier supervisor.

    Backends that lost their postmaster end when they notice, which a long query may not for
    minutes: after a grace they are killed, which loses nothing that the crash had not lost.
    """
    begin = orphaned = time.monotonic()
    told = None
    while running := _processes_of(data):
        now = time.monotonic()
        postmaster = _recorded_postmaster(data)
        if postmaster in running and now - begin < STOP_SECONDS:
            orphaned = now
            if told != postmaster:
                told = postmaster
                _kill(postmaster, signal.SIGINT)
        elif now - orphaned > ORPHAN_SECONDS:
            for process in running:
                _kill(process, signal.SIGKILL)
        if now - begin > STOP_SECONDS + 2 * ORPHAN_SECONDS:
            raise SystemExit(_say(f"an earlier server does not end: {sorted(running)}"))
        time.sleep(0.02)
        _reap()
    _reap()
    # A stale postmaster.pid is no obstacle to postgres, except when its process id belongs to an
    # unrelated process by now: then it would refuse to start.
    if os.path.exists(f"/proc/{_recorded_postmaster(data)}"):
        Path(data, "postmaster.pid").unlink(missing_ok=True)


def _reap() -> set[int]:
    """Collect every child that has ended: the postmaster, and orphaned backends."""
    ended: set[int] = set()
    with contextlib.suppress(ChildProcessError):
        while child := os.waitpid(-1, os.WNOHANG)[0]:
            ended.add(child)
    return ended


def _kill(process: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


# --- the server, from outside


def read_place(home: Path) -> Place | None:
    try:
        return Place(**json.loads((home / PLACE).read_text()))
    except FileNotFoundError:
        return None


def is_ready(data: str, supervisor: int) -> bool:
    """Whether the child of this supervisor accepts connections."""
    with contextlib.suppress(OSError, IndexError):
        lines = Path(data, "postmaster.pid").read_text().split("\n")
        status = Path("/proc", lines[0], "status").read_text()
        return lines[7].strip() == "ready" and f"\nPPid:\t{supervisor}\n" in status
    return False


def _recorded_postmaster(data: str) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int(Path(data, "postmaster.pid").read_text().split("\n", 1)[0])
    return None


def _processes_of(data: str) -> set[int]:
    """The processes of any postgres server that works in `data`."""
    return {int(name) for name in os.listdir("/proc") if name.isdigit() and _works_in(name, data)}


def _works_in(process: str, data: str) -> bool:
    # Unreadable links belong to another user's process, which cannot be a server of our data.
    with contextlib.suppress(OSError):
        program = os.readlink(f"/proc/{process}/exe").removesuffix(" (deleted)")
        return program.endswith("/postgres") and os.readlink(f"/proc/{process}/cwd") == data
    return False


def make_sockets(place: Place) -> bool:
    """Make the folder of the socket, or empty the one we left; False if it is not ours."""
    owner = os.geteuid() if place.uid is None else place.uid
    with contextlib.suppress(FileExistsError):
        os.mkdir(place.sockets, 0o700)
    found = os.lstat(place.sockets)
    # The whole mode: a folder, no link, and open to its owner only.
    if found.st_mode != 0o40700 or found.st_uid not in (owner, os.geteuid()):
        return False
    if found.st_uid != owner:
        os.chown(place.sockets, owner, place.gid, follow_symlinks=False)
    # Like postmaster.pid, the socket's lock file may name a process id that is another's by now.
    _empty_sockets(place.sockets)
    return True


def remove_sockets(sockets: str) -> None:
    with contextlib.suppress(OSError):
        _empty_sockets(sockets)
        os.rmdir(sockets)


def _empty_sockets(sockets: str) -> None:
    for name in (SOCKET_FILE, SOCKET_FILE + ".lock"):
        Path(sockets, name).unlink(missing_ok=True)


# --- the locks


def launch(home: Path) -> int:
    """Start the supervisor, detached; gives the length of the log before."""
    import subprocess  # not in the supervisor itself: it would stay in its memory

    path = home / LOG
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    with open(path, "ab") as log:
        begin = log.tell()
        subprocess.run(
            [sys.executable, "-I", "-S", __file__, str(home)],
            **{"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log},
            **{"cwd": "/", "start_new_session": True, "timeout": LAUNCH_SECONDS, "check": False},
        )
    return begin


def supervised(home: Path) -> int | None:
    """The process id of the supervisor, if there is one (0 while it is just starting)."""
    with locked(home / SUPERVISOR_LOCK, fcntl.LOCK_SH) as free:
        return None if free else int((home / SUPERVISOR_LOCK).read_text() or 0)


def wait_unused(home: Path) -> bool:
    """Wait until the server has stopped; False if others use it, or it does not stop in time.

    Only one process at a time asks, lest askers take each other for users.
    """
    end = time.monotonic() + CLOSE_SECONDS
    while home.exists() and time.monotonic() < end:
        with locked(home / START_LOCK, fcntl.LOCK_EX) as alone:
            if alone:
                with locked(home / USERS_LOCK, fcntl.LOCK_SH) as users:
                    if users and not try_lock(users, fcntl.LOCK_EX):
                        return False
                    if users and supervised(home) is None:
                        return True
        time.sleep(0.05)
    return not home.exists()


@contextlib.contextmanager
def locked(path: Path, kind: int, *, seconds: float = 0) -> Iterator[int | None]:
    lock = take_lock(path, kind, seconds=seconds)
    try:
        yield lock
    finally:
        if lock is not None:
            os.close(lock)


def take_lock(path: Path, kind: int, *, seconds: float = 0) -> int | None:
    """Open `path` and lock it (LOCK_SH or LOCK_EX), until the last copy of the descriptor is
    closed; None if it stays taken, or its folder is gone."""
    end = time.monotonic() + seconds
    while True:
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            return None
        if try_lock(lock, kind) and is_current(lock, path):
            return lock
        os.close(lock)
        if time.monotonic() >= end:
            return None
        time.sleep(0.02)


def try_lock(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_current(lock: int, path: Path) -> bool:
    """Whether `path` still names the locked file: a home may be removed while we wait for it."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(lock), os.stat(path))
    return False


# --- settings

# For two cores and any memory; fsync and synchronous_commit keep their default, on. Statements,
# and the errors they cause, can hold personal data: they go to the client only, while the events
# of the server itself have the level "log" and above. One log file a weekday, kept for a week.
SETTINGS = """# Written at every start of the server. Your own settings: postgresql.conf
listen_addresses = ''
port = {port}
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 60
shared_buffers = {buffers_mb}MB
effective_cache_size = {cache_mb}MB
work_mem = 32MB
maintenance_work_mem = 256MB
max_wal_size = 4GB
checkpoint_timeout = 15min
random_page_cost = 1.1
jit = off
huge_pages = off
max_parallel_workers_per_gather = 1
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_directory = 'log'
log_filename = 'postgres-%a.log'
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_min_duration_statement = -1
log_checkpoints = off
"""


def write_settings(place: Place) -> None:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(OSError, ValueError):  # a container's share
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    text = SETTINGS.format(
        port=PORT,
        sockets=place.sockets,
        buffers_mb=max(32, min(memory // 4 // 2**20, 1024)),
        cache_mb=max(64, memory // 2 // 2**20),
    )
    if int(Path(place.data, "PG_VERSION").read_text()) >= 18:
        text += "io_method = sync\n"  # three processes fewer
    # The folder belongs to the database's user: as root we must not follow a link laid there.
    target = os.path.join(place.data, SETTINGS_FILE)
    Path(target + ".new").unlink(missing_ok=True)
    file = os.open(target + ".new", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(file, "w") as out:
        out.write(text)
        if place.uid is not None:
            os.fchown(file, place.uid, place.gid)
    os.replace(target + ".new", target)


def _say(text: str) -> int:
    """One line to the log; gives the exit code of a failure."""
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    os.write(2, f"{now} supervisor {os.getpid()}: {text}\n".encode())
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
