"""Setting a document: a template, data, a moment → PDF or pictures of its pages, by a child process
with a limit of time and memory. The same data, template, fonts and moment give the same bytes.
"""

import asyncio
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal
from weakref import WeakKeyDictionary

import msgspec

from muster.config import PAPER_MEMORY_BYTES, PAPER_SECONDS, PAPERS_AT_ONCE, PAPERS_WAITING_LIMIT
from muster.core.problems import Problem
from muster.papers import child
from muster.papers.fonts import font_files
from muster.papers.templates import Template, TemplateUnfit

SHIPPED_FONTS = Path(__file__).parents[1] / "console" / "fonts"
SYSTEM_FONTS = Path("/usr/share/fonts/opentype/noto")  # Debian's fonts-noto-cjk
Form = Literal["pdf", "png"]
SCREEN_DOTS_PER_INCH = 110


class FontsMissing(Problem):
    """There is no font to print with. Build the console (`make console`), install the package
    fonts-noto-cjk, or name a folder of fonts with Chinese characters in MUSTER_FONTS."""

    zh: ClassVar[str] = (
        "没有可用于打印的字体。请构建控制台（make console）、安装 fonts-noto-cjk 软件包，"
        "或用 MUSTER_FONTS 指定含汉字字体的文件夹。"
    )
    status: ClassVar[int] = 503


class PaperTooLong(Problem):
    """The document took longer than {seconds} seconds to set. Print a smaller part, for example one
    grid after the other."""

    zh: ClassVar[str] = "文档排版超过 {seconds} 秒。请缩小范围打印，例如逐个网格打印。"
    status: ClassVar[int] = 503


class PaperTooLarge(Problem):
    """The document needs more memory than it may have ({megabytes} MB). Print a smaller part."""

    zh: ClassVar[str] = "文档所需内存超过上限（{megabytes} MB）。请缩小范围打印。"
    status: ClassVar[int] = 422


class PaperUnprintable(Problem):
    """The document cannot be set: {reason}."""

    zh: ClassVar[str] = "文档无法排版：{reason}。"
    status: ClassVar[int] = 422


class PrintersBusy(Problem):
    """Many documents are being printed already. Try again in {seconds} seconds."""

    zh: ClassVar[str] = "正在打印的文档过多，请 {seconds} 秒后重试。"
    status: ClassVar[int] = 503


@dataclass(frozen=True)
class Press:
    """Where documents are set: folders of fonts, the district's templates, and the limits."""

    fonts: tuple[Path, ...]
    templates: Path | None = None
    seconds: float = PAPER_SECONDS
    memory_bytes: int = PAPER_MEMORY_BYTES


class Paper(msgspec.Struct, frozen=True):
    """A document: its PDF as one file, or its pages as pictures; the characters that no font had, which
    stand there as code points; and what typst warned of."""

    files: list[bytes]
    lost: list[str]
    warnings: list[str]

    @property
    def content(self) -> bytes:
        return self.files[0]


def press(home: Path, fonts: Path | None = None) -> Press:
    """The press of a Muster: with the fonts named by a setting, else those of the console, else the
    system's; and what a district has put into its home."""
    chosen = next(
        (one for one in (fonts, SHIPPED_FONTS, SYSTEM_FONTS) if one and font_files([one])), None
    )
    if chosen is None:
        raise FontsMissing()
    own = home / "fonts"
    folders = (chosen, own) if font_files([own]) else (chosen,)
    return Press(folders, home / "templates")


async def set_paper(
    press: Press, template: Template, data: Any, *, moment: datetime, form: Form = "pdf",
    dots_per_inch: int = SCREEN_DOTS_PER_INCH,
) -> Paper:  # fmt: skip
    """Set a document, or its pages as pictures of so many dots per inch. Raises TemplateUnfit,
    PaperTooLong, PaperTooLarge, PaperUnprintable, PrintersBusy."""
    asked = [
        template.source, data, form, int(moment.timestamp()), [str(one) for one in press.fonts],
        str(_root(press)), dots_per_inch,
    ]  # fmt: skip
    request = msgspec.msgpack.encode(asked, enc_hook=_plain)
    async with _turn():
        answer, code = await _ask(press, request)
    if answer is None:
        raise _ended(press, code)
    kind, *rest = answer
    if kind == "ok":
        return Paper(*rest)
    what, text, line = rest
    if what == "template":
        file, line = template.place(line)
        raise TemplateUnfit(file=file, reason=f"{text} ({file}:{line})" if line else text)
    if what == "memory":
        raise PaperTooLarge(megabytes=press.memory_bytes // 1_000_000)
    raise PaperUnprintable(reason=text)


async def _ask(press: Press, request: bytes) -> tuple[Sequence[Any] | None, int]:
    process = await asyncio.create_subprocess_exec(
        # -I: nothing from the environment or the working folder gets into the child.
        sys.executable, "-I", str(child.__file__), str(press.memory_bytes),
        str(max(1, round(press.seconds))),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"RAYON_NUM_THREADS": "1"},
    )  # fmt: skip
    try:
        async with asyncio.timeout(press.seconds):
            answer, _ = await process.communicate(request)
    except TimeoutError:
        raise PaperTooLong(seconds=f"{press.seconds:g}") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    code = process.returncode or 0
    return (msgspec.msgpack.decode(answer), code) if answer and code == 0 else (None, code)


def _ended(press: Press, code: int) -> Problem:
    if code == -signal.SIGXCPU:
        return PaperTooLong(seconds=f"{press.seconds:g}")
    if code in (-signal.SIGABRT, -signal.SIGKILL):  # how a library in Rust ends without memory
        return PaperTooLarge(megabytes=press.memory_bytes // 1_000_000)
    return PaperUnprintable(reason=f"the typesetter ended with {code}")


class _Queue:
    """Few documents at a time: the server answers others meanwhile."""

    def __init__(self) -> None:
        self.places, self.waiting = asyncio.Semaphore(PAPERS_AT_ONCE), 0

    async def __aenter__(self) -> None:
        if self.waiting >= PAPERS_WAITING_LIMIT:
            raise PrintersBusy(seconds=10)
        self.waiting += 1
        try:
            await self.places.acquire()
        finally:
            self.waiting -= 1

    async def __aexit__(self, *_: object) -> None:
        self.places.release()


_QUEUES: WeakKeyDictionary[asyncio.AbstractEventLoop, _Queue] = WeakKeyDictionary()


def _turn() -> _Queue:
    return _QUEUES.setdefault(asyncio.get_running_loop(), _Queue())


def _root(press: Press) -> Path:
    """Pictures of a template, such as an emblem, lie beside it."""
    own = press.templates
    return own if own and own.is_dir() else Path(child.__file__).parent / "templates"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


__all__ = ["FontsMissing", "Paper", "Press", "TemplateUnfit", "press", "set_paper"]
