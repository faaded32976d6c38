"""Named queries as lists of dictionaries: the one way the query files are run."""

from typing import Any

import psycopg
from psycopg.rows import dict_row

from muster.core.sqlfile import query


async def rows(
    conn: psycopg.AsyncConnection[Any], package: str, name: str, /, **values: Any
) -> list[dict[str, Any]]:
    """The rows of the query `name` of a package's queries.sql."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query(package, name).encode(), values)
        return await cursor.fetchall()


async def row(
    conn: psycopg.AsyncConnection[Any], package: str, name: str, /, **values: Any
) -> dict[str, Any] | None:
    found = await rows(conn, package, name, **values)
    return found[0] if found else None
