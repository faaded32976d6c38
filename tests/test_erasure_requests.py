"""Requests to erase: two people, a plan that must not change, an erasure that goes on where it was struck,
the list outside the database and the signed proof.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner

import muster.cli as cli
from muster.access.sign_in import WrongSignIn
from muster.access.signing import RightMissing, signed_by
from muster.catalogue import CATALOGUE
from muster.config import Settings
from muster.core.clock import now
from muster.core.ids import uuid7
from muster.instance import Instance
from muster.keeping import erasing, erasures
from muster.keeping.erasing import PlanChanged
from muster.keeping.erasure_proof import ProofNotGenuine, checked, proof_key
from muster.keeping.erasures import Erased, ErasureListDamaged
from muster.keeping.scrubbing import scrub
from muster.keeping.verify import verify
from tests.conftest import Play
from tests.erasure_scene import NAME, NUMBER, account, erased, in_tables, owner, planted
from tests.senders import query
from tests.table import events


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
