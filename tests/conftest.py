"""One embedded PostgreSQL for the whole run; a fresh database, cloned from a prepared template, for
each test that asks for one. With DATABASE_URL set, that server is used instead.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from muster.config import Settings
from muster.db import embedded
from muster.instance import Instance, open_instance


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server to make databases on."""

    url: str
    folder: Path

    def run(self, sql: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute(sql.encode())

    def settings(self, database: str) -> Settings:
        return Settings(
            home=self.folder / database,
            database_url=make_conninfo(self.url, dbname=database),
            key_file=self.folder / "vault.key",
            timezone="Asia/Shanghai",
            language="en",
        )


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running_server(os.environ.get("DATABASE_URL")) as server:
        yield server


@contextmanager
def running_server(given: str | None, binaries: Path | None = None) -> Iterator[Server]:
    """The server of a URL, or one of our own until the end."""
    folder = Path(tempfile.mkdtemp(prefix="muster-tests-"))
    folder.chmod(0o711)
    try:
        if given:
            yield Server(given, folder)
            return
        home = folder / "server"
        with embedded.start(home, binaries=binaries) as running:
            yield Server(running.url, folder)
        embedded.remove(home)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def template(server: Server) -> Iterator[str]:
    with installed(server) as name:
        yield name


@contextmanager
def installed(server: Server) -> Iterator[str]:
    """A database with everything installed, to clone from: quicker than installing each time."""
    name = f"muster_template_{uuid4().hex[:8]}"
    server.run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")

    async def install() -> None:
        async with open_instance(server.settings(name)):
            pass

    asyncio.run(install())
    yield name
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(server: Server, template: str) -> Iterator[Settings]:
    """Settings of a fresh database."""
    name = f"muster_test_{uuid4().hex[:8]}"
    server.run(f"CREATE DATABASE {name} TEMPLATE {template}")
    settings = server.settings(name)
    settings.home.mkdir()
    yield settings
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


Play = Callable[[Callable[[Instance], Awaitable[Any]]], Any]


@pytest.fixture
def play(database: Settings) -> Play:
    """Run an async function on an open Muster: `play(story)` where `async def story(muster): …`."""

    def run(story: Callable[[Instance], Awaitable[Any]]) -> Any:
        async def inside() -> Any:
            async with open_instance(database) as muster:
                return await story(muster)

        return asyncio.run(inside())

    return run


@asynccontextmanager
async def second_server(settings: Settings) -> AsyncIterator[Instance]:
    """Another Muster on the same database."""
    async with open_instance(replace(settings)) as muster:
        yield muster
