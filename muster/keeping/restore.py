"""Restoring a backup into an empty database: everything in one transaction, with the erasure list
replayed before it ends, so that at no moment anybody who was erased is there again, and an interrupted
restore leaves the database as empty as it was. The read tables are built afterwards, as at any start.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.keeping.backup import DATA, HERE, SETTINGS, TABLE, Conn, Progress, Table, frames
from muster.keeping.erasing import CREDENTIALS
from muster.keeping.erasures import Erased, replay
from muster.keeping.sealed import BackupDamaged, Header, chunks, content, read_header

Approve = Callable[[Conn], Awaitable[Any]]


class DatabaseNotEmpty(Problem):
    """A backup is restored into an empty database only, and this one holds something. Make a new one
    and let DATABASE_URL name it, or set MUSTER_HOME to a new folder."""

    zh = "备份只能恢复到空数据库，而该数据库非空。请新建数据库并修改 DATABASE_URL，或将 MUSTER_HOME 设为新文件夹。"
    status = 409


class BackupExpired(Problem):
    """This backup was to be kept until {until} and no longer. If it must be restored all the same, say
    --expired, and see that what should be gone by now goes."""

    zh = "该备份的保存期限为 {until}，现已过期。如确需恢复，请加 --expired，并确保应删除的数据被删除。"
    status = 410


class BackupTooNew(Problem):
    """This backup was made by a newer Muster ({program}), which this one cannot read. Install that one
    or a newer one."""

    zh = "该备份由更新版本的 Muster（{program}）制作，当前版本无法读取。请安装该版本或更新版本。"
    status = 409


def check(file: Path, key: bytes, *, progress: Progress = lambda _done, _total: None) -> Header:
    """Read the whole backup and prove that nothing is missing or changed. Raises BackupDamaged."""
    header, size, done = read_header(file), file.stat().st_size, 0
    for chunk in chunks(file, key):
        done += len(chunk)
        progress(done, size)
    return header


async def restore(
    conn: Conn, file: Path, *, key: bytes, migrations: Mapping[str, str], lock: int,
    erased: Sequence[Erased] = (), approve: Approve, at: datetime, expired: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> tuple[Header, int]:  # fmt: skip
    """Restore a backup; its header, and how many people and events the erasure list took out again.

    `migrations`: name → SQL, all there are; `lock`: under which they are applied; `approve` looks at
    the restored tables, under the transaction, and raises what speaks against them. The connection
    must be in autocommit. Raises DatabaseNotEmpty, BackupExpired, BackupTooNew, BackupDamaged.
    """
    header = check(file, key)
    if header.expires_at < at and not expired:
        raise BackupExpired(until=header.expires_at.date())
    if set(header.migrations) - set(migrations):
        raise BackupTooNew(program=header.program)
    async with conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
        for setting in SETTINGS:
            await conn.execute(setting)
        await _must_be_empty(conn)
        await conn.execute(
            "CREATE TABLE public.migration"
            " (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"
        )
        for name in header.migrations:
            await conn.execute(migrations[name].encode())
        await _fill(conn, file, key, header, progress)
        for name in sorted(set(migrations) - set(header.migrations)):
            await conn.execute(migrations[name].encode())
            await conn.execute("INSERT INTO public.migration (name) VALUES (%s)", [name])
        await approve(conn)
        gone = await erase_again(conn, erased)
    for name in header.rows:
        await conn.execute(f"ANALYZE {name}".encode())
    return header, gone


async def _must_be_empty(conn: Conn) -> None:
    found = await row(conn, HERE, "backup.sql:relations")
    if found and found["count"]:
        raise DatabaseNotEmpty


async def _fill(conn: Conn, file: Path, key: bytes, header: Header, progress: Progress) -> None:
    """Read every table in; as many rows as the header says, or nothing."""
    came: dict[str, int] = {}
    done, total = 0, sum(header.rows.values())
    parts = frames(content(file, key))
    kind, said = next(parts, (b"", b""))
    while kind == TABLE:
        table = Table(*msgspec.json.decode(said, type=tuple[str, tuple[str, ...]]))
        await _clear(conn, table)
        async with conn.cursor() as cursor:
            async with cursor.copy(f"COPY {table.sql} FROM STDIN".encode()) as copy:
                while (read := next(parts, (b"", b"")))[0] == DATA:
                    await copy.write(read[1])
                    done += read[1].count(b"\n")  # a row's own are escaped
                    progress(done, total)
            came[table.name] = cursor.rowcount
        kind, said = read
    if kind or came != header.rows:
        raise BackupDamaged(file=file, reason="its tables do not hold what its header says")
    for one in await rows(conn, HERE, "backup.sql:counters"):
        await conn.execute(
            f"SELECT setval(%s, coalesce((SELECT max({one['column']}) FROM {one['name']}), 0) + 1,"
            " false)".encode(),
            [one["sequence"]],
        )


async def _clear(conn: Conn, table: Table) -> None:
    """Take out what a migration has put in: the backup holds it too, as it was."""
    found = await (
        await conn.execute(f"SELECT EXISTS (SELECT FROM {table.name})".encode())
    ).fetchone()
    if found and found[0]:
        await conn.execute(f"DELETE FROM {table.name}".encode())


async def erase_again(conn: Conn, erased: Sequence[Erased]) -> int:
    """Take out who was erased, under one transaction; how many people and events were still there.
    The read tables must be rebuilt afterwards."""
    # The steps of an erasure name a read table, which may not be built yet.
    found = await (await conn.execute("SELECT to_regclass('vault.search')")).fetchone()
    missing = not (found and found[0])
    async with conn.transaction():
        if missing:
            await conn.execute("CREATE TABLE vault.search (resident uuid)")
        gone = await replay(conn, erased)
        if missing:
            await conn.execute("DROP TABLE vault.search")
        accounts = [one["account"] for one in await rows(conn, HERE, "backup.sql:erased_accounts")]
        for name in CREDENTIALS if accounts else ():
            await conn.execute(
                f"DELETE FROM credential.{name} WHERE account = ANY (%s)".encode(), [accounts]
            )
    return gone
