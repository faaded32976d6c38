"""Decisions about accounts: open, grant, end, move, close, sign. Each is taken under one lock on the
state it changes, so that two administrators never make one login twice.
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
import psycopg

from muster.access.engine.roles import ROLES, RoleName, conflicting
from muster.access.events import (
    AccountClosed,
    AccountKind,
    AccountOpened,
    RoleEnded,
    RoleGranted,
    UndertakingSigned,
)
from muster.access.queries import (
    AccountUnknown,
    PlaceUnknown,
    area_id,
    holdings,
    site_id,
    tidy_login,
)
from muster.access.sealing import Sealer
from muster.access.undertaking import EDITION
from muster.core.clock import plausible
from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.core.rows import row
from muster.core.text import clean
from muster.ledger.door import Door
from muster.ledger.event import Body, Event
from muster.registry.events import SELF

Conn = psycopg.AsyncConnection[Any]
LOCK = 0x6163636F756E74  # "account"
_HERE = "muster.access"
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
CODE_LIMIT = 64
_PHONE = re.compile(r"\+?[0-9]{3,20}")
_EXPIRING = ("guest", "aid")
PLACES = ("area", "site", "lab", "person")


class LoginUnfit(Problem):
    """The login "{login}" cannot be used: 2 to 64 of a-z, 0-9 and . _ @ -, such as a staff number."""

    zh = "登录名“{login}”不能使用：须为 2 至 64 位小写字母、数字及 . _ @ -，例如工号。"
    status = 422


class PhoneUnfit(Problem):
    """A phone number is 3 to 20 digits, with + before them for another country."""

    zh = "电话号码为 3 至 20 位数字，境外号码前加 +。"
    status = 422


class LoginTaken(Problem):
    """There is an account "{login}" already."""

    zh = "已有账号“{login}”。"
    status = 409


class AccountNeedsEnd(Problem):
    """An account of the kind {kind} needs an end: it expires by itself."""

    zh = "{kind} 类账号必须有截止时间，到期自动失效。"
    status = 422


class EndsBeforeStart(Problem):
    """It would end ({ends_at}) before it starts ({starts_at})."""

    zh = "截止时间（{ends_at}）不晚于开始时间（{starts_at}）。"
    status = 422


class TimeUnlikely(Problem):
    """Nobody starts or ends at {time}. Where there is no end, leave it out."""

    zh = "起止时间 {time} 不合理。没有截止时间的请留空。"
    status = 422


class AccountIsClosed(Problem):
    """The account "{login}" is closed or has expired. Open another one."""

    zh = "账号“{login}”已关闭或已过期，请另开账号。"
    status = 409


class RolesConflict(Problem):
    """One account may not be {role} and hold {held} too: it could make accounts and see people, or
    look and hide the looking. Open a second account."""

    zh = "同一账号不能既是 {role} 又持有 {held}。请另开一个账号。"
    status = 409


class PlaceUnfit(Problem):
    """The role {role} is held {places}, not as asked for here. Name one such place."""

    zh = "角色 {role} 的范围须为 {places}，与请求不符。"
    status = 422


class RoleTooLong(Problem):
    """The role {role} is held for {days} days at most."""

    zh = "角色 {role} 最长 {days} 天。"
    status = 422


class RoleUnknown(Problem):
    """The account has no such role in force."""

    zh = "该账号没有这个生效中的角色。"
    status = 404


class LastAdministrator(Problem):
    """Nobody else is administrator. Make another one first."""

    zh = "没有其他系统管理员。请先设立另一位管理员。"
    status = 409


class EditionReplaced(Problem):
    """The undertaking has another edition now: {edition}. Read it, then sign that one."""

    zh = "保密承诺书已更新为 {edition} 版，请阅读后签署该版本。"
    status = 409


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role in a place: everywhere, under an area, at a site, for a laboratory, about a person.
    Times left out are the account's."""

    role: RoleName
    everywhere: bool = False
    area: UUID | None = None
    site: UUID | None = None
    lab: str | None = None
    person: UUID | None = None
    team: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


async def placed(
    conn: Conn, *, area: str | None = None, site: str | None = None, **others: Any
) -> Grant:
    """A grant whose places are told by code or id. Raises PlaceUnknown."""
    area_ = await area_id(conn, area) if area else None
    site_ = await site_id(conn, site) if site else None
    return Grant(area=area_, site=site_, **others)


