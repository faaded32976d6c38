"""Passwords: argon2id at the cost OWASP recommends, in a few threads of its own; strength by zxcvbn.

Of OWASP's equal settings (Password Storage Cheat Sheet: 46 MiB once … 7 MiB five times) the last is
the quickest on two cores: its memory stays in the processor's cache. libsodium (PyNaCl) computes it
with wider instructions than argon2-cffi does, in about two thirds of the time.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id, verify

from muster.config import (
    HASH_THREADS,
    PASSWORD_LENGTH_LEAST,
    PASSWORD_LENGTH_MOST,
    PASSWORD_MEMORY_KIB,
    PASSWORD_PASSES,
    PASSWORD_SCORE_LEAST,
)
from muster.core.problems import Problem
from muster.core.rows import row
from muster.core.text import pinyin

Conn = psycopg.AsyncConnection[Any]
T = TypeVar("T")
_ZXCVBN_LENGTH = 72  # what is longer is judged by its beginning
# zxcvbn's lists are English; these are tried first here.
_GUESSED_FIRST = (
    "muster", "jijie", "hesuan", "jiance", "caiyang", "jiayou", "zhongguo", "woaini", "wodemima",
    "mima", "nihao", "1314520", "5201314", "1314", "520", "guanliyuan", "fangyi", "yiqing",
)  # fmt: skip


class PasswordLength(Problem):
    """A password has {least} to {most} characters."""

    zh = "密码须为 {least} 至 {most} 个字符。"
    status = 422


class PasswordWeak(Problem):
    """The password could be guessed too soon. Take several words that do not belong together, or
    more characters; leave out names, dates, repetitions and what lies side by side on a keyboard."""

    zh = "密码太容易被猜到。请用几个互不相关的词或更多字符；不要用姓名、日期、重复或键盘上相邻的字符。"
    status = 422


async def hash_password(password: str) -> str:
    """Its argon2id hash with salt and parameters, as one text."""
    return await _in_pool(lambda: _make(password.encode()))


async def matches(hashed: str | None, password: str) -> bool:
    """Whether the password is the one hashed. Without a hash it takes as long, and is wrong."""
    right = await _in_pool(lambda: _verify(hashed or _nobodys(), password.encode()))
    return right and hashed is not None


def outdated(hashed: str) -> bool:
    """Whether a hash was made at another cost than is demanded now."""
    cost = f"$argon2id$v=19$m={PASSWORD_MEMORY_KIB},t={PASSWORD_PASSES},p=1$"
    return not hashed.startswith(cost)


async def check_strength(password: str, known: Sequence[str] = ()) -> None:
    """Raises PasswordLength, PasswordWeak. `known`: what an attacker may know of the holder."""
    if not PASSWORD_LENGTH_LEAST <= len(password) <= PASSWORD_LENGTH_MOST:
        raise PasswordLength(least=PASSWORD_LENGTH_LEAST, most=PASSWORD_LENGTH_MOST)
    score = await _in_pool(lambda: _score(password, known))
    if score < PASSWORD_SCORE_LEAST:
        raise PasswordWeak()


async def set_password(conn: Conn, account: UUID, password: str, *, at: datetime) -> None:
    """Keep a password that was found strong enough."""
    await row(
        conn, "muster.access", "set_password", account=account, at=at,
        hash=await hash_password(password),
    )  # fmt: skip


def _score(password: str, known: Sequence[str]) -> int:
    from zxcvbn import zxcvbn  # its lists take a while to load and are needed by few requests

    spelled = [part for word in known if not word.isascii() for part in pinyin(word)]
    words = [*known, *spelled, *_GUESSED_FIRST]
    return zxcvbn(password[:_ZXCVBN_LENGTH], user_inputs=words)["score"]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(HASH_THREADS, thread_name_prefix="password")


async def _in_pool(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_pool(), work)


@cache
def _nobodys() -> str:
    """What an unknown login's password is compared with."""
    return _make(b"nobody's")


def _make(password: bytes) -> str:
    memory = PASSWORD_MEMORY_KIB * 1024
    return argon2id.str(password, opslimit=PASSWORD_PASSES, memlimit=memory).decode()


def _verify(hashed: str, password: bytes) -> bool:
    try:
        return verify(hashed.encode(), password)
    except InvalidkeyError:
        return False
