"""A person to be erased, planted by every way in, and the places where one can look for them afterwards."""

import json
import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from muster.access.events import AccountOpened, RoleGranted
from muster.access.passwords import set_password
from muster.access.readings import note_reading
from muster.catalogue import CATALOGUE
from muster.cli.erasing import made_proof
from muster.core.clock import now
from muster.core.ids import uuid7
from muster.db.placement import package_binaries
from muster.instance import Instance
from muster.intake.importing import import_table
from muster.intake.residents import Residents
from muster.intake.upload import Held, UnreadableItem
from muster.keeping import erasing, erasures
from muster.keeping.erasing import SecondPersonNeeded
from muster.keeping.follower import catch_up
from muster.keeping.scrubbing import scrub
from muster.ledger.event import Event
from tests.import_files import number
from tests.senders import items, query, said, send
from tests.table import TOWN, events, named

NAME, OTHER = "欧阳璟琦", "尉迟慕彤"
NUMBER, PHONE = number("19900307"), "13987654321"
OTHER_NUMBER, OTHER_PHONE = number("19850808"), "13712345678"
PLANTED = {
    "name": NAME.encode(), "utf16": NAME.encode("utf-16-le"), "gbk": NAME.encode("gb18030"),
    "escaped": json.dumps(NAME).strip('"').encode(), "pinyin": b"ouyangjingqi",
    "number": NUMBER.encode(), "phone": PHONE.encode(),
}  # fmt: skip


async def owner(muster: Instance) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(muster.conninfo, autocommit=True)


async def planted(muster: Instance, folder: Path, http: httpx.AsyncClient | None = None) -> UUID:
    """One person by every way in: a file, a walk-in, a note, a held item; and somebody else. Both are
    swabbed in one tube. The id on the roster."""
    await muster.door.append(events(TOWN))
    file = folder / "people.csv"
    file.write_text(
        "姓名,证件号码,手机,楼栋编码,房号\n"
        f"{NAME},{NUMBER},{PHONE},H1,777\n{OTHER},{OTHER_NUMBER},{OTHER_PHONE},H2,888\n",
        encoding="utf-8",
    )
    report = await import_table(muster, Residents(muster.vault), file)
    assert (report.stored, report.rejected) == (2, 0)
    file.unlink()
    walked_in = f"""
        08:00  ResidentListed   w1  source=walk_in name={NAME} number={NUMBER} phone={PHONE}
        08:00  ResidentListed   w2  source=walk_in name={OTHER} number={OTHER_NUMBER}
        08:10  RefusalRecorded  w1  round=R1 note={NAME}说不去，电话{PHONE}
        08:11  RefusalRecorded  w2  round=R1 note={OTHER}也不去
        08:20  TubeSealed       T1  members=w1,w2 round=R1
    """
    if http is None:
        await muster.door.append(events(walked_in))
    else:
        assert said(await send(http, items(walked_in))) == ["stored"] * 5
    ascii_only = json.dumps({"event": {"id": "x"}, "identity": {"name": NAME}}).encode()
    spaced = f'{{"phone": "{PHONE[:3]} {PHONE[3:7]} {PHONE[7:]}"}}'.encode()
    other = json.dumps({"identity": {"name": OTHER}}).encode()
    held = [Held(raw, UnreadableItem(reason="-")) for raw in (ascii_only, spaced, other)]
    await muster.intake.hold(held, "phone", now())
    ((person,),) = await rows(
        muster, "SELECT resident FROM vault.identity WHERE name = %s AND resident <> %s", NAME,
        named("w1"),
    )  # fmt: skip
    async with muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)
        await note_reading(
            conn, who="g1", device="", what="GET /v1/people", why="", masked=True,
            people=[person, named("w2")], at=now(),
        )  # fmt: skip
        await conn.execute("ANALYZE")
        await conn.execute("CHECKPOINT")
    return person


async def rows(muster: Instance, sql: str, *values: Any) -> list[Any]:
    async with muster.pool.connection() as conn:
        return await (await conn.execute(sql.encode(), values)).fetchall()


async def account(muster: Instance, login: str, role: str) -> str:
    at, id_ = now(), uuid7()
    opened = AccountOpened(login=login, kind="staff", starts_at=at)
    granted = RoleGranted(role=role, starts_at=at, everywhere=True)  # type: ignore[arg-type]
    await muster.door.append(
        [
            Event(uuid7(), type(body).__name__, id_, at, at, at, "t", body)
            for body in (opened, granted)
        ]
    )
    async with muster.pool.connection() as conn:
        await set_password(conn, id_, f"secret of {login}", at=at)
    return login


async def erased(muster: Instance, conn: Any, plan: erasing.Plan) -> dict[str, Any]:
    """Asked for by one, confirmed by another, done, and its proof."""
    request = await erasing.request(conn, plan, by="adm1", at=now())
    with pytest.raises(SecondPersonNeeded):
        await erasing.confirmed(conn, muster.vault.open, request, by="adm1", at=now())
    plan, kept = await erasing.confirmed(conn, muster.vault.open, request, by="aud1", at=now())
    file = muster.settings.home / erasures.FILE_NAME
    await erasing.erase(conn, muster.door, plan, file=file, actor="aud1", at=now())
    storage = await scrub(conn, whole=plan.kind != "person")
    return await made_proof(conn, muster, plan, kept, ended={}, storage=storage)


def in_files(*folders: Path) -> dict[str, set[str]]:
    """Which planted terms are in which files, byte by byte."""
    found: dict[str, set[str]] = {}
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_file() and not file.is_symlink():
                content = file.read_bytes()
                for term, text in PLANTED.items():
                    if text in content:
                        found.setdefault(term, set()).add(str(file.relative_to(folder)))
    return found


async def in_tables(muster: Instance, text: str) -> set[str]:
    """Which tables hold a text in any row, in any column."""
    names = await query(
        muster,
        "SELECT format('%%I.%%I', n.nspname, c.relname) FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v', 'm')"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')",
    )
    names += ["pg_catalog.pg_statistic", "pg_catalog.pg_stats"]
    found = set()
    for name in names:
        sql = f"SELECT count(*) FROM {name} t WHERE t::text LIKE %s"
        if (await query(muster, sql, f"%{text}%"))[0]:
            found.add(name)
    return found


def dumped(muster: Instance) -> bytes:
    """Everything, as pg_dump writes it."""
    binary = package_binaries() / "pg_dump"
    facts = conninfo_to_dict(muster.conninfo)
    command = [str(binary), "-h", str(facts["host"]), "-p", str(facts["port"]),
               "-U", str(facts["user"]), str(facts["dbname"])]  # fmt: skip
    run = subprocess.run(command, capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout
