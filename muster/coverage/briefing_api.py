"""HTTP for figures that somebody reported: held against each other before they are passed on."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromQuery, JSONBody
from msgspec import Meta

from muster.core.clock import now
from muster.core.ids import uuid7
from muster.coverage import decide, queries
from muster.coverage.engine.briefing import Unread, read
from muster.coverage.engine.plausible import Finding
from muster.coverage.events import Said
from muster.guarding import check_reach, principal, reading
from muster.web import Ask, Label, muster


class NewBriefing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Reported figures as a table, in CSV or with tabs: a heading, a line for each area, one for the
    whole. `check`: only look whether they can be true, keep nothing."""

    as_of: Annotated[datetime, Meta(tz=True)]
    source: Label
    table: Annotated[str, Meta(min_length=1, max_length=100_000)]
    check: bool = False


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What was read and what of it cannot be true; `briefing` where it was kept."""

    briefing: UUID | None
    rounded_to: int
    total: Said | None
    parts: list[Said]
    unread: list[Unread]
    findings: list[Finding]


@post("/v1/briefings", status_code=200, right="decide_rounds")
async def report_figures(request: Ask, data: JSONBody[NewBriefing]) -> Checked:
    """Check reported figures, and put them on record unless only a check was asked for. Those that
    cannot be true are kept, too, and are an alarm."""
    async with reading(request) as conn:
        await check_reach(request, conn, [None])
    found = read(data.table)
    briefing = None
    if not data.check:
        body = decide.briefing_of(found, as_of=data.as_of, source=data.source)
        actor = principal(request).login
        briefing = await decide.report(muster(request).door, body, uuid7(), actor=actor, at=now())
    total = decide.said(found.total, found) if found.total else None
    parts = [decide.said(one, found) for one in found.parts]
    return Checked(
        briefing=briefing, rounded_to=found.rounded_to, total=total, parts=parts,
        unread=found.unread, findings=queries.implausible(total, parts, found.rounded_to),
    )  # fmt: skip


@get("/v1/briefings", right="alarms")
async def list_briefings(
    request: Ask, since: FromQuery[datetime | None] = None
) -> list[queries.Briefing]:
    """Figures that were reported, latest first, each with what of it cannot be true."""
    async with reading(request) as conn:
        return await queries.briefings(conn, since=since, limit=100)


HANDLERS = [report_figures, list_briefings]
