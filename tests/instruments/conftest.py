"""One reader of run files for each module of tests: loading its libraries takes seconds."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from muster.instruments.mapping import Mapping
from muster.instruments.process import Reader, ReaderLimits
from muster.instruments.reading import read_run
from muster.instruments.run_file import RunFile

FILES = Path(__file__).parent / "files"
LIMITS = ReaderLimits(seconds=60, memory_bytes=1_500_000_000)


class Desk:
    """Where run files are read: `read` one, by content or by its name among the test files."""

    def __init__(self, runner: asyncio.Runner, limits: ReaderLimits) -> None:
        self.runner, self.reader = runner, Reader(limits)

    def read(
        self,
        name: str,
        content: bytes | str | None = None,
        *,
        mappings: Sequence[Mapping] = (),
        witness: bool = False,
    ) -> RunFile:
        if content is None:
            content = (FILES / name).read_bytes()
        if isinstance(content, str):
            content = content.encode()
        return self.runner.run(
            read_run(
                name,
                content,
                mappings=mappings,
                zone="Asia/Shanghai",
                witness=witness,
                reader=self.reader,
            )
        )

    def close(self) -> None:
        self.runner.run(self.reader.close())


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with asyncio.Runner() as runner:
        desk = Desk(runner, LIMITS)
        yield desk
        desk.close()


def table(run: RunFile) -> list[str]:
    """The readings as a person would write them: "A01 ORF1ab TUBE0001 sample 23.456 @12"."""
    return [
        " ".join(
            (
                reading.well,
                reading.target,
                reading.sample or "-",
                reading.role,
                "none" if reading.ct_milli is None else f"{reading.ct_milli / 1000:.3f}",
                f"@{reading.line or '-'}",
            )
        )
        for reading in run.readings
    ]
