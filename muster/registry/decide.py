"""Decisions about who is who: merge two ids after review, or take a merge back."""

from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.ledger.door import Door
from muster.ledger.event import Body, Event
from muster.registry.events import ResidentsMerged, ResidentsUnmerged

Conn = psycopg.AsyncConnection[Any]


class SamePerson(Problem):
    """Both ids are already the same person."""

    zh = "两个编号已是同一人。"
    status = 409


class NotMerged(Problem):
    """The id {resident} is not merged into another."""

    zh = "编号 {resident} 没有被合并。"
    status = 409


async def merge(conn: Conn, door: Door, *, one: UUID, into: UUID, actor: str, at: datetime) -> None:
    """Make `one` count for `into`. Merges stay stars: the root of `into` is taken, and ids already
    merged into `one` are led there too."""
    root = await _root(conn, into)
    if await _root(conn, one) == root:
        raise SamePerson()
    rows = await (
        await conn.execute("SELECT recorded, event FROM registry.alias WHERE person = %s", [one])
    ).fetchall()
    events: list[Event] = []
    for recorded, merged in rows:
        undone = ResidentsUnmerged(into=one, reason="reviewed")
        events.append(_event(undone, recorded, actor, at, cause=merged))
        events.append(_event(ResidentsMerged(into=root, reason="reviewed"), recorded, actor, at))
    events.append(_event(ResidentsMerged(into=root, reason="reviewed"), one, actor, at))
    await door.append(events)


async def unmerge(conn: Conn, door: Door, *, resident: UUID, actor: str, at: datetime) -> None:
    """Take a merge back and keep the two apart, whatever their documents say."""
    row = await (
        await conn.execute(
            "SELECT person, event FROM registry.alias WHERE recorded = %s", [resident]
        )
    ).fetchone()
    if row is None:
        raise NotMerged(resident=resident)
    body = ResidentsUnmerged(into=row[0], reason="reviewed", keep_apart=True)
    await door.append([_event(body, resident, actor, at, cause=row[1])])


async def _root(conn: Conn, resident: UUID) -> UUID:
    row = await (
        await conn.execute("SELECT person FROM registry.alias WHERE recorded = %s", [resident])
    ).fetchone()
    return row[0] if row else resident


def _event(
    body: Body, subject: UUID, actor: str, at: datetime, *, cause: UUID | None = None
) -> Event:
    return Event(uuid7(), type(body).__name__, subject, at, at, at, actor, body, cause=cause)
