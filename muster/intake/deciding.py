"""A person's word on what is held for want of a right: accepted, it is applied as it was sent; refused,
it never is. Who decided stands in the ledger.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from muster.access.engine.judge import FOR_A_PERSON, Sender
from muster.access.events import HeldAccepted, HeldRefused
from muster.access.gate import may_ever
from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.core.rows import row
from muster.intake.upload import Intake, read_item
from muster.ledger.event import Body, Event

_RIGHTS = [problem.slug for problem in FOR_A_PERSON]
Refusal = Literal["not_genuine", "duplicate", "unreadable", "other"]


class NothingHeld(Problem):
    """Nothing waits under {inbox}: it was decided, has expired, or never was."""

    zh = "{inbox} 下没有待处理的内容：已处理、已过期或不存在。"
    status = 404


class NotReadable(Problem):
    """What is held under {inbox} cannot be applied ({reason}). It can be refused."""

    zh = "{inbox} 的内容无法应用（{reason}），可予拒绝。"
    status = 409


class SomebodyElseDecides(Problem):
    """You sent this yourself, and it was held for want of a right: somebody else must accept it."""

    zh = "这是您本人发送、因无权限而被保留的内容，须由他人确认接受。"
    status = 403


class NotTheirsToRecord(Problem):
    """{actor} never had a role that may record {type}: nobody's word makes it so. It can be refused."""

    zh = "{actor} 从未有权记录“{type}”，任何人都不能代为确认，可予拒绝。"
    status = 403


async def accept(intake: Intake, inbox: UUID, *, by: str, at: datetime) -> UUID:
    """Apply a held item under its sender's own words; the event's id. Raises NothingHeld, NotReadable,
    SomebodyElseDecides, NotTheirsToRecord, and what the door raises."""
    found = await _held(intake, inbox, by)
    raw = intake.vault.open(bytes(found["sealed"]))
    try:
        event = read_item(raw, found["received_at"], found["owner"], found["offset_ms"])
    except Problem as problem:
        raise NotReadable(inbox=inbox, reason=problem.slug) from problem
    if found["own"] and found["slug"] in _RIGHTS:
        raise SomebodyElseDecides()
    async with intake.pool.connection() as conn:
        if not await may_ever(conn, event, Sender.of(found["sender"])):
            raise NotTheirsToRecord(actor=event.actor, type=event.type)
    (answer,) = await intake.door.append([event])
    if answer not in ("stored", "known"):
        raise NotReadable(inbox=inbox, reason=answer)
    # After it: the ledger must not say that something was accepted which could not be applied.
    await intake.door.append([_decision(HeldAccepted(event.id), inbox, by, at)])
    await _decide(intake, inbox, by=by, at=at, refused=False)
    return event.id


async def refuse(intake: Intake, inbox: UUID, reason: Refusal, *, by: str, at: datetime) -> None:
    """Never apply a held item; its bytes are kept until they expire. Raises NothingHeld."""
    await _held(intake, inbox, by)
    await intake.door.append([_decision(HeldRefused(reason), inbox, by, at)])
    await _decide(intake, inbox, by=by, at=at, refused=True)


async def _held(intake: Intake, inbox: UUID, by: str) -> dict:
    async with intake.pool.connection() as conn:
        found = await row(conn, "muster.intake", "held", inbox=inbox, by=by)
    if found is None:
        raise NothingHeld(inbox=inbox)
    return found


async def _decide(intake: Intake, inbox: UUID, *, by: str, at: datetime, refused: bool) -> None:
    async with intake.pool.connection() as conn:
        await row(
            conn, "muster.intake", "refused" if refused else "accepted", inbox=inbox, by=by, at=at
        )


def _decision(body: Body, inbox: UUID, by: str, at: datetime) -> Event:
    return Event(uuid7(), type(body).__name__, inbox, at, at, at, by, body)
