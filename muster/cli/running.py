"""`muster serve`, `muster demo`, `muster bench`."""

import asyncio
import ipaddress
import signal
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import rich_click as click
import uvicorn

from muster.app import make_app
from muster.cli import main
from muster.cli.demo import run_demo
from muster.cli.output import Out, command, opened
from muster.core.problems import Problem
from muster.instance import Instance


class PortTaken(Problem):
    """Port {port} of {host} is in use. Choose another with --port."""

    zh = "{host} 的端口 {port} 已被占用，请用 --port 另选。"


class LoopbackOnly(Problem):
    """Muster has no accounts yet, so it serves this machine only: {host} is not a loopback address."""

    zh = "Muster 目前没有账号权限，只能在本机提供服务：{host} 不是回环地址。"


@command(main, "serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8321, show_default=True)
async def serve(out: Out, host: str, port: int) -> Any:
    """Serve the HTTP interface on this machine until interrupted."""
    if not _is_loopback(host):
        raise LoopbackOnly(host=host)

    async def work(out: Out, muster: Instance) -> Any:
        async with serving(muster, host, port) as (_, address):
            out.aside.print(
                f"Muster: {address}  (OpenAPI: {address}/openapi/openapi.json)", soft_wrap=True
            )
            await _told_to_stop()
        return {"served": address}

    return await opened(work, out, background=True)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _told_to_stop() -> None:
    """Wait for a signal to end; a second one ends the process in its usual way."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, told.set)
    await told.wait()
    for number in signals:
        loop.remove_signal_handler(number)


@asynccontextmanager
async def serving(
    muster: Instance, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[tuple[uvicorn.Server, str]]:
    """The HTTP server of an open Muster; port 0 takes a free one. Its address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, else asyncio does not set TCP_NODELAY and each answer takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(host=host, port=port) from error
    config = uvicorn.Config(
        make_app(muster), log_config=None, access_log=False, http="httptools", lifespan="off",
        timeout_graceful_shutdown=10, timeout_keep_alive=75, h11_max_incomplete_event_size=1 << 16,
    )  # fmt: skip
    server = uvicorn.Server(config)
    # uvicorn would raise the signal again when it has ended, before the database is closed.
    setattr(server, "capture_signals", nullcontext)  # noqa: B010  (its type is a method)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    shown = f"[{host}]" if ":" in host else host
    try:
        yield server, f"http://{shown}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


@command(main, "demo")
@click.option("--people", default=60_000, show_default=True)
@click.option("--seed", default=1, show_default=True)
async def demo(out: Out, people: int, seed: int) -> Any:
    """Generate Zhifu district, import it, play a whole round through HTTP, show the outcome."""

    async def work(out: Out, muster: Instance) -> Any:
        async with serving(muster) as (_, address):
            host, _, port = address.removeprefix("http://").rpartition(":")
            with tempfile.TemporaryDirectory(prefix="muster-demo-") as folder:
                return await run_demo(
                    out, muster, Path(folder), host=host, port=int(port), people=people, seed=seed
                )

    return await opened(work, out, background=True)


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
