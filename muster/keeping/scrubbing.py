"""After an erasure: what is deleted still stands in the pages of tables and indexes, in the planner's
samples and in the write-ahead log. Tables are written anew, samples taken anew, the log is cut.

What this cannot reach is said in the answer: blocks the file system has freed, copies of the log and
of the database on other machines.
"""

import asyncio
from typing import Any

import psycopg
from psycopg import errors

from muster.config import REWRITE_LIMIT_BYTES

Conn = psycopg.AsyncConnection[Any]
PERSONAL = (
    "vault.identity", "vault.search", "vault.note", "ledger.inbox", "registry.resident",
    "sampling.stance", "sampling.home_request", "registry.objection", "credential.person", "credential.totp",
    "registry.import_part", "registry.import_fault",
)  # fmt: skip
LEDGER = "ledger.event"  # where the bodies of emptied events stood
SAMPLES = "pg_catalog.pg_statistic"
ATTEMPTS = 30


async def scrub(conn: Conn, *, whole: bool) -> dict[str, Any]:
    """Write the tables that held erased data anew, the ledger too where it is small or `whole`.
    The door waits while a table is written: seconds for a million people. What was done, by table,
    and what became of the log. The connection must be in autocommit and belong to the owner."""
    done: dict[str, str] = {}
    for table in (*PERSONAL, LEDGER):
        size = await _one(conn, "SELECT pg_total_relation_size(to_regclass(%s))", [table])
        if size is None:
            continue
        full = table != LEDGER or whole or size <= REWRITE_LIMIT_BYTES
        await _vacuum(conn, table, full=full)
        done[table] = "rewritten" if full else "vacuumed"
    superuser = await _one(conn, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if superuser:
        await _vacuum(conn, SAMPLES, full=True)
        done[SAMPLES] = "rewritten"
        log = await _cut_log(conn)
    else:
        log = "left to the server, whose administrator must cut it"
    if await _one(conn, "SELECT count(*) FROM pg_stat_replication"):
        log += "; copies of it on replicas are theirs to cut"
    if await _one(conn, "SELECT current_setting('archive_mode') <> 'off'"):
        log += "; it is archived: old archives hold what was erased"
    return {"tables": done, "log": log}


async def _vacuum(conn: Conn, table: str, *, full: bool) -> None:
    """Never wait long for a lock: whoever comes later would wait behind us."""
    options = "FULL, ANALYZE" if full and table != SAMPLES else "FULL" if full else "ANALYZE"
    await conn.execute("SET lock_timeout = '2s'")
    await conn.execute("SET statement_timeout = 0")
    try:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await conn.execute(f"VACUUM ({options}) {table}".encode())
                return
            except errors.LockNotAvailable:
                if attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(1)
    finally:
        await conn.execute("RESET lock_timeout")
        await conn.execute("RESET statement_timeout")


async def _cut_log(conn: Conn) -> str:
    """Segments are removed instead of kept for later use, and those already laid up are overwritten:
    a switched segment is filled with zeros."""
    await conn.execute("ALTER SYSTEM SET wal_recycle = off")
    await conn.execute("SELECT pg_reload_conf()")
    try:
        await conn.execute("CHECKPOINT")
        laid_up = await _one(
            conn,
            "SELECT count(*) FROM pg_ls_waldir() WHERE name >= pg_walfile_name(pg_current_wal_lsn())"
            " AND name ~ '^[0-9A-F]{24}$'",
        )
        for _ in range(laid_up + 1):
            await conn.execute("SELECT pg_logical_emit_message(false, 'muster', 'cut')")
            await conn.execute("SELECT pg_switch_wal()")
        await conn.execute("CHECKPOINT")
        await conn.execute("SELECT pg_switch_wal()")
        await conn.execute("CHECKPOINT")
    finally:
        await conn.execute("ALTER SYSTEM RESET wal_recycle")
        await conn.execute("SELECT pg_reload_conf()")
    return "cut; blocks that the file system has freed are not overwritten"


async def _one(conn: Conn, sql: Any, values: Any = ()) -> Any:
    row = await (await conn.execute(sql, values)).fetchone()
    return row[0] if row else None
