"""The rows that were not taken, handed back as a file that can be corrected and sent again.

It has the source's headers and two columns more, which a later reading overlooks.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from muster.core.problems import Problem
from muster.core.text import clean
from muster.intake.export import Write, table_writer
from muster.intake.faults import Fault

ADDED_HEADERS = ("错误 / error", "行 / row")


class Rejects:
    """Writes `path` (.csv, or .xlsx for someone who will open it in a spreadsheet).

        with Rejects(path, table.headers) as rejects:
            rejects.add(fault)

    The file appears when the block ends without error and something was added.
    `count` is the rows added.
    """

    def __init__(self, path: Path, headers: Sequence[str]) -> None:
        self._path, self._headers = path, headers
        # A file of rejects that comes back and fails again gets its two columns anew.
        self._kept = [i for i, text in enumerate(headers) if clean(text) not in ADDED_HEADERS]
        self._files = ExitStack()
        self._write: Write | None = None
        self._waiting: tuple[int, list[str], list[str]] | None = None
        self.count = 0

    def add(self, fault: Fault) -> None:
        """A row with its fault. Faults of one row that follow each other share a row."""
        column = f"{fault.column}: " if fault.column else ""
        self.add_row(fault.line, fault.raw, fault.problem, prefix=column)

    def add_row(self, line: int, raw: Sequence[str], *problems: Problem, prefix: str = "") -> None:
        """A row that was read but is refused for these problems."""
        messages = [f"{prefix}{p.message('zh')} {p.message('en')}" for p in problems]
        if self._waiting is not None and self._waiting[0] == line:
            self._waiting[2].extend(messages)
            return
        self.count += 1
        self._flush()
        self._waiting = (line, list(raw), messages)

    def _flush(self) -> None:
        if self._waiting is None:
            return
        line, raw, messages = self._waiting
        self._waiting = None
        if self._write is None:
            self._write = self._files.enter_context(table_writer(self._path, for_correction=True))
            self._write([*(self._headers[i] for i in self._kept), *ADDED_HEADERS])
        kept = [raw[i] if i < len(raw) else "" for i in self._kept]
        # Cells beyond the header come last, so that the added columns stand under their headers.
        beyond = raw[len(self._headers) :]
        added = ["\n".join(messages), str(line)]
        self._write([*kept, *added, *(beyond if any(beyond) else ())])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self._flush()
            self._files.close()
        else:
            self._files.__exit__(kind, *rest)  # pyright: ignore[reportArgumentType]
