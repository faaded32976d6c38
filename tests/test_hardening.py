"""What the server does not let through: too much, too slow, too often, from elsewhere; and what every
answer says to a browser. The slow callers are real.
"""

import asyncio
import ipaddress
import json
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest

import muster.cli.listening as listening
import muster.hardening as hardening
from muster.app import make_app
from muster.cli.listening import serving
from muster.config import BODY_LIMIT_BYTES, HEAD_LIMIT_BYTES, URL_LIMIT_BYTES, Rates, Settings
from muster.hardening import Front, Hardened, Turns
from muster.headers import CONTENT_POLICY
from muster.instance import Instance
from tests.conftest import Play
from tests.phones import batch
from tests.senders import client, query, visit
from tests.test_serving import address_of, ended, serve

TUBES = "SELECT count(*) FROM ledger.event WHERE type = 'TubeSealed'"
JSON = {"content-type": "application/json"}
Story = Callable[[Instance, httpx.AsyncClient], Awaitable[Any]]


def slug(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    return answer.json()["type"].removeprefix("urn:muster:problem:")


def at_a_server(play: Play, story: Story, **serving_: Any) -> None:
    async def inside(muster: Instance) -> None:
        async with serving(muster, **serving_) as (_, address), client(address) as http:
            await story(muster, http)

    play(inside)


def called_from(muster: Instance, peer: str, front: Front, rates: Rates) -> Any:
    """A client at an address that no test machine has."""
    app: Any = Hardened(make_app(muster), front, rates)
    transport = httpx.ASGITransport(app=app, client=(peer, 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://muster.example")


def test_every_answer_tells_browsers_what_they_may(play: Play):
    async def story(_: Instance, http: httpx.AsyncClient) -> None:
        for answer in [
            await http.get("/healthz"),
            await http.get("/v1/problems"),
            await http.get("/nothing"),
            await http.delete("/v1/problems"),
            await http.post("/v1/events", content=b"[", headers=JSON),
            await http.post("/v1/events", content=b"0" * (BODY_LIMIT_BYTES + 1)),
        ]:
            said = answer.headers
            assert said["content-security-policy"] == CONTENT_POLICY
            assert "unsafe" not in CONTENT_POLICY
            assert said["x-content-type-options"] == "nosniff"
            assert said["referrer-policy"] == "no-referrer"
            assert said["cross-origin-opener-policy"] == "same-origin"
            assert said["cross-origin-resource-policy"] == "same-origin"
            assert "camera=(self)" in said["permissions-policy"]
            assert (said.get("cache-control") == "no-store") == ("/v1" in answer.url.path)
            assert not {"server", "strict-transport-security"} & set(said)
        # Codes are read by WebAssembly in the field client, and nowhere else.
        field = (await http.get("/field/")).headers["content-security-policy"]
        assert field.replace(" 'wasm-unsafe-eval'", "") == CONTENT_POLICY
        console = (await http.get("/console/")).headers["content-security-policy"]
        assert console == CONTENT_POLICY

    at_a_server(play, story)


def test_a_page_of_another_site_cannot_act(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        for headers in [
            {"origin": "https://elsewhere.example"},
            {"origin": "null"},
            {"origin": str(http.base_url), "sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
        ]:
            answer = await http.post("/v1/events", json={"items": batch(1, 0)}, headers=headers)
            assert (answer.status_code, slug(answer)) == (403, "foreign-origin")
            read = await http.get("/v1/problems", headers=headers)  # a browser keeps it from them
            assert read.status_code == 200
        assert await query(muster, TUBES) == [0]
        for headers in ({"origin": str(http.base_url).rstrip("/")}, {"sec-fetch-site": "none"}):
            answer = await http.post("/v1/events", json={"items": batch(1, 0)}, headers=headers)
            assert answer.status_code == 200

    visit(play, story)


def test_only_what_is_declared_as_json_is_read(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        body = json.dumps({"items": batch(1, 0)}).encode()
        for headers in [
            {"content-type": "text/plain"},  # what a foreign form could send
            {"content-type": "multipart/form-data; boundary=x"},
            {"content-type": "application/x-www-form-urlencoded"},
            {**JSON, "content-encoding": "br"},
        ]:
            answer = await http.post("/v1/events", content=body, headers=headers)
            assert (answer.status_code, slug(answer)) == (415, "unsupported-type")
        assert await query(muster, "SELECT count(*) FROM ledger.inbox") == [0]
        headers = {"content-type": "Application/JSON; charset=utf-8"}
        answer = await http.post("/v1/events", content=body, headers=headers)
        assert answer.status_code == 200

    visit(play, story)


def test_heads_and_addresses_have_limits(play: Play):
    async def story(_: Instance, http: httpx.AsyncClient) -> None:
        long = await http.get("/v1/problems", params={"q": "x" * URL_LIMIT_BYTES})
        assert (long.status_code, slug(long)) == (414, "url-too-long")
        many = await http.get("/healthz", headers={f"x-{n}": "1" for n in range(100)})
        assert (many.status_code, slug(many)) == (431, "head-too-large")
        wide = await http.get("/healthz", headers={"x": "1" * HEAD_LIMIT_BYTES})
        assert (wide.status_code, slug(wide)) == (431, "head-too-large")
        # A field that never ends is not collected.
        said = await spoken(http, b"GET / HTTP/1.1\r\nx: ", *[b"1" * 20_000] * 3)
        assert b"431" in said.split(b"\r\n")[0]
        assert (await http.get("/healthz")).status_code == 200

    at_a_server(play, story)


async def spoken(http: httpx.AsyncClient, *parts: bytes, pause: float = 0.05) -> bytes:
    """Write parts with pauses between, until there is an answer; all that is said before the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", http.base_url.port)
    answer = asyncio.create_task(reader.read(65_536))
    for part in parts:
        if not answer.done():
            writer.write(part)
            await asyncio.sleep(pause)
    said = await asyncio.wait_for(answer, 10)
    with suppress(ConnectionResetError):
        said += await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return said


def test_who_comes_slowly_is_cut_off(play: Play, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listening, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(hardening, "BODY_SECONDS", 0.3)

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        mine = http.headers["authorization"].encode()
        head = (
            b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 9000\r\n"
            b"authorization: " + mine + b"\r\n\r\n"
        )
        slow_head, slow_body, silent = await asyncio.gather(
            spoken(http, *(bytes([one]) for one in head[:40])),
            spoken(http, head, *[b" "] * 20),
            spoken(http),
        )
        assert slow_head.startswith(b"HTTP/1.1 408")
        assert b"head-too-slow" in slow_head
        assert slow_body.startswith(b"HTTP/1.1 408")
        assert b"upload-too-slow" in slow_body
        assert silent.startswith(b"HTTP/1.1 408")
        reader, writer = await asyncio.open_connection("127.0.0.1", http.base_url.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await reader.read(10_000)).startswith(b"HTTP/1.1 200")
        writer.write(b"\r\n")  # instead of a request
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        # Slow, but at the rate that is asked for.
        body = json.dumps({"items": batch(1, 0)}).encode()
        parts = [body[at : at + 250] for at in range(0, len(body), 250)]
        head = head.replace(b"9000", b"%d" % len(body)).replace(
            b"host", b"connection: close\r\nhost"
        )
        assert len(parts) * 0.1 > 0.6
        assert (await spoken(http, head, *parts, pause=0.1)).startswith(b"HTTP/1.1 200")
        assert await query(muster, TUBES) == [5]

    visit(play, story)


def test_a_slow_answer_is_given_up(play: Play, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hardening, "REQUEST_SECONDS", 0.4)

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        async with muster.pool.connection() as conn, conn.transaction():
            await conn.execute("LOCK TABLE registry.area IN ACCESS EXCLUSIVE MODE")
            # As many as have a connection at once. Whoever gets one at the very moment of being given
            # up may have to wait for the statement's own limit: PostgreSQL takes no word to stop for
            # a statement that has not begun.
            waiting = [http.get("/v1/areas") for _ in range(6)]
            for answer in await asyncio.gather(*waiting):
                assert (answer.status_code, slug(answer)) == (503, "took-too-long")
                assert answer.headers["retry-after"] == "5"
        monkeypatch.setattr(hardening, "REQUEST_SECONDS", 30)
        answers = await asyncio.gather(*(http.get("/v1/areas") for _ in range(12)))
        assert {one.status_code for one in answers} == {200}

    visit(play, story)


def test_who_does_not_take_the_answer_is_dropped(play: Play, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listening, "SEND_SECONDS", 0.4)

    async def story(_: Instance, http: httpx.AsyncClient) -> None:
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(raw, ("127.0.0.1", http.base_url.port))
        ask = b"GET /openapi/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n"
        size = len((await http.get("/openapi/openapi.json")).content)
        await loop.sock_sendall(raw, ask * 100)
        await asyncio.sleep(1.5)
        got = 0
        with suppress(ConnectionResetError):
            while part := await loop.sock_recv(raw, 1 << 20):
                got += len(part)
        assert got < 100 * size
        raw.close()

    at_a_server(play, story)


def test_more_than_the_server_can_hold(play: Play, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listening, "CONNECTIONS_LIMIT", 3)
    monkeypatch.setattr(hardening, "REQUESTS_LIMIT", 1)

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        async with muster.pool.connection() as conn, conn.transaction():
            await conn.execute("LOCK TABLE registry.area IN ACCESS EXCLUSIVE MODE")
            waiting = asyncio.create_task(http.get("/v1/areas"))
            await asyncio.sleep(0.2)
            busy = await http.get("/v1/areas")
            assert (busy.status_code, slug(busy)) == (503, "server-busy")
            assert busy.headers["retry-after"] == "5"
        assert (await waiting).status_code == 200
        opened = [socket.create_connection(("127.0.0.1", http.base_url.port)) for _ in range(2)]
        await asyncio.sleep(0.1)
        said = await spoken(http)
        assert said.startswith(b"HTTP/1.1 503")
        assert b"\r\nretry-after: 5\r\n" in said
        for one in opened:
            one.close()
        assert (await http.get("/v1/areas")).status_code == 200

    visit(play, story)


def test_a_device_has_its_rate(play: Play):
    """Ten seconds' worth at once, then no more; others are not touched. Loopback has no other."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        mine, other = {"authorization": "Bearer one"}, {"authorization": "Bearer other"}
        asked, refused = 0, await http.get("/v1/problems", headers=mine)
        while refused.status_code != 429 and asked < 100:
            asked += 1
            refused = await http.get("/v1/problems", headers={**mine, "accept-language": "zh-CN"})
        assert slug(refused) == "too-many-requests"
        assert asked >= 20
        assert refused.headers["retry-after"] == "1"
        assert "1 秒后" in refused.json()["detail"]
        assert (await http.get("/v1/problems", headers=other)).status_code != 429
        assert (await http.get("/v1/problems", headers={"cookie": "a=b"})).status_code != 429
        for _ in range(50):
            assert (await http.get("/v1/problems")).status_code == 200
        await asyncio.sleep(0.6)
        assert (await http.get("/v1/problems", headers=mine)).status_code != 429

    at_a_server(play, story, rates=Rates(address=1, device=2, sign_in=1))


def test_an_upload_refused_for_its_rate_can_be_sent_again(play: Play):
    """The answer reaches a caller who is still sending, and the connection goes on."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        mine = {"authorization": "Bearer one"}
        for _ in range(10):
            await http.get("/v1/problems", headers=mine)
        body = b" " * 4_000_000 + json.dumps({"items": batch(1, 0)}).encode()
        refused = await http.post("/v1/events", content=body, headers=mine)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert "connection" not in refused.headers
        assert await query(muster, TUBES) == [0]
        await asyncio.sleep(1.1)
        assert (await http.post("/v1/events", content=body, headers=mine)).status_code != 429

    at_a_server(play, story, rates=Rates(device=1))


def test_an_address_has_its_rate(play: Play):
    async def story(muster: Instance) -> None:
        rates = Rates(address=1, device=0, sign_in=0)
        async with called_from(muster, "192.0.2.7", Front(), rates) as http:
            named = {"x-forwarded-for": "203.0.113.1"}  # of no account without a proxy
            asked = [(await http.get("/healthz", headers=named)).status_code for _ in range(12)]
            assert asked == [200] * 10 + [429] * 2
        async with called_from(muster, "127.0.0.1", Front(proxied=True), rates) as http:
            for hop in ("198.51.100.1", "198.51.100.2", "2001:db8::1", "2001:db8:0:1::1"):
                asked = [
                    (await http.get("/healthz", headers=said)).status_code
                    for said in [{"x-forwarded-for": f"192.0.2.{n}, {hop}"} for n in range(11)]
                ]
                assert asked == [200] * 10 + [429]
            neighbour = await http.get("/healthz", headers={"x-forwarded-for": "2001:db8::2"})
            assert neighbour.status_code == 429  # of the same /64

    play(story)


def test_signing_in_has_a_rate_of_its_own(play: Play):
    """Fewer turns for whoever is not known yet; other requests from there are not touched."""

    async def story(muster: Instance) -> None:
        rates = Rates(address=1_000, device=0, sign_in=1)
        async with called_from(muster, "192.0.2.7", Front(), rates) as http:
            codes = [await http.post("/v1/enrolments/look", json={"code": "x"}) for _ in range(62)]
            assert [one.status_code for one in codes[59:]] == [410, 429, 429]
            assert (slug(codes[61]), codes[61].headers["retry-after"]) == ("too-many-requests", "1")
            assert (await http.get("/v1/problems")).status_code == 200
        async with called_from(muster, "192.0.2.8", Front(), rates) as http:
            assert (await http.post("/v1/enrolments/look", json={"code": "x"})).status_code == 410

    play(story)


def test_behind_a_proxy_only_the_proxy_is_heard(play: Play):
    async def story(muster: Instance) -> None:
        front = Front(True, (ipaddress.ip_network("10.1.0.0/16"),))
        secure = {"x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https"}
        for peer, status in [
            ("10.1.2.3", 200),
            ("127.0.0.1", 200),
            ("::1", 200),
            ("10.2.0.1", 403),
        ]:
            async with called_from(muster, peer, front, Rates()) as http:
                answer = await http.get("/healthz", headers=secure)
                assert answer.status_code == status
                hsts = answer.headers.get("strict-transport-security")
                assert hsts == ("max-age=31536000" if status == 200 else None)
        assert slug(answer) == "not-through-proxy"
        async with called_from(muster, "127.0.0.1", Front(), Rates()) as http:
            answer = await http.get("/healthz", headers=secure)  # not told of a proxy
            assert "strict-transport-security" not in answer.headers

    play(story)


def test_rates_take_bounded_memory():
    turns = Turns(limit=100)
    assert [turns.wait("a", rate=2, burst=2, at=0) for _ in range(3)] == [0, 0, 0.5]
    assert turns.wait("a", rate=2, burst=2, at=0.5) == 0
    for n in range(1_000):
        turns.wait(n, rate=1, burst=1, at=1)
    assert len(turns._left) == 100
    assert turns.wait(999, rate=1, burst=1, at=1) == 1  # the latest are remembered


def test_no_secret_is_logged(database: Settings):
    """Not by good requests, nor by bad ones, nor when the database fails them."""
    process = serve(database, "--port", "0")
    address = address_of(process)
    with httpx.Client(base_url=address, trust_env=False) as http:
        hidden = {"authorization": "Bearer SECRET-1", "cookie": "session=SECRET-2"}
        for answer in [
            http.get("/v1/areas", params={"parent": "SECRET-3\0"}, headers=hidden),
            http.get("/v1/people?area=SECRET-4&name=SECRET-5", headers=hidden),
            http.get("/v1/tubes/%FF?x=SECRET-6", headers=hidden),
            http.post("/v1/events?k=SECRET-8", json={"items": [{"event": {"id": "SECRET-9"}}]}),
            http.post("/v1/events", content=b"SECRET-10", headers={**hidden, **JSON}),
        ]:
            assert answer.status_code >= 200
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as raw:
        raw.sendall(b"GET /?SECRET-11 HTTP/9.9\r\nSECRET-12\r\n\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 400")
    process.send_signal(signal.SIGTERM)
    code, said, beside = ended(process)
    assert code == 0
    assert "SECRET" not in said + beside
