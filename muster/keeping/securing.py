"""Row-level security: three roles, and on every table the policy that stands beside its definition.

The owner made the tables and rebuilds them; the door adds events and refreshes rows, and cannot
change or remove an event; the reader sees what its connection's scope lets through (access/guards.sql
and the `…_seen` blocks). FORCE ROW LEVEL SECURITY holds the owner to its policy too. No superuser is
needed: the owner must be allowed to make roles, once.
"""

import hashlib
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import errors

from muster.config import DOOR_ROLE
from muster.core.guards import Guard
from muster.core.problems import Problem
from muster.ledger.door import LOCK
from muster.ledger.projection import Catalogue

READER_ROLE = "muster_reader"
_FORM = "2"  # of what is made below: another one makes the policies anew
_SCHEMAS = (
    "ledger", "vault", "registry", "sampling", "custody", "lab", "coverage", "hq", "access", "visits", "workforce",
    "teams",
    "posture",
)  # fmt: skip


class RolesMissing(Problem):
    """The database's user may not make the roles that keep people's rows apart. Let an administrator
    of the database run: CREATE ROLE muster_door; CREATE ROLE muster_reader; GRANT muster_door,
    muster_reader TO {user};"""

    zh = (
        "数据库用户无权创建用于隔离数据的角色。请数据库管理员执行："
        "CREATE ROLE muster_door; CREATE ROLE muster_reader; "
        "GRANT muster_door, muster_reader TO {user};"
    )
    status = 500


def all_guards(catalogue: Catalogue) -> tuple[Guard, ...]:
    """Every guarded table: the read tables, and those that are not rebuilt."""
    shown = tuple(
        Guard(p.name, p.seen, "SELECT, INSERT, DELETE" if p.stored else "SELECT")
        for p in catalogue.projections
    )
    return (*shown, *catalogue.guards)


def dependent(catalogue: Catalogue, tables: Iterable[str]) -> tuple[Guard, ...]:
    """The guards of these tables, and those whose policies read them."""
    names = set(tables)
    return tuple(
        guard
        for guard in all_guards(catalogue)
        if guard.table in names or names & set(re.findall(r"\b\w+\.\w+\b", guard.seen))
    )


async def secure(conn: psycopg.AsyncConnection[Any], catalogue: Catalogue) -> bool:
    """Make roles, grants and policies where they are not as declared; whether anything was done. The
    connection must be in autocommit."""
    wanted = hashlib.sha256(repr((_FORM, all_guards(catalogue))).encode()).digest()
    row = await (await conn.execute("SELECT hash FROM access.secured WHERE id = 1")).fetchone()
    if row and bytes(row[0]) == wanted:
        return False
    async with conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        for schema in _SCHEMAS:
            await conn.execute(
                f"GRANT USAGE ON SCHEMA {schema} TO {DOOR_ROLE}, {READER_ROLE}".encode()
            )
        await lift(conn, all_guards(catalogue))
        await guard(conn, catalogue, all_guards(catalogue))
        await conn.execute(
            "INSERT INTO access.secured VALUES (1, %s)"
            " ON CONFLICT (id) DO UPDATE SET hash = excluded.hash",
            [wanted],
        )
    return True


async def lift(conn: psycopg.AsyncConnection[Any], guards: Iterable[Guard]) -> None:
    """Take the readers' policies away, so that the tables they read can be swapped: within the
    transaction that puts them back."""
    for one in guards:
        row = await (await conn.execute("SELECT to_regclass(%s)", [one.table])).fetchone()
        if row and row[0] and one.seen != "everyone":
            await conn.execute(f"DROP POLICY IF EXISTS reader ON {one.table}".encode())


async def guard(
    conn: psycopg.AsyncConnection[Any], catalogue: Catalogue, guards: Iterable[Guard]
) -> None:
    """Grants and policies of these tables, whatever they had."""
    views = {p.name for p in catalogue.projections if not p.stored}
    for one in guards:
        for sql in _view(one) if one.table in views else _table(one):
            await conn.execute(sql.encode())
    for p in catalogue.projections:
        if p.stored and any(one.table == p.name for one in guards):
            await conn.execute(f"GRANT SELECT ON {p.view} TO {DOOR_ROLE}".encode())


def _view(one: Guard) -> Iterable[str]:
    """A plain view shows what whoever asks may see of the tables under it."""
    yield f"ALTER VIEW {one.table} SET (security_invoker = true)"
    yield f"GRANT SELECT ON {one.table} TO {DOOR_ROLE}, {READER_ROLE}"


def _table(one: Guard) -> Iterable[str]:
    yield f"GRANT SELECT ON {one.table} TO {READER_ROLE}"
    yield f"GRANT {one.door} ON {one.table} TO {DOOR_ROLE}"
    if one.seen == "everyone":
        return
    yield f"ALTER TABLE {one.table} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {one.table} FORCE ROW LEVEL SECURITY"
    for name, role, seen in (
        ("owner", "CURRENT_USER", "true"),
        ("door", DOOR_ROLE, "true"),
        ("reader", READER_ROLE, one.seen),
    ):
        check = "" if name == "reader" else " WITH CHECK (true)"
        kind = "FOR SELECT" if name == "reader" else ""
        yield f"DROP POLICY IF EXISTS {name} ON {one.table}"
        yield f"CREATE POLICY {name} ON {one.table} {kind} TO {role} USING ({seen}){check}"


async def make_roles(conn: psycopg.AsyncConnection[Any]) -> None:
    """The two roles beside the owner, which belongs to them. Raises RolesMissing."""
    for role in (DOOR_ROLE, READER_ROLE):
        row = await (
            await conn.execute(
                "SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = %s",
                [role],
            )
        ).fetchone()
        if row and row[0]:
            continue
        try:
            if row is None:
                # Another database of this server may be making it just now.
                with suppress(errors.DuplicateObject, errors.UniqueViolation):
                    await conn.execute(f"CREATE ROLE {role} NOLOGIN NOSUPERUSER".encode())
            await conn.execute(f"GRANT {role} TO CURRENT_USER".encode())
        except errors.InsufficientPrivilege as error:
            raise RolesMissing(user=conn.info.user) from error
