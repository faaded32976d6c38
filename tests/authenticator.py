"""A passkey's authenticator in software: it makes and uses real EC keys, and can be told to lie."""

import hashlib
import json
import secrets
from typing import Any
from urllib.parse import urlsplit

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url

PRESENT, VERIFIED, NEW_KEY = 0x01, 0x04, 0x40


class Authenticator:
    """One key, made by `make`, used by `use`. `count` is how often it says it was used."""

    def __init__(self) -> None:
        self.id = secrets.token_bytes(32)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.count = 0

    def make(self, options: dict[str, Any], origin: str) -> dict[str, Any]:
        """The answer to `navigator.credentials.create`."""
        point = self.key.public_key().public_numbers()
        public = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        )
        made = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public
        data = self._data(origin, PRESENT | VERIFIED | NEW_KEY) + made
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(
            clientDataJSON=_client_data("webauthn.create", options, origin),
            attestationObject=attestation,
        )

    def use(
        self, options: dict[str, Any], origin: str, *, flags: int = PRESENT | VERIFIED
    ) -> dict[str, Any]:
        """The answer to `navigator.credentials.get`."""
        self.count += 1
        data = self._data(origin, flags)
        said = _client_data("webauthn.get", options, origin)
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        return self._answer(clientDataJSON=said, authenticatorData=data, signature=signature)

    def _data(self, origin: str, flags: int) -> bytes:
        host = (urlsplit(origin).hostname or "").encode()
        return hashlib.sha256(host).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _answer(self, **response: bytes) -> dict[str, Any]:
        id_ = bytes_to_base64url(self.id)
        return {
            "id": id_, "rawId": id_, "type": "public-key", "clientExtensionResults": {},
            "response": {name: bytes_to_base64url(value) for name, value in response.items()},
        }  # fmt: skip


def _client_data(kind: str, options: dict[str, Any], origin: str) -> bytes:
    said = {"type": kind, "challenge": options["challenge"], "origin": origin}
    return json.dumps(said).encode()
