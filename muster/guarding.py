"""Who asks, and may they: every handler names the right it needs, and every request passes here before
its handler. A handler reads through `reading(request)`, which sees what that right lets its caller see.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from hmac import compare_digest
from typing import Any, get_args
from uuid import UUID

import psycopg
from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from muster.access import devices, sessions
from muster.access.engine.roles import ROLES, Right
from muster.access.engine.scope import Principal
from muster.access.sessions import NotSignedIn
from muster.config import PRINCIPAL_SECONDS
from muster.core.clock import now
from muster.core.problems import Problem
from muster.instance import Instance
from muster.registry import queries as registry
from muster.web import Ask, muster

Connection = ASGIConnection[Any, Any, Any, Any]
NOBODY = Principal(None, "")
OF_EVERY_DEVICE = (
    "events",
    "receipts",
)  # whoever holds it now, or nobody: what it saved must go out
_UPLOADS = ("/v1/events", "/v1/queues")
_KNOWN_LIMIT = 50_000


class Forbidden(Problem):
    """Your roles do not allow this ({right}). Ask whoever leads your area, or an administrator."""

    zh = "你的角色无权进行此操作（{right}）。请联系所在区域负责人或系统管理员。"
    status = 403


class OutsideYourArea(Problem):
    """{area} lies outside the area you are responsible for."""

    zh = "{area} 不在你负责的区域内。"
    status = 403


class OutsideYourLab(Problem):
    """{lab} is not a laboratory you work for."""

    zh = "{lab} 不是你所在的实验室。"
    status = 403


class FirstDoThis(Problem):
    """Before anything else: {what}."""

    zh = "请先完成：{what}。"
    status = 403


class Principals:
    """Who each token stands for, remembered for a moment."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._known: dict[tuple[str, str], tuple[float, Principal]] = {}

    def forget(self) -> None:
        """After a change of rights: look everybody up again."""
        self._known.clear()

    async def of(self, connection: Connection) -> Principal:
        """Raises NotSignedIn or TokenOver for a token that stands for nobody."""
        kind, token = _token(connection)
        if not token:
            return NOBODY
        known = self._known.get((kind, token))
        if known and known[0] > time.monotonic():
            return known[1]
        if len(self._known) > _KNOWN_LIMIT:
            self._known.clear()
        async with self._instance.pool.connection() as conn:
            found = await (_of_device if kind == "device" else _of_session)(conn, token)
        self._known[kind, token] = time.monotonic() + PRINCIPAL_SECONDS, found
        return found


def _token(connection: Connection) -> tuple[str, str]:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return "device", token
    name = sessions.cookie_name(connection.scope["scheme"], connection.url.hostname or "")
    return "session", connection.cookies.get(name, "")


async def _of_device(conn: psycopg.AsyncConnection[Any], token: str) -> Principal:
    return await devices.principal(conn, token, at=now())


async def _of_session(conn: psycopg.AsyncConnection[Any], token: str) -> Principal:
    at = now()
    signed = await sessions.resolve(conn, token, at)
    if signed is None:
        raise NotSignedIn()
    holdings = await devices.holdings_of(conn, signed.account, at=at)
    return Principal(
        signed.account, signed.login, holdings, session=signed.session, limited=signed.limited,
        csrf=signed.csrf,
    )  # fmt: skip


async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
    """Before every handler. Raises NotSignedIn, TokenOver, Forbidden, FirstDoThis, CrossSiteRequest."""
    right = right_of(handler)
    connection.state["principal"] = NOBODY
    if right == "public" or (right == "metrics" and _scrapes(connection)):
        return
    who = await connection.app.state.principals.of(connection)
    if who is NOBODY:
        raise NotSignedIn()
    connection.state["principal"] = who
    if who.session is not None and (problem := _cross_site(connection, who)):
        raise problem
    if who.device is not None and right in OF_EVERY_DEVICE:
        if who.revoked and right != "events":
            raise devices.DeviceRevokedNow()
        return
    if who.revoked:
        raise devices.DeviceRevokedNow()
    if who.limited and right != "signed_in":
        raise FirstDoThis(what=who.limited)
    if not who.may(right):
        raise Forbidden(right=right)


def _scrapes(connection: Connection) -> bool:
    """Whether a monitoring system asks, with the token the operator gave it: it cannot renew one."""
    file = connection.app.state.muster.settings.metrics_token
    kind, token = _token(connection)
    if file is None or kind != "device":
        return False
    try:
        return compare_digest(file.read_text().strip().encode(), token.encode())
    except OSError:
        return False


