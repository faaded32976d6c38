"""Questions about tasks, addressees, and the people around a positive tube."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

import msgspec
import psycopg

from muster.config import PAGE_LIMIT
from muster.core.paging import Page, decode, page
from muster.core.problems import Problem
from muster.core.rows import row, rows

_HERE = "muster.hq"
Conn = psycopg.AsyncConnection[Any]
Open = Callable[[bytes], bytes]  # the vault's way to read what is sealed
State = Literal["issued", "acknowledged", "done", "withdrawn"]
Wanted = Literal["open", "issued", "acknowledged", "done", "withdrawn", "all"]
STATES: dict[str, list[str]] = {
    "open": ["issued", "acknowledged"], "all": list(get_args(State)),
    **{one: [one] for one in get_args(State)},
}  # fmt: skip


class RecallTubeUnknown(Problem):
    """No tube {tube} is known, or not to you. Ask the command post, or look the tube up by its
    barcode."""

    zh = "没有采样管 {tube}，或你无权查看。请联系指挥部，或按条码查找。"
    status = 404


class Held(msgspec.Struct, frozen=True):
    """A role somebody holds, and where."""

    role: str
    everywhere: bool = False
    area: UUID | None = None
    site: UUID | None = None
    lab: str | None = None


@dataclass(frozen=True)
class Inbox:
    """Whose tasks are asked for: those of an account, and of the roles it holds where it holds them."""

    login: str
    held: tuple[Held, ...] = ()


async def tasks(
    conn: Conn, inbox: Inbox | None, *, wanted: Wanted = "open", after: str | None = None,
    limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """The tasks of an inbox, or all that may be seen; what is due first comes first."""
    due_at, last = decode(after, datetime, UUID) or (None, None)
    found = await _tasks(
        conn, inbox, states=STATES[wanted], due_at=due_at, last=last, limit=limit + 1
    )
    return page(found, limit, ("due_at", "task"))


async def task(conn: Conn, task: UUID, inbox: Inbox | None = None) -> dict[str, Any] | None:
    """One task, of an inbox if one is given; None where there is none, or not for the caller."""
    found = await _tasks(conn, inbox, task=task, states=STATES["all"], limit=1)
    return found[0] if found else None


async def _tasks(
    conn: Conn, inbox: Inbox | None, *, states: list[str], limit: int, task: UUID | None = None,
    due_at: datetime | None = None, last: UUID | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    held = msgspec.json.encode(inbox.held if inbox else ()).decode()
    return await rows(
        conn, _HERE, "tasks", mine=inbox is not None, login=inbox.login if inbox else "",
        held=held, states=states, task=task, due_at=due_at, last=last, limit=limit,
    )  # fmt: skip


async def addressees(conn: Conn) -> list[dict[str, Any]]:
    """Who is told of what: every edition, and what holds where nobody is listed."""
    return await rows(conn, _HERE, "addressees")


async def recall_of(conn: Conn, open_: Open, tube: UUID) -> dict[str, Any]:
    """A tube with its recalled members: each one's stage, address and contact. Raises
    RecallTubeUnknown."""
    found = await _known(conn, tube)
    found["members"] = _opened(await rows(conn, _HERE, "members", tube=tube), open_)
    return found


async def contacts_of(conn: Conn, open_: Open, tube: UUID) -> list[dict[str, Any]]:
    """Tube-mates and housemates of who may be the case in a positive tube, each with why. Raises
    RecallTubeUnknown."""
    await _known(conn, tube)
    return _opened(await rows(conn, _HERE, "contacts", tube=tube), open_)


async def _known(conn: Conn, tube: UUID) -> dict[str, Any]:
    found = await row(conn, _HERE, "recalled_tube", tube=tube)
    if found is None:
        raise RecallTubeUnknown(tube=tube)
    return found


def _opened(found: Iterable[dict[str, Any]], open_: Open) -> list[dict[str, Any]]:
    """The rows with their phones readable: to be masked by whoever shows them."""
    return [
        {**one, "phone": open_(one["phone"]).decode() if one["phone"] else None} for one in found
    ]
