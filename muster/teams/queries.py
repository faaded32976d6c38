"""Questions about teams, and about aid from elsewhere."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from muster.config import AID_PLACES_LIMIT, DUTY_DAYS, PAGE_LIMIT, PRINT_PEOPLE_LIMIT
from muster.core.paging import Page, decode, page
from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.teams.engine.composition import Featured, Shown, composition
from muster.teams.events import TeamKind

_HERE = "muster.teams"
NONE = UUID(int=0)
Conn = psycopg.AsyncConnection[Any]


class TeamUnknown(Problem):
    """There is no team {text}. `GET /v1/teams` lists them."""

    zh = "没有队伍“{text}”。"
    status = 404


class TeamAmbiguous(Problem):
    """Several teams have the code {text}. Name the team by its id; `GET /v1/teams` tells it."""

    zh = "有多支队伍使用编号“{text}”，请用其 id 指明。"
    status = 409


class AidUnknown(Problem):
    """There is no aid {text}. `GET /v1/aid` lists them."""

    zh = "没有支援“{text}”。"
    status = 404


class WaveUnknown(Problem):
    """There is no wave {wave} of any aid. `GET /v1/aid/…` lists those of an aid."""

    zh = "没有支援批次 {wave}。"
    status = 404


async def team(conn: Conn, text: str) -> dict[str, Any]:
    """A team by its id or code. Raises TeamUnknown, TeamAmbiguous."""
    found = await rows(conn, _HERE, "team", text=text)
    if not found:
        raise TeamUnknown(text=text)
    if len(found) > 1 and str(found[0]["team"]) != text:
        raise TeamAmbiguous(text=text)
    return found[0]


async def teams(
    conn: Conn, *, area: UUID | None = None, kind: TeamKind | None = None, aid: UUID | None = None,
    dissolved: bool = False, after: str | None = None, limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """Teams by code."""
    code, last = decode(after, str, UUID) or ("", NONE)
    found = await rows(
        conn, _HERE, "teams", area=area, kind=kind, aid=aid, dissolved=dissolved, code=code, last=last,
        limit=limit + 1,
    )  # fmt: skip
    return page(found, limit, ("code", "team"))


async def members(
    conn: Conn, team: UUID, *, after: str | None = None, limit: int = PAGE_LIMIT
) -> Page:
    """Who works in a team, those first who lead it."""
    part, last = decode(after, str, UUID) or ("leader", NONE)
    place = ("leader", "deputy", "member").index(part) if part in ("deputy", "member") else 0
    found = await rows(conn, _HERE, "members", team=team, place=place, last=last, limit=limit + 1)
    return page(found, limit, ("part", "staff"))


async def member_ids(conn: Conn, teams: Sequence[UUID]) -> list[UUID]:
    found = await rows(conn, _HERE, "member_ids", teams=list(teams))
    return [one["staff"] for one in found]


async def composed(conn: Conn, team: UUID, *, year: int) -> dict[str, Shown]:
    """What a team is made of, in figures by which nobody is known."""
    found = await rows(conn, _HERE, "featured", team=team)
    people = [
        Featured(
            one["unit_kind"],
            one["sex"],
            one["birth_year"],
            tuple(one["skills"]),
            tuple(one["tags"]),
        )
        for one in found
    ]
    return composition(people, year)


async def workers(conn: Conn, staff: Sequence[UUID]) -> list[dict[str, Any]]:
    return await rows(conn, _HERE, "workers", staff=list(staff))


async def of_unit(conn: Conn, unit: UUID) -> list[UUID]:
    return [one["staff"] for one in await rows(conn, _HERE, "of_unit", unit=unit)]


async def arrived_of(conn: Conn, call_up: UUID) -> list[UUID]:
    """Who came where a call-up sent them."""
    return [one["staff"] for one in await rows(conn, _HERE, "arrived_of", call_up=call_up)]


async def staff_areas(conn: Conn, staff: Sequence[UUID]) -> dict[UUID, UUID]:
    """Where the units stand that list people."""
    found = await rows(conn, _HERE, "staff_areas", staff=list(staff))
    return {one["staff"]: one["area"] for one in found}


async def aid(conn: Conn, text: str) -> dict[str, Any]:
    """An aid by its id or name. Raises AidUnknown."""
    if (found := await row(conn, _HERE, "aid", text=text)) is None:
        raise AidUnknown(text=text)
    return found


async def aids(conn: Conn, *, after: str | None = None, limit: int = PAGE_LIMIT) -> Page:
    """Aids with their sums, the latest first."""
    starts_at, last = decode(after, datetime, UUID) or (None, NONE)
    found = await rows(conn, _HERE, "aids", after=starts_at, last=last, limit=limit + 1)
    return page(found, limit, ("starts_at", "aid"))


async def waves(conn: Conn, aid: UUID) -> list[dict[str, Any]]:
    return await rows(conn, _HERE, "waves", aid=aid)


async def wave(conn: Conn, id_: UUID) -> dict[str, Any]:
    """Raises WaveUnknown."""
    if (found := await row(conn, _HERE, "wave", wave=id_)) is None:
        raise WaveUnknown(wave=id_)
    return found


async def sent(conn: Conn, aid: UUID, *, wave: UUID | None = None) -> list[dict[str, Any]]:
    """The people of an aid, or of one of its waves."""
    return await rows(conn, _HERE, "sent", aid=aid, wave=wave)


async def spots(conn: Conn, area: UUID, level: str) -> list[dict[str, Any]]:
    """The places of a level under an area, with how many live there."""
    return await rows(conn, _HERE, "spots", area=area, level=level, most=AID_PLACES_LIMIT + 1)


async def shifts(
    conn: Conn, staff: Sequence[UUID], *, since: datetime, until: datetime
) -> list[dict[str, Any]]:
    return await rows(conn, _HERE, "shifts", staff=list(staff), since=since, until=until)


async def standing(
    conn: Conn, staff: Sequence[UUID], *, zone: str, at: datetime, until: datetime
) -> list[dict[str, Any]]:
    """What of people a post asks about, and on which days they stood."""
    return await rows(
        conn, _HERE, "standing", staff=list(staff), zone=zone, at=at, until=until,
        since=at - timedelta(days=DUTY_DAYS),
    )  # fmt: skip


async def placed(conn: Conn, demands: Sequence[UUID]) -> dict[UUID, int]:
    found = await rows(conn, _HERE, "placed", demands=list(demands))
    return {one["demand"]: one["placed"] for one in found}


async def waiting(conn: Conn, staff: Sequence[UUID], *, at: datetime) -> list[UUID]:
    """Places that begin from then on, which nobody has come to yet."""
    found = await rows(conn, _HERE, "waiting", staff=list(staff), at=at)
    return [one["posting"] for one in found]


async def posts(
    conn: Conn, aid: UUID, *, after: str | None = None, limit: int = PAGE_LIMIT
) -> Page:
    """Who of an aid stands where and when."""
    since, last = decode(after, datetime, UUID) or (
        datetime.fromisoformat("1970-01-01T00:00Z"),
        NONE,
    )
    found = await rows(conn, _HERE, "posts", aid=aid, after=since, last=last, limit=limit + 1)
    return page(found, limit, ("starts_at", "posting"))


async def roster(conn: Conn, area: UUID, *, at: datetime, until: datetime) -> list[dict[str, Any]]:
    """Who has a place under an area in a time, place by place."""
    return await rows(
        conn, _HERE, "roster", area=area, at=at, until=until, limit=PRINT_PEOPLE_LIMIT + 1
    )


async def served(
    conn: Conn, teams: Sequence[UUID], *, zone: str, since: datetime, until: datetime
) -> list[dict[str, Any]]:
    """What people of teams did in a time: posts, days, minutes."""
    return await rows(
        conn, _HERE, "served", teams=list(teams), zone=zone, since=since, until=until,
        limit=PRINT_PEOPLE_LIMIT + 1,
    )  # fmt: skip


async def badge(conn: Conn, staff: UUID) -> dict[str, Any] | None:
    return await row(conn, _HERE, "badge", staff=staff)


async def names(conn: Conn, staff: Sequence[UUID]) -> dict[UUID, str]:
    found = await rows(conn, _HERE, "names", staff=list(staff))
    return {one["staff"]: one["name"] for one in found if one["name"]}
