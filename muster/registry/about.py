"""What is held about somebody and who looked: the answer to a resident's question, complete, under every
id they have. Unmasked, since it is theirs; whoever asks for them is recorded.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from muster.config import PAGE_LIMIT
from muster.core.paging import Page, decode, page
from muster.core.sqlfile import query
from muster.ledger.projection import uuid_array
from muster.registry.vault import Vault

Conn = psycopg.AsyncConnection[Any]
SECTIONS = (
    "identities", "addresses", "swabs", "recalls", "stances", "home_requests", "merges", "objections", "notes",
    "said", "held", "readings",
)  # fmt: skip
_SEALED = ("number", "phone", "said", "told")


async def about(conn: Conn, vault: Vault, person: UUID) -> dict[str, Any]:
    """Everything held about a person, by section, and their ids. Empty sections mean: nothing."""
    ids = [row["id"] for row in await _rows(conn, "ids", person=person)]
    found: dict[str, Any] = {"ids": ids}
    for section in SECTIONS:
        rows = await _rows(conn, section, ids=uuid_array(ids))
        for row in rows:
            for name in _SEALED:
                if isinstance(row.get(name), bytes):
                    row[name] = vault.open(row[name]).decode()
        found[section] = rows
    return found


async def objections(
    conn: Conn, *, unanswered: bool = True, after: str | None = None, limit: int = PAGE_LIMIT
) -> Page:
    """What people object to, oldest first."""
    at, objection = decode(after, datetime, UUID) or (None, None)
    found = await _rows(
        conn, "open_objections", all=not unanswered, at=at, objection=objection, limit=limit + 1
    )
    return page(found, limit, ("raised_at", "objection"))


async def _rows(conn: Conn, name: str, **values: Any) -> list[dict[str, Any]]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query("muster.registry", name, "about.sql").encode(), values)
        return await cursor.fetchall()
