"""What this domain asks of the vault, and how tokens and codes are made and kept: random ones of 256
bits, of which the database holds only the hash.
"""

import hashlib
import secrets
from typing import Protocol

TOKEN_BYTES = 32


class Sealer(Protocol):
    """Seals with a key the database does not hold."""

    def seal(self, text: bytes, /) -> bytes: ...
    def open(self, sealed: bytes, /) -> bytes: ...
    def hash(self, *parts: str) -> bytes: ...


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """No salt and no stretching: what is hashed has 80 bits of chance at least."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
