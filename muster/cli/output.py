"""How every command speaks: tables for people, one JSON document for programs (`--json`), progress
and logs on standard error only, exit codes 0 done, 1 failed, 2 wrong usage.

What is heavy is imported where it is used: a command that needs no database must not load one.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import rich_click as click
import uvloop
from click.exceptions import Exit
from rich.console import Console

from muster.cli.words import HEADS, PERSON_NAME, VALUES, WORDS
from muster.config import Settings
from muster.core.problems import Problem

if TYPE_CHECKING:
    from rich.console import RenderableType

    from muster.core.paging import Page
    from muster.instance import Instance
    from muster.intake.export import Mark

Rows = Sequence[dict[str, Any]]
PIPE_WIDTH = 1_000  # what goes to a file or another program has a line a row


class DatabaseUnreachable(Problem):
    """The database does not answer ({reason}). Nothing that was acknowledged is lost. See that the
    server runs and DATABASE_URL is right, and do it again."""

    zh = "数据库没有响应（{reason}）。已确认的数据没有丢失。请确认服务器在运行、DATABASE_URL 正确，然后重试。"
    status = 503


class FileUnusable(Problem):
    """The file {file} cannot be used: {reason}."""

    zh = "文件 {file} 无法使用：{reason}。"


class CommandFailed(Problem):
    """The command failed ({error}), which is a defect of Muster. Nothing acknowledged is lost."""

    zh = "命令出错（{error}），这是 Muster 的缺陷。已确认的数据没有丢失。"
    status = 500


_BREAK = re.compile(r"[_-]|(?<=[a-z])(?=[A-Z])")  # between the words of a name of ours


@dataclass(frozen=True)
class Out:
    """Where a command's words go."""

    json: bool
    settings: Settings
    screen: Console
    aside: Console

    @property
    def language(self) -> str:
        return "zh" if self.settings.language.startswith("zh") else "en"

    def pick(self, english: str, chinese: str) -> str:
        return chinese if self.language == "zh" else english

    def word(self, text: str) -> str:
        """A word of ours in the user's language; what is not ours stays as it is."""
        if text not in WORDS:
            return text
        return self.pick(_BREAK.sub(" ", text).lower(), WORDS[text])

    def head(self, column: str, columns: Sequence[str]) -> str:
        """The head of a column. Where there is a room, a name is a person's."""
        if column == "name" and "room" in columns:
            return self.pick(*PERSON_NAME)
        english, chinese = HEADS.get(column, (column.replace("_", " "), column))
        return self.pick(english, chinese)

    def value(self, column: str, value: Any) -> Any:
        """A value as it stands in a table: words in the user's language, times in the user's zone."""
        from muster.cli.grid import plain  # needed by tables only

        return plain(value, self.settings.timezone, self.word if column in VALUES else None)

    def say(self, english: str, chinese: str) -> None:
        """A line for people; programs do not get it."""
        if not self.json:
            self.screen.print(self.pick(english, chinese), soft_wrap=True)

    def table(self, rows: Rows, columns: Sequence[str], title: str = "") -> None:
        if not self.json:
            self.screen.print(self.grid(rows, columns, title))

    def grid(self, rows: Rows, columns: Sequence[str], title: str = "") -> RenderableType:
        from muster.cli.grid import grid

        return grid(
            [[self.value(name, row.get(name)) for name in columns] for row in rows],
            [self.head(name, columns) for name in columns],
            title=self.word(title), width=self.screen.width,
        )  # fmt: skip

    def listing(
        self, rows: Rows, columns: Sequence[str], output: Path | None, mark: Mark | None = None
    ) -> Rows:
        """A list on the screen, or into a .csv or .xlsx file, which `mark` says who took out."""
        if output is None:
            self.table(rows, columns)
            self.say(f"{len(rows):,} row{'s'[: len(rows) != 1]}", f"共 {len(rows):,} 行")
            return rows
        from muster.intake.export import write_rows

        heads = [self.head(name, columns) for name in columns]
        cells = ([self.value(name, row.get(name)) for name in columns] for row in rows)
        try:
            write_rows(output, heads, cells, mark=mark)
        except OSError as error:
            raise FileUnusable(file=output, reason=error.strerror) from error
        self.say(
            f"{len(rows):,} row{'s'[: len(rows) != 1]} → {output}", f"{len(rows):,} 行 → {output}"
        )
        return rows

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[int, int, int], None]]:
        """A bar on standard error, drawn at the first call: (done, total, rows)."""
        if not self.aside.is_terminal:
            yield lambda _done, _total, _rows: None
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[rows]}"), TimeElapsedColumn(),
            console=self.aside, transient=True,
        )  # fmt: skip
        task = bar.add_task(what, total=None, rows="")

        def show(done: int, total: int, rows: int) -> None:
            bar.start()
            bar.update(task, completed=done, total=total, rows=f"{rows:,}" if rows else "")

        try:
            yield show
        finally:
            bar.stop()


