"""The child that reads with foreign libraries: whatever becomes of it, the next file is read."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import venv
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import msgspec
import psutil
import pytest
import python_calamine

from muster.instruments import faults
from muster.instruments.process import Reader, ReaderLimits
from tests.instruments.conftest import FILES, Desk
from tests.instruments.test_layouts import workbook

SMALL = workbook(Sheet1=[["Well", "Sample", "Target", "Ct"], ["A1", "T1", "N", "23"]])
LIMITS = ReaderLimits(seconds=20, memory_bytes=400_000_000, expanded_bytes=50_000_000)


@pytest.fixture
def desk():
    with asyncio.Runner() as runner:
        desk = Desk(runner, LIMITS)
        yield desk
        desk.close()


def is_read(desk: Desk) -> bool:
    return [reading.ct_milli for reading in desk.read("a.xlsx", SMALL).readings] == [23000]


def until(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return False


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_one_child_reads_file_after_file(desk: Desk) -> None:
    assert is_read(desk)
    first = desk.reader.pid
    assert is_read(desk)
    assert desk.reader.pid == first


def test_a_child_that_hangs_is_stopped(desk: Desk) -> None:
    assert is_read(desk)
    hanging = desk.reader.pid
    assert hanging is not None
    desk.reader.limits = msgspec.structs.replace(LIMITS, seconds=0.5)
    os.kill(hanging, signal.SIGSTOP)
    with pytest.raises(faults.RunReaderHung, match=r"a.xlsx was not read within 0.5 s"):
        desk.read("a.xlsx", SMALL)
    assert is_gone(hanging)
    desk.reader.limits = LIMITS
    assert is_read(desk)


def test_a_child_killed_between_files_is_not_missed(desk: Desk) -> None:
    assert is_read(desk)
    killed = desk.reader.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert until(lambda: is_gone(killed))
    desk.runner.run(asyncio.sleep(0.1))  # lets the event loop hear of it
    assert is_read(desk)


def test_a_child_killed_in_the_middle_costs_one_file(desk: Desk) -> None:
    assert is_read(desk)
    killed = desk.reader.pid
    assert killed is not None
    os.kill(killed, signal.SIGSTOP)

    async def killed_while_reading() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(desk.reader.ask("sheets", file="a.xlsx", content=SMALL, wanted=[]))
            await asyncio.sleep(0.1)
            os.kill(killed, signal.SIGKILL)

    with pytest.raises(ExceptionGroup) as caught:
        desk.runner.run(killed_while_reading())
    (problem,) = caught.value.exceptions
    assert "The reader of a.xlsx failed (exit -9)" in str(problem)
    assert is_read(desk)


def test_a_cancelled_request_does_not_answer_the_next(desk: Desk) -> None:
    async def cancelled() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await desk.reader.ask("sheets", file="b", content=SMALL, wanted=["other"])

    desk.runner.run(cancelled())
    assert is_read(desk)


def test_files_that_come_together_get_their_own_answers(desk: Desk) -> None:
    async def names() -> list[str]:
        asked = [
            desk.reader.ask("sheets", file="a", content=workbook(**{name: [["x"]]}), wanted=[])
            for name in "abc"
        ]
        return [answer[0]["name"] for answer in await asyncio.gather(*asked)]

    assert desk.runner.run(names()) == ["a", "b", "c"]


ROW = "<row>" + '<c t="inlineStr"><is><t>' + "9" * 10_000 + "</t></is></c>" * 1 + "</row>"


def bomb(*, times: int) -> bytes:
    """A workbook whose sheet unfolds to `times` rows of ten thousand digits."""
    out = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(SMALL)) as made,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for entry in made.namelist():
            content = made.read(entry)
            if entry.endswith("sheet1.xml"):
                before, _, after = content.partition(b"<sheetData>")
                rows = ROW.encode() * times
                content = before + b"<sheetData>" + rows + after[after.index(b"</sheetData>") :]
            packed.writestr(entry, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (LIMITS, "50 MB unpacked"),
        (msgspec.structs.replace(LIMITS, expanded_bytes=10**9), "400 MB of memory"),
    ],
)
def test_a_memory_bomb_is_refused(desk: Desk, limits, says) -> None:
    desk.reader.limits = limits
    content = bomb(times=20_000)
    assert len(content) < 2_000_000  # for 200 MB
    with pytest.raises(faults.RunFileTooLarge, match=says):
        desk.read("bomb.xlsx", content)
    assert is_read(desk)


def test_an_rdml_that_unfolds_too_far_is_refused(desk: Desk) -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rdml_data.xml", b"<rdml>" + b" " * 60_000_000)
    with pytest.raises(faults.RunFileTooLarge, match="50 MB unpacked"):
        desk.read("a.rdml", out.getvalue())


def test_an_idle_child_ends(desk: Desk) -> None:
    desk.reader.limits = msgspec.structs.replace(LIMITS, idle_minutes=0.0005)
    assert is_read(desk)

    async def idle() -> None:
        while desk.reader.pid is not None:
            await asyncio.sleep(0.01)

    desk.runner.run(asyncio.wait_for(idle(), 30))
    assert is_read(desk)


PARENT = """
import asyncio, sys, time
from muster.instruments.process import Reader

async def main():
    reader = Reader()
    await reader.ask("ready", file="-", content=b"", libraries=[])
    print(reader.pid, flush=True)
    time.sleep(60)

asyncio.run(main())
"""


def test_no_child_outlives_its_parent() -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=root, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not is_gone(pid)
        parent.kill()
    assert until(lambda: is_gone(pid))


def test_without_the_extra_the_remedy_is_named(desk: Desk, tmp_path) -> None:
    """An interpreter with the libraries of the core alone."""
    venv.create(tmp_path, symlinks=True)
    (site,) = tmp_path.glob("lib/*/site-packages")
    for module in (msgspec, python_calamine):
        folder = Path(str(module.__file__)).parent
        (site / folder.name).symlink_to(folder)
    desk.reader = Reader(LIMITS, python=str(tmp_path / "bin" / "python"))
    assert is_read(desk)
    assert desk.read("quantstudio.txt").readers == ("muster",)
    for name, content in (
        ("quantstudio.txt", None),
        ("a.rdml", (FILES / "plate.rdml.xml").read_bytes()),
    ):
        with pytest.raises(faults.InstrumentsExtraMissing) as caught:
            desk.read(name, content, witness=True)
        assert "pip install 'muster[instruments]'" in caught.value.message("en")
        assert "pip install 'muster[instruments]'" in caught.value.message("zh")
