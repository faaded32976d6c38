"""Decisions about people: merge two ids after review or take a merge back, object and answer."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.ledger.door import Door
from muster.ledger.event import Body, Event
from muster.registry.events import (
    ObjectionAnswered,
    ObjectionRaised,
    ResidentsMerged,
    ResidentsUnmerged,
)

Conn = psycopg.AsyncConnection[Any]


class SamePerson(Problem):
    """Both ids are already the same person."""

    zh = "两个编号已是同一人。"
    status = 409


class NotMerged(Problem):
    """The id {resident} is not merged into another."""

    zh = "编号 {resident} 没有被合并。"
    status = 409


class ObjectionUnknown(Problem):
    """There is no objection {objection} here."""

    zh = "这里没有编号为 {objection} 的异议。"
    status = 404


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


async def raise_objection(
    door: Door, *, person: UUID, about: str, note: str | None, actor: str, at: datetime
) -> UUID:
    """Keep a person's objection, and their words in the vault; its id."""
    body = msgspec.convert({"about": about}, ObjectionRaised)
    event = replace(_event(body, person, actor, at), note=note or None)
    await door.append([event])
    return event.id


async def answer_objection(
    conn: Conn, door: Door, *, objection: UUID, answer: str, note: str | None, actor: str,
    at: datetime,
) -> None:  # fmt: skip
    """Answer an objection. A further answer takes the place of the one before."""
    row = await (
        await conn.execute(
            "SELECT resident FROM registry.objection WHERE objection = %s", [objection]
        )
    ).fetchone()
    if row is None:
        raise ObjectionUnknown(objection=objection)
    body = msgspec.convert({"answer": answer}, ObjectionAnswered)
    event = _event(body, row[0], actor, at, cause=objection)
    await door.append([replace(event, note=note or None)])


async def _root(conn: Conn, resident: UUID) -> UUID:
    row = await (
        await conn.execute("SELECT person FROM registry.alias WHERE recorded = %s", [resident])
    ).fetchone()
    return row[0] if row else resident


def _event(
    body: Body, subject: UUID, actor: str, at: datetime, *, cause: UUID | None = None
) -> Event:
    return Event(uuid7(), type(body).__name__, subject, at, at, at, actor, body, cause=cause)
