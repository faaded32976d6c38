"""Decisions about command posts: a template is kept, raised, stood down; a group has another lead."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from muster.core.ids import derived, uuid7
from muster.core.problems import Problem
from muster.ledger.door import Door
from muster.ledger.event import Body, Event
from muster.posture import queries, templates
from muster.posture.events import (
    CommandRaised,
    CommandStoodDown,
    GroupLed,
    PostureTemplateKept,
    PreparedGroup,
    RaisedGroup,
)
from muster.posture.queries import Conn
from muster.posture.templates import Fault, Template


class PostureTemplateUnfit(Problem):
    """The template cannot be used, at {place}: {reason}. `muster posture check` lists all of its faults."""

    zh = "模板无法使用，{place}：{reason}。可用 muster posture check 查看全部问题。"


class CommandStands(Problem):
    """A command post stands in {area} already. Stand it down first (`muster posture stand-down`), or change
    who leads its groups."""

    zh = "{area} 已有启动的指挥部。请先用 muster posture stand-down 撤收，或调整各组负责人。"
    status = 409


class GroupUnknown(Problem):
    """The command post has no group {code} in that place, or several: name its area, too. `muster posture
    show` lists them."""

    zh = "指挥部在该处没有组“{code}”，或不止一个：请同时指明区域。可用 muster posture show 查看。"
    status = 404


class LeadUnknown(Problem):
    """There is no account {login} in force. Open it, or name somebody else."""

    zh = "没有有效账号 {login}。请开通或另行指定。"


@dataclass(frozen=True)
class Raised:
    """A command post and its groups; what it would be, of a rehearsal."""

    command: UUID
    area: UUID
    groups: tuple[RaisedGroup, ...]


async def faults(conn: Conn, template: Template, *, at: datetime) -> list[Fault]:
    """What is wrong with a template here and now."""
    people = [who for one in template.group for who in (one.lead, one.deputy) if who]
    return templates.check(
        template.group,
        logins=await queries.logins(conn, people, at=at),
        areas=await queries.known_areas(conn, [one.area for one in template.group if one.area]),
    )


async def prepare(
    conn: Conn, door: Door, template: Template, *, actor: str, at: datetime
) -> tuple[UUID, list[Fault]]:
    """Keep a template; its id, and what it warns of. Raises PostureTemplateUnfit."""
    found = await faults(conn, template, at=at)
    _refuse(*(one for one in found if not one.warning))
    id_ = derived("posture_template", template.code)
    body = PostureTemplateKept(template.code, template.name, template.name_en, template.group)
    await door.append([_event(uuid7(), body, id_, actor, at)])
    return id_, found


async def raise_command(
    conn: Conn, door: Door, code: str, *, area: dict[str, Any], rehearsal: bool, actor: str, at: datetime,
) -> Raised:  # fmt: skip
    """Raise a template in an area. A rehearsal goes all the way and stores nothing. What is raised is one event
    whose id is the area's next: of two who raise at once, one does. Raises PostureTemplateUnknown,
    PostureTemplateUnfit, CommandStands."""
    kept = await queries.template(conn, code)
    groups = msgspec.convert(kept["groups"], tuple[PreparedGroup, ...])
    top: UUID = area["area"]
    if await queries.standing(conn, top) is not None and not rehearsal:
        raise CommandStands(area=area["code"])
    template = Template(kept["code"], kept["name"], kept["name_en"], groups)
    _refuse(*(one for one in await faults(conn, template, at=at) if not one.warning))
    command = derived("command", top, await queries.raised_before(conn, top))
    laid = templates.lay_out(groups, command, await queries.areas(conn, top), top=top)
    if isinstance(laid, Fault):
        raise PostureTemplateUnfit(place=laid.place, reason=laid.english)
    if not rehearsal:
        body = CommandRaised(kept["template"], kept["edition"], top, tuple(laid))
        event = _event(derived("raised", command), body, command, actor, at)
        if await door.append([event]) != ["stored"]:
            raise CommandStands(area=area["code"])
    return Raised(command, top, tuple(laid))


async def stand_down(
    conn: Conn, door: Door, *, area: dict[str, Any], actor: str, at: datetime
) -> UUID:
    """Stand down the command post of an area. Raises NoCommandStands."""
    command = await _standing(conn, area)
    body = CommandStoodDown()
    await door.append([_event(derived("stood_down", command), body, command, actor, at)])
    return command


async def lead(
    conn: Conn, door: Door, code: str, *, area: dict[str, Any], place: str | None, lead: str | None,
    deputy: str | None, actor: str, at: datetime,
) -> UUID:  # fmt: skip
    """Say who leads a group of the area's command post; its id. Raises NoCommandStands, GroupUnknown,
    LeadUnknown."""
    command = await _standing(conn, area)
    named = [one for one in (lead, deputy) if one]
    known = await queries.logins(conn, named, at=at)
    if missing := [one for one in named if one not in known]:
        raise LeadUnknown(login=missing[0])
    found = await queries.named_groups(conn, command, code, place)
    if len(found) != 1:
        raise GroupUnknown(code=code)
    await door.append([_event(uuid7(), GroupLed(command, lead, deputy), found[0], actor, at)])
    return found[0]


async def _standing(conn: Conn, area: dict[str, Any]) -> UUID:
    if (found := await queries.standing(conn, area["area"])) is None:
        raise queries.NoCommandStands(area=area["code"])
    return found["command"]


def _refuse(*found: Fault) -> None:
    if found:
        raise PostureTemplateUnfit(place=found[0].place, reason=found[0].english)


def _event(id_: UUID, body: Body, subject: UUID, actor: str, at: datetime) -> Event:
    return Event(id_, type(body).__name__, subject, at, at, at, actor, body)
