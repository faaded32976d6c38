"""Who may see the rows of a table, and what the door may do to it: declared beside the table, made into
policies by muster/keeping/securing.py.
"""

from dataclasses import dataclass

from muster.core.sqlfile import load


@dataclass(frozen=True)
class Guard:
    """`seen`: SQL over a row, or "everyone"; `door`: the door's privileges."""

    table: str
    seen: str
    door: str


def guards(package: str, file: str) -> tuple[Guard, ...]:
    """The guards of tables that are not rebuilt: `-- name: x (table: …; door: SELECT, …)`."""
    blocks = load(package, file).values()
    return tuple(Guard(b.options["table"], b.sql, b.options["door"]) for b in blocks)
