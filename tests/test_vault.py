"""The vault's keys: sealed values say which key they need, keys are changed while the servers go on, and
a change that was killed goes on where it was.
"""

import asyncio
import json
import os
import shutil
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from click.testing import CliRunner

import muster.cli as cli
from muster.catalogue import CATALOGUE
from muster.config import Settings
from muster.core.clock import now
from muster.core.ids import derived, uuid7
from muster.instance import Instance, open_instance
from muster.intake.importing import import_table
from muster.intake.residents import Residents
from muster.intake.upload import Held, UnreadableItem
from muster.keeping.verify import verify
from muster.ledger.event import Event
from muster.registry import queries, rotation
from muster.registry.events import ResidentListed
from muster.registry.keyring import VaultKeyUnusable, read_ring, write_ring
from muster.registry.rotation import KeyInUse, add_key, retire, rotate
from muster.registry.vault import Identity, open_vault
from tests.conftest import Play
from tests.senders import query
from tests.table import events, named

ONE = "07:00  ResidentListed  {who}  name={name} number={number} phone={phone} room=1"


@pytest.fixture
def own_key(database: Settings) -> Settings:
    """Settings with a copy of the key file: what is done to it harms no other test."""
    file = database.home / "own.key"
    shutil.copy(database.key_file, file)
    return replace(database, key_file=file)


@contextmanager
def quick() -> Iterator[None]:
    """Servers look at the ring at once, so that a test need not wait for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rotation, "SEEN_SECONDS", 0.05)
        patch.setattr("muster.registry.keyring.LOOK_SECONDS", 0.01)
        yield


def number_of(index: int) -> str:
    return f"A{index:09}"


def person(index: int, *, copy: int = 0) -> Event:
    """The index-th person, with a document; a copy is another id of the same person."""
    at = now()
    who = Identity(
        name="张三", kind="birth_certificate", number=number_of(index), phone="13800138000"
    )
    body = ResidentListed(source="walk_in")
    subject = derived("person", index, copy)
    return Event(uuid7(), "ResidentListed", subject, at, at, at, "t", body, identity=who)


def nobody(index: int) -> Event:
    """Somebody without a document."""
    at = now()
    body = ResidentListed(source="roster", building=named("H1"), room=str(index))
    who = Identity(name="无证")
    subject = derived("nobody", index)
    return Event(uuid7(), "ResidentListed", subject, at, at, at, "t", body, identity=who)


def test_a_file_of_32_bytes_is_key_one(tmp_path: Path):
    file = tmp_path / "vault.key"
    vault = open_vault(file)
    assert file.stat().st_size == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    sealed = vault.seal("张三".encode())
    assert sealed[0] == 1
    ring = read_ring(file)
    write_ring(file, replace(ring.with_key(), current=2))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    vault.ring.look()
    assert vault.seal(b"x")[0] == 2
    assert vault.open(sealed).decode() == "张三"
    assert open_vault(file).open(sealed).decode() == "张三"
    assert not list(tmp_path.glob(".*")), "nothing half written is left"


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"{}", b'{"format":"muster key ring 2"}'])
def test_what_is_no_key_is_told_without_its_content(tmp_path: Path, content: bytes):
    file = tmp_path / "vault.key"
    file.write_bytes(content)
    with pytest.raises(VaultKeyUnusable) as error:
        read_ring(file)
    assert str(file) in str(error.value)


def test_a_key_met_for_the_first_time_is_looked_for_in_the_file(tmp_path: Path):
    """A server meets what another one has sealed a moment ago."""
    file = tmp_path / "vault.key"
    one, other = open_vault(file), open_vault(file)
    write_ring(file, replace(read_ring(file).with_key(), current=2))
    sealed = open_vault(file).seal(b"new")
    assert one.open(sealed) == b"new"
    write_ring(file, replace(read_ring(file), keys=read_ring(file).keys[1:]))
    with pytest.raises(VaultKeyUnusable):
        open_vault(file).open(b"\x01" + bytes(40))
    assert other.open(sealed) == b"new"


def test_the_latest_identity_counts_in_whatever_order_it_comes(play: Play):
    late, early = events("""
        09:00  ResidentListed  p1  name=新名 phone=13800000002
        08:00  ResidentListed  p1  name=旧名 phone=13800000001
    """)

    async def story(muster: Instance) -> None:
        for one in (late, early):
            assert await muster.door.append([one]) == ["stored"]
        ((name, phone),) = await query(muster, "SELECT name, phone FROM vault.identity")
        assert (name, muster.vault.open(phone)) == ("新名", b"13800000002")
        both = [replace(one, id=uuid7(), subject=named("p2")) for one in (late, early)]
        assert await muster.door.append(both) == ["stored"] * 2
        assert await query(
            muster, "SELECT name FROM vault.identity WHERE resident = %s", named("p2")
        ) == ["新名"]

    play(story)


def test_keys_change_while_people_are_listed(own_key: Settings):
    """Walk-ins, second ids of the same people and held items come in all the time; one server has not
    heard of the new key until late. Nobody is listed twice and everything is read."""

    async def story() -> None:
        async with open_instance(own_key) as muster, open_instance(own_key) as other:
            await muster.door.append([person(i) for i in range(700)])
            await muster.door.append([nobody(i) for i in range(50)])
            held = [Held(b"unreadable %d" % i, UnreadableItem(reason="-")) for i in range(30)]
            await muster.intake.hold(held, "t", now())
            stop, wrote = asyncio.Event(), 0

            async def coming() -> None:
                nonlocal wrote
                while not stop.is_set():
                    server = (muster, other)[wrote % 2]
                    again = [person((wrote * 7 + n) % 700, copy=1) for n in range(5)]
                    assert set(await server.door.append(again)) <= {"stored"}
                    wrote += 1
                    await asyncio.sleep(0.005)

            async def importing() -> None:
                """The same people's roster again and again: none of them is new."""
                file = own_key.home / "people.csv"
                rows = [f"张三,出生医学证明,{number_of(i)},H1" for i in range(0, 700, 7)]
                while not stop.is_set():
                    file.write_text("\n".join(["姓名,证件类型,证件号码,楼栋编码", *rows]))
                    report = await import_table(muster, Residents(muster.vault), file)
                    assert (report.rows, report.rejected) == (100, 0)

            await muster.door.append(events("07:00  AreaListed  H1"))
            task = asyncio.gather(asyncio.create_task(coming()), asyncio.create_task(importing()))
            with quick():
                async with await connected(own_key) as conn:
                    first = await rotate(conn, muster.vault, muster.door)
                    assert (first.key, first.swapped) == (2, True)
                    stop.set()
                    await task
                    assert wrote > 3
                    await checked(muster, copies=wrote * 5)
                    await checked(other, copies=wrote * 5)
                    with pytest.raises(KeyInUse):
                        await retire(conn, muster.vault, 2)
                    ring = await retire(conn, muster.vault, 1)
                    assert [key.number for key in ring.keys] == [2]
                    again = await muster.intake.hold(held[:1], "t", now())
                    found = await query(muster, "SELECT count(*) FROM ledger.inbox")
                    assert (len(again), found) == (1, [30]), "held once under both keys"
                    assert (await rotate(conn, muster.vault, muster.door)).key == 3

        async with open_instance(own_key) as muster:
            await checked(muster, copies=wrote * 5)

    asyncio.run(story())


