"""A database to back up, much in it, and an empty one beside it."""

import os
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from muster.config import Settings
from muster.core.clock import now
from muster.instance import Instance
from muster.intake.upload import Held, UnreadableItem
from muster.keeping.follower import catch_up
from tests.backup.scene import SCENE
from tests.conftest import Play, Server
from tests.table import TOWN, events


@pytest.fixture
def scene(play: Play) -> None:
    """People with names and numbers, a note, a held item, a positive tube and its recalls."""

    async def story(muster: Instance) -> None:
        await muster.door.append(events(TOWN.rstrip() + SCENE))
        await muster.intake.hold([Held(b"{}", UnreadableItem(reason="-"))], "phone", now())
        async with muster.pool.connection() as conn:
            await catch_up(conn, muster.door.catalogue)

    play(story)


@pytest.fixture
def empty(server: Server, database: Settings) -> Iterator[Settings]:
    """Settings of an empty database beside the test's, with the same keys and a home of its own."""
    name = f"muster_empty_{uuid4().hex[:8]}"
    server.run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")
    home = server.folder / name
    home.mkdir()
    yield replace(
        database, home=home, database_url=make_conninfo(server.url, dbname=name),
        backup_key=database.backup_key_file,
    )  # fmt: skip
    server.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def much(database: Settings, scene: None) -> None:
    """So much to write that a process can be caught at it: random bytes, as held items are."""
    sql = (
        "COPY ledger.inbox (id, received_at, expires_at, owner, offset_ms, slug, digest, sealed)"
        " FROM STDIN"
    )
    with psycopg.connect(database.database_url or "") as conn, conn.cursor().copy(sql) as copy:
        for _ in range(6_000):
            copy.write_row([uuid4(), now(), now(), "x", 0, "x", os.urandom(16), os.urandom(2_000)])
