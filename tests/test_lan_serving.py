"""`muster serve --lan`: HTTPS that phones trust, the install page beside it and nothing else there, and
nothing of it unless it was asked for.
"""

import asyncio
import json
import plistlib
import signal
import socket
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import zxingcpp
from click.testing import CliRunner
from cryptography import x509
from PIL import Image
from pypdf import PdfReader

from muster import cli
from muster.app import make_app
from muster.cli.site import ServedSite
from muster.config import Settings
from muster.core.clock import now
from muster.hardening import Hardened
from muster.headers import CONTENT_POLICY
from muster.instance import Instance
from muster.lan.authority import authority, folder
from muster.lan.install import PAGES, InstallPage
from muster.lan.names import names
from tests.conftest import Play
from tests.sites import HERE, files, free_port, meet, phone, served, shown_in, subjects
from tests.test_serving import address_of, ended, serve

WECHAT = "Mozilla/5.0 (Linux; Android 12) AppleWebKit/537.36 Mobile MicroMessenger/8.0.40"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1"


def plain(site: ServedSite, **headers: str) -> httpx.AsyncClient:
    """Somebody at the install port."""
    address = f"http://127.0.0.1:{site.site.install_port}"
    return httpx.AsyncClient(base_url=address, trust_env=False, headers=headers)


def test_a_phone_installs_the_certificate_and_goes_on_by_https(play: Play):
    async def story(muster: Instance) -> None:
        async with served(muster, at=now()) as site, plain(site) as http:
            page = (await http.get("/")).text
            address = site.site.address
            assert f'href="{address}/field/"' in page
            der = (await http.get("/muster-ca.crt")).content
            taken = x509.load_der_x509_certificate(der)
            trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            trusting.load_verify_locations(cadata=der)
            async with httpx.AsyncClient(verify=trusting, trust_env=False) as https:
                answer = await https.get(f"{address}/healthz")
            assert answer.status_code == 200
            assert answer.headers["content-security-policy"] == CONTENT_POLICY
            assert "strict-transport-security" not in answer.headers  # the page is at the same name
            assert taken == site.site.authority.root
            met = await meet(phone(site.site.authority), site.site.port, "desk-7.local")
            assert met.names == ["127.0.0.1", "desk-7", "desk-7.local"]
            with pytest.raises(ssl.SSLCertVerificationError):
                await meet(phone(None), site.site.port)

    play(story)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_is_refused(play: Play):
    async def story(muster: Instance) -> None:
        async with served(muster, at=now()) as site:
            old = phone(site.site.authority)
            old.set_ciphers("ALL:@SECLEVEL=0")
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                await meet(old, site.site.port)

    play(story)


def test_it_is_certified_anew_while_it_serves(play: Play):
    """Who comes after a change meets the new certificate, under the same authority; nobody is cut off."""

    async def story(muster: Instance) -> None:
        began = now()
        async with served(muster, at=began) as site:
            trusted, port = phone(site.site.authority), site.site.port
            first = await meet(trusted, port)
            async with httpx.AsyncClient(verify=trusted, trust_env=False) as staying:
                assert (await staying.get(f"{site.site.address}/healthz")).is_success
                assert site.look(HERE, began + timedelta(days=1)) is False
                assert await meet(trusted, port) == first
                moved = names([], "desk-7", ["10.1.2.3"])
                assert site.look(moved, began + timedelta(days=1)) is True
                second = await meet(trusted, port, "10.1.2.3")
                assert second.names == ["10.1.2.3", "desk-7", "desk-7.local"]
                with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
                    await meet(trusted, port)
                assert (await staying.get(f"{site.site.address}/healthz")).is_success
            assert site.look(moved, began + timedelta(days=61)) is True
            shown = shown_in(folder(muster.settings.home) / "server.pem")
            assert subjects(shown) == second.names
            assert shown.serial_number != second.serial
            async with plain(site) as http:
                assert f"https://10.1.2.3:{port}/field/" in (await http.get("/")).text

    play(story)


def test_the_install_port_serves_nothing_else(play: Play):
    async def story(muster: Instance) -> None:
        routes = {route.path for route in make_app(cast(Any, None)).routes}
        assert len(routes) > 100
        paths = {one.replace("{", "").replace("}", "").replace(":", "-") for one in routes}
        paths |= {
            "/field/", "/console/", "/openapi", "/metrics", "/favicon.ico", "/lan/authority.pem",
            "/muster-ca.crt/", "/..%2flan/authority.pem", "/MUSTER-CA.CRT", "/index.html",
        }  # fmt: skip
        async with served(muster, at=now()) as site, plain(site) as http:
            for path in sorted(paths - set(PAGES)):
                answer = await http.get(path)
                assert (answer.status_code, path) == (404, path)
                assert answer.json()["title"] == "not found"
            for path in PAGES:
                for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
                    assert (await http.request(method, path)).status_code == 404, (method, path)
                assert (await http.request("HEAD", path)).content == b""
        assert set(PAGES) == {"/", "/install.css", "/muster-ca.crt", "/muster-ca.mobileconfig"}

    play(story)


