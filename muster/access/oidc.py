"""Signing in at a city's own identity provider (OpenID Connect, authorization code with PKCE). It says
who somebody is; the account must be there already, and what it may do is decided here.
"""

import json
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import psycopg
from authlib.deprecate import AuthlibDeprecationWarning
from authlib.integrations.base_client import OAuthError
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

from muster.access.queries import account_in_force, tidy_login
from muster.access.sealing import Sealer, new_token, token_hash
from muster.config import CEREMONY_SECONDS, OIDC_SECONDS, Oidc
from muster.core.log import error_facts, logger
from muster.core.problems import Problem
from muster.core.rows import row

Conn = psycopg.AsyncConnection[Any]
_HERE = "muster.access"
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]  # signed with a key that is not shared
_LEEWAY_SECONDS = 30
# RFC 8176: what was known, and what was held or was the person, make two factors together.
_KNOWN, _HELD = {"pwd", "pin"}, {"otp", "hwk", "swk", "sc", "sms", "fpt", "face"}


class OidcNotSet(Problem):
    """No identity provider is set up here."""

    zh = "本系统没有配置统一身份认证。"
    status = 404


class OidcUnavailable(Problem):
    """The identity provider does not answer as it should ({reason}). Sign in with a password, or try
    again later."""

    zh = "统一身份认证服务没有正确响应（{reason}）。请用密码登录或稍后再试。"
    status = 502


class OidcRefused(Problem):
    """The identity provider's answer was not accepted: {reason}. Begin again."""

    zh = "统一身份认证的答复未被接受：{reason}。请重新开始。"
    status = 403


class OidcAccountUnknown(Problem):
    """You are known to the identity provider, but have no account in force here. An administrator
    opens one."""

    zh = "您已通过统一身份认证，但在本系统没有生效的账号，请联系管理员开通。"
    status = 403


@dataclass(frozen=True)
class Begun:
    """Where the browser is sent, and the state that its cookie keeps meanwhile."""

    address: str
    state: str


@dataclass(frozen=True)
class Known:
    """Who came back: an account in force, and whether the provider asked for a second factor."""

    account: UUID
    second: bool


async def begin(conn: Conn, vault: Sealer, provider: Oidc, *, redirect: str, at: datetime) -> Begun:
    """Note state, nonce and verifier, and send the browser to the provider."""
    about = await _discover(provider)
    state, nonce, verifier = new_token(), new_token(), new_token()
    facts = json.dumps({"nonce": nonce, "verifier": verifier, "redirect": redirect})
    await row(
        conn, _HERE, "begin_ceremony", hash=token_hash(state), purpose="oidc", account=None,
        facts=vault.seal(facts.encode()), at=at,
        expires_at=at + timedelta(seconds=CEREMONY_SECONDS),
    )  # fmt: skip
    async with _client(provider, redirect) as client:
        address, _ = client.create_authorization_url(
            about["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
        )
    return Begun(address, state)


async def finish(
    conn: Conn, vault: Sealer, provider: Oidc, *, code: str, state: str, kept: str, at: datetime
) -> Known:
    """Exchange the code for an id token and find its account. `kept`: the state in the browser's
    cookie. Raises OidcRefused, OidcAccountUnknown, OidcUnavailable."""
    if not kept or kept != state:
        raise OidcRefused(reason="it was not asked for by this browser")
    taken = await row(
        conn, _HERE, "take_ceremony", hash=token_hash(state), purpose="oidc", account=None, at=at
    )
    if taken is None or not taken["in_time"]:
        raise OidcRefused(reason="its state is not one of ours, too old or used")
    facts = json.loads(vault.open(bytes(taken["facts"])))
    claims = await _claims(provider, code=code, facts=facts)
    account = await _account(conn, provider, claims, at=at)
    return Known(account, _two_factors(claims.get("amr") or ()))


def _two_factors(said: Iterable[Any]) -> bool:
    methods = {one for one in said if isinstance(one, str)}
    return "mfa" in methods or bool(methods & _KNOWN and methods & _HELD)


async def _claims(provider: Oidc, *, code: str, facts: dict[str, str]) -> dict[str, Any]:
    """The claims of the id token, its signature and every claim checked."""
    about = await _discover(provider)
    try:
        async with _client(provider, facts["redirect"]) as client:
            answer = await client.fetch_token(
                about["token_endpoint"], grant_type="authorization_code", code=code,
                code_verifier=facts["verifier"],
            )  # fmt: skip
        keys = await _asked(about["jwks_uri"])
    except (httpx.HTTPError, ValueError) as error:
        raise _unavailable(error) from error
    except OAuthError as error:
        raise OidcRefused(reason="the provider did not take its code") from error
    try:
        token = jwt.decode(answer["id_token"], KeySet.import_key_set(keys), _ALGORITHMS)
        options = {
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": provider.client_id},
        }
        params = {"nonce": facts["nonce"], "client_id": provider.client_id}
        claims = CodeIDToken(token.claims, token.header, options, params)
        claims.validate(leeway=_LEEWAY_SECONDS)
    except Exception as error:  # malformed, badly signed, expired, not for us: one answer
        logger.warning("oidc_token_refused", **error_facts(error))
        raise OidcRefused(reason="its token is not valid") from error
    return dict(claims)


async def _account(conn: Conn, provider: Oidc, claims: dict[str, Any], *, at: datetime) -> UUID:
    """The account of a subject: linked before, or of the login its claim names, which links it."""
    issuer, subject = provider.issuer, str(claims["sub"])
    found = await row(conn, _HERE, "oidc_account", issuer=issuer, subject=subject)
    login = claims.get(provider.claim)
    if found is None and isinstance(login, str):
        found = await row(conn, _HERE, "account_to_link", issuer=issuer, login=tidy_login(login))
        if found and account_in_force(found, at):
            await row(
                conn, _HERE, "link_subject", issuer=issuer, subject=subject,
                account=found["account"], at=at,
            )  # fmt: skip
    if found is None or not account_in_force(found, at):
        raise OidcAccountUnknown()
    return found["account"]


async def _discover(provider: Oidc) -> dict[str, Any]:
    """The provider's own word about itself. Raises OidcUnavailable."""
    try:
        about = await _asked(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            _check_safe(about[name])
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise _unavailable(error) from error
    if about.get("issuer") != provider.issuer:
        raise OidcUnavailable(reason="it calls itself by another name")
    return about


async def _asked(address: str) -> Any:
    async with httpx.AsyncClient(timeout=OIDC_SECONDS) as client:
        answer = await client.get(address)
        answer.raise_for_status()
        return answer.json()


def _check_safe(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("not https")


def _client(provider: Oidc, redirect: str) -> Any:  # its own types lose what it inherits
    with warnings.catch_warnings():  # it would rather have a successor of httpx
        warnings.simplefilter("ignore", AuthlibDeprecationWarning)
        from authlib.integrations.httpx_client import AsyncOAuth2Client

    return AsyncOAuth2Client(
        provider.client_id, provider.secret(), scope="openid profile", redirect_uri=redirect,
        code_challenge_method="S256", timeout=OIDC_SECONDS,
    )  # fmt: skip


def _unavailable(error: Exception) -> OidcUnavailable:
    logger.warning("oidc_unavailable", **error_facts(error))
    return OidcUnavailable(reason=type(error).__name__)