Work = Callable[..., Awaitable[Any]]


def command(
    group: click.RichGroup, name: str | None = None, *, light: bool = False
) -> Callable[[Work], click.Command]:
    """Make an async function a command of `group`. Its first parameter is the Out; what it returns
    is the JSON document. Problems end it with exit code 1. A light one has no log."""

    def made(work: Work) -> click.Command:
        @click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
        @wraps(work)
        def run(as_json: bool, **arguments: Any) -> None:
            out = _out(as_json)
            if not light:
                from muster.core import log

                log.configure(json=as_json or not sys.stderr.isatty(), level="WARNING")
            try:
                document = uvloop.run(_guarded(work(out, **arguments)))
                if as_json:
                    sys.stdout.write(to_json(document) + "\n")
                sys.stdout.flush()
            except BrokenPipeError:  # the reader has enough
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                sys.exit(1)
            except Problem as problem:
                _fail(out, problem)
            except KeyboardInterrupt:
                sys.exit(130)

        return group.command(name)(run)  # type: ignore[return-value]

    return made


def _out(as_json: bool) -> Out:
    # No markup: what is in brackets may be somebody's file or name.
    plain: dict[str, Any] = {"markup": False, "highlight": False, "emoji": False}
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    screen, aside = Console(width=width, **plain), Console(stderr=True, **plain)
    return Out(as_json, Settings.from_environment(), screen, aside)


async def _guarded(work: Awaitable[Any]) -> Any:
    """The work, with every error as a Problem. Their texts may quote a row, so they are not shown."""
    try:
        return await work
    except (Problem, click.ClickException, Exit, BrokenPipeError):
        raise
    except OSError as error:
        if error.filename is None:
            raise _defect(error) from error
        raise FileUnusable(file=error.filename, reason=error.strerror) from error
    except Exception as error:
        psycopg = sys.modules.get("psycopg")
        if psycopg and isinstance(error, psycopg.OperationalError):
            state = getattr(error, "sqlstate", None)
            raise DatabaseUnreachable(reason=state or type(error).__name__) from error
        raise _defect(error) from error


def _defect(error: Exception) -> CommandFailed:
    traceback.print_tb(error.__traceback__, file=sys.stderr)
    return CommandFailed(error=type(error).__name__)


def _fail(out: Out, problem: Problem) -> None:
    if out.json:
        sys.stdout.write(to_json(problem.details(out.language)) + "\n")
    else:
        out.aside.print(problem.message(out.language), style="bold red", soft_wrap=True)
    sys.exit(1)


def to_json(document: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(document, enc_hook=str), indent=2).decode()


def opened(
    work: Callable[[Out, Instance], Awaitable[Any]], out: Out, **options: Any
) -> Awaitable[Any]:
    """Run `work` on an open Muster; a rebuild of its tables before that has a bar."""

    async def run() -> Any:
        from muster.instance import open_instance

        with out.progress(out.pick("rebuilding", "正在重建读表")) as bar:
            context = open_instance(
                out.settings, progress=lambda _what, done, total: bar(done, total, 0), **options
            )
            instance = await context.__aenter__()
        try:
            document = await work(out, instance)
        except BaseException:
            await context.__aexit__(*sys.exc_info())
            raise
        await context.__aexit__(None, None, None)
        return document

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


def _table_file(_ctx: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() not in (".csv", ".xlsx"):
        raise click.BadParameter("the file's name must end in .csv or .xlsx")
    return path


output_option = click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), callback=_table_file,
    help="Write the list to a .csv or .xlsx file.",
)  # fmt: skip
