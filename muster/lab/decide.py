"""Decisions about results: amend, bind to a tube, reject. A result is never overwritten."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import psycopg

from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.core.rows import row
from muster.lab.events import Outcome, ResultAmended, ResultBound, ResultRejected
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


async def amend(
    conn: Conn, door: Door, result: UUID, *, outcome: Outcome,
    reason: Literal["repeat_run", "clerical", "wrong_sample", "other"], actor: str, at: datetime,
) -> None:  # fmt: skip
    """Give a released result another outcome; its recalls are withdrawn or renewed by rule."""
    found = await _result(conn, result)
    body = ResultAmended(barcode=found["barcode"], outcome=outcome, reason=reason)
    await _append(door, body, found, actor=actor, at=at)


async def bind(
    conn: Conn, door: Door, result: UUID, *, tube: UUID, actor: str, at: datetime
) -> None:
    """Say which tube a result belongs to."""
    found = await _result(conn, result)
    candidate = await (
        await conn.execute(
            "SELECT 1 FROM sampling.tube WHERE tube = %s AND barcode = %s", [tube, found["barcode"]]
        )
    ).fetchone()
    if candidate is None:
        raise NotACandidate(tube=tube, barcode=found["barcode"])
    body = ResultBound(barcode=found["barcode"], tube=tube)
    await _append(door, body, found, actor=actor, at=at)


async def reject(
    conn: Conn, door: Door, result: UUID, *,
    reason: Literal["wrong_file", "wrong_tube", "superseded", "other"], actor: str, at: datetime,
) -> None:  # fmt: skip
    """Say that a result does not count."""
    found = await _result(conn, result)
    body = ResultRejected(barcode=found["barcode"], reason=reason)
    await _append(door, body, found, actor=actor, at=at)


async def _append(
    door: Door, body: Body, found: dict[str, Any], *, actor: str, at: datetime
) -> None:
    result, cause = found["result"], found["event"]
    await door.append(
        [Event(uuid7(), type(body).__name__, result, at, at, at, actor, body, cause=cause)]
    )


async def _result(conn: Conn, result: UUID) -> dict[str, Any]:
    found = await row(conn, "muster.lab", "result", result=result)
    if found is None:
        raise ResultUnknown(result=result)
    return found
