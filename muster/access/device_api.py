"""HTTP for devices: how they are enrolled, change hands, renew their tokens, are moved and revoked."""

from typing import Any, Literal
from uuid import UUID

import msgspec
import segno
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from muster.access import asking, devices
from muster.access.devices import DeviceUnknown, Kind, Pin, Tokens, Where
from muster.core.clock import now
from muster.core.paging import Page
from muster.guarding import area_within, principal, reading
from muster.sampling import queries as sampling
from muster.web import After, Ask, Code, Format, Label, Limit, listing, muster


class NewDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A device to enrol, and where it will work: an area (code, id or name), a site (code), a lab."""

    code: Code
    kind: Kind = "phone"
    area: str | None = None
    site: str | None = None
    lab: Code | None = None


class Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a device works from now on."""

    area: str | None = None
    site: str | None = None
    lab: Code | None = None


class Enrolling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The code of the QR."""

    code: Label


class Refreshing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The refresh token of the pair before."""

    refresh: Label


class NewPin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A PIN for the signed-in person on the device whose token this is."""

    device_token: Label
    pin: Pin


class TakingOver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who takes the device over."""

    login: Code
    pin: Pin


class Revoking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a device is revoked."""

    reason: Literal["lost", "stolen", "handed_in", "misuse", "other"]


class EnrolmentCode(msgspec.Struct, frozen=True):
    """What the device scans: the code, a link to the field client with it, and the link as a QR (SVG)."""

    device: UUID
    code: str
    qr: str
    url: str


@get("/v1/devices", right="devices")
async def list_devices(
    request: Ask, after: After = None, limit: Limit = 100, format: Format = "json"
) -> Page | Response[bytes]:
    """Every device: where it works, who holds it, when it was last heard of, what of it is held."""
    async with muster(request).pool.connection() as conn:
        return await listing(
            lambda a, n: devices.devices(conn, at=now(), after=a, limit=n),
            after=after, limit=limit, format=format, name="devices",
        )  # fmt: skip


@post("/v1/devices", right="devices")
async def enrol_device(request: Ask, data: JSONBody[NewDevice]) -> EnrolmentCode:
    """List a device and print its one-time code."""
    where = await _where(request, data)
    async with muster(request).pool.connection() as conn:
        device, code = await devices.enrol(
            conn, muster(request).door, code=data.code, kind=data.kind, where=where,
            by=principal(request).login, at=now(),
        )  # fmt: skip
    return _code(request, device, code)


@post("/v1/devices/{device:str}/code", right="devices")
async def renew_device_code(request: Ask, device: FromPath[str]) -> EnrolmentCode:
    """A new one-time code for a device that was wiped."""
    async with muster(request).pool.connection() as conn:
        found = await devices.by_code(conn, device)
        code = await devices.new_code(conn, found["device"], at=now())
    return _code(request, found["device"], code)


@post("/v1/devices/{device:str}/move", status_code=204, right="devices")
async def move_device(request: Ask, device: FromPath[str], data: JSONBody[Move]) -> None:
    """Bind a device to another place from now on; what it recorded before belongs to the old one."""
    where = await _where(request, data)
    async with muster(request).pool.connection() as conn:
        found = await devices.by_code(conn, device)
    await devices.bind(
        muster(request).door, found["device"], where, by=principal(request).login, at=now()
    )


@post("/v1/devices/{device:str}/revoke", status_code=204, right="devices")
async def revoke_device(request: Ask, device: FromPath[str], data: JSONBody[Revoking]) -> None:
    """Revoke a device at once."""
    async with muster(request).pool.connection() as conn:
        found = await devices.by_code(conn, device)
    await devices.revoke(
        muster(request).door, found["device"], reason=data.reason,
        by=principal(request).login, at=now(),
    )  # fmt: skip


@post("/v1/devices/{device:str}/reinstate", status_code=204, right="devices")
async def reinstate_device(request: Ask, device: FromPath[str]) -> None:
    """The device was found again."""
    async with muster(request).pool.connection() as conn:
        found = await devices.by_code(conn, device)
    await devices.reinstate(
        muster(request).door, found["device"], by=principal(request).login, at=now()
    )


@get("/v1/devices/{device:str}/holders", right="devices")
async def list_holders(request: Ask, device: FromPath[str]) -> list[dict[str, Any]]:
    """Who has or had a PIN on a device."""
    async with muster(request).pool.connection() as conn:
        found = await devices.by_code(conn, device)
        return await devices.holders(conn, found["device"])


@post("/v1/device/tokens", right="public")
async def claim_tokens(request: Ask, data: JSONBody[Enrolling]) -> Tokens:
    """A device's first tokens, for its one-time code."""
    async with muster(request).pool.connection() as conn:
        return await devices.claim(conn, data.code, at=now())


