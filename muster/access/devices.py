"""Devices: enrolled by a one-time code, bound to a place, held by several people in turn with a PIN
each, revoked at once. Tokens are short, rotate, and are kept as hashes.

A refresh token that comes back after its successor has been used was copied: the device is revoked.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import psycopg
from msgspec import Meta

from muster.access.engine.judge import Sender
from muster.access.engine.roles import ROLES
from muster.access.engine.scope import Holding, Principal, narrowed
from muster.access.events import DeviceBound, DeviceEnrolled, DeviceReinstated, DeviceRevoked
from muster.access.gate import holding_of
from muster.access.passwords import hash_password, matches
from muster.access.sealing import new_token, token_hash
from muster.config import (
    DEVICE_CODE_HOURS,
    DEVICE_TOKEN_MINUTES,
    PAGE_LIMIT,
    PIN_WRONG_LIMIT,
)
from muster.core.ids import uuid7
from muster.core.paging import Page, decode, page
from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.ledger.door import Door
from muster.ledger.event import Body, Event

Conn = psycopg.AsyncConnection[Any]
Kind = Literal["phone", "scanner", "gateway"]
Pin = Annotated[str, Meta(min_length=6, max_length=12, pattern=r"^\d+$")]
_HERE, _FILE = "muster.access", "devices.sql"


class DeviceUnknown(Problem):
    """There is no device {device}. `muster device list` shows them."""

    zh = "没有设备 {device}。用 muster device list 查看。"
    status = 404


class DeviceCodeTaken(Problem):
    """There is a device {device} already. Choose another code, or send it a new enrolment code."""

    zh = "已有设备 {device}。请换一个编码，或为它生成新的注册码。"
    status = 409


class EnrolmentOver(Problem):
    """This enrolment code was used, has run out or never was. Ask for a new one."""

    zh = "该注册码已使用、已过期或不存在，请重新索取。"
    status = 403


class TokenOver(Problem):
    """The device's token has run out or never was. Get a new one with the refresh token; if that is
    refused too, enrol the device anew. What it has saved is not lost."""

    zh = "设备令牌已过期或无效。请用刷新令牌换取；若仍被拒，请重新注册设备。设备中已存的数据不会丢失。"
    status = 401


class DeviceRevokedNow(Problem):
    """This device was revoked: it may no longer ask anything. What it has saved can still be sent; it
    is kept until a person accepts or refuses it."""

    zh = "该设备已停用，不能再查询。已存的数据仍可发送，保存后由人工确认或拒绝。"
    status = 403


class PinWrong(Problem):
    """The PIN is wrong, or {login} has none on this device. After {most} wrong ones it is set anew by
    signing in."""

    zh = "PIN 错误，或 {login} 未在此设备设置 PIN。连错 {most} 次后须重新登录设置。"
    status = 403


class PinTooSimple(Problem):
    """This PIN is among the first that anybody would try. Choose one without a row or a repetition."""

    zh = "该 PIN 过于简单，请避免连续或重复的数字。"
    status = 422


class Tokens(msgspec.Struct, frozen=True):
    """What a device is given: it shows `token` with each request, and `refresh` once to get the next
    pair before `expires_at`."""

    device: UUID
    code: str
    token: str
    refresh: str
    expires_at: datetime


@dataclass(frozen=True)
class Where:
    """Where a device works: under an area, at a site or for a laboratory; nowhere in particular for a
    gateway."""

    area: UUID | None = None
    site: UUID | None = None
    lab: str | None = None


async def enrol(
    conn: Conn, door: Door, *, code: str, kind: Kind, where: Where, by: str, at: datetime,
    since: datetime | None = None,
) -> tuple[UUID, str]:  # fmt: skip
    """List a device and bind it; its id and the one-time code for its QR. Raises DeviceCodeTaken."""
    if await _row(conn, "by_code", code=code):
        raise DeviceCodeTaken(device=code)
    device = uuid7()
    bound = DeviceBound(since=since or at, area=where.area, site=where.site, lab=where.lab)
    events = [_event(DeviceEnrolled(code, kind), device, by, at)]
    if where != Where():
        events.append(_event(bound, device, by, at))
    await door.append(events)
    return device, await new_code(conn, device, at=at)


async def new_code(conn: Conn, device: UUID, *, at: datetime) -> str:
    """A one-time enrolment code for a device, such as one that was wiped."""
    code = new_token()
    until = at + timedelta(hours=DEVICE_CODE_HOURS)
    await _row(conn, "put_code", code=token_hash(code), device=device, until=until)
    return code


def link(address: str, code: str) -> str:
    """What a phone scans: its own page. The code is in the fragment, which a browser sends to nobody."""
    return f"{address.rstrip('/')}/field/#enrol={code}"


async def claim(conn: Conn, code: str, *, at: datetime, holder: UUID | None = None) -> Tokens:
    """A device's first tokens, for its enrolment code. Raises EnrolmentOver, DeviceRevokedNow."""
    found = await _row(conn, "use_code", code=token_hash(code), at=at)
    if found is None:
        raise EnrolmentOver()
    device = await _device(conn, found["device"])
    tokens = _tokens(device, at)
    await _row(
        conn, "put_token", device=device["device"], token=token_hash(tokens.token),
        refresh=token_hash(tokens.refresh), until=tokens.expires_at, holder=holder, at=at,
    )  # fmt: skip
    return tokens


