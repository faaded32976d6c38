"""Commands about devices: enrol, list, move, revoke; what came late from whom; a person's word on what
is held.
"""

from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import rich_click as click
import segno

from muster.access import devices
from muster.access.devices import Kind, Where
from muster.access.readings import COMMAND_LINE as ACTOR
from muster.cli import main
from muster.cli.accounts import address_option
from muster.cli.output import Out, command, every, opened, output_option
from muster.core.clock import now
from muster.instance import Instance
from muster.registry import queries as registry
from muster.sampling import queries as sampling

REASONS = ("lost", "stolen", "handed_in", "misuse", "other")


@main.group("device")
def device_group() -> None:
    """Phones and scanners: who has them, where they work, which are lost."""


def _place_options(work: Any) -> Any:
    """Where a device works."""
    for option in (
        click.option("--lab", help="A laboratory's code."),
        click.option("--site", help="A sampling site's code or id."),
        click.option("--area", help="Everything under an area: its code, name or id."),
    ):
        work = option(work)
    return work


@command(device_group, "enrol")
@click.argument("code")
@click.option("--kind", type=click.Choice(get_args(Kind)), default="phone", show_default=True)
@_place_options
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The QR as an .svg or .png.")
@address_option
async def enrol_device(
    out: Out, code: str, kind: Kind, output: Path | None, address: str, **place: str | None
) -> Any:
    """List a device and show the one-time code that it scans."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            device, once = await devices.enrol(
                conn, muster.door, code=code, kind=kind, where=await _where(conn, **place),
                by=ACTOR, at=now(),
            )  # fmt: skip
        return _shown(out, device, devices.link(address, once), once, output)

    return await opened(work, out)


@command(device_group, "code")
@click.argument("code")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The QR as an .svg or .png.")
@address_option
async def renew_code(out: Out, code: str, output: Path | None, address: str) -> Any:
    """A new one-time code, for a device that was wiped."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            device = (await devices.by_code(conn, code))["device"]
            once = await devices.new_code(conn, device, at=now())
        return _shown(out, device, devices.link(address, once), once, output)

    return await opened(work, out)


@command(device_group, "list")
@output_option
async def list_devices(out: Out, output: Any) -> Any:
    """Every device: where it works, who holds it, when it was last heard of, what of it is held."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            rows = await every(lambda a: devices.devices(conn, at=now(), after=a))
        columns = (
            "code", "kind", "holder", "area_name", "site_name", "lab", "seen_at", "revoked_at",
            "held",
        )  # fmt: skip
        return out.listing(rows, columns, output)

    return await opened(work, out)


@command(device_group, "move")
@click.argument("code")
@_place_options
async def move_device(out: Out, code: str, **place: str | None) -> Any:
    """Bind a device to another place; what it recorded before belongs to the old one."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            device = (await devices.by_code(conn, code))["device"]
            where = await _where(conn, **place)
        await devices.bind(muster.door, device, where, by=ACTOR, at=now())
        return {"device": device}

    return await opened(work, out)


@command(device_group, "revoke")
@click.argument("code")
@click.option("--reason", type=click.Choice(REASONS), required=True)
async def revoke_device(out: Out, code: str, reason: Any) -> Any:
    """Revoke a device at once. What it still sends waits: `muster inbox accept` or `refuse`."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            device = (await devices.by_code(conn, code))["device"]
        await devices.revoke(muster.door, device, reason=reason, by=ACTOR, at=now())
        out.say(f"The device {code} is revoked.", f"设备 {code} 已停用。")
        return {"device": device}

    return await opened(work, out)


@command(device_group, "reinstate")
@click.argument("code")
async def reinstate_device(out: Out, code: str) -> Any:
    """The device was found again."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            device = (await devices.by_code(conn, code))["device"]
        await devices.reinstate(muster.door, device, by=ACTOR, at=now())
        return {"device": device}

    return await opened(work, out)


@command(device_group, "late")
@output_option
async def list_late(out: Out, output: Any) -> Any:
    """What was recorded before its sender was moved or ended, and came after: it counts."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            rows = await every(lambda a: devices.late(conn, after=a))
        columns = ("received_at", "at", "type", "login", "device", "site_name", "area_name")
        return out.listing(rows, columns, output)

    return await opened(work, out)


async def _where(conn: Any, *, area: str | None, site: str | None, lab: str | None) -> Where:
    found: UUID | None = (await registry.area(conn, area))["area"] if area else None
    at: UUID | None = (await sampling.site(conn, site))["site"] if site else None
    return Where(found, at, lab)


def _shown(out: Out, device: UUID, url: str, once: str, output: Path | None) -> Any:
    """The link as a QR: in a file, or on the terminal."""
    qr = segno.make(url, error="m")
    if output is not None:
        qr.save(str(output), scale=6, border=2)
        out.say(
            f"{output}: it serves once, within three days.", f"{output}：三天内有效，仅限一次。"
        )
    elif not out.json and out.screen.is_terminal:
        qr.terminal(compact=True)
    return {"device": device, "code": once, "url": url}
