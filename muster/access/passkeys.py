"""Passkeys (WebAuthn): possession and user verification in one, so that a passkey alone counts as both
factors. Each challenge is taken once; a key works for the host it was made for only.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import webauthn
from webauthn.helpers import bytes_to_base64url, generate_challenge, parse_client_data_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from muster.access.factors import check_passed
from muster.access.sealing import token_hash
from muster.access.sessions import Signed, check_fresh
from muster.config import CEREMONY_SECONDS, PASSKEYS_LIMIT
from muster.core.problems import Problem
from muster.core.rows import row, rows

Conn = psycopg.AsyncConnection[Any]
_HERE = "muster.access"
_VERIFIED = UserVerificationRequirement.REQUIRED


class PasskeyRefused(Problem):
    """The passkey's answer was not accepted: {reason}. Try again, or sign in another way."""

    zh = "通行密钥验证未通过：{reason}。请重试，或用其他方式登录。"
    status = 403


class PasskeyUnknown(Problem):
    """There is no such passkey on this account."""

    zh = "该账号没有这个通行密钥。"
    status = 404


class PasskeysFull(Problem):
    """The account has {most} passkeys already. Delete one that is not used any more."""

    zh = "该账号已有 {most} 个通行密钥，请先删除不再使用的。"
    status = 409


@dataclass(frozen=True)
class Site:
    """Where the browser is: `origin` as it says it, such as https://muster.example:8443."""

    origin: str

    @property
    def host(self) -> str:
        return urlsplit(self.origin).hostname or ""


async def registration_options(
    conn: Conn, signed: Signed, site: Site, *, at: datetime
) -> dict[str, Any]:
    """What the browser's `navigator.credentials.create` is given."""
    _may_change(signed)
    known = await rows(conn, _HERE, "passkeys", account=signed.account)
    if len(known) >= PASSKEYS_LIMIT:
        raise PasskeysFull(most=PASSKEYS_LIMIT)
    challenge = await _challenge(conn, "register", signed.account, at)
    options = webauthn.generate_registration_options(
        rp_id=site.host, rp_name="Muster", user_name=signed.login, user_id=signed.account.bytes,
        challenge=challenge, timeout=CEREMONY_SECONDS * 1000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(bytes(one["credential"])) for one in known],
    )  # fmt: skip
    return json.loads(webauthn.options_to_json(options))


async def register(
    conn: Conn, signed: Signed, site: Site, *, answer: dict[str, Any], label: str, at: datetime
) -> str:
    """Keep the passkey the browser made; its id. Raises PasskeyRefused."""
    _may_change(signed)
    challenge = await _answered(conn, answer, "register", account=signed.account, at=at)
    try:
        made = webauthn.verify_registration_response(
            credential=answer, expected_challenge=challenge, expected_rp_id=site.host,
            expected_origin=site.origin, require_user_verification=True,
        )  # fmt: skip
    except Exception as error:  # the library has a dozen kinds, and others for what is malformed
        raise PasskeyRefused(reason=_reason(error)) from error
    kept = await row(
        conn, _HERE, "keep_passkey", credential=made.credential_id, account=signed.account,
        site=site.host, public_key=made.credential_public_key, sign_count=made.sign_count,
        label=label, at=at,
    )  # fmt: skip
    if kept is None:
        raise PasskeyRefused(reason="it is registered already")
    return bytes_to_base64url(made.credential_id)


async def sign_in_options(conn: Conn, site: Site, *, at: datetime) -> dict[str, Any]:
    """What `navigator.credentials.get` is given. It names no account: the passkey itself does."""
    challenge = await _challenge(conn, "sign_in", None, at)
    options = webauthn.generate_authentication_options(
        rp_id=site.host, challenge=challenge, timeout=CEREMONY_SECONDS * 1000,
        user_verification=_VERIFIED,
    )  # fmt: skip
    return json.loads(webauthn.options_to_json(options))


async def sign_in(conn: Conn, site: Site, *, answer: dict[str, Any], at: datetime) -> UUID:
    """Whose passkey answered; the account is in force. Raises PasskeyRefused."""
    challenge = await _answered(conn, answer, "sign_in", account=None, at=at)
    found = await row(
        conn, _HERE, "passkey", credential=_credential_id(answer), site=site.host, at=at
    )
    if found is None:
        raise PasskeyRefused(reason="it is not registered here")
    try:
        used = webauthn.verify_authentication_response(
            credential=answer, expected_challenge=challenge, expected_rp_id=site.host,
            expected_origin=site.origin, credential_public_key=bytes(found["public_key"]),
            credential_current_sign_count=found["sign_count"], require_user_verification=True,
        )  # fmt: skip
    except Exception as error:
        raise PasskeyRefused(reason=_reason(error)) from error
    # Again in the database: two answers at the same time do not both go through with one count.
    noted = await row(
        conn, _HERE, "used_passkey", credential=found["credential"],
        sign_count=used.new_sign_count, at=at,
    )  # fmt: skip
    if noted is None:
        raise PasskeyRefused(reason="its count went back, so there may be a copy of it")
    return found["account"]


async def listing(conn: Conn, account: UUID) -> list[dict[str, Any]]:
    found = await rows(conn, _HERE, "passkeys", account=account)
    return [{**one, "credential": bytes_to_base64url(bytes(one["credential"]))} for one in found]


async def drop(conn: Conn, signed: Signed, credential: str) -> None:
    """Raises PasskeyUnknown."""
    _may_change(signed)
    id_ = _bytes(credential)
    if await row(conn, _HERE, "drop_passkey", credential=id_, account=signed.account) is None:
        raise PasskeyUnknown()


def _may_change(signed: Signed) -> None:
    check_passed(signed)
    check_fresh(signed)


async def _challenge(conn: Conn, purpose: str, account: UUID | None, at: datetime) -> bytes:
    challenge = generate_challenge()
    await row(
        conn, _HERE, "begin_ceremony", hash=_kept(challenge), purpose=purpose, account=account,
        facts=b"", at=at, expires_at=at + timedelta(seconds=CEREMONY_SECONDS),
    )  # fmt: skip
    return challenge


async def _answered(
    conn: Conn, answer: dict[str, Any], purpose: str, *, account: UUID | None, at: datetime
) -> bytes:
    """The challenge an answer is for, taken out so that it serves once."""
    try:
        challenge = parse_client_data_json(_bytes(answer["response"]["clientDataJSON"])).challenge
    except Exception as error:
        raise PasskeyRefused(reason="it is malformed") from error
    taken = await row(
        conn, _HERE, "take_ceremony", hash=_kept(challenge), purpose=purpose, account=account, at=at
    )
    if taken is None or not taken["in_time"]:
        raise PasskeyRefused(reason="its challenge is not one of ours, too old or used")
    return challenge


def _credential_id(answer: dict[str, Any]) -> bytes:
    try:
        return _bytes(answer["rawId"])
    except Exception as error:
        raise PasskeyRefused(reason="it is malformed") from error


def _bytes(text: str) -> bytes:
    try:
        return webauthn.base64url_to_bytes(text)
    except ValueError as error:
        raise PasskeyUnknown() from error


def _kept(challenge: bytes) -> bytes:
    return token_hash(challenge.hex())


def _reason(error: Exception) -> str:
    """The library's short word; it quotes origins and counts, never keys."""
    return str(error)[:200] or type(error).__name__