async def rotate(conn: Conn, door: Door, refresh: str, *, at: datetime) -> Tokens:
    """The next pair of tokens. Raises TokenOver, DeviceRevokedNow."""
    hashed = token_hash(refresh)
    found = await _row(conn, "by_refresh", refresh=hashed)
    if found is None:
        raise TokenOver()
    if found["revoked_at"]:
        raise DeviceRevokedNow()
    if not found["present"] and found["used"]:
        await revoke(door, found["device"], reason="misuse", by="muster", at=at)
        raise DeviceRevokedNow()
    tokens = _tokens(found, at)
    await _row(
        conn, "rotate", device=found["device"], token=token_hash(tokens.token), refresh=hashed,
        fresh=token_hash(tokens.refresh), until=tokens.expires_at,
    )  # fmt: skip
    return tokens


async def principal(conn: Conn, token: str, *, at: datetime) -> Principal:
    """Who asks with a device's token: the device, and the person who holds it now with what they hold
    where the device works. Raises TokenOver; a revoked device is said to be so."""
    found = await _rows(conn, "by_token", token=token_hash(token), at=at)
    if not found:
        raise TokenOver()
    first = found[0]
    if first["expires_at"] <= at and not first["revoked"]:
        raise TokenOver()
    if first["unseen"] is not False:
        await _row(conn, "token_seen", token=token_hash(token), at=at)
    holdings: tuple[Holding, ...] = ()
    if not first["revoked"]:
        held = [holding_of(one) for one in found if one["holding"]]
        holdings = narrowed(
            [one for one in held if _portable(one, first["kind"])], area=first["bound_area"],
            site=first["bound_site"], lab=first["bound_lab"], line=first["bound_line"] or (),
            site_area=first["bound_site_area"],
        )  # fmt: skip
    return Principal(
        first["account"], first["login"] or "", holdings, device=first["device"],
        device_code=first["code"], revoked=first["revoked"],
    )  # fmt: skip


async def author(conn: Conn, token: str) -> Sender | None:
    """The device whose token a carried queue bears, even one that has run out; None for one of nobody."""
    found = await _row(conn, "author", token=token_hash(token))
    return Sender(device=found["code"]) if found else None


async def holdings_of(conn: Conn, account: UUID, *, at: datetime) -> tuple[Holding, ...]:
    """What an account holds now."""
    return tuple(
        holding_of(one) for one in await _rows(conn, "holdings_of", account=account, at=at)
    )


async def set_pin(conn: Conn, device: UUID, account: UUID, pin: str, *, at: datetime) -> None:
    """Let a signed-in person hold a device with a PIN from now on. Raises PinTooSimple."""
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    if (len(steps) == 1 and steps <= {0, 1, 9}) or len(set(pin)) < 3:
        raise PinTooSimple()
    hashed = await hash_password(pin)
    await _row(conn, "put_holder", device=device, account=account, pin=hashed, at=at)
    await _row(conn, "take_over", device=device, account=account, at=at)


