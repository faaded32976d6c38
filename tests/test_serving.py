"""`muster serve` as a process: whom it serves, what it refuses, how it ends."""

import asyncio
import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

import muster
from muster.access.decide import Grant
from muster.cli.listening import serving
from muster.config import Settings
from muster.instance import Instance, open_instance
from tests.browsers import someone
from tests.conftest import Play
from tests.senders import client


def serve(settings: Settings, *arguments: str, language: str = "en") -> subprocess.Popen[str]:
    assert settings.database_url
    process = subprocess.Popen(
        [sys.executable, "-m", "muster", "serve", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/",
        env={"MUSTER_HOME": str(settings.home), "DATABASE_URL": settings.database_url,
             "MUSTER_KEY_FILE": str(settings.key_file), "MUSTER_LANGUAGE": language,
             "PATH": os.environ["PATH"], "PYTHONPATH": str(Path(muster.__file__).parents[1])},
    )  # fmt: skip
    atexit.register(process.kill)  # of a test that fails before it ends it
    return process


def address_of(process: subprocess.Popen[str]) -> str:
    """Where it serves, as it says when it does."""
    assert process.stderr
    for line in process.stderr:
        if line.startswith("Muster: "):
            return line.split()[1]
    raise AssertionError(ended(process))


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """The exit code, what it printed, what it said beside."""
    said, beside = process.communicate(timeout=60)
    return process.returncode, said, " ".join(beside.split())


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org", ""])
def test_without_tls_or_a_proxy_it_serves_this_machine_only(host: str):
    """Nothing is opened for it: there is no such database."""
    settings = Settings(Path("/nowhere"), "host=/nowhere", Path("/nowhere/key"), "UTC", "en")
    code, said, beside = ended(serve(settings, "--host", host))
    assert (code, said) == (1, "")
    assert f"{host} is not a loopback address, and over plain HTTP" in f" {beside}"
    assert "--tls-cert" in beside
    assert "--behind-proxy" in beside


def test_behind_a_proxy_it_serves_any_address(database: Settings):
    process = serve(database, "--host", "0.0.0.0", "--port", "0", "--behind-proxy",
                    "--proxy-address", "192.0.2.0/24")  # fmt: skip
    port = address_of(process).rpartition(":")[2]
    told = {"x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "https"}
    answer = httpx.get(f"http://127.0.0.1:{port}/readyz", headers=told, trust_env=False)
    assert (answer.status_code, answer.headers["strict-transport-security"]) == (
        200, "max-age=31536000"
    )  # fmt: skip
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0


@pytest.mark.parametrize(
    "options",
    [
        "--tls-cert /dev/null",
        "--proxy-address 192.0.2.1",
        "--behind-proxy --proxy-address nonsense",
    ],
)
def test_options_that_do_not_fit(options: str):
    settings = Settings(Path("/nowhere"), "host=/nowhere", Path("/nowhere/key"), "UTC", "en")
    assert ended(serve(settings, *options.split()))[0] == 2


def test_a_port_that_is_taken(database: Settings):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        code, said, beside = ended(serve(database, "--port", port, "--json", language="zh"))
    assert (code, beside) == (1, "")
    assert json.loads(said)["detail"] == f"127.0.0.1 的端口 {port} 已被占用，请用 --port 另选。"


def test_a_monitoring_system_has_a_token_for_metrics_only(database: Settings):
    file = database.home / "metrics.token"
    file.write_text("a token the operator made\n")

    async def story() -> None:
        settings = replace(database, metrics_token=file)
        async with open_instance(settings) as muster, serving(muster) as (_, address):
            for path, token, status in (
                ("/metrics", "a token the operator made", 200),
                ("/metrics", "another", 401),
                ("/metrics", "", 401),
                ("/v1/rounds", "a token the operator made", 401),
            ):
                async with client(address, token) as scraper:
                    assert (await scraper.get(path)).status_code == status, (path, token)

    asyncio.run(story())


async def an_administrator(muster: Instance) -> None:
    await someone(muster, "keeper", Grant("administrator", everywhere=True))


def test_until_there_is_an_administrator_it_invites_one(database: Settings, play: Play):
    """By a link whose code no server or proxy gets to log; the one before it is void."""
    codes, looked = [], []
    for _ in range(2):
        process = serve(database, "--port", "0")
        address = address_of(process)
        assert process.stderr
        while "/enrol#" not in (said := process.stderr.readline()):
            assert said, "no invitation"
        link = said.split()[-1]
        assert link.startswith(f"{address}/enrol#")
        codes.append(link.partition("#")[2])
        with httpx.Client(base_url=address, trust_env=False) as http:
            looked = [http.post("/v1/enrolments/look", json={"code": one}) for one in codes]
        process.send_signal(signal.SIGTERM)
        code, _, beside = ended(process)
        assert (code, codes[-1] in beside) == (0, False)
    assert [one.status_code for one in looked] == [410, 200]
    play(an_administrator)
    process = serve(database, "--port", "0")
    address_of(process)
    process.send_signal(signal.SIGTERM)
    assert "/enrol#" not in ended(process)[2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told_to(database: Settings, number: int):
    process = serve(database, "--port", "0")
    address = address_of(process)
    assert httpx.get(f"{address}/readyz", trust_env=False).json() == {"status": "ready"}
    began = time.monotonic()
    process.send_signal(number)
    assert ended(process)[:2] == (0, "")
    assert time.monotonic() - began < 8
