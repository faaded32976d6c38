"""The install page: by plain HTTP, beside the server, since a phone cannot come to trust a server through
that server. It gives out a page, its style, the certificate as a file and as an iPhone's profile, and
nothing else; it reads nothing of what is sent to it but the head.
"""

import plistlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from muster.hardening import refuse
from muster.lan.authority import Authority
from muster.lan.names import Names, shown
from muster.lan.words import Phone, steps, word
from muster.web import NotFound

CERTIFICATE = "/muster-ca.crt"
PROFILE = "/muster-ca.mobileconfig"
STYLE = "/install.css"
# Browsers within other applications, which cannot install a certificate.
_IN_APP = re.compile(r"MicroMessenger|DingTalk|AlipayClient|Feishu|Lark/| QQ/", re.IGNORECASE)
_APPLE = re.compile(r"iPhone|iPad|iPod")
_STYLE = b"""
body { margin: 0 auto; padding: 16px; max-width: 640px; font: 20px/1.5 sans-serif; color: #111; background: #fff }
h1 { font-size: 28px; line-height: 1.25 } h2 { font-size: 24px; margin-top: 36px }
li { margin: 12px 0 }
a { color: #0b5c8a }
a.button { display: block; margin: 16px 0; padding: 16px; background: #0b5c8a; color: #fff;
  text-align: center; text-decoration: none; font-weight: bold; border-radius: 8px }
.stop { padding: 16px; border: 3px solid #b3261e; font-weight: bold }
.print { font-family: monospace; font-size: 18px; word-wrap: break-word }
"""


@dataclass
class InstallPage:
    """The page, as an ASGI application. `names` and `port` are those of the server it leads to."""

    authority: Authority
    names: Names
    port: int

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        fields = {name: value.decode("latin-1") for name, value in scope["headers"]}
        found = PAGES.get(scope["path"])
        if found is None or scope["method"] not in ("GET", "HEAD"):
            await refuse(scope, send, NotFound(path=scope["path"][:80]))
            return
        kind, made = found
        body = made(self, fields)
        headers = [
            (b"content-type", kind), (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"), (b"vary", b"accept-language, user-agent"),
        ]  # fmt: skip
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def field(self, host: str) -> str:
        """Where the page leads to: the name it was asked by, where that is certified; else the first."""
        asked = host.strip().lower()
        asked = asked.partition("]")[0][1:] if asked[:1] == "[" else asked.partition(":")[0]
        return f"https://{shown(asked if asked in self.names.all else self.names.first)}:{self.port}/field/"


def page(site: InstallPage, fields: dict[bytes, str]) -> bytes:
    """The page, for a browser that may be very old: no script, plain words, large letters."""
    language = "zh" if fields.get(b"accept-language", "").lower().startswith("zh") else "en"
    agent = fields.get(b"user-agent", "")
    phones: list[Phone] = ["iphone", "android"] if _APPLE.search(agent) else ["android", "iphone"]

    def say(name: str, **facts: object) -> str:
        return escape(word(name, language, **facts))

    parts = [f"<h1>{say('title')}</h1>"]
    if _IN_APP.search(agent):
        parts.append(f'<p class="stop">{say("in_app")}</p>')
    parts.append(f"<p>{say('why')}</p>")
    for phone in phones:
        file = PROFILE if phone == "iphone" else CERTIFICATE
        parts.append(f"<h2>{say(phone)}</h2>")
        parts.append(f'<p><a class="button" href="{file}">{say(f"take_{phone}")}</a></p>')
        told = "".join(
            f"<li>{escape(one)}</li>" for one in steps(phone, language, site.authority.name)
        )
        parts.append(f"<ol>{told}</ol>")
        if phone == "iphone":
            parts.append(f'<p><a href="{CERTIFICATE}">{say("take_plain")}</a></p>')
    parts.append(f"<h2>{say('compare')}</h2><p>{say('compare_more')}</p>")
    parts.append(f'<p class="print">{" ".join(printed(site.authority.fingerprint))}</p>')
    field = escape(site.field(fields.get(b"host", "")))
    parts.append(f"<h2>{say('go')}</h2><p>{say('go_more')}</p>")
    parts.append(f'<p><a class="button" href="{field}">{say("go")}</a></p><p>{field}</p>')
    return (
        f'<!DOCTYPE html><html lang="{"zh-CN" if language == "zh" else "en"}"><head>'
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{say("title")}</title><link rel="stylesheet" href="{STYLE}"></head>'
        f"<body>{''.join(parts)}</body></html>"
    ).encode()


def printed(fingerprint: str) -> list[str]:
    """A fingerprint in pieces of four bytes, to be compared by eye."""
    bytes_ = fingerprint.split(":")
    return [":".join(bytes_[at : at + 4]) for at in range(0, len(bytes_), 4)]


def profile(site: InstallPage, _fields: dict[bytes, str]) -> bytes:
    """The certificate as an iPhone's profile (Apple, Configuration Profile Reference:
    com.apple.security.root), unsigned. The same certificate has the same ids and replaces itself."""
    known = site.authority

    def payload(kind: str, **more: object) -> dict[str, object]:
        made = uuid5(NAMESPACE_URL, f"urn:muster:{kind}:{known.fingerprint}")
        return {
            "PayloadType": kind, "PayloadVersion": 1, "PayloadUUID": str(made).upper(),
            "PayloadIdentifier": f"muster.site.{made}", "PayloadDisplayName": known.name, **more,
        }  # fmt: skip

    root = payload(
        "com.apple.security.root",
        PayloadCertificateFileName="muster-ca.crt", PayloadContent=known.der,
    )  # fmt: skip
    whole = payload(
        "Configuration", PayloadContent=[root], PayloadRemovalDisallowed=False,
        PayloadDescription=f"{word('why', 'zh')} {word('why', 'en')}",
    )  # fmt: skip
    return plistlib.dumps(whole)


Made = Callable[[InstallPage, dict[bytes, str]], bytes]
PAGES: dict[str, tuple[bytes, Made]] = {
    "/": (b"text/html; charset=utf-8", page),
    STYLE: (b"text/css", lambda _site, _fields: _STYLE),
    CERTIFICATE: (b"application/x-x509-ca-cert", lambda site, _fields: site.authority.der),
    PROFILE: (b"application/x-apple-aspen-config", profile),
}
