"""Erasing people: what exactly would go, two accounts that agree, and the doing of it.

Names, numbers, phones, free text and held items are deleted; what events say about the person is
emptied under a ledgered authorisation. Swabs keep an id that leads to nobody. The erasure list outside
the database is written before anything is deleted.
"""

import hashlib
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from muster.config import ERASURE_REQUEST_DAYS
from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.core.sqlfile import query
from muster.keeping import erasures
from muster.keeping.redact import redact
from muster.keeping.retention import identities_due
from muster.ledger.door import Door
from muster.ledger.projection import uuid_array

Conn = psycopg.AsyncConnection[Any]
Opener = Callable[[bytes], bytes]  # of what the vault has sealed
Kind = Literal["person", "campaign", "expired"]
CHUNK = 200  # people or events a transaction, which holds the door's lock
COUNTED_LIMIT = 1_000  # of more people what stays is not counted one by one
CREDENTIALS = (
    "person", "password", "session", "enrolment", "totp", "recovery", "passkey", "ceremony",
    "oidc_subject",
)  # fmt: skip


class RoundsOpen(Problem):
    """These rounds are still open: {rounds}. Close them first; what is under way needs its people."""

    zh = "以下轮次尚未关闭：{rounds}。请先关闭；进行中的工作仍需要这些人员信息。"
    status = 409


class RequestUnknown(Problem):
    """There is no request to erase with the id {request} that waits for you."""

    zh = "没有等待你确认的清除请求 {request}。"
    status = 404


class SecondPersonNeeded(Problem):
    """Who asked for an erasure cannot confirm it. A second person must."""

    zh = "清除请求不能由申请人自己确认，必须由另一人确认。"
    status = 403


class PlanChanged(Problem):
    """What would be erased is no longer what was asked for, or the request is older than {days}
    days. Look at it again and make a new request."""

    zh = "将要清除的内容与申请时不同，或申请已超过 {days} 天。请重新查看并重新申请。"
    status = 409


@dataclass(frozen=True)
class Plan:
    """Exactly what an erasure takes. `counts`: rows by table; `kept`: what stays under the id."""

    kind: Kind
    residents: tuple[UUID, ...]
    events: tuple[UUID, ...] = ()
    held: tuple[UUID, ...] = ()
    round: UUID | None = None
    counts: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)

    def digest(self) -> bytes:
        """Of people, events and held items: two plans with one digest erase the same."""
        parts = [self.kind, *map(str, (*sorted(self.residents), *sorted(self.events)))]
        return hashlib.sha256("\n".join([*parts, *map(str, sorted(self.held))]).encode()).digest()


async def plan_person(conn: Conn, opener: Opener, person: UUID) -> Plan:
    """One person under all their ids."""
    ids = [row["id"] for row in await _rows(conn, "one_person", person=person)]
    return await _plan(conn, opener, "person", ids)


async def plan_campaign(conn: Conn, opener: Opener, round: UUID | None = None) -> Plan:
    """Everybody, or whoever was swabbed in one round and no other. Raises RoundsOpen."""
    if found := await _rows(conn, "open_rounds", round=round):
        raise RoundsOpen(rounds=", ".join(row["name"] for row in found))
    name = "people_of_round" if round else "everybody"
    ids = [row["id"] for row in await _rows(conn, name, round=round)]
    return await _plan(conn, opener, "campaign", ids, round=round)


async def plan_expired(conn: Conn, opener: Opener, at: datetime) -> Plan:
    """Everybody, where the campaign ended so long ago that identities are due; else nobody."""
    due = await identities_due(conn, at)
    ids = [row["id"] for row in await _rows(conn, "everybody")] if due else []
    return await _plan(conn, opener, "expired", ids)


async def _plan(
    conn: Conn, opener: Opener, kind: Kind, ids: Sequence[UUID], *, round: UUID | None = None
) -> Plan:
    residents = uuid_array(ids)
    (counts,) = await _rows(conn, "counts", residents=residents)
    events = await _rows(conn, "personal_events", residents=residents)
    held = await _held(conn, opener, ids) if ids else ()
    for row in events:
        name = f"ledger.event {row['type']}"
        counts[name] = counts.get(name, 0) + 1
    counts["ledger.inbox"] = len(held)
    kept: dict[str, int] = {}
    if 0 < len(ids) <= COUNTED_LIMIT:
        (kept,) = await _rows(conn, "kept", residents=residents)
    return Plan(
        kind, tuple(sorted(ids)), tuple(row["id"] for row in events), tuple(held), round,
        counts, kept,
    )  # fmt: skip


async def _held(conn: Conn, opener: Opener, ids: Sequence[UUID]) -> Sequence[UUID]:
    """Held items that are theirs: an id, number or phone of theirs is in it, or a name nobody else
    bears. Of so many people that a search would take for ever, every item is."""
    theirs: list[UUID] = []
    everything = len(ids) > COUNTED_LIMIT
    marks = [] if everything else await _marks(conn, opener, ids)
    async for item, sealed in _inbox(conn):
        if everything or any(mark in _readable(opener(sealed)) for mark in marks):
            theirs.append(item)
    return theirs


async def _marks(conn: Conn, opener: Opener, ids: Sequence[UUID]) -> list[str]:
    marks = [str(one) for one in ids]
    for row in await _rows(conn, "known_by", residents=uuid_array(ids)):
        marks += [opener(row[name]).decode() for name in ("number", "phone") if row[name]]
        if row["namesakes"] == 0:
            marks.append(row["name"])
    return [_readable(mark.encode()) for mark in marks]


def _readable(raw: bytes) -> str:
    """Bytes as text to be searched: JSON's escapes read, without what stands between digits."""
    text = raw.decode(errors="replace")
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), text)
    return re.sub(r"[\s·-]", "", text).casefold()


