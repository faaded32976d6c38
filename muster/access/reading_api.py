"""HTTP for the record of reads: who looked at whom."""

from uuid import UUID

from litestar import get
from litestar.params import FromQuery

from muster.access.readings import readings_about, readings_by
from muster.core.paging import Page
from muster.web import After, Ask, Limit, muster


@get("/v1/readings", right="readings")
async def list_readings(
    request: Ask,
    person: FromQuery[UUID | None] = None,
    who: FromQuery[str | None] = None,
    export: FromQuery[UUID | None] = None,
    after: After = None,
    limit: Limit = 100,
) -> Page:
    """Who was shown whose data, what, why and when, newest first: about a person under every id, by an
    account, or by an exported file's id. Ids only."""
    async with muster(request).pool.connection() as conn:
        if person is not None:
            return await readings_about(conn, person, after=after, limit=limit)
        return await readings_by(conn, who, export=export, after=after, limit=limit)


HANDLERS = [list_readings]
