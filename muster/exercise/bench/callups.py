"""How fast people are called up: a city's staff imported, 650 chosen of 60,000, thousands who answer over HTTP while
the board is watched, fifty places that two hundred want at once (rows Z10 and C10 of the requirements).
"""

import asyncio
import csv
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg

from muster.core.clock import now
from muster.core.ids import derived, uuid7
from muster.exercise.bench.figures import Figure, Report, percentile
from muster.exercise.bench.homes import HOST, Homes, MeasurementFailed, Server
from muster.exercise.wire import Wire, WireError
from muster.instance import Instance, open_instance
from muster.ledger.event import Body, Event
from muster.registry.events import UnitListed
from muster.workforce import decide, links
from muster.workforce.events import ArrivedAtPost, CallUpOpened, DemandRaised, StaffPosted

NEEDED, STREETS, UNITS = 650, 12, 300
POSTS, LOOKS, AT_RISK_MS, CLOCKS_MS = 10_000, 20, 200, 1_000
IMPORT_S, CHOSEN_S, ANSWERS_S, BEHIND_MS = 10, 2, 300, 1_000
ANSWERING = 24  # at once, as a city's phones come
WATCH_S = 0.5
FORM = "content-type: application/x-www-form-urlencoded\r\n"
ACTOR = "bench"

_STREETS = """
SELECT a.area FROM registry.area a WHERE a.level = 'street' ORDER BY a.code LIMIT %s
"""
_GRIDS = "SELECT a.area, a.code FROM registry.area a WHERE a.level = 'grid' ORDER BY a.code"


async def measure_call_ups(homes: Homes, report: Report) -> None:
    """Everything on one home; each person of a unit lives in some grid."""
    sizes = report.sizes
    home, files = homes.fresh("callups"), await homes.files(sizes.town_people)
    async with home.database() as url:
        await homes.areas(home, files)
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
            grids = await (await conn.execute(_GRIDS)).fetchall()
            streets = [row[0] for row in await (await conn.execute(_STREETS, [STREETS])).fetchall()]
        async with open_instance(home.settings) as instance:
            await _list_units(instance, [area for area, _ in grids])
        staff = home.folder.parent / "staff.csv"
        _write_staff(staff, sizes.staff, [code for _, code in grids])
        done = await home.run("import", "staff", staff)
        share = sizes.staff / 60_000
        report.add(Figure(
            "callup_import_s", done.document["seconds"], "s", "callups", most=IMPORT_S * share,
            reference=f"{done.document['stored']:,} staff; whole process {done.seconds:.1f} s",
        ))  # fmt: skip
        async with open_instance(home.settings) as instance:
            needed = round(NEEDED * share)
            seconds, asked, _ = await _call_up(instance, streets, needed, hours=1)
            report.add(Figure(
                "callup_chosen_s", seconds, "s", "callups", most=CHOSEN_S,
                reference=f"{asked:,} asked for {needed:,} places, of {sizes.staff:,}",
            ))  # fmt: skip
            _, _, board = await _call_up(instance, streets, sizes.answers, hours=30)
            async with instance.pool.connection() as conn:
                found = await conn.execute(
                    "SELECT summons FROM workforce.summons WHERE call_up = %s LIMIT %s",
                    [board, sizes.answers],
                )
                paths = [links.path_of(instance.vault, one) for (one,) in await found.fetchall()]
            posts = round(POSTS * share)
            await _stand(instance, [area for area, _ in grids], posts)
        async with home.serve() as server:
            await _answer(server, paths, board, report)
            await _look(server, "/v1/posts/at-risk", "callup_at_risk_ms", AT_RISK_MS, posts, report)
            area = await _top(home.settings.database_url or url)
            await _look(
                server, f"/v1/clocks?area={area}", "callup_clocks_ms", CLOCKS_MS, posts, report
            )
    await homes.drop(home)


async def _stand(instance: Instance, grids: Sequence[UUID], posts: int) -> None:
    """Posts that run, each with two people: at every fourth one has not come, every twentieth has one empty
    place."""
    at = now() - timedelta(hours=3)
    async with instance.pool.connection() as conn:
        found = await conn.execute(
            "SELECT staff FROM workforce.staff s WHERE NOT EXISTS ("
            " SELECT FROM workforce.summons m WHERE m.staff = s.staff) ORDER BY staff LIMIT %s",
            [2 * posts],
        )
        free = [staff for (staff,) in await found.fetchall()]
    posts, ends_at = len(free) // 2, at + timedelta(hours=8)
    events = list[Event]()
    for n in range(posts):
        demand, many = uuid7(), 3 if n % 20 == 0 else 2
        needed = DemandRaised(grids[n % len(grids)], "queue_guide", many, at, ends_at)
        events.append(Event(uuid7(), "DemandRaised", demand, at, at, at, ACTOR, needed))
        for k, staff in enumerate(free[2 * n : 2 * n + 2]):
            place = uuid7()
            said: list[Body] = [StaffPosted(staff, demand, "queue_guide", at, ends_at)]
            if k or n % 4:
                said.append(ArrivedAtPost("desk"))
            events += [
                Event(uuid7(), type(one).__name__, place, at, at, at, ACTOR, one) for one in said
            ]
    await instance.door.append(events)