async def open_account(
    conn: Conn, door: Door, vault: Sealer, *, login: str, kind: AccountKind, name: str | None,
    starts_at: datetime, ends_at: datetime | None, grants: Sequence[Grant], actor: str,
    at: datetime, account: UUID | None = None, phone: str | None = None,
) -> UUID:  # fmt: skip
    """Open an account with its first roles, wholly or not at all; its id. `phone` is the one to call at
    work."""
    login = tidy_login(login)
    phone = tidy_phone(phone)
    if not _LOGIN.fullmatch(login):
        raise LoginUnfit(login=login[:64])
    if login == SELF:
        raise LoginTaken(login=login)
    if kind in _EXPIRING and ends_at is None:
        raise AccountNeedsEnd(kind=kind)
    _check_times(starts_at, ends_at)
    account = account or uuid7()
    opened = AccountOpened(login=login, kind=kind, starts_at=starts_at, ends_at=ends_at)
    async with _alone(conn):
        taken = await row(conn, _HERE, "account_by_login", login=login)
        if taken and taken["closed_at"] is None:
            raise LoginTaken(login=login)
        bodies: list[Body] = [opened]
        roles: list[str] = []
        for one in grants:
            bodies.append(await _granted(conn, one, opened, roles))
            roles.append(one.role)
        if name or phone:
            await row(
                conn, _HERE, "put_person", account=account, name=_sealed(vault, name),
                phone=_sealed(vault, phone),
            )  # fmt: skip
        await _append(door, bodies, account, actor=actor, at=at)
    return account


async def set_phone(conn: Conn, vault: Sealer, account: UUID, phone: str | None) -> None:
    """The number on which the holder of an account is called at work, or none. Raises PhoneUnfit."""
    sealed = _sealed(vault, tidy_phone(phone))
    await row(conn, _HERE, "put_phone", account=account, phone=sealed)


def tidy_phone(text: str | None) -> str | None:
    """A number as it is dialled, without blanks and dashes. Raises PhoneUnfit."""
    phone = re.sub(r"[\s()-]", "", clean(text or ""))
    if phone and not _PHONE.fullmatch(phone):
        raise PhoneUnfit()
    return phone or None


def _sealed(vault: Sealer, text: str | None) -> bytes | None:
    return vault.seal(text.encode()) if text else None


async def grant(
    conn: Conn, door: Door, account: UUID, *, wanted: Grant, actor: str, at: datetime
) -> UUID:
    """Give an account another role; the holding's id."""
    async with _alone(conn):
        opened = await _open(conn, account, at)
        held = [one["role"] for one in await _held(conn, account, at)]
        body = await _granted(conn, wanted, opened, held, at=at)
        return (await _append(door, [body], account, actor=actor, at=at))[0]


async def end_role(
    conn: Conn, door: Door, account: UUID, *, holding: UUID,
    reason: Literal["left", "mistake", "other"], actor: str, at: datetime,
) -> None:  # fmt: skip
    """End a role now."""
    async with _alone(conn):
        await _holding(conn, account, holding, at)
        await _check_others(conn, at, holding=holding)
        ended = RoleEnded(granted=holding, ends_at=at, reason=reason)
        await _append(door, [ended], account, actor=actor, at=at)


async def move_role(
    conn: Conn, door: Door, account: UUID, *, holding: UUID, wanted: Grant, actor: str,
    at: datetime,
) -> UUID:  # fmt: skip
    """Give a role another place: the old holding ends, a new one begins, in one go; its id."""
    async with _alone(conn):
        old = await _holding(conn, account, holding, at)
        opened = await _open(conn, account, at)
        held = [x["role"] for x in await _held(conn, account, at) if x["holding"] != holding]
        wanted = msgspec.structs.replace(
            wanted, role=old["role"], ends_at=wanted.ends_at or old["ends_at"]
        )
        new = await _granted(conn, wanted, opened, held, at=at)
        ended = RoleEnded(granted=holding, ends_at=at, reason="moved")
        return (await _append(door, [ended, new], account, actor=actor, at=at))[1]


async def close_account(
    conn: Conn, door: Door, account: UUID, *,
    reason: Literal["left", "expired", "misuse", "mistake", "other"], actor: str, at: datetime,
) -> None:  # fmt: skip
    """Close an account: its sessions are worth nothing from now on."""
    async with _alone(conn):
        await _open(conn, account, at)
        await _check_others(conn, at, account=account)
        await _append(door, [AccountClosed(reason=reason)], account, actor=actor, at=at)


