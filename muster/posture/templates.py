"""A prepared template: read from a file, checked, and laid out over an area. Nothing is stored here."""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, get_args
from uuid import UUID

import msgspec
from msgspec import Meta

from muster.config import COMMAND_GROUP_LIMIT
from muster.core.ids import derived
from muster.hq.events import CalledRole
from muster.ledger.event import Code, Label
from muster.posture.events import PreparedGroup, RaisedGroup

LEVELS = ("city", "district", "street", "community", "compound", "grid")


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tree of groups, as an operator prepares it."""

    code: Code
    name: Label
    name_en: Label
    group: Annotated[tuple[PreparedGroup, ...], Meta(min_length=1, max_length=500)]


@dataclass(frozen=True)
class Fault:
    """What is wrong with a template, where, and what to do. A warning does not keep it from being kept."""

    place: str
    english: str
    chinese: str
    warning: bool = False


@dataclass(frozen=True)
class Area:
    """An area with those above it, itself last."""

    area: UUID
    code: str
    level: str
    line: tuple[UUID, ...]


def read(content: bytes) -> Template | Fault:
    """The template of a TOML file, or why it is none."""
    try:
        return msgspec.convert(tomllib.loads(content.decode()), Template)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Fault("file", f"this is no TOML: {error}", f"不是有效的 TOML 文件：{error}")
    except msgspec.ValidationError as error:
        return Fault("file", f"correct this value: {error}", f"请更正该值：{error}")


def check(groups: Sequence[PreparedGroup], *, logins: set[str], areas: set[str]) -> list[Fault]:
    """What is wrong with the groups, given the accounts in force and the areas there are."""
    faults: list[Fault] = []
    parents = {one.code: one.parent for one in groups}
    for code, times in Counter(one.code for one in groups).items():
        if times > 1:
            faults.append(Fault(code, f"{times} groups have this code: give each its own",
                                f"有 {times} 个组使用同一编码，请改为各不相同"))  # fmt: skip
    for one in groups:
        faults += _of_group(one, parents, logins=logins, areas=areas)
    led = Counter(one.lead for one in groups if one.lead and not one.each)
    for login, times in led.items():
        if times > 1:
            faults.append(Fault(f"lead {login}", f"leads {times} groups: name another where that is too many",
                                f"一人负责 {times} 个组，如过多请另行指定", warning=True))  # fmt: skip
    return faults


def _of_group(
    one: PreparedGroup, parents: Mapping[str, str | None], *, logins: set[str], areas: set[str]
) -> list[Fault]:
    found: list[Fault] = []

    def fault(english: str, chinese: str, *, warning: bool = False) -> None:
        found.append(Fault(one.code, english, chinese, warning))

    if one.parent is not None and one.parent not in parents:
        fault(
            f"no group {one.parent}: add it, or correct `parent`",
            f"没有组 {one.parent}：请添加或更正 parent",
        )
    elif _in_a_ring(one.code, parents):
        fault("stands below itself: correct `parent`", "上级关系成环：请更正 parent")
    if one.area is not None and one.area not in areas:
        fault(
            f"no area {one.area}: `muster areas` lists them",
            f"没有区域 {one.area}：请用 muster areas 查看",
        )
    if one.each is not None and one.each not in LEVELS:
        fault(
            f"`each` must be one of {', '.join(LEVELS)}", f"each 须为以下之一：{'、'.join(LEVELS)}"
        )
    if one.each is not None and one.area is not None:
        fault("has `each` and `area`: keep one of them", "不能同时有 each 和 area：请保留其一")
    if one.role not in get_args(CalledRole):
        fault(
            f"nobody holds a role {one.role}: correct `role`", f"没有角色 {one.role}：请更正 role"
        )
    for login in filter(None, (one.lead, one.deputy)):
        if login not in logins:
            fault(f"no account {login} in force: open it, or name somebody else",
                  f"没有有效账号 {login}：请开通或另行指定")  # fmt: skip
    if one.lead is None and one.each is None:
        fault(
            "nobody leads it: its tasks go to its role",
            "未指定负责人：任务将发给对应角色",
            warning=True,
        )
    return found


def _in_a_ring(code: str, parents: Mapping[str, str | None]) -> bool:
    seen, at = set[str](), parents.get(code)
    while at is not None and at not in seen:
        if at == code:
            return True
        seen.add(at)
        at = parents.get(at)
    return False


def lay_out(
    groups: Sequence[PreparedGroup], command: UUID, areas: Sequence[Area], *, top: UUID
) -> list[RaisedGroup] | Fault:
    """The groups in their places, parents first; or which of them fits nowhere. `areas`: the area the command
    post is raised in (`top`) and those under it."""
    by_id, by_code = {one.area: one for one in areas}, {one.code: one for one in areas}
    made: dict[str, list[RaisedGroup]] = {}
    laid: list[RaisedGroup] = []
    waiting = list(groups)
    while waiting:
        one = next(g for g in waiting if g.parent is None or g.parent in made)
        waiting.remove(one)
        above = made.get(one.parent or "", [])
        if one.area is not None and one.area not in by_code:
            return Fault(one.code, f"area {one.area} lies outside: raise it in a wider area",
                         f"区域 {one.area} 不在范围内：请在更大的区域启动")  # fmt: skip
        made[one.code] = []
        for area in _places(one, areas, above, by_code, top):
            parent = _above(above, by_id[area])
            if one.parent is not None and parent is None:
                return Fault(one.code, f"no group {one.parent} stands above it in {by_id[area].code}",
                             f"在 {by_id[area].code} 没有上级组 {one.parent}")  # fmt: skip
            made[one.code].append(
                _raised(one, derived("group", command, one.code, area), area, parent)
            )
        laid += made[one.code]
    if len(laid) > COMMAND_GROUP_LIMIT:
        return Fault("template", f"makes {len(laid)} groups, more than {COMMAND_GROUP_LIMIT}: raise it by parts",
                     f"将产生 {len(laid)} 个组，超过 {COMMAND_GROUP_LIMIT}：请分区域启动")  # fmt: skip
    return laid


def _places(
    one: PreparedGroup, areas: Sequence[Area], above: Sequence[RaisedGroup], by_code: Mapping[str, Area],
    top: UUID,
) -> list[UUID]:  # fmt: skip
    """Where the group stands: in each area of a level, in its own, or wherever its parent does."""
    if one.each is not None:
        return [area.area for area in areas if area.level == one.each]
    if one.area is not None:
        return [by_code[one.area].area]
    return [parent.area for parent in above] if one.parent is not None else [top]


def _above(parents: Sequence[RaisedGroup], area: Area) -> UUID | None:
    """The parent in the nearest area above; the only one there is, wherever it stands."""
    if len(parents) == 1:
        return parents[0].group
    here = {parent.area: parent.group for parent in parents}
    return next((here[up] for up in reversed(area.line) if up in here), None)


def _raised(one: PreparedGroup, group: UUID, area: UUID, parent: UUID | None) -> RaisedGroup:
    said: dict[str, Any] = {
        name: getattr(one, name)
        for name in ("code", "name", "name_en", "role", "lead", "deputy", "tasks")
    }
    return RaisedGroup(group=group, area=area, parent=parent, **said)
