"""The listener: uvicorn on a socket of ours, with or without TLS, and with what it leaves open
closed: heads that never end, connections without number, callers who do not take their answer.
"""

import asyncio
import socket
import ssl
from asyncio.events import TimerHandle
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from muster.app import make_app
from muster.config import (
    CONNECTIONS_LIMIT,
    HEAD_FIELDS_LIMIT,
    HEAD_LIMIT_BYTES,
    HEAD_SECONDS,
    KEEP_ALIVE_SECONDS,
    RETRY_AFTER_SECONDS,
    SEND_SECONDS,
    Rates,
)
from muster.core.problems import Problem
from muster.core.tasks import end
from muster.hardening import Front, Hardened, HeadTooLarge, ServerBusy
from muster.instance import Instance
from muster.intake.feeding import feed_files
from muster.lan.names import shown
from muster.web import PROBLEM


class PortTaken(Problem):
    """Port {port} of {host} is in use. Choose another with --port."""

    zh = "{host} 的端口 {port} 已被占用，请用 --port 另选。"


class CertificateUnusable(Problem):
    """The certificate {cert} and its key {key} cannot be used: {reason}. The certificate, with the
    chain below it, and an unencrypted key are wanted, both as PEM."""

    zh = "证书 {cert} 及其私钥 {key} 无法使用：{reason}。需要 PEM 格式的证书（含证书链）和未加密的私钥。"


class HeadTooSlow(Problem):
    """A request's header fields did not come within {limit_seconds} seconds."""

    zh = "请求头未在 {limit_seconds} 秒内到达。"
    status = 408


@dataclass(frozen=True)
class Tls:
    """The files of a certificate, with its chain, and of its key."""

    cert: Path
    key: Path


@asynccontextmanager
async def serving(
    muster: Instance, host: str | Sequence[str] = "127.0.0.1", port: int = 0, *,
    tls: Tls | None = None, front: Front | None = None, rates: Rates | None = None,
    also: Sequence[Any] = (),
) -> AsyncIterator[tuple[uvicorn.Server, str]]:  # fmt: skip
    """The HTTP server of an open Muster, at one host or several; port 0 takes a free one. Its address,
    at the first host."""
    inner = make_app(muster, also)
    app = Hardened(inner, front or Front(), rates or muster.settings.rates)
    async with listening(app, [host] if isinstance(host, str) else host, port, tls=tls) as found:
        feeding = asyncio.create_task(feed_files(muster))
        try:
            yield found
        finally:
            inner.state.glances.close()  # streams would be waited for
            await end(feeding)


@asynccontextmanager
async def listening(
    app: Hardened, hosts: Sequence[str], port: int, *, tls: Tls | None = None
) -> AsyncIterator[tuple[uvicorn.Server, str]]:
    """An application at some hosts, on one port. The address at the first of them."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, http=Listening, ws="none", lifespan="off",
        proxy_headers=False, server_header=False,
        timeout_graceful_shutdown=10, timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )  # fmt: skip
    config.load()
    config.ssl = _context(tls) if tls else None
    with ExitStack() as sockets:
        bound: list[socket.socket] = []
        for host in hosts:
            bound.append(sockets.enter_context(listener(host, port, beside=bool(bound))))
            port = bound[0].getsockname()[1]
        server = uvicorn.Server(config)
        # uvicorn would raise the signal again when it has ended, before the database is closed.
        setattr(server, "capture_signals", nullcontext)  # noqa: B010  (its type is a method)
        task = asyncio.create_task(server.serve(sockets=bound))
        while not server.started and not task.done():
            await asyncio.sleep(0.01)
        try:
            yield server, f"http{'s' if tls else ''}://{shown(hosts[0])}:{port}"
        finally:
            server.should_exit = True
            await task


def listener(host: str, port: int, *, beside: bool = False) -> socket.socket:
    """A socket at a host and port; `beside` another at the same port, of IPv4."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, else asyncio does not set TCP_NODELAY and each answer takes 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if beside and family == socket.AF_INET6:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise PortTaken(host=host, port=port) from error
    return bound


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(tls.cert, tls.key, password=lambda: "")  # else it asks the terminal
    except OSError as error:  # SSLError is one
        reason = error.strerror or type(error).__name__
        raise CertificateUnusable(cert=tls.cert, key=tls.key, reason=reason) from error
    return context


class Listening(HttpToolsProtocol):
    """One connection. uvicorn limits how long a connection may be silent between two requests; here
    it is limited before the first one, within a head, after an early answer and while sending."""

    _timer: TimerHandle | None = None  # of the head that is coming, or the body nobody waits for
    _stuck: TimerHandle | None = None  # of an answer that is not taken
    _head_bytes: int | None = None  # of the head that is coming; None between head and next head
    _whole = True  # whether the request has come to its end

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_bytes = 0
        self._after(HEAD_SECONDS, self._head_too_slow)
        if len(self.connections) > CONNECTIONS_LIMIT:
            self._end(ServerBusy(seconds=RETRY_AFTER_SECONDS))

    def connection_lost(self, exc: Exception | None) -> None:
        self._after(0, None)
        if self._stuck:
            self._stuck.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        silent = self.timeout_keep_alive_task is not None and self._whole
        coming = self._head_bytes is not None
        super().data_received(data)
        if self.transport.is_closing():
            return
        if coming and self._head_bytes is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_LIMIT_BYTES:
                self._end(
                    HeadTooLarge(limit_fields=HEAD_FIELDS_LIMIT, limit_bytes=HEAD_LIMIT_BYTES)
                )
        elif self._head_bytes is None and self._whole and self._idle():
            if silent:
                self.transport.close()  # empty lines instead of a request, to stay connected
            else:  # the rest of a body that was answered before
                self.timeout_keep_alive_task = self.loop.call_later(
                    self.timeout_keep_alive, self.timeout_keep_alive_handler
                )

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head_bytes is None:
            self._head_bytes = 0
            self._after(HEAD_SECONDS, self._head_too_slow)

    def on_headers_complete(self) -> None:
        self._head_bytes, self._whole = None, False
        self._after(0, None)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._whole = True
        self._after(0, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # Answered before the body has come: it is read away, for a while.
        if not self._whole and self.cycle.response_complete:
            self._after(HEAD_SECONDS, self.transport.close)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck = self.loop.call_later(SEND_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stuck:
            self._stuck.cancel()

    def _idle(self) -> bool:
        return self.cycle is None or (self.cycle.response_complete and not self.pipeline)

    def _after(self, seconds: float, call: Any) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, call) if call else None

    def _head_too_slow(self) -> None:
        self._end(HeadTooSlow(limit_seconds=HEAD_SECONDS))

    def _end(self, problem: Problem) -> None:
        """Answer, if no answer is under way, and close."""
        if not self.transport.is_closing():
            if self._idle():
                self.transport.write(_plain(problem))
            self.transport.close()


def _plain(problem: Problem) -> bytes:
    """A problem as the bytes of a whole answer, for who has not said yet what it reads."""
    body = msgspec.json.encode(problem.details())
    retry = f"retry-after: {problem.facts['seconds']}\r\n" if problem.status == 503 else ""
    return (
        f"HTTP/1.1 {problem.status} {problem.slug}\r\ncontent-type: {PROBLEM}\r\n{retry}"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    ).encode() + body
