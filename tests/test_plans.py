"""Query plans of the door: what every transaction runs must not read what it does not touch."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg

from muster.catalogue import CATALOGUE
from muster.config import DOOR_OPTIONS
from muster.instance import Instance
from tests.conftest import Play
from tests.table import events

# Tables that grow with the campaign. Rules may read a small one in full while it is small.
LARGE = {"event", "tube", "specimen", "result", "outcome"}


def test_the_door_reads_by_indexes_only(play: Play):
    """With plans made for any keys, and as soon as there is something to read."""

    async def story(muster: Instance) -> None:
        sealed = "\n".join(f"08:20 TubeSealed T{n} members=p{n}" for n in range(50))
        await muster.door.append(events(sealed))
        results = (f"12:00 ResultReleased r{n} barcode=T{n} outcome=negative" for n in range(50))
        await muster.door.append(events("\n".join(results)))
        async with await psycopg.AsyncConnection.connect(
            muster.conninfo, options=DOOR_OPTIONS
        ) as conn:
            whole = []
            for projection in CATALOGUE.immediate:
                for sql in (projection.delete(), projection.insert()):
                    whole += [(projection.name, table) for table in await read_whole(conn, sql)]
            for rule in CATALOGUE.rules:
                if not rule.clock:
                    whole += [(rule.name, table) for table in await read_whole(conn, rule.sql)]
            for widening in CATALOGUE.widenings:
                whole += [
                    (f"widening {widening.into}", table)
                    for table in await read_whole(conn, widening.sql)
                ]
        assert [
            (name, table)
            for name, table in whole
            if table == "event" or (name.startswith("sampling.") and table in LARGE)
        ] == []

    play(story)


async def read_whole(conn: psycopg.AsyncConnection[Any], sql: bytes) -> list[str]:
    """The tables that the plan of a statement reads without a key."""
    plan = await generic_plan(conn, sql.decode())
    return [scan["Relation Name"] for scan in scans(plan) if not keyed(scan)]


async def generic_plan(conn: psycopg.AsyncConnection[Any], sql: str) -> Any:
    """The plan of a statement as the door keeps it: for parameters it does not know."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", sql)))
    numbered = re.sub(r"%\((\w+)\)s", lambda m: f"${names.index(m[1]) + 1}", sql)
    await conn.execute(f"PREPARE q AS {numbered}".encode())
    explain = f"EXPLAIN (FORMAT JSON) EXECUTE q({', '.join(['NULL'] * len(names))})"
    plan = await (await conn.execute(explain.encode())).fetchone()
    await conn.execute("DEALLOCATE q")
    return plan and plan[0]


def scans(plan: Any) -> Iterator[dict[str, Any]]:
    """The nodes of a plan that read a table; a bitmap's conditions are those of its index scans."""
    for node in plan if isinstance(plan, list) else [plan]:
        inner = [*node.get("Plans", []), *(node[name] for name in ("Plan",) if name in node)]
        if node.get("Relation Name") and node["Node Type"] not in ("ModifyTable",):
            yield node
        yield from scans(inner)


def keyed(scan: dict[str, Any]) -> bool:
    """By a key, that is, and not by the type of event alone."""
    return "Recheck Cond" in scan or not scan.get("Index Cond", "(type").startswith("(type")
