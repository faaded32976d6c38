"""Decisions about rounds and policies: each checks the state it is taken on, then appends."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from muster.core.clock import plausible
from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.ledger.door import Door
from muster.ledger.event import Body, Event, body_bytes
from muster.registry.events import PolicyAdopted, PolicyName
from muster.sampling.events import AreaBalance, RoundClosed, RoundOpened

Conn = psycopg.AsyncConnection[Any]


class NotRecordable(Problem):
    """This cannot be recorded as {type}: {reason}."""

    zh = "无法记录为 {type}：{reason}。"


class RoundEndsBeforeStart(Problem):
    """The round would end ({ends_at}) before it starts ({starts_at})."""

    zh = "轮次的结束时间（{ends_at}）早于开始时间（{starts_at}）。"


class RoundAlreadyClosed(Problem):
    """The round "{name}" is closed already."""

    zh = "轮次“{name}”已经结束。"
    status = 409


class RoundDoesNotBalance(Problem):
    """The round cannot be closed: in area {area}, {left} is not {right}. This is a defect of the
    figures; nothing was changed."""

    zh = "轮次无法结束：区域 {area} 的 {left} 与 {right} 不相等。数据有误，未作任何更改。"
    status = 409


class RoundStillOpen(Problem):
    """{missing} people are missing and {pending} results pending. Resolve them, or close with
    `allow_open` (they are then listed as open in the sheet)."""

    zh = "还有 {missing} 人未检、{pending} 个结果待出。请先处理，或用 allow_open 结束（列为未完成）。"
    status = 409


class PolicyOutOfRange(Problem):
    """A policy number must be from 1 to 10000, not {value}."""

    zh = "规则数值应在 1 到 10000 之间，而不是 {value}。"


class PolicyInThePast(Problem):
    """An edition cannot hold from {since}, which has passed: what was done is judged by the edition
    of its time."""

    zh = "规则版本不能从已过去的时间 {since} 起生效。"


async def append(door: Door, body: Body, subject: UUID, *, actor: str, at: datetime) -> Event:
    """Append one event made here and now. Its body has to be as fit as one that is sent: nobody could
    read it later. Raises NotRecordable."""
    try:
        msgspec.json.decode(body_bytes(body), type=type(body))
    except msgspec.ValidationError as error:
        raise NotRecordable(type=type(body).__name__, reason=error) from error
    for value in msgspec.structs.astuple(body):
        if isinstance(value, datetime) and not plausible(value):
            raise NotRecordable(type=type(body).__name__, reason=f"{value} is no time of our era")
    event = Event(uuid7(), type(body).__name__, subject, at, at, at, actor, body)
    await door.append([event])
    return event


async def open_round(
    door: Door, *, name: str, areas: list[UUID], starts_at: datetime, ends_at: datetime,
    actor: str, at: datetime,
) -> UUID:  # fmt: skip
    """Open a round over areas; it may cross midnight and overlap others. Its id."""
    if ends_at <= starts_at:
        raise RoundEndsBeforeStart(starts_at=starts_at, ends_at=ends_at)
    round = uuid7()
    body = RoundOpened(name=name, areas=areas, starts_at=starts_at, ends_at=ends_at)
    await append(door, body, round, actor=actor, at=at)
    return round


async def close_round(
    door: Door, round: dict[str, Any], balance: list[dict[str, Any]], *, allow_open: bool = False,
    actor: str, at: datetime,
) -> list[dict[str, Any]]:  # fmt: skip
    """Close a round on its balance sheet, which must add up in every area."""
    if round["closed_at"]:
        raise RoundAlreadyClosed(name=round["name"])
    for line in balance:
        check_balance(line)
    tops = [line for line in balance if line["area"] in round["areas"]]
    missing = sum(line["missing"] for line in tops)
    pending = sum(line["pending"] for line in tops)
    if (missing or pending) and not allow_open:
        raise RoundStillOpen(missing=missing, pending=pending)
    fields = AreaBalance.__struct_fields__
    body = RoundClosed(
        balance=[AreaBalance(**{name: line[name] for name in fields}) for line in balance]
    )
    await append(door, body, round["round"], actor=actor, at=at)
    return balance


def check_balance(line: dict[str, Any]) -> None:
    """sampled = resulted + invalid + pending; expected = sampled + exempt + away + refused + missing."""
    told = line["resulted"] + line["invalid"] + line["pending"]
    resolved = sum(line[name] for name in ("sampled", "exempt", "away", "refused", "missing"))
    if line["sampled"] != told:
        raise RoundDoesNotBalance(
            area=line["area"], left=f"sampled {line['sampled']}", right=f"resulted + … {told}"
        )
    if line["expected"] != resolved:
        raise RoundDoesNotBalance(
            area=line["area"], left=f"expected {line['expected']}", right=f"sampled + … {resolved}"
        )


async def adopt_policy(
    door: Door, *, name: PolicyName, value: int,
    since: datetime, area: UUID | None, group: str | None, household: bool = False,
    actor: str, at: datetime,
) -> UUID:  # fmt: skip
    """Adopt an edition of a policy number from now or later on."""
    if not 1 <= value <= 10_000:
        raise PolicyOutOfRange(value=value)
    if since < at:
        raise PolicyInThePast(since=since)
    policy = uuid7()
    body = PolicyAdopted(
        name=name, value=value, since=since, area=area, group=group, household=household
    )
    await append(door, body, policy, actor=actor, at=at)
    return policy
