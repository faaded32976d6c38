"""Connections that see what their scope lets through: the role of a reader, under row-level security.
There is no other way to get one, so no question is asked with the scope of another.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg_pool import AsyncConnectionPool

from muster.access.engine.scope import Scope
from muster.keeping.securing import READER_ROLE

Conn = psycopg.AsyncConnection[Any]
READER_OPTIONS = f"-c role={READER_ROLE} -c jit=off -c statement_timeout=60s"
_SETTINGS = (
    "figures", "figure_areas", "everyone", "people_areas", "names", "name_areas", "sites", "labs",
    "own", "system", "login", "device",
)  # fmt: skip
_SET = (
    "SELECT " + ", ".join(f"set_config('muster.{one}', %s, false)" for one in _SETTINGS)
).encode()


class Readers:
    """A pool of readers' connections; each is given a scope when it is taken."""

    def __init__(self, conninfo: str, *, most: int) -> None:
        self.pool: AsyncConnectionPool[Conn] = AsyncConnectionPool(
            conninfo, min_size=0, max_size=most, open=False,
            kwargs={"autocommit": True, "options": READER_OPTIONS, "connect_timeout": 10},
            check=AsyncConnectionPool.check_connection, timeout=10, reconnect_timeout=4,
        )  # fmt: skip
        self._scopes: WeakKeyDictionary[Conn, Scope] = WeakKeyDictionary()

    @asynccontextmanager
    async def scoped(self, scope: Scope) -> AsyncIterator[Conn]:
        """A connection that sees `scope`, until the end of the block."""
        async with self.pool.connection() as conn:
            if self._scopes.get(conn) != scope:
                self._scopes.pop(conn, None)
                await conn.execute(_SET, settings(scope), prepare=True)
                self._scopes[conn] = scope
            yield conn


def settings(scope: Scope) -> list[str]:
    """The values of the settings the policies read, in the order of `_SETTINGS`."""
    return [_text(getattr(scope, one)) for one in _SETTINGS]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, frozenset):
        return "{" + ",".join(_quoted(str(one)) for one in sorted(value, key=str)) + "}"
    return value


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
