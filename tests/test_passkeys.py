"""Passkeys: a good ceremony signs in past both factors; a lie in any of its parts does not."""

from typing import Any

from muster.access.undertaking import EDITION
from muster.instance import Instance
from tests.authenticator import PRESENT, Authenticator
from tests.browsers import ADMINISTRATOR, Browser, Door, someone, visit
from tests.conftest import Play

EVIL = "https://evil.example"


async def registered(one: Browser, door: Door) -> Authenticator:
    """A passkey made and kept by whoever is signed in."""
    key = Authenticator()
    options = await one.done("/v1/passkeys/options")
    answer = {"credential": key.make(options, door.address), "label": "desk"}
    await one.done("/v1/passkeys", answer)
    return key


async def challenge(one: Browser) -> dict[str, Any]:
    return await one.done("/v1/passkeys/sign-in/options")


async def refusal(one: Browser, answer: dict[str, Any]) -> str:
    return await one.refused("/v1/passkeys/sign-in", {"credential": answer})


def test_a_passkey_alone_signs_an_administrator_in(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        await someone(muster, "adm", ADMINISTRATOR)
        async with door.signed_in("adm") as one:
            assert (await one.get("/v1/session"))["limited"] == "second_factor"
            before = one.token
            options = await one.done("/v1/passkeys/options")
            assert options["authenticatorSelection"]["userVerification"] == "required"
            key = Authenticator()
            answer = key.make(options, door.address)
            kept = await one.done("/v1/passkeys", {"credential": answer, "label": "desk"})
            assert kept["session"]["limited"] is None
            assert one.token != before
            assert [row["label"] for row in await one.get("/v1/passkeys")] == ["desk"]
        async with door.signed_in("adm") as thief:  # the password alone is not enough any more
            assert (await thief.get("/v1/session"))["limited"] == "second_factor"
            assert await thief.refused("/v1/passkeys/options") == "second-factor-wanted"
        async with door.browser() as one:
            answer = key.use(await challenge(one), door.address)
            found = await one.done("/v1/passkeys/sign-in", {"credential": answer})
            assert (found["login"], found["limited"], found["method"]) == ("adm", None, "passkey")
            assert await one.refused("/v1/accounts/x", method="GET") == "account-unknown"
            await one.done(f"/v1/passkeys/{kept['credential']}", method="DELETE")
            gone = f"/v1/passkeys/{kept['credential']}"
            assert await one.refused(gone, method="DELETE") == "passkey-unknown"
            assert await refusal(one, key.use(await challenge(one), door.address)) == (
                "passkey-refused"
            )

    visit(play, story)


def test_a_lie_in_signing_in_is_refused(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        await someone(muster, "adm", ADMINISTRATOR)
        await someone(muster, "foe", ADMINISTRATOR)
        async with door.signed_in("adm") as one:
            key = await registered(one, door)
        async with door.browser() as one:
            good = key.use(await challenge(one), door.address)
            lies = {
                "wrong origin": key.use(await challenge(one), EVIL),
                "a challenge of somebody else": key.use({"challenge": "AAAA"}, door.address),
                "holder not verified": key.use(
                    await challenge(one), door.address, flags=PRESENT
                ),
                "a credential nobody registered": Authenticator().use(
                    await challenge(one), door.address
                ),
                "signed by another key": _impostor(key).use(await challenge(one), door.address),
                "nonsense": {"response": {"clientDataJSON": "!"}},
                "nothing": {},
            }  # fmt: skip
            for name, answer in lies.items():
                assert await refusal(one, answer) == "passkey-refused", name
            assert (await one.done("/v1/passkeys/sign-in", {"credential": good}))["login"] == "adm"
            assert await refusal(one, good) == "passkey-refused"  # the same answer again
            key.count = 0
            back = key.use(await challenge(one), door.address)
            assert await refusal(one, back) == "passkey-refused"  # its count went back
            key.count = 100
            answer = key.use(await challenge(one), door.address)
            await one.done("/v1/passkeys/sign-in", {"credential": answer})

    visit(play, story)


def test_a_lie_in_registering_is_refused(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        await someone(muster, "adm", ADMINISTRATOR)
        await someone(muster, "foe", ADMINISTRATOR)
        async with door.signed_in("adm") as one, door.signed_in("foe") as foe:
            options = await one.done("/v1/passkeys/options")
            key = Authenticator()

            async def refused(browser: Browser, answer: dict[str, Any]) -> None:
                assert await browser.refused("/v1/passkeys", {"credential": answer}) == (
                    "passkey-refused"
                )

            await refused(foe, key.make(options, door.address))  # a challenge of another account
            await refused(one, key.make(await one.done("/v1/passkeys/options"), EVIL))
            good = key.make(options, door.address)
            await one.done("/v1/passkeys", {"credential": good})
            await refused(one, good)
            foreign = key.make(await foe.done("/v1/passkeys/options"), door.address)
            await refused(foe, foreign)  # the key of another account
            assert await foe.get("/v1/passkeys") == []
            assert len(await one.get("/v1/passkeys")) == 1

    visit(play, story)


def test_the_passkey_of_a_closed_account_opens_nothing(play: Play):
    async def story(muster: Instance, door: Door) -> None:
        await someone(muster, "adm", ADMINISTRATOR)
        account = await someone(muster, "adm2", ADMINISTRATOR, signs=False)
        async with door.signed_in("adm") as adm, door.signed_in("adm2") as one:
            key = await registered(one, door)
            await one.done("/v1/session/undertaking", {"edition": EDITION})
            await adm.set_up_codes()
            await adm.done(f"/v1/accounts/{account}/close", {"reason": "left"})
            assert await one.refused("/v1/session", method="GET") == "not-signed-in"
            answer = key.use(await challenge(one), door.address)
            assert await refusal(one, answer) == "passkey-refused"

    visit(play, story)


def _impostor(of: Authenticator) -> Authenticator:
    """Another key that says it is this one."""
    impostor = Authenticator()
    impostor.id, impostor.count = of.id, of.count + 50
    return impostor
