"""The spec tests run on the embedded PostgreSQL and, where Debian has put it, on PostgreSQL 15: one
dialect of SQL everywhere.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Server, installed, running_server

DEBIAN = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="session", params=["embedded", "postgresql-15"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    if request.param == "embedded":
        with running_server(os.environ.get("DATABASE_URL")) as server:
            yield server
    elif not DEBIAN.exists():
        pytest.skip("NOT RUN: Debian's PostgreSQL 15 (package postgresql-15) is not here")
    else:
        with running_server(None, DEBIAN) as server:
            yield server


@pytest.fixture(scope="session")
def template(server: Server) -> Iterator[str]:
    """Of this server: the template of the other tests is kept for theirs."""
    with installed(server) as name:
        yield name
