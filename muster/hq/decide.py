"""Decisions about tasks: who is told of what, and what is answered. An answer given twice is one."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from muster.core.clock import plausible
from muster.core.ids import derived, uuid7
from muster.core.problems import Problem
from muster.hq import queries
from muster.hq.events import AddresseeListed, TaskAcknowledged, TaskDone, TaskOutcome
from muster.hq.queries import Inbox
from muster.ledger.door import Door
from muster.ledger.event import Body, Event, body_bytes

Conn = psycopg.AsyncConnection[Any]


class AddresseeInThePast(Problem):
    """An addressee cannot be told from {since} on, which has passed. Leave `since` out for "from now
    on", or give a later time."""

    zh = "通知对象不能从已过去的时间 {since} 起生效。请省略该时间（立即生效），或填写以后的时间。"


class AddresseeUnfit(Problem):
    """The addressee cannot be listed: {reason}. Correct that and list it again."""

    zh = "无法登记该通知对象：{reason}。请更正后重新登记。"


class TaskUnknown(Problem):
    """There is no task {task}, or none that is yours to see. `GET /v1/tasks` lists yours."""

    zh = "没有任务 {task}，或你无权查看。请在任务列表中查看自己的任务。"
    status = 404


class TaskNotYours(Problem):
    """The task {task} is for {whom}. Whoever it is for has to answer it."""

    zh = "任务 {task} 属于 {whom}，应由其本人答复。"
    status = 403


class TaskOver(Problem):
    """The task {task} was withdrawn: nothing is left to do. Take it off your list."""

    zh = "任务 {task} 已撤回，无需再处理，请从列表中移除。"
    status = 409


async def list_addressee(door: Door, body: AddresseeListed, *, actor: str, at: datetime) -> UUID:
    """List an edition of an addressee, known by its code, from now or later on; its id. Raises
    AddresseeInThePast, AddresseeUnfit."""
    try:
        msgspec.json.decode(body_bytes(body), type=AddresseeListed)
    except msgspec.ValidationError as error:
        raise AddresseeUnfit(reason=error) from error
    if not plausible(body.since):
        raise AddresseeUnfit(reason=f"{body.since} is no time of our era")
    if body.since < at:
        raise AddresseeInThePast(since=body.since)
    addressee = derived("addressee", body.code)
    await _append(door, uuid7(), body, addressee, actor=actor, at=at)
    return addressee


async def acknowledge(
    conn: Conn, door: Door, task: UUID, *, inbox: Inbox | None, actor: str, at: datetime
) -> None:
    """Say that a task of the inbox was seen; of any task, without an inbox. Raises TaskUnknown,
    TaskNotYours, TaskOver."""
    if await _state(conn, task, inbox) == "issued":
        id_ = derived("acknowledged", task, actor)
        await _append(door, id_, TaskAcknowledged(), task, actor=actor, at=at)


async def finish(
    conn: Conn, door: Door, task: UUID, *, outcome: TaskOutcome, inbox: Inbox | None, actor: str,
    at: datetime,
) -> None:  # fmt: skip
    """Say that a task of the inbox is finished with; of any task, without an inbox. The first word on it
    stands. Raises TaskUnknown, TaskNotYours, TaskOver."""
    if await _state(conn, task, inbox) != "done":
        id_ = derived("done", task, actor)
        await _append(door, id_, TaskDone(outcome=outcome), task, actor=actor, at=at)


async def _state(conn: Conn, task: UUID, inbox: Inbox | None) -> str:
    """How a task stands that the inbox may answer."""
    found = await queries.task(conn, task, inbox)
    if found is None:
        other = await queries.task(conn, task) if inbox else None
        if other is None:
            raise TaskUnknown(task=task)
        raise TaskNotYours(task=task, whom=other["login"] or other["role"] or other["area_name"])
    if found["state"] == "withdrawn":
        raise TaskOver(task=task)
    return found["state"]


async def _append(
    door: Door, id_: UUID, body: Body, subject: UUID, *, actor: str, at: datetime
) -> None:
    await door.append([Event(id_, type(body).__name__, subject, at, at, at, actor, body)])
