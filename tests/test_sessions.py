"""Sessions and second factors: a new token at every change, an end for each, a code for once, and
nothing in the database that would let its reader in.
"""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from pyotp import parse_uri

from muster.access import decide, enrolment, sessions
from muster.access.engine.scope import OPERATOR
from muster.access.undertaking import EDITION
from muster.config import SESSION_HOURS, SESSION_IDLE_MINUTES
from muster.core.clock import now
from muster.instance import Instance
from tests.browsers import ADMINISTRATOR, INSPECTOR, PASSWORD, Door, someone, visit
from tests.conftest import Play

SIGN_IN = "/v1/session"


def test_a_session_planted_before_signing_in_is_worth_nothing(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        await someone(muster, "adm", ADMINISTRATOR)
        body = {"login": "adm", "password": PASSWORD}
        async with door.browser() as one, door.browser(cookie="muster=planted") as thief:
            await one.ask("POST", SIGN_IN, body, cookie="muster=planted")
            assert one.token not in ("", "planted")
            assert (await one.get(SIGN_IN))["login"] == "adm"
            assert await thief.refused(SIGN_IN, method="GET") == "not-signed-in"

    visit(play, story)


def test_each_change_of_what_one_may_do_gives_another_token(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        await someone(muster, "adm", ADMINISTRATOR, signs=False)
        async with door.signed_in("adm") as one:
            seen = [one.token]
            app, _ = await one.set_up_codes()
            seen.append(one.token)
            await one.done("/v1/session/undertaking", {"edition": EDITION})
            seen.append(one.token)
            new = {"password": PASSWORD, "new_password": "four kettles under the bridge"}
            await one.done("/v1/session/password", new)
            seen.append(one.token)
            assert len(set(seen)) == 4
            async with door.browser() as thief:
                for token in seen[:-1]:
                    thief.http.cookies.set("muster", token)
                    assert await thief.refused(SIGN_IN, method="GET") == "not-signed-in"
                    thief.http.cookies.clear()
            assert (await one.get(SIGN_IN))["login"] == "adm"
        async with door.browser() as one:
            assert await one.refused(SIGN_IN, {"login": "adm", "password": PASSWORD}) == (
                "wrong-sign-in"
            )
            found = await one.sign_in("adm", new["new_password"])
            assert found["limited"] == "second_factor"
            before = one.token
            later = app.at(now() + timedelta(seconds=30))
            assert (await one.done("/v1/session/second-factor", {"code": later}))["limited"] is None
            assert one.token != before

    visit(play, story)


def test_a_session_ends_by_time_and_with_its_account(play: Play):
    async def story(muster: Instance) -> None:
        at = now()
        account = await someone(muster, "i1", INSPECTOR)
        guest = await someone(
            muster, "g1", INSPECTOR, kind="guest", until=at + timedelta(minutes=20)
        )
        minutes = lambda n: at + timedelta(minutes=n)  # noqa: E731

        async with muster.pool.connection() as conn:

            async def begun(whose: Any) -> str:
                return (
                    await sessions.open_session(
                        conn, whose, method="password", second=False, agent="", at=at
                    )
                ).token

            idle, used, of_guest = await begun(account), await begun(account), await begun(guest)
            assert await sessions.resolve(conn, idle, minutes(SESSION_IDLE_MINUTES - 1))
            assert await sessions.resolve(conn, of_guest, minutes(19))
            assert await sessions.resolve(conn, of_guest, minutes(21)) is None
            for minute in range(0, SESSION_HOURS * 60, SESSION_IDLE_MINUTES - 1):
                assert await sessions.resolve(conn, used, minutes(minute))
            assert await sessions.resolve(conn, used, minutes(SESSION_HOURS * 60)) is None
            assert await sessions.resolve(conn, idle, minutes(59 + SESSION_IDLE_MINUTES)) is None
            fresh = await begun(account)
            await decide.close_account(
                conn, muster.door, account, reason="left", actor="tester", at=now()
            )
            assert await sessions.resolve(conn, fresh, at) is None

    play(story)


def test_sessions_are_listed_and_revoked(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        account = await someone(muster, "i1", INSPECTOR)
        await someone(muster, "i2", INSPECTOR)
        await someone(muster, "adm", ADMINISTRATOR)
        async with (
            door.signed_in("i1") as one, door.signed_in("i1") as other, door.signed_in("i2") as i2,
            door.signed_in("adm") as adm,
        ):  # fmt: skip
            await adm.set_up_codes()
            mine = await one.get("/v1/session/sessions")
            assert [row["current"] for row in mine] == [False, True]
            foreign = (await i2.get("/v1/session/sessions"))[0]["session"]
            gone = f"/v1/session/sessions/{foreign}"
            assert await one.refused(gone, method="DELETE") == "session-unknown"
            assert await i2.refused(f"/v1/accounts/{account}/sessions", method="GET") == "forbidden"
            await one.done(f"/v1/session/sessions/{mine[0]['session']}", method="DELETE")
            assert await other.refused(SIGN_IN, method="GET") == "not-signed-in"
            await other.sign_in("i1")
            assert (await one.done("/v1/session/sessions", method="DELETE")) == {"ended": 1}
            assert len(await adm.get(f"/v1/accounts/{account}/sessions")) == 1
            assert await adm.done(f"/v1/accounts/{account}/sessions", method="DELETE") == {
                "ended": 1
            }
            assert await one.refused(SIGN_IN, method="GET") == "not-signed-in"
            assert (await i2.get(SIGN_IN))["login"] == "i2"

    visit(play, story)


def test_a_code_serves_once_and_a_password_alone_changes_no_factor(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        await someone(muster, "adm", ADMINISTRATOR)
        async with door.signed_in("adm") as one:
            app, confirmed = await one.set_up_codes()
            recovery = confirmed["recovery_codes"]
        async with door.signed_in("adm") as one:
            for path in ("totp", "recovery-codes"):
                assert await one.refused(f"/v1/session/{path}") == "second-factor-wanted"
            assert await one.refused("/v1/passkeys/options") == "second-factor-wanted"
            assert await one.refused("/v1/accounts", method="GET") == "first-do-this"
            check = "/v1/session/second-factor"
            assert await one.refused(check, {"code": app.now()}) == "code-wrong"  # taken at set-up
            assert await one.refused(check, {"code": "000000"}) == "code-wrong"
            await one.done(check, {"code": recovery[0].upper()})
            assert "accounts" in (await one.get(SIGN_IN))["rights"]
            again = await one.done("/v1/session/totp")  # the old one stays until it is confirmed
            assert parse_uri(again["address"]).secret != app.secret
        async with door.signed_in("adm") as one:
            assert await one.refused(check, {"code": recovery[0]}) == "code-wrong"
            later = app.at(now() + timedelta(seconds=30))
            assert (await one.done(check, {"code": later}))["limited"] is None
            fresh = (await one.done("/v1/session/recovery-codes"))["recovery_codes"]
        async with door.signed_in("adm") as one:
            assert await one.refused(check, {"code": recovery[1]}) == "code-wrong"
            await one.done(check, {"code": fresh[1]})

    visit(play, story)


def test_nothing_secret_can_be_read_in_the_database(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        account = await someone(muster, "adm", ADMINISTRATOR, name="欧阳某某")
        async with muster.pool.connection() as conn:
            code = await enrolment.new_code(conn, account, actor="tester", at=now())
        async with door.signed_in("adm") as one:
            token = one.token
            app, confirmed = await one.set_up_codes()
            secrets = [PASSWORD, code, token, one.token, one.http.headers["x-muster-csrf"],
                       app.secret, "欧阳某某", *confirmed["recovery_codes"]]  # fmt: skip
            assert (await one.get(SIGN_IN))["name"] == "欧阳某某"
        kept = b""
        async with muster.pool.connection() as conn:
            tables = await (
                await conn.execute(
                    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname"
                    " NOT IN ('pg_catalog', 'information_schema')"
                )
            ).fetchall()
            for (table,) in tables:
                rows = await (await conn.execute(f"SELECT * FROM {table}".encode())).fetchall()
                kept += repr(rows).encode()
        assert b"argon2id$v=19$m=7168,t=5,p=1$" in kept
        for secret in secrets:
            assert secret.replace("-", "").encode() not in kept.replace(b"-", b"")
            assert repr(secret.encode())[2:-1].encode() not in kept

    visit(play, story)


def test_only_musters_own_hand_reaches_credentials(play: Play):
    async def story(muster: Instance) -> None:
        await someone(muster, "i1", INSPECTOR)
        async with muster.readers.scoped(OPERATOR) as conn:
            for table in ("password", "session", "totp", "person", "enrolment"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    await conn.execute(f"SELECT * FROM credential.{table}".encode())

    play(story)
