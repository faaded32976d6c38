"""Questions about results, recalls and what contradicts itself."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import tuple_row

from muster.config import (
    DEFAULT_POSITIVE_DAYS,
    DEFAULT_RESULT_VALID_HOURS,
    DEFAULT_RESULT_WINDOW_HOURS,
    PAGE_LIMIT,
)
from muster.core.paging import Page, decode, page
from muster.core.rows import rows
from muster.core.sqlfile import query
from muster.lab.engine.status import Fact, Status, Terms, status
from muster.ledger.projection import uuid_array

_HERE = "muster.lab"
Conn = psycopg.AsyncConnection[Any]
_FIELDS = ("tube", "at", "round", "purpose", "sealed", "told", "resulted_at", "amended_at")


async def visible(conn: Conn, people: Sequence[UUID]) -> set[UUID]:
    """Which of these people a reader's connection may see."""
    found = await rows(conn, _HERE, "visible", people=uuid_array(people))
    return {one["p"] for one in found}


async def results_of(conn: Conn, people: Sequence[UUID]) -> list[list[dict[str, Any]]]:
    """For each id asked, the swabs of that person, newest first, with what they may be told:
    pending, negative, recalled, confirmed, sample_again (or positive / indeterminate before the
    recall is ordered)."""
    async with conn.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(
            query(_HERE, "results_of").encode(), {"people": uuid_array([*{*people}])}, prepare=True
        )  # each once: several may ask about one person at the same moment
        found: dict[UUID, list[dict[str, Any]]] = {person: [] for person in people}
        for asked, *values in await cursor.fetchall():
            found[asked].append(dict(zip(_FIELDS, values, strict=True)))
    return [found[person] for person in people]


async def status_of(conn: Conn, person: UUID, at: datetime) -> Status:
    """What a person's status is at a moment, because of what, under which rules, until when."""
    terms = {"result_valid_hours": DEFAULT_RESULT_VALID_HOURS, "positive_days": DEFAULT_POSITIVE_DAYS,
             "result_window_hours": DEFAULT_RESULT_WINDOW_HOURS}  # fmt: skip
    editions: dict[str, UUID] = {}
    for one in await rows(conn, _HERE, "terms", at=at):
        terms[one["name"]], editions[one["name"]] = one["value"], one["policy"]
    facts = [
        Fact(one["tube"], one["sampled_at"], one["told"], one["resulted_at"], one["ordered_at"],
             tuple(one["evidence"]))
        for one in await rows(conn, _HERE, "facts_of", person=person)
    ]  # fmt: skip
    under = Terms(
        terms["result_valid_hours"], terms["positive_days"], terms["result_window_hours"],
        tuple((name, value, editions.get(name)) for name, value in sorted(terms.items())),
    )  # fmt: skip
    return status(facts, under, at)


async def recalls(
    conn: Conn, *, state: str | None = None, after: str | None = None, limit: int = PAGE_LIMIT
) -> Page:
    at, recall = decode(after, datetime, UUID) or (None, None)
    found = await rows(conn, _HERE, "recalls", state=state, at=at, recall=recall, limit=limit + 1)
    return page(found, limit, ("ordered_at", "recall"))


async def conflicts(conn: Conn, *, after: str | None = None, limit: int = PAGE_LIMIT) -> Page:
    return await _by_barcode(conn, "conflicts", after, limit)


async def waiting(conn: Conn, *, after: str | None = None, limit: int = PAGE_LIMIT) -> Page:
    """Results whose tube is not known."""
    return await _by_barcode(conn, "waiting", after, limit)


async def of_tube(conn: Conn, tube: UUID, barcode: str) -> list[dict[str, Any]]:
    return await rows(conn, _HERE, "of_tube", tube=tube, barcode=barcode)


async def _by_barcode(conn: Conn, name: str, after: str | None, limit: int) -> Page:
    barcode, result = decode(after, str, UUID) or (None, None)
    found = await rows(conn, _HERE, name, barcode=barcode, result=result, limit=limit + 1)
    return page(found, limit, ("barcode", "result"))
