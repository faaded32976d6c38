"""Read tables: each is a SQL view, stored for the touched keys only. Recomputed, never patched: one
definition serves live writes, late arrivals, corrections, replay and verification.

A domain's read.sql holds a block per table: `-- name: tube (key: tube; touched: tube; index: …)`.
`key` is the column (or columns) rows are recomputed by, `touched` the kind of key whose values the
events give, `follower: keyed|whole` says it runs after commit, `(view)` that it is not stored; who
may see a row is said by `seen: everyone` or a block `tube_seen`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import muster.config
from muster.core.guards import Guard as Guard
from muster.core.guards import guards as guards
from muster.core.sqlfile import Block, load, load_like
from muster.ledger.event import Body, Event, Key

UUID_KINDS = (
    "area", "unit", "policy", "alias", "resident", "person", "stance", "round", "site", "tube", "result", "account",
    "device", "format", "box", "carried", "reception", "scanned", "discrepancy", "plate", "run", "assay", "template",
    "lab", "addressee", "task", "reached", "queue", "area_place", "site_place", "briefing", "report", "labels", "needs",
    "visit", "call", "home_request", "staff", "demand", "call_up", "summons", "posting",
    "incident", "post_place", "owner", "heat", "team", "teamed", "aid", "wave",
    "posture_template", "command",
)  # fmt: skip
TEXT_KINDS = ("barcode", "received", "sample", "box_code")


@dataclass(frozen=True)
class Projection:
    """One read table (`schema.name`) and what it takes to refresh, rebuild and verify it."""

    name: str
    select: str
    why: str
    key: tuple[str, ...] = ()
    touched: str | None = None
    follower: str | None = None
    spills: str | None = None
    indexes: tuple[str, ...] = ()
    keys_sql: str | None = None
    seen: str = ""

    @property
    def stored(self) -> bool:
        return bool(self.key)

    @property
    def view(self) -> str:
        return f"{self.name}_view" if self.stored else self.name

    def where(self) -> str:
        """The filter by touched keys. Arrays as parameters: a join to a table of keys, or a plain
        LATERAL, would make PostgreSQL scan the whole ledger."""
        if self.touched:
            cast = "text" if self.touched in TEXT_KINDS else "uuid"
            return f"{self.key[0]} = ANY (%({self.touched})s::{cast}[])"
        return " AND ".join(f"{column} = ANY (%({column})s::uuid[])" for column in self.key)

    def delete(self) -> bytes:
        spilled = f" RETURNING {self.spills}" if self.spills else ""
        return f"DELETE FROM {self.name} WHERE {self.where()}{spilled}".encode()

    def insert(self) -> bytes:
        sql = f"INSERT INTO {self.name} SELECT * FROM {self.view} WHERE {self.where()}"
        return sql.encode()


@dataclass(frozen=True)
class Widening:
    """Keys that follow from other keys by a look-up: (if `when` was touched) SQL → keys of `into`."""

    when: str
    into: str
    sql: bytes


@dataclass(frozen=True)
class Rule:
    """SQL that returns missing consequences (subject, cause, key, body) for the touched keys."""

    name: str
    emits: str
    kinds: tuple[str, ...]
    sql: bytes
    why: str
    clock: bool = False


@dataclass(frozen=True)
class Catalogue:
    """What causes what, as data: filled in by muster/catalogue.py."""

    projections: tuple[Projection, ...]
    rules: tuple[Rule, ...]
    widenings: tuple[Widening, ...] = ()
    guards: tuple[Guard, ...] = ()
    types: dict[str, type[Body]] = field(default_factory=lambda: Body.types)

    @property
    def immediate(self) -> tuple[Projection, ...]:
        return tuple(p for p in self.projections if p.stored and not p.follower)

    @property
    def followers(self) -> tuple[Projection, ...]:
        return tuple(p for p in self.projections if p.follower)


def projections(*names: str) -> tuple[Projection, ...]:
    """The projections named `schema.table`, in this order; `vault.x` is read from registry's SQL."""
    return tuple(_projection(name) for name in names)


def rules(domain: str, *names: str) -> tuple[Rule, ...]:
    blocks = load(f"muster.{domain}", "rules.sql")
    return tuple(_rule(f"{domain}.{name}", blocks[name]) for name in names)


def _projection(name: str) -> Projection:
    schema, _, table = name.partition(".")
    blocks = load_like(f"muster.{'registry' if schema == 'vault' else schema}", "read")
    block, options = blocks[table], blocks[table].options
    seen = options.get("seen") or blocks[f"{table}_seen"].sql
    if "view" in options:
        return Projection(name, _constants(block.sql), block.comment, seen=seen)
    return Projection(
        name,
        _constants(block.sql),
        block.comment,
        key=tuple(column.strip() for column in options["key"].split(",")),
        touched=options.get("touched"),
        follower=options.get("follower"),
        spills=options.get("spills"),
        indexes=tuple(options.get("index", "").split("|")) if "index" in options else (),
        keys_sql=blocks[f"{table}_keys"].sql if f"{table}_keys" in blocks else None,
        seen=seen,
    )


def _rule(name: str, block: Block) -> Rule:
    options = block.options
    kinds = tuple(kind.strip() for kind in options.get("touched", "").split(",") if kind.strip())
    return Rule(
        name, options["emits"], kinds, _constants(block.sql).encode(), block.comment,
        "clock" in options,
    )  # fmt: skip


def _constants(sql: str) -> str:
    """Fill in `{LIMIT}` from muster.config: changing one changes the hash and rebuilds the table."""
    return re.sub(r"\{([A-Z_]+)\}", lambda match: str(getattr(muster.config, match[1])), sql)


class Touched:
    """The keys a set of events touches, by kind, as statement parameters."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self.sets: dict[str, set[Any]] = {kind: set() for kind in UUID_KINDS + TEXT_KINDS}
        self.add(keys)

    @staticmethod
    def by(events: Iterable[Event]) -> "Touched":
        touched = Touched()
        for event in events:
            touched.add(event.touches())
        return touched

    def add(self, keys: Iterable[Key]) -> None:
        for kind, key in keys:
            self.sets[kind].add(key)

    def any(self, kinds: Iterable[str]) -> bool:
        return any(self.sets[kind] for kind in kinds)

    def new(self, kind: str, values: Iterable[Any]) -> list[Key]:
        return [(kind, value) for value in values if value not in self.sets[kind]]

    def parameters(self) -> dict[str, Any]:
        made: dict[str, Any] = {kind: uuid_array(self.sets[kind]) for kind in UUID_KINDS}
        made |= {kind: list(self.sets[kind]) for kind in TEXT_KINDS}
        return made


def uuid_array(ids: Iterable[UUID]) -> str:
    """A PostgreSQL array literal: much cheaper to make than adapting each UUID by itself."""
    return "{" + ",".join([one.hex for one in ids]) + "}"
