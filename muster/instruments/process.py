"""The parent's side of the child that reads with foreign libraries; see child.py.

The child is kept warm between files, because loading allotropy takes seconds. It is killed when it
takes too long, when nobody has needed it for a while and when it is closed; it ends by itself when
its input does, so none outlives its parent.
"""

import asyncio
import os
import signal
import struct
import sys
from contextlib import suppress
from typing import Any, Literal
from weakref import WeakKeyDictionary

import msgspec

from muster.instruments import child, faults
from muster.instruments.faults import RunFileProblem

FILE_LIMIT_BYTES = 20 * 1024 * 1024


_FOUND = {name: value for name, value in os.environ.items() if name == "PATH"}


class ReaderLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much one file may ask of the child."""

    seconds: float = 60
    memory_bytes: int = 2_000_000_000  # addresses; the libraries alone take 400 MB of them
    expanded_bytes: int = 200_000_000  # a plate's workbook with all its curves unfolds to 30 MB
    answer_bytes: int = 256 << 20
    idle_minutes: float = 15


class Reader:
    """One child, started when it is needed. Requests wait for each other.

    `python` is the interpreter with whose libraries it reads; this process's own if not given.
    """

    def __init__(self, limits: ReaderLimits | None = None, *, python: str = sys.executable) -> None:
        self.limits, self._python = limits or ReaderLimits(), python
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """The child's, while there is one."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def ask(self, operation: str, *, file: str, content: bytes, **settings: Any) -> Any:
        """The child's answer. Raises the problem that `file` has, or that the child met with it."""
        async with self._turn:
            if self._idle is not None:
                self._idle.cancel()
            settings = {"expanded_bytes": self.limits.expanded_bytes, **settings}
            request = msgspec.msgpack.encode([operation, content, settings])
            try:
                async with asyncio.timeout(self.limits.seconds):
                    answer = await self._exchange(request)
            except TimeoutError:
                await self._end()
                raise self._hung(file) from None
            except BaseException:  # cancelled in the middle: its answer must not meet the next file
                await self._end()
                raise
            if answer is None:
                problem = self._ended(file)
                await self._end()
                raise problem
            self._idle = asyncio.get_running_loop().call_later(
                self.limits.idle_minutes * 60, self._kill
            )
        kind, value, *detail = msgspec.msgpack.decode(answer)
        if kind == "problem":
            if value == "memory":  # what the libraries hold now is not known
                await self.close()
            raise self._problem(file, value, detail[0])
        return value

    async def close(self) -> None:
        """Ends the child. The next request starts another."""
        async with self._turn:
            await self._end()

    async def _exchange(self, request: bytes) -> bytes | None:
        process = await self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(struct.pack(">I", len(request)) + request)
            await process.stdin.drain()
            (size,) = struct.unpack(">I", await process.stdout.readexactly(4))
            if size > self.limits.answer_bytes:
                return None
            return await process.stdout.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            with suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await process.wait()  # how it ended is what we want to know
            return None

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                # -I: nothing from the environment or the working folder gets into the child.
                self._python,
                "-I",
                str(child.__file__),
                str(self.limits.memory_bytes),
                str(max(1, round(self.limits.seconds))),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                # Threads of numerical libraries would reserve memory that counts as used.
                env={**_FOUND, "OPENBLAS_NUM_THREADS": "1"},
            )
        return self._process

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _end(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if self._process is not None:
            self._kill()
            await self._process.wait()
            self._process = None

    def _ended(self, file: str) -> RunFileProblem:
        code = self._process.returncode if self._process else None
        if code is None:  # it lives: its answer was too long
            return self._problem(file, "expanded", "")
        if code == -signal.SIGXCPU:
            return self._hung(file)
        if code == -signal.SIGABRT:  # how a library in Rust ends without memory
            return self._problem(file, "memory", "")
        return faults.RunReaderFailed(file=file, how=f"exit {code}")

    def _hung(self, file: str) -> RunFileProblem:
        return faults.RunReaderHung(file=file, seconds=f"{self.limits.seconds:g}")

    def _problem(self, file: str, name: str, detail: str) -> RunFileProblem:
        match name:
            case "memory":
                limit = f"{self.limits.memory_bytes // 1_000_000} MB of memory"
                return faults.RunFileTooLarge(file=file, limit=limit)
            case "expanded":
                limit = f"{self.limits.expanded_bytes // 1_000_000} MB unpacked"
                return faults.RunFileTooLarge(file=file, limit=limit)
            case "locked":
                return faults.RunFileLocked(file=file)
            case "missing":
                return faults.InstrumentsExtraMissing(file=file, format=detail)
            case "unreadable":
                return faults.RunFormUnreadable(file=file, detail=detail)
            case "failed":
                return faults.RunReaderFailed(file=file, how=detail)
            case _:
                return faults.RunFileDamaged(file=file)


Kind = Literal["workbooks", "libraries"]
_READERS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Kind, Reader]] = WeakKeyDictionary()


def shared_reader(kind: Kind) -> Reader:
    """A reader of the running event loop: one for workbooks, which takes milliseconds, and one for
    what needs the foreign libraries, so that the former never waits for the latter."""
    readers = _READERS.setdefault(asyncio.get_running_loop(), {})
    return readers.setdefault(kind, Reader())


async def warm_up() -> None:
    """Loads the libraries into the shared child, so that the first file need not wait for them."""
    libraries = ["allotropy.to_allotrope", "rdmlpython"]
    reader = shared_reader("libraries")
    await reader.ask("ready", file="-", content=b"", libraries=libraries)


async def close_readers() -> None:
    """Ends the running event loop's children."""
    for reader in _READERS.pop(asyncio.get_running_loop(), {}).values():
        await reader.close()
