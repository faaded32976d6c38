"""The benchmark on next to nothing: its rows are well formed, nothing stays behind, and what it sends
is what the door takes. Its figures are not under test.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import repeat
from pathlib import Path
from typing import Any

import msgspec
import pytest
from python_calamine import CalamineWorkbook

from muster.access.engine.judge import Sender
from muster.core.clock import now
from muster.core.ids import uuid7
from muster.exercise.bench import BenchGroupUnknown, measure, run_bench
from muster.exercise.bench.figures import Figure, Sizes, percentile
from muster.exercise.bench.homes import Home, MeasurementFailed, Server
from muster.exercise.bench.importing import write_workbook
from muster.exercise.bench.load import not_empty, one_by_one, saturate, trickle
from muster.exercise.bench.memory import children
from muster.exercise.bench.tubes import all_stored, comers, merged, seal
from muster.instance import Instance
from tests import senders
from tests.conftest import Play

TOKEN = "a-token"
KEYS = ["name", "value", "unit", "goal", "ok", "reference"]


def test_a_group_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before, moved = children(os.getpid()), list[tuple[int, int]]()
    rows = asyncio.run(
        measure(Sizes.quick(), ["start"], lambda done, total: moved.append((done, total)))
    )
    named = {row["name"]: row for row in rows}
    assert [list(row) for row in rows] == [KEYS] * len(rows)
    assert list(named) == [
        "machine", "machine_busy_percent", "start_first_s", "start_idle_mb", "start_again_s",
    ]  # fmt: skip
    assert 0 < named["start_first_s"]["value"] < 120
    assert 40 < named["start_idle_mb"]["value"] < 2_000  # a server and a database: not nothing
    assert named["start_idle_mb"]["goal"] == "≤ 300"
    assert [done for done, _ in moved] == sorted(done for done, _ in moved)
    assert moved[-1][0] == moved[-1][1]
    assert list(tmp_path.iterdir()) == []
    assert children(os.getpid()) == before


def test_a_group_must_exist() -> None:
    with pytest.raises(BenchGroupUnknown) as caught:
        asyncio.run(run_bench(quick=True, only=("doors",), progress=lambda _done, _total: None))
    groups = (
        "reference, door, import, read, rights, lanes, callups, laboratory, console, pooling, start"
    )
    assert groups in str(caught.value)


def test_a_command_that_fails_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(MeasurementFailed, match="No such command"):
        asyncio.run(Home(tmp_path / "home").run("measure"))


@pytest.mark.parametrize(
    ("figure", "value", "goal", "ok"),
    [
        (Figure("a", 30_123.4, least=30_000), 30_123, "≥ 30000", True),
        (Figure("a", 29_999, least=30_000), 29_999, "≥ 30000", False),
        (Figure("a", 5.04, most=5), 5.04, "≤ 5", False),
        (Figure("a", 12.345, most=12.5), 12.3, "≤ 12.5", True),
        (Figure("a", 0.12345), 0.123, None, None),
        (Figure("a", "two cores"), "two cores", None, None),
    ],
)
def test_a_figure_is_held_against_its_goal(
    figure: Figure, value: Any, goal: str | None, ok: bool | None
) -> None:
    row = figure.row()
    assert (row["value"], row["goal"], row["ok"]) == (value, goal, ok)


def test_percentiles() -> None:
    assert percentile(list(range(100, 0, -1)), 0.99) == 100
    assert percentile(list(range(1_000)), 0.99) == 990
    assert percentile([7], 0.99) == 7


def test_the_door_takes_what_is_sent(play: Play, tmp_path: Path) -> None:
    people = [str(uuid7()) for _ in range(47)]

    async def story(muster: Instance) -> tuple[list[int], list[int], list[str], list[Any]]:
        async with answering(tmp_path, b"") as server:
            sealing = seal(server, people, str(uuid7()), devices=2, tubes_per_request=2, at=now())
        requests = list(merged(sealing))
        assert [len(queue) for queue in sealing.queues] == [2, 2]
        assert len(set(sealing.barcodes)) == len(sealing.barcodes) == 6
        await senders.tester(muster)
        system = Sender(device="tester-system")

        async def send(request: bytes) -> int:
            head, _, body = request.partition(b"\r\n\r\n")
            assert f"authorization: Bearer {TOKEN}".encode() in head
            answers = await muster.intake.take(body, received_at=now(), sender=system)
            return all_stored(request, msgspec.json.encode({"answers": answers}))

        once = [await send(request) for request in requests]
        again = [await send(request) for request in requests]
        async with muster.pool.connection() as conn:
            found = await conn.execute("SELECT person::text FROM sampling.specimen")
            sampled = [row[0] for row in await found.fetchall()]
            flags = await (await conn.execute("SELECT * FROM sampling.flag")).fetchall()
        return once, again, sampled, flags

    once, again, sampled, flags = play(story)
    assert sum(once) == len(people)
    assert again == [0] * len(once)  # known already: not what is to be measured
    assert sorted(sampled) == sorted(people)
    assert flags == []


def test_almost_everybody_comes() -> None:
    people = [str(number) for number in range(10_000)]
    came = comers(people)
    assert came == comers(people)
    assert 0.98 < len(came) / len(people) < 0.99


def test_loads_are_counted_and_checked(tmp_path: Path) -> None:
    async def story() -> None:
        async with answering(tmp_path, b"[1]") as server:
            request = server.wire().request("GET", "/")
            done = await saturate(
                server, [repeat(request)] * 3, seconds=0.2, warm_up_seconds=0.1, check=not_empty
            )
            assert done.done == len(done.latencies_ms) > 3
            assert 0.19 < done.seconds < 1
            steady = await trickle(
                server, repeat(request, 10), per_second=100, check=not_empty, until=asyncio.Event()
            )
            assert steady.done == len(steady.latencies_ms) == 10
            assert steady.seconds >= 0.09
            assert (await one_by_one(server, [request] * 5)).done == 5
        async with answering(tmp_path, b"[]") as server:
            with pytest.raises(MeasurementFailed, match=r"GET / was answered \[\]"):
                await saturate(
                    server, [repeat(request)] * 3, seconds=1, warm_up_seconds=0, check=not_empty
                )

    asyncio.run(story())


@asynccontextmanager
async def answering(folder: Path, body: bytes) -> AsyncIterator[Server]:
    """A server that answers every request alike."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof() and await reader.readline():
            while (await reader.readline()).strip():
                pass
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    process = await asyncio.create_subprocess_exec("true")
    try:
        yield Server(Home(folder), port, process, ready_seconds=0, token=TOKEN)
    finally:
        listening.close()
        await process.wait()


def test_a_workbook_holds_the_first_rows(tmp_path: Path) -> None:
    source, target = tmp_path / "a.csv", tmp_path / "a.xlsx"
    source.write_text("姓名,证件号码\n王芳,370602198704029465\n张伟,\n李娜,x\n", encoding="utf-8")
    write_workbook(source, target, 2)
    sheet = CalamineWorkbook.from_path(target).get_sheet_by_index(0).to_python()
    assert sheet == [["姓名", "证件号码"], ["王芳", "370602198704029465"], ["张伟", ""]]
