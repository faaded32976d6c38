"""Backups: `muster backup`, `muster restore`, and what lies in a folder of them."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import psycopg
import rich_click as click
from psycopg import errors
from psycopg.conninfo import make_conninfo

from muster import __version__
from muster.catalogue import CATALOGUE
from muster.cli import main
from muster.cli.keeping import LedgerNotProven
from muster.cli.output import Out, command
from muster.config import BACKUP_DAYS, Settings
from muster.core.clock import now
from muster.core.problems import Problem
from muster.db import embedded
from muster.db.migrate import LOCK as MIGRATION_LOCK
from muster.instance import prepare
from muster.keeping import erasures
from muster.keeping.backup import SUFFIX, Conn, backup, head, listed, remove_leftovers
from muster.keeping.replay import rebuild
from muster.keeping.restore import check, erase_again, restore
from muster.keeping.sealed import Header, open_key
from muster.keeping.verify import Finding, verify
from muster.registry.vault import Vault, check_key, open_vault

LISTED = ("file", "made_at", "expires_at", "events", "size_mb", "ledger")
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


class BackupNotProven(Problem):
    """The backup {file} was written, but restoring it for a test did not give the same ({finding}). Keep
    older backups, and see what `muster verify` says of the database itself."""

    zh = "备份 {file} 已写入，但试恢复的结果不一致（{finding}）。请保留旧备份，并用 muster verify 检查数据库本身。"
    status = 500


class VaultKeyMissing(Problem):
    """The vault key {path} is not there, and it is not in the backup. Put it there first: without it no
    document number of the backup can be read or matched."""

    zh = "保险库密钥 {path} 不存在，备份中也不含该密钥。请先将其放回：没有它，备份中的证件号码均无法读取或比对。"
    status = 409


class ErasureListMissing(Problem):
    """The list of who was erased is not at {path}. Bring it here or name it with --erasures; only if
    nobody was ever erased from this ledger say --without-erasures."""

    zh = "{path} 处没有清除名单。请将其放回或用 --erasures 指明；仅当从未清除过任何人时才可使用 --without-erasures。"
    status = 409


@command(main, "backup")
@click.argument("folder", required=False, type=FOLDER)
@click.option("--keep-days", default=BACKUP_DAYS, show_default=True, type=click.IntRange(1, 3650),
              help="How long this backup may be kept.")  # fmt: skip
@click.option("--no-verify", is_flag=True, help="Do not restore it for a test.")
async def make_backup(out: Out, folder: Path | None, keep_days: int, no_verify: bool) -> Any:
    """Write an encrypted backup into FOLDER (default: backups in MUSTER_HOME) and prove it by
    restoring it into a scratch database. The server may go on meanwhile."""
    settings, made_at = out.settings, now()
    vault = open_vault(_there(settings.key_file)) if not no_verify else None
    key, made = open_key(settings.backup_key_file, make=True)
    if made:
        out.aside.print(
            _KEY_MADE[out.language].format(path=settings.backup_key_file), soft_wrap=True
        )
    folder = (folder or settings.home / "backups").absolute()
    async with database(settings) as conninfo:
        async with await _connect(conninfo) as conn:
            chain = await _head_if_any(conn)
            name = f"muster-{made_at:%Y%m%d-%H%M%S-%f}-{chain}{SUFFIX}"
            with out.progress(out.pick("backup", "备份")) as bar:
                header = await backup(
                    conn, folder / name, key=key, made_at=made_at, keep_days=keep_days,
                    program=__version__, progress=lambda done, total: bar(done, total, done),
                )  # fmt: skip
        if vault:
            await _prove(out, conninfo, folder / name, key, header, vault)
    row = _row(folder / name, header)
    seconds = (now() - made_at).total_seconds()
    proven = out.pick("proven by restoring it", "已试恢复验证") if vault else ""
    out.say(
        f"{folder / name}: {header.seq:,} events, {row['size_mb']} MB, {seconds:.1f} s {proven}",
        f"{folder / name}：{header.seq:,} 条事件，{row['size_mb']} MB，{seconds:.1f} 秒 {proven}",
    )
    return {**row, "rows": header.rows, "hash": header.hash, "seconds": seconds,
            "proven": vault is not None}  # fmt: skip


_KEY_MADE = {
    "en": "A BACKUP KEY WAS MADE: {path}\nCopy it to a place of its own now, apart from the backups, "
    "together with the vault's key. Without both no backup can be restored, and nobody can help.",
    "zh": "已生成备份密钥：{path}\n请立即将其与保险库密钥一并另行保存，不要与备份放在一起。"
    "缺少任何一个，备份都无法恢复，任何人都无能为力。",
}


@command(main, "restore")
@click.argument("file", type=FILE, required=False)
@click.option("--recovered", is_flag=True,
              help="PostgreSQL itself has recovered the database: erase again and prove only.")  # fmt: skip
@click.option(
    "--erasures", "list_", type=FILE, help="The erasure list, if it is not in MUSTER_HOME."
)
@click.option("--without-erasures", is_flag=True, help="Nobody was ever erased from this ledger.")
@click.option("--expired", is_flag=True, help="Restore it although its end date has passed.")
async def restore_backup(
    out: Out, file: Path | None, recovered: bool, list_: Path | None, without_erasures: bool,
    expired: bool,
) -> Any:  # fmt: skip
    """Restore a backup into an empty database, erase again who was erased since, and prove the
    whole. Serve nobody before it has ended."""
    if (file is None) != recovered:
        raise click.UsageError("name the backup to restore, or say --recovered")
    settings = out.settings
    vault = open_vault(_there(settings.key_file))
    kept = settings.home / erasures.FILE_NAME
    source = list_ or kept
    if not source.exists() and not without_erasures:
        raise ErasureListMissing(path=source)
    erased = erasures.read(source)
    async with database(settings) as conninfo:
        if file:
            key, _ = open_key(settings.backup_key_file)
            _, gone = await _restored(
                out, conninfo, file, settings, vault, key=key, erased=erased, expired=expired
            )
        else:
            gone = await _recovered(out, conninfo, settings, vault, erased)
        if source.exists() and not kept.exists():
            shutil.copy(source, kept)
            kept.chmod(0o600)
        came, lost = await _note_head(settings, conninfo)
        findings = await _proof(out, conninfo, settings.home / "heads.txt")
    out.say(
        f"Restored: {came['seq']:,} events. Erased again: {gone}.",
        f"已恢复：{came['seq']:,} 条事件；重新清除 {gone} 项。",
    )
    if lost:
        out.say(
            f"{lost} batches that came after it are lost; devices must send again what they kept.",
            f"此后的 {lost} 批数据已丢失，请各设备重新发送其保存的数据。",
        )
    if findings:
        out.table([vars(one) for one in findings], ["where", "what"])
        raise LedgerNotProven(count=len(findings))
    return {**came, "erased_again": gone, "lost_batches": lost}


@main.group("backups")
def backups() -> None:
    """The backups of a folder: list them, check one, remove those past their end date."""


@command(backups, "list")
@click.argument("folder", required=False, type=FOLDER)
async def list_backups(out: Out, folder: Path | None) -> Any:
    """What lies in FOLDER, from when, how long it may be kept. Needs no key."""
    rows = [_row(file, header) for file, header in listed(folder or out.settings.home / "backups")]
    return out.listing(rows, LISTED, None)


@command(backups, "check")
@click.argument("file", type=FILE)
async def check_backup(out: Out, file: Path) -> Any:
    """Is FILE whole, unchanged and of this key? Nothing is restored."""
    key, _ = open_key(out.settings.backup_key_file)
    with out.progress(out.pick("check", "检查")) as bar:
        header = check(file, key, progress=lambda done, total: bar(done, total, 0))
    out.table([_row(file, header)], LISTED)
    return {**_row(file, header), "rows": header.rows}


@command(backups, "expire")
@click.argument("folder", required=False, type=FOLDER)
@click.option("--yes", is_flag=True, help="Remove them; else they are only listed.")
async def expire_backups(out: Out, folder: Path | None, yes: bool) -> Any:
    """Remove the backups of FOLDER that are past their end date, and what interrupted ones left."""
    folder = folder or out.settings.home / "backups"
    at = now()
    over = [(file, one) for file, one in listed(folder) if one and one.expires_at < at]
    rows = [_row(file, header) for file, header in over]
    out.table(rows, LISTED)
    if yes:
        for file, _ in over:
            file.unlink()
        remove_leftovers(folder)
        out.say(f"{len(over)} removed", f"已删除 {len(over)} 个")
    else:
        out.say(f"{len(over)} would be removed: say --yes", f"将删除 {len(over)} 个：请加 --yes")
    return {"expired": rows, "removed": len(over) if yes else 0}


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[str]:
    """The database of these settings as it is: nothing is migrated or rebuilt."""
    if settings.database_url:
        yield settings.database_url
        return
    server = await asyncio.to_thread(embedded.start, settings.home)
    try:
        yield server.url
    finally:
        await asyncio.to_thread(server.close)


@asynccontextmanager
async def scratch(conninfo: str) -> AsyncIterator[str]:
    """An empty database for a test: on the same server, or on one of our own where that server does
    not allow it. It is gone afterwards; what a killed test left is removed before."""
    async with await _connect(conninfo) as conn:
        found = await (
            await conn.execute(
                "SELECT 'muster_scratch_' || oid FROM pg_database WHERE datname = current_database()"
            )
        ).fetchone()
        name = found[0] if found else ""
        try:
            await conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            await conn.execute(
                f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'".encode()
            )
            own = False
        except errors.InsufficientPrivilege:
            own = True
    if own:
        with tempfile.TemporaryDirectory(prefix="muster-scratch-") as folder:
            Path(folder).chmod(0o755)
            home = Path(folder, "home")
            try:
                with embedded.start(home) as server:
                    yield server.url
            finally:
                embedded.remove(home)
        return
    try:
        yield make_conninfo(conninfo, dbname=name)
    finally:
        async with await _connect(conninfo) as conn:
            await conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


async def _restored(
    out: Out, conninfo: str, file: Path, settings: Settings, vault: Vault, *, key: bytes,
    erased: list[erasures.Erased], expired: bool = False,
) -> tuple[Header, int]:  # fmt: skip
    async def approve(conn: Conn) -> None:
        found = await (await conn.execute("SELECT check_ FROM vault.key WHERE id = 1")).fetchone()
        check_key(vault, bytes(found[0]) if found else None, settings.key_file)

    with out.progress(out.pick("restoring", "恢复")) as bar:
        async with await _connect(conninfo) as conn:
            header, gone = await restore(
                conn, file, key=key, migrations=migrations(), lock=MIGRATION_LOCK, erased=erased,
                approve=approve, at=now(), expired=expired,
                progress=lambda done, total: bar(done, total, done),
            )  # fmt: skip
    with out.progress(out.pick("rebuilding", "正在重建读表")) as bar:
        await prepare(
            conninfo, vault, settings.key_file,
            progress=lambda _what, done, total: bar(done, total, 0),
        )  # fmt: skip
    return header, gone


def migrations() -> dict[str, str]:
    """Every migration's name and SQL."""
    folder = resources.files("muster.db").joinpath("migrations")
    return {
        one.name: one.read_text(encoding="utf-8")
        for one in folder.iterdir() if one.name.endswith(".sql")
    }  # fmt: skip