async def sign_undertaking(door: Door, account: UUID, *, actor: str, at: datetime) -> None:
    """The holder of the account signs the undertaking's present edition."""
    await _append(door, [UndertakingSigned(edition=EDITION)], account, actor=actor, at=at)


async def _granted(
    conn: Conn, wanted: Grant, opened: AccountOpened, held: Sequence[str], *,
    at: datetime | None = None,
) -> RoleGranted:  # fmt: skip
    """The body of a grant that may be made to an account which holds the roles `held`."""
    role = ROLES[wanted.role]
    if conflicting([*held, wanted.role]):
        raise RolesConflict(role=wanted.role, held=", ".join(sorted({*held} - {wanted.role})))
    places = {name: getattr(wanted, name) for name in PLACES}
    named = {name for name, place in places.items() if place is not None}
    named |= {"everywhere"} if wanted.everywhere else set()
    if not named or not named <= role.places or (wanted.everywhere and len(named) > 1):
        raise PlaceUnfit(role=wanted.role, places=" / ".join(sorted(role.places)))
    for kind, code in (("lab", wanted.lab), ("team", wanted.team)):
        if code is not None and not 1 <= len(code) <= CODE_LIMIT:
            raise PlaceUnknown(kind=kind, place=code[:CODE_LIMIT])
    missing = await row(
        conn, _HERE, "places_exist", area=wanted.area, site=wanted.site, person=wanted.person
    )
    for kind in ("area", "site", "person"):
        if missing and missing[kind]:
            raise PlaceUnknown(kind=kind, place=places[kind])
    starts_at = wanted.starts_at or max(opened.starts_at, at or opened.starts_at)
    ends_at = wanted.ends_at or opened.ends_at
    _check_times(starts_at, ends_at)
    if role.most_days is not None and (
        ends_at is None or ends_at - starts_at > timedelta(days=role.most_days)
    ):
        raise RoleTooLong(role=wanted.role, days=role.most_days)
    return RoleGranted(
        role=wanted.role, starts_at=starts_at, ends_at=wanted.ends_at or ends_at,
        everywhere=wanted.everywhere, **places, team=wanted.team,
    )  # fmt: skip


def _check_times(starts_at: datetime, ends_at: datetime | None) -> None:
    for time in (starts_at, ends_at):
        if time is not None and not plausible(time):
            raise TimeUnlikely(time=time.isoformat())
    if ends_at is not None and ends_at <= starts_at:
        raise EndsBeforeStart(starts_at=starts_at.isoformat(), ends_at=ends_at.isoformat())


async def _open(conn: Conn, account: UUID, at: datetime) -> AccountOpened:
    """The account as it was opened. Raises AccountUnknown, AccountIsClosed."""
    found = await row(conn, _HERE, "account", account=account)
    if found is None:
        raise AccountUnknown(login=account)
    if found["closed_at"] is not None or (found["ends_at"] and found["ends_at"] <= at):
        raise AccountIsClosed(login=found["login"])
    return AccountOpened(
        login=found["login"], kind=found["kind"], starts_at=found["starts_at"],
        ends_at=found["ends_at"],
    )  # fmt: skip


async def _held(conn: Conn, account: UUID, at: datetime) -> list[dict[str, Any]]:
    """Roles that are in force or will be."""
    found = await holdings(conn, [account])
    return [one for one in found if one["ends_at"] is None or one["ends_at"] > at]


async def _holding(conn: Conn, account: UUID, holding: UUID, at: datetime) -> dict[str, Any]:
    for one in await _held(conn, account, at):
        if one["holding"] == holding:
            return one
    raise RoleUnknown()


async def _check_others(
    conn: Conn, at: datetime, *, holding: UUID | None = None, account: UUID | None = None
) -> None:
    """Raises LastAdministrator if there was an administrator, and would be none without these."""
    counted = []
    for left_out in ((None, None), (holding, account)):
        found = await row(
            conn, _HERE, "administrators", at=at, holding=left_out[0], account=left_out[1]
        )
        counted.append(found["count"] if found else 0)
    if counted[0] and not counted[1]:
        raise LastAdministrator()


@asynccontextmanager
async def _alone(conn: Conn) -> AsyncIterator[None]:
    async with conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        yield


async def _append(
    door: Door, bodies: Sequence[Body], account: UUID, *, actor: str, at: datetime
) -> list[UUID]:
    events = [Event(uuid7(), type(one).__name__, account, at, at, at, actor, one) for one in bodies]
    await door.append(events)
    return [event.id for event in events]
