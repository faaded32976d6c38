"""Workbooks as records, read in a child process.

A workbook is a compressed archive that can unfold to any size, and the library that reads it holds
a sheet whole. So a child does it under limits of memory and time, and hands over rows in chunks:
when it dies, only the file is refused.
"""

import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import msgspec

from muster.core.problems import Problem
from muster.intake import faults, workbook_child
from muster.intake.faults import Fault, Limits, Record

_LARGEST_FRAME_BYTES = 256 << 20

_CELL_PROBLEMS: dict[str, type[Problem]] = {
    "number-lost-digits": faults.NumberLostDigits,
    "error-cell": faults.ErrorCell,
    "cell-too-long": faults.CellTooLong,
}


class WorkbookSource:
    """A workbook. Its sheets are tried in order, and the one tried last is read."""

    unit: Literal["bytes", "rows"] = "rows"

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path, self._limits = path, limits
        self.total, self.done = 0, 0
        settings = {
            "memory_bytes": limits.workbook_memory_bytes,
            "seconds": limits.workbook_seconds,
            "expanded_bytes": limits.workbook_expanded_bytes,
            "header_rows": limits.header_rows,
            "cell_characters": limits.cell_characters,
        }
        self._child = subprocess.Popen(
            # -I: nothing from the environment or the working folder gets into the child.
            [sys.executable, "-I", workbook_child.__file__, str(path.absolute())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._tell(settings)

    def candidates(self) -> Iterator[tuple[str, list[tuple[int, list[str]]]]]:
        while True:
            kind, *content = self._frame()
            if kind == "end":
                return
            name, self.total, head = content
            yield name, list(enumerate(head, 1))
            self._tell("next")

    def rows(self, choice: str, *, after: int, width: int) -> Iterator[Fault | Record]:
        self._tell("rows")
        while (frame := self._frame())[0] != "end":
            _, first, rows, marks = frame
            problems: dict[int, dict[int, Problem]] = {}
            for line, index, slug in marks:
                problem = _CELL_PROBLEMS[slug](limit=self._limits.cell_characters)
                problems.setdefault(line, {})[index] = problem
            for line, cells in enumerate(rows, first):
                if line > after and (any(cells) or line in problems):
                    yield line, cells, cells, problems.get(line, {})
            self.done = first + len(rows) - 1
        self.close()

    def close(self) -> None:
        self._child.kill()
        self._reap()

    def _reap(self) -> None:
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._child.wait()

    def _tell(self, what: object) -> None:
        assert self._child.stdin is not None
        with suppress(BrokenPipeError):  # the child is gone; reading its answer says why
            self._child.stdin.write(msgspec.json.encode(what) + b"\n")
            self._child.stdin.flush()

    def _frame(self) -> list[Any]:
        """The child's next message. Raises the problem it met, or the one that ended it."""
        assert self._child.stdout is not None
        head = self._child.stdout.read(4)
        if len(head) == 4:
            (size,) = struct.unpack(">I", head)
            body = self._child.stdout.read(size) if size <= _LARGEST_FRAME_BYTES else b""
            if len(body) == size:
                frame = msgspec.msgpack.decode(body)
                if frame[0] == "problem":
                    raise self._problem(frame[1])
                return frame
        self._reap()  # it has ended by itself, and how is what we want to know
        out_of_time = self._child.returncode in (-signal.SIGALRM, -signal.SIGXCPU)
        raise self._problem("seconds" if out_of_time else "memory")

    def _problem(self, name: str) -> Problem:
        file, limits = self._path.name, self._limits
        match name:
            case "memory":
                limit = f"{limits.workbook_memory_bytes // 1_000_000} MB of memory"
            case "seconds":
                limit = f"{limits.workbook_seconds} s"
            case "expanded":
                limit = f"{limits.workbook_expanded_bytes // 1_000_000} MB unpacked"
            case "locked":
                return faults.WorkbookLocked(file=file)
            case "foreign":
                return faults.NotATable(file=file, found="an archive or document")
            case _:
                return faults.WorkbookDamaged(file=file)
        return faults.WorkbookTooLarge(file=file, limit=limit)
