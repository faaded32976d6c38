"""What docs/security.md says and no other test shows: PINs, proofs a moment old, lost factors, other
servers, key files, torn requests, the enrolment page.
"""

import asyncio
import re
import stat
from pathlib import Path

import httpx
import pytest

from muster.access.decide import Grant
from muster.cli.listening import serving
from muster.config import PIN_WRONG_LIMIT, PRINCIPAL_SECONDS, SESSION_FRESH_MINUTES, Rates
from muster.exercise.crew import Crew
from muster.instance import Instance
from muster.keeping.erasure_proof import proof_key
from muster.keeping.sealed import open_key
from muster.registry.vault import open_vault
from tests import senders
from tests.browsers import ADMINISTRATOR, INSPECTOR, PASSWORD, Door, someone, visit
from tests.conftest import Play, second_server
from tests.scene_rights import as_sent, callers, close
from tests.scene_rights import visit as visit_city
from tests.senders import client, items, said, send
from tests.table import TOWN, events, named
from tests.test_rights_events import NEVER_SENT, line

PIN, WRONG = "480913", "480914"


def test_a_pin_is_given_after_the_second_factor_and_guessed_a_few_times(play: Play):
    """A password alone gives no PIN, so it opens no device either."""

    async def story(muster: Instance, door: Door) -> None:
        await someone(muster, "t1", Grant("tracer", everywhere=True))
        await someone(muster, "i1", INSPECTOR)
        token = await Crew(muster).device("phone-1", holder="i1")
        wish = {"device_token": token, "pin": PIN}
        async with door.signed_in("t1") as tracer:
            assert await tracer.refused("/v1/device/pin", wish) == "device-unknown"
            await tracer.set_up_codes()
            await tracer.done("/v1/device/pin", wish)
        async with door.browser(authorization=f"Bearer {token}") as phone:
            assert (await phone.ask("GET", "/v1/recalls")).is_success
            await phone.done("/v1/device/holder/leave")
            taking = {"login": "t1", "pin": PIN}
            for _ in range(PIN_WRONG_LIMIT):
                wrong = {**taking, "pin": WRONG}
                assert await phone.refused("/v1/device/holder", wrong) == "pin-wrong"
            assert await phone.refused("/v1/device/holder", taking) == "pin-wrong"

    visit(play, story)


def test_another_server_knows_of_a_revocation(play: Play):
    """For questions within the time it remembers people for; for events at once, by the door's lock."""

    async def story(muster: Instance) -> None:
        await muster.door.append(events(TOWN))
        crew = Crew(muster)
        await crew.staff("lead", Grant("area_lead", area=named("S1")))
        token = await crew.device("phone-1", holder="lead")
        keeper = await senders.administrator(muster)
        async with (
            second_server(muster.settings) as other,
            serving(muster, rates=Rates(0, 0, 0)) as (_, here),
            serving(other, rates=Rates(0, 0, 0)) as (_, there),
            client(here, keeper) as admin,
            client(there, token) as phone,
        ):
            assert (await phone.get("/v1/rounds")).is_success
            revoked = await admin.post("/v1/devices/phone-1/revoke", json={"reason": "lost"})
            assert revoked.is_success, revoked.text
            (one,) = items("09:00 ResidentListed n1")
            mine = senders.changed(one, actor="lead", device="phone-1")
            assert said(await send(phone, [mine])) == ["device-was-revoked"]
            await asyncio.sleep(PRINCIPAL_SECONDS)
            assert (await phone.get("/v1/rounds")).status_code == 403

    play(story)


def test_keys_are_files_of_their_owner_only(tmp_path: Path):
    """And two starts at once, or a second one, take the key that is there."""
    vault, backup = tmp_path / "vault.key", tmp_path / "backup.key"
    sealed = open_vault(vault).seal(b"text")
    made = open_key(backup, make=True)
    signer = proof_key(vault).private_bytes_raw()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["backup.key", "vault.key", "vault.key.proof"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert open_vault(vault).open(sealed) == b"text"
    assert open_key(backup, make=True) == (made[0], False)
    assert proof_key(vault).private_bytes_raw() == signer


SMUGGLED = b"GET /v1/problems HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.mark.parametrize(
    "lengths",
    [
        b"content-length: %d\r\ntransfer-encoding: chunked\r\n" % (len(SMUGGLED) + 5),
        b"content-length: 0\r\ncontent-length: 5\r\n",
        b"transfer-encoding: chunked, identity\r\n",
        b"content-length: -1\r\n",
    ],
)
def test_a_request_of_two_lengths_is_refused(play: Play, lengths: bytes):
    """What stands in its body is never answered as a request of its own."""

    async def story(muster: Instance) -> None:
        async with serving(muster) as (_, address):
            reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(address).port)
            head = b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            writer.write(head + lengths + b"\r\n0\r\n\r\n" + SMUGGLED)
            answer = await asyncio.wait_for(reader.read(), 20)
            writer.close()
        assert answer.startswith(b"HTTP/1.1 400")
        assert answer.count(b"HTTP/1.1 ") == 1

    play(story)