@post("/v1/device/tokens/refresh", right="public")
async def refresh_tokens(request: Ask, data: JSONBody[Refreshing]) -> Tokens:
    """The next pair of tokens."""
    async with muster(request).pool.connection() as conn:
        return await devices.rotate(conn, muster(request).door, data.refresh, at=now())


@post("/v1/device/pin", status_code=204, right="signed_in")
async def set_pin(request: Ask, data: JSONBody[NewPin]) -> None:
    """Set one's PIN on a device: asked in one's own session, with the device's token."""
    who = principal(request)
    async with muster(request).pool.connection() as conn:
        device = await devices.principal(conn, data.device_token, at=now())
        if who.account is None or who.session is None or who.limited or device.device is None:
            raise DeviceUnknown(device="-")
        if device.revoked:
            raise devices.DeviceRevokedNow()
        await devices.set_pin(conn, device.device, who.account, data.pin, at=now())


@post("/v1/device/holder", status_code=204, right="events")
async def take_over_device(request: Ask, data: JSONBody[TakingOver]) -> None:
    """The device changes hands: login and PIN of who takes it."""
    async with muster(request).pool.connection() as conn:
        await devices.take_over(conn, _this(request), data.login, data.pin, at=now())


@post("/v1/device/holder/leave", status_code=204, right="events")
async def put_device_down(request: Ask) -> None:
    """Nobody holds the device until the next PIN."""
    async with muster(request).pool.connection() as conn:
        await devices.put_down(conn, _this(request))


@get("/v1/late", right="sites")
async def list_late(
    request: Ask, after: After = None, limit: Limit = 100, format: Format = "json"
) -> Page | Response[bytes]:
    """What was recorded before its sender was moved or ended, and came after: it counts. Shown to the
    sender and to whoever now holds the place."""
    async with reading(request) as conn:
        return await listing(
            lambda a, n: devices.late(conn, after=a, limit=n),
            after=after, limit=limit, format=format, name="late",
        )  # fmt: skip


async def _where(request: Ask, data: NewDevice | Move) -> Where:
    async with reading(request) as conn:
        area = (await area_within(request, conn, data.area))["area"] if data.area else None
        site = (await sampling.site(conn, data.site))["site"] if data.site else None
    return Where(area, site, data.lab)


def _this(request: Ask) -> UUID:
    who = principal(request)
    if who.device is None:
        raise DeviceUnknown(device="-")
    if who.revoked:  # what it has saved may still come; whoever found it may not try PINs
        raise devices.DeviceRevokedNow()
    return who.device


def _code(request: Ask, device: UUID, code: str) -> EnrolmentCode:
    url = devices.link(asking.site(request).origin, code)
    qr = segno.make(url, error="m").svg_inline(scale=4)
    return EnrolmentCode(device, code, qr, url)


HANDLERS = [
    list_devices, enrol_device, renew_device_code, move_device, revoke_device, reinstate_device,
    list_holders, claim_tokens, refresh_tokens, set_pin, take_over_device, put_device_down,
    list_late,
]  # fmt: skip
