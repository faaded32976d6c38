"""The door: the one place that writes events. Concurrent uploads share a transaction: take the lock,
insert once, refresh the touched rows, run the rules until nothing is missing, chain the batch,
commit, answer.

If a view or a rule fails, the events are retried by halves until the offending ones are alone; those
are stored, their subjects listed as stalled, and nobody else's upload fails.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol
from uuid import UUID

import psycopg
from psycopg import errors
from psycopg.rows import namedtuple_row, tuple_row

from muster.config import DOOR_OPTIONS, QUEUE_WEIGHT_LIMIT, TRANSACTION_WEIGHT_LIMIT
from muster.config import RETRY_AFTER_SECONDS as RETRY
from muster.core.clock import now
from muster.core.log import error_facts, logger
from muster.core.problems import Problem, StorageUnavailable, TooBusy
from muster.core.sqlfile import query
from muster.core.tasks import end
from muster.ledger.event import ENVELOPE, OURS, Event, body_bytes, canonical, digest
from muster.ledger.projection import Catalogue, Touched
from muster.ledger.settle import INSERT_EVENTS, CarefulStep, Step, as_rows, event_rows

_BATCH, _STORED = (query("muster.ledger", name).encode() for name in ("insert_batch", "stored"))
LOCK = 0x6D7573746572  # "muster"
Answer = Literal["stored", "known", "reused", "unstorable"] | Problem


class Vault(Protocol):
    """What the door asks of the vault: how identities and notes are put away."""

    put_sql: ClassVar[str]
    note_sql: ClassVar[str]

    def put(self, event: Event) -> bytes | None: ...
    def put_note(self, event: Event) -> bytes | None: ...


# Whether senders may send these events: the problems of those that may not, by event id.
Gate = Callable[
    [psycopg.AsyncConnection[Any], Sequence[tuple[Any, Event]]], Awaitable[dict[UUID, Problem]]
]


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
    sender: Any


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
    gate: Gate | None = None
    options: str = DOOR_OPTIONS
    head: Head = Head()
    commits: int = 0
    stored: int = 0
    _queue: list[_Upload] = field(default_factory=list)
    _refused: dict[UUID, Answer] = field(default_factory=dict)
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
        await end(self._task)
        if self._conn:
            await self._conn.close()

    async def append(self, events: Sequence[Event], *, sender: Any = None) -> list[Answer]:
        """Store events; one answer each, in order, after they are durable. What a `sender` sends passes
        the gate, and a Problem answers what is not let through; without one it is Muster's own.

        Raises StorageUnavailable or TooBusy; then nothing is known to be stored, and sending the
        same events again is right.
        """
        uploads = []
        loop = asyncio.get_running_loop()
        for piece in _pieces(events):
            weight = sum(event.body.weight() for event in piece)
            if self._waiting + weight > QUEUE_WEIGHT_LIMIT:
                raise TooBusy(seconds=RETRY)
            ready = []
            for event, row in zip(piece, event_rows(piece), strict=True):
                identity, note = self.vault.put(event), self.vault.put_note(event)
                ready.append(_Ready(event, row, identity, note, sender))
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
        return [
            one for answer in answers if not isinstance(answer, BaseException) for one in answer
        ]

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._serve(self._take())

    def _take(self) -> list[_Upload]:
        taken, weight, ids = 0, 0, set[UUID]()
        for upload in self._queue:
            mine = {ready.event.id for ready in upload.events}
            # One id from two senders: each is judged by itself, the second against what is stored.
            if taken and (weight + upload.weight > TRANSACTION_WEIGHT_LIMIT or ids & mine):
                break
            taken, weight, ids = taken + 1, weight + upload.weight, ids | mine
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
                if (ready.event.id not in fresh or unique[ready.event.id] is not ready)
                and ready.event.id not in self._refused
            ]
            changed = await self._changed(repeated) if repeated else set()
            answered: set[UUID] = set()
            for upload in uploads:
                answers: list[Answer] = []
                for event in (ready.event for ready in upload.events):
                    if refusal := self._refused.get(event.id):
                        answers.append(refusal)
                    elif event.id in fresh and event.id not in answered:
                        answers.append("stored")
                    else:
                        answers.append("reused" if id(event) in changed else "known")
                    answered.add(event.id)
                if not upload.done.done():
                    upload.done.set_result(answers)
        except BaseException as error:
            problem = error
            if isinstance(error, psycopg.Error):
                logger.warning("door_unavailable", **error_facts(error))
                problem = StorageUnavailable(reason=_reason(error), seconds=RETRY).with_traceback(
                    error.__traceback__
                )
            for upload in uploads:
                if not upload.done.done():
                    upload.done.set_exception(problem)
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            self._refused.clear()

    async def _store(self, events: list[_Ready]) -> set[UUID]:
        """Commit events, by halves where some break a view; the ids that were new."""
        for attempt in (1, 2, 3):
            try:
                return await self._transaction(events)
            except (
                errors.SerializationFailure,
                errors.DeadlockDetected,
                errors.FeatureNotSupported,
            ):
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
            self._refused[events[0].event.id] = "unstorable"
            return set()

    async def _transaction(self, events: list[_Ready], *, careful: bool = False) -> set[UUID]:
        conn = await self._connection()
        at = now()
        head = None
        async with conn.transaction():
            await conn.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            events = await self._let_through(conn, events)
            if not events:
                return set()
            async with conn.pipeline():
                inserted = await conn.execute(INSERT_EVENTS, as_rows(ready.row for ready in events))
                for sql, kept in (
                    (self.vault.put_sql, [ready.identity for ready in events if ready.identity]),
                    (self.vault.note_sql, [ready.note for ready in events if ready.note]),
                ):
                    if kept:
                        await conn.execute(sql.encode(), as_rows(kept))
            fresh = {row[0] for row in await inserted.fetchall()}
            step = (
                CarefulStep(self.catalogue, conn, events[0].event)
                if careful
                else Step(self.catalogue, conn)
            )
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

    async def _let_through(
        self, conn: psycopg.AsyncConnection[Any], events: list[_Ready]
    ) -> list[_Ready]:
        sent = [(ready.sender, ready.event) for ready in events if ready.sender is not None]
        refused = await self.gate(conn, sent) if self.gate and sent else {}
        self._refused |= refused
        return [ready for ready in events if ready.event.id not in refused]

    async def _changed(self, events: list[Event]) -> set[int]:
        """Which of these already stored events differ from what is stored, by `id()`."""
        conn = await self._connection()
        async with conn.cursor(row_factory=namedtuple_row) as cursor:
            await cursor.execute(_STORED, [list({event.id for event in events})])
            rows: list[Any] = await cursor.fetchall()
        stored = {kept.id: kept for kept in rows}
        changed = set()
        for event in events:
            kept = stored.get(event.id)
            if kept is None or kept.salt is None:
                continue  # redacted since: there is nothing left to compare with
            sent = {name: getattr(event, name) for name in ENVELOPE if name not in OURS}
            content = canonical(kept._replace(**sent), body_bytes(event.body))
            if digest(kept.salt, content) != kept.digest:
                changed.add(id(event))
        return changed

    async def _connection(self) -> psycopg.AsyncConnection[Any]:
        if self._conn is None or self._conn.closed:
            self._conn = await psycopg.AsyncConnection.connect(
                self.conninfo, autocommit=True, options=self.options, connect_timeout=10,
                row_factory=tuple_row, prepare_threshold=1, application_name="muster door",
            )  # fmt: skip
        return self._conn

    async def _reconnect(self) -> None:
        if self._conn:
            await self._conn.close()
        self._conn = None


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