async def _inbox(conn: Conn) -> AsyncIterator[tuple[UUID, bytes]]:
    after = UUID(int=0)
    while found := await _rows(conn, "held", after=after):
        for row in found:
            yield row["id"], row["sealed"]
        after = found[-1]["id"]


# --- two people


async def request(conn: Conn, plan: Plan, *, by: str, at: datetime) -> UUID:
    """Keep the wish to erase what the plan says, for another account to confirm."""
    made = uuid7()
    await _run(
        conn, "add_request", request=made, kind=plan.kind, round=plan.round,
        residents=uuid_array(plan.residents), plan=Jsonb(plan.counts), digest=plan.digest(),
        by=by, at=at,
    )  # fmt: skip
    return made


async def requests(conn: Conn) -> list[dict[str, Any]]:
    return await _rows(conn, "requests")


async def confirmed(
    conn: Conn, opener: Opener, request: UUID, *, by: str, at: datetime
) -> tuple[Plan, dict[str, Any]]:
    """The plan of a request, confirmed now by a second account, and the request. One that was
    interrupted goes on. Raises RequestUnknown, SecondPersonNeeded, PlanChanged."""
    found = await _rows(conn, "request", request=request)
    if not found or found[0]["done_at"]:
        raise RequestUnknown(request=request)
    (kept,) = found
    if kept["requested_by"] == by:
        raise SecondPersonNeeded()
    fresh = kept["confirmed_at"] is None
    plan = await _again(conn, opener, kept)
    days = timedelta(days=ERASURE_REQUEST_DAYS)
    if fresh and (plan.digest() != kept["digest"] or at - kept["requested_at"] > days):
        raise PlanChanged(days=ERASURE_REQUEST_DAYS)
    if not await _rows(conn, "confirm", request=request, by=by, at=at):
        raise RequestUnknown(request=request)
    return plan, kept | {"confirmed_by": by, "confirmed_at": kept["confirmed_at"] or at}


async def _again(conn: Conn, opener: Opener, kept: dict[str, Any]) -> Plan:
    if kept["kind"] == "person" or kept["confirmed_at"]:
        return await _plan(conn, opener, kept["kind"], kept["residents"], round=kept["round"])
    if kept["kind"] == "campaign":
        return await plan_campaign(conn, opener, kept["round"])
    return await plan_expired(conn, opener, kept["requested_at"])


async def finish(conn: Conn, request: UUID, proof: dict[str, Any], at: datetime) -> None:
    await _run(conn, "finish", request=request, proof=Jsonb(proof), at=at)


# --- the doing


async def erase(
    conn: Conn, door: Door, plan: Plan, *, file: Path, actor: str, at: datetime,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> None:  # fmt: skip
    """Erase what the plan says, in chunks; done again it goes on where it was interrupted. `file` is
    the erasure list. The connection must be in autocommit."""
    subjects = await _subjects(conn, plan.events)
    first = True
    for start in range(0, len(plan.residents), CHUNK):
        people = plan.residents[start : start + CHUNK]
        events = [event for one in people for event in subjects.get(one, ())]
        held, first = (plan.held if first else ()), False
        erasures.append(file, erasures.Erased(at, people, (*events, *held)))
        await _delete(conn, people, (*events, *held))
        for begin in range(0, len(events), CHUNK):
            await redact(conn, door, events[begin : begin + CHUNK], actor=actor, reason="erasure")
        progress(start + len(people), len(plan.residents))


async def sweep(conn: Conn, door: Door, *, file: Path, actor: str, at: datetime) -> int:
    """Empty what was still sent about people erased before: how many events. Each is looked at once."""
    seq = (await head(conn))["seq"]
    late = await _rows(conn, "late_events", head=seq)
    for start in range(0, len(late), CHUNK):
        part = late[start : start + CHUNK]
        people, events = (tuple({row[name] for row in part}) for name in ("subject", "id"))
        erasures.append(file, erasures.Erased(at, people, events))
        await redact(conn, door, events, actor=actor, reason="erasure")
    await _run(conn, "looked_until", head=seq, at=at)
    return len(late)


async def _subjects(conn: Conn, events: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = {}
    cursor = await conn.execute(
        b"SELECT subject, id FROM ledger.event WHERE id = ANY (%s::uuid[]) ORDER BY seq",
        [uuid_array(events)],
    )
    async for subject, event in cursor:
        found.setdefault(subject, []).append(event)
    return found


async def _delete(conn: Conn, people: Sequence[UUID], events: Sequence[UUID]) -> None:
    values = {"residents": uuid_array(people), "events": uuid_array(events)}
    async with conn.transaction():
        accounts = [row["account"] for row in await _rows(conn, "own_accounts", **values)]
        for table in CREDENTIALS if accounts else ():
            sql = f"DELETE FROM credential.{table} WHERE account = ANY (%s)"
            await conn.execute(sql.encode(), [accounts])
        for name in (
            "mark_erased", "erase_notes", "erase_held", "erase_imports", "erase_search",
            "erase_identities",
        ):  # fmt: skip
            await _run(conn, name, **values)


async def head(conn: Conn) -> dict[str, Any]:
    """The end of the chain: batch, seq, hash."""
    found = await _rows(conn, "head")
    return found[0] if found else {"batch": 0, "seq": 0, "hash": ""}


async def _run(conn: Conn, name: str, **values: Any) -> None:
    await conn.execute(query("muster.keeping", name, "erasing.sql").encode(), values)


async def _rows(conn: Conn, name: str, **values: Any) -> list[dict[str, Any]]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query("muster.keeping", name, "erasing.sql").encode(), values)
        return await cursor.fetchall()
