"""Erasing a person: afterwards nothing that names them is found, wherever one looks, and the ledger
still verifies. A planted name, number and phone come in by every way there is.
"""

import asyncio
import io
import json
import subprocess
from collections.abc import Iterator
from contextlib import redirect_stderr
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
import structlog
from click.testing import CliRunner
from psycopg.conninfo import conninfo_to_dict

import muster.cli as cli
from muster.access.events import AccountOpened, RoleGranted
from muster.access.passwords import set_password
from muster.access.readings import note_reading
from muster.access.sign_in import WrongSignIn
from muster.access.signing import RightMissing, signed_by
from muster.catalogue import CATALOGUE
from muster.cli.erasing import made_proof
from muster.config import Settings
from muster.core import log
from muster.core.clock import now
from muster.core.ids import uuid7
from muster.db import embedded
from muster.db.placement import package_binaries
from muster.instance import Instance, open_instance
from muster.intake.importing import import_table
from muster.intake.residents import Residents
from muster.intake.upload import Held, UnreadableItem
from muster.keeping import erasing, erasures
from muster.keeping.erasing import PlanChanged, RoundsOpen, SecondPersonNeeded
from muster.keeping.erasure_proof import ProofNotGenuine, checked, proof_key
from muster.keeping.erasures import Erased, ErasureListDamaged
from muster.keeping.follower import catch_up
from muster.keeping.replay import rebuild
from muster.keeping.retention import clocks
from muster.keeping.scrubbing import scrub
from muster.keeping.tick import tick
from muster.keeping.verify import verify
from muster.ledger.event import Event, body_bytes, canonical, digest
from tests.conftest import Play
from tests.import_files import number
from tests.senders import query
from tests.table import TOWN, events, named

