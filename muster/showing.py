"""Answers about people: masked unless a reason is given by who may unmask, recorded before they leave,
marked where they leave as a file.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Annotated, Any
from uuid import UUID

import psycopg
from litestar import Response
from litestar.params import QueryParameter

from muster.access.engine.roles import ROLES, Right
from muster.access.engine.scope import Scope
from muster.access.readings import note_reading, people_in
from muster.core.clock import now
from muster.core.paging import Page
from muster.guarding import Forbidden, principal, right_of
from muster.intake.export import Mark
from muster.registry.engine.masking import Reason, masked_rows
from muster.web import Ask, listing, muster

Why = Annotated[
    Reason | None,
    QueryParameter(
        description="why names and numbers are to be shown whole; needs the right to unmask",
    ),
]
Rows = Sequence[dict[str, Any]]
RESULTS = "GET /v1/people/{person:uuid}/results"  # answered many at a time (muster/app.py)


@dataclass
class Look:
    """One answer about people: the connection it is read through, and what will be recorded of it."""

    conn: psycopg.AsyncConnection[Any]
    reason: Reason | None
    who: str
    right: Right | None = None  # instead of the handler's, where reach is checked
    people: set[UUID] = field(default_factory=set)
    mark: Mark | None = None

    def show(self, rows: Rows) -> list[dict[str, Any]]:
        """The rows as they may be shown. Members in a row are rows, too."""
        self.people |= people_in(rows)
        if self.reason:
            return list(rows)
        return [
            row | {"members": masked_rows(row["members"])} if row.get("members") else row
            for row in masked_rows(rows)
        ]

    async def listing(
        self, fetch: Callable[[str | None, int], Awaitable[Page]], *, after: str | None,
        limit: int, format: str, name: str, personal: bool = True,
    ) -> Page | Response[bytes]:  # fmt: skip
        """A page or the whole list as a file, which says who took it out. A list that is not
        `personal` is shown as it is."""
        if format != "json":
            self.mark = Mark.new(self.who, now())

        async def shown(cursor: str | None, count: int) -> Page:
            page = await fetch(cursor, count)
            return Page(self.show(page.items), page.next) if personal else page

        return await listing(
            shown, after=after, limit=limit, format=format, name=name, mark=self.mark
        )


@asynccontextmanager
async def looking(
    request: Ask, reason: Reason | None = None, *, right: Right | None = None
) -> AsyncIterator[Look]:
    """Read as the caller may by the handler's right, or by another one; with a reason, by the roles that
    also give the right to unmask. Raises Forbidden. What was shown is recorded when the block ends
    well."""
    async with muster(request).readers.scoped(scope_of(request, reason, right)) as conn:
        look = Look(conn, reason, principal(request).login, "unmask" if reason else None)
        yield look
        await record(
            conn, request, look.people, why=reason or "", masked=reason is None,
            export=look.mark and look.mark.export,
        )  # fmt: skip


def scope_of(request: Ask, reason: Reason | None, by: str | None = None) -> Scope:
    """What may be seen. Raises Forbidden for a reason given by who may not unmask."""
    who, right = principal(request), by or right_of(request.route_handler)
    if reason is None:
        return who.scope(right)
    unmasking = [one for one in who.holdings if "unmask" in ROLES[one.role].rights]
    if not any(right in ROLES[one.role].rights for one in unmasking):
        raise Forbidden(right="unmask")
    return replace(who, holdings=tuple(unmasking)).scope(right)


async def note_each(
    conn: psycopg.AsyncConnection[Any], what: str, shown: Sequence[tuple[Scope, UUID]]
) -> None:
    """Note that the callers of some scopes were each shown one person, by an answer each: one
    statement for many answers that were read together."""
    logins, devices = [one.login for one, _ in shown], [one.device for one, _ in shown]
    await conn.execute(
        "SELECT access.note_reading(%s, login, device, %s, '', true, NULL, ARRAY[person])"
        " FROM unnest(%s::text[], %s::text[], %s::uuid[]) AS x (login, device, person)",
        [now(), what, logins, devices, [person for _, person in shown]],
    )


async def record(
    conn: psycopg.AsyncConnection[Any], request: Ask, people: Sequence[UUID] | set[UUID], *,
    why: str, masked: bool, export: UUID | None = None,
) -> None:  # fmt: skip
    """Note that the caller was shown these people by this route."""
    who = principal(request)
    route = sorted(getattr(request.route_handler, "paths", {request.url.path}))[0]
    await note_reading(
        conn, who=who.login, device=who.device_code, what=f"{request.method} {route}", why=why,
        masked=masked, people=people, at=now(), export=export,
    )  # fmt: skip
