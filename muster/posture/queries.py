"""Questions about templates and command posts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from muster.core.paging import Page, decode, page
from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.posture.templates import Area

_HERE = "muster.posture"
Conn = psycopg.AsyncConnection[Any]


class PostureTemplateUnknown(Problem):
    """There is no template {code}. Prepare it from its file first: `muster posture prepare`."""

    zh = "没有模板“{code}”。请先用 muster posture prepare 录入。"
    status = 404


class NoCommandStands(Problem):
    """No command post stands in {area}. `muster posture raise` raises one."""

    zh = "{area} 没有已启动的指挥部。请用 muster posture raise 启动。"
    status = 404


async def areas(conn: Conn, top: UUID) -> list[Area]:
    """An area and what lies under it, down to grids."""
    found = await rows(conn, _HERE, "areas", top=top)
    return [Area(one["area"], one["code"], one["level"], tuple(one["line"])) for one in found]


async def logins(conn: Conn, wanted: Sequence[str], *, at: datetime) -> set[str]:
    """Which of these are accounts in force."""
    found = await rows(conn, _HERE, "logins", logins=list(wanted), at=at)
    return {one["login"] for one in found}


async def known_areas(conn: Conn, codes: Sequence[str]) -> set[str]:
    """Which of these codes are areas."""
    return {one["code"] for one in await rows(conn, _HERE, "known_areas", codes=list(codes))}


async def template(conn: Conn, code: str) -> dict[str, Any]:
    """Raises PostureTemplateUnknown."""
    if (found := await row(conn, _HERE, "template", code=code)) is None:
        raise PostureTemplateUnknown(code=code)
    return found


async def standing(conn: Conn, area: UUID) -> dict[str, Any] | None:
    return await row(conn, _HERE, "standing", area=area)


async def raised_before(conn: Conn, area: UUID) -> int:
    found = await row(conn, _HERE, "raised_before", area=area)
    return found["times"] if found else 0


async def groups(
    conn: Conn, command: UUID, *, after: str | None = None, limit: int = 1_000
) -> Page:
    """A command post's groups in the template's order, with their leads and tasks."""
    (place,) = decode(after, int) or (0,)
    found = await rows(conn, _HERE, "groups", command=command, after=place, limit=limit + 1)
    return page(found, limit, ("place",))


async def named_groups(conn: Conn, command: UUID, code: str, place: str | None) -> list[UUID]:
    """The groups of a code, in an area where one is named; two at most."""
    found = await rows(conn, _HERE, "named_groups", command=command, code=code, place=place)
    return [one["working_group"] for one in found]
