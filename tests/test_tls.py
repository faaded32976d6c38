"""Muster's own TLS: with a real certificate, and with some that do not do."""

import asyncio
import ipaddress
import json
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from muster.cli.listening import Tls, serving
from muster.config import Settings
from muster.core.clock import now
from muster.headers import CONTENT_POLICY
from muster.instance import Instance
from tests import senders
from tests.conftest import Play
from tests.phones import batch
from tests.senders import client, send
from tests.test_serving import ended, serve


@pytest.fixture
def certificate(tmp_path: Path) -> Tls:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(1).add_extension(names, critical=False)
        .not_valid_before(now() - timedelta(days=1)).not_valid_after(now() + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    tls = Tls(tmp_path / "cert.pem", tmp_path / "key.pem")
    tls.cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    write_key(key, tls.key, serialization.NoEncryption())
    write_key(key, tmp_path / "locked.pem", serialization.BestAvailableEncryption(b"secret"))
    return tls


def write_key(key: Any, file: Path, how: serialization.KeySerializationEncryption) -> None:
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file.write_bytes(key.private_bytes(pem, pkcs8, how))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_over_tls(play: Play, certificate: Tls):
    async def story(muster: Instance) -> None:
        trusted = ssl.create_default_context(cafile=certificate.cert)
        async with serving(muster, tls=certificate) as (_, address):
            assert address.startswith("https://127.0.0.1:")
            sender = {"authorization": f"Bearer {await senders.tester(muster)}"}
            async with httpx.AsyncClient(
                base_url=address, verify=trusted, trust_env=False, headers=sender
            ) as http:
                answer = await http.get("/v1/problems")
                assert answer.headers["strict-transport-security"] == "max-age=31536000"
                assert answer.headers["content-security-policy"] == CONTENT_POLICY
                sent = await send(http, batch(1, 0))
                assert {one["answer"] for one in sent} == {"stored"}
            old = ssl.create_default_context(cafile=certificate.cert)
            old.set_ciphers("ALL:@SECLEVEL=0")
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
            port = int(address.rpartition(":")[2])
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                await asyncio.open_connection("127.0.0.1", port, ssl=old)
            async with client(address.replace("https", "http")) as plain:
                with pytest.raises(httpx.HTTPError):
                    await plain.get("/healthz")

    play(story)


def test_a_certificate_that_does_not_do(database: Settings, certificate: Tls):
    """An encrypted key is not asked for: nobody sits at a server's terminal."""
    for key in ("locked.pem", "cert.pem"):
        process = serve(
            database, "--tls-cert", str(certificate.cert), "--tls-key",
            str(certificate.key.with_name(key)), "--json",
        )  # fmt: skip
        code, said, _ = ended(process)
        assert (code, json.loads(said)["title"]) == (1, "certificate unusable")
