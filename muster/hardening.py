"""What stands between the network and every handler: limits of size, time and rate, who may speak
through a proxy, no foreign page acting in a user's name, and the headers of every answer.

What a request's head costs before there is a request is limited in muster/cli/listening.py.
"""

import asyncio
import hashlib
import ipaddress
import math
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from muster.config import (
    BODY_LEAST_BYTES_PER_S,
    BODY_LIMIT_BYTES,
    BODY_SECONDS,
    BURST_SECONDS,
    HEAD_FIELDS_LIMIT,
    HEAD_LIMIT_BYTES,
    RATES_KEPT_LIMIT,
    REQUEST_SECONDS,
    REQUESTS_LIMIT,
    RESIDENT_BURST_SECONDS,
    RETRY_AFTER_SECONDS,
    SIGN_IN_BURST_SECONDS,
    SITE_LISTINGS_PER_S,
    SITE_LISTINGS_SECONDS,
    URL_LIMIT_BYTES,
    Rates,
)
from muster.core.log import error_facts, logger
from muster.core.problems import Problem
from muster.headers import HEADERS, HSTS, NO_STORE
from muster.web import PROBLEM, InternalError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_JSON = b"application/json"
_BYTES = ("/v1/queues", "/v1/site-photos/")  # where bodies are bytes
Fields = dict[bytes, bytes]  # a request's header fields; of a repeated one the last

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class TooManyRequests(Problem):
    """Too many requests came from here. Nothing of this one was taken in: keep what you have and
    send it again in {seconds} seconds."""

    zh = "来自此处的请求过多。该请求未被受理：请保留待发数据，{seconds} 秒后重发。"
    status = 429


class ServerBusy(Problem):
    """The server works on as many requests as it can. Send this one again in {seconds} seconds."""

    zh = "服务器正忙，请 {seconds} 秒后重试。"
    status = 503


class TookTooLong(Problem):
    """The request was not answered within {limit_seconds} seconds and was given up. What it sent may
    or may not be stored: send it again in {seconds} seconds, with the same ids."""

    zh = "请求在 {limit_seconds} 秒内未能完成，已中止，可能已保存也可能未保存；请在 {seconds} 秒后用相同编号重发。"
    status = 503


class UploadTooSlow(Problem):
    """The request's body came too slowly and nothing of it was taken in: at least {least_bytes} bytes
    a second are expected. Send less at a time."""

    zh = "请求内容传输过慢，未被受理：每秒至少应有 {least_bytes} 字节。请减少每次发送的量。"
    status = 408


class UrlTooLong(Problem):
    """The request's address is longer than {limit_bytes} bytes."""

    zh = "请求地址超过 {limit_bytes} 字节。"
    status = 414


class HeadTooLarge(Problem):
    """The request's header fields are more than {limit_fields}, or longer than {limit_bytes} bytes."""

    zh = "请求头超过 {limit_fields} 项或 {limit_bytes} 字节。"
    status = 431


class UnsupportedType(Problem):
    """A body here is application/json, plain or gzip-encoded, or, of a sealed queue or a photo,
    application/octet-stream; this one is declared as {declared}."""

    zh = (
        "此处只接受 application/json（可用 gzip 压缩），封装的队列和照片为 octet-stream；"
        "该请求声明为 {declared}。"
    )
    status = 415


class ForeignOrigin(Problem):
    """A page of another site tried to act here in your name. Nothing was done."""

    zh = "另一网站的页面试图以您的名义操作，未执行任何操作。"
    status = 403


class NotThroughProxy(Problem):
    """Muster stands behind a proxy and is spoken to through it only. If the proxy was meant, name
    its address with --proxy-address."""

    zh = "Muster 位于代理之后，只能通过代理访问。如来自代理，请用 --proxy-address 指明其地址。"
    status = 403


@dataclass(frozen=True)
class Front:
    """What stands in front of the server: a proxy, on this machine or at one of `proxies`, whose
    word about the caller's address and scheme is taken; or nothing. `lasting`: browsers are told to
    keep to HTTPS for a year."""

    proxied: bool = False
    proxies: tuple[Network, ...] = ()
    lasting: bool = True

    def trusts(self, peer: str) -> bool:
        address = _address(peer)
        return address is not None and (
            address.is_loopback or any(address in network for network in self.proxies)
        )


class Turns:
    """Token buckets, one a caller: each fills at a rate up to a burst. Memory is bounded."""

    def __init__(self, limit: int = RATES_KEPT_LIMIT) -> None:
        self.limit = limit
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def wait(self, caller: Hashable, *, rate: float, burst: float, at: float) -> float:
        """Take a turn at the monotonic second `at`; 0, or the seconds until there is one."""
        left, since = self._left.pop(caller, (burst, at))
        left = min(burst, left + (at - since) * rate)
        self._left[caller] = (left - 1 if left >= 1 else left, at)
        if len(self._left) > self.limit:
            self._left.popitem(last=False)
        return 0 if left >= 1 else (1 - left) / rate


