"""Keeps the PostgreSQL server of one home folder running while any process uses it, no longer.

It is the parent of postgres and watches three things: its child (a dead postmaster is started
again), the users' lock (every process that uses the server holds it shared, so that the lock is
free as soon as the last one has ended, in whatever way) and its own signals. Should this process
itself be killed, the kernel tells postgres to shut down (parent-death signal).

Run as `python -I -S supervisor.py HOME` by `embedded.start`. Standard library only, and little of
it: the process stays in memory as long as the server does. Linux only.
"""

import ctypes
import fcntl
import json
import os
import signal
import sys
import time
from collections import namedtuple
from pathlib import Path

POLL_SECONDS = 0.5
FAST_STOP_SECONDS = 60  # a fast shutdown writes a checkpoint first
HARD_STOP_SECONDS = 10
WAY_SECONDS = 90  # how long an earlier server of the same data may take to end
ORPHAN_GRACE_SECONDS = 2
FAILURES_ALLOWED = 3

PLACE = "place.json"
USERS_LOCK = "users.lock"
SUPERVISOR_LOCK = "supervisor.lock"
SETTINGS_FILE = "muster.conf"
SOCKET_FILE = ".s.PGSQL.5432"
PORT = 5432

PLAIN_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
WATCHED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

# Where everything of one home is; `uid` and `gid` are None when we need not change user.
Place = namedtuple("Place", "data sockets binaries uid gid")


