"""Decisions at the door and about whose way it is: each checks the state it is taken on, then appends."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import psycopg

from muster.core.ids import derived, uuid7
from muster.core.problems import Problem
from muster.hq.events import TaskIssued, TaskWithdrawn
from muster.ledger.door import Door
from muster.ledger.event import Body, Event
from muster.registry.events import ResidentStateChanged, State
from muster.sampling.events import ExemptionGranted, Reason, RefusalRecorded, StanceWithdrawn
from muster.visits import queries

Conn = psycopg.AsyncConnection[Any]
Said = Literal["refused", "exempt", "away", "back"]


class RoundOver(Problem):
    """The round "{name}" is closed: nothing more is decided in it."""

    zh = "轮次“{name}”已结束，不能再作决定。"
    status = 409


class SampledAlready(Problem):
    """This person was sampled in this round, so there is nothing to record. Look at their tube if that is
    wrong."""

    zh = "此人本轮已采样，无需登记。如有误，请查看其采样管。"
    status = 409


class StandsAlready(Problem):
    """This is recorded of the person already. Take it back first if it is to be another."""

    zh = "此人已有同样登记。如需更改，请先撤回。"
    status = 409


class ReasonWanted(Problem):
    """An exemption needs a reason. Choose one."""

    zh = "免检需要选择原因。"


class NothingToTakeBack(Problem):
    """This holds no longer, or something else was recorded since: there is nothing to take back."""

    zh = "该登记已失效，或其后另有登记，无法撤回。"
    status = 409


class NoWalker(Problem):
    """{login} holds no role for going from door to door in {area}. Choose somebody from the list, or ask an
    administrator for the role."""

    zh = "{login} 在 {area} 没有入户走访的角色。请从名单中选择，或请管理员授予角色。"
    status = 409


class DeadlineOver(Problem):
    """The deadline {due_at} has passed. Choose a later one."""

    zh = "截止时间 {due_at} 已过，请选择以后的时间。"


class AssignedAlready(Problem):
    """This is {login}'s way already. Give it to somebody else there, or withdraw it first."""

    zh = "此处已分派给 {login}。请改派，或先撤回。"
    status = 409


class AssignmentUnknown(Problem):
    """There is no such assignment, or none under your areas."""

    zh = "没有该分派，或不在您负责的区域内。"
    status = 404


class AssignmentOver(Problem):
    """The assignment is {state} already."""

    zh = "该分派已是“{state}”状态。"
    status = 409


async def record(
    conn: Conn, door: Door, round: dict[str, Any], person: UUID, said: Said, *,
    reason: Reason | None, every_round: bool, note: str | None, id_: UUID | None, actor: str,
    at: datetime,
) -> UUID:  # fmt: skip
    """Record that somebody refused, need not be tested, is away or back; the event, by which it can be taken
    back. The same id again is the same event. Raises RoundOver, SampledAlready, StandsAlready,
    ReasonWanted."""
    if id_ is not None and await queries.said(conn, id_) is not None:
        return id_
    _open(round)
    found = await queries.standing_of(conn, round["round"], person)
    if found is None or found["sampled"]:
        raise SampledAlready()
    if (
        said in found["stances"]
        or said == found["state"]
        or (said == "back" and found["state"] != "away")
    ):
        raise StandsAlready()
    body: Body
    match said:
        case "refused":
            body = RefusalRecorded(round=round["round"])
        case "exempt":
            if reason is None:
                raise ReasonWanted()
            body = ExemptionGranted(reason=reason, round=None if every_round else round["round"])
        case "away":
            body = ResidentStateChanged(state="away")
        case "back":
            body = ResidentStateChanged(state="resident")
    event = id_ or uuid7()
    await _append(door, event, body, person, actor=actor, at=at, note=note)
    return event


async def take_back(conn: Conn, door: Door, event: UUID, *, actor: str, at: datetime) -> None:
    """Take back what was recorded of a person. Raises NothingToTakeBack."""
    found = await queries.said(conn, event)
    if found is None or not found["holds"]:
        raise NothingToTakeBack()
    body: Body = StanceWithdrawn()
    if found["type"] == "ResidentStateChanged":
        state: State = found["before"]
        body = ResidentStateChanged(state=state)
    await _append(
        door, derived("taken back", event), body, found["subject"], actor=actor, at=at, cause=event
    )


async def assign(
    conn: Conn, door: Door, round: dict[str, Any], area: dict[str, Any], *, login: str,
    due_at: datetime, actor: str, at: datetime,
) -> UUID:  # fmt: skip
    """Make the missing of an area somebody's way; the task. Raises RoundOver, DeadlineOver, NoWalker,
    AssignedAlready."""
    _open(round)
    if standing := await queries.standing_assignment(conn, round["round"], area["area"]):
        raise AssignedAlready(login=standing["login"])
    return await _issue(
        conn, door, round["round"], area, login=login, due_at=due_at, actor=actor, at=at
    )


async def reassign(
    conn: Conn, door: Door, task: UUID, area: dict[str, Any], *, login: str, due_at: datetime,
    actor: str, at: datetime,
) -> UUID:  # fmt: skip
    """Give a way to somebody else, or until another time: the old task is withdrawn; the new one. Raises
    AssignmentUnknown, AssignmentOver, DeadlineOver, NoWalker."""
    found = await _standing(conn, task)
    new = await _issue(
        conn, door, found["round"], area, login=login, due_at=due_at, actor=actor, at=at
    )
    await _withdraw(door, task, actor=actor, at=at)
    return new


async def withdraw(conn: Conn, door: Door, task: UUID, *, actor: str, at: datetime) -> None:
    """Take a way from somebody. Raises AssignmentUnknown, AssignmentOver."""
    await _standing(conn, task)
    await _withdraw(door, task, actor=actor, at=at)


async def _standing(conn: Conn, task: UUID) -> dict[str, Any]:
    found = await queries.assignment(conn, task)
    if found is None:
        raise AssignmentUnknown()
    if found["state"] in ("done", "withdrawn"):
        raise AssignmentOver(state=found["state"])
    return found


async def _issue(
    conn: Conn, door: Door, round: UUID, area: dict[str, Any], *, login: str, due_at: datetime,
    actor: str, at: datetime,
) -> UUID:  # fmt: skip
    if due_at <= at:
        raise DeadlineOver(due_at=due_at)
    if not await queries.walkers(conn, area["area"], at=at, login=login):
        raise NoWalker(login=login, area=area["name"])
    task = uuid7()
    body = TaskIssued(
        kind="door_to_door", due_at=due_at, area=area["area"], login=login, about=round
    )
    await _append(door, uuid7(), body, task, actor=actor, at=at)
    return task


async def _withdraw(door: Door, task: UUID, *, actor: str, at: datetime) -> None:
    await _append(door, derived("withdrawn", task), TaskWithdrawn(), task, actor=actor, at=at)


def _open(round: dict[str, Any]) -> None:
    if round["closed_at"]:
        raise RoundOver(name=round["name"])


async def _append(
    door: Door, id_: UUID, body: Body, subject: UUID, *, actor: str, at: datetime,
    cause: UUID | None = None, note: str | None = None,
) -> None:  # fmt: skip
    event = Event(
        id_, type(body).__name__, subject, at, at, at, actor, body, cause=cause, note=note or None
    )
    await door.append([event])
