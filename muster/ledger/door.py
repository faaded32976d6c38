"""The door: the one place that writes events. Concurrent uploads share a transaction: take the lock,
insert once, refresh the touched rows, run the rules until nothing is missing, chain the batch,
commit, answer.

If a view or a rule fails, the events are retried by halves until the offending ones are alone; those
are stored, their subjects listed as stalled, and nobody else's upload fails.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol
from uuid import UUID

import msgspec
import psycopg
from psycopg import errors
from psycopg.rows import tuple_row

from muster.config import (
    QUEUE_WEIGHT_LIMIT,
    RETRY_AFTER_SECONDS,
    RULE_DEPTH_LIMIT,
    TRANSACTION_WEIGHT_LIMIT,
)
from muster.core.clock import now
from muster.core.ids import derived
from muster.core.log import error_facts, logger
from muster.core.problems import Problem
from muster.ledger.event import Body, Event, body_bytes, canonical, digest, salts
from muster.ledger.projection import Catalogue, Projection, Rule, Touched

LOCK = 0x6D7573746572  # "muster"
Answer = Literal["stored", "known", "reused", "unstorable"]

# Array parameters look small to the planner and tables may be empty when a plan is made: the door
# always wants the index, and never to plan a view again.
DOOR_OPTIONS = (
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off "
    "-c enable_mergejoin=off -c enable_material=off -c max_parallel_workers_per_gather=0 "
    "-c jit=off -c idle_in_transaction_session_timeout=10s "
    "-c statement_timeout=60s"
)

_INSERT = """
INSERT INTO ledger.event (seq, id, type, v, subject, at, device_at, offset_ms, received_at,
    actor, device, device_seq, cause, salt, digest, body)
SELECT (SELECT coalesce(max(seq), 0) FROM ledger.event) + row_number() OVER (ORDER BY x.ordinality),
    x.id, x.type, x.v, x.subject, x.at, x.device_at, x.offset_ms, x.received_at,
    x.actor, x.device, x.device_seq, x.cause, x.salt, x.digest, x.body
FROM ROWS FROM (jsonb_to_recordset(%(rows)s::jsonb) AS (id uuid, type text, v smallint,
    subject uuid, at timestamptz, device_at timestamptz, offset_ms bigint,
    received_at timestamptz, actor text, device text, device_seq bigint, cause uuid,
    salt bytea, digest bytea, body jsonb)) WITH ORDINALITY AS x
WHERE NOT EXISTS (SELECT FROM ledger.event e WHERE e.id = x.id)
RETURNING id
"""
_BATCH = """
WITH head AS (
    SELECT id, last_seq, hash FROM ledger.batch ORDER BY id DESC LIMIT 1
), added AS (
    SELECT min(seq) AS first_seq, max(seq) AS last_seq,
        string_agg(digest, ''::bytea ORDER BY seq) AS digests
    FROM ledger.event WHERE seq > coalesce((SELECT last_seq FROM head), 0)
)
INSERT INTO ledger.batch (id, first_seq, last_seq, committed_at, hash)
SELECT coalesce((SELECT id FROM head), 0) + 1, first_seq, last_seq, %(now)s,
    sha256(coalesce((SELECT hash FROM head), ''::bytea)
        || int8send(coalesce((SELECT id FROM head), 0) + 1)
        || int8send(first_seq) || int8send(last_seq) || digests)
FROM added WHERE first_seq IS NOT NULL
RETURNING id, last_seq, hash
"""
_STORED = """
SELECT id, type, v, subject, at, device_at, offset_ms, received_at, actor, device, device_seq,
    cause, salt, digest FROM ledger.event WHERE id = ANY (%s)
"""


class StorageUnavailable(Problem):
    """The database cannot store anything at the moment ({reason}). Nothing that was acknowledged is
    lost; keep what you have and send it again in {seconds} seconds."""

    zh = "数据库暂时无法写入（{reason}）。已确认的数据没有丢失；请保留待发数据，{seconds} 秒后重发。"
    status = 503


class TooBusy(Problem):
    """More uploads are waiting than the server accepts. Keep yours and send it again in {seconds}
    seconds."""

    zh = "排队的上传过多。请保留待发数据，{seconds} 秒后重发。"
    status = 503


class Vault(Protocol):
    """What the door asks of the vault: how identities and notes are put away."""

    put_sql: ClassVar[str]
    note_sql: ClassVar[str]

    def put(self, event: Event) -> bytes | None: ...
    def put_note(self, event: Event) -> bytes | None: ...


@dataclass(frozen=True)
class Head:
    """The end of the chain: batch number, last event's seq, hash."""

    batch: int = 0
    seq: int = 0
    hash: str = ""


