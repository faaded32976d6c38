"""Questions about who carries it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from muster.config import PAGE_LIMIT
from muster.core.paging import Page, decode, page
from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.workforce.engine.choosing import Rates
from muster.workforce.engine.limits import Limits, Shift

_HERE = "muster.workforce"
Conn = psycopg.AsyncConnection[Any]
# Policy numbers by which limits are adopted, and which limit each is.
LIMITS = {
    "shift_most_hours": "shift_hours", "rest_least_hours": "rest_hours", "suit_most_age": "suit_age",
    "duty_watch_hours": "watch_hours", "duty_limit_hours": "limit_hours", "duty_grave_hours": "grave_hours",
    "suit_most_minutes": "suit_minutes", "suit_hot_minutes": "suit_hot_minutes",
    "hot_least_decidegrees": "hot_decidegrees", "duty_most_days": "days",
}  # fmt: skip


class SummonsUnknown(Problem):
    """Nobody was asked like that, or the link was copied badly. Ask whoever sent it."""

    zh = "没有这条召集通知，或链接不完整。请联系发送方。"
    status = 404


class PostingUnknown(Problem):
    """There is no such place at a post, or it is not yours to see."""

    zh = "没有这个上岗安排，或你无权查看。"
    status = 404


class CallUpUnknown(Problem):
    """There is no call-up {text}. `GET /v1/call-ups` lists them."""

    zh = "没有召集“{text}”。"
    status = 404


class UnitUnknown(Problem):
    """There is no unit {text}. `GET /v1/units` lists them."""

    zh = "没有单位“{text}”。"
    status = 404


class StaffUnknown(Problem):
    """Nobody {staff} is on the register of who can be called up, or not yours to see."""

    zh = "名册中没有人员 {staff}，或你无权查看。"
    status = 404


async def limits(conn: Conn, *, at: datetime) -> Limits:
    """The limits in force."""
    found = await rows(conn, _HERE, "limits", names=list(LIMITS), at=at)
    return Limits(**{LIMITS[one["name"]]: one["value"] for one in found})


async def rates(conn: Conn, *, at: datetime) -> Rates:
    """How often each unit's people said yes so far."""
    found = await rows(conn, _HERE, "rates", at=at)
    return Rates(
        {one["unit"]: one["asked"] for one in found},
        {one["unit"]: one["accepted"] for one in found},
    )


async def demand(conn: Conn, id_: UUID) -> dict[str, Any] | None:
    return await row(conn, _HERE, "demand", demand=id_)


async def open_needs(conn: Conn, demands: Sequence[UUID], *, at: datetime) -> list[dict[str, Any]]:
    """What these demands lack, and the units of who was asked and may still say yes."""
    return await rows(conn, _HERE, "open_needs", demands=list(demands), at=at)


async def candidates(
    conn: Conn, call_up: UUID, shift: Shift, *, units: Sequence[UUID], areas: Sequence[UUID], limits: Limits,
    at: datetime,
) -> list[dict[str, Any]]:  # fmt: skip
    """Who may be asked to stand a shift, as far as the rules of everybody go."""
    return await rows(
        conn, _HERE, "candidates", call_up=call_up, units=list(units), areas=list(areas), at=at,
        starts_at=shift.starts_at, ends_at=shift.ends_at, rest_hours=limits.rest_hours,
    )  # fmt: skip


async def last_wave(conn: Conn, call_up: UUID) -> int:
    found = await row(conn, _HERE, "last_wave", call_up=call_up)
    return found["wave"] if found else 0


async def summons(conn: Conn, id_: UUID) -> dict[str, Any]:
    """Raises SummonsUnknown."""
    if (found := await row(conn, _HERE, "summons", summons=id_)) is None:
        raise SummonsUnknown()
    return found


async def posting(conn: Conn, id_: UUID) -> dict[str, Any]:
    """Raises PostingUnknown."""
    if (found := await row(conn, _HERE, "posting", posting=id_)) is None:
        raise PostingUnknown()
    return found


async def postings_of_summons(conn: Conn, id_: UUID) -> list[dict[str, Any]]:
    return await rows(conn, _HERE, "postings_of_summons", summons=id_)


async def call_up(conn: Conn, text: str) -> dict[str, Any]:
    """A call-up by its id or its name. Raises CallUpUnknown."""
    if (found := await row(conn, _HERE, "call_up", text=text)) is None:
        raise CallUpUnknown(text=text)
    return found


async def open_call_ups(conn: Conn) -> list[dict[str, Any]]:
    return await rows(conn, _HERE, "open_call_ups")


