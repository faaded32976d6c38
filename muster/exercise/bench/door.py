"""The door over HTTP with everything on, beside a raw COPY of the very rows it has stored."""

import statistics
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from muster.core.clock import now
from muster.exercise.bench.figures import Figure, Report
from muster.exercise.bench.homes import Home, Homes, Server
from muster.exercise.bench.load import Measured, saturate
from muster.exercise.bench.tubes import (
    all_stored,
    close_round,
    followed,
    listed,
    open_round,
    seal,
)

REPEATS = 3
P99_MS = 200


@dataclass(frozen=True)
class Setting:
    """How uploads come: so many tubes in each, on so many connections; the goal in persons/s."""

    tubes: int
    connections: int
    least: int


# Four connections of 100 tubes: with eight, 8,000 people are on their way at any moment, and waiting
# for them alone takes a fifth of a second at the goal.
SETTINGS = (Setting(100, 4, 30_000), Setting(10, 8, 20_000), Setting(1, 64, 8_000))

_STORED = {
    "event": "SELECT e.* FROM ledger.event e WHERE e.type = 'TubeSealed'"
    " AND e.body ->> 'round' = {round}",
    "specimen": "SELECT s.* FROM sampling.specimen s WHERE s.round = {round}::uuid",
}


async def measure_door(homes: Homes, report: Report) -> None:
    """Persons a second and the 99th percentile of latency, for uploads of three sizes."""
    home, sizes = homes.fresh("door"), report.sizes
    files = await homes.files(sizes.door_people)
    async with home.database():
        await homes.areas(home, files)
        await home.run("import", "residents", files / "residents.csv")
        people = await listed(home)
        async with home.serve() as server:
            settings = SETTINGS if "door" in report.groups else SETTINGS[:1]
            for number, setting in enumerate(settings, 1):
                measured, round, behind = await _load(
                    server, people, setting, name=f"第{number}轮", seconds=sizes.door_seconds
                )
                copied = await _copy(home, round)
                if number == 1:
                    report.add(
                        Figure("reference_copy_persons_per_s", copied, "persons/s", "reference"),
                        Figure("door_follower_behind_s", behind, "s", "door"),
                    )
                report.add(*_figures(setting, measured, copied))
                await close_round(server, round)
    await homes.drop(home)


def _figures(setting: Setting, measured: Measured, copied: float) -> list[Figure]:
    rate = measured.per_second
    name = f"door_{setting.tubes}"
    return [
        Figure(
            f"{name}_persons_per_s", rate, "persons/s", "door", least=setting.least,
            reference=f"{rate / copied:.1%} of COPY ({copied:,.0f})",
        ),
        Figure(
            f"{name}_p99_ms", measured.p99_ms, "ms", "door", most=P99_MS,
            reference=f"median {measured.median_ms:.0f} ms,"
            f" {setting.connections} connections",
        ),
    ]  # fmt: skip


async def _load(
    server: Server, people: list[str], setting: Setting, *, name: str, seconds: float
) -> tuple[Measured, str, float]:
    """Seal tubes of everybody in a round of their own; the measured, the round, and how long the
    followers took afterwards to come to the end."""
    round = await open_round(server, name)
    sealing = seal(
        server, people, round, devices=setting.connections, tubes_per_request=setting.tubes,
        at=now() - timedelta(hours=5),
    )  # fmt: skip
    measured = await saturate(
        server, [iter(queue) for queue in sealing.queues], seconds=seconds,
        warm_up_seconds=seconds / 6, check=all_stored,
    )  # fmt: skip
    started = time.perf_counter()
    await followed(server.home)
    return measured, round, time.perf_counter() - started


async def _copy(home: Home, round: str) -> float:
    """Persons a second that PostgreSQL takes in of the same rows, encoded beforehand, into plain
    tables on the same server: no index, no rule, no view, no proof, one durable commit."""
    async with (
        home.database() as url,
        await psycopg.AsyncConnection.connect(url, autocommit=True) as conn,
    ):
        rows = {table: await _encoded(conn, sql, round) for table, sql in _STORED.items()}
        (persons,) = await _one(
            conn, "SELECT count(*) FROM sampling.specimen WHERE round = %s::uuid", [round]
        )
        await conn.execute("CREATE SCHEMA bench")
        await conn.execute("CREATE TABLE bench.event (LIKE ledger.event)")
        await conn.execute("CREATE TABLE bench.specimen (LIKE sampling.specimen)")
        taken = []
        for _ in range(REPEATS):
            await conn.execute("TRUNCATE bench.event, bench.specimen")
            started = time.perf_counter()
            async with conn.transaction(), conn.cursor() as cursor:
                for table, data in rows.items():
                    sql = f"COPY bench.{table} FROM STDIN (FORMAT BINARY)".encode()
                    async with cursor.copy(sql) as copy:
                        await copy.write(data)
            taken.append(time.perf_counter() - started)
        await conn.execute("DROP SCHEMA bench CASCADE")
    return persons / statistics.median(taken)


async def _encoded(conn: psycopg.AsyncConnection[Any], sql: str, round: str) -> bytes:
    selected = sql.format(round=f"'{round}'")  # a UUID the server gave out
    async with conn.cursor() as cursor:
        statement = f"COPY ({selected}) TO STDOUT (FORMAT BINARY)".encode()
        async with cursor.copy(statement) as copy:
            return b"".join([bytes(part) async for part in copy])


async def _one(conn: psycopg.AsyncConnection[Any], sql: str, values: list[Any]) -> Any:
    return await (await conn.execute(sql.encode(), values)).fetchone()
