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
from muster.core.rows import row, rows
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


async def labs(conn: Conn) -> list[dict[str, Any]]:
    """The laboratories that take part."""
    return await rows(conn, _HERE, "labs")


async def samples(
    conn: Conn, lab: str, *, next: str | None = None, after: str | None = None,
    limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """A laboratory's open list: every tube that is not done, in the order in which they came."""
    at, barcode = decode(after, datetime, str) or (None, None)
    found = await rows(
        conn, _HERE, "samples", lab=lab, next=next, at=at, barcode=barcode, limit=limit + 1
    )
    return page(found, limit, ("received_at", "barcode"))


async def receptions(
    conn: Conn, lab: str, *, after: str | None = None, limit: int = PAGE_LIMIT
) -> Page:
    at, reception = decode(after, datetime, UUID) or (None, None)
    found = await rows(
        conn, _HERE, "receptions", lab=lab, at=at, reception=reception, limit=limit + 1
    )
    return page(found, limit, ("received_at", "reception"))


async def discrepancies(
    conn: Conn, *, lab: str | None = None, state: str | None = None, after: str | None = None,
    limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    at, case = decode(after, datetime, UUID) or (None, None)
    found = await rows(
        conn, _HERE, "discrepancies", lab=lab, state=state, at=at, case=case, limit=limit + 1
    )
    return page(found, limit, ("opened_at", "discrepancy"))


async def plates(
    conn: Conn, lab: str, *, after: str | None = None, limit: int = PAGE_LIMIT
) -> Page:
    at, plate = decode(after, datetime, UUID) or (None, None)
    found = await rows(conn, _HERE, "plates", lab=lab, at=at, plate=plate, limit=limit + 1)
    return page(found, limit, ("loaded_at", "plate"))


async def plate(conn: Conn, id_: UUID) -> dict[str, Any] | None:
    """A plate with its wells, its runs and their calls."""
    found = await row(conn, _HERE, "plate", plate=id_)
    if found is None:
        return None
    runs = await rows(conn, _HERE, "runs_of", plate=id_)
    for one in runs:
        one["calls"] = await rows(conn, _HERE, "calls_of_run", run=one["run"])
    return {**found, "wells": await rows(conn, _HERE, "wells", plate=id_), "runs": runs}


async def run(conn: Conn, id_: UUID) -> dict[str, Any] | None:
    """A run with its calls, and what is to be done with each tube now."""
    found = await row(conn, _HERE, "run", run=id_)
    if found is None:
        return None
    return {**found, "calls": await rows(conn, _HERE, "calls_of_run", run=id_)}


async def proposals(conn: Conn, lab: str | None = None) -> list[dict[str, Any]]:
    """What waits for a second person."""
    return await rows(conn, _HERE, "proposals", lab=lab)


async def files(
    conn: Conn, lab: str, *, state: str | None = None, after: str | None = None,
    limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    at, file = decode(after, datetime, str) or (None, None)
    found = await rows(
        conn, _HERE, "files", lab=lab, state=state, at=at, file=file, limit=limit + 1
    )
    return page(found, limit, ("received_at", "file"))


async def editions(conn: Conn) -> list[dict[str, Any]]:
    """Editions of call rules."""
    return await rows(conn, _HERE, "editions")


async def templates(conn: Conn) -> list[dict[str, Any]]:
    """Layouts of plates that were adopted; the usual ones are always there."""
    return await rows(conn, _HERE, "templates")


async def released(
    conn: Conn, lab: str, *, since: datetime, until: datetime
) -> list[dict[str, Any]]:
    """A laboratory's released results of some time, by tube code, with what an exchange tells of them."""
    return await rows(conn, _HERE, "released", lab=lab, since=since, until=until)


async def pools_of(conn: Conn, *, round: UUID, area: UUID) -> list[dict[str, Any]]:
    """The tested tubes of a round with people of an area: size, tested, positive."""
    return await rows(conn, _HERE, "pools_of", round=round, area=area)