@dataclass
class Hardened:
    """The application behind its limits, as an ASGI application."""

    app: ASGIApp
    front: Front = Front()
    rates: Rates = field(default_factory=Rates)
    turns: Turns = field(default_factory=Turns)
    at_work: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"  # the listener does nothing else
        fields: Fields = dict(scope["headers"])
        whole: dict[str, Any] = scope  # type: ignore[assignment]  # a key of ours goes in
        answer = _Answer(scope, send)
        try:
            if self.front.proxied:
                self._meet(whole, fields)
            answer.secure = whole["scheme"] == "https" and self.front.lasting
            self._admit(scope, fields)
            whole["muster.hardened"] = self
            self.at_work += 1
            try:
                await _timed(self.app, scope, receive, answer, fields)
            finally:
                self.at_work -= 1
        except Problem as problem:
            await refuse(scope, answer, problem)
        except Exception as error:
            logger.error("internal_error", path=scope["path"], **error_facts(error))
            if not answer.started:  # else the listener closes the connection
                await refuse(scope, answer, InternalError(error=type(error).__name__))

    def _meet(self, scope: dict[str, Any], fields: Fields) -> None:
        """Take the proxy's word for who asks. Only its own, the last, counts: what stands before it
        in the list is the caller's."""
        if not self.front.trusts((scope["client"] or ("",))[0]):
            raise NotThroughProxy
        hop = fields.get(b"x-forwarded-for", b"").decode("latin-1").rpartition(",")[2].strip()
        if _address(hop):
            scope["client"] = (hop, 0)
        if fields.get(b"x-forwarded-proto", b"").strip().lower() == b"https":
            scope["scheme"] = "https"

    def _admit(self, scope: HTTPScope, fields: Fields) -> None:
        """Raises the Problem for which a request is not even looked at."""
        if len(scope["raw_path"]) + len(scope["query_string"]) > URL_LIMIT_BYTES:
            raise UrlTooLong(limit_bytes=URL_LIMIT_BYTES)
        sizes = [len(name) + len(value) for name, value in scope["headers"]]
        if len(sizes) > HEAD_FIELDS_LIMIT or sum(sizes) > HEAD_LIMIT_BYTES:
            raise HeadTooLarge(limit_fields=HEAD_FIELDS_LIMIT, limit_bytes=HEAD_LIMIT_BYTES)
        self._take_turn(scope, fields)
        if scope["method"] in UNSAFE:
            if _is_foreign(fields):
                raise ForeignOrigin
            if scope["path"].startswith("/v1/"):
                _check_type(scope["path"], fields)
        if self.at_work >= REQUESTS_LIMIT:
            raise ServerBusy(seconds=RETRY_AFTER_SECONDS)

    def _take_turn(self, scope: Scope, fields: Fields) -> None:
        at = asyncio.get_running_loop().time()
        if address := self._limited_address(scope):
            self._turn(("address", address), self.rates.address, BURST_SECONDS, at)
        if said := fields.get(b"authorization") or fields.get(b"cookie"):
            # The digest, so that no token is kept here.
            caller = ("device", hashlib.blake2b(said, digest_size=16).digest())
            self._turn(caller, self.rates.device, BURST_SECONDS, at)

    def take_sign_in_turn(self, scope: Scope) -> None:
        """Whoever is not known yet and wants something done has fewer turns."""
        if address := self._limited_address(scope):
            at = asyncio.get_running_loop().time()
            self._turn(("sign-in", address), self.rates.sign_in, SIGN_IN_BURST_SECONDS, at)

    def take_resident_turn(self, scope: Scope, site: str | None) -> None:
        """Residents' forms have turns of their own: by address, and of those who list themselves by
        the site."""
        at = asyncio.get_running_loop().time()
        if site is not None and self.rates.resident:
            self._turn(("site", site), SITE_LISTINGS_PER_S, SITE_LISTINGS_SECONDS, at)
        if address := self._limited_address(scope):
            self._turn(("resident", address), self.rates.resident, RESIDENT_BURST_SECONDS, at)

    def _turn(self, caller: Hashable, rate: int, burst_seconds: int, at: float) -> None:
        if rate and (wait := self.turns.wait(caller, rate=rate, burst=rate * burst_seconds, at=at)):
            raise TooManyRequests(seconds=math.ceil(wait))

    def _limited_address(self, scope: Scope) -> str | None:
        """Whose turns are counted; this machine's own callers are not, unless a proxy speaks."""
        address = _address((scope["client"] or ("",))[0])
        if address is None or (address.is_loopback and not self.front.proxied):
            return None
        if isinstance(address, ipaddress.IPv6Address):  # one subscriber has all of a /64
            return str(ipaddress.ip_network((address, 64), strict=False))
        return str(address)


