"""A PostgreSQL server of our own, for whoever does not bring one: `start(home)` gives its URL.

The binaries come from a Python package. Processes that start the same home share one server; it
lives as long as one of them does, run by a small supervisor process (supervisor.py). As root, the
server is given to the unprivileged user "nobody": data and, if need be, a copy of the binaries
then lie where that user can reach them, in /var/lib/muster or else /var/tmp/muster-0. Copies stay
after `remove`; $MUSTER_PG_BINARIES_HOME is another place for them.
"""

import contextlib
import fcntl
import os
import shutil
import time
from pathlib import Path
from urllib.parse import quote

from muster.db import supervisor
from muster.db.placement import (
    NAME,
    HomeNotRemoved,
    ServerDidNotStart,
    elsewhere,
    failure,
    make_home,
    owner_of,
    prepare,
    problems_of,
)
from muster.db.supervisor import LOG, START_LOCK, USERS_LOCK, Place, locked, read_place

START_SECONDS = 150  # recovery after a crash may have gigabytes of log to read


def default_home() -> Path:
    return Path(os.environ.get("MUSTER_HOME") or ".muster").absolute()


def start(home: Path, *, binaries: Path | None = None) -> "Embedded":
    """Use the server of `home`; start it, and make its database, if need be.

    `binaries` is a folder with postgres and initdb, by default that of the Python package.
    """
    end = time.monotonic() + START_SECONDS
    with problems_of(home):
        while time.monotonic() < end:
            home = make_home(home)
            with (
                locked(home / USERS_LOCK, fcntl.LOCK_SH, seconds=START_SECONDS) as users,
                locked(home / START_LOCK, fcntl.LOCK_EX, seconds=START_SECONDS) as alone,
            ):
                # The home may have been removed, locks and all, while we waited.
                if users and alone and supervisor.is_current(users, home / USERS_LOCK):
                    place = _bring_up(home, binaries, end=end)
                    return Embedded(home=home, place=place, users=os.dup(users))
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
            supervisor.wait_unused(self.home)

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
    unused = supervisor.wait_unused(home)
    exclusive = fcntl.LOCK_EX
    with locked(home / START_LOCK, exclusive) as a, locked(home / USERS_LOCK, exclusive) as b:
        if not (unused and a and b) or supervisor.supervised(home) is not None:
            raise HomeNotRemoved(home=home, reason="it is in use", why="仍在使用中")
        folders = elsewhere(home)
        if place := read_place(home):
            supervisor.remove_sockets(place.sockets)
            folders.append(Path(place.data).parent)
        for folder in folders:
            if owner_of(folder) == str(home):
                shutil.rmtree(folder)
                with contextlib.suppress(OSError):  # others' data, or copies of the binaries
                    folder.parent.rmdir()
        shutil.rmtree(home)


def _bring_up(home: Path, binaries: Path | None, *, end: float) -> Place:
    """With both locks held: the place of a server that accepts connections."""
    log_begin = None
    while time.monotonic() < end:
        running = supervisor.supervised(home)
        place = read_place(home)
        if running and place and supervisor.is_ready(place.data, running):
            return place
        if running is None:
            if log_begin is not None:
                break  # ours has given up
            prepare(home, binaries)
            log_begin = supervisor.launch(home)
        time.sleep(0.02)
    raise failure(home, (home / LOG).read_bytes()[log_begin or 0 :].decode(errors="replace"))