NAME, OTHER = "欧阳璟琦", "尉迟慕彤"
NUMBER, PHONE = number(7), "13987654321"
OTHER_NUMBER, OTHER_PHONE = number(8), "13712345678"
PLANTED = {
    "name": NAME.encode(), "utf16": NAME.encode("utf-16-le"), "gbk": NAME.encode("gb18030"),
    "escaped": json.dumps(NAME).strip('"').encode(), "pinyin": b"ouyangjingqi",
    "number": NUMBER.encode(), "phone": PHONE.encode(),
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A Muster with a PostgreSQL of its own, in whose files one can look."""
    folder = tmp_path_factory.mktemp("erasure")
    settings = Settings(
        home=folder / "home", database_url=None, key_file=folder / "home" / "vault.key",
        timezone="Asia/Shanghai", language="en",
    )  # fmt: skip
    yield settings
    embedded.remove(settings.home)


async def owner(muster: Instance) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(muster.conninfo, autocommit=True)


async def planted(muster: Instance, folder: Path) -> UUID:
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
    await muster.door.append(
        events(f"""
        08:00  ResidentListed   w1  source=walk_in name={NAME} number={NUMBER} phone={PHONE}
        08:00  ResidentListed   w2  source=walk_in name={OTHER} number={OTHER_NUMBER}
        08:10  RefusalRecorded  w1  round=R1 note={NAME}说不去，电话{PHONE}
        08:11  RefusalRecorded  w2  round=R1 note={OTHER}也不去
        08:20  TubeSealed       T1  members=w1,w2 round=R1
    """)
    )
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


def test_nothing_of_an_erased_person_is_found(home: Settings, tmp_path: Path):
    """In tables, indexes, samples, the write-ahead log, dumps, logs and the home folder; whoever
    stood beside them is whole."""
    logs = io.StringIO()

    async def story() -> None:
        async with open_instance(home) as muster:
            person = await planted(muster, tmp_path)
            data = Path((await query(muster, "SHOW data_directory"))[0])
            folders = (data, home.home, tmp_path)
            before = in_files(*folders)
            assert {"name", "pinyin"} <= before.keys(), "it could have been found"
            assert await in_tables(muster, NAME) >= {"vault.identity", "vault.search"}
            assert NAME.encode() in dumped(muster)

            conn = await owner(muster)
            async with conn:
                plan = await erasing.plan_person(conn, muster.vault.open, person)
                assert set(plan.residents) == {person, named("w1")}
                goes = {name: count for name, count in plan.counts.items() if count}
                assert goes == {
                    "vault.identity": 2, "vault.search": 1, "vault.note": 1, "ledger.inbox": 2,
                    "registry.resident": 2, "sampling.stance": 1,
                    "ledger.event ResidentListed": 2, "ledger.event RefusalRecorded": 1,
                }  # fmt: skip
                assert plan.kept == {
                    "sampling.specimen": 1, "lab.recall": 0, "access.reading": 1
                }  # fmt: skip
                proof = await erased(muster, conn, plan)
                assert proof["storage"]["tables"]["ledger.event"] == "rewritten"
                assert await verify(conn, CATALOGUE) == []
            for text in (NAME, NUMBER, PHONE, "ouyangjingqi"):
                assert await in_tables(muster, text) == set()
            dump = dumped(muster)
            assert not [term for term, text in PLANTED.items() if text in dump]
            assert in_files(*folders) == {}
            await whole(muster)
        assert in_files(*folders) == {}, "nor after the server has stopped"

    with redirect_stderr(logs):
        log.configure(json=True)
        asyncio.run(story())
    assert not [term for term, text in PLANTED.items() if text in logs.getvalue().encode()]


async def whole(muster: Instance) -> None:
    """The uninvolved third person has everything still."""
    found = await rows(
        muster, "SELECT name, number, phone FROM vault.identity WHERE name = %s ORDER BY phone",
        OTHER,
    )  # fmt: skip
    texts = [[cell and muster.vault.open(cell).decode() for cell in row[1:]] for row in found]
    assert texts == [[OTHER_NUMBER, OTHER_PHONE], [OTHER_NUMBER, None]]
    assert await query(muster, "SELECT count(*) FROM vault.search WHERE name = %s", OTHER) == [1]
    assert await query(muster, "SELECT count(*) FROM vault.note") == [1]
    assert await query(muster, "SELECT count(*) FROM ledger.inbox WHERE sealed IS NOT NULL") == [1]
    assert await query(muster, "SELECT count(*) FROM sampling.stance") == [1]
    assert await query(muster, "SELECT count(*) FROM sampling.specimen") == [2], "the tube is whole"


def test_a_redacted_body_can_be_neither_changed_nor_guessed(play: Play, tmp_path: Path):
    async def story(muster: Instance) -> None:
        person = await planted(muster, tmp_path)
        conn = await owner(muster)
        async with conn:
            listed = events("08:00  ResidentListed  w1  source=walk_in")[0]
            sql = "SELECT * FROM ledger.event WHERE subject = %s AND type = 'ResidentListed'"
            async with conn.cursor(row_factory=psycopg.rows.namedtuple_row) as cursor:
                before: Any = await (await cursor.execute(sql.encode(), [named("w1")])).fetchone()
                content = canonical(before, body_bytes(listed.body))
                assert digest(before.salt, content) == before.digest, "the guess is right"
                await erased(
                    muster, conn, await erasing.plan_person(conn, muster.vault.open, person)
                )
                after: Any = await (await cursor.execute(sql.encode(), [named("w1")])).fetchone()
            assert (after.salt, after.body, after.digest) == (None, None, before.digest)
            guesses = [b"", bytes(16), named("w1").bytes, before.digest[:16]]
            assert before.digest not in [digest(salt, content) for salt in guesses]
            assert await verify(conn, CATALOGUE) == []
            await conn.execute(
                "UPDATE ledger.event SET salt = %s, body = '{\"source\": \"walk_in\"}'"
                " WHERE id = %s", [bytes(16), after.id],
            )  # fmt: skip
            found = {one.what for one in await verify(conn, CATALOGUE)}
            assert "it is not what was written" in found
            await conn.execute(
                "UPDATE ledger.event SET salt = NULL, body = NULL WHERE id = %s", [after.id]
            )
            await conn.execute(
                "DELETE FROM ledger.event WHERE type = 'RedactionAuthorised' AND subject = %s",
                [after.id],
            )
            found = {one.what for one in await verify(conn, CATALOGUE)}
            assert "it was emptied without authorisation" in found

    play(story)


def test_nobody_erased_comes_back(play: Play, tmp_path: Path):
    """What a phone still sends about them is stored without the name; a restored backup is erased
    again from the list, and verifies."""

    async def story(muster: Instance) -> None:
        person = await planted(muster, tmp_path)
        conn = await owner(muster)
        file = muster.settings.home / erasures.FILE_NAME
        async with conn:
            saved = {
                table: await (await conn.execute(f"SELECT * FROM {table}".encode())).fetchall()
                for table in ("ledger.event", "ledger.batch", "vault.identity", "vault.note")
            }
            await erased(muster, conn, await erasing.plan_person(conn, muster.vault.open, person))
            late = events(f"""
                09:30  ResidentListed  w1  source=walk_in name={NAME} number={NUMBER} id=late
                09:31  RefusalRecorded w1  round=R1 note={NAME} id=later
            """)
            assert await muster.door.append(late) == ["stored"] * 2
            assert await in_tables(muster, NAME) == set()
            # The backup of before the erasure, its read tables rebuilt.
            await conn.execute("TRUNCATE ledger.event, ledger.batch, vault.identity, vault.note,"
                               " vault.erased")  # fmt: skip
            for table, kept in saved.items():
                marks = ", ".join(["%s"] * len(kept[0]))
                async with conn.cursor() as cursor:
                    await cursor.executemany(
                        f"INSERT INTO {table} VALUES ({marks})".encode(),
                        [[adapted(cell) for cell in row] for row in kept],
                    )
            assert await in_tables(muster, NAME) != set(), "it could have come back"
            listed = erasures.read(file)
            assert {one for line in listed for one in line.residents} == {person, named("w1")}
            assert await erasures.replay(conn, listed) == 5  # 2 identities, 3 events
            assert await erasures.replay(conn, listed) == 0
            await rebuild(conn, CATALOGUE)
            assert await verify(conn, CATALOGUE) == []
            assert await in_tables(muster, NAME) == set()
            assert await query(
                muster, "SELECT count(*) FROM vault.identity WHERE name = %s", OTHER
            ) == [2]

    play(story)


def adapted(cell: Any) -> Any:
    from psycopg.types.json import Jsonb

    return Jsonb(cell) if isinstance(cell, dict) else cell


def test_the_list_survives_a_crash_and_says_when_it_is_damaged(tmp_path: Path):
    file = tmp_path / erasures.FILE_NAME
    assert erasures.read(file) == []
    one, two = (Erased(now(), (uuid7(),), (uuid7(), uuid7())) for _ in range(2))
    erasures.append(file, one)
    whole_line = file.read_bytes()
    for cut in (1, 10, len(whole_line) - 2):
        file.write_bytes(whole_line + whole_line[:cut])
        assert erasures.read(file) == [one]
        erasures.append(file, two)
        assert erasures.read(file) == [one, two]
    file.write_bytes(whole_line + whole_line[:-1])
    erasures.append(file, two)
    assert erasures.read(file) == [one, one, two]
    file.write_bytes(b"{}\n" + whole_line)
    with pytest.raises(ErasureListDamaged):
        erasures.read(file)
    assert oct(file.stat().st_mode)[-3:] == "600"


def test_what_changed_since_it_was_asked_for_is_asked_for_again(play: Play, tmp_path: Path):
    async def story(muster: Instance) -> None:
        person = await planted(muster, tmp_path)
        conn = await owner(muster)
        async with conn:
            plan = await erasing.plan_person(conn, muster.vault.open, person)
            request = await erasing.request(conn, plan, by="a", at=now())
            await muster.door.append(events("10:00  ResidentMoved  w1  building=H3"))
            for at in (now(), now() + timedelta(days=8)):
                with pytest.raises(PlanChanged):
                    await erasing.confirmed(conn, muster.vault.open, request, by="b", at=at)
            assert await in_tables(muster, NAME) != set()

    play(story)


def test_an_interrupted_erasure_goes_on(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Struck after the list is written and before anything is deleted, and again before the events
    are emptied."""

    async def story(muster: Instance) -> None:
        person = await planted(muster, tmp_path)
        conn = await owner(muster)
        file = muster.settings.home / erasures.FILE_NAME
        async with conn:
            plan = await erasing.plan_person(conn, muster.vault.open, person)
            request = await erasing.request(conn, plan, by="a", at=now())
            for struck in ("_delete", "redact"):
                with monkeypatch.context() as patch:
                    patch.setattr(erasing, struck, cut_off)
                    plan, _ = await erasing.confirmed(
                        conn, muster.vault.open, request, by="b", at=now()
                    )
                    with pytest.raises(ConnectionAbortedError):
                        await erasing.erase(conn, muster.door, plan, file=file, actor="b", at=now())
            with pytest.raises(erasing.RequestUnknown):
                await erasing.confirmed(conn, muster.vault.open, request, by="c", at=now())
            plan, _ = await erasing.confirmed(conn, muster.vault.open, request, by="b", at=now())
            await erasing.erase(conn, muster.door, plan, file=file, actor="b", at=now())
            await scrub(conn, whole=False)
            assert await in_tables(muster, NAME) == set()
            assert await verify(conn, CATALOGUE) == []

    play(story)


async def cut_off(*_: Any, **__: Any) -> None:
    raise ConnectionAbortedError


def test_a_campaign_is_erased_once_its_rounds_are_closed(play: Play, tmp_path: Path):
    async def story(muster: Instance) -> None:
        await planted(muster, tmp_path)
        conn = await owner(muster)
        async with conn:
            with pytest.raises(RoundsOpen):
                await erasing.plan_campaign(conn, muster.vault.open)
            await muster.door.append(events("20:00  RoundClosed  R1  balance=[]"))
            of_round = await erasing.plan_campaign(conn, muster.vault.open, named("R1"))
            assert len(of_round.residents) == 4, "two people under two ids each"
            assert (await erasing.plan_expired(conn, muster.vault.open, now())).residents
            assert not (
                await erasing.plan_expired(conn, muster.vault.open, events(TOWN)[0].at)
            ).residents
            due = {row["kind"]: row["due"] for row in await clocks(conn, now())}
            assert (due["identities"], due["swab_links"]) == (4, 2)
            plan = await erasing.plan_campaign(conn, muster.vault.open)
            proof = await erased(muster, conn, plan)
            assert proof["people"] == 9
            for table in ("vault.identity", "vault.search", "vault.note", "registry.resident"):
                assert await query(muster, f"SELECT count(*) FROM {table}") == [0]
            assert await query(muster, "SELECT count(*) FROM sampling.specimen") == [2]
            assert await verify(conn, CATALOGUE) == []

    play(story)


def test_a_proof_is_checked_by_anybody(play: Play, tmp_path: Path):
    async def story(muster: Instance) -> None:
        person = await planted(muster, tmp_path)
        conn = await owner(muster)
        async with conn:
            plan = await erasing.plan_person(conn, muster.vault.open, person)
            proof = await erased(muster, conn, plan)
        file = tmp_path / "proof.json"
        file.write_text(json.dumps(proof, ensure_ascii=False, indent=1), encoding="utf-8")
        ours = proof_key(muster.settings.key_file).public_key()
        document = checked(file, ours)
        assert document["counts"]["vault.identity"] == 2
        assert (document["requested_by"], document["confirmed_by"]) == ("adm1", "aud1")
        assert str(person) not in file.read_text()
        with pytest.raises(ProofNotGenuine):
            checked(file, proof_key(tmp_path / "another.key").public_key())
        for changed in ({**proof, "people": 3}, {**proof, "signature": "AAAA"}, {}):
            file.write_text(json.dumps(changed))
            with pytest.raises(ProofNotGenuine):
                checked(file)

    play(story)


def test_who_signs_needs_password_and_right(play: Play):
    async def story(muster: Instance) -> None:
        await account(muster, "adm1", "administrator")
        await account(muster, "g1", "grid_worker")
        async with muster.pool.connection() as conn:

            async def signs(login: str, password: str) -> str:
                return await signed_by(
                    conn, muster.vault, login=login, password=password, right="erase", at=now()
                )

            assert await signs("adm1", "secret of adm1") == "adm1"
            for login, password in (("adm1", "wrong"), ("nobody", "secret of nobody")):
                with pytest.raises(WrongSignIn):
                    await signs(login, password)
            with pytest.raises(RightMissing):
                await signs("g1", "secret of g1")

    play(story)


def test_the_clock_ends_what_needs_nobodys_word(play: Play, tmp_path: Path):
    async def story(muster: Instance) -> None:
        await planted(muster, tmp_path)
        async with muster.pool.connection() as conn:
            soon = await tick(conn, muster.door, now())
            late = await tick(conn, muster.door, now() + timedelta(days=91))
        assert (soon["expired_inbox"], soon["expired_notes"]) == (0, 0)
        assert (late["expired_inbox"], late["expired_notes"]) == (3, 2)

    play(story)


def test_the_command_line_needs_two_people(
    play: Play, database: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A dry run changes nothing; passwords come on standard input; the proof is checked."""

    async def prepared(muster: Instance) -> None:
        await planted(muster, tmp_path)
        await account(muster, "adm1", "administrator")
        await account(muster, "aud1", "auditor")

    async def left(muster: Instance) -> list[Any]:
        return await query(muster, "SELECT count(*) FROM vault.identity WHERE name = %s", NAME)

    def run(*words: str, said: str = "") -> Any:
        result = CliRunner().invoke(cli.main, [*words, "--json"], input=said)
        return result.exit_code, json.loads(result.stdout)

    play(prepared)
    monkeypatch.setenv("DATABASE_URL", database.database_url or "")
    monkeypatch.setenv("MUSTER_HOME", str(database.home))
    monkeypatch.setenv("MUSTER_KEY_FILE", str(database.key_file))
    code, shown = run("erase", "person", "-", said=f"{NUMBER}\n")
    assert (code, shown["people"], shown["goes"]["vault.identity"]) == (0, 2, 2)
    assert play(left) == [2]
    asked = ("erase", "person", "-", "--request", "--as", "adm1")
    assert run(*asked, said=f"{NUMBER}\nwrong\n")[0] == 1
    code, made = run(*asked, said=f"{NUMBER}\nsecret of adm1\n")
    assert code == 0
    confirm = ("erase", "confirm", made["request"], "--as")
    code, problem = run(*confirm, "adm1", said="secret of adm1\n")
    assert (code, problem["title"]) == (1, "second person needed")
    code, proof = run(*confirm, "aud1", said="secret of aud1\n")
    assert (code, proof["requested_by"], proof["confirmed_by"]) == (0, "adm1", "aud1")
    assert play(left) == [0]
    file = database.home / f"erasure-{made['request']}.json"
    assert run("erase", "check", str(file), "--ours")[0] == 0
    ((request,),) = (run("erase", "requests")[1],)
    assert request["done_at"]
    structlog.reset_defaults()
