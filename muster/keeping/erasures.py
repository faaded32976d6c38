"""The erasure list: who and what was erased, kept in a file outside the database and outside its
backups, so that a restored backup can be erased again before anybody looks at it.

A line is written and synced before the deletion commits; it holds ids only. A last line that was torn
by a crash stands for a deletion that did not happen.
"""

import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from muster.core.clock import now
from muster.core.ids import derived
from muster.core.problems import Problem
from muster.core.sqlfile import load, query
from muster.ledger.door import LOCK
from muster.ledger.event import Event, RedactionAuthorised
from muster.ledger.projection import uuid_array
from muster.ledger.settle import INSERT_EVENTS, as_rows, event_rows

FILE_NAME = "erasures.jsonl"
CHUNK = 1_000
TAIL_BYTES = 4 * 2**20  # a line names at most a chunk of people and events


class ErasureListDamaged(Problem):
    """Line {line} of the erasure list {file} cannot be read. Put the file back from a copy: without
    it a restored backup brings back who was erased."""

    zh = "清除名单 {file} 第 {line} 行无法读取。请用副本恢复该文件，否则还原备份会使已清除的人重新出现。"
    status = 500


@dataclass(frozen=True)
class Erased:
    """What one step of an erasure took: residents' ids, and ids of events and held items."""

    at: datetime
    residents: tuple[UUID, ...]
    events: tuple[UUID, ...]


def append(file: Path, erased: Erased) -> None:
    """Add a line and sync it; what a crash has torn before is taken away. Raises OSError."""
    line = msgspec.json.encode(erased) + b"\n"
    with _alone(file) as descriptor:
        _mend(descriptor)
        if os.write(descriptor, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
        os.fsync(descriptor)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name of a new file, too
    finally:
        os.close(folder)


def read(file: Path) -> list[Erased]:
    """Every line, oldest first; none where there is no file. Raises ErasureListDamaged."""
    if not file.exists():
        return []
    *lines, last = file.read_bytes().split(b"\n")
    found = []
    for number, line in enumerate(lines, 1):
        if (one := _decoded(line)) is None:
            raise ErasureListDamaged(file=file, line=number)
        found.append(one)
    if (one := _decoded(last)) is not None:  # whole but for its line feed: rather once too often
        found.append(one)
    return found


async def replay(conn: psycopg.AsyncConnection[Any], erased: Sequence[Erased]) -> int:
    """Erase again what the list names, on a restored and migrated database whose read tables are
    rebuilt afterwards; how many people and events it still held. The door must be closed.

    A backup may be older than the authorisations: they are made again, with the ids they had, and
    chained as a batch of their own, so that the ledger verifies. Authorised events change no row.
    """
    steps = load("muster.keeping", "erasing.sql")
    done = 0
    for one in erased:
        async with conn.transaction():
            await conn.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            values = {"residents": uuid_array(one.residents), "events": uuid_array(one.events)}
            for name in ("mark_erased", "erase_notes", "erase_search", "erase_held"):
                await conn.execute(steps[name].sql.encode(), values)
            gone = await conn.execute(steps["erase_identities"].sql.encode(), values)
            done += gone.rowcount + await _empty_again(conn, one)
    return done


async def _empty_again(conn: psycopg.AsyncConnection[Any], erased: Erased) -> int:
    at, count = now(), 0
    for start in range(0, len(erased.events), CHUNK):
        cursor = await conn.execute(
            query("muster.keeping", "still_filled", "erasing.sql").encode(),
            {"events": uuid_array(erased.events[start : start + CHUNK])},
        )
        ids = [row[0] for row in await cursor.fetchall()]
        if not ids:
            continue
        events = [authorisation(one, "erasure", "erasure list", at) for one in ids]
        await conn.execute(INSERT_EVENTS, as_rows(event_rows(events)))
        await conn.execute(query("muster.ledger", "insert_batch").encode(), {"now": at})
        await conn.execute(
            b"UPDATE ledger.event SET salt = NULL, body = NULL WHERE id = ANY (%s)", [ids]
        )
        count += len(ids)
    return count


def authorisation(event: UUID, reason: Any, actor: str, at: datetime) -> Event:
    """The event under which another may be emptied; the same event, the same id."""
    body = RedactionAuthorised(reason)
    return Event(derived("redact", event), type(body).__name__, event, at, at, at, actor, body)


@contextmanager
def _alone(file: Path) -> Iterator[int]:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _mend(descriptor: int) -> None:
    """Cut off a torn last line, or end a whole one."""
    size = os.fstat(descriptor).st_size
    content = os.pread(descriptor, size, max(0, size - TAIL_BYTES))
    tail = content[content.rfind(b"\n") + 1 :]
    if tail and _decoded(tail) is None:
        os.ftruncate(descriptor, size - len(tail))
    elif tail:
        os.write(descriptor, b"\n")


def _decoded(line: bytes) -> Erased | None:
    try:
        return msgspec.json.decode(line, type=Erased)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
