"""The gate before the door: within the door's own transaction it looks up who sends, what they hold
and where each event speaks of, and has it judged (engine/judge.py). What is judged here cannot be
overtaken by a revocation: both are serialised by the door's lock.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from muster.access.engine.judge import (
    Account,
    Binding,
    Device,
    Place,
    Sender,
    Sent,
    Verdict,
    judge,
    logins,
)
from muster.access.engine.roles import ROLES
from muster.access.engine.scope import Holding
from muster.core.problems import Problem
from muster.core.rows import rows
from muster.core.sqlfile import query
from muster.custody.events import BoxHandedOver, BoxReceived
from muster.lab.events import MemberReached
from muster.ledger.event import Event
from muster.ledger.projection import uuid_array

Conn = psycopg.AsyncConnection[Any]
_HERE = "muster.access"

# Where a body says where it is, and what kind of key that is. Where its subject is known to be counts
# too: whoever lists a thing or a person anew somewhere else takes them from where they are.
_SAYS = (
    ("site", "sites"), ("building", "areas"), ("area", "areas"), ("parent", "areas"),
    ("lab", "lab"), ("unit", "units"),
)  # fmt: skip
_SUBJECTS = {
    "tube": "tubes", "site": "sites", "queue": "sites", "area": "areas", "resident": "people", "stance": "people",
    "result": "results", "alias": "people", "unit": "units", "box": "boxes", "carried": "boxes", "task": "tasks",
    "needs": "sites", "visit": "people", "call": "areas", "home_request": "people", "staff": "staff",
}  # fmt: skip
Key = tuple[str, Any]


async def check(conn: Conn, sent: Sequence[tuple[Sender, Event]]) -> dict[UUID, Problem]:
    """The problems of events that may not be applied, by event id; what was recorded before its
    sender was moved is noted. An event that is stored already is no problem."""
    verdicts = await verdicts_of(conn, sent)
    held = {id_: verdict.problem for id_, verdict in verdicts.items() if verdict.problem}
    if held:
        known = await _rows(conn, "stored", ids=list(held))
        for row in known:
            held.pop(row["id"], None)
    late = [
        _late(event, verdicts[event.id]) for _, event in sent if verdicts[event.id].late is not None
    ]
    if late:
        await conn.execute(
            query(_HERE, "gate.sql:late").encode(), {"rows": msgspec.json.encode(late).decode()}
        )
    return held


async def verdicts_of(conn: Conn, sent: Sequence[tuple[Sender, Event]]) -> dict[UUID, Verdict]:
    """What is to be said of each event, by id."""
    codes = {one.device for one, _ in sent if one.device}
    codes |= {event.device for _, event in sent if event.device}
    devices = {row["code"]: _device(row) for row in await _rows(conn, "devices", codes=list(codes))}
    names = {event.actor for _, event in sent} | logins(devices.values())
    accounts = accounts_of(await _rows(conn, "accounts", logins=list(names)))
    keys = {event.id: place_keys(event) for _, event in sent}
    found = await _places(conn, {key for several in keys.values() for key in several})

    def verdict(sender: Sender, event: Event) -> Verdict:
        """The gravest of what is to be said of each place the event speaks of."""
        here = keys[event.id]
        said = [
            judge(
                Sent(event.type, event.at, event.received_at, event.actor, event.device, place),
                sender, accounts, devices,
            )
            for place in _met(here, [found.get(key, Place()) for key in here])
        ]  # fmt: skip
        return max(said, key=lambda one: (one.problem is not None, one.late is not None))

    return {event.id: verdict(sender, event) for sender, event in sent}


async def may_ever(conn: Conn, event: Event, sender: Sender | None) -> bool:
    """Whether whoever an event names, or the system that sent it, ever had a role that may record such a
    thing: else no person's word makes it theirs to record."""
    codes = [sender.device] if sender and sender.device else []
    gateways = [
        device
        for device in map(_device, await _rows(conn, "devices", codes=codes))
        if device.kind == "gateway"
    ]
    names = [event.actor, *logins(gateways)]
    held = accounts_of(await _rows(conn, "accounts", logins=names)).values()
    return any(event.type in ROLES[one.role].events for of in held for one in of.holdings)


