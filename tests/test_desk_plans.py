"""The desk's lists at many tubes: each filter begins where an index says what is left."""

from typing import Any

import pytest

from muster.desk import queries
from muster.desk.queries import Reach, TubeFilter
from muster.instance import Instance
from tests.conftest import Play
from tests.table import TOWN, events, named

MANY = TOWN.rstrip() + "".join(
    f"\n08:{n % 60:02} TubeSealed T{n} members=p1 round=R1 site=X{n % 40} barcode=B{n:04}"
    for n in range(1500)
)
FILTERS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a site": {"site": named("X7")},
    "conflicts": {"state": "conflict"},
    "positives": {"outcome": "positive"},
    "a flag": {"flag": "sealed_twice"},
}


@pytest.mark.parametrize("asked", FILTERS)
def test_the_list_of_tubes_begins_by_an_index(play: Play, asked: str):
    async def story(muster: Instance) -> None:
        await muster.door.append(events(MANY))
        async with muster.pool.connection() as conn:
            await conn.execute(
                "ANALYZE sampling.tube, sampling.specimen, sampling.flag, lab.outcome"
            )
            read = await rows_read(conn)
            page = await queries.tubes(
                conn, Reach(everywhere=True), TubeFilter(**FILTERS[asked]), limit=10
            )
            assert len(page.items) == (10 if asked in ("nothing", "a site") else 0)
            assert await rows_read(conn) == read

    play(story)


async def rows_read(conn: Any) -> int:
    """How often tables of tubes and swabs have been read from end to end."""
    await conn.execute("SELECT pg_stat_force_next_flush()")
    cursor = await conn.execute(
        "SELECT coalesce(sum(pg_stat_get_xact_numscans(c.oid) + pg_stat_get_numscans(c.oid)), 0)"
        " FROM pg_class c WHERE c.oid = ANY (ARRAY['sampling.tube', 'sampling.specimen']::regclass[])"
    )
    return (await cursor.fetchone())[0]
