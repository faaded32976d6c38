"""Sites without internet: their authority, phones that trust it, a Muster that is served there."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from muster.cli.site import ServedSite, Site, serving_site
from muster.instance import Instance
from muster.lan.authority import Authority, authority, folder
from muster.lan.names import names

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
HERE = names(["127.0.0.1"], "Desk-7.example", [])


@dataclass
class Met:
    """A handshake that succeeded: the version, the names and the dates of what was shown."""

    version: str
    names: list[str]
    serial: int


def phone(trusted: Authority | None) -> ssl.SSLContext:
    """A client that trusts an authority's root, and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if trusted:
        context.load_verify_locations(cadata=trusted.root.public_bytes(Encoding.PEM).decode())
    return context


async def meet(context: ssl.SSLContext, port: int, name: str = "127.0.0.1") -> Met:
    """Connect as a phone that asks for a name. Raises ssl.SSLError."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname=name
    )
    made: Any = writer.get_extra_info("ssl_object")
    shown = x509.load_der_x509_certificate(made.getpeercert(binary_form=True))
    writer.close()
    assert reader
    return Met(made.version(), subjects(shown), shown.serial_number)


def subjects(certificate: x509.Certificate) -> list[str]:
    """Whom a certificate is about."""
    named: Any = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(one.value) for one in named]


def shown_in(file: Path) -> x509.Certificate:
    """The certificate in the server's file."""
    return x509.load_pem_x509_certificates(file.read_bytes())[0]


def free_port() -> int:
    """A port that is free, and the next one too."""
    while True:
        with socket.socket() as one, socket.socket() as next_:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            try:
                next_.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def site(home: Path, *, at: datetime) -> Site:
    """This machine's site, with an authority of its own."""
    port = free_port()
    known = authority(home, HERE, at=at)
    return Site(home, ("127.0.0.1",), HERE, known, port, port + 1)


@asynccontextmanager
async def served(muster: Instance, *, at: datetime) -> AsyncIterator[ServedSite]:
    """A Muster served at this machine's site."""
    async with serving_site(muster, site(muster.settings.home, at=at)) as found:
        yield found


def files(home: Path) -> dict[str, int]:
    """What lies in the authority's folder, with its mode."""
    return {one.name: one.stat().st_mode & 0o777 for one in sorted(folder(home).iterdir())}
