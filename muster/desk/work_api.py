"""HTTP for the work lists: what waits for a person's word, since when, and whose turn it is."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import get
from litestar.params import FromQuery, Parameter

from muster.core.clock import now
from muster.core.rows import rows
from muster.guarding import principal, reading
from muster.web import Ask

Kind = Literal["waiting", "conflicts", "nobody", "unproven", "cases", "home", "stalled", "inbox"]
# In the order of their gravity, and by which right each is seen.
KINDS: dict[Kind, str] = {
    "waiting": "waiting", "conflicts": "conflicts", "nobody": "anomalies", "unproven": "conflicts",
    "cases": "discrepancies", "home": "missing", "stalled": "stalled", "inbox": "inbox",
}  # fmt: skip
Most = Annotated[int, Parameter(ge=1, le=500, description="how many of each kind")]


class WorkItem(msgspec.Struct, frozen=True):
    """One thing that waits: its code, since when, who has it (`owner`, if anybody), and what is the
    matter with it (`detail`: which outcome, fault, problem or place)."""

    key: str
    code: str | None
    since: datetime | None
    owner: str | None
    detail: str | None
    tube: UUID | None
    lab: str | None


class WorkList(msgspec.Struct, frozen=True):
    """What waits of one kind, oldest or gravest first: the first of `count`; `since`: the oldest of
    those."""

    kind: Kind
    count: int
    since: datetime | None
    as_of: datetime
    items: list[WorkItem]


@get("/v1/work", right="signed_in")
async def list_work(
    request: Ask, kind: FromQuery[Kind | None] = None, most: FromQuery[Most] = 5
) -> list[WorkList]:
    """What waits of each kind that one may see, or of one kind, in the order of gravity; of each the
    first few, oldest or gravest first."""
    who = principal(request)
    return [
        await _list(request, one, most=most)
        for one, right in KINDS.items()
        if kind in (None, one) and who.may(right)
    ]


async def _list(request: Ask, kind: Kind, *, most: int) -> WorkList:
    async with reading(request, KINDS[kind]) as conn:
        found = await rows(conn, "muster.desk", f"work.sql:{kind}", limit=most)
    items = msgspec.convert(found, list[WorkItem])
    since = min((one.since for one in items if one.since), default=None)
    return WorkList(kind, found[0]["total"] if found else 0, since, now(), items)


HANDLERS: list[Any] = [list_work]
