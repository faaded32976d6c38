"""Within one transaction of the door: refresh what is touched, run the rules, and again for what they
add, until nothing is missing.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from muster.config import RULE_DEPTH_LIMIT
from muster.core.ids import derived
from muster.core.log import error_facts, logger
from muster.core.sqlfile import query
from muster.ledger.event import ENVELOPE, Body, Event, body_bytes, canonical, digest, salts
from muster.ledger.projection import Catalogue, Projection, Rule, Touched

INSERT_EVENTS = query("muster.ledger", "insert_events").encode()
_BREAKS = (
    psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError, psycopg.InternalError,
)  # fmt: skip


class Step:
    """`settle` the touched keys; `followed` counts the events that rules added."""

    def __init__(self, catalogue: Catalogue, conn: psycopg.AsyncConnection[Any]) -> None:
        self.catalogue, self.conn = catalogue, conn
        self.followed = 0

    async def settle(self, touched: Touched, at: datetime) -> None:
        for _ in range(RULE_DEPTH_LIMIT):
            consequences, spilled = await self._round(touched)
            while spilled:  # rows left a key that no event names: its rows and rules too
                touched.add(spilled)
                consequences, spilled = await self._round(touched)
            events = [consequence(rule, row, at) for rule, row in consequences]
            if events:
                inserted = await self.conn.execute(INSERT_EVENTS, as_rows(event_rows(events)))
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
        async with self.conn.pipeline():
            deletions = [
                (projection, await self._refresh(projection, keys))
                for projection in self.catalogue.immediate
                if projection.touched and touched.any([projection.touched])
            ]
            found = [
                (rule, await self._run_rule(rule, keys))
                for rule in self.catalogue.rules
                if not rule.clock and touched.any(rule.kinds)
            ]
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


class CarefulStep(Step):
    """For one event that breaks something: each view and rule in a savepoint, failures listed."""

    def __init__(
        self, catalogue: Catalogue, conn: psycopg.AsyncConnection[Any], event: Event
    ) -> None:
        super().__init__(catalogue, conn)
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
        except _BREAKS as error:
            await self.stall(name, error)
            return None

    async def stall(self, view: str, error: psycopg.Error) -> None:
        facts = error_facts(error)
        logger.error("stalled", subject=str(self.event.subject), view=view, **facts)
        await self.conn.execute(
            query("muster.ledger", "stall").encode(),
            [self.event.subject, view, self.event.id, " ".join(facts.values())],
        )


def consequence(rule: Rule, row: Any, at: datetime) -> Event:
    """The event a rule's row (subject, cause, key, body) asks for; same key and cause, same id."""
    subject, cause, key, body = row
    told = msgspec.convert(body, Body.types[rule.emits], strict=False)
    id_, actor = derived(rule.name, key, cause), f"rule:{rule.name}"
    return Event(id_, rule.emits, subject, at, at, at, actor, told, cause=cause)


def event_rows(events: Sequence[Event]) -> Iterator[bytes]:
    """Each event as the JSON row that `insert_events` reads, salted and digested."""
    for event, salt in zip(events, salts(len(events)), strict=True):
        body = body_bytes(event.body)
        yield msgspec.json.encode(
            {
                **{name: getattr(event, name) for name in ENVELOPE},
                "salt": f"\\x{salt.hex()}",
                "digest": f"\\x{digest(salt, canonical(event, body)).hex()}",
                "body": msgspec.Raw(body),
            }
        )  # fmt: skip


def as_rows(rows: Iterable[bytes]) -> dict[str, str]:
    return {"rows": f"[{b','.join(rows).decode()}]"}