def _cross_site(connection: Connection, who: Principal) -> Problem | None:
    headers = connection.headers
    return sessions.csrf_problem(
        method=str(connection.scope.get("method", "")), csrf=who.csrf,
        sent=headers.get(sessions.CSRF_HEADER), origin=headers.get("origin"),
        fetch_site=headers.get("sec-fetch-site"), host=headers.get("host", ""),
    )  # fmt: skip


def forgetting(principals: Principals) -> Callable[[ASGIApp], ASGIApp]:
    """A middleware: whatever may have changed somebody's rights, everybody is looked up again before
    the answer goes out. Uploads change no rights that their senders have."""

    def middleware(app: ASGIApp) -> ASGIApp:
        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["method"] in sessions.SAFE_METHODS:
                await app(scope, receive, send)
                return

            async def sent(message: Message) -> None:
                if message["type"] == "http.response.start" and scope["path"] not in _UPLOADS:
                    principals.forget()
                await send(message)

            await app(scope, receive, sent)

        return watched

    return middleware


def right_of(handler: BaseRouteHandler) -> str:
    """The right a handler needs."""
    return handler.opt.get("right", "")


def routes(app: Litestar) -> Iterable[tuple[str, str, str]]:
    """(method, path, right) of every route."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler):
                for method in sorted(handler.http_methods - {"OPTIONS"}):
                    yield method, route.path, right_of(handler)


def check_rights(app: Litestar) -> None:
    """A route without a right of the table is a defect, seen when the application is made."""
    for method, path, right in routes(app):
        if right not in get_args(Right):
            raise TypeError(f"{method} {path} names no right of access/engine/roles.py: {right!r}")


def principal(request: Ask) -> Principal:
    """Who asks."""
    return request.state["principal"]


@asynccontextmanager
async def reading(
    request: Ask, right: str | None = None
) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """A connection that sees what the caller may see by the handler's right."""
    scope = principal(request).scope(right or right_of(request.route_handler))
    async with muster(request).readers.scoped(scope) as conn:
        yield conn


async def area_within(
    request: Ask, conn: psycopg.AsyncConnection[Any], text: str, *, right: str | None = None
) -> dict[str, Any]:
    """The area of a code, id or name, which must lie within the caller's own: a sum over less than
    was asked for would mislead. Raises AreaUnknown, AreaAmbiguous, OutsideYourArea."""
    found = await registry.area(conn, text)
    await check_reach(request, conn, [found["area"]], right=right)
    return found


async def within(
    request: Ask, conn: psycopg.AsyncConnection[Any], found: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Of rows about areas those of areas that lie wholly within the caller's own: a sum over a part
    of an area, or another's, is not shown."""
    who, needed = principal(request), right_of(request.route_handler)
    lines = await _lines(conn, [one["area"] for one in found])
    return [one for one in found if who.reaches(needed, lines.get(one["area"]) or [one["area"]])]


async def check_people(conn: psycopg.AsyncConnection[Any], people: Sequence[UUID]) -> None:
    """All of these may be seen through the connection: what is said of a person from a part of what
    is recorded would mislead. Raises PersonUnknown."""
    await registry.check_known(conn, people)


async def check_reach(
    request: Ask, conn: psycopg.AsyncConnection[Any], areas: Sequence[UUID | None], *,
    right: str | None = None,
) -> None:  # fmt: skip
    """All of these areas lie within the caller's; None is everywhere. Raises OutsideYourArea."""
    who, needed = principal(request), right or right_of(request.route_handler)
    if who.reaches(needed, ()):
        return
    lines = await _lines(conn, [area for area in areas if area])
    for area in areas:
        if area is None or not who.reaches(needed, lines.get(area) or [area]):
            raise OutsideYourArea(area=area or "-")


def check_lab(request: Ask, lab: str) -> None:
    """The handler's right holds for this laboratory. Raises OutsideYourLab."""
    needed = right_of(request.route_handler)
    giving = [one for one in principal(request).holdings if needed in ROLES[one.role].rights]
    if not any(one.everywhere or one.lab == lab for one in giving):
        raise OutsideYourLab(lab=lab)


async def _lines(
    conn: psycopg.AsyncConnection[Any], areas: Sequence[UUID]
) -> dict[UUID, list[UUID]]:
    """The areas under which these lie, themselves included."""
    cursor = await conn.execute(
        "SELECT area, line FROM registry.span WHERE area = ANY (%s)", [list(areas)]
    )
    return dict(await cursor.fetchall())