def test_the_install_port_is_hardened_like_the_rest(play: Play):
    async def story(muster: Instance) -> None:
        async with served(muster, at=now()) as site, plain(site) as http:
            for path in PAGES:
                headers = (await http.get(path)).headers
                assert headers["content-security-policy"] == CONTENT_POLICY
                assert headers["x-content-type-options"] == "nosniff"
                assert "server" not in headers
            assert (await http.get("/" + "a" * 9_000)).status_code == 414
            many = {f"x-{number}": "1" for number in range(120)}
            assert (await http.get("/", headers=many)).status_code == 431
            with socket.create_connection(("127.0.0.1", site.site.install_port)) as slow:
                slow.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 40_000)
                assert b" 431 " in await asyncio.to_thread(slow.recv, 100)
        limited = Hardened(
            InstallPage(site.site.authority, HERE, 1),
            rates=replace(muster.settings.rates, address=1),
        )
        said: list[Any] = []

        async def send(message: Any) -> None:
            said.append(message)

        scope: Any = {
            "type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"",
            "headers": [], "client": ("192.168.1.9", 1), "scheme": "http",
        }  # fmt: skip
        for _ in range(11):
            await limited(scope, cast(Any, None), send)
        assert [one["status"] for one in said if "status" in one] == [200] * 10 + [429]

    play(story)


@pytest.mark.parametrize(
    ("agent", "language", "words", "first"),
    [
        (WECHAT, "zh-CN,zh;q=0.9", ["在浏览器打开", "证书信任设置", "CA 证书"], "安卓手机"),
        (IPHONE, "zh-Hans", ["描述文件", "VPN 与设备管理"], "苹果手机"),
        (IPHONE, "en-GB", ["Certificate Trust Settings", "Install anyway"], "iPhone"),
        ("", "", ["CA certificate", "Open Muster"], "Android"),
    ],
)
def test_the_page_says_what_to_tap(
    tmp_path: Path, agent: str, language: str, words: list[str], first: str
):
    known = authority(tmp_path, HERE, at=now())
    site = InstallPage(known, HERE, 8321)
    page = ask(site, "/", agent, language)[1].decode()
    assert [one for one in words if one not in page] == []
    others = {"安卓手机", "苹果手机", "Android", "iPhone"} - {first}
    assert all(page.index(f"<h2>{first}") < page.find(f"<h2>{one}") % 10**9 for one in others)
    assert ("Open in browser" in page or "选“在浏览器打开”" in page) is (agent == WECHAT)
    assert "<script" not in page
    assert "style=" not in page
    for piece in known.fingerprint.split(":"):
        assert piece in page


def ask(
    site: InstallPage, path: str, agent: str = "", language: str = "", host: str = ""
) -> tuple[dict[bytes, bytes], bytes]:
    """The header fields and the body of an answer."""
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    headers = [(b"user-agent", agent.encode()), (b"accept-language", language.encode()),
               (b"host", host.encode())]  # fmt: skip
    asyncio.run(site({"path": path, "method": "GET", "headers": headers}, None, send))
    return dict(said[0]["headers"]), said[1]["body"]


@pytest.mark.parametrize(
    ("host", "leads"),
    [
        ("10.0.0.2:8322", "10.0.0.2:8321"),
        ("DESK-7.local:8322", "desk-7.local:8321"),
        ("[fd00::5]:8322", "[fd00::5]:8321"),
        ("evil.example", "10.0.0.2:8321"),
        ('"><b>', "10.0.0.2:8321"),
        ("", "10.0.0.2:8321"),
    ],
)
def test_the_page_leads_on_to_the_name_it_was_asked_by(tmp_path: Path, host: str, leads: str):
    """Where that is one of the server's own; nothing else that was sent comes back."""
    called = names([], "desk-7", ["10.0.0.2", "fd00::5"])
    site = InstallPage(authority(tmp_path, called, at=now()), called, 8321)
    page = ask(site, "/", host=host)[1].decode()
    assert f'href="https://{leads}/field/"' in page
    assert "evil" not in page
    assert "<b>" not in page


def test_phones_know_what_the_files_are(tmp_path: Path):
    """Android by the type; iPhones by a profile that holds the root."""
    known = authority(tmp_path, HERE, at=now())
    site = InstallPage(known, HERE, 8321)
    fields, body = ask(site, "/muster-ca.crt")
    assert (fields[b"content-type"], body) == (b"application/x-x509-ca-cert", known.der)
    fields, body = ask(site, "/muster-ca.mobileconfig")
    assert fields[b"content-type"] == b"application/x-apple-aspen-config"
    whole = plistlib.loads(body)
    (root,) = whole["PayloadContent"]
    assert whole["PayloadType"] == "Configuration"
    assert root["PayloadType"] == "com.apple.security.root"
    assert root["PayloadContent"] == known.der
    assert whole["PayloadUUID"] != root["PayloadUUID"]
    assert ask(site, "/muster-ca.mobileconfig")[1] == body  # installed twice it replaces itself


