"""Backups: every table that cannot be computed again, from one snapshot, as PostgreSQL's COPY text, so
that a newer server or a newer Muster reads it; sealed on its way to the disk (sealed.py).

Written to FILE.part, synced, then renamed: what was interrupted never looks like a backup. The vault's
key is not in it.
"""

import errno
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import psycopg

from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.keeping.sealed import BackupDamaged, Header, Sealing, read_header
from muster.ledger.door import LOCK

HERE = "muster.keeping"
BACKUP_LOCK = LOCK + 16
SUFFIX = ".backup"
FRAME_BYTES = 1 << 16
TABLE, DATA = b"T", b"D"
# Computed from the rest; or good once or for a moment, and not to be good again after a restore: what
# was used or ended since the backup would come back to life.
LEFT_OUT = (
    "ledger.read_table", "ledger.follower", "access.secured",
    "credential.session", "credential.ceremony", "credential.enrolment", "access.device_code",
    "registry.import_part", "registry.import_fault",
)  # fmt: skip
SETTINGS = (
    b"SET LOCAL statement_timeout = 0", b"SET LOCAL idle_in_transaction_session_timeout = 0",
    b"SET LOCAL client_encoding = 'UTF8'", b"SET LOCAL timezone = 'UTC'",
    b"SET LOCAL datestyle = 'ISO, YMD'", b"SET LOCAL intervalstyle = 'postgres'",
    b"SET LOCAL bytea_output = 'hex'", b"SET LOCAL extra_float_digits = 1",
)  # fmt: skip

Conn = psycopg.AsyncConnection[Any]
Progress = Callable[[int, int], None]  # rows or bytes done, in all


class BackupNotWritten(Problem):
    """The backup {file} could not be written: {reason}. What was written of it has been removed; older
    backups are untouched."""

    zh = "无法写入备份 {file}：{reason}。已写入的部分已删除，旧备份不受影响。"
    status = 500


class BackupRunning(Problem):
    """Another backup of this database is being made. Let it come to its end."""

    zh = "该数据库的另一备份正在进行，请等待其完成。"
    status = 409


class NothingToBackUp(Problem):
    """This database holds no Muster. See that DATABASE_URL or MUSTER_HOME is right."""

    zh = "该数据库中没有 Muster 数据。请确认 DATABASE_URL 或 MUSTER_HOME 是否正确。"
    status = 409


class NotTheOwner(Problem):
    """The database's user does not own all tables, so some rows might be hidden from the backup. Make
    it as the user that Muster itself uses."""

    zh = "数据库用户不是所有表的所有者，备份可能缺少数据行。请使用 Muster 自身的数据库用户。"
    status = 403


@dataclass(frozen=True)
class Table:
    """A table and its columns, as they are written in SQL."""

    name: str
    columns: tuple[str, ...]

    @property
    def sql(self) -> str:
        return f"{self.name} ({', '.join(self.columns)})"


async def backup(
    conn: Conn, file: Path, *, key: bytes, made_at: datetime, keep_days: int, program: str,
    progress: Progress = lambda _done, _total: None,
) -> Header:  # fmt: skip
    """Write a backup of what the database held at one moment; its header. The door goes on.

    The connection must be in autocommit. Raises BackupNotWritten, BackupRunning, NothingToBackUp.
    """
    async with _only_backup(conn), conn.transaction():
        await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for setting in SETTINGS:
            await conn.execute(setting)
        tables = await _tables(conn)
        counts = {table.name: await _count(conn, table) for table in tables}
        header = Header(
            format=1, made_at=made_at, expires_at=made_at + timedelta(days=keep_days),
            program=program, **await head(conn), migrations=await _migrations(conn),
            rows=counts, salt=os.urandom(32),
        )  # fmt: skip
        with new_file(file) as opened:
            sealing = Sealing(opened, key, header)
            done, total = 0, sum(counts.values())
            for table in tables:
                await _write(conn, table, sealing, lambda n, d=done: progress(d + n, total))
                done += counts[table.name]
            sealing.finish()
    progress(total, total)
    return header


