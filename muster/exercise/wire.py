"""A minimal HTTP/1.1 client over a kept-alive connection, for simulated devices and for load: it must
cost far less than the server it talks to. Loopback only, no TLS, no redirects.
"""

import asyncio
from typing import Any
from urllib.parse import urlencode

import msgspec

_TOO_SLOW = 408  # nothing was sent in time on an open connection


class WireError(Exception):
    """The server answered with an error status, perhaps asking for patience, or the connection broke."""

    def __init__(self, status: int, body: bytes, retry_after_s: float = 0) -> None:
        super().__init__(f"{status} {body[:300]!r}")
        self.status, self.body, self.retry_after_s = status, body, retry_after_s


class Wire:
    """One connection, used by one task at a time; it reconnects by itself. `token`: a device's."""

    def __init__(self, host: str, port: int, token: str = "") -> None:
        self.host, self.port, self.token = host, port, token
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str, **query: object) -> Any:
        """The JSON of a GET. Raises WireError."""
        full = f"{path}?{urlencode(query)}" if query else path
        return msgspec.json.decode(await self.ask(self.request("GET", full)))

    async def post(self, path: str, document: Any, headers: str = "") -> Any:
        """The JSON answer to a POST. Raises WireError."""
        body = document if isinstance(document, bytes) else msgspec.json.encode(document)
        answer = await self.ask(self.request("POST", path, body, headers))
        return msgspec.json.decode(answer) if answer else None

    def request(self, method: str, path: str, body: bytes = b"", headers: str = "") -> bytes:
        """The bytes of a request, so that a load loop can make them beforehand."""
        head = f"{method} {path} HTTP/1.1\r\nhost: {self.host}\r\n{headers}"
        if self.token:
            head += f"authorization: Bearer {self.token}\r\n"
        if body:
            head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body

    async def ask(self, request: bytes) -> bytes:
        """Send request bytes, return the body of the answer. A connection that the server has closed
        while nobody used it is opened anew: what is asked twice is answered as if asked once."""
        if self._streams is not None:
            try:
                return await self._once(request)
            except WireError as error:
                if error.status not in (0, _TOO_SLOW):
                    raise
        await self.close()
        self._streams = await asyncio.open_connection(self.host, self.port, limit=1 << 24)
        return await self._once(request)

    async def lose(self, request: bytes) -> None:
        """Send request bytes on a connection of their own and break it off when the answer begins: the
        server has done what was asked, and nobody is told."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(request)
            await reader.read(1)
        except OSError as error:
            raise WireError(0, str(error).encode()) from error
        finally:
            writer.transport.abort()

    async def _once(self, request: bytes) -> bytes:
        assert self._streams
        reader, writer = self._streams
        try:
            writer.write(request)
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head[9:12])
            head = head.lower()
            body = await _body(reader, head)
        except (OSError, EOFError, asyncio.IncompleteReadError) as error:
            await self.close()
            raise WireError(0, str(error).encode()) from error
        if status >= 400:
            raise WireError(status, body, _retry_after_s(head))
        return body

    async def close(self) -> None:
        if self._streams:
            self._streams[1].close()
        self._streams = None


def _retry_after_s(head: bytes) -> float:
    at = head.find(b"retry-after:")
    return float(head[at + 12 : head.index(b"\r", at)]) if at >= 0 else 0


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    at = head.find(b"content-length:")
    if at >= 0:
        return await reader.readexactly(int(head[at + 15 : head.index(b"\r", at)]))
    if b"transfer-encoding: chunked" not in head:
        return b""
    parts = []
    while size := int(await reader.readline(), 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)