async def _recovered(
    out: Out, conninfo: str, settings: Settings, vault: Vault, erased: list[erasures.Erased]
) -> int:
    """Erase again in a database that is there already; its read tables are rebuilt."""
    with out.progress(out.pick("rebuilding", "正在重建读表")) as bar:
        await prepare(conninfo, vault, settings.key_file)
        async with await _connect(conninfo) as conn:
            gone = await erase_again(conn, erased)
            await rebuild(conn, CATALOGUE, progress=lambda _what, done, total: bar(done, total, 0))
    return gone


async def _prove(
    out: Out, conninfo: str, file: Path, key: bytes, header: Header, vault: Vault
) -> None:
    """Restore the backup into a scratch database, and verify that. Raises BackupNotProven."""
    async with scratch(conninfo) as empty:
        await _restored(out, empty, file, out.settings, vault, key=key, erased=[], expired=True)
        async with await _connect(empty) as conn:
            came = await head(conn)
        if came["hash"] != header.hash:
            raise BackupNotProven(file=file, finding="another head of the chain")
        if findings := await _proof(out, empty, None):
            raise BackupNotProven(file=file, finding=f"{findings[0].where}: {findings[0].what}")


async def _proof(out: Out, conninfo: str, head_file: Path | None) -> list[Finding]:
    with out.progress("verify") as bar:
        async with await _connect(conninfo) as conn:
            return await verify(
                conn, CATALOGUE, head_file=head_file,
                progress=lambda _what, done, total: bar(done, total, 0),
            )  # fmt: skip