def place_keys(event: Event) -> list[Key]:
    """(kind, key) of each place an event speaks of: what its body says, what it touches. Who was
    reached may live anywhere, and be looked for by their community or from the tube's site."""
    if isinstance(event.body, MemberReached):
        return [("met", (event.subject, event.body.person))]
    if isinstance(event.body, BoxHandedOver | BoxReceived):  # each side scans where it stands
        here = event.body.stands
        return [("lab", here.lab) if here.lab else ("sites", here.site) if here.site
                else ("", event.subject)]  # fmt: skip
    attribute, kind = _says(type(event.body))
    says = getattr(event.body, attribute) if attribute else None
    touched = [(_SUBJECTS[what], key) for what, key in event.touches() if what in _SUBJECTS]
    return [*([(kind, says)] if says is not None else []), *touched] or [("", event.subject)]


def _met(keys: Sequence[Key], places: list[Place]) -> list[Place]:
    """An address does not say where its person was met, unless it takes them from another one."""
    if [kind for kind, _ in keys] != ["areas", "people"]:
        return places
    address, home = places
    if home.known and home.line != address.line:
        return places
    return [replace(address, person=keys[1][1]), home]


@cache
def _says(body: type) -> tuple[str, str]:
    fields = body.__struct_fields__  # type: ignore[attr-defined]
    return next(((name, kind) for name, kind in _SAYS if name in fields), ("", ""))


async def _places(conn: Conn, keys: set[Key]) -> dict[Key, Place]:
    places: dict[Key, Place] = {key: Place(lab=key[1]) for key in keys if key[0] == "lab"}
    places |= await _task_places(conn, [key for kind, key in keys if kind == "tasks"])
    places |= await _met_places(conn, [key for kind, key in keys if kind == "met"])
    asked = {
        kind: uuid_array([key for k, key in keys if k == kind])
        for kind in ("areas", "sites", "people", "tubes", "results", "units", "boxes", "staff")
    }
    if not any(kind in asked for kind, _ in keys):
        return places
    for row in await _rows(conn, "places", **asked):
        places[row["kind"], row["key"]] = Place(
            frozenset(row["line"] or ()), row["site"], row["lab"],
            row["key"] if row["kind"] == "people" else None,
        )  # fmt: skip
    return places


async def _task_places(conn: Conn, tasks: Sequence[UUID]) -> dict[Key, Place]:
    """Where tasks are to be done, and by whom alone."""
    found = await _rows(conn, "tasks", tasks=uuid_array(tasks)) if tasks else []
    return {
        ("tasks", row["task"]): Place(
            frozenset(row["line"] or ()), row["site"], row["lab"], None, row["role"], row["login"]
        )
        for row in found
    }


async def _met_places(conn: Conn, met: Sequence[tuple[UUID, UUID]]) -> dict[Key, Place]:
    """Of members of tubes: where they live and where the tube was filled, as one place."""
    tubes, people = [tube for tube, _ in met], [person for _, person in met]
    found = await _rows(conn, "met", tubes=tubes, people=people) if met else []
    return {
        ("met", (row["tube"], row["person"])): Place(
            frozenset([*(row["here"] or ()), *(row["home"] or ())]), row["site"]
        )
        for row in found
    }


def accounts_of(found: Sequence[dict[str, Any]]) -> dict[str, Account]:
    """Accounts by login from the rows of the query `accounts`: one row a holding."""
    made: dict[str, Account] = {}
    for row in found:
        before = made.get(row["login"])
        holdings = before.holdings if before else ()
        if row["holding"]:
            holdings += (holding_of(row),)
        made[row["login"]] = Account(
            row["account"], row["login"], row["starts_at"], row["ends_at"], holdings
        )
    return made


def holding_of(row: dict[str, Any]) -> Holding:
    return Holding(
        row["holding"], row["account"], row["role"], row["everywhere"], row["area"], row["site"],
        row["lab"], row["person"], row["held_from"], row["held_to"], row["moved"], row["site_area"],
    )  # fmt: skip


def _device(row: dict[str, Any]) -> Device:
    return Device(
        row["device"], row["code"], row["kind"], row["revoked"],
        tuple(
            Binding(_uuid(area), _uuid(site), lab, _time(since), until and _time(until))
            for area, site, lab, since, until in row["bindings"]
        ),
        tuple((login, _time(since), until and _time(until))
              for login, since, until in row["holders"]),
    )  # fmt: skip


def _late(event: Event, verdict: Verdict) -> dict[str, Any]:
    ended = verdict.late
    assert ended is not None
    return {
        "event": event.id, "account": verdict.account, "login": event.actor,
        "device": event.device, "area": ended.area, "site": ended.site,
        "holding": ended.holding if isinstance(ended, Holding) else None,
        "at": event.at, "received_at": event.received_at,
    }  # fmt: skip


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def _rows(conn: Conn, name: str, **values: Any) -> list[dict[str, Any]]:
    return await rows(conn, _HERE, f"gate.sql:{name}", **values)
