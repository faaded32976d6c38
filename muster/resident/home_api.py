"""HTTP for who works there: the list of those who ask to be swabbed at home."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from muster.core.clock import now
from muster.core.paging import Page
from muster.core.rows import row
from muster.guarding import area_within, principal, reading
from muster.resident import decide, queries
from muster.resident.decide import HomeRequestUnknown
from muster.sampling.events import HomeOutcome
from muster.showing import Why, looking
from muster.web import After, Ask, Format, Limit, muster


class Closing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a request."""

    outcome: HomeOutcome


@get("/v1/home-sampling", right="missing")
async def list_home_sampling(
    request: Ask, area: FromQuery[str | None] = None, reason: Why = None, after: After = None,
    limit: Limit = 100, format: Format = "json",
) -> Page | Response[bytes]:  # fmt: skip
    """Who asks to be swabbed at home and was not swabbed since, in the order of the walk; names and phones
    masked unless a reason is given."""
    open_ = muster(request).vault.open
    async with looking(request, reason) as look:
        span = None
        if area:
            top = await area_within(request, look.conn, area, right=look.right)
            found = await row(look.conn, "muster.resident", "span", area=top["area"])
            span = (found["lo"], found["hi"]) if found else (0, -1)
        return await look.listing(
            lambda a, n: queries.home_list(look.conn, open_, span=span, after=a, limit=n),
            after=after, limit=limit, format=format, name="home-sampling",
        )  # fmt: skip


@post("/v1/home-sampling/{request_id:uuid}/close", status_code=204, right="missing")
async def close_home_sampling(
    request: Ask, request_id: FromPath[UUID], data: JSONBody[Closing]
) -> None:
    """Say what became of a request to be swabbed at home."""
    async with reading(request) as conn:
        found = await queries.home_request(conn, request_id)
    if found is None:
        raise HomeRequestUnknown()
    await decide.close_home_sampling(
        muster(request).door, found, outcome=data.outcome, actor=principal(request).login, at=now()
    )


HANDLERS: list[Any] = [list_home_sampling, close_home_sampling]
