"""Questions about one site, laboratory, person or device, and the boards of devices and recalls."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from muster.config import DEFAULT_RECALL_HOURS, DEVICE_QUIET_MINUTES
from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.desk.queries import Reach
from muster.registry.vault import Vault

_HERE = "muster.desk"
Conn = psycopg.AsyncConnection[Any]
LATELY = timedelta(hours=24)


class NoSuchLab(Problem):
    """There is no laboratory with the code {lab}."""

    zh = "没有编码为 {lab} 的实验室。"
    status = 404


class NoSuchSite(Problem):
    """There is no site with the code or id "{site}"."""

    zh = "没有编码或编号为“{site}”的采样点。"
    status = 404


class NoSuchDevice(Problem):
    """There is no device {device} where you may look."""

    zh = "没有设备 {device}，或你无权查看。"
    status = 404


class NoSuchRecall(Problem):
    """There is no open recall {recall}."""

    zh = "没有编号为 {recall} 的未完成召回。"
    status = 404


async def site(conn: Conn, text: str) -> dict[str, Any]:
    """A site of a code or an id. Raises NoSuchSite."""
    found = await row(conn, _HERE, "records.sql:site", text=text)
    if found is None:
        raise NoSuchSite(site=text)
    return found


async def around_site(conn: Conn, found: dict[str, Any]) -> dict[str, Any]:
    """A site with its rounds, what waits there, its latest boxes, when it worked, what it is short of."""
    site = found["site"]
    waiting = await row(conn, _HERE, "records.sql:site_waiting", site=site) or {}
    parts = {
        name: await rows(conn, _HERE, f"records.sql:site_{name}", site=site)
        for name in ("rounds", "boxes", "moments", "supplies")
    }
    return {
        **found, **parts, "waiting": waiting["tubes"], "waiting_since": waiting["oldest_at"],
        "readiness": await row(conn, _HERE, "records.sql:site_readiness", site=site),
    }  # fmt: skip


async def lab(conn: Conn, code: str, *, at: datetime) -> dict[str, Any]:
    """A laboratory with its open list by what is next, and what it did of late. Raises NoSuchLab."""
    found = await row(conn, _HERE, "records.sql:lab", lab=code)
    if found is None:
        raise NoSuchLab(lab=code)
    since = at - LATELY
    day = await row(conn, _HERE, "records.sql:lab_day", lab=code, since=since) or {}
    return {
        **found, **day, "since": since, "as_of": at,
        "open": await rows(conn, _HERE, "records.sql:lab_open", lab=code),
        "released": await rows(conn, _HERE, "records.sql:lab_released", lab=code, since=since),
    }  # fmt: skip


async def story(conn: Conn, person: UUID) -> list[dict[str, Any]]:
    """All that happened to a person, newest first."""
    return await rows(conn, _HERE, "records.sql:story", person=person)


async def board(
    conn: Conn, vault: Vault, reach: Reach, *, at: datetime, site: UUID | None = None,
    area: UUID | None = None, code: str | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Devices of some places, those in trouble first, and how to call who holds them."""
    values = reach.parameters()
    values.pop("labs")
    found = await rows(
        conn, _HERE, "records.sql:board", **values, at=at, site=site, area=area, code=code,
        quiet=DEVICE_QUIET_MINUTES,
    )  # fmt: skip
    return _opened(vault, found, ("holder_name", "holder_phone"))


async def device(
    conn: Conn, vault: Vault, reach: Reach, code: str, *, at: datetime
) -> dict[str, Any]:
    """A device with its gaps, what it sent last, where it worked and who held it. Raises
    NoSuchDevice."""
    found = await board(conn, vault, reach, at=at, code=code)
    found = [one for one in found if one["code"] == code]
    if not found:
        raise NoSuchDevice(device=code)
    one = found[0]
    holders = await rows(conn, _HERE, "records.sql:holders", device=one["device"])
    return {
        **one,
        "gaps": await rows(conn, _HERE, "records.sql:gaps_of", code=code),
        "work": await rows(conn, _HERE, "records.sql:device_work", code=code),
        "bindings": await rows(conn, _HERE, "records.sql:bindings", device=one["device"]),
        "holders": _opened(vault, holders, ("name", "phone")),
    }


def _opened(
    vault: Vault, found: list[dict[str, Any]], columns: Sequence[str]
) -> list[dict[str, Any]]:
    """The rows with some sealed columns as text."""
    for one in found:
        one |= {name: one[name] and vault.open(bytes(one[name])).decode() for name in columns}
    return found


async def recalled(conn: Conn) -> list[dict[str, Any]]:
    """Tubes with open recalls, what is due first."""
    return await rows(conn, _HERE, "records.sql:recalled", hours=DEFAULT_RECALL_HOURS)


async def recall(conn: Conn, id_: UUID) -> dict[str, Any]:
    """An open recall one may see. Raises NoSuchRecall."""
    found = await row(conn, _HERE, "records.sql:recall", recall=id_)
    if found is None or found["state"] != "open":
        raise NoSuchRecall(recall=id_)
    return found
