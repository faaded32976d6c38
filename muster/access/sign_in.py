"""Signing in with a password: a few at a time, each counted before the next one is looked at; who is
unknown, wrong, expired or closed gets the same answer after the same time.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg_pool import AsyncConnectionPool

from muster.access import passwords, throttle
from muster.access.queries import account_in_force, tidy_login
from muster.access.sealing import Sealer
from muster.access.sessions import Opened, open_session
from muster.config import RETRY_AFTER_SECONDS, SIGN_IN_TURNS, SIGN_INS_WAITING_LIMIT
from muster.core.problems import Problem, TooBusy
from muster.core.rows import row

Pool = AsyncConnectionPool[psycopg.AsyncConnection[Any]]


class WrongSignIn(Problem):
    """Login and password do not fit together, or the account cannot be used. After a few more wrong
    attempts you will have to wait."""

    zh = "登录名与密码不符，或账号不可用。再错几次将需要等待。"
    status = 401


@dataclass
class _Queue:
    """Who signs in on one event loop: how many wait, and who has a turn."""

    turns: asyncio.Semaphore
    waiting: int = 0


_queues: WeakKeyDictionary[asyncio.AbstractEventLoop, _Queue] = WeakKeyDictionary()


async def sign_in(
    pool: Pool, vault: Sealer, *, login: str, password: str, address: str, agent: str, at: datetime
) -> Opened:
    """Open a session for a login and its password. Raises WrongSignIn, TooManyAttempts, TooBusy."""
    login = tidy_login(login)
    one = throttle.trying(vault, login, address)
    async with _turn(), pool.connection() as conn:
        await throttle.check(conn, one, at=at)
        found = await row(conn, "muster.access", "account_by_login", login=login)
        right = await passwords.matches(found["hash"] if found else None, password)
        if not (right and found and account_in_force(found, at)):
            await throttle.failed(conn, one, at=at)
            raise WrongSignIn()
        if passwords.outdated(found["hash"]):
            await passwords.set_password(conn, found["account"], password, at=at)
        return await open_session(
            conn, found["account"], method="password", second=False, agent=agent, at=at,
            pair=one.pair,
        )  # fmt: skip


@asynccontextmanager
async def _turn() -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    queue = _queues.setdefault(loop, _Queue(asyncio.Semaphore(SIGN_IN_TURNS)))
    if queue.waiting >= SIGN_INS_WAITING_LIMIT:
        raise TooBusy(seconds=RETRY_AFTER_SECONDS)
    queue.waiting += 1
    try:
        async with queue.turns:
            yield
    finally:
        queue.waiting -= 1
