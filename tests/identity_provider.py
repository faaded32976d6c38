"""A small OpenID provider on a loopback port, with a key of its own. It checks what a provider must
(client, redirect, PKCE, codes once), and its tokens can be told to be wrong.
"""

import asyncio
import base64
import hashlib
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from litestar import Litestar, Request, Response, get, post

SECRET = "the client's secret"


@dataclass
class Provider:
    """`person`: whose claims it gives; `wrong`: claims to give instead; `key`: what it signs with."""

    issuer: str
    person: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1"}))
    shown: RSAKey | None = None  # the key it shows, where it is another
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent back to, once its holder has proved themselves."""
        assert query["code_challenge_method"] == "S256"
        assert query["response_type"] == "code"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The tokens for a code; None where it is not for this client, or was used."""
        query = self.codes.pop(form.get("code", ""), None)
        known = base64.b64encode(f"muster-test:{SECRET}".encode()).decode()
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if query is None or authorization != f"Basic {known}":
            return None
        if challenge != query["code_challenge"] or form["redirect_uri"] != query["redirect_uri"]:
            return None
        at = int(time.time())
        claims = {
            "iss": self.issuer, "aud": "muster-test", "iat": at, "exp": at + 60,
            "nonce": query["nonce"], **self.person, **self.wrong,
        }  # fmt: skip
        id_token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)
        return {"access_token": "a", "token_type": "Bearer", "id_token": id_token}


@asynccontextmanager
async def providing() -> AsyncIterator[Provider]:
    """A provider at work until the end of the block."""
    listener = socket.create_server(("127.0.0.1", 0))
    provider = Provider(f"http://127.0.0.1:{listener.getsockname()[1]}")

    @get("/.well-known/openid-configuration", sync_to_thread=False)
    def discover() -> dict[str, str]:
        return {
            "issuer": provider.issuer, "authorization_endpoint": f"{provider.issuer}/authorize",
            "token_endpoint": f"{provider.issuer}/token", "jwks_uri": f"{provider.issuer}/keys",
        }  # fmt: skip

    @get("/keys", sync_to_thread=False)
    def keys() -> dict[str, Any]:
        return {"keys": [(provider.shown or provider.key).as_dict(private=False)]}

    @get("/authorize", sync_to_thread=False, status_code=302)
    def authorize(request: Request[Any, Any, Any]) -> Response[None]:
        target = provider.authorize(dict(request.query_params))
        return Response(None, status_code=302, headers={"location": target})

    @post("/token", status_code=200)
    async def token(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
        form = {name: value[0] for name, value in parse_qs((await request.body()).decode()).items()}
        given = provider.token(form, request.headers.get("authorization", ""))
        if given is None:
            return Response({"error": "invalid_grant"}, status_code=400)
        return Response(given)

    app = Litestar([discover, keys, authorize, token], openapi_config=None)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    setattr(server, "capture_signals", nullcontext)  # noqa: B010
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield provider
    finally:
        server.should_exit = True
        await task
        listener.close()
