"""Decisions at posts: breaks, relief that finds somebody, incidents and clearance, handing over. What is said twice
is one.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from muster.config import (
    FREED_AFTER_INCIDENT_HOURS,
    RELIEF_ANSWER_MINUTES,
    RELIEF_HOURS,
    RELIEF_WORTH_MINUTES,
)
from muster.core.ids import derived, uuid7
from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.ledger.door import Door
from muster.ledger.event import Body, Event
from muster.workforce import decide, queries
from muster.workforce.events import (
    BreakBegun,
    BreakEnded,
    CallUpOpened,
    ClearedForDuty,
    DemandRaised,
    HandedOver,
    How,
    IncidentKind,
    IncidentRecorded,
    PostingWithdrawn,
    ReliefNoLongerWanted,
    ReliefRequested,
    Relieved,
    WhyRelief,
)

_HERE = "muster.workforce"
Conn = queries.Conn


class HandedToNobody(Problem):
    """A post is handed over to somebody who stands at the same place in the same role: this person does not.
    Let them check in first."""

    zh = "交接对象须已在同一地点、同一岗位到岗。请先让其签到。"
    status = 409


class IncidentUnknown(Problem):
    """There is no such incident, or it is not yours to see."""

    zh = "没有这条事件记录，或你无权查看。"
    status = 404


async def standing(conn: Conn, posting: UUID) -> dict[str, Any]:
    """A place somebody has, with what was asked there. Raises PostingUnknown."""
    if (found := await row(conn, _HERE, "relief.sql:standing", posting=posting)) is None:
        raise queries.PostingUnknown()
    return found


async def begin_break(conn: Conn, door: Door, posting: UUID, *, actor: str, at: datetime) -> None:
    """Rest, out of the suit. Raises PostingUnknown, PlaceNotTheirs."""
    found = await _stands(conn, posting)
    if found["break"] is None:
        await door.append([_event(BreakBegun(), posting, actor, at)])


async def end_break(conn: Conn, door: Door, posting: UUID, *, actor: str, at: datetime) -> None:
    """Work again. Raises PostingUnknown, PlaceNotTheirs."""
    found = await _stands(conn, posting)
    if found["break"] is not None:
        await door.append([_event(BreakEnded(), posting, actor, at)])


async def request_relief(
    conn: Conn, door: Door, posting: UUID, *, why: WhyRelief, how: How, actor: str, at: datetime
) -> UUID | None:
    """Ask to be relieved: somebody is called up at once for the rest of the shift, by the demand that is
    returned; by none where only moments are left. Who asks stands there until relieved. Raises
    PostingUnknown, PlaceNotTheirs."""
    found = await _stands(conn, posting)
    if found["relief"] is not None:
        return found["relief_demand"]
    wanted, call_up, demand = _replacement(found, actor, at)
    asked = ReliefRequested(why, how, demand)
    await door.append([*wanted, _event(asked, posting, actor, at)])
    await _call(conn, door, call_up, at)
    return demand


async def stay(conn: Conn, door: Door, posting: UUID, *, actor: str, at: datetime) -> None:
    """Stay after all: who was asked instead is told that they are not needed. Raises PostingUnknown."""
    found = await standing(conn, posting)
    if found["relief"] is None:
        return
    events = [_event(ReliefNoLongerWanted(), posting, actor, at)]
    if (demand := found["relief_demand"]) is not None:
        before = await queries.demand(conn, demand)
        assert before is not None, "a relief's demand is raised with it"
        none = DemandRaised(
            before["area"],
            before["role"],
            0,
            before["starts_at"],
            before["ends_at"],
            before["site"],
        )
        events.append(_event(none, demand, actor, at))
        coming = await rows(conn, _HERE, "relief.sql:not_come_yet", demand=demand)
        events += [
            _event(PostingWithdrawn("not_needed"), one["posting"], actor, at) for one in coming
        ]
    await door.append(events)


async def record_incident(
    conn: Conn, door: Door, incident: UUID, *, staff: UUID, posting: UUID | None, kind: IncidentKind,
    note: str | None, actor: str, at: datetime,
) -> UUID | None:  # fmt: skip
    """Say what befell somebody: they leave the post, somebody is called up instead (by the demand that is
    returned), and their places of the next day are free. Raises PostingUnknown."""
    body = IncidentRecorded(staff, kind, posting)
    said = Event(
        derived("incident", incident),
        "IncidentRecorded",
        incident,
        at,
        at,
        at,
        actor,
        body,
        note=note,
    )
    if posting is None:
        await door.append([said, *await _freed(conn, staff, actor, at)])
        return None
    found = await standing(conn, posting)
    wanted, call_up, demand = list[Event](), None, None
    if found["state"] == "arrived":
        wanted, call_up, demand = _replacement(found, actor, at)
        left = derived("relieved", posting)
        wanted.append(Event(left, "Relieved", posting, at, at, at, actor, Relieved()))
    await door.append([said, *wanted, *await _freed(conn, staff, actor, at)])
    await _call(conn, door, call_up, at)
    return demand


async def _freed(conn: Conn, staff: UUID, actor: str, at: datetime) -> list[Event]:
    until = at + timedelta(hours=FREED_AFTER_INCIDENT_HOURS)
    ahead = await rows(conn, _HERE, "relief.sql:places_ahead", staff=staff, at=at, until=until)
    return [_event(PostingWithdrawn("replaced"), one["posting"], actor, at) for one in ahead]


async def clear(
    conn: Conn, door: Door, incident: UUID, *, starts_at: datetime, note: str | None = None, actor: str,
    at: datetime,
) -> None:  # fmt: skip
    """Let somebody stand at posts again from a time on. Raises IncidentUnknown."""
    await incident_of(conn, incident)
    body = ClearedForDuty(starts_at)
    await door.append([
        Event(uuid7(), "ClearedForDuty", incident, at, at, at, actor, body, note=note)
    ])  # fmt: skip


async def incident_of(conn: Conn, incident: UUID) -> dict[str, Any]:
    """Raises IncidentUnknown."""
    if (found := await row(conn, _HERE, "relief.sql:incident", incident=incident)) is None:
        raise IncidentUnknown()
    return found


async def hand_over(
    conn: Conn, door: Door, posting: UUID, *, to: UUID, open_matters: int, note: str | None, leave: bool,
    actor: str, at: datetime,
) -> None:  # fmt: skip
    """Hand a post over to who stands there too; `leave`: and go. Raises PostingUnknown, PlaceNotTheirs,
    HandedToNobody."""
    found, other = await _stands(conn, posting), await standing(conn, to)
    here = (found["site"] or found["area"], found["role"])
    if (
        to == posting
        or other["state"] != "arrived"
        or here != (other["site"] or other["area"], other["role"])
    ):
        raise HandedToNobody()
    said = Event(
        uuid7(), "HandedOver", posting, at, at, at, actor, HandedOver(to, open_matters), note=note
    )
    left = Event(derived("relieved", posting), "Relieved", posting, at, at, at, actor, Relieved(to))
    await door.append([said, left] if leave else [said])


async def _stands(conn: Conn, posting: UUID) -> dict[str, Any]:
    found = await standing(conn, posting)
    if found["state"] != "arrived":
        raise decide.PlaceNotTheirs()
    return found


def _replacement(
    found: dict[str, Any], actor: str, at: datetime
) -> tuple[list[Event], dict[str, Any] | None, UUID | None]:
    """A demand for one more at the place until the shift ends, and a call-up of its own for it: the events,
    the call-up, the demand; nothing where the shift is as good as over."""
    left = found["ends_at"] - at
    if timedelta() < left < timedelta(minutes=RELIEF_WORTH_MINUTES):
        return [], None, None
    ends_at = found["ends_at"] if left > timedelta() else at + timedelta(hours=RELIEF_HOURS)
    demand = derived("relief demand", found["posting"])
    wanted = DemandRaised(
        found["area"], found["role"], 1, at, ends_at, found["site"], None, found["skill"],
        found["proven"],
    )  # fmt: skip
    id_ = derived("relief call-up", found["posting"], found["requests"])
    opened = CallUpOpened(
        f"接替 {found['place_name'] or ''}".strip(), (demand,), RELIEF_ANSWER_MINUTES
    )
    call_up = {
        "call_up": id_, "demands": [demand], "answer_minutes": RELIEF_ANSWER_MINUTES, "units": [],
        "areas": [], "closed_at": None, "opened_by": actor,
    }  # fmt: skip
    return [_event(wanted, demand, actor, at), _event(opened, id_, actor, at)], call_up, demand


async def _call(conn: Conn, door: Door, call_up: dict[str, Any] | None, at: datetime) -> None:
    if call_up is not None:
        await decide.top_up(conn, door, call_up, at=at)


def _event(body: Body, subject: UUID, actor: str, at: datetime) -> Event:
    return Event(uuid7(), type(body).__name__, subject, at, at, at, actor, body)