def test_who_proved_themselves_long_ago_changes_no_factor(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        account = await someone(muster, "adm", ADMINISTRATOR)
        link = f"/v1/accounts/{account}/enrolment"
        async with door.signed_in("adm") as adm:
            await adm.set_up_codes()
            assert (await adm.done(link, {}))["link"]
            async with muster.pool.connection() as conn:
                await conn.execute(
                    "UPDATE credential.session SET proved_at = proved_at - make_interval(mins => %s)",
                    [SESSION_FRESH_MINUTES],
                )
            assert await adm.refused(link, {}) == "prove-yourself"
            for path in ("/v1/session/totp", "/v1/session/recovery-codes", "/v1/passkeys/options"):
                assert await adm.refused(path) == "prove-yourself", path
            assert (await adm.ask("GET", "/v1/accounts")).is_success, "the session goes on"

    visit(play, story)


@pytest.mark.parametrize("lost", [False, True])
def test_a_new_password_is_no_second_factor(play: Play, lost: bool):
    """By a new link the factor stays, unless whoever made the link said that it was lost."""

    async def story(muster: Instance, door: Door) -> None:
        await someone(muster, "adm", ADMINISTRATOR)
        other = await someone(muster, "adm2", ADMINISTRATOR)
        async with door.signed_in("adm") as adm, door.signed_in("adm2") as one:
            await adm.set_up_codes()
            await one.set_up_codes()
            made = await adm.done(f"/v1/accounts/{other}/enrolment", {"reset_second_factor": lost})
        code = made["link"].partition("#")[2]
        async with door.browser() as one:
            found = await one.done("/v1/enrolments", {"code": code, "password": PASSWORD})
            assert found["limited"] == "second_factor"
            answer = await one.ask("POST", "/v1/session/totp")
            assert answer.is_success == lost

    visit(play, story)


def test_no_other_origin_may_read(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        async with door.browser(origin="https://elsewhere.example") as one:
            for method, path in (
                ("GET", "/v1/problems"),
                ("GET", "/v1/areas"),
                ("OPTIONS", "/v1/areas"),
            ):
                answer = await one.ask(method, path, **{"access-control-request-method": "GET"})
                assert not [name for name in answer.headers if name.startswith("access-control")]

    visit(play, story)


def test_the_enrolment_page_hides_and_keeps_nothing(play: Play):
    """Fields mask, paste and password managers work, nothing is stored in the browser."""

    async def story(muster: Instance, door: Door) -> None:
        async with door.browser() as one:
            page = (await one.ask("GET", "/enrol")).text
            script = (await one.ask("GET", "/enrol.js")).text
        fields = re.findall(r"<input[^>]*password[^>]*>", page)
        assert fields
        assert all('type="password"' in one for one in fields)
        assert not [one for one in ("onpaste", 'autocomplete="off"') if one in page]
        stores = (
            "localStorage",
            "sessionStorage",
            "indexedDB",
            "document.cookie",
            "paste",
            "eval(",
        )
        assert not [one for one in stores if one in script]
        assert "http" not in re.sub(r"http://www.w3.org/\S+", "", page)

    visit(play, story)


def test_what_no_role_may_send_nobody_accepts(play: Play):
    """One account sends it and it is held; another, which may decide about held items, accepts it."""

    async def story(muster: Instance, address: str) -> None:
        worker, city = await callers(muster, address, "grid-worker.area", "command-post.everywhere")
        table = "\n".join(line(worker, type_, "A") for type_ in NEVER_SENT)
        answers = await send(worker.http, as_sent(table, worker.login, worker.device))
        passed = []
        for type_, answer in zip(NEVER_SENT, answers, strict=True):
            if (await city.http.post(f"/v1/inbox/{answer['inbox']}/accept")).is_success:
                passed.append(type_)
        await close(worker, city)
        assert passed == []

    visit_city(play, story)