async def _write(
    conn: Conn, table: Table, sealing: Sealing, progress: Callable[[int], None]
) -> None:
    sealing.write(frame(TABLE, msgspec.json.encode([table.name, table.columns])))
    held, count = bytearray(), 0
    async with conn.cursor().copy(f"COPY {table.sql} TO STDOUT".encode()) as copy:
        async for data in copy:
            held += data
            count += 1
            if len(held) >= FRAME_BYTES:
                sealing.write(frame(DATA, bytes(held)))
                held.clear()
                progress(count)
    if held:
        sealing.write(frame(DATA, bytes(held)))


def frame(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(4, "big") + content


def frames(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """(kind, content) of each frame in what a backup holds."""
    held = bytearray()
    for piece in pieces:
        held += piece
        at = 0
        while len(held) >= at + 5:
            end = at + 5 + int.from_bytes(held[at + 1 : at + 5], "big")
            if len(held) < end:
                break
            yield bytes(held[at : at + 1]), bytes(held[at + 5 : end])
            at = end
        del held[:at]
    if held:
        raise ValueError("a frame is not whole")


@contextmanager
def new_file(file: Path) -> Iterator[BinaryIO]:
    """A file that is there whole or not at all, readable by its owner only. What earlier runs left in
    the folder is removed. Raises BackupNotWritten."""
    part = file.with_name(f"{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        remove_leftovers(file.parent)
        if file.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BackupNotWritten(file=file, reason=error.strerror) from error
    try:
        with os.fdopen(descriptor, "wb") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX)  # ends with the process, however that ends
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        os.rename(part, file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise BackupNotWritten(file=file, reason=error.strerror) from error
    finally:
        with suppress(OSError):
            part.unlink()


def remove_leftovers(folder: Path) -> list[Path]:
    """Remove what interrupted backups left; those that are being written are locked and stay."""
    removed = []
    for part in folder.glob(f"*{SUFFIX}.part"):
        with suppress(OSError), part.open("rb") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()
            removed.append(part)
    return removed


def listed(folder: Path) -> list[tuple[Path, Header | None]]:
    """The backups of a folder by name; None for what is none or cannot be read."""
    found: list[tuple[Path, Header | None]] = []
    for file in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            found.append((file, read_header(file)))
        except (BackupDamaged, OSError):
            found.append((file, None))
    return found


@asynccontextmanager
async def _only_backup(conn: Conn) -> AsyncIterator[None]:
    found = await (await conn.execute("SELECT pg_try_advisory_lock(%s)", [BACKUP_LOCK])).fetchone()
    if not (found and found[0]):
        raise BackupRunning
    try:
        yield
    finally:
        if not conn.closed:
            await conn.execute("SELECT pg_advisory_unlock(%s)", [BACKUP_LOCK])


async def _tables(conn: Conn) -> list[Table]:
    there = await (await conn.execute("SELECT to_regclass('ledger.read_table')")).fetchone()
    if not (there and there[0]):
        raise NothingToBackUp
    hidden = await row(conn, HERE, "backup.sql:hidden")
    if hidden and hidden["count"]:
        raise NotTheOwner
    found = await rows(conn, HERE, "backup.sql:tables", left_out=list(LEFT_OUT))
    return [Table(one["name"], tuple(one["columns"])) for one in found]


async def _count(conn: Conn, table: Table) -> int:
    found = await (await conn.execute(f"SELECT count(*) FROM {table.name}".encode())).fetchone()
    return found[0] if found else 0


async def head(conn: Conn) -> dict[str, Any]:
    """The chain's end: batch, seq, hash, and the first hash, by which a ledger is known."""
    found = await row(conn, HERE, "backup.sql:head")
    return found or {"batch": 0, "seq": 0, "hash": "", "ledger": ""}


async def _migrations(conn: Conn) -> list[str]:
    cursor = await conn.execute("SELECT name FROM public.migration ORDER BY name")
    return [name for (name,) in await cursor.fetchall()]
