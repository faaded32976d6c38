"""`muster serve`, `muster demo`, `muster bench`."""

import asyncio
import ipaddress
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import rich_click as click

from muster.access.enrolment import first_link
from muster.access.guest import GuestDoor
from muster.chores import CHORES
from muster.cli import main
from muster.cli.demo import run_demo
from muster.cli.demo_callup import PEOPLE, run_callup_demo
from muster.cli.listening import PortTaken, Tls, listener, serving
from muster.cli.output import Out, command, opened
from muster.cli.site import install_port_option, named_option, serving_site, show_site, site_of
from muster.config import Rates
from muster.core.clock import now
from muster.core.problems import Problem
from muster.exercise.crew import Crew
from muster.hardening import Front, Network
from muster.instance import Instance

USUAL_PORT = 8321
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


class PlainHttp(Problem):
    """{host} is not a loopback address, and over plain HTTP everybody on the way could read and change
    what is sent. Give a certificate with --tls-cert and --tls-key, or put a reverse proxy in front and
    say --behind-proxy: docs/deploy/README.md has samples."""

    zh = (
        "{host} 不是回环地址，明文 HTTP 会被途中任何人读取和篡改。请用 --tls-cert 和 --tls-key 提供证书，"
        "或在前面设置反向代理并加上 --behind-proxy（示例见 docs/deploy/README.md）。"
    )


@command(main, "serve")
@click.option("--host", help="Otherwise 127.0.0.1: this machine only.")
@click.option("--port", default=USUAL_PORT, show_default=True)
@click.option("--tls-cert", type=FILE, help="The certificate with its chain, PEM.")
@click.option("--tls-key", type=FILE, help="The certificate's key, PEM.")
@click.option("--behind-proxy", is_flag=True,
              help="A reverse proxy in front has TLS and says who asks.")  # fmt: skip
@click.option("--proxy-address", "proxies", multiple=True, metavar="ADDRESS[/BITS]",
              help="A proxy on another machine; repeatable.")  # fmt: skip
@click.option("--lan", is_flag=True,
              help="On a site's network without internet: HTTPS with a certificate of its own.")  # fmt: skip
@named_option
@install_port_option
async def serve(
    out: Out, host: str | None, port: int, tls_cert: Path | None, tls_key: Path | None,
    behind_proxy: bool, proxies: tuple[str, ...], lan: bool, given: tuple[str, ...],
    install_port: int | None,
) -> Any:  # fmt: skip
    """Serve the HTTP interface until interrupted: on this machine, with TLS or behind a proxy on any
    address, or with --lan to the phones of a site."""
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key belong together")
    if proxies and not behind_proxy:
        raise click.UsageError("--proxy-address goes with --behind-proxy")
    if (given or install_port) and not lan:
        raise click.UsageError("--lan-address and --install-port go with --lan")
    if lan and (host is not None or tls_cert or behind_proxy):
        raise click.UsageError("--lan goes without --host, --tls-cert and --behind-proxy")
    if lan:
        return await _serve_site(out, given, port, install_port)
    tls = Tls(tls_cert, tls_key) if tls_cert and tls_key else None
    front = Front(behind_proxy, tuple(_network(one) for one in proxies))
    host = "127.0.0.1" if host is None else host
    if not (tls or behind_proxy or _is_loopback(host)):
        raise PlainHttp(host=host)

    async def work(out: Out, muster: Instance) -> Any:
        async with serving(muster, host, port, tls=tls, front=front) as (_, address):
            await _served(out, muster, address)
        return {"served": address}

    return await opened(work, out, background=True, chores=CHORES)


async def _serve_site(
    out: Out, given: tuple[str, ...], port: int, install_port: int | None
) -> dict[str, Any]:
    site = site_of(out.settings.home, given, port, install_port)

    async def work(out: Out, muster: Instance) -> Any:
        async with serving_site(muster, site):
            show_site(out, site)
            await _served(out, muster, site.address)
        return {"served": site.address, **site.told}

    return await opened(work, out, background=True, chores=CHORES)


async def _served(out: Out, muster: Instance, address: str) -> None:
    """Say where it is served, until told to stop."""
    with _told_to_stop() as told:  # before anybody can know that it serves
        said = f"Muster: {address}  (OpenAPI: {address}/openapi/openapi.json)"
        out.aside.print(said, soft_wrap=True)
        await _invite(out, muster, address)
        await told.wait()


