"""Failed attempts to sign in, counted in the database: from one address for one login, from everywhere
for one login, from one address for all.

Nobody is locked out for ever: a lock lasts at most a quarter of an hour, and what comes meanwhile
does not lengthen it. Where a login has signed in before, neither failures elsewhere nor those of
others at that address are felt; a passkey or a new enrolment code are never locked. Failures are
forgiven one by one with time. Logins nobody has are counted alike, so a lock tells nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import psycopg

from muster.access.sealing import Sealer
from muster.config import (
    ADDRESS_FAILURE_FORGIVEN_SECONDS,
    ADDRESS_FAILURES_LIMIT,
    FAILURE_FORGIVEN_SECONDS,
    FAILURES_LIMIT,
    KNOWN_ADDRESS_DAYS,
    LOCK_LONGEST_SECONDS,
    LOCK_SECONDS,
    LOGIN_FAILURE_FORGIVEN_SECONDS,
    LOGIN_FAILURES_LIMIT,
)
from muster.core.problems import Problem
from muster.core.rows import row

Conn = psycopg.AsyncConnection[Any]
_HERE = "muster.access"


class TooManyAttempts(Problem):
    """There were too many wrong attempts to sign in. Wait {seconds} seconds; whoever has forgotten
    the password asks an administrator for a new enrolment code."""

    zh = "错误的登录尝试过多。请等待 {seconds} 秒；忘记密码的，请向管理员索取新的注册码。"
    status = 429


@dataclass(frozen=True)
class Limits:
    """How many failures lock something, and how many seconds forgive one: of a login from one address
    and from everywhere. `longest`: no lock is longer."""

    here: int = FAILURES_LIMIT
    here_forgiven: int = FAILURE_FORGIVEN_SECONDS
    everywhere: int = LOGIN_FAILURES_LIMIT
    everywhere_forgiven: int = LOGIN_FAILURE_FORGIVEN_SECONDS
    longest: int = LOCK_LONGEST_SECONDS


SIGN_IN = Limits()


@dataclass(frozen=True)
class Trying:
    """One attempt: the keys under which it counts."""

    pair: bytes
    login: bytes
    address: bytes


def trying(vault: Sealer, login: str, address: str, *, factor: str = "password") -> Trying:
    """`factor`: what is tried; wrong codes of a second factor do not count as wrong passwords."""
    return Trying(
        vault.hash("attempt", factor, login, address), vault.hash("attempt", factor, login),
        vault.hash("attempt", "address", address),
    )  # fmt: skip


async def check(conn: Conn, one: Trying, *, at: datetime) -> None:
    """Raises TooManyAttempts while one of its keys is locked."""
    known_since = at - timedelta(days=KNOWN_ADDRESS_DAYS)
    found = await row(
        conn, _HERE, "locked_until", pair=one.pair, login=one.login, address=one.address, at=at,
        known_since=known_since,
    )  # fmt: skip
    if found and found["until"]:
        raise TooManyAttempts(seconds=ceil((found["until"] - at).total_seconds()))


async def failed(conn: Conn, one: Trying, *, at: datetime, by: Limits = SIGN_IN) -> None:
    """Count a failure, and lock what has had too many."""
    limits = (
        (one.pair, by.here, by.here_forgiven),
        (one.login, by.everywhere, by.everywhere_forgiven),
        (one.address, ADDRESS_FAILURES_LIMIT, ADDRESS_FAILURE_FORGIVEN_SECONDS),
    )
    keys, most, forgiven = (list(column) for column in zip(*limits, strict=True))
    await row(
        conn, _HERE, "count_failure", keys=keys, most=most, forgiven=forgiven, at=at,
        lock=LOCK_SECONDS, longest=by.longest,
    )  # fmt: skip


async def succeeded(conn: Conn, one: Trying, *, at: datetime) -> None:
    """Forget the failures of this login here, and remember the address. Those from elsewhere stay:
    they may be somebody else's."""
    await row(conn, _HERE, "forget_failures", pair=one.pair, at=at)


async def pardon(conn: Conn, vault: Sealer, login: str) -> None:
    """Forget what was tried for a login from everywhere: its holder has proved themselves anew."""
    keys = [vault.hash("attempt", factor, login) for factor in ("password", "code")]
    await row(conn, _HERE, "pardon", keys=keys)