@dataclass(frozen=True, slots=True)
class _Ready:
    """An event with its rows made: that is done while the transaction before it runs."""

    event: Event
    row: bytes
    identity: bytes | None
    note: bytes | None


@dataclass
class _Upload:
    events: list[_Ready]
    weight: int
    done: asyncio.Future[list[Answer]]


@dataclass
class Door:
    """Open it with `async with`; `append` may be called by any number of tasks at once."""

    conninfo: str
    catalogue: Catalogue
    vault: Vault
    head: Head = Head()
    commits: int = 0
    stored: int = 0
    _queue: list[_Upload] = field(default_factory=list)
    _unstorable: set[UUID] = field(default_factory=set)
    _waiting: int = 0
    _planned: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _conn: psycopg.AsyncConnection[Any] | None = None
    _task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Door":
        self._task = asyncio.create_task(self._run(), name="door")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task
        while self._queue:
            await asyncio.sleep(0.01)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._conn:
            await self._conn.close()

    async def append(self, events: Sequence[Event]) -> list[Answer]:
        """Store events; one answer each, in order, after they are durable.

        Raises StorageUnavailable or TooBusy; then nothing is known to be stored, and sending the
        same events again is right.
        """
        uploads = []
        loop = asyncio.get_running_loop()
        for piece in _pieces(events):
            weight = sum(event.body.weight() for event in piece)
            if self._waiting + weight > QUEUE_WEIGHT_LIMIT:
                raise TooBusy(seconds=RETRY_AFTER_SECONDS)
            ready = []
            for event, row in zip(piece, event_rows(piece), strict=True):
                ready.append(_Ready(event, row, self.vault.put(event), self.vault.put_note(event)))
                if len(ready) % 10 == 0:
                    await asyncio.sleep(0)  # a large batch must not hold up the one at work
            upload = _Upload(ready, weight, loop.create_future())
            self._waiting += weight
            self._queue.append(upload)
            uploads.append(upload)
        self._wake.set()
        answers = await asyncio.gather(*(upload.done for upload in uploads), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return [one for answer in answers if not isinstance(answer, BaseException) for one in answer]

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._serve(self._take())

    def _take(self) -> list[_Upload]:
        taken, weight = 0, 0
        for upload in self._queue:
            if taken and weight + upload.weight > TRANSACTION_WEIGHT_LIMIT:
                break
            taken, weight = taken + 1, weight + upload.weight
        uploads, self._queue = self._queue[:taken], self._queue[taken:]
        self._waiting -= weight
        return uploads

    async def _serve(self, uploads: list[_Upload]) -> None:
        """Commit the uploads together and answer each; an error answers all, the door stays open."""
        try:
            unique: dict[UUID, _Ready] = {}
            for upload in uploads:
                for ready in upload.events:
                    unique.setdefault(ready.event.id, ready)
            fresh = await self._store(list(unique.values()))
            repeated = [
                ready.event
                for upload in uploads
                for ready in upload.events
                if ready.event.id not in fresh or unique[ready.event.id] is not ready
            ]
            changed = await self._changed(repeated) if repeated else set()
            answered: set[UUID] = set()
            for upload in uploads:
                answers: list[Answer] = []
                for event in (ready.event for ready in upload.events):
                    if event.id in self._unstorable:
                        answers.append("unstorable")
                    elif event.id in fresh and event.id not in answered:
                        answers.append("stored")
                    else:
                        answers.append("reused" if id(event) in changed else "known")
                    answered.add(event.id)
                if not upload.done.done():
                    upload.done.set_result(answers)
            self._unstorable.clear()
        except BaseException as error:
            problem = error
            if isinstance(error, psycopg.Error):
                logger.warning("door_unavailable", **error_facts(error))
                problem = StorageUnavailable(
                    reason=_reason(error), seconds=RETRY_AFTER_SECONDS
                ).with_traceback(error.__traceback__)
            for upload in uploads:
                if not upload.done.done():
                    upload.done.set_exception(problem)
            if isinstance(error, asyncio.CancelledError):
                raise

    async def _store(self, events: list[_Ready]) -> set[UUID]:
        """Commit events, by halves where some break a view; the ids that were new."""
        for attempt in (1, 2, 3):
            try:
                return await self._transaction(events)
            except (errors.SerializationFailure, errors.DeadlockDetected, errors.FeatureNotSupported):
                # FeatureNotSupported: a table was swapped under a prepared statement.
                if attempt == 3:
                    raise
                await self._reconnect()
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                broken = self._conn is None or self._conn.broken
                await self._reconnect()
                if attempt == 1 and broken and not isinstance(error, errors.DiskFull):
                    continue  # the server was restarted between two uploads: nothing was sent yet
                raise
            except psycopg.Error as error:
                if len(events) == 1:
                    return await self._alone(events)
                logger.warning("door_halves", events=len(events), **error_facts(error))
                middle = len(events) // 2
                return await self._store(events[:middle]) | await self._store(events[middle:])
        raise AssertionError("unreachable")

    async def _alone(self, events: list[_Ready]) -> set[UUID]:
        try:
            return await self._transaction(events, careful=True)
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
            logger.error("unstorable", id=str(events[0].event.id), **error_facts(error))
            self._unstorable.add(events[0].event.id)
            return set()

    async def _transaction(self, events: list[_Ready], *, careful: bool = False) -> set[UUID]:
        conn = await self._connection()
        at = now()
        head = None
        async with conn.transaction():
            async with conn.pipeline():
                await conn.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
                inserted = await conn.execute(_INSERT, _json(ready.row for ready in events))
                for sql, kept in (
                    (self.vault.put_sql, [ready.identity for ready in events if ready.identity]),
                    (self.vault.note_sql, [ready.note for ready in events if ready.note]),
                ):
                    if kept:
                        await conn.execute(sql, _json(kept))
            fresh = {row[0] for row in await inserted.fetchall()}
            step = _Careful(self, conn, events[0].event) if careful else _Step(self, conn)
            await step.settle(Touched.by(ready.event for ready in events), at)
            if fresh or step.followed:
                head = await (await conn.execute(_BATCH, {"now": at})).fetchone()
        if head:
            self.head = Head(head[0], head[1], head[2].hex())
            self.commits += 1
            self.stored += len(fresh) + step.followed
            if self.head.seq > 2 * self._planned:  # plans made for a tenth of the rows read all
                self._planned = self.head.seq
                await conn.execute("DISCARD PLANS")
        return fresh

    async def _changed(self, events: list[Event]) -> set[int]:
        """Which of these already stored events differ from what is stored, by `id()`."""
        conn = await self._connection()
        rows = await (await conn.execute(_STORED, [list({e.id for e in events})])).fetchall()
        names = [name.strip() for name in _STORED.split("SELECT")[1].split("FROM")[0].split(",")]
        stored = {row[0]: msgspec.defstruct("Stored", names)(*row) for row in rows}
        changed = set()
        for event in events:
            kept: Any = stored.get(event.id)
            if kept is None or kept.salt is None:
                continue  # redacted since: there is nothing left to compare with
            mine: Any = msgspec.structs.replace(
                kept, type=event.type, v=event.v, subject=event.subject, actor=event.actor,
                device_at=event.device_at, device=event.device, device_seq=event.device_seq,
                cause=event.cause,
            )  # fmt: skip
            if digest(kept.salt, canonical(mine, body_bytes(event.body))) != kept.digest:
                changed.add(id(event))
        return changed

    async def _connection(self) -> psycopg.AsyncConnection[Any]:
        if self._conn is None or self._conn.closed:
            self._conn = await psycopg.AsyncConnection.connect(
                self.conninfo, autocommit=True, options=DOOR_OPTIONS, connect_timeout=10,
                row_factory=tuple_row, prepare_threshold=1, application_name="muster door",
            )  # fmt: skip
        return self._conn

    async def _reconnect(self) -> None:
        if self._conn:
            await self._conn.close()
        self._conn = None


class _Step:
    """Within one transaction: refresh what is touched, run the rules, and again for what they add."""

    def __init__(self, door: Door, conn: psycopg.AsyncConnection[Any]) -> None:
        self.catalogue, self.conn, self.vault = door.catalogue, conn, door.vault
        self.followed = 0

    async def settle(self, touched: Touched, at: datetime) -> None:
        for _ in range(RULE_DEPTH_LIMIT):
            consequences, spilled = await self._round(touched)
            while spilled:  # rows left a key that no event names: its rows and rules too
                touched.add(spilled)
                consequences, spilled = await self._round(touched)
            events = [consequence(rule, row, at) for rule, row in consequences]
            if events:
                inserted = await self.conn.execute(_INSERT, _json(event_rows(events)))
                fresh = {row[0] for row in await inserted.fetchall()}
                self.followed += len(fresh)
                events = [event for event in events if event.id in fresh]
            if not events:
                return
            touched = Touched.by(events)
        logger.error("rules_do_not_settle", depth=RULE_DEPTH_LIMIT)
        await self._give_up(psycopg.DataError("the rules do not settle"))

    async def _round(self, touched: Touched) -> tuple[list[tuple[Rule, Any]], list[Any]]:
        for widening in self.catalogue.widenings:
            if touched.any([widening.when]):
                rows = await self.conn.execute(widening.sql, touched.parameters())
                touched.add([(widening.into, row[0]) for row in await rows.fetchall()])
        keys = touched.parameters()
        deletions: list[tuple[Projection, Any]] = []
        found: list[tuple[Rule, Any]] = []
        async with self.conn.pipeline():
            for projection in self.catalogue.immediate:
                if projection.touched and touched.any([projection.touched]):
                    deletions.append((projection, await self._refresh(projection, keys)))
            for rule in self.catalogue.rules:
                if not rule.clock and touched.any(rule.kinds):
                    found.append((rule, await self._run_rule(rule, keys)))
        spilled = []
        for projection, deletion in deletions:
            if projection.spills and deletion is not None:
                values = {row[0] for row in await deletion.fetchall()}
                spilled += touched.new(projection.spills, values)
        rows = [(rule, row) for rule, run in found if run for row in await run.fetchall()]
        return rows, spilled

    async def _give_up(self, error: psycopg.Error) -> None:
        raise error

    async def _refresh(self, projection: Projection, keys: dict[str, Any]) -> Any:
        deletion = await self.conn.execute(projection.delete(), keys)
        await self.conn.execute(projection.insert(), keys)
        return deletion

    async def _run_rule(self, rule: Rule, keys: dict[str, Any]) -> Any:
        return await self.conn.execute(rule.sql, keys)


class _Careful(_Step):
    """For one event that breaks something: each view and rule in a savepoint, failures listed."""

    def __init__(self, door: Door, conn: psycopg.AsyncConnection[Any], event: Event) -> None:
        super().__init__(door, conn)
        self.event = event

    async def _refresh(self, projection: Projection, keys: dict[str, Any]) -> Any:
        return await self._try(projection.name, super()._refresh, projection, keys)

    async def _run_rule(self, rule: Rule, keys: dict[str, Any]) -> Any:
        return await self._try(rule.name, super()._run_rule, rule, keys)

    async def _give_up(self, error: psycopg.Error) -> None:
        await self.stall("rules", error)

    async def _try(self, name: str, run: Any, *arguments: Any) -> Any:
        try:
            async with self.conn.transaction():
                return await run(*arguments)
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError,
                psycopg.InternalError) as error:  # fmt: skip
            await self.stall(name, error)
            return None

    async def stall(self, view: str, error: psycopg.Error) -> None:
        facts = error_facts(error)
        logger.error("stalled", subject=str(self.event.subject), view=view, **facts)
        await self.conn.execute(
            "INSERT INTO ledger.stalled VALUES (%s, %s, %s, %s, now())"
            " ON CONFLICT (subject, view) DO UPDATE SET event = excluded.event",
            [self.event.subject, view, self.event.id, " ".join(facts.values())],
        )