def sign_in_turns(app: ASGIApp) -> ASGIApp:
    """Middleware of the application: fewer turns at handlers of the right `public` that change
    something, which are the ones for signing in."""

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        hardened = scope.get("muster.hardened")
        handler: Any = scope.get("route_handler")
        unsafe = scope["type"] == "http" and scope["method"] in UNSAFE
        opt = handler.opt if handler is not None else {}
        # A handler with turns of its own takes them itself.
        if hardened and unsafe and opt.get("right") == "public" and "turns" not in opt:
            try:
                hardened.take_sign_in_turn(scope)
            except TooManyRequests as problem:
                await refuse(scope, send, problem)
                return
        await app(scope, receive, send)

    return counted


def resident_turn(scope: Any, *, site: str | None = None) -> None:
    """Take a turn at a form of residents' pages; `site`: to list somebody there. Raises
    TooManyRequests."""
    if hardened := scope.get("muster.hardened"):
        hardened.take_resident_turn(scope, site)


class _Answer:
    """Sends an answer, with the headers that every answer has."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.send, self.secure, self.started = send, False, False
        self.private = scope["path"].startswith("/v1")
        self.limit: asyncio.Timeout | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            if self.limit and not self.limit.expired():
                self.limit.reschedule(None)  # how fast it is taken is limited by the listener
            said = {
                name.lower() for name, _ in message["headers"]
            }  # pages with a policy of their own
            headers = [*message["headers"], *(one for one in HEADERS if one[0] not in said)]
            if self.private and b"cache-control" not in said:
                headers.append(NO_STORE)
            if self.secure:
                headers.append(HSTS)
            message["headers"] = headers
        await self.send(message)


async def _timed(
    app: ASGIApp, scope: Scope, receive: Receive, answer: _Answer, fields: Fields
) -> None:
    """Run the application: the body must come at some rate, then the answer begin within a time."""
    loop = asyncio.get_running_loop()
    began, came = loop.time(), 0
    waiting = b"transfer-encoding" in fields or fields.get(b"content-length", b"0") != b"0"
    limit = asyncio.timeout(BODY_SECONDS if waiting else REQUEST_SECONDS)

    async def received() -> Any:
        nonlocal came, waiting
        message = await receive()
        if message["type"] == "http.request" and waiting:
            came += len(message["body"])
            waiting = message["more_body"]
            until = loop.time() + REQUEST_SECONDS
            if waiting:
                until = began + BODY_SECONDS + came / BODY_LEAST_BYTES_PER_S
            if not (answer.started or limit.expired()):
                limit.reschedule(until)
        return message

    try:
        async with limit:
            answer.limit = limit
            await app(scope, received, answer)
    except TimeoutError:
        if not limit.expired():
            raise
        if waiting:
            raise UploadTooSlow(least_bytes=BODY_LEAST_BYTES_PER_S) from None
        logger.warning("took_too_long", path=scope["path"])
        raise TookTooLong(limit_seconds=REQUEST_SECONDS, seconds=RETRY_AFTER_SECONDS) from None
    finally:
        answer.limit = None


async def refuse(scope: Scope, send: Any, problem: Problem) -> None:
    """Answer a problem without the application. A body that is still to come is let in as far as
    bodies may be, so that the caller gets to read the answer; else the connection ends."""
    fields: Fields = dict(scope["headers"])
    language = "zh" if fields.get(b"accept-language", b"").lower().startswith(b"zh") else "en"
    body = msgspec.json.encode(problem.details(language))
    headers = [
        (b"content-type", PROBLEM.encode()), (b"content-length", b"%d" % len(body)),
        (b"content-language", language.encode()),
    ]  # fmt: skip
    if problem.status in (429, 503):
        headers.append((b"retry-after", str(problem.facts["seconds"]).encode()))
    length = fields.get(b"content-length", b"0")
    fits = length.isdigit() and int(length) <= BODY_LIMIT_BYTES
    if problem.status in (408, 431) or not fits or b"transfer-encoding" in fields:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _is_foreign(fields: Fields) -> bool:
    """Whether a browser says that a page of another origin made the request. What is no browser says
    neither and cannot be misled into it."""
    if site := fields.get(b"sec-fetch-site"):
        return site not in (b"same-origin", b"none")
    origin = fields.get(b"origin")
    return origin is not None and origin.partition(b"://")[2].lower() != fields.get(
        b"host", b""
    ).lower()  # fmt: skip


def _check_type(path: str, fields: Fields) -> None:
    """Neither of the types taken is one that a page of another site may send without being asked."""
    declared = fields.get(b"content-type", _JSON).partition(b";")[0].strip().lower()
    coding = fields.get(b"content-encoding", b"identity").strip().lower()
    # JSON is also what is sent without a type.
    types = (_JSON, b"application/octet-stream") if path.startswith(_BYTES) else (_JSON,)
    for said, fit in (
        (declared, types),
        (coding, (b"identity", b"gzip", b"")),
    ):
        if said not in fit:
            raise UnsupportedType(declared=said.decode("latin-1")[:80])


@lru_cache(10_000)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address as said by a socket or a proxy, perhaps with a port; None where it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
