"""The files that wait are checked and fed, one at a time, by whichever server takes them up; what was
under way when a server ended is begun again, and what it had stored is then known.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from muster.config import IMPORT_FAULTS_LIMIT, IMPORT_LOOK_SECONDS, IMPORT_NOTED_SECONDS
from muster.core.clock import now
from muster.core.ids import derived, uuid7
from muster.core.log import error_facts, logger
from muster.core.problems import Problem
from muster.core.rows import row
from muster.instance import Instance
from muster.intake.faults import Fault
from muster.intake.import_words import said, told
from muster.intake.importing import Report, feed_table
from muster.intake.imports import LIMITS, kind_of, named, opened
from muster.intake.reach import Within
from muster.intake.survey import chosen
from muster.intake.tables import open_table
from muster.ledger.event import Body, Event
from muster.registry.events import ImportEnded, ImportStarted

_HERE = "muster.intake"
_WAITING = ["check_waiting", "checking", "waiting", "running"]
LOCK = 7_102_011  # held by the server that feeds; it ends with its connection
_PAGE_ROWS = 500


class TooManyFaults(Problem):
    """More than {limit} rows of the file cannot be taken: it is hardly the right file, or its columns
    are matched wrongly. Look at the first faults, correct the columns, and check again."""

    zh = "文件中超过 {limit} 行无法导入：可能选错了文件，或列对应有误。请查看前面的错误，更正列后重新检查。"
    status = 422


class ImportBroke(Problem):
    """The server failed while it worked on the file; it was logged as {error}. What was stored is in; let
    the import go on, or report this."""

    zh = "服务器处理该文件时出错（已记录：{error}）。已入库的内容有效；可继续导入，或报告此问题。"
    status = 500


class _Stopped(Exception):
    """Somebody stopped the work."""


class KeptFault(msgspec.Struct, frozen=True, array_like=True):
    """What is wrong with a row, as it is kept: sealed."""

    line: int
    header: str | None
    slug: str
    facts: dict[str, str]
    raw: list[str]


async def feed_files(muster: Instance) -> None:
    """Take up what waits, for ever: beside a server."""
    while True:
        try:
            if await _one(muster, "next_import", states=_WAITING):
                await feed_waiting(muster)
        except Exception as error:  # the database may be away: look again
            logger.warning("feeding_failed", **error_facts(error))
        await asyncio.sleep(IMPORT_LOOK_SECONDS)


async def feed_waiting(muster: Instance) -> int:
    """Work on what waits until nothing does; how many files that were. None where another server is at
    it."""
    done = 0
    async with await psycopg.AsyncConnection.connect(muster.conninfo, autocommit=True) as lock:
        cursor = await lock.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not (await cursor.fetchone() or (False,))[0]:
            return 0
        while found := await _one(muster, "next_import", states=_WAITING):
            await _Work(muster, found).run()
            done += 1
    return done


class _Work:
    """One file that is checked or fed."""

    def __init__(self, muster: Instance, found: Mapping[str, Any]) -> None:
        self._muster, self._found = muster, found
        self._import: UUID = found["import"]
        self._dry = found["state"] in ("check_waiting", "checking")
        self._report = Report(found["kind"], found["name"])
        self._faults = _Faults()
        self._done = self._total = 0
        self._noted = time.monotonic()
        self._started = derived("ImportStarted", self._import)

    async def run(self) -> None:
        problem: Problem | None = None
        outcome = "checked" if self._dry else "done"
        await self._say("take_import", state="checking" if self._dry else "running")
        await self._say("forget_faults")
        try:
            await self._feed()
        except _Stopped:
            outcome = "received" if self._dry else "stopped"
        except (asyncio.CancelledError, psycopg.OperationalError):
            raise  # the server ends, or the database is away: it is begun again
        except Problem as error:
            outcome, problem = "failed", error
        except Exception as error:
            logger.error("import_failed", **error_facts(error))
            outcome, problem = "failed", ImportBroke(error=type(error).__name__)
        await self._end(outcome, problem)

    async def _feed(self) -> None:
        found = self._found
        kind = kind_of(found["kind"], self._muster, correct_names=found["correct_names"])
        areas = None if found["areas"] is None else frozenset(found["areas"])
        within = Within(kind, areas, found["started_by"], self._started)
        async with opened(self._muster, found) as path, named(found["name"]):
            await within.begin(self._muster)
            columns = chosen(kind.columns, found["columns"])
            table = await asyncio.to_thread(open_table, path, columns, limits=LIMITS)
            with table:
                self._faults.headers = list(table.headers)
                if not self._dry:
                    body = ImportStarted(kind=found["kind"], file=bytes(found["hash"]).hex())
                    await self._append(self._started, body, found["started_by"])
                await feed_table(
                    self._muster, within, table, self._report, self._faults,
                    progress=self._came_to, turn=self._turn, dry=self._dry,
                )  # fmt: skip
                await self._note()

    def _came_to(self, done: int, total: int, _rows: int) -> None:
        self._done, self._total = done, total

    async def _turn(self) -> None:
        if time.monotonic() - self._noted >= IMPORT_NOTED_SECONDS:
            self._noted = time.monotonic()
            await self._note()

    async def _note(self) -> None:
        """Say how far it came. Raises _Stopped if somebody wants that."""
        await self._keep_faults()
        report = self._report
        noted = await self._say(
            "note_import", done=self._done, total=self._total, rows=report.rows,
            stored=report.stored, unchanged=report.unchanged, joined=report.joined,
            rejected=report.rejected, headers=_json(self._faults.headers),
            unused=_json([one for one in report.unknown_columns if one.strip()]),
            summary=_json(self._faults.summary()),
        )  # fmt: skip
        if noted and noted["stopping"]:
            raise _Stopped

    async def _keep_faults(self) -> None:
        for page, kept in self._faults.pages():
            sealed = await asyncio.to_thread(self._muster.vault.seal, msgspec.msgpack.encode(kept))
            await self._say("put_faults", page=uuid7(), number=page, sealed=sealed)

    async def _end(self, outcome: str, problem: Problem | None) -> None:
        report = self._report
        with suppress(_Stopped):
            await self._note()
        stored, unchanged = report.stored, report.unchanged
        if not self._dry:
            # What an earlier turn stored is no less of this file's doing.
            brought = await self._say("stored_by", cause=self._started)
            whole = brought["stored"] if brought else stored
            stored, unchanged = whole, max(0, unchanged - (whole - stored))
            turn = self._found["turns"] + 1
            body = ImportEnded(
                outcome=outcome, rows=report.rows, stored=stored, unchanged=unchanged,  # type: ignore[arg-type]
                joined=report.joined, rejected=report.rejected,
            )  # fmt: skip
            ended = derived("ImportEnded", self._import, turn)
            await self._append(ended, body, self._found["started_by"], cause=self._started)
        await self._say(
            "end_import",
            state=outcome,
            stored=stored,
            unchanged=unchanged,
            at=now(),
            **told(problem),
        )
        if outcome == "done":
            await self._say("forget_parts")

    async def _append(self, id_: UUID, body: Body, actor: str, cause: UUID | None = None) -> None:
        at = now()
        event = Event(
            id_, type(body).__name__, self._import, at, at, at, actor, body, cause=cause
        )  # fmt: skip
        await self._muster.door.append([event])

    async def _say(self, name: str, **values: Any) -> dict[str, Any] | None:
        return await _one(self._muster, name, **values, **{"import": self._import})


class _Faults:
    """The faults of a file, counted by column and problem, and given out in pages to be kept."""

    def __init__(self) -> None:
        self.headers: list[str] = []
        self.count = 0
        self._line = -1
        self._kept: list[KeptFault] = []
        self._page = 0
        self._counts: Counter[tuple[str | None, str]] = Counter()
        self._examples: dict[tuple[str | None, str], Problem] = {}

    def add(self, fault: Fault) -> None:
        if fault.line != self._line:
            self._line = fault.line
            self.count += 1
            if self.count > IMPORT_FAULTS_LIMIT:
                raise TooManyFaults(limit=IMPORT_FAULTS_LIMIT)
        key = fault.column, fault.problem.slug
        self._counts[key] += 1
        self._examples.setdefault(key, fault.problem)
        facts = {name: str(value) for name, value in fault.problem.facts.items()}
        self._kept.append(
            KeptFault(fault.line, fault.column, fault.problem.slug, facts, list(fault.raw))
        )

    def pages(self) -> list[tuple[int, list[KeptFault]]]:
        """What came since it was last asked for."""
        found = []
        for start in range(0, len(self._kept), _PAGE_ROWS):
            found.append((self._page, self._kept[start : start + _PAGE_ROWS]))
            self._page += 1
        self._kept = []
        return found

    def summary(self) -> list[dict[str, Any]]:
        found = []
        for (header, slug), rows in self._counts.most_common(100):
            words = said(slug, {n: str(v) for n, v in self._examples[header, slug].facts.items()})
            found.append({"header": header, "slug": slug, "en": words.en, "zh": words.zh,
                          "rows": rows})  # fmt: skip
        return found


def _json(value: Sequence[Any]) -> str:
    return msgspec.json.encode(value).decode()


async def _one(muster: Instance, query: str, /, **values: Any) -> dict[str, Any] | None:
    async with muster.pool.connection() as conn:
        return await row(conn, _HERE, query, **values)
