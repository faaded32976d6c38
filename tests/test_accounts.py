"""Accounts: who may be given what and where, how staff lists become accounts, what a slip is."""

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from click.testing import CliRunner, Result

import muster.cli as cli
from muster.access import decide, queries, sessions
from muster.access.decide import Grant
from muster.config import Settings
from muster.core.clock import now
from muster.core.problems import Problem
from muster.instance import Instance
from tests.browsers import ADMINISTRATOR, INSPECTOR, PASSWORD, Door, someone, visit
from tests.conftest import Play
from tests.table import TOWN, events, named

STREET = named("S1")
LEAD = Grant("area_lead", area=STREET)
DAY = timedelta(days=1)
Run = Callable[..., Result]


@pytest.fixture
def run(database: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command of `muster account` on the test's database; it must succeed."""
    monkeypatch.setenv("DATABASE_URL", database.database_url or "")
    monkeypatch.setenv("MUSTER_HOME", str(database.home))
    monkeypatch.setenv("MUSTER_KEY_FILE", str(database.key_file))
    monkeypatch.setenv("MUSTER_LANGUAGE", "en")

    def run(*words: object) -> Result:
        result = CliRunner().invoke(cli.main, ["account", *map(str, words)])
        assert result.exit_code == 0, result.output
        return result

    yield run
    structlog.reset_defaults()


async def said(coroutine: Any) -> str:
    """`done`, or the problem."""
    try:
        await coroutine
    except Problem as problem:
        return problem.slug
    return "done"


async def opening(muster: Instance, *grants: Grant, **facts: Any) -> str:
    at = now()
    usual = {"login": "a1", "kind": "staff", "name": None, "starts_at": at, "ends_at": None}
    async with muster.pool.connection() as conn:
        return await said(
            decide.open_account(
                conn, muster.door, muster.vault, grants=grants, actor="tester", at=at,
                **{**usual, **facts},
            )
        )  # fmt: skip


def test_what_an_account_can_be_opened_with(play: Play):
    async def story(muster: Instance) -> None:
        await muster.door.append(events(TOWN))
        at = now()
        for grants, facts, wanted in (
            ([], {"login": "a"}, "login-unfit"),
            ([], {"login": "张三"}, "login-unfit"),
            ([], {"login": "a b"}, "login-unfit"),
            ([], {"kind": "guest"}, "account-needs-end"),
            ([], {"kind": "aid"}, "account-needs-end"),
            ([], {"ends_at": at - DAY}, "ends-before-start"),
            ([], {"ends_at": at.replace(year=9999)}, "time-unlikely"),
            ([ADMINISTRATOR, INSPECTOR], {}, "roles-conflict"),
            ([Grant("auditor", everywhere=True), LEAD], {}, "roles-conflict"),
            ([Grant("area_lead", everywhere=True)], {}, "place-unfit"),
            ([Grant("area_lead")], {}, "place-unfit"),
            ([Grant("inspector", everywhere=True, area=STREET)], {}, "place-unfit"),
            ([Grant("lab_releaser", area=STREET)], {}, "place-unfit"),
            ([Grant("area_lead", area=named("nowhere"))], {}, "place-unknown"),
            ([Grant("sampler", site=named("nowhere"))], {}, "place-unknown"),
            ([Grant("guest_expert", everywhere=True)], {}, "role-too-long"),
            ([Grant("guest_expert", everywhere=True)],
             {"kind": "guest", "ends_at": at + 31 * DAY}, "role-too-long"),
            ([Grant("inspector", everywhere=True, starts_at=at, ends_at=at)], {},
             "ends-before-start"),
            ([LEAD], {}, "done"),
            ([], {"login": " A1 "}, "login-taken"),
            ([Grant("guest_expert", everywhere=True)],
             {"login": "g1", "kind": "guest", "ends_at": at + 29 * DAY}, "done"),
        ):  # fmt: skip
            assert await opening(muster, *grants, **facts) == wanted, (grants, facts)
        async with muster.pool.connection() as conn:  # what was refused has left nothing behind
            page = await queries.accounts(conn, muster.vault, at=at)
        assert [(one["login"], one["roles"]) for one in page.items] == [
            ("a1", ["area_lead"]), ("g1", ["guest_expert"])
        ]  # fmt: skip

    play(story)


def test_two_administrators_never_make_one_login_twice(play: Play):
    async def story(muster: Instance) -> None:
        outcomes = await asyncio.gather(*(opening(muster, login="same") for _ in range(6)))
        assert sorted(outcomes) == ["done", *["login-taken"] * 5]

    play(story)


def test_roles_are_granted_moved_and_ended(play: Play):
    async def story(muster: Instance) -> None:
        await muster.door.append(events(TOWN))
        account = await someone(muster, "a1", LEAD)
        other = await someone(muster, "a2", INSPECTOR)
        at = now()
        async with muster.pool.connection() as conn:
            change = {"actor": "tester", "at": at}

            async def grant(wanted: Grant) -> str:
                return await said(decide.grant(conn, muster.door, account, wanted=wanted, **change))

            assert await grant(ADMINISTRATOR) == "roles-conflict"
            assert await grant(Grant("tracer", area=STREET)) == "done"
            (lead,) = [
                one for one in await queries.holdings_of(conn, account) if one.role == "area_lead"
            ]
            foreign = (await queries.holdings_of(conn, other))[0].holding
            ending = {"reason": "left", **change}
            assert await said(
                decide.end_role(conn, muster.door, account, holding=foreign, **ending)
            ) == "role-unknown"  # fmt: skip
            moved = await decide.move_role(
                conn, muster.door, account, holding=lead.holding,
                wanted=Grant("administrator", area=named("G2")), **change,
            )  # fmt: skip
            held = {one.holding: one for one in await queries.holdings_of(conn, account)}
            assert (held[lead.holding].ends_at, held[lead.holding].moved) == (at, True)
            assert (held[moved].role, held[moved].area) == ("area_lead", named("G2"))
            await decide.close_account(
                conn, muster.door, account, reason="left", actor="tester", at=at
            )
            assert await grant(Grant("tracer", area=STREET)) == "account-is-closed"
            assert (await queries.holdings_of(conn, other))[0].ends_at is None
        assert await opening(muster, login="a1") == "done"  # a closed account's login is free again

    play(story)


def test_the_last_administrator_stays(play: Play):
    async def story(muster: Instance) -> None:
        first = await someone(muster, "adm1", ADMINISTRATOR)
        second = await someone(muster, "adm2", ADMINISTRATOR, password=None)  # cannot sign in yet
        async with muster.pool.connection() as conn:
            closing = {"reason": "left", "actor": "tester", "at": now()}
            assert await said(
                decide.close_account(conn, muster.door, first, **closing)
            ) == "last-administrator"  # fmt: skip
            assert await said(
                decide.close_account(conn, muster.door, second, **closing)
            ) == "done"  # fmt: skip

    play(story)


def test_administrators_open_accounts_over_http(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        await muster.door.append(events(TOWN))
        await someone(muster, "adm", ADMINISTRATOR)
        await someone(muster, "i1", INSPECTOR)
        body = {"login": "n1", "name": "乙", "roles": [{"role": "area_lead", "area": "S1"}]}
        async with door.signed_in("i1") as one:
            assert await one.refused("/v1/accounts", body) == "forbidden"
        async with door.signed_in("adm") as adm, door.browser() as new:
            assert await adm.refused("/v1/accounts", body) == "first-do-this"
            await adm.set_up_codes()
            for more in ({"account": "x"}, {"password": PASSWORD}, {"undertaking": "2026-1"}):
                assert await adm.refused("/v1/accounts", {**body, **more}) == "bad-request"
            nowhere = {**body, "roles": [{"role": "area_lead", "area": "nowhere"}]}
            assert await adm.refused("/v1/accounts", nowhere) == "place-unknown"
            account = (await adm.done("/v1/accounts", body))["account"]
            link = (await adm.done(f"/v1/accounts/{account}/enrolment", {}))["link"]
            assert link.startswith(f"{door.address}/enrol#")
            code = link.partition("#")[2]
            found = await new.done("/v1/enrolments", {"code": code, "password": PASSWORD})
            assert [role["area_code"] for role in found["roles"]] == ["S1"]
            (role,) = (await adm.get("/v1/accounts/n1"))["roles"]
            path = f"/v1/accounts/{account}/roles/{role['holding']}"
            await adm.done(f"{path}/move", {"role": "area_lead", "area": "G2"})
            assert await adm.refused(f"{path}/end", {"reason": "left"}) == "role-unknown"
            assert [role["area_code"] for role in (await new.get("/v1/session"))["roles"]] == ["G2"]
            await adm.done(f"/v1/accounts/{account}/close", {"reason": "left"})
            assert await new.refused("/v1/session", method="GET") == "not-signed-in"
            assert await adm.refused("/v1/accounts/nobody", method="GET") == "account-unknown"

    visit(play, story)


LIST = """工号,姓名,角色,类别,区域,采样点,实验室,开始,结束
1001,甲一,采样登记员,,G1,,,,
1002,乙二,网格员,,G2,,,,
1002,乙二,流调员,,S1,,,,
1003,丙三,结果签发人,支援,,,L1,2026-01-01,2198-12-31
1004,丁四,督导员,,全域,,,,
1005,戊五,院长,,S1,,,,
1006,己六,网格员,,nowhere,,,,
1007,庚七,网格员,支援,S1,,,,
1008,辛八,网格员,,S1,,,,昨天
,壬九,网格员,,S1,,,,
1009,癸十,系统管理员,,全域,,,,
1009,癸十,网格员,,S1,,,,
"""
BAD = [
    (7, "word-unknown"), (8, "place-unknown"), (9, "account-needs-end"), (10, "time-unreadable"),
    (11, "cell-missing"), (13, "roles-conflict"),
]  # fmt: skip


def test_a_staff_list_becomes_accounts(play: Play, run: Run, tmp_path: Path):
    async def town(muster: Instance) -> None:
        await muster.door.append(events(TOWN))

    play(town)
    file = tmp_path / "staff.csv"
    file.write_text(LIST, encoding="utf-8")
    first = _document(run("import", file, "--json"))
    assert [(one["line"], one["slug"]) for one in first["faults"]] == BAD
    assert (first["rows"], first["opened"], first["granted"], first["rejected"]) == (12, 5, 1, 6)
    assert "1005" in (tmp_path / "staff.rejected.csv").read_text(encoding="utf-8")
    accounts = _document(run("list", "--json"))
    assert [(one["login"], one["name"], one["roles"]) for one in accounts] == [
        ("1001", "甲一", ["sampler"]), ("1002", "乙二", ["grid_worker", "tracer"]),
        ("1003", "丙三", ["lab_releaser"]), ("1004", "丁四", ["inspector"]),
        ("1009", "癸十", ["administrator"]),
    ]  # fmt: skip
    again = _document(run("import", file, "--json"))
    assert (again["opened"], again["granted"], again["unchanged"]) == (0, 0, 6)
    assert _document(run("list", "--json")) == accounts

    file.write_text("工号,角色,区域,结束\n1001,采样登记员,G1,2199-01-01\n", encoding="utf-8")
    assert [one["slug"] for one in _document(run("import", file, "--json"))["faults"]] == [
        "account-differs"
    ]


def test_commands_and_slips(play: Play, run: Run, tmp_path: Path):
    async def town(muster: Instance) -> None:
        await muster.door.append(events(TOWN))
        await someone(muster, "i1", INSPECTOR)

    play(town)
    run("open", "g1", "--role", "guest_expert", "--everywhere", "--kind", "guest",
        "--from", "2026-01-01", "--to", "2026-01-20", "--name", "<b>客人")  # fmt: skip
    run("open", "n1", "--role", "grid_worker", "--area", "G1", "--name", "<b>网格员")
    run("grant", "n1", "sampler", "--area", "G1")
    run("move", "n1", "sampler", "--area", "G2")
    run("end", "n1", "sampler")
    page = tmp_path / "slips.html"
    assert "1 slips" in run("slips", "-o", page, "--address", "https://muster.example/").output
    text = page.read_text(encoding="utf-8")
    assert page.stat().st_mode & 0o777 == 0o600
    assert text.count('<section class="slip"') == text.count("<svg") == 1
    assert "&lt;b&gt;网格员" in text  # the expired guest and the enrolled inspector have none
    assert "https://muster.example/enrol" in text
    assert not re.search(r"<script|<link|<img|src=|url\(|href=", text)
    assert "enrol#" not in text  # the code is in the drawing only
    link = _document(run("link", "n1", "--json"))["link"]
    assert re.fullmatch(r"http://127\.0\.0\.1:8321/enrol#[\w-]{43}", link)
    assert _document(run("sessions", "i1", "--json")) == []

    async def signed_in(muster: Instance) -> str:
        async with muster.pool.connection() as conn:
            account = (await queries.account_by_login(conn, "i1"))["account"]
            opened = await sessions.open_session(
                conn, account, method="password", second=False, agent="", at=now()
            )
        return opened.token

    token = play(signed_in)
    assert "1 sessions" in run("revoke", "i1").output
    run("close", "n1")

    async def gone(muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            return await sessions.resolve(conn, token, now())

    assert play(gone) is None
    assert [one["closed_at"] is None for one in _document(run("list", "--json"))] == [
        True, True, False
    ]  # fmt: skip


def _document(result: Result) -> Any:
    return msgspec.json.decode(result.stdout)
