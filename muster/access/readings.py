"""The record of reads: who was shown whose data, what, why and when. One row an answer, append-only.

Only people's reads are recorded; what one program does for all alike (a rule, a sum) is none.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from muster.config import PAGE_LIMIT
from muster.core.paging import Page, decode, page
from muster.core.sqlfile import query
from muster.ledger.projection import uuid_array

COMMAND_LINE = "command line"
PEOPLE_A_ROW = 10_000  # of an export of more, further rows bear the same export id
_FIELDS = ("resident", "person", "recorded", "one", "other", "staff")
Conn = psycopg.AsyncConnection[Any]


def people_in(found: Iterable[dict[str, Any]]) -> set[UUID]:
    """The residents whom the rows of a list are about; also those in a row's list of members."""
    people: set[UUID] = set()
    for row in found:
        people.update(row[field] for field in _FIELDS if isinstance(row.get(field), UUID))
        if isinstance(row.get("members"), list):
            people |= people_in(row["members"])
    return people


async def note_reading(
    conn: Conn, *, who: str, device: str, what: str, why: str, masked: bool,
    people: Iterable[UUID], at: datetime, export: UUID | None = None,
) -> None:  # fmt: skip
    """Record that `who` was shown `people`; nothing where nobody was, but for an exported file. One
    statement, on whatever connection answered, before the answer leaves."""
    shown = list(people)
    for start in range(0, max(len(shown), export is not None), PEOPLE_A_ROW):
        values = {
            "at": at, "who": who, "device": device, "what": what, "why": why, "masked": masked,
            "export": export, "people": uuid_array(shown[start : start + PEOPLE_A_ROW]),
        }  # fmt: skip
        await conn.execute(query("muster.access", "note", "readings.sql").encode(), values)


async def readings_about(
    conn: Conn, person: UUID, *, after: str | None = None, limit: int = PAGE_LIMIT
) -> Page:
    """Who looked at a person, newest first, with the roles they had then."""
    ids = await ids_of(conn, person)
    (before,) = decode(after, int) or (None,)
    found = await _rows(conn, "about", ids=uuid_array(ids), before=before, limit=limit + 1)
    return page(found, limit, ("id",))


async def readings_by(
    conn: Conn, who: str | None = None, *, export: UUID | None = None,
    after: str | None = None, limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """What an account was shown, or all accounts, or by which reads a file was exported."""
    (before,) = decode(after, int) or (None,)
    found = await _rows(conn, "by_account", who=who, export=export, before=before, limit=limit + 1)
    return page(found, limit, ("id",))


async def ids_of(conn: Conn, person: UUID) -> Sequence[UUID]:
    """Every id a person has: merged ones too."""
    return [row["id"] for row in await _rows(conn, "one_person", person=person)]


async def _rows(conn: Conn, name: str, **values: Any) -> list[dict[str, Any]]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query("muster.access", name, "readings.sql").encode(), values)
        return await cursor.fetchall()
