"""Numbered migrations of the core tables, applied once each, in order. Read tables have none: they
are rebuilt from the ledger (muster/keeping/replay.py).
"""

from importlib import resources
from typing import Any

import psycopg

LOCK = 0x6D696772  # "migr": two servers starting together apply each migration once


async def migrate(conn: psycopg.AsyncConnection[Any]) -> list[str]:
    """Apply what is missing; the names of those applied. The connection must be in autocommit."""
    applied = []
    await conn.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        await conn.execute(
            "CREATE TABLE IF NOT EXISTS public.migration"
            " (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"
        )
        rows = await (await conn.execute("SELECT name FROM public.migration")).fetchall()
        known = {row[0] for row in rows}
        for file in sorted(
            (f for f in resources.files("muster.db").joinpath("migrations").iterdir()),
            key=lambda f: f.name,
        ):
            if file.name.endswith(".sql") and file.name not in known:
                async with conn.transaction():
                    await conn.execute(file.read_text(encoding="utf-8").encode())
                    await conn.execute(
                        "INSERT INTO public.migration (name) VALUES (%s)", [file.name]
                    )
                applied.append(file.name)
    finally:
        await conn.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    return applied