def consequence(rule: Rule, row: Any, at: datetime) -> Event:
    """The event a rule's row (subject, cause, key, body) asks for; same key and cause, same id."""
    subject, cause, key, body = row
    return Event(
        id=derived(rule.name, key, cause),
        type=rule.emits,
        subject=subject,
        at=at,
        device_at=at,
        received_at=at,
        actor=f"rule:{rule.name}",
        body=msgspec.convert(body, Body.types[rule.emits], strict=False),
        cause=cause,
    )


def event_rows(events: Sequence[Event]) -> Iterator[bytes]:
    """Each event as the JSON row that _INSERT reads, salted and digested."""
    for event, salt in zip(events, salts(len(events)), strict=True):
        body = body_bytes(event.body)
        yield msgspec.json.encode(
            {
                "id": event.id, "type": event.type, "v": event.v,
                "subject": event.subject, "at": event.at, "device_at": event.device_at,
                "offset_ms": event.offset_ms, "received_at": event.received_at,
                "actor": event.actor, "device": event.device, "device_seq": event.device_seq,
                "cause": event.cause, "salt": f"\\x{salt.hex()}",
                "digest": f"\\x{digest(salt, canonical(event, body)).hex()}",
                "body": msgspec.Raw(body),
            }
        )  # fmt: skip


def _json(rows: Iterable[bytes]) -> dict[str, str]:
    return {"rows": f"[{b','.join(rows).decode()}]"}


def _pieces(events: Sequence[Event]) -> list[list[Event]]:
    pieces: list[list[Event]] = []
    weight = TRANSACTION_WEIGHT_LIMIT
    for event in events:
        if weight + event.body.weight() > TRANSACTION_WEIGHT_LIMIT:
            pieces.append([])
            weight = 0
        pieces[-1].append(event)
        weight += event.body.weight()
    return pieces


def _reason(error: psycopg.Error) -> str:
    if isinstance(error, errors.DiskFull):
        return "the disk is full"
    return "the connection was lost" if error.sqlstate is None else type(error).__name__