def test_as_a_process_it_says_where_and_what_to_compare(database: Settings):
    said = []
    for _ in range(2):
        port = free_port()
        process = serve(
            database, "--lan", "--lan-address", "127.0.0.1", "--port", str(port), "--json"
        )
        lines = []
        assert process.stderr
        for line in process.stderr:
            lines.append(line)
            if line.startswith("Muster: "):
                break
        beside = "".join(lines)
        assert f"http://127.0.0.1:{port + 1}/" in beside
        known = authority(database.home, HERE, at=now())
        trusted = phone(known)
        base = f"https://127.0.0.1:{port}"
        assert httpx.get(f"{base}/readyz", verify=trusted, trust_env=False).is_success
        page = httpx.get(f"http://127.0.0.1:{port + 1}/", trust_env=False).text
        assert all(piece in page and piece in beside for piece in known.fingerprint.split(":"))
        process.send_signal(signal.SIGTERM)
        code, document, rest = ended(process)
        assert code == 0
        told = json.loads(document)
        assert (told["served"], told["field"]) == (base, f"{base}/field/")
        assert told["fingerprint"] == known.fingerprint
        for one in (beside, document, rest):
            assert "PRIVATE" not in one
        said.append((known.fingerprint, (folder(database.home) / "server.pem").read_bytes()))
    assert said[0] == said[1]
    assert set(files(database.home).values()) == {0o600}


def test_without_the_word_nothing_of_it_is_there(database: Settings):
    port = free_port()
    process = serve(database, "--port", str(port))
    assert address_of(process) == f"http://127.0.0.1:{port}"
    assert process.stderr
    assert "/enrol#" in process.stderr.readline()
    assert httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).is_success
    for address in [("127.0.0.1", port + 1), ("127.0.0.2", port), ("::1", port)]:
        with pytest.raises(OSError), socket.create_connection(address, timeout=2):  # noqa: PT011
            pass
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0
    assert not folder(database.home).exists()


@pytest.mark.parametrize(
    "options",
    [
        "--lan --host 0.0.0.0",
        "--lan --behind-proxy",
        "--lan --tls-cert /dev/null --tls-key /dev/null",
        "--lan-address 10.0.0.1",
        "--install-port 8000",
        "--lan --install-port 70000",
        "--lan --port 65535",
        "--lan --port 0",
        "--lan --port 8000 --install-port 8000",
    ],
)
def test_options_that_do_not_fit(options: str):
    settings = Settings(Path("/nowhere"), "host=/nowhere", Path("/nowhere/key"), "UTC", "en")
    assert ended(serve(settings, *options.split()))[0] == 2


def test_a_damaged_authority_stops_it(database: Settings):
    authority(database.home, HERE, at=now())
    file = folder(database.home) / "authority.pem"
    file.write_bytes(file.read_bytes()[:500])
    was = file.read_bytes()
    code, said, _ = ended(serve(database, "--lan", "--lan-address", "127.0.0.1", "--json"))
    assert (code, json.loads(said)["title"]) == (1, "authority unusable")
    assert file.read_bytes() == was


def test_an_install_port_that_is_taken(database: Settings):
    port = free_port()
    with socket.socket() as other:
        other.bind(("0.0.0.0", port + 1))
        other.listen()
        code, said, _ = ended(
            serve(database, "--lan", "--lan-address", "127.0.0.1", "--port", str(port), "--json")
        )
    assert (code, json.loads(said)["facts"]["port"]) == (1, str(port + 1))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_card(tmp_path: Path, language: str):
    """One page, with what must stand on it; no instance is opened for it."""
    there = {"MUSTER_HOME": str(tmp_path), "MUSTER_LANGUAGE": language, "DATABASE_URL": "host=/no"}
    file = tmp_path / "card.pdf"
    card = ["lan", "card", "--lan-address", "192.168.9.9", "--json"]
    run = CliRunner().invoke(cli.main, [*card, "-o", str(file)], env=there)
    assert run.exit_code == 0, run.output
    told = json.loads(run.stdout)
    (page,) = PdfReader(file).pages
    text = page.extract_text().replace("\n", " ")
    assert "http://192.168.9.9:8322/" in text
    assert told["install"] == "http://192.168.9.9:8322/"
    for piece in told["fingerprint"].split(":"):
        assert piece in text
    assert ("苹果手机" in text) is (language == "zh")
    picture = tmp_path / "card.png"
    CliRunner().invoke(cli.main, [*card, "-o", str(picture)], env=there)
    (code,) = zxingcpp.read_barcodes(Image.open(picture))
    assert code.text == told["install"]
    shown = CliRunner().invoke(cli.main, ["lan", "show", *card[2:]], env=there)
    assert datetime.fromisoformat(json.loads(shown.stdout)["ends_at"]) > datetime.now(UTC)
    unfit = CliRunner().invoke(cli.main, [*card, "-o", str(tmp_path / "card.txt")], env=there)
    assert unfit.exit_code == 2
