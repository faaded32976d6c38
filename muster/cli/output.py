"""How every command speaks: tables for people, one JSON document for programs (`--json`), progress
and logs on standard error only, exit codes 0 done, 1 failed, 2 wrong usage.
"""

import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import rich_click as click
import uvloop
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from muster.cli.words import WORDS
from muster.config import Settings
from muster.core import log
from muster.core.paging import Page
from muster.core.problems import Problem
from muster.instance import Instance, open_instance
from muster.intake.export import write_rows
from muster.ledger.door import StorageUnavailable
from muster.web import cell

Rows = Sequence[dict[str, Any]]
PIPE_WIDTH = 140  # a table that goes to a file or another program is not folded at 80 columns
_SHORT = {"name", "share", "barcode", "room", "state", "alarm", "one_name", "other_name"}


@dataclass(frozen=True)
class Out:
    """Where a command's words go."""

    json: bool
    settings: Settings
    screen: Console
    aside: Console

    def word(self, text: str) -> str:
        """A column or phrase in the user's language."""
        return WORDS.get(text, text) if self.settings.language == "zh" else text.replace("_", " ")

    def say(self, english: str, chinese: str) -> None:
        """A line for people; programs do not get it."""
        if not self.json:
            self.screen.print(chinese if self.settings.language == "zh" else english)

    def table(self, rows: Rows, columns: Sequence[str], title: str = "") -> None:
        if not self.json:
            self.screen.print(self.grid(rows, columns, title))

    def grid(self, rows: Rows, columns: Sequence[str], title: str = "") -> Table:
        numbers = {
            name for name in columns if rows and all(isinstance(r.get(name), int) for r in rows)
        }
        table = Table(title=self.word(title) if title else None, title_justify="left",
                      box=box.SIMPLE_HEAD, pad_edge=False)  # fmt: skip
        for name in columns:
            table.add_column(self.word(name), justify="right" if name in numbers else "left",
                             overflow="fold", no_wrap=name in numbers or name in _SHORT)  # fmt: skip
        for row in rows:
            table.add_row(*(self.word(cell(row.get(name))) for name in columns))
        return table

    def listing(self, rows: Rows, columns: Sequence[str], output: Path | None) -> Rows:
        """A list on the screen, or into a .csv or .xlsx file."""
        if output is None:
            self.table(rows, columns)
            self.say(f"{len(rows)} rows", f"共 {len(rows)} 行")
            return rows
        write_rows(
            output,
            [self.word(name) for name in columns],
            ([cell(row.get(name)) for name in columns] for row in rows),
        )
        self.say(f"{len(rows)} rows → {output}", f"{len(rows)} 行 → {output}")
        return rows

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[int, int, int], None]]:
        """A bar on standard error: call it with (done, total, rows)."""
        with Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[rows]}"), TimeElapsedColumn(),
            console=self.aside, transient=True,
        ) as bar:  # fmt: skip
            task = bar.add_task(what, total=None, rows="")
            yield lambda done, total, rows: bar.update(
                task, completed=done, total=total, rows=f"{rows:,}" if rows else ""
            )


Work = Callable[..., Awaitable[Any]]


def command(group: click.RichGroup, name: str | None = None) -> Callable[[Work], click.Command]:
    """Make an async function a command of `group`. Its first parameter is the Out; what it returns is
    the JSON document. Problems end it with exit code 1."""

    def made(work: Work) -> click.Command:
        @click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
        @wraps(work)
        def run(as_json: bool, **arguments: Any) -> None:
            settings = Settings.from_environment()
            width = None if sys.stdout.isatty() else PIPE_WIDTH
            out = Out(as_json, settings, Console(width=width), Console(stderr=True))
            log.configure(json=as_json or not sys.stderr.isatty(), level="WARNING")
            try:
                document = uvloop.run(_guarded(work(out, **arguments)))
            except Problem as problem:
                _fail(out, problem)
            except KeyboardInterrupt:
                sys.exit(130)
            else:
                if as_json:
                    sys.stdout.write(to_json(document) + "\n")

        return group.command(name)(run)  # type: ignore[return-value]

    return made


async def _guarded(work: Awaitable[Any]) -> Any:
    try:
        return await work
    except psycopg.OperationalError as error:
        raise StorageUnavailable(reason=type(error).__name__, seconds=5) from error


def _fail(out: Out, problem: Problem) -> None:
    if out.json:
        sys.stdout.write(to_json(problem.details(out.settings.language)) + "\n")
    else:
        out.aside.print(problem.message(out.settings.language), style="bold red", markup=False)
    sys.exit(1)


def to_json(document: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(document, enc_hook=str), indent=2).decode()


@contextmanager
def _upgrade(out: Out) -> Iterator[Callable[[str, int, int], None]]:
    """The bar of a rebuild; drawn only if there is one."""
    with out.progress(out.word("rebuilding")) as bar:
        yield lambda _what, done, total: bar(done, total, 0)


def opened(
    work: Callable[[Out, Instance], Awaitable[Any]], out: Out, **options: Any
) -> Awaitable[Any]:
    """Run `work` on an open Muster."""

    async def run() -> Any:
        with _upgrade(out) as bar:
            context = open_instance(out.settings, progress=bar, **options)
            instance = await context.__aenter__()
        try:
            return await work(out, instance)
        finally:
            await context.__aexit__(*sys.exc_info())

    return run()


async def every(fetch: Callable[[str | None], Awaitable[Page]]) -> list[dict[str, Any]]:
    """All rows of a paged list."""
    rows: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await fetch(cursor)
        rows += page.items
        if (cursor := page.next) is None:
            return rows


output_option = click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False),
    help="Write the list to a .csv or .xlsx file.",
)  # fmt: skip
