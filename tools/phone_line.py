"""The line between a phone and Muster, for measuring: counts what comes over it, can be taken away, and can cut
connections in the middle of a request or an answer, at random but always the same.

Each connection carries one exchange, so that a cut one is a lost request or a lost answer and nothing else.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

HOST = "127.0.0.1"
CUT_EVERY = 3
HEAD_LIMIT_BYTES = 1 << 16
CHUNK_BYTES = 1 << 16


class Line:
    """`came`: bytes of answers by path, with their heads; `went`: of requests; `cuts`: connections cut in the
    middle."""

    def __init__(self, server: int) -> None:
        self.server = server
        self.came, self.went = Counter[str](), Counter[str]()
        self.away = False
        self.cuts = 0
        self._cutting: Random | None = None
        self._connections = 0

    def cut_from_now_on(self, *, seed: int) -> None:
        """Every third connection is cut, half of them while the phone asks, half while it is answered."""
        self._cutting = Random(seed)  # noqa: S311  (the same cuts each time)

    def cut_no_more(self) -> None:
        self._cutting = None

    async def carry(self, phone: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """One connection of the phone's, from its request to the end of the answer."""
        try:
            with suppress(OSError, EOFError, asyncio.IncompleteReadError):
                await self._exchange(phone, back)
        finally:
            back.close()

    async def _exchange(self, phone: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        request, path = await _request(phone)
        if self.away:
            return
        self._connections += 1
        cutting = self._cutting if self._connections % CUT_EVERY == 0 else None
        asked, share = (cutting.random() < 0.5, cutting.random()) if cutting else (False, 1.0)
        self.cuts += cutting is not None
        answers, server = await asyncio.open_connection(HOST, self.server)
        try:
            server.write(request[: int(len(request) * share)] if asked else request)
            await server.drain()
            self.went[path] += len(request)
            if asked:
                return
            if cutting:  # what the server has to say is waited for: it has stored what it was sent
                answer = await answers.read(-1)
                back.write(answer[: int(len(answer) * share)])
                await back.drain()
                return
            while part := await answers.read(CHUNK_BYTES):
                self.came[path] += len(part)
                back.write(part)
                await back.drain()
        finally:
            server.close()


async def _request(phone: asyncio.StreamReader) -> tuple[bytes, str]:
    """A request whose connection is to end with its answer, and the path it asks for."""
    head = await phone.readuntil(b"\r\n\r\n")
    first, *fields = head[:-4].split(b"\r\n")
    named = {one.partition(b":")[0].lower(): one.partition(b":")[2].strip() for one in fields}
    body = await phone.readexactly(int(named.get(b"content-length", b"0")))
    kept = [one for one in fields if one.partition(b":")[0].lower() != b"connection"]
    whole = b"\r\n".join([first, *kept, b"connection: close", b"", body])
    return whole, first.split(b" ")[1].decode().partition("?")[0]


@asynccontextmanager
async def line_to(server: int) -> AsyncIterator[tuple[Line, str]]:
    """A line to a server's port, and the address at its other end."""
    line = Line(server)
    listening = await asyncio.start_server(line.carry, HOST, 0, limit=HEAD_LIMIT_BYTES)
    try:
        yield line, f"http://{HOST}:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
