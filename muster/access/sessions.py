"""Sessions: opened at sign-in, kept in the database by the hash of their token, given a new token at
every change of what they may do, ended by time, by hand or with the account.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import psycopg

from muster.access.engine.roles import ROLES
from muster.access.sealing import new_token, token_hash
from muster.access.undertaking import EDITION, SIGNERS
from muster.config import (
    SESSION_FRESH_MINUTES,
    SESSION_HOURS,
    SESSION_IDLE_MINUTES,
    SESSION_SEEN_SECONDS,
)
from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.core.rows import row, rows

Conn = psycopg.AsyncConnection[Any]
Method = Literal["password", "passkey", "oidc", "enrolment"]
Limited = Literal["second_factor", "password", "undertaking"]
COOKIE, LOOPBACK_COOKIE = "__Host-muster", "muster"
CSRF_HEADER = "x-muster-csrf"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_HERE = "muster.access"
_CAREFUL = [role.name for role in ROLES.values() if role.second_factor]
_AGENT_LIMIT = 160


class NotSignedIn(Problem):
    """Nobody is signed in, or no longer. Sign in and ask again."""

    zh = "尚未登录或登录已失效，请登录后重试。"
    status = 401


class CrossSiteRequest(Problem):
    """The request came from another site's page, or without this session's token in the header
    x-muster-csrf. Nothing was done. Reload the page and do it again there."""

    zh = "请求来自其他网站的页面，或缺少本次登录的 x-muster-csrf 头。未执行任何操作，请刷新页面后重试。"
    status = 403


class ProveYourself(Problem):
    """For this you must have proved who you are within the last {minutes} minutes. Sign in again."""

    zh = "此操作要求在最近 {minutes} 分钟内验证过身份，请重新登录。"
    status = 403


class SessionUnknown(Problem):
    """There is no such session, or it has ended."""

    zh = "没有该登录会话，或已结束。"
    status = 404


@dataclass(frozen=True)
class Opened:
    """A session's token, which only its holder gets to know, and what its requests must carry."""

    session: UUID
    token: str
    csrf: str


@dataclass(frozen=True)
class Signed:
    """Who is signed in. `limited`: what has to be done before anything else; `second`: a second
    factor was passed; `has_factor`: one is set up; `fresh`: proved who they are a moment ago."""

    account: UUID
    login: str
    session: UUID
    kind: str
    undertaking: str | None
    csrf: str
    method: str
    second: bool
    has_code: bool
    has_passkey: bool
    fresh: bool
    limited: Limited | None

    @property
    def has_factor(self) -> bool:
        return self.has_code or self.has_passkey


async def open_session(
    conn: Conn, account: UUID, *, method: Method, second: bool, agent: str, at: datetime,
    pair: bytes | None = None,
) -> Opened:  # fmt: skip
    """Always a new token: one that somebody planted before signing in is worth nothing. `pair`: the
    key under which failures of this login at this address were counted; they are forgotten."""
    session, token = uuid7(), new_token()
    await row(
        conn, _HERE, "open_session", session=session, hash=token_hash(token), account=account,
        method=method, second=second, agent=agent[:_AGENT_LIMIT], pair=pair, at=at,
    )  # fmt: skip
    return Opened(session, token, csrf_token(token))


async def resolve(conn: Conn, token: str, at: datetime) -> Signed | None:
    """Who a token belongs to at this moment, or None. Notes once a minute that it was seen."""
    found = await row(
        conn, _HERE, "resolve", hash=token_hash(token), at=at, careful=_CAREFUL, **_living(at)
    )
    if found is None:
        return None
    if at - found["seen_at"] >= timedelta(seconds=SESSION_SEEN_SECONDS):
        await row(conn, _HERE, "seen", session=found["session"], at=at)
    facts = {name: found[name] for name in _FACTS}
    fresh = at - found["proved_at"] < timedelta(minutes=SESSION_FRESH_MINUTES)
    return Signed(**facts, csrf=csrf_token(token), fresh=fresh, limited=_limited(found))


_FACTS = (
    "account", "login", "session", "kind", "undertaking", "method", "second", "has_code",
    "has_passkey",
)  # fmt: skip


def _limited(found: dict[str, Any]) -> Limited | None:
    # Whoever has set a second factor up is asked for it, whether or not a role demands one.
    if not found["second"] and (found["careful"] or found["has_code"]):
        return "second_factor"
    if found["must_change"]:
        return "password"
    if found["kind"] in SIGNERS and found["undertaking"] != EDITION:
        return "undertaking"
    return None


async def renew(
    conn: Conn, session: UUID, *, at: datetime, second: bool = False, proved: bool = True
) -> Opened:
    """Another token for a session whose holder may now do more. Raises NotSignedIn."""
    token = new_token()
    done = await row(
        conn, _HERE, "renew_session", session=session, hash=token_hash(token), second=second,
        proved=proved, at=at,
    )  # fmt: skip
    if done is None:
        raise NotSignedIn()
    return Opened(session, token, csrf_token(token))


async def end(conn: Conn, session: UUID, *, account: UUID, at: datetime) -> None:
    """Raises SessionUnknown where it is not this account's, or has ended."""
    if await row(conn, _HERE, "end_session", session=session, account=account, at=at) is None:
        raise SessionUnknown()


async def end_all(conn: Conn, account: UUID, *, at: datetime, but: UUID | None = None) -> int:
    """End every session of an account, except one; how many there were."""
    return len(await rows(conn, _HERE, "end_sessions", account=account, at=at, but=but))


async def listing(conn: Conn, account: UUID, *, at: datetime) -> list[dict[str, Any]]:
    """The sessions of an account that are in use, newest first."""
    return await rows(conn, _HERE, "sessions", account=account, **_living(at))


def _living(at: datetime) -> dict[str, datetime]:
    return {
        "born": at - timedelta(hours=SESSION_HOURS),
        "idle": at - timedelta(minutes=SESSION_IDLE_MINUTES),
    }


def csrf_token(token: str) -> str:
    """What a session's requests carry in a header: follows from the token, and gives nothing away
    of it."""
    return hashlib.blake2b(
        token.encode("utf-8", "surrogatepass"), digest_size=24, person=b"muster csrf"
    ).hexdigest()


def cookie_name(scheme: str, host: str) -> str:
    """The cookie that holds the token. Only on this machine itself may it go without https."""
    return LOOPBACK_COOKIE if scheme == "http" and _loopback(host) else COOKIE


def _loopback(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "::1", "[::1]")


def csrf_problem(
    *, method: str, csrf: str | None, sent: str | None, origin: str | None,
    fetch_site: str | None, host: str,
) -> Problem | None:  # fmt: skip
    """Why a request with the cookie, or one that sets it, is refused; None if it is not.

    `csrf`: the session's token, None where there is no session (signing in); `sent`: the header
    x-muster-csrf; `origin`, `fetch_site`: those headers; `host`: the Host header.
    """
    if method in SAFE_METHODS:
        return None
    if fetch_site is not None and fetch_site not in ("same-origin", "none"):
        return CrossSiteRequest()
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        return CrossSiteRequest()
    if csrf is not None and not hmac.compare_digest(csrf.encode(), (sent or "").encode()):
        return CrossSiteRequest()
    return None


def check_fresh(signed: Signed) -> None:
    """Raises ProveYourself unless the holder proved who they are a moment ago."""
    if not signed.fresh:
        raise ProveYourself(minutes=SESSION_FRESH_MINUTES)


def needed(holdings: Sequence[str]) -> bool:
    """Whether one of these roles demands a second factor."""
    return any(role in _CAREFUL for role in holdings)
