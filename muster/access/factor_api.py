"""HTTP for the second factor and passkeys: setting them up, passing them, signing in with a passkey."""

from typing import Any

import msgspec
import segno
from litestar import Response, delete, get, post
from litestar.params import FromPath, JSONBody

from muster.access import asking, factors, passkeys, sessions
from muster.access.asking import PATIENCE, Who, signed
from muster.core.clock import now
from muster.web import Ask, Code, Label, muster


class Digits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code of the clock, or a recovery code."""

    code: Code


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the browser's passkey answered (`PublicKeyCredential.toJSON()`), and what to call it."""

    credential: dict[str, Any]
    label: Label = "passkey"


@post("/v1/session/second-factor", right="signed_in", status_code=200, exception_handlers=PATIENCE)
async def pass_second_factor(request: Ask, data: JSONBody[Digits]) -> Response[Who]:
    """Pass the second factor with a code of the clock or a recovery code."""
    who, here = await signed(request), muster(request)
    async with here.pool.connection() as conn:
        await factors.check(
            conn, here.vault, who, code=data.code, address=asking.address(request), at=now()
        )
        opened = await sessions.renew(conn, who.session, second=True, at=now())
    return await asking.given(request, opened)


@post("/v1/session/totp", right="signed_in", status_code=200)
async def begin_totp(request: Ask) -> dict[str, str]:
    """Begin to set up codes of the clock: the address for the app, as text and as a QR code (SVG)."""
    who, here = await signed(request), muster(request)
    sessions.check_fresh(who)
    async with here.pool.connection() as conn:
        address = await factors.begin(conn, here.vault, who)
    return {"address": address, "qr": segno.make(address).svg_inline(scale=4, border=2)}


@post("/v1/session/totp/confirm", right="signed_in", status_code=200, exception_handlers=PATIENCE)
async def confirm_totp(request: Ask, data: JSONBody[Digits]) -> Response[dict[str, Any]]:
    """Take the codes into use by the first one; answers recovery codes, shown this once."""
    who, here, at = await signed(request), muster(request), now()
    async with here.pool.connection() as conn:
        codes = await factors.confirm(
            conn, here.vault, who, code=data.code, address=asking.address(request), at=at
        )
        await sessions.end_all(conn, who.account, at=at, but=who.session)
        opened = await sessions.renew(conn, who.session, second=True, at=at)
    session = await asking.given(request, opened)
    document = {"recovery_codes": codes, "session": session.content}
    return Response(document, status_code=200, cookies=session.cookies)


@post("/v1/session/recovery-codes", right="signed_in", status_code=200)
async def make_recovery_codes(request: Ask) -> dict[str, list[str]]:
    """New recovery codes, shown this once; older ones are worth nothing."""
    who = await signed(request)
    factors.check_passed(who)
    sessions.check_fresh(who)
    async with muster(request).pool.connection() as conn:
        return {"recovery_codes": await factors.new_recovery_codes(conn, who.account)}


@get("/v1/passkeys", right="signed_in")
async def list_passkeys(request: Ask) -> list[dict[str, Any]]:
    """One's own passkeys."""
    who = await signed(request)
    async with muster(request).pool.connection() as conn:
        return await passkeys.listing(conn, who.account)


@post("/v1/passkeys/options", right="signed_in", status_code=200)
async def begin_passkey(request: Ask) -> dict[str, Any]:
    """What the browser needs to make a passkey."""
    who = await signed(request)
    async with muster(request).pool.connection() as conn:
        return await passkeys.registration_options(conn, who, asking.site(request), at=now())


@post("/v1/passkeys", right="signed_in", status_code=201)
async def add_passkey(request: Ask, data: JSONBody[Answer]) -> Response[dict[str, Any]]:
    """Keep a passkey; all other sessions end."""
    who, at = await signed(request), now()
    async with muster(request).pool.connection() as conn:
        id_ = await passkeys.register(
            conn, who, asking.site(request), answer=data.credential, label=data.label, at=at
        )
        await sessions.end_all(conn, who.account, at=at, but=who.session)
        opened = await sessions.renew(conn, who.session, second=True, at=at)
    session = await asking.given(request, opened)
    document = {"credential": id_, "session": session.content}
    return Response(document, status_code=201, cookies=session.cookies)


@delete("/v1/passkeys/{credential:str}", right="signed_in", status_code=204)
async def drop_passkey(request: Ask, credential: FromPath[str]) -> None:
    """Forget a passkey."""
    who = await signed(request)
    async with muster(request).pool.connection() as conn:
        await passkeys.drop(conn, who, credential)


@post("/v1/passkeys/sign-in/options", right="public", status_code=200)
async def begin_passkey_session(request: Ask) -> dict[str, Any]:
    """What the browser needs to sign in with a passkey."""
    asking.check_site(request)
    async with muster(request).pool.connection() as conn:
        return await passkeys.sign_in_options(conn, asking.site(request), at=now())


@post("/v1/passkeys/sign-in", right="public", status_code=200)
async def begin_session_by_passkey(request: Ask, data: JSONBody[Answer]) -> Response[Who]:
    """Sign in with a passkey, which counts as both factors."""
    asking.check_site(request)
    at = now()
    async with muster(request).pool.connection() as conn:
        account = await passkeys.sign_in(conn, asking.site(request), answer=data.credential, at=at)
        opened = await sessions.open_session(
            conn, account, method="passkey", second=True, agent=asking.agent(request), at=at
        )
    return await asking.given(request, opened)


HANDLERS = [
    pass_second_factor, begin_totp, confirm_totp, make_recovery_codes, list_passkeys,
    begin_passkey, add_passkey, drop_passkey, begin_passkey_session, begin_session_by_passkey,
]  # fmt: skip