async def take_over(conn: Conn, device: UUID, login: str, pin: str, *, at: datetime) -> None:
    """The device changes hands. Raises PinWrong; too many wrong ones take the PIN away."""
    found = await _row(conn, "holder", device=device, login=login, at=at)
    right = await matches(found["pin"] if found else None, pin)
    if found is None or not right:
        if found:
            await _row(
                conn, "wrong_pin", device=device, account=found["account"],
                most=PIN_WRONG_LIMIT, at=at,
            )  # fmt: skip
        raise PinWrong(login=login, most=PIN_WRONG_LIMIT)
    await _row(conn, "take_over", device=device, account=found["account"], at=at)


async def put_down(conn: Conn, device: UUID) -> None:
    """Nobody holds the device until the next PIN."""
    await _row(conn, "put_down", device=device)


async def bind(door: Door, device: UUID, where: Where, *, by: str, at: datetime) -> None:
    """The device works elsewhere from now on."""
    body = DeviceBound(since=at, area=where.area, site=where.site, lab=where.lab)
    await door.append([_event(body, device, by, at)])


async def revoke(
    door: Door, device: UUID, *, by: str, at: datetime,
    reason: Literal["lost", "stolen", "handed_in", "misuse", "other"],
) -> None:  # fmt: skip
    """At once: what the device sends from now on waits for a person's word."""
    await door.append([_event(DeviceRevoked(reason), device, by, at)])


async def reinstate(door: Door, device: UUID, *, by: str, at: datetime) -> None:
    await door.append([_event(DeviceReinstated(), device, by, at)])


async def by_code(conn: Conn, code: str) -> dict[str, Any]:
    """The device of a code. Raises DeviceUnknown."""
    found = await _row(conn, "by_code", code=code)
    if found is None:
        raise DeviceUnknown(device=code)
    return found


async def devices(
    conn: Conn, *, at: datetime, after: str | None = None, limit: int = PAGE_LIMIT
) -> Page:
    (code,) = decode(after, str) or ("",)
    found = await _rows(conn, "devices", after=code, limit=limit + 1, at=at)
    return page(found, limit, ("code",))


async def holders(conn: Conn, device: UUID) -> list[dict[str, Any]]:
    return await _rows(conn, "holders", device=device)


async def drop_holder(conn: Conn, device: UUID, account: UUID, *, at: datetime) -> None:
    """The person has no PIN on the device any more; what they recorded on it before counts."""
    await _row(conn, "drop_holder", device=device, account=account, at=at)


async def late(conn: Conn, *, after: str | None = None, limit: int = PAGE_LIMIT) -> Page:
    """What was recorded before its sender was moved, and came after."""
    received_at, event = decode(after, datetime, UUID) or (None, None)
    found = await _rows(conn, "late", received_at=received_at, event=event, limit=limit + 1)
    return page(found, limit, ("received_at", "event"))


def sender(who: Principal) -> Sender:
    """In whose name an upload comes in."""
    return Sender(device=who.device_code) if who.device else Sender(login=who.login)


async def _device(conn: Conn, device: UUID) -> dict[str, Any]:
    found = await _row(conn, "by_id", device=device)
    if found is None:
        raise EnrolmentOver()
    if found["revoked_at"]:
        raise DeviceRevokedNow()
    return found


def _portable(holding: Holding, kind: str) -> bool:
    """Whoever keeps the system or watches over it does so in a session with a second factor, never on
    a phone that is handed on with a PIN."""
    return kind == "gateway" or ROLES[holding.role].sees != "system"


def _tokens(device: dict[str, Any], at: datetime) -> Tokens:
    until = at + timedelta(minutes=DEVICE_TOKEN_MINUTES)
    return Tokens(device["device"], device["code"], new_token(), new_token(), until)


def _event(body: Body, subject: UUID, by: str, at: datetime) -> Event:
    return Event(uuid7(), type(body).__name__, subject, at, at, at, by, body)


async def _rows(conn: Conn, name: str, **values: Any) -> list[dict[str, Any]]:
    return await rows(conn, _HERE, f"{_FILE}:{name}", **values)


async def _row(conn: Conn, name: str, **values: Any) -> dict[str, Any] | None:
    return await row(conn, _HERE, f"{_FILE}:{name}", **values)
