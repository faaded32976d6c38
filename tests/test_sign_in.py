"""Signing in: the first administrator, passwords, second factors, sessions and their tokens, what a
stranger cannot do.
"""

import asyncio
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from muster.access import decide, enrolment, passwords, sign_in, throttle
from muster.access.sessions import csrf_problem
from muster.access.undertaking import EDITION
from muster.config import LOCK_LONGEST_SECONDS
from muster.core.clock import now
from muster.core.problems import Problem
from muster.hardening import Front
from muster.instance import Instance
from tests.browsers import INSPECTOR, PASSWORD, Door, someone, visit
from tests.conftest import Play

SIGN_IN = "/v1/session"


def test_the_first_administrator_comes_by_a_link(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        async with muster.pool.connection() as conn:
            void = await enrolment.first_link(conn, now())
            code = await enrolment.first_link(conn, now())
        assert void
        assert code
        assert len(code) == 43  # 256 bits
        async with door.browser() as one:
            assert await one.done("/v1/enrolments/look", {"code": code}) == {
                "login": None, "first": True
            }  # fmt: skip
            for body, problem in (
                ({"code": void, "password": PASSWORD, "login": "adm"}, "code-unusable"),
                ({"code": code, "password": PASSWORD}, "login-wanted"),
                ({"code": code, "password": "short", "login": "adm"}, "password-length"),
                ({"code": code, "password": "password1234", "login": "adm"}, "password-weak"),
                ({"code": code, "password": "adm-adm-adm", "login": "adm-adm"}, "password-weak"),
                ({"code": code, "password": PASSWORD, "login": "a b"}, "login-unfit"),
            ):
                assert await one.refused("/v1/enrolments", body) == problem
            body = {"code": code, "password": PASSWORD, "login": "Adm", "name": "甲"}
            found = await one.done("/v1/enrolments", body)
            assert (found["login"], found["name"], found["limited"]) == (
                "adm", "甲", "second_factor"
            )  # fmt: skip
            assert await one.refused("/v1/accounts", method="GET") == "first-do-this"
            _, confirmed = await one.set_up_codes()
            assert len(set(confirmed["recovery_codes"])) == 10
            assert confirmed["session"]["limited"] == "undertaking"
            assert await one.refused("/v1/session/undertaking", {"edition": "1999"}) == (
                "edition-replaced"
            )
            found = await one.done("/v1/session/undertaking", {"edition": EDITION})
            assert found["limited"] is None
            assert "accounts" in found["rights"]
            assert "people" not in found["rights"]
            assert [row["login"] for row in (await one.get("/v1/accounts"))["items"]] == ["adm"]
            assert await one.refused("/v1/enrolments", body) == "code-unusable"
        async with muster.pool.connection() as conn:
            assert await enrolment.first_link(conn, now()) is None

    visit(play, story)


def test_nobody_is_told_which_logins_there_are(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        await someone(muster, "i1", INSPECTOR)
        await someone(muster, "gone", INSPECTOR, until=now() - timedelta(hours=1))
        await someone(muster, "soon", INSPECTOR, since=now() + timedelta(hours=1))
        await someone(muster, "unenrolled", INSPECTOR, password=None)
        answers, seconds = set(), {}
        async with door.browser() as one:
            await one.sign_in(" I1 ")
        for login in ("i1", "nobody", "gone", "soon", "unenrolled"):
            password = PASSWORD if login in ("gone", "soon") else "wrong horse"
            async with door.browser() as one:
                taken = []
                for _ in range(4):
                    begun = time.process_time()  # what others do on the machine is not counted
                    answer = await one.ask("POST", SIGN_IN, {"login": login, "password": password})
                    taken.append(time.process_time() - begun)
                    answers.add((answer.status_code, answer.text))
                assert not one.token
                seconds[login] = min(taken)
        assert len(answers) == 1
        assert answers.pop()[0] == 401
        assert max(seconds.values()) < 2 * min(seconds.values()), seconds

    visit(play, story)


def test_another_sites_page_can_do_nothing(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        await someone(muster, "i1", INSPECTOR)
        body = {"login": "i1", "password": PASSWORD}
        async with door.browser() as one:
            for header in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
                answer = await one.ask("POST", SIGN_IN, body, **header)
                assert (answer.status_code, one.token) == (403, "")
            await one.sign_in("i1")
            own = {"origin": door.address, "sec-fetch-site": "same-origin"}
            for header in (
                {"x-muster-csrf": ""}, {"x-muster-csrf": "0" * 48},
                {"origin": "https://evil.example"}, {"origin": "null"},
                {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"},
            ):  # fmt: skip
                answer = await one.ask("DELETE", SIGN_IN, **{**own, **header})
                assert answer.status_code == 403, header
            assert (await one.ask("DELETE", SIGN_IN, **own)).status_code == 204
            assert await one.refused(SIGN_IN, method="GET") == "not-signed-in"

    visit(play, story)


@pytest.mark.parametrize(
    ("facts", "refused"),
    [
        ({"method": "GET", "sent": None, "origin": "https://evil.example"}, False),
        ({}, False),
        ({"fetch_site": "none"}, False),
        ({"origin": "https://HERE:8443"}, False),
        ({"csrf": None, "sent": None}, False),
        ({"sent": None}, True),
        ({"sent": "é"}, True),
        ({"origin": "https://here"}, True),
        ({"csrf": None, "origin": "https://elsewhere"}, True),
        ({"method": "DELETE", "fetch_site": "cross-site"}, True),
    ],
)
def test_what_counts_as_another_site(facts: dict[str, Any], refused: bool):
    usual = {"method": "POST", "csrf": "t", "sent": "t", "origin": None, "fetch_site": None}
    assert (csrf_problem(**{**usual, "host": "here:8443", **facts}) is not None) == refused


def test_the_cookie_is_out_of_reach(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        await someone(muster, "i1", INSPECTOR)
        body = {"login": "i1", "password": PASSWORD}
        for scheme, name in (("https", "__Host-muster"), ("http", "muster")):
            proxied = {"x-forwarded-proto": scheme, "x-forwarded-for": "203.0.113.9"}
            async with door.browser(**proxied) as one:
                given = (await one.ask("POST", SIGN_IN, body)).headers.get("set-cookie", "")
            parts = {part.strip().lower() for part in given.split(";")}
            assert given.startswith(f"{name}=")
            assert {"httponly", "path=/", "samesite=strict"} <= parts
            assert ("secure" in parts) == (scheme == "https")
            assert not any(part.startswith("domain") for part in parts)

    visit(play, story, front=Front(True))


def test_bodies_hold_what_was_asked_for_and_nothing_else(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        account = await someone(muster, "i1", INSPECTOR)
        async with muster.pool.connection() as conn:
            code = await enrolment.new_code(conn, account, actor="tester", at=now())
        more = {"roles": [{"role": "administrator"}], "account": str(account), "second": True}
        async with door.browser() as one:
            for path, body in (
                (SIGN_IN, {"login": "i1", "password": PASSWORD}),
                ("/v1/enrolments", {"code": code, "password": PASSWORD}),
            ):
                for name, value in more.items():
                    assert await one.refused(path, {**body, name: value}) == "bad-request"
            await one.sign_in("i1")
            for path, body in (
                ("/v1/session/undertaking", {"edition": EDITION}),
                ("/v1/session/password", {"password": PASSWORD, "new_password": PASSWORD}),
                ("/v1/session/second-factor", {"code": "123456"}),
                ("/v1/passkeys", {"credential": {}}),
            ):
                assert await one.refused(path, {**body, **more}) == "bad-request"
            assert [role["role"] for role in (await one.get(SIGN_IN))["roles"]] == ["inspector"]

    visit(play, story)


async def tried(muster: Instance, login: str, password: str, address: str, at: datetime) -> str:
    """What comes of one attempt: `in` or the problem."""
    try:
        await sign_in.sign_in(
            muster.pool, muster.vault, login=login, password=password, address=address, agent="",
            at=at,
        )  # fmt: skip
    except Problem as problem:
        return problem.slug
    return "in"


def test_guessing_is_slowed_and_nobody_is_locked_out_for_ever(play: Play):
    async def story(muster: Instance) -> None:
        await someone(muster, "i1", INSPECTOR)
        await someone(muster, "i2", INSPECTOR)
        at, home, away = now(), "192.0.2.1", "192.0.2.2"
        assert await tried(muster, "i1", PASSWORD, home, at) == "in"
        for _ in range(5):
            assert await tried(muster, "i1", "wrong", away, at) == "wrong-sign-in"
        # The sixth has to wait, were it right; at home nothing is felt of it.
        assert await tried(muster, "i1", PASSWORD, away, at) == "too-many-attempts"
        assert await tried(muster, "i1", PASSWORD, home, at) == "in"
        # What comes meanwhile does not lengthen it.
        assert await tried(muster, "i1", PASSWORD, away, at + timedelta(seconds=29)) != "in"
        assert await tried(muster, "i1", PASSWORD, away, at + timedelta(seconds=31)) == "in"
        # From many addresses: strangers wait, home does not, and the longest lock ends.
        for number in range(40):
            await tried(muster, "i1", "wrong", f"198.51.100.{number}", at)
        assert await tried(muster, "i1", PASSWORD, "203.0.113.1", at) == "too-many-attempts"
        assert await tried(muster, "i1", PASSWORD, home, at) == "in"
        over = at + timedelta(seconds=LOCK_LONGEST_SECONDS + 1)
        assert await tried(muster, "i1", PASSWORD, "203.0.113.1", over) == "in"
        # One address for everybody: the whole office does not wait for one who plays there.
        for number in range(100):
            await tried(muster, f"made-up-{number}", "wrong", home, at)
        assert await tried(muster, "i2", PASSWORD, home, at) == "too-many-attempts"
        assert await tried(muster, "i1", PASSWORD, home, at) == "in"
        assert await tried(muster, "i2", PASSWORD, home, at + timedelta(seconds=31)) == "in"
        # A login nobody has is locked alike.
        for _ in range(5):
            assert await tried(muster, "nobody", "wrong", away, at) == "wrong-sign-in"
        assert await tried(muster, "nobody", "wrong", away, at) == "too-many-attempts"

    play(story)


def test_failures_are_forgiven_one_by_one(play: Play):
    async def story(muster: Instance) -> None:
        await someone(muster, "i1", INSPECTOR)
        at, home = now(), "192.0.2.1"
        slip = at
        for number in range(12):  # one slip every quarter of an hour is no attack
            slip = at + timedelta(minutes=15 * number)
            assert await tried(muster, "i1", "wrong", home, slip) == "wrong-sign-in"
        for _ in range(4):
            assert await tried(muster, "i1", "wrong", home, slip) == "wrong-sign-in"
        assert await tried(muster, "i1", PASSWORD, home, slip) == "too-many-attempts"

    play(story)


def test_a_lock_says_when_to_come_back(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        account = await someone(muster, "i1", INSPECTOR)
        async with door.browser() as one:
            for _ in range(5):
                await one.refused(SIGN_IN, {"login": "i1", "password": "wrong"})
            answer = await one.ask("POST", SIGN_IN, {"login": "i1", "password": PASSWORD})
            assert answer.status_code == 429
            assert 1 <= int(answer.headers["retry-after"]) <= 30
            assert answer.headers["retry-after"] in answer.json()["detail"]
            async with muster.pool.connection() as conn:  # an administrator helps
                code = await enrolment.new_code(conn, account, actor="tester", at=now())
            await one.done("/v1/enrolments", {"code": code, "password": PASSWORD})
            assert (await one.get(SIGN_IN))["login"] == "i1"

    visit(play, story)


def test_a_burst_does_not_outrun_the_count(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        await someone(muster, "i1", INSPECTOR)
        async with door.browser() as one:
            body = {"login": "i1", "password": "wrong"}
            burst = await asyncio.gather(*(one.ask("POST", SIGN_IN, body) for _ in range(30)))
        looked_at = [answer for answer in burst if answer.status_code == 401]
        assert 5 <= len(looked_at) <= 8
        assert {answer.status_code for answer in burst} == {401, 429}

    visit(play, story)


def test_a_new_code_voids_the_older_and_an_old_one_expires(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        account = await someone(muster, "i1", INSPECTOR)
        closed = await someone(muster, "i2", INSPECTOR)
        at = now()
        async with muster.pool.connection() as conn:
            made = lambda whose, at: enrolment.new_code(conn, whose, actor="t", at=at)  # noqa: E731
            old = await made(account, at - timedelta(days=9))
            stale = await made(closed, at)
            await decide.close_account(conn, muster.door, closed, reason="left", actor="t", at=at)
            void, good = await made(account, at), await made(account, at)
        async with door.signed_in("i1") as one, door.browser() as other:
            for code in (old, stale, void, "nonsense"):
                body = {"code": code, "password": PASSWORD}
                assert await other.refused("/v1/enrolments", body) == "code-unusable"
            look = await other.done("/v1/enrolments/look", {"code": good})
            assert look == {"login": "i1", "first": False}
            await other.done("/v1/enrolments", {"code": good, "password": PASSWORD})
            assert await one.refused(SIGN_IN, method="GET") == "not-signed-in"
            page = await other.ask("GET", "/enrol.js")
            assert page.headers["content-type"].startswith("text/javascript")

    visit(play, story)


@pytest.mark.parametrize(
    ("password", "slug"),
    [
        ("kurz", "password-length"), ("x" * 201, "password-length"),
        ("Password123", "password-weak"), ("1qaz2wsx3edc", "password-weak"),
        ("woaini1314520", "password-weak"), ("hesuan2022", "password-weak"),
        ("王小明19900101", "password-weak"), (PASSWORD, None), ("v9#Kq!t2Lw", None),
    ],
)  # fmt: skip
def test_how_strong_a_password_must_be(password: str, slug: str | None):
    found = None
    try:
        asyncio.run(passwords.check_strength(password, ["王小明"]))
    except Problem as problem:
        found = problem.slug
    assert found == slug


def test_attempts_are_counted_by_hash_only(play: Play):
    async def story(muster: Instance) -> None:
        one = throttle.trying(muster.vault, "i1", "192.0.2.1")
        assert len({one.pair, one.login, one.address}) == 3
        assert throttle.trying(muster.vault, "i1", "192.0.2.1", factor="code").login != one.login

    play(story)
