"""People who sign in, and the browsers they do it with.

`someone` opens an account as an administrator and its holder would; `Browser` keeps its cookie and
sends the session's token along, as the page does; `visit` plays a story at a served Muster.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from pyotp import parse_uri

from muster.access import decide, passwords
from muster.access.decide import Grant
from muster.access.events import AccountKind
from muster.cli.running import serving
from muster.config import Rates
from muster.core.clock import now
from muster.hardening import Front
from muster.instance import Instance
from tests.conftest import Play

PASSWORD = "seven lanes before sunrise"
ADMINISTRATOR = Grant("administrator", everywhere=True)
INSPECTOR = Grant("inspector", everywhere=True)
Visit = Callable[[Instance, "Door"], Awaitable[Any]]


async def someone(
    muster: Instance, login: str, *grants: Grant, kind: AccountKind = "staff", signs: bool = True,
    name: str | None = None, password: str | None = PASSWORD, since: datetime | None = None,
    until: datetime | None = None,
) -> UUID:  # fmt: skip
    """An account whose holder has set a password and, unless said otherwise, signed."""
    at = since or now() - timedelta(days=1)
    async with muster.pool.connection() as conn:
        account = await decide.open_account(
            conn, muster.door, muster.vault, login=login, kind=kind, name=name, starts_at=at,
            ends_at=until, grants=grants, actor="tester", at=now(),
        )  # fmt: skip
        if password:
            await passwords.set_password(conn, account, password, at=at)
    if signs:
        await decide.sign_undertaking(muster.door, account, actor=login, at=now())
    return account


class Browser:
    """A client with its cookie; `csrf` is sent along as the page does."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        answer = await self.http.request(method, path, json=body, headers=headers)
        json = answer.is_success and answer.headers.get("content-type") == "application/json"
        found = answer.json() if json else {}
        session = found.get("session", found) if isinstance(found, dict) else {}
        if "csrf" in session:
            self.http.headers["x-muster-csrf"] = session["csrf"]
        return answer

    async def get(self, path: str) -> Any:
        return (await self.ask("GET", path)).json()

    async def done(self, path: str, body: Any = None, *, method: str = "POST") -> Any:
        """What a request answers that must succeed."""
        answer = await self.ask(method, path, body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def refused(self, path: str, body: Any = None, *, method: str = "POST") -> str:
        """The problem of a request that must not succeed."""
        answer = await self.ask(method, path, body)
        assert not answer.is_success, answer.text
        return answer.json()["type"].rpartition(":")[2]

    async def sign_in(self, login: str, password: str = PASSWORD) -> Any:
        return await self.done("/v1/session", {"login": login, "password": password})

    @property
    def token(self) -> str:
        return self.http.cookies.get("muster") or ""

    async def set_up_codes(self) -> tuple[Any, dict[str, Any]]:
        """Set a second factor up: the app that shows codes, and the answer to its first one."""
        begun = await self.done("/v1/session/totp")
        app: Any = parse_uri(begun["address"])
        return app, await self.done("/v1/session/totp/confirm", {"code": app.now()})


class Door:
    """Where browsers come in."""

    def __init__(self, address: str) -> None:
        self.address = address

    @asynccontextmanager
    async def browser(self, **headers: str) -> AsyncIterator[Browser]:
        async with httpx.AsyncClient(
            base_url=self.address, trust_env=False, timeout=60, headers=headers
        ) as http:
            yield Browser(http)

    @asynccontextmanager
    async def signed_in(self, login: str, password: str = PASSWORD) -> AsyncIterator[Browser]:
        async with self.browser() as browser:
            await browser.sign_in(login, password)
            yield browser


def visit(play: Play, story: Visit, *, front: Front | None = None) -> None:
    """Play a story at a served Muster."""

    async def inside(muster: Instance) -> None:
        async with serving(muster, front=front or Front(), rates=Rates(0, 0, 0)) as (_, address):
            await story(muster, Door(address))

    play(inside)