async def _top(url: str) -> str:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        row = await (
            await conn.execute("SELECT code FROM registry.area WHERE parent IS NULL")
        ).fetchone()
        return row[0] if row else ""


async def _look(
    server: Server, path: str, name: str, most: int, posts: int, report: Report
) -> None:
    """How long a list over all posts takes, its first page."""
    wire, took, shown = server.wire(), list[float](), 0
    for _ in range(LOOKS):
        started = time.perf_counter()
        shown = len((await wire.get(path))["items"])
        took.append(1_000 * (time.perf_counter() - started))
    await wire.close()
    report.add(Figure(
        name, percentile(took, 95), "ms", "callups", most=most,
        reference=f"p95 of {LOOKS}; {posts:,} posts, a page of {shown}",
    ))  # fmt: skip


async def _list_units(instance: Instance, grids: Sequence[UUID]) -> None:
    at = now()
    units = [
        UnitListed(f"UNIT-{n}", "school", grids[n % len(grids)], f"第{n}学校") for n in range(UNITS)
    ]
    await instance.door.append([
        Event(uuid7(), "UnitListed", derived("unit", one.code), at, at, at, ACTOR, one) for one in units
    ])  # fmt: skip


def _write_staff(path: Path, count: int, grids: Sequence[str]) -> None:
    """A list as units hand it in: everybody has a phone of their own."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["姓名", "工号", "单位编码", "手机", "居住小区编码", "技能"])
        for n in range(count):
            table.writerow([
                f"职工{n}", n, f"UNIT-{n % UNITS}", f"138{n:08}", grids[n % len(grids)], "驾驶" if n % 7 == 0 else "",
            ])  # fmt: skip


async def _call_up(
    instance: Instance, streets: Sequence[UUID], needed: int, *, hours: int
) -> tuple[float, int, UUID]:
    """Seconds from the order until everybody's summons is stored, how many were asked, the call-up."""
    at = now()
    starts_at = at + timedelta(hours=hours)
    demands = [
        await decide.raise_demand(
            instance.door,
            DemandRaised(street, "queue_guide", needed // len(streets) + (n < needed % len(streets)), starts_at,
                         starts_at + timedelta(hours=4)),
            actor=ACTOR, at=at,
        )
        for n, street in enumerate(streets)
    ]  # fmt: skip
    started = time.perf_counter()
    async with instance.pool.connection() as conn:
        body = CallUpOpened(f"{needed}", tuple(demands), answer_minutes=30)
        call_up, wave = await decide.open_call_up(conn, instance.door, body, actor=ACTOR, at=at)
    return time.perf_counter() - started, wave.asked, call_up


async def _answer(server: Server, paths: Sequence[str], board: UUID, report: Report) -> None:
    """Everybody says yes at their link as fast as the server takes it; meanwhile somebody watches the board."""
    waiting, full, failed = list(paths), list[str](), list[str]()
    said: dict[str, float] = {}  # when each answer was given
    behind, done = list[float](), asyncio.Event()

    async def phone() -> None:
        wire = Wire(HOST, server.port)
        while waiting:
            path = waiting.pop()
            body = b"answer=accepted&lang=en"
            head = (
                f"POST {path} HTTP/1.1\r\nhost: {HOST}\r\n{FORM}content-length: {len(body)}\r\n\r\n"
            )
            try:
                await wire.ask(head.encode() + body)
            except WireError as error:  # 409: told that all places of that street are taken
                (full if error.status == 409 else failed).append(str(error))
            said[path] = time.perf_counter()
        await wire.close()

    async def watch() -> None:
        """How long the board takes to show what was answered before it was asked."""
        wire = server.wire()
        while not done.is_set():
            known, asked = len(said) - len(failed), time.perf_counter()
            shown = await wire.get(f"/v1/call-ups/{board}")
            accepted = sum(line["accepted"] for line in shown["lines"])
            if accepted < known:
                raise MeasurementFailed(what="the board", reason=f"shows {accepted} of {known}")
            behind.append(1_000 * (time.perf_counter() - asked))
            await asyncio.sleep(WATCH_S)
        await wire.close()

    watching = asyncio.create_task(watch())
    started = time.perf_counter()
    await asyncio.gather(*(phone() for _ in range(ANSWERING)))
    seconds = time.perf_counter() - started
    done.set()
    await watching
    if failed:
        raise MeasurementFailed(
            what="answering", reason=f"{len(failed)} errors, first: {failed[0]}"
        )
    share = len(paths) / 10_000
    report.add(
        Figure(
            "callup_answers_s", seconds, "s", "callups", most=ANSWERS_S * share,
            reference=f"{len(paths):,} said yes over HTTP, {len(paths) / seconds:.0f} a second, no error;"
            f" {len(full)} told that a street is full",
        ),
        Figure(
            "callup_board_ms", percentile(behind, 95), "ms", "callups", most=BEHIND_MS,
            reference=f"p95 of {len(behind)} looks while they answer",
        ),
    )  # fmt: skip