async def connected(settings: Settings) -> psycopg.AsyncConnection:
    assert settings.database_url
    return await psycopg.AsyncConnection.connect(settings.database_url, autocommit=True)


async def checked(muster: Instance, *, copies: int) -> None:
    """Every number is found, under one id; every sealed value opens; the ledger is whole."""
    async with muster.pool.connection() as conn:
        for i in range(0, 700, 50):
            found = await queries.by_text(conn, muster.vault, number_of(i))
            assert found in (derived("person", i, 0), derived("person", i, 1))
        assert await verify(conn, CATALOGUE) == []
    twice = await query(
        muster,
        "SELECT count(*) FROM vault.identity i JOIN vault.identity o USING (number_hash)"
        " WHERE i.resident < o.resident AND NOT EXISTS (SELECT FROM registry.alias a"
        " WHERE a.recorded IN (i.resident, o.resident))",
    )
    assert twice == [0]
    if copies:
        assert (await query(muster, "SELECT count(*) FROM registry.alias"))[0] > 0
    rows = await query(muster, "SELECT number, phone FROM vault.identity WHERE number IS NOT NULL")
    assert len({muster.vault.open(number) for number, _ in rows}) == 700
    for sealed in await query(muster, "SELECT sealed FROM ledger.inbox WHERE sealed IS NOT NULL"):
        assert muster.vault.open(sealed).startswith(b"unreadable")
    prints = await query(muster, "SELECT print FROM vault.identity WHERE number IS NULL")
    wanted = [muster.vault.prints("无证", None, named("H1"), str(i)) for i in range(50)]
    counts = (await query(muster, "SELECT key FROM vault.hashing"))[0]
    assert {bytes(one) for one in prints} == {one[counts] for one in wanted}


KILLED = """
import asyncio, sys
from muster.config import Settings
from muster.instance import open_instance
from muster.registry import rotation
import muster.registry.rotation as r
r.CHUNK, r.SEEN_SECONDS = 20, 0.05

async def run():
    settings = Settings.from_environment()
    import psycopg
    async with open_instance(settings) as muster:
        async with await psycopg.AsyncConnection.connect(settings.database_url, autocommit=True) as conn:
            print("begun", flush=True)
            await r.rotate(conn, muster.vault, muster.door, progress=lambda n: print(n, flush=True))
            print("done", flush=True)

asyncio.run(run())
"""


