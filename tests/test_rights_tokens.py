"""Tokens, cookies and sessions in the tests of rights: what is none, what is over, what was moved, what
another site's page sends along.
"""

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from muster.access import devices
from muster.access.queries import account_by_login
from muster.app import make_app
from muster.core.clock import now
from muster.guarding import routes
from muster.instance import Instance
from tests.browsers import INSPECTOR, Browser, Door, someone
from tests.conftest import Play
from tests.scene_rights import callers, close, sent, slug, visit
from tests.senders import client, query
from tests.table import named


def test_what_is_no_token_opens_nothing(play: Play):
    async def story(muster: Instance, address: str) -> None:
        (lead,) = await callers(muster, address, "area-lead.area")
        await someone(muster, "i1", INSPECTOR)
        async with Door(address).signed_in("i1") as browser, client(address) as http:
            session = browser.token
            for token in (lead.token.upper(), lead.token[:-1], f"{lead.token}x", session, "*", "é",
                          "\x7f", "x" * 5_000):  # fmt: skip
                header = {b"authorization": f"Bearer {token}".encode()}
                answer = await http.get("/v1/rounds", headers=header)
                assert answer.status_code in (400, 401, 431), token
            for headers in (
                {"authorization": f"Basic {lead.token}"}, {"authorization": lead.token},
                {"cookie": f"muster={lead.token}"}, {"x-authorization": f"Bearer {lead.token}"},
                {"cookie": f"__Host-muster={session}"}, {"authorization": "Bearer"},
            ):  # fmt: skip
                assert (await http.get("/v1/rounds", headers=headers)).status_code == 401, headers
            for name in ("token", "access_token", "authorization", "muster"):
                params = {name: lead.token}
                assert (await http.get("/v1/rounds", params=params)).status_code == 401
                answer = await http.post(f"/v1/events?{name}={lead.token}", json={"items": []})
                assert answer.status_code == 401
        await close(lead)

    visit(play, story)


def test_a_token_that_is_over_opens_nothing(play: Play):
    async def story(muster: Instance, address: str) -> None:
        lead, worker, admin = await callers(
            muster, address, "area-lead.area", "grid-worker.area", "administrator.everywhere"
        )
        assert (await lead.http.get("/v1/rounds")).is_success
        path = f"/v1/devices/{lead.device}/revoke"
        assert (await admin.http.post(path, json={"reason": "lost"})).is_success
        assert slug(await lead.http.get("/v1/rounds")) == "device-revoked-now"
        line = "09:00 ResidentListed n1 building=HA"
        assert await sent(lead, line) == ["device-was-revoked"]
        pin = {"login": lead.login, "pin": "285193"}
        for path, body in (("/v1/device/holder", pin), ("/v1/device/holder/leave", None)):
            assert slug(await lead.http.post(path, json=body)) == "device-revoked-now"
        late = now() + timedelta(hours=2)
        async with muster.pool.connection() as conn:
            with pytest.raises(devices.TokenOver):
                await devices.principal(conn, worker.token, at=late)
            account = (await account_by_login(conn, worker.login))["account"]
        path = f"/v1/accounts/{account}/close"
        assert (await admin.http.post(path, json={"reason": "left"})).is_success
        assert slug(await worker.http.get("/v1/rounds")) == "forbidden"
        assert slug(await worker.http.get(f"/v1/people/{named('pA1')}")) == "forbidden"
        await close(lead, worker, admin)

    visit(play, story)


def test_a_scope_does_not_outlive_a_move(play: Play):
    """Who is sent to the other street sees that one at once, and this one no more."""

    async def story(muster: Instance, address: str) -> None:
        worker, lead, admin = await callers(
            muster, address, "grid-worker.area", "area-lead.area", "administrator.everywhere"
        )
        here, there = (f"/v1/people/{named(one)}" for one in ("pA1", "pB1"))
        assert (await worker.http.get(here)).is_success
        assert slug(await worker.http.get(there)) == "person-unknown"
        account, holding = (await query(
            muster, "SELECT account, holding FROM access.holding JOIN access.account USING (account)"
            " WHERE login = %s", worker.login))[0]  # fmt: skip
        move = f"/v1/accounts/{account}/roles/{holding}/move"
        body = {"role": "command_post", "area": "STREET-B"}
        assert (await admin.http.post(move, json=body)).is_success
        assert slug(await worker.http.get(here)) == "person-unknown"
        assert (await worker.http.get(there)).is_success
        assert slug(await worker.http.post("/v1/inbox/retry")) == "forbidden"  # the role stays
        # A device that works in the other street gives its holder nothing there, nor here any more.
        path = f"/v1/devices/{lead.device}/move"
        assert (await admin.http.post(path, json={"area": "STREET-B"})).is_success
        for path in (here, there):
            assert slug(await lead.http.get(path)) in ("forbidden", "person-unknown")
        await close(worker, lead, admin)

    visit(play, story)


def test_a_cookie_without_its_token_changes_nothing(play: Play):
    """Every route that changes something, asked with the cookie as another site's form would."""

    async def story(muster: Instance, address: str) -> None:
        await someone(muster, "i1", INSPECTOR)
        unsafe = [
            (method, path) for method, path, right in routes(make_app(muster))
            if method != "GET" and right != "public"
        ]  # fmt: skip
        async with Door(address).signed_in("i1") as browser:
            own = browser.http.headers.pop("x-muster-csrf")
            seq = muster.door.head.seq
            for method, path in unsafe:
                for extra in ({}, {"x-muster-csrf": own[::-1]},
                              {"x-muster-csrf": own, "origin": "https://evil.example"}):  # fmt: skip
                    answer = await forged(browser, method, path, extra)
                    assert answer in ("cross-site-request", "foreign-origin"), (method, path)
            assert (muster.door.head.seq, len(unsafe) > 30) == (seq, True)
            assert (await browser.get("/v1/session"))["login"] == "i1"

    visit(play, story)


async def forged(browser: Browser, method: str, path: str, extra: dict[str, str]) -> str:
    path = re.sub(r"\{[^}]*:int\}", "1", path)
    path = re.sub(r"\{[^}]*\}", str(uuid4()), path)
    return slug(await browser.http.request(method, path, json={}, headers=extra))


def test_another_ones_session_stays_theirs(play: Play):
    async def story(muster: Instance, address: str) -> None:
        await someone(muster, "i1", INSPECTOR)
        await someone(muster, "i2", INSPECTOR)
        door = Door(address)
        async with door.signed_in("i1") as one, door.signed_in("i2") as two:
            (theirs,) = await one.get("/v1/session/sessions")
            path = f"/v1/session/sessions/{theirs['session']}"
            assert await two.refused(path, method="DELETE") == "session-unknown"
            assert (await two.done("/v1/session/sessions", method="DELETE"))["ended"] == 0
            assert [row["session"] for row in await two.get("/v1/session/sessions")] != [
                theirs["session"]
            ]
            two.http.headers["x-muster-csrf"] = one.http.headers["x-muster-csrf"]
            assert await two.refused("/v1/session", method="DELETE") == "cross-site-request"
            assert (await one.get("/v1/session"))["login"] == "i1"

    visit(play, story)