async def _invite(out: Out, muster: Instance, address: str) -> None:
    """Until somebody is administrator: the link by which one is made, on standard error only."""
    async with muster.pool.connection() as conn:
        code = await first_link(conn, now())
    if code:
        said = out.pick(
            f"There is no administrator yet. This link makes one, once: {address}/enrol#{code}",
            f"尚无管理员。请用此一次性链接创建：{address}/enrol#{code}",
        )
        out.aside.print(said, soft_wrap=True)


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise click.BadParameter(f"{text} is no address or network") from error


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def _told_to_stop() -> Iterator[asyncio.Event]:
    """Set by a signal to end; a second one, afterwards, ends the process in its usual way."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, told.set)
    try:
        yield told
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


@command(main, "demo")
@click.argument("what", type=click.Choice(["round", "callup"]), default="round")
@click.option(
    "--people", type=click.IntRange(min=1), help="60000 residents, or 20000 who can be called up."
)
@click.option("--seed", default=1, show_default=True)
@click.option("--stay/--no-stay", default=None,
              help="Serve the console when the round is played, until interrupted; in a terminal it does.")  # fmt: skip
@click.option("--browse", is_flag=True, help="Play nothing: serve the console over what is there.")
async def demo(out: Out, what: str, people: int, seed: int, stay: bool | None, browse: bool) -> Any:
    """Generate Zhifu district, import it, play a whole round through HTTP, show the outcome; or `callup`:
    call up who carries it, of so many people. The console shows it in the browser all along."""
    play, usual = (run_callup_demo, PEOPLE) if what == "callup" else (run_demo, 60_000)
    stays = browse or (sys.stdout.isatty() if stay is None else stay)

    async def work(out: Out, muster: Instance) -> Any:
        guests = GuestDoor(await Crew(muster).guest())
        async with _demonstration(muster, guests) as address:
            look = f"{address}{guests.path}"
            _show_link(out, look)
            played: Any = {"look": look}
            if not browse:
                with tempfile.TemporaryDirectory(prefix="muster-demo-") as folder:
                    played = await play(
                        out,
                        muster,
                        Path(folder),
                        address=address,
                        people=people or usual,
                        seed=seed,
                    )
                out.say("To look at it in the browser later: make browse",
                        "以后在浏览器中查看：make browse")  # fmt: skip
            if stays:
                with _told_to_stop() as told:
                    _show_link(out, look)
                    await told.wait()
            return played

    # A call-up is played in the past: the clock of today would end it.
    chores = () if what == "callup" else CHORES
    return await opened(work, out, background=True, chores=chores)


@asynccontextmanager
async def _demonstration(muster: Instance, guests: GuestDoor) -> AsyncIterator[str]:
    """Serve at the usual port, or at a free one where that is taken; the address."""
    try:
        listener("127.0.0.1", USUAL_PORT).close()
        port = USUAL_PORT
    except PortTaken:
        port = 0
    # A day of many phones in seconds, from one of them: rates are for the world outside.
    rates, also = Rates(0, 0, 0), [guests.handler()]
    async with serving(muster, port=port, rates=rates, also=also) as (_, address):
        yield address


def _show_link(out: Out, look: str) -> None:
    said = out.pick(
        f"In the browser: {look}  (Ctrl+C ends it)", f"在浏览器中查看：{look}（Ctrl+C 结束）"
    )
    out.aside.print(said, soft_wrap=True)


@command(main, "bench")
@click.option("--quick", is_flag=True, help="A tenth of the size: the figures are rough.")
@click.option("--only", multiple=True, help="Measure these groups only; repeatable.")
async def bench(out: Out, quick: bool, only: tuple[str, ...]) -> Any:
    """Measure throughput, latency, memory and start on this machine, beside a reference."""
    from muster.exercise.bench import run_bench  # measuring code is not needed by anything else

    with out.progress("bench") as bar:
        rows = await run_bench(
            quick=quick, only=only, progress=lambda done, total: bar(done, total, 0)
        )
    out.table(rows, ["name", "value", "unit", "goal", "ok", "reference"])
    return rows
