"""Questions of residents' own pages, and the list of those who ask to be swabbed at home."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from muster.config import BUILDINGS_NEAR_LIMIT, QUEUE_MINUTES
from muster.core.paging import Page, decode, page
from muster.core.rows import row, rows
from muster.coverage.engine.queue import wait
from muster.registry.engine.personal_code import Coded
from muster.resident.engine.knowing import Bearer, Facts

_HERE = "muster.resident"
Conn = psycopg.AsyncConnection[Any]
Open = Callable[[bytes], bytes]  # the vault's way to read what is sealed


async def site(conn: Conn, code: str) -> dict[str, Any] | None:
    return await row(conn, _HERE, "site", code=code)


async def buildings(conn: Conn, area: UUID) -> list[dict[str, Any]]:
    """Buildings near a place, in the order of the walk."""
    return await rows(conn, _HERE, "buildings", area=area, limit=BUILDINGS_NEAR_LIMIT)


async def bearers(conn: Conn, open_: Open, code: Coded) -> list[Bearer]:
    """Whose code this is."""
    found = await rows(conn, _HERE, "bearers", number=code.number, resident=code.resident)
    return [
        Bearer(
            one["resident"], one["person"], one["self_listed"],
            Facts(one["birth_date"], _opened(open_, one["phone"])),
            Facts(one["merged_birth_date"], _opened(open_, one["merged_phone"])),
            one["merged_self"],
        )
        for one in found
    ]  # fmt: skip


async def shown(conn: Conn, resident: UUID) -> dict[str, Any] | None:
    return await row(conn, _HERE, "shown", resident=resident)


async def swabs(conn: Conn, person: UUID, tubes: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Where each swab was taken, by tube."""
    found = await rows(conn, _HERE, "swabs", person=person, tubes=list(tubes))
    return {one["tube"]: one for one in found}


async def rounds(conn: Conn, building: UUID, *, at: datetime) -> list[dict[str, Any]]:
    """Open rounds that reach a building."""
    return await rows(conn, _HERE, "rounds", building=building, at=at)


async def sites_near(
    conn: Conn, area: UUID, *, at: datetime, site: UUID | None = None
) -> list[dict[str, Any]]:
    """Sites that work near a place, or one of them, with how long one waits there as the console's board
    tells it."""
    found = await rows(
        conn, _HERE, "sites_near", area=area, site=site, at=at, queue_minutes=QUEUE_MINUTES
    )
    for one in found:
        one["wait_minutes"], one["estimated"] = wait(
            one["waiting"], one["wait_minutes"], swabs_15=one["swabs_15"], swabs_60=one["swabs_60"]
        )
    return found


async def home_requests(
    conn: Conn, person: UUID, *, recorded: UUID | None = None
) -> list[dict[str, Any]]:
    """What somebody asked for at home, newest first; `recorded`: under this id only."""
    return await rows(conn, _HERE, "home_requests", person=person, recorded=recorded)


async def home_request(conn: Conn, request: UUID) -> dict[str, Any] | None:
    return await row(conn, _HERE, "home_request", request=request)


async def home_list(
    conn: Conn, open_: Open, *, span: tuple[int, int] | None, after: str | None, limit: int
) -> Page:
    """Who waits to be swabbed at home, of those one may see, in the order of the walk."""
    at, room, last = decode(after, int, str, UUID) or (None, None, None)
    lo, hi = span or (None, None)
    found = await rows(
        conn, _HERE, "home_list", lo=lo, hi=hi, at=at, room=room, last=last, limit=limit + 1
    )
    for one in found:
        one["phone"] = _opened(open_, one["phone"])
        one["place"], one["room"] = one["place"] or 0, one["room"] or ""
    return page(found, limit, ("place", "room", "request"))


def _opened(open_: Open, sealed: bytes | None) -> str | None:
    return open_(bytes(sealed)).decode() if sealed else None