def main(home: Path) -> int:
    lock = take_lock(home / SUPERVISOR_LOCK, fcntl.LOCK_EX, seconds=2)
    if lock is None:
        return 0  # another supervisor serves this home
    # The lock is taken before we detach: when our first process has ended, whoever started it
    # knows that the home is supervised. Detached, we can never become that process's zombie.
    if os.fork():
        os._exit(0)
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    os.umask(0o077)
    # Backends of a killed postmaster come to us, so that we can wait for them and reap them.
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    place = read_place(home)
    if place is None:
        return _say("no place.json")
    users = os.open(home / USERS_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        return _serve(place, users)
    finally:
        _reap()
        remove_sockets(place.sockets)
        os.close(lock)  # first: whoever waits for the users' lock shall find no supervisor


def _serve(place: Place, users: int) -> int:
    """Start postgres again and again until nobody uses it, we are told to end, or it cannot run."""
    failures = 0
    while failures < FAILURES_ALLOWED:
        _clear_the_way(place.data)
        if not make_sockets(place):
            return _say(f"{place.sockets} is not ours")
        write_settings(place)
        postmaster = _spawn_postgres(place)
        died, was_ready = _watch(postmaster, place, users)
        if not died:
            _stop(postmaster, place.data)
            return 0
        _say("postgres ended by itself; starting it again")
        failures = 0 if was_ready else failures + 1
        if try_lock(users, fcntl.LOCK_EX):
            _clear_the_way(place.data)
            return 0
        time.sleep(POLL_SECONDS * failures)
    return _say("postgres does not start; giving up")


def _watch(postmaster: int, place: Place, users: int) -> tuple[bool, bool]:
    """Wait for the end of the postmaster or of our task: (did it die, was it ever ready)."""
    was_ready = False
    while True:
        event = signal.sigtimedwait(WATCHED, POLL_SECONDS)
        if event is not None and event.si_signo in (signal.SIGTERM, signal.SIGINT):
            return False, was_ready
        was_ready = was_ready or is_ready(place.data, os.getpid())
        if postmaster in _reap():
            return True, was_ready
        if try_lock(users, fcntl.LOCK_EX):
            return False, was_ready


def _spawn_postgres(place: Place) -> int:
    supervisor = os.getpid()
    binary = os.path.join(place.binaries, "postgres")
    libc = ctypes.CDLL(None)  # loaded before the fork: the child does as little as possible
    child = os.fork()
    if child:
        return child
    try:
        if place.uid is not None:
            os.setgroups([])
            os.setgid(place.gid)
            os.setuid(place.uid)
        # Only now: a change of user clears the parent-death signal. SIGINT is "fast shutdown".
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
        if os.getppid() != supervisor:
            os._exit(1)
        os.chdir(place.data)  # by this folder a server is recognised, from its first moment on
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execve(binary, [binary, "-D", place.data], PLAIN_ENVIRONMENT)
    except BaseException as error:
        _say(f"cannot run {binary}: {error}")
    finally:
        os._exit(127)


def _stop(postmaster: int, data: str) -> None:
    steps = (
        (signal.SIGINT, FAST_STOP_SECONDS),
        (signal.SIGQUIT, HARD_STOP_SECONDS),
        (signal.SIGKILL, HARD_STOP_SECONDS),
    )
    for number, seconds in steps:
        os.kill(postmaster, number)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if postmaster in _reap():
                _clear_the_way(data)
                return
            signal.sigtimedwait((signal.SIGCHLD,), min(left, POLL_SECONDS))


def _reap() -> set[int]:
    """Collect every child that has ended: the postmaster, and orphaned backends."""
    ended: set[int] = set()
    while True:
        try:
            child, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if not child:
            return ended
        ended.add(child)


def _clear_the_way(data: str) -> None:
    """Wait until no process of an earlier server works in `data`, helping it to end.

    A postmaster that lost its supervisor is shutting down already. Backends that lost their
    postmaster end when they notice, which a long query may not for minutes: after a grace they
    are stopped, which loses nothing that the crash had not lost already.
    """
    begin = orphaned = time.monotonic()
    told = False
    while running := processes_of(data):
        now = time.monotonic()
        postmaster = recorded_postmaster(data)
        if postmaster in running:
            orphaned = now
            if not told:
                told = True
                _kill(postmaster, signal.SIGINT)
        elif now - orphaned > ORPHAN_GRACE_SECONDS:
            for orphan in running:
                _kill(orphan, signal.SIGKILL)
        if now - begin > WAY_SECONDS:
            raise SystemExit(_say(f"an earlier server does not end: {sorted(running)}"))
        time.sleep(0.05)
        _reap()
    # A stale postmaster.pid is no obstacle to postgres, except when its process id belongs to an
    # unrelated process by now: then it would refuse to start.
    if os.path.exists(f"/proc/{recorded_postmaster(data)}"):
        Path(data, "postmaster.pid").unlink(missing_ok=True)


def _kill(process: int, number: signal.Signals) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return


# --- what embedded.py asks as well


def read_place(home: Path) -> Place | None:
    try:
        return Place(**json.loads((home / PLACE).read_text()))
    except FileNotFoundError:
        return None


def take_lock(path: Path, kind: int, *, seconds: float = 0) -> int | None:
    """Open `path` and lock it (fcntl.LOCK_SH or LOCK_EX); None if it stays taken.

    The lock lasts until the descriptor is closed, in the last process that has it.
    """
    end = time.monotonic() + seconds
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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
    try:
        return os.path.samestat(os.fstat(lock), os.stat(path))
    except FileNotFoundError:
        return False


def recorded_postmaster(data: str) -> int | None:
    try:
        return int(Path(data, "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def is_ready(data: str, supervisor: int) -> bool:
    """Whether the child of this supervisor accepts connections."""
    try:
        lines = Path(data, "postmaster.pid").read_text().split("\n")
        status = Path("/proc", lines[0], "status").read_text()
        return lines[7].strip() == "ready" and f"\nPPid:\t{supervisor}\n" in status
    except (OSError, IndexError):
        return False


def processes_of(data: str) -> set[int]:
    """The processes of any postgres server that works in `data`."""
    return {int(name) for name in os.listdir("/proc") if name.isdigit() and _works_in(name, data)}


def _works_in(process: str, data: str) -> bool:
    # Unreadable links belong to another user's process, which cannot be a server of our data.
    try:
        program = os.readlink(f"/proc/{process}/exe").removesuffix(" (deleted)")
        return program.endswith("/postgres") and os.readlink(f"/proc/{process}/cwd") == data
    except OSError:
        return False


def make_sockets(place: Place) -> bool:
    """Make the folder of the socket, or empty the one we left; False if it is not ours."""
    owner = os.geteuid() if place.uid is None else place.uid
    try:
        os.mkdir(place.sockets, 0o700)
    except FileExistsError:
        pass
    found = os.lstat(place.sockets)
    if not os.path.isdir(place.sockets) or os.path.islink(place.sockets):
        return False
    if found.st_uid not in (owner, os.geteuid()) or found.st_mode & 0o077:
        return False
    if found.st_uid != owner:
        os.chown(place.sockets, place.uid, place.gid, follow_symlinks=False)
    # Like postmaster.pid, the socket's lock file may name a process id that is another's by now.
    for name in (SOCKET_FILE, SOCKET_FILE + ".lock"):
        Path(place.sockets, name).unlink(missing_ok=True)
    return True


def remove_sockets(sockets: str) -> None:
    for name in (SOCKET_FILE, SOCKET_FILE + ".lock"):
        try:
            os.unlink(os.path.join(sockets, name))
        except OSError:
            continue
    try:
        os.rmdir(sockets)
    except OSError:
        return


# --- settings


def write_settings(place: Place) -> None:
    major = int(Path(place.data, "PG_VERSION").read_text())
    text = "".join(f"{name} = {value}\n" for name, value in settings(place.sockets, major))
    target = os.path.join(place.data, SETTINGS_FILE)
    # The folder belongs to the database's user: as root we must not follow a link laid there.
    fresh = target + ".new"
    Path(fresh).unlink(missing_ok=True)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(file, "w") as out:
        out.write("# Written at every start of the server. Your own settings: postgresql.conf\n")
        out.write(text)
        if place.uid is not None:
            os.fchown(out.fileno(), place.uid, place.gid)
    os.replace(fresh, target)


def settings(sockets: str, major: int) -> list[tuple[str, str]]:
    """For two cores and any memory; fsync and synchronous_commit keep their default, on."""
    memory_mb = _memory_mb()
    chosen = [
        ("listen_addresses", "''"),
        ("port", str(PORT)),
        ("unix_socket_directories", f"'{sockets}'"),
        ("unix_socket_permissions", "0700"),
        ("max_connections", "60"),
        ("shared_buffers", f"{max(32, min(memory_mb // 4, 1024))}MB"),
        ("effective_cache_size", f"{max(64, memory_mb // 2)}MB"),
        ("work_mem", "32MB"),
        ("maintenance_work_mem", "256MB"),
        ("max_wal_size", "4GB"),
        ("checkpoint_timeout", "15min"),
        ("random_page_cost", "1.1"),
        ("jit", "off"),
        ("huge_pages", "off"),
        ("max_parallel_workers_per_gather", "1"),
        ("timezone", "'UTC'"),
        ("log_timezone", "'UTC'"),
        # One file a weekday, overwritten after a week.
        ("logging_collector", "on"),
        ("log_directory", "'log'"),
        ("log_filename", "'postgres-%a.log'"),
        ("log_rotation_age", "1d"),
        ("log_rotation_size", "0"),
        ("log_truncate_on_rotation", "on"),
        # Statements, and the errors they cause, can hold personal data: they go to the client
        # only. The server's own events have the level "log" and above.
        ("log_min_messages", "log"),
        ("log_min_error_statement", "panic"),
        ("log_error_verbosity", "terse"),
        ("log_statement", "none"),
        ("log_min_duration_statement", "-1"),
        ("log_checkpoints", "off"),
    ]
    if major >= 18:
        chosen.append(("io_method", "sync"))  # three processes fewer
    return chosen


def _memory_mb() -> int:
    size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            size = min(size, int(Path(limit).read_text()))
        except (OSError, ValueError):
            continue
    return size // 2**20


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _say(text: str) -> int:
    """One line to the log; gives the exit code of a failure."""
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    os.write(2, f"{now} supervisor {os.getpid()}: {text}\n".encode())
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
