"""A city's own identity provider: it says who somebody is, the account is ours, and nothing that is
not for this browser, this system and this moment gets in.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from joserfc.jwk import RSAKey

from muster.cli.running import serving
from muster.config import Oidc, Rates, Settings
from muster.core.clock import now
from muster.instance import Instance, open_instance
from tests.browsers import ADMINISTRATOR, INSPECTOR, Browser, Door, someone
from tests.identity_provider import SECRET, Provider, providing

START = "/v1/oidc/start"
Story = Callable[[Instance, Door, Provider], Awaitable[Any]]


def visit(database: Settings, tmp_path: Path, story: Story) -> None:
    """Play a story at a Muster that has this provider."""
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")

    async def inside() -> None:
        async with providing() as provider:
            oidc = Oidc(provider.issuer, "muster-test", file, "staff_no")
            settings = replace(database, oidc=oidc)
            async with (
                open_instance(settings) as muster,
                serving(muster, rates=Rates(0, 0, 0)) as (_, address),
            ):
                await story(muster, Door(address), provider)

    asyncio.run(inside())


async def there_and_back(one: Browser) -> httpx.URL:
    """Begin, go to the provider, and come back with its answer: the address of it."""
    begun = await one.http.get(START)
    assert begun.status_code == 303
    answer = await one.http.get(begun.headers["location"])
    return httpx.URL(answer.headers["location"])


async def outcome(one: Browser, back: httpx.URL) -> str:
    """`in`, or the problem."""
    answer = await one.http.get(back)
    if answer.is_success:
        assert (await one.http.get("/v1/session")).is_success
        return "in"
    assert not (await one.http.get("/v1/session")).is_success
    return answer.json()["type"].rpartition(":")[2]


async def tried(door: Door) -> str:
    async with door.browser() as one:
        return await outcome(one, await there_and_back(one))


def test_who_is_known_there_signs_in_here(database: Settings, tmp_path: Path):
    async def story(muster: Instance, door: Door, provider: Provider) -> None:
        await someone(muster, "1001", INSPECTOR, password=None)
        await someone(muster, "adm", ADMINISTRATOR, password=None)
        provider.person = {"sub": "s-1", "staff_no": "1001"}
        async with door.browser() as one:
            assert await outcome(one, await there_and_back(one)) == "in"
            found = await one.get("/v1/session")
            assert (found["login"], found["method"], found["limited"]) == ("1001", "oidc", None)
        # From now on the subject counts, whatever its claims say; who is another may not take over.
        provider.person = {"sub": "s-1", "staff_no": "adm"}
        async with door.browser() as one:
            assert await outcome(one, await there_and_back(one)) == "in"
            assert (await one.get("/v1/session"))["login"] == "1001"
        provider.person = {"sub": "s-2", "staff_no": "1001"}
        assert await tried(door) == "oidc-account-unknown"
        # A role that demands a second factor gets it from the provider or is asked for it here.
        provider.person = {"sub": "s-3", "staff_no": "adm"}
        for amr, limited in (
            (["pwd"], "second_factor"),
            (["otp"], "second_factor"),
            (["mfa"], None),
            (["pwd", "otp"], None),
        ):
            provider.person["amr"] = amr
            async with door.browser() as one:
                assert await outcome(one, await there_and_back(one)) == "in"
                assert (await one.get("/v1/session"))["limited"] == limited

    visit(database, tmp_path, story)


def test_what_the_provider_must_not_say(database: Settings, tmp_path: Path):
    async def story(muster: Instance, door: Door, provider: Provider) -> None:
        await someone(muster, "1001", INSPECTOR)
        await someone(muster, "gone", INSPECTOR, until=now() - timedelta(hours=1))
        good, at = {"sub": "s-1", "staff_no": "1001"}, int(time.time())
        provider.person = good
        for wrong in (
            {"nonce": "another"}, {"nonce": None}, {"aud": "another"}, {"iss": "https://evil"},
            {"exp": at - 300}, {"iat": at + 900, "nbf": at + 900}, {"aud": ["muster-test", "x"]},
        ):  # fmt: skip
            provider.wrong = wrong
            assert await tried(door) == "oidc-refused", wrong
        provider.wrong = {}
        provider.shown = RSAKey.generate_key(2048, {"kid": "1"})  # signed with another key
        assert await tried(door) == "oidc-refused"
        provider.shown = None
        for person in (
            {"sub": "s-9", "staff_no": "nobody"}, {"sub": "s-9"}, {"sub": "s-9", "staff_no": "gone"},
            {"sub": "s-9", "staff_no": ["1001"]},
        ):  # fmt: skip
            provider.person = person
            assert await tried(door) == "oidc-account-unknown", person
        provider.person = good
        assert await tried(door) == "in"

    visit(database, tmp_path, story)


def test_an_answer_is_for_one_browser_and_once(database: Settings, tmp_path: Path):
    async def story(muster: Instance, door: Door, provider: Provider) -> None:
        await someone(muster, "1001", INSPECTOR)
        provider.person = {"sub": "s-1", "staff_no": "1001"}
        async with door.browser() as one, door.browser() as other:
            back = await there_and_back(one)
            assert await outcome(other, back) == "oidc-refused"  # who did not ask for it
            await there_and_back(other)
            assert await outcome(other, back) == "oidc-refused"  # who asked for something else
            kept = one.http.cookies.get("muster-oidc") or ""
            assert await outcome(one, back) == "in"
            one.http.cookies.clear()
            one.http.cookies.set("muster-oidc", kept)
            assert await outcome(one, back) == "oidc-refused"  # the same answer again
            made_up = back.copy_set_param("state", "made-up").copy_set_param("code", "x")
            assert await outcome(one, made_up) == "oidc-refused"
        async with door.browser() as one:
            back = await there_and_back(one)
            assert await outcome(one, back.copy_set_param("code", "guessed")) == "oidc-refused"

    visit(database, tmp_path, story)


def test_a_provider_that_is_not_there(database: Settings, tmp_path: Path):
    async def story(muster: Instance, door: Door, provider: Provider) -> None:
        provider.issuer = "http://127.0.0.1:1"  # what it says of itself is not what was asked for
        async with door.browser() as one:
            assert await one.refused(START, method="GET") == "oidc-unavailable"

    visit(database, tmp_path, story)
