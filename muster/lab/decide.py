"""Which tube a result belongs to, where several bear its barcode."""

from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.core.rows import row
from muster.lab.events import ResultBound
from muster.ledger.door import Door
from muster.ledger.event import Body, Event

Conn = psycopg.AsyncConnection[Any]


class ResultUnknown(Problem):
    """There is no result {result}."""

    zh = "没有结果 {result}。"
    status = 404


class NotACandidate(Problem):
    """The tube {tube} has not the barcode {barcode} of this result."""

    zh = "采样管 {tube} 的条码不是该结果的条码 {barcode}。"
    status = 409


async def bind(
    conn: Conn, door: Door, result: UUID, *, tube: UUID, actor: str, at: datetime
) -> None:
    """Say which tube a result belongs to."""
    found = await result_of(conn, result)
    candidate = await (
        await conn.execute(
            "SELECT 1 FROM sampling.tube WHERE tube = %s AND barcode = %s", [tube, found["barcode"]]
        )
    ).fetchone()
    if candidate is None:
        raise NotACandidate(tube=tube, barcode=found["barcode"])
    body = ResultBound(barcode=found["barcode"], tube=tube)
    await _append(door, body, found, actor=actor, at=at)


async def _append(
    door: Door, body: Body, found: dict[str, Any], *, actor: str, at: datetime
) -> None:
    result, cause = found["result"], found["event"]
    await door.append(
        [Event(uuid7(), type(body).__name__, result, at, at, at, actor, body, cause=cause)]
    )


async def result_of(conn: Conn, result: UUID) -> dict[str, Any]:
    found = await row(conn, "muster.lab", "result", result=result)
    if found is None:
        raise ResultUnknown(result=result)
    return found
