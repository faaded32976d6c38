"""Muster on a site's own network: HTTPS with a certificate of its own, the install page beside it, both
kept up while addresses and certificates change.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import rich_click as click
import segno
import uvicorn

from muster.cli.listening import Tls, listening, serving
from muster.cli.output import Out
from muster.config import LAN_LOOK_SECONDS
from muster.core.clock import now
from muster.core.log import error_facts, logger
from muster.core.tasks import end
from muster.hardening import Front, Hardened
from muster.instance import Instance
from muster.lan import names as naming
from muster.lan.authority import Authority, authority, certified
from muster.lan.install import InstallPage, printed
from muster.lan.names import Names, NoPrivateAddress, shown

# Browsers are not told to keep to HTTPS: the install page is at the same name, by plain HTTP.
FRONT = Front(lasting=False)


@dataclass(frozen=True)
class Site:
    """Where a Muster is to be served on its site's network, and what certifies it. `given`: the names
    phones reach it by, where the operator named them."""

    home: Path
    given: tuple[str, ...]
    names: Names
    authority: Authority
    port: int
    install_port: int

    @property
    def address(self) -> str:
        return f"https://{shown(self.names.first)}:{self.port}"

    @property
    def install(self) -> str:
        return f"http://{shown(self.names.first)}:{self.install_port}/"

    @property
    def told(self) -> dict[str, Any]:
        """What programs get to know of it."""
        return {
            "install": self.install, "field": f"{self.address}/field/",
            "authority": self.authority.name, "fingerprint": self.authority.fingerprint,
            "ends_at": self.authority.certificate.not_valid_after_utc,
        }  # fmt: skip


def site_of(home: Path, given: Sequence[str], port: int, install_port: int | None) -> Site:
    """The site of a Muster, with its authority, which is made at the first time. Raises
    NoPrivateAddress, NameUnfit, AuthorityUnusable, NameNotCovered."""
    if not 0 < port < 65_535 or install_port == port:
        raise click.UsageError("two ports from 1 to 65535 are wanted, one beside the other")
    found = naming.here(given)
    known = authority(home, found, at=now())
    return Site(home, tuple(given), found, known, port, install_port or port + 1)


@dataclass
class ServedSite:
    """A site while it is served; `look` brings it up to date."""

    site: Site
    server: uvicorn.Server
    page: InstallPage

    def look(self, names: Names, at: datetime) -> bool:
        """Whether the machine's certificate was made anew, since its names have changed or it ends
        soon. Who is connected stays so; who comes from now on meets the new one."""
        self.page.names = names
        file, fresh = certified(self.site.home, self.site.authority, names, at=at)
        if fresh and self.server.config.ssl:
            self.server.config.ssl.load_cert_chain(file)
            logger.warning("certificate_renewed", names=" ".join(names.all))
        return fresh


@asynccontextmanager
async def serving_site(muster: Instance, site: Site) -> AsyncIterator[ServedSite]:
    """An open Muster at every address of this machine, by HTTPS, and the install page by HTTP."""
    file, _ = certified(site.home, site.authority, site.names, at=now())
    hosts = ["0.0.0.0"]  # noqa: S104  (the operator's word: --lan)
    if any(":" in one for one in site.names.all):
        hosts.append("::")
    page = InstallPage(site.authority, site.names, site.port)
    plain = Hardened(page, FRONT, muster.settings.rates)
    async with (
        serving(muster, hosts, site.port, tls=Tls(file, file), front=FRONT) as (server, _),
        listening(plain, hosts, site.install_port),
    ):
        served = ServedSite(site, server, page)
        looking = asyncio.create_task(_keep(served))
        try:
            yield served
        finally:
            await end(looking)


async def _keep(served: ServedSite) -> None:
    while True:
        await asyncio.sleep(LAN_LOOK_SECONDS)
        try:
            with suppress(NoPrivateAddress):  # the cable is out for a moment
                served.look(naming.here(served.site.given), now())
        except Exception as error:
            logger.warning("certificate_not_renewed", **error_facts(error))


def show_site(out: Out, site: Site) -> None:
    """Where it is, what to compare, and the way to the install page; on standard error."""
    for english, chinese in (
        (f"Phones: {site.install}  (then {site.address}/field/)",
         f"手机：{site.install}  （装好后打开 {site.address}/field/）"),
        (f"Certificate: {site.authority.name}, SHA-256", f"证书：{site.authority.name}，SHA-256"),
    ):  # fmt: skip
        out.aside.print(out.pick(english, chinese), soft_wrap=True)
    pieces = printed(site.authority.fingerprint)
    for at in range(0, len(pieces), 4):
        out.aside.print("  " + "  ".join(pieces[at : at + 4]), soft_wrap=True)
    if not out.json and out.aside.is_terminal:
        segno.make(site.install, error="m").terminal(out=sys.stderr, compact=True)


def named_option(work: Any) -> Any:
    """Under which names phones reach this machine."""
    return click.option(
        "--lan-address", "given", multiple=True, metavar="ADDRESS",
        help="With --lan: an address or name by which phones reach this machine, in the place of its"
        " own addresses; repeatable.",
    )(work)  # fmt: skip


def install_port_option(work: Any) -> Any:
    """Where the install page is."""
    return click.option(
        "--install-port", type=click.IntRange(1, 65_535),
        help="With --lan: the port of the page for phones, by plain HTTP; otherwise the next one.",
    )(work)  # fmt: skip
