"""A person's word for one act, given with login and password at the machine itself: no session is
opened, and the attempt counts like any other.
"""

from datetime import datetime
from typing import Any

import psycopg

from muster.access import passwords, throttle
from muster.access.engine.roles import Right, allowed
from muster.access.queries import account_in_force, tidy_login
from muster.access.sealing import Sealer
from muster.access.sign_in import WrongSignIn
from muster.core.problems import Problem
from muster.core.rows import row
from muster.core.sqlfile import query

Conn = psycopg.AsyncConnection[Any]
HERE = "the machine itself"  # in place of a network address


class RightMissing(Problem):
    """The account {login} holds no role with the right "{right}"."""

    zh = "账号 {login} 没有“{right}”权限。"
    status = 403


async def signed_by(
    conn: Conn, vault: Sealer, *, login: str, password: str, right: Right, at: datetime
) -> str:
    """The login of an account in force, proved by its password, that holds the right now. Raises
    WrongSignIn, RightMissing, TooManyAttempts."""
    login = tidy_login(login)
    one = throttle.trying(vault, login, HERE)
    await throttle.check(conn, one, at=at)
    found = await row(conn, "muster.access", "account_by_login", login=login)
    proved = await passwords.matches(found["hash"] if found else None, password)
    if not (proved and found and account_in_force(found, at)):
        await throttle.failed(conn, one, at=at)
        raise WrongSignIn()
    await throttle.succeeded(conn, one, at=at)
    cursor = await conn.execute(
        query("muster.access", "roles_at", "readings.sql").encode(),
        {"account": found["account"], "at": at},
    )
    if not allowed([role for (role,) in await cursor.fetchall()], right):
        raise RightMissing(login=login, right=right)
    return login
