"""Changing the vault's keys while the servers go on.

A new key is added to the ring and becomes the one that seals. Every stored value is sealed anew and
hashed under the new key too, in chunks, while all rows are still compared under the old one. When none is
left, the columns of the new hashes take the place of the old ones in one short transaction under the
door's lock. Killed at any moment, it goes on when it is called again. See docs/decisions/0015.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import errors
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from muster.core.problems import Problem
from muster.core.sqlfile import query
from muster.keeping.tick import run_rule
from muster.ledger.door import LOCK, Door
from muster.ledger.projection import Touched, uuid_array
from muster.registry.keyring import LOOK_SECONDS, NUMBERS, Ring, only_one, read_ring, write_ring
from muster.registry.vault import CHECK, Vault

Conn = psycopg.AsyncConnection[Any]
Row = dict[str, Any]
Progress = Callable[[int], None]  # rows sealed anew so far
CHUNK = 500
FILES = 10  # of files at once: one may have many megabytes
SEEN_SECONDS = 3 * LOOK_SECONDS  # in which every server has looked at the ring
FIRST = UUID(int=0)
# What else is sealed, with the column that names a row, and how many are sealed anew at once.
SEALED = (
    ("vault.note", "event", "sealed", CHUNK),
    ("credential.person", "account", "name", CHUNK),
    ("credential.person", "account", "phone", CHUNK),
    ("credential.totp", "account", "secret", CHUNK),
    ("credential.ceremony", "hash", "facts", CHUNK),
    ("lab.run_file", "file", "sealed", FILES),
    ("sampling.photo_file", "hash", "sealed", FILES),
)


_PLACES = (
    ("number_next", "number_hash"),
    ("phone_next", "phone_hash"),
    ("print_next", "print"),
)
_UNFILLED = (
    "number IS NOT NULL AND number_next IS NULL OR phone IS NOT NULL AND phone_next IS NULL"
    " OR number IS NULL AND print_next IS NULL"
)
_BROKEN = (
    b"SELECT c.relname FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid"
    b" WHERE NOT x.indisvalid AND c.relname = %s"
)


class KeyInUse(Problem):
    """Key {number} is still in use: {uses}. Run `muster key rotate` until nothing is left."""

    zh = "密钥 {number} 仍在使用：{uses}。请运行 muster key rotate 直到全部更换。"
    status = 409


class KeyUnknown(Problem):
    """The ring holds no key {number}; it has {numbers}."""

    zh = "密钥环中没有 {number} 号密钥，现有 {numbers}。"
    status = 404


class KeysUsedUp(Problem):
    """The ring holds as many keys as can be numbered. Retire one first."""

    zh = "密钥编号已用完，请先停用一个。"
    status = 409


@dataclass(frozen=True)
class Rotated:
    """What a rotation did: the key in force, rows sealed anew, whether the hashes changed places."""

    key: int
    rows: int
    swapped: bool


def add_key(vault: Vault) -> Ring:
    """A further key in the ring, which nothing uses yet: where servers have copies of the key file,
    the copies are made now. A key that waits already is taken. Raises KeysUsedUp."""
    file = vault.ring.file
    with only_one(file):
        ring = read_ring(file)
        if max(key.number for key in ring.keys) == ring.current:
            if ring.current + 1 not in NUMBERS:
                raise KeysUsedUp()
            ring = ring.with_key()
            write_ring(file, ring)
    return vault.ring.look()


async def rotate(
    conn: Conn, vault: Vault, door: Door, *, progress: Progress = lambda _rows: None
) -> Rotated:
    """Change to the newest key, or go on where a change was interrupted; without either, make a new
    key. The connection must be in autocommit and belong to the owner."""
    file = vault.ring.file
    with only_one(file):
        hashing = await _one(conn, "hashing")
        number = await _target(conn, vault, hashing)
        if vault.ring.look().current != number:
            write_ring(file, Ring(number, read_ring(file).keys))
            vault.ring.look()
        swap = hashing["key"] != number
        if swap:
            await asyncio.sleep(SEEN_SECONDS)  # from now on every server hashes under both
            await _run(conn, "begin", next=number)
        done = await _reseal(conn, vault, number, hashing=swap, progress=progress)
        if swap:
            done += await _swap(conn, vault, number)
            await asyncio.sleep(SEEN_SECONDS)
        done += await _mend(conn, vault, door, number)
        done += await _reseal(conn, vault, number, hashing=False, progress=progress)
        await _run(conn, "end")
    return Rotated(number, done, swap)


async def _target(conn: Conn, vault: Vault, hashing: Row) -> int:
    """The key to change to: where a change was interrupted, its key."""
    newest = max(key.number for key in vault.ring.look().keys)
    if hashing["next"] is not None:
        return hashing["next"]
    if hashing["key"] != newest:
        return newest
    if not hashing["done"] or await _leftovers(conn, newest):
        return newest
    return max(key.number for key in _grown(vault).keys)


def _grown(vault: Vault) -> Ring:
    ring = read_ring(vault.ring.file)
    if max(key.number for key in ring.keys) + 1 not in NUMBERS:
        raise KeysUsedUp()
    write_ring(vault.ring.file, ring.with_key())
    return vault.ring.look()


async def retire(conn: Conn, vault: Vault, number: int) -> Ring:
    """Take a key out of the ring for good. Raises KeyUnknown, and KeyInUse while anything needs it."""
    with only_one(vault.ring.file):
        ring = read_ring(vault.ring.file)
        if ring.key(number) is None:
            numbers = ", ".join(str(key.number) for key in ring.keys)
            raise KeyUnknown(number=number, numbers=numbers)
        found = await uses(conn, number)
        if ring.current == number:
            found = {"the current key": 1, **found}
        if found:
            told = ", ".join(f"{name} ({count})" for name, count in found.items())
            raise KeyInUse(number=number, uses=told)
        await _run(conn, "forget_digests")
        keys = tuple(key for key in ring.keys if key.number != number)
        write_ring(vault.ring.file, Ring(ring.current, keys))
    return vault.ring.look()


async def uses(conn: Conn, number: int) -> dict[str, int]:
    """What a key still seals, and whether hashes stand under it: rows by column."""
    mark, found = number.to_bytes(), {}
    columns = (
        ("vault.identity", "number"), ("vault.identity", "phone"), ("ledger.inbox", "sealed"),
        ("vault.key", "check_"),
        # files being imported, which end by themselves within days
        ("registry.import_part", "sealed"), ("registry.import_fault", "sealed"),
        *((table, column) for table, _, column, _ in SEALED),
    )  # fmt: skip
    for table, column in columns:
        sql = f"SELECT count(*) FROM {table} WHERE substring({column} FOR 1) = %s"
        row = await (await conn.execute(sql.encode(), [mark])).fetchone()
        if row and row[0]:
            found[f"{table}.{column}"] = row[0]
    hashing = await _one(conn, "hashing")
    if number in (hashing["key"], hashing["next"]):
        found["hashes"] = 1
    elif await _rows(conn, "unhashed", limit=1):
        found["unhashed rows"] = 1
    return found


async def _leftovers(conn: Conn, current: int) -> bool:
    """Whether a rotation to the current key was interrupted after its hashes had changed places."""
    columns = [("vault.identity", "number"), ("vault.identity", "phone")]
    for table, column in [*columns, *((table, column) for table, _, column, _ in SEALED)]:
        sql = (
            f"SELECT EXISTS (SELECT FROM {table} WHERE length({column}) > 0"
            f" AND substring({column} FOR 1) <> %s)"
        )
        row = await (await conn.execute(sql.encode(), [current.to_bytes()])).fetchone()
        if row and row[0]:
            return True
    return bool(await _rows(conn, "unhashed", limit=1))


# --- sealing anew, hashing under the next key


async def _reseal(
    conn: Conn, vault: Vault, number: int, *, hashing: bool, progress: Progress
) -> int:
    done, after = 0, FIRST
    while True:
        async with conn.transaction():
            found = await _rows(
                conn, "unfilled", after=after, seal=number.to_bytes(), hashing=hashing, limit=CHUNK
            )
            if found:
                rows = await _filled(conn, vault, found, number)
                await _run(conn, "fill", rows=rows, hashing=hashing)
        if not found:
            break
        done, after = done + len(found), found[-1]["resident"]
        progress(done)
    done += await _reseal_inbox(conn, vault, number)
    for table, key, column, most in SEALED:
        done += await _reseal_column(conn, vault, number, table, key, column, most)
    (check,) = (await _one(conn, "check")).values()
    if check[:1] != number.to_bytes():
        await _run(conn, "set_check", check=vault.seal(CHECK))
    return done


async def _filled(conn: Conn, vault: Vault, found: Sequence[Row], number: int) -> Jsonb:
    """The rows as they are to be: sealed with the key, hashed under it."""
    undocumented = [row["resident"] for row in found if row["number"] is None]
    homes: dict[UUID, list[Row]] = {}
    if undocumented:
        for home in await _rows(conn, "homes", residents=uuid_array(undocumented)):
            homes.setdefault(home["subject"], []).append(home)
    filled = []
    for row in found:
        plain = {
            name: vault.open(row[name]).decode() if row[name] else None
            for name in ("number", "phone")
        }
        prints = {}
        if plain["number"] is None:
            prints = _print(vault, row, homes.get(row["resident"], []))
        filled.append({
            "resident": str(row["resident"]),
            "number": _hex(plain["number"] and vault.seal(plain["number"].encode())),
            "phone": _hex(plain["phone"] and vault.seal(plain["phone"].encode())),
            "number_next": _hex(vault.number_hashes(row["kind"], plain["number"]).get(number)),
            "phone_next": _hex(vault.phone_hashes(plain["phone"]).get(number)),
            "print_next": _hex(prints.get(number)),
        })  # fmt: skip
    return Jsonb(filled)


def _print(vault: Vault, row: Row, homes: Sequence[Row]) -> dict[int, bytes]:
    """By what a person without a document is known again: with the home that came with the identity;
    of rows from before that was kept, the home under which the old hash is the one that stands."""
    tried = sorted(homes, key=lambda home: home["id"] != row["event"])
    made = [
        vault.prints(row["name"], row["birth_date"], home["building"], home["room"])
        for home in tried
    ]
    for prints in made:
        if row["print"] in prints.values():
            return prints
    return made[0] if made else vault.prints(row["name"], row["birth_date"], None, None)


async def _reseal_inbox(conn: Conn, vault: Vault, number: int) -> int:
    done, after = 0, FIRST
    while True:
        async with conn.transaction():
            found = await _rows(conn, "inbox", after=after, seal=number.to_bytes(), limit=CHUNK)
            for row in found:
                raw = vault.open(row["sealed"])
                digest = vault.hashes("inbox", raw.hex())[number]
                await _run(conn, "fill_inbox", id=row["id"], sealed=vault.seal(raw), digest=digest)
        if not found:
            return done
        done, after = done + len(found), found[-1]["id"]


async def _reseal_column(
    conn: Conn, vault: Vault, number: int, table: str, key: str, column: str, most: int
) -> int:
    find = (
        f"SELECT {key}, {column} FROM {table} WHERE length({column}) > 0"
        f" AND substring({column} FOR 1) <> %s LIMIT {most} FOR UPDATE SKIP LOCKED"
    )
    put = f"UPDATE {table} SET {column} = %s WHERE {key} = %s"
    done = 0
    while True:
        async with conn.transaction():
            found = await (await conn.execute(find.encode(), [number.to_bytes()])).fetchall()
            for one, sealed in found:
                await conn.execute(put.encode(), [vault.seal(vault.open(bytes(sealed))), one])
        if not found:
            return done
        done += len(found)


# --- the new hashes take their places


async def _swap(conn: Conn, vault: Vault, number: int) -> int:
    """Under the door's lock, once no row is without its new hash: columns are renamed, which takes no
    longer for a million rows than for one."""
    await _make_indexes(conn, number)
    done = 0
    for _ in range(100):
        try:
            async with conn.transaction():
                await conn.execute(b"SET LOCAL lock_timeout = '2s'")
                await conn.execute(b"SELECT pg_advisory_xact_lock(%s)", [LOCK])
                if not (await _one(conn, "any_unfilled"))["exists"]:
                    await _rename(conn, number)
                    return done
        except errors.LockNotAvailable:
            await asyncio.sleep(0.5)  # a long reader is in the way: let the door go on
        done += await _reseal(conn, vault, number, hashing=True, progress=lambda _rows: None)
    raise errors.LockNotAvailable("the vault was too busy to change its hashes")


async def _make_indexes(conn: Conn, number: int) -> None:
    """For the hashes to come, and for finding what has none; one that was interrupted is of no use."""
    await conn.execute(b"SET statement_timeout = 0")
    for name, index in (
        (f"identity_number_{number}", "(number_next) WHERE number_next IS NOT NULL"),
        (f"identity_print_{number}", "(print_next) WHERE print_next IS NOT NULL"),
        ("identity_unfilled", f"(resident) WHERE {_UNFILLED}"),
    ):
        for (broken,) in await (await conn.execute(_BROKEN, [name])).fetchall():
            await conn.execute(f"DROP INDEX CONCURRENTLY vault.{broken}".encode())
        await conn.execute(
            f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON vault.identity {index}".encode()
        )
    await conn.execute(b"RESET statement_timeout")


async def _rename(conn: Conn, number: int) -> None:
    await conn.execute(b"DROP INDEX vault.identity_unfilled")
    for column, old in _PLACES:
        for sql in (
            f"ALTER TABLE vault.identity DROP COLUMN {old}",
            f"ALTER TABLE vault.identity RENAME COLUMN {column} TO {old}",
            f"ALTER TABLE vault.identity ADD COLUMN {column} bytea",
        ):
            await conn.execute(sql.encode())
    await conn.execute(b"UPDATE vault.hashing SET key = %s, next = NULL WHERE one", [number])


async def _mend(conn: Conn, vault: Vault, door: Door, number: int) -> int:
    """Hash what a server wrote that had not seen the key; look for the same documents again."""
    done = 0
    while True:
        async with conn.transaction():
            found = await _rows(conn, "unhashed", limit=CHUNK)
            if found:
                await _run(conn, "hash", rows=await _filled(conn, vault, found, number))
        if not found:
            return done
        done += len(found)
        touched = Touched([("resident", row["resident"]) for row in found])
        for rule in door.catalogue.rules:
            await run_rule(conn, door, rule, touched)


def _hex(value: bytes | str | None) -> str | None:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else None


async def _run(conn: Conn, name: str, **values: Any) -> None:
    await conn.execute(query("muster.registry", name, "rotation.sql").encode(), values)


async def _rows(conn: Conn, name: str, **values: Any) -> list[Row]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query("muster.registry", name, "rotation.sql").encode(), values)
        return await cursor.fetchall()


async def _one(conn: Conn, name: str) -> Row:
    (found,) = await _rows(conn, name)
    return found
