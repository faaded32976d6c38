"""What a command post sees, computed once for all who may see the same, and sent to them as it moves.

Who may ask for an area sees all its sums, so the overview of a round and an area is the same for
everybody; alarms differ by what one may see, not by who one is. A group of viewers that share both gets
the same bytes.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import msgspec

from muster.access.engine.scope import Scope
from muster.config import (
    ALARMS_OLD_SECONDS,
    ALARMS_SECONDS,
    LIVE_CHECK_SECONDS,
    LIVE_GROUPS_LIMIT,
    LIVE_LATEST_SECONDS,
    LIVE_REST,
    LIVE_SECONDS,
    LIVE_STREAMS_LIMIT,
    OVERVIEW_SECONDS,
    RETRY_AFTER_SECONDS,
)
from muster.core.clock import now
from muster.core.log import error_facts, logger
from muster.core.problems import Problem
from muster.core.rows import row
from muster.coverage import queries
from muster.coverage.overview import Overview, overview
from muster.instance import Instance

HEARTBEAT = b": still here\n\n"
OVER = b"event: over\ndata: {}\n\n"  # one may not see this any more: do not come back by yourself


class TooManyViewers(Problem):
    """The server sends live figures to as many viewers as it can. Ask for them from time to time
    instead; try again in {seconds} seconds."""

    zh = "实时数据的观看者已达上限，请改为定时刷新，或 {seconds} 秒后重试。"
    status = 503


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """The overview, and what in it and beside it a person must look at; None: one may not see alarms."""

    overview: Overview
    alarms: list[queries.Alarm] | None


@dataclass(frozen=True)
class View:
    """What a group of viewers sees. `scope`: of whose alarms; None where they see none."""

    round: UUID
    area: UUID
    scope: Scope | None


@dataclass
class _Group:
    """Viewers of one view, and what was sent to them last."""

    viewers: int = 0
    number: int = 0
    message: bytes = b""
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Glances:
    """Overviews and alarms, each computed at most once in a moment however many ask."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._known: dict[Hashable, tuple[float, asyncio.Future[Any]]] = {}
        self._groups: dict[View, _Group] = {}
        self._streams = 0
        self._over = False

    async def overview(self, round: UUID, area: UUID) -> Overview:
        """Of an area that the caller was checked for."""

        async def computed() -> Overview:
            async with self._instance.pool.connection() as conn:
                found = await queries.round_by_id(conn, round)
                return await overview(conn, found, area, at=now())

        return await self._once(("overview", round, area), computed)

    async def alarms(self, scope: Scope, *, beside: bool = False) -> list[queries.Alarm]:
        """What whoever has this scope must look at, at this moment. `beside` an overview they may be some
        seconds old, and older ones will do while it is looked at anew."""
        scope = of_anybody(scope)

        async def computed() -> list[queries.Alarm]:
            at = now()
            async with self._instance.readers.scoped(scope) as conn:
                found = await queries.recorded_alarms(conn)
            async with self._instance.pool.connection() as conn:
                way = await queries.way_alarms(
                    conn, at, whole=scope.figures, sites=scope.sites, areas=scope.figure_areas
                )
                told = await queries.reported_alarms(conn, at) if scope.figures else []
            return queries.gravest_first(found, way, told)

        keep, old = (ALARMS_SECONDS, ALARMS_OLD_SECONDS) if beside else (0, 0)
        return await self._once(("alarms", scope), computed, keep=keep, old=old)

    async def glance(self, view: View) -> Glance:
        if view.scope is None:
            return Glance(overview=await self.overview(view.round, view.area), alarms=None)
        found, beside = await asyncio.gather(
            self.overview(view.round, view.area), self.alarms(view.scope, beside=True)
        )
        own = queries.gravest_first(queries.round_alarms(found))
        together = sorted([*beside, *own], key=lambda one: (one.rank, one.alarm))
        return Glance(overview=found, alarms=together)

    async def watch(
        self, view: View, *, seen: str | None, still: Callable[[], Awaitable[bool]],
        once: bool = False,
    ) -> AsyncIterator[bytes]:  # fmt: skip
        """What to send to one viewer, who saw the message `seen` last, until `still` says no, or only
        the first message. Raises TooManyViewers before anything is sent."""
        group = self._groups.get(view)
        if self._streams >= LIVE_STREAMS_LIMIT or (
            group is None and len(self._groups) >= LIVE_GROUPS_LIMIT
        ):
            raise TooManyViewers(seconds=RETRY_AFTER_SECONDS)
        return self._sent(view, seen, still, once)

    async def _sent(
        self, view: View, seen: str | None, still: Callable[[], Awaitable[bool]], once: bool
    ) -> AsyncIterator[bytes]:
        group = self._groups.setdefault(view, _Group())
        group.viewers += 1
        self._streams += 1
        if group.task is None:
            group.task = asyncio.create_task(self._follow(view, group))
        try:
            yield b"retry: 3000\n\n"
            number = group.number if seen == _name(group) else -1
            checked = time.monotonic()
            while not self._over:
                if group.message and group.number != number:
                    number = group.number
                    yield group.message
                    if once:
                        return
                moved = group.moved
                try:
                    await asyncio.wait_for(moved.wait(), LIVE_CHECK_SECONDS)
                except TimeoutError:
                    yield HEARTBEAT
                if time.monotonic() - checked >= LIVE_CHECK_SECONDS:
                    checked = time.monotonic()
                    if not await still():
                        yield OVER
                        return
        finally:
            self._streams -= 1
            group.viewers -= 1
            if not group.viewers:
                self._groups.pop(view, None)
                if group.task:
                    group.task.cancel()

    async def _follow(self, view: View, group: _Group) -> None:
        """While somebody looks: compute anew when something has moved, or clocks have gone on."""
        mark, last = None, 0.0
        while True:
            began = time.monotonic()
            try:
                async with self._instance.pool.connection() as conn:
                    here = await row(conn, "muster.coverage", "overview.sql:moved")
                if here != mark or time.monotonic() - last > LIVE_LATEST_SECONDS:
                    mark, last = here, time.monotonic()
                    data = msgspec.json.encode(await self.glance(view))
                    group.number += 1
                    group.message = b"id: %s\ndata: %s\n\n" % (_name(group).encode(), data)
                    group.moved.set()
                    group.moved = asyncio.Event()
            except Exception as error:
                logger.warning("live_interrupted", **error_facts(error))
            worked = time.monotonic() - began
            await asyncio.sleep(max(LIVE_SECONDS, LIVE_REST * worked))

    def close(self) -> None:
        """The server ends: so do the streams."""
        self._over = True
        for group in self._groups.values():
            group.moved.set()

    async def _once(
        self, key: Hashable, compute: Callable[[], Awaitable[Any]], *,
        keep: float = OVERVIEW_SECONDS, old: float = 0,
    ) -> Any:  # fmt: skip
        """The answer of a moment ago (`keep` seconds), or that on which somebody waits already, or a new
        one; while that is made, one that is at most `old` seconds old."""
        at = time.monotonic()
        if len(self._known) > 4 * LIVE_GROUPS_LIMIT:
            oldest = at - ALARMS_OLD_SECONDS
            self._known = {k: one for k, one in self._known.items() if one[0] > oldest}
        known = before = self._known.get(key)
        if known is None or (at - known[0] > keep and known[1].done()):
            task = asyncio.ensure_future(compute())
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            known = self._known[key] = (at, task)
            if before and at - before[0] < old and not before[1].exception():
                return before[1].result()
        try:
            return await asyncio.shield(known[1])
        except Exception:
            if self._known.get(key) is known:
                del self._known[key]
            raise


def of_anybody(scope: Scope) -> Scope:
    """The scope without who has it: what remains many share."""
    return replace(scope, login="", device="", own=frozenset())


def _name(group: _Group) -> str:
    return f"{id(group):x}-{group.number}"
