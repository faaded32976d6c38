"""A phone's way by HTTP: enrolled by a link, given to people one after the other, renewed over a bad line,
lost. As the field client goes it.
"""

import json
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from click.testing import CliRunner

import muster.cli as cli
from muster.access.decide import Grant
from muster.config import Settings
from muster.instance import Instance
from tests.browsers import ADMINISTRATOR, Browser, Door, someone
from tests.conftest import Play
from tests.senders import changed, items, said, send, visit
from tests.table import TOWN, named
from tests.test_slice import caught_up

PIN, OTHER_PIN, WRONG = "480913", "275806", "480914"
SITE = f"{TOWN.strip()}\n07:00 SiteListed X1 area=G1"


async def staffed(muster: Instance, door: Door, keeper: Browser) -> dict[str, Any]:
    """Two samplers of a site, and what the keeper is shown of a new phone there."""
    await caught_up(muster, SITE)
    await someone(muster, "keeper", ADMINISTRATOR)
    for login in ("sampler-1", "sampler-2"):
        await someone(muster, login, Grant("sampler", site=named("X1")))
    await keeper.sign_in("keeper")
    await keeper.set_up_codes()
    return await keeper.done("/v1/devices", {"code": "phone-1", "site": "X1"})


async def given_pin(door: Door, login: str, token: str, pin: str) -> None:
    """Somebody signs in on the phone, sets their PIN and is signed out again."""
    async with door.signed_in(login) as person:
        wish = {"device_token": token, "pin": pin}
        csrf = person.http.headers.pop("x-muster-csrf")
        assert await person.refused("/v1/device/pin", wish) == "cross-site-request"
        person.http.headers["x-muster-csrf"] = csrf
        await person.done("/v1/device/pin", wish)
        await person.done("/v1/session", method="DELETE")
        assert await person.refused("/v1/session", method="GET") == "not-signed-in"


def test_the_command_line_gives_the_same_link(database: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", database.database_url or "")
    monkeypatch.setenv("MUSTER_HOME", str(database.home))
    monkeypatch.setenv("MUSTER_KEY_FILE", str(database.key_file))
    for words in (["enrol", "phone-1"], ["code", "phone-1"]):
        words = ["device", *words, "--address", "https://muster.example/", "--json"]
        run = CliRunner().invoke(cli.main, words)
        assert run.exit_code == 0, run.output
        shown = json.loads(run.stdout)
        assert shown["url"] == f"https://muster.example/field/#enrol={shown['code']}"


async def slice_of(door: Door, token: str) -> httpx.Response:
    async with door.browser(authorization=f"Bearer {token}") as phone:
        return await phone.ask("GET", "/v1/slice")


def slug(answer: httpx.Response) -> str:
    return answer.json()["type"].rpartition(":")[2]


def test_from_the_link_to_the_slice(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        door = Door(str(http.base_url))
        async with door.browser() as keeper, door.browser() as phone:
            shown = await staffed(muster, door, keeper)
            link = urlsplit(shown["url"])
            assert f"{link.scheme}://{link.netloc}" == door.address.rstrip("/")
            assert (link.path, link.query, link.fragment) == (
                "/field/", "", f"enrol={shown['code']}"
            )  # fmt: skip
            assert shown["qr"].startswith("<svg")
            tokens = await phone.done("/v1/device/tokens", {"code": shown["code"]})
            assert await phone.refused("/v1/device/tokens", {"code": shown["code"]}) == (
                "enrolment-over"
            )
            token = tokens["token"]
            assert slug(await slice_of(door, token)) == "forbidden", "nobody holds it yet"
            await given_pin(door, "sampler-1", token, PIN)
            found = (await slice_of(door, token)).json()
            assert (found["holder"]["login"], found["place"]["code"]) == ("sampler-1", "X1")
            again = await keeper.done("/v1/devices/phone-1/code")
            assert again["url"].endswith(f"/field/#enrol={again['code']}")

    visit(play, story)


def test_it_is_handed_on_by_pin(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        door = Door(str(http.base_url))
        async with door.browser() as keeper, door.browser() as new:
            shown = await staffed(muster, door, keeper)
            token = (await new.done("/v1/device/tokens", {"code": shown["code"]}))["token"]
            for login, pin in (("sampler-1", PIN), ("sampler-2", OTHER_PIN)):
                await given_pin(door, login, token, pin)
            first = (await slice_of(door, token)).json()
            assert first["holder"]["login"] == "sampler-2"
            async with door.browser(authorization=f"Bearer {token}") as phone:
                taking = {"login": "sampler-1", "pin": WRONG}
                assert await phone.refused("/v1/device/holder", taking) == "pin-wrong"
                await phone.done("/v1/device/holder", {**taking, "pin": PIN})
                since = f"since={first['seq']}&basis={first['basis']}"
                found = await phone.get(f"/v1/slice?{since}")
                assert found["holder"]["login"] == "sampler-1"
                assert not found["whole"], "it belongs to the place, not to the person"
                await phone.done("/v1/device/holder/leave")
            assert slug(await slice_of(door, token)) == "forbidden"

    visit(play, story)


def test_its_tokens_are_renewed_when_the_answer_was_lost(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        door = Door(str(http.base_url))
        async with door.browser() as keeper, door.browser() as phone:
            shown = await staffed(muster, door, keeper)
            had = await phone.done("/v1/device/tokens", {"code": shown["code"]})
            await given_pin(door, "sampler-1", had["token"], PIN)
            wish = {"refresh": had["refresh"]}
            lost = await phone.done("/v1/device/tokens/refresh", wish)
            got = await phone.done("/v1/device/tokens/refresh", wish)
            assert (await slice_of(door, got["token"])).is_success
            for gone in (had, lost):
                assert slug(await slice_of(door, gone["token"])) == "token-over"
            assert await phone.refused("/v1/device/tokens/refresh", wish) == "device-revoked-now"

    visit(play, story)


def test_a_lost_phone_is_told_nothing_and_loses_nothing(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        door = Door(str(http.base_url))
        async with door.browser() as keeper, door.browser() as phone:
            shown = await staffed(muster, door, keeper)
            token = (await phone.done("/v1/device/tokens", {"code": shown["code"]}))["token"]
            await given_pin(door, "sampler-1", token, PIN)
            await keeper.done("/v1/devices/phone-1/revoke", {"reason": "stolen"})
            answer = await slice_of(door, token)
            assert (answer.status_code, slug(answer)) == (403, "device-revoked-now")
            assert named("p1").hex not in answer.text.replace("-", "")
            (one,) = items("08:20  TubeSealed  T1  members=p1 round=R1 site=X1")
            mine = changed(one, actor="sampler-1", device="phone-1")
            async with door.browser(authorization=f"Bearer {token}") as lost:
                answers = await send(lost.http, [mine])
            assert (answers[0]["answer"], said(answers)) == ("held", ["device-was-revoked"])

    visit(play, story)