def test_a_killed_change_goes_on(own_key: Settings):
    """Killed again and again, later each time; in the end there is one key."""
    environment = {
        **os.environ, "DATABASE_URL": own_key.database_url or "", "MUSTER_HOME": str(own_key.home),
        "MUSTER_KEY_FILE": str(own_key.key_file),
    }  # fmt: skip

    async def killed(after: int) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", KILLED, stdout=asyncio.subprocess.PIPE, env=environment
        )
        assert process.stdout
        last, lines = "", 0
        while line := await process.stdout.readline():
            last, lines = line.decode().strip(), lines + 1
            if lines == after:
                process.send_signal(signal.SIGKILL)
        await process.wait()
        return last

    async def story() -> None:
        async with open_instance(own_key) as muster:
            await muster.door.append([person(i) for i in range(700)])
            await muster.door.append([nobody(i) for i in range(50)])
            for after in (1, 5, 20):
                assert await killed(after) != "done"
                await muster.door.append([person(after, copy=2)])
                async with muster.pool.connection() as conn:
                    assert await queries.by_text(conn, muster.vault, number_of(600))
            with quick():
                async with await connected(own_key) as conn:
                    done = await rotate(conn, muster.vault, muster.door)
                    assert (done.key, done.swapped) == (2, True)
                    assert 0 < done.rows < 750, "what was done stays done"
                    await retire(conn, muster.vault, 1)
            await checked(muster, copies=3)

    asyncio.run(story())


def test_no_sealed_column_is_left_under_an_old_key(own_key: Settings):
    async def story() -> None:
        async with open_instance(own_key) as muster:
            found = await query(
                muster, "SELECT table_schema || '.' || table_name FROM information_schema.columns"
                " WHERE column_name = 'sealed' AND data_type = 'bytea'",
            )  # fmt: skip
        parts = {"ledger.inbox", "registry.import_part", "registry.import_fault"}  # see `uses`
        assert set(found) - parts <= {table for table, *_ in rotation.SEALED}
        assert len(found) > len(parts)

    asyncio.run(story())


def test_a_key_can_wait_for_other_machines(own_key: Settings):
    async def story() -> None:
        async with open_instance(own_key) as muster:
            await muster.door.append([person(1)])
            assert [key.number for key in add_key(muster.vault).keys] == [1, 2]
            assert [key.number for key in add_key(muster.vault).keys] == [1, 2]
            assert muster.vault.seal(b"x")[0] == 1
            with quick():
                async with await connected(own_key) as conn:
                    assert (await rotate(conn, muster.vault, muster.door)).key == 2

    asyncio.run(story())


def test_a_server_that_saw_the_key_too_late_is_mended(own_key: Settings):
    """Its rows lack the hash that counts by then; they are hashed, and the same person is found."""

    async def story() -> None:
        async with open_instance(own_key) as muster:
            await muster.door.append([person(1)])
            with quick():
                async with await connected(own_key) as conn:
                    await rotate(conn, muster.vault, muster.door)
                    late = person(1, copy=1)
                    await muster.door.append([replace(late, identity=None)])
                    await conn.execute(
                        "INSERT INTO vault.identity (resident, name, pinyin, initials, kind, number)"
                        " SELECT %s, name, pinyin, initials, kind, number FROM vault.identity",
                        [late.subject],
                    )
                    with pytest.raises(KeyInUse):
                        await retire(conn, muster.vault, 1)
                    assert (await rotate(conn, muster.vault, muster.door)).key == 2
                    await retire(conn, muster.vault, 1)
            assert await query(muster, "SELECT recorded FROM registry.alias") == [late.subject]

    asyncio.run(story())


def test_keys_are_changed_from_the_command_line(own_key: Settings, monkeypatch: pytest.MonkeyPatch):
    async def prepared() -> None:
        async with open_instance(own_key) as muster:
            await muster.door.append([person(1), nobody(1)])

    def run(*words: str) -> tuple[int, Any]:
        result = CliRunner().invoke(cli.main, ["key", *words, "--json"])
        return result.exit_code, json.loads(result.stdout)

    asyncio.run(prepared())
    monkeypatch.setenv("DATABASE_URL", own_key.database_url or "")
    monkeypatch.setenv("MUSTER_HOME", str(own_key.home))
    monkeypatch.setenv("MUSTER_KEY_FILE", str(own_key.key_file))
    with quick():
        assert run("add")[1] == {"keys": [1, 2]}
        code, refused = run("retire", "1")
        assert (code, refused["title"]) == (1, "key in use")
        assert run("rotate")[1] == {"key": 2, "rows": 2, "swapped": True}
        uses = {row["number"]: row["uses"] for row in run("status")[1]}
        assert uses == {1: {}, 2: {"vault.identity.number": 1, "vault.identity.phone": 1,
                                   "vault.key.check_": 1, "hashes": 1}}  # fmt: skip
        assert run("retire", "1")[1] == {"keys": [2]}
        assert run("retire", "1")[0] == 1
    structlog.reset_defaults()