async def _note_head(settings: Settings, conninfo: str) -> tuple[dict[str, Any], int]:
    """Write the head file anew. The chain's head, and how many batches the old file knew beyond it;
    that one is kept beside it then."""
    file = settings.home / "heads.txt"
    async with await _connect(conninfo) as conn:
        came = await head(conn)
    lines = file.read_text().splitlines() if file.exists() else []
    known = int(lines[-1].partition(" ")[0]) if lines else 0
    if known > came["batch"]:
        file.rename(file.with_name(f"heads-lost-{now():%Y%m%d-%H%M%S}.txt"))
        lines = [one for one in lines if int(one.partition(" ")[0]) <= came["batch"]]
    if came["batch"]:
        line = f"{came['batch']} {came['hash']}"
        file.write_text("\n".join([*(one for one in lines if one != line), line]) + "\n")
    return came, max(0, known - came["batch"])


async def _head_if_any(conn: Conn) -> int:
    try:
        return (await head(conn))["batch"]
    except errors.UndefinedTable:
        return 0  # the backup says what is missing


def _there(key_file: Path) -> Path:
    if not key_file.exists():
        raise VaultKeyMissing(path=key_file)
    return key_file


def _row(file: Path, header: Header | None) -> dict[str, Any]:
    size = round(file.stat().st_size / 1e6, 1)
    if header is None:
        return {"file": file.name, "size_mb": size}
    return {
        "file": file.name, "made_at": header.made_at, "expires_at": header.expires_at,
        "events": header.seq, "batch": header.batch, "size_mb": size, "ledger": header.ledger[:12],
    }  # fmt: skip


async def _connect(conninfo: str) -> Conn:
    return await psycopg.AsyncConnection.connect(conninfo, autocommit=True, connect_timeout=10)