async def call_ups(conn: Conn, *, after: str | None = None, limit: int = PAGE_LIMIT) -> Page:
    """Call-ups with their sums, newest first."""
    opened_at, last = decode(after, datetime, UUID) or (None, None)
    found = await rows(conn, _HERE, "call_ups", after=opened_at, last=last, limit=limit + 1)
    return page(found, limit, ("opened_at", "call_up"))


async def board(conn: Conn, demands: Sequence[UUID], *, at: datetime) -> list[dict[str, Any]]:
    """Demand by demand: needed, asked, said, placed, arrived."""
    return await rows(conn, _HERE, "board", demands=list(demands), at=at)


async def staff_list(
    conn: Conn, *, q: str | None, unit: UUID | None, role: str | None, at: datetime,
    after: str | None = None, limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """Who can be called up, by name."""
    pinyin, last = decode(after, str, UUID) or ("", UUID(int=0))
    found = await rows(
        conn, _HERE, "staff_list", q=q, unit=unit, role=role, at=at, after=pinyin, last=last,
        limit=limit + 1,
    )  # fmt: skip
    return page(found, limit, ("pinyin", "staff"))


async def telephone_list(
    conn: Conn, call_up: UUID, *, states: Sequence[str], opened: Callable[[bytes], bytes],
    after: str | None = None, limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """Whom to ring up, with their phones."""
    state, last = decode(after, str, UUID) or ("", UUID(int=0))
    found = await rows(
        conn, _HERE, "telephone_list", call_up=call_up, states=list(states), state=state, last=last,
        limit=limit + 1,
    )  # fmt: skip
    for one in found:
        one["phone"] = opened(bytes(one["phone"])).decode() if one["phone"] else None
    return page(found, limit, ("state", "summons"))


async def postings(
    conn: Conn, demand: UUID, *, after: str | None = None, limit: int = PAGE_LIMIT
) -> Page:
    """Who has a place at a demand."""
    (last,) = decode(after, UUID) or (UUID(int=0),)
    found = await rows(conn, _HERE, "postings", demand=demand, last=last, limit=limit + 1)
    return page(found, limit, ("posting",))


async def unit(conn: Conn, text: str) -> dict[str, Any]:
    """A unit by its id or code. Raises UnitUnknown."""
    if (found := await row(conn, _HERE, "unit", text=text)) is None:
        raise UnitUnknown(text=text)
    return found


async def check_staff(conn: Conn, staff: UUID) -> None:
    """Somebody on the register, for whoever asks. Raises StaffUnknown."""
    if await row(conn, _HERE, "staff_one", staff=staff) is None:
        raise StaffUnknown(staff=staff)


async def area_of_staff(conn: Conn, staff: UUID) -> UUID:
    """Where the unit stands that lists somebody. Raises StaffUnknown."""
    if (found := await row(conn, _HERE, "staff_one", staff=staff)) is None:
        raise StaffUnknown(staff=staff)
    return found["area"]


async def areas_in(conn: Conn, area: UUID, *, level: str) -> list[dict[str, Any]]:
    """The areas of a level within an area, in the order of the tree; a thousand at most."""
    return await rows(conn, _HERE, "areas_in", area=area, level=level)


async def place(conn: Conn, id_: UUID) -> dict[str, Any] | None:
    """The name of a site or an area."""
    return await row(conn, _HERE, "place", place=id_)


async def to_arrive(
    conn: Conn, place: UUID, phones: Sequence[bytes], *, at: datetime, latest: datetime
) -> list[dict[str, Any]]:
    """Places at posts here of whoever has one of these phones, that begin until then and are not over."""
    return await rows(
        conn, _HERE, "to_arrive", place=place, phones=list(phones), at=at, latest=latest
    )


async def at_risk(
    conn: Conn, *, area: UUID | None, at: datetime, until: datetime, after: str | None = None,
    limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """Posts up to a time that are not as they should be, the soonest first."""
    since, last = decode(after, datetime, UUID) or (
        datetime.min.replace(tzinfo=at.tzinfo),
        UUID(int=0),
    )
    found = await rows(
        conn,
        _HERE,
        "at_risk",
        area=area,
        at=at,
        until=until,
        after=since,
        last=last,
        limit=limit + 1,
    )
    return page(found, limit, ("arrive_by", "demand"))


async def fills(conn: Conn, staff: Sequence[UUID]) -> list[dict[str, Any]]:
    """Who people are, in this order; only those the caller may see."""
    return await rows(conn, _HERE, "fills", staff=list(staff))
