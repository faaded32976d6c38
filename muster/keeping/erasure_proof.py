"""The proof of an erasure: what was erased, by whom, when, at which head of the ledger; signed with an
Ed25519 key that is kept beside the vault's key file. It names nobody: people are hashes of their ids.
"""

import base64
import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from muster.core.problems import Problem

FORMAT = "muster proof of erasure 1"
LISTED = 1_000  # people of whom each id's hash is listed; of more, the hash of all
KEY_SUFFIX = ".proof"


class ProofNotGenuine(Problem):
    """The proof {file} is not what was signed: {reason}."""

    zh = "清除证明 {file} 与签名不符：{reason}。"


def proof_key(key_file: Path) -> Ed25519PrivateKey:
    """The signing key beside the vault's key file, made at first use (mode 0600). Raises OSError."""
    file = key_file.with_name(key_file.name + KEY_SUFFIX)
    with suppress(FileExistsError):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as new:
            new.write(Ed25519PrivateKey.generate().private_bytes_raw())
            new.flush()
            os.fsync(new.fileno())
    return Ed25519PrivateKey.from_private_bytes(file.read_bytes())


def public_text(key: Ed25519PublicKey) -> str:
    """A public key to be printed and compared."""
    return base64.urlsafe_b64encode(key.public_bytes_raw()).decode().rstrip("=")


def signed(facts: dict[str, Any], people: Sequence[UUID], key: Ed25519PrivateKey) -> dict[str, Any]:
    """The proof as a JSON document: the facts, the people's hashes, key and signature."""
    hashes = sorted(hashlib.sha256(str(one).encode()).hexdigest() for one in people)
    document = {
        "format": FORMAT,
        **facts,
        "people": len(hashes),
        "people_sha256": hashlib.sha256("\n".join(hashes).encode()).hexdigest(),
        "person_sha256": hashes if len(hashes) <= LISTED else [],
        "public_key": public_text(key.public_key()),
    }
    document = msgspec.json.decode(_canonical(document))
    signature = key.sign(_canonical(document))
    return document | {"signature": base64.urlsafe_b64encode(signature).decode().rstrip("=")}


def checked(file: Path, ours: Ed25519PublicKey | None = None) -> dict[str, Any]:
    """The proof in a file, if its signature fits and, where given, its key is `ours`. Raises
    ProofNotGenuine."""
    try:
        document = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
        key = Ed25519PublicKey.from_public_bytes(_bytes(document["public_key"]))
        signature = _bytes(document.pop("signature"))
        known = document["format"] == FORMAT
    except (ValueError, KeyError, TypeError) as error:
        raise ProofNotGenuine(file=file, reason="it is no proof") from error
    if not known:
        raise ProofNotGenuine(file=file, reason="it is of another form")
    try:
        key.verify(signature, _canonical(document))
    except InvalidSignature as error:
        raise ProofNotGenuine(file=file, reason="it was changed") from error
    if ours is not None and ours.public_bytes_raw() != key.public_bytes_raw():
        raise ProofNotGenuine(file=file, reason="another key signed it")
    return document


def printed(proof: dict[str, Any]) -> str:
    """The proof as lines to print, in Chinese and English."""
    lines = [
        "数据清除证明 / Proof of erasure",
        f"申请 request: {proof['request']}  ({proof['kind']})",
        f"申请人 requested by: {proof['requested_by']}  {proof['requested_at']}",
        f"确认人 confirmed by: {proof['confirmed_by']}  {proof['confirmed_at']}",
        f"完成 done: {proof['done_at']}",
        f"人数 people: {proof['people']}  sha256: {proof['people_sha256']}",
        *(f"  {table}: {count}" for table, count in sorted(proof["counts"].items()) if count),
        *(f"  {table}: {what}" for table, what in proof["storage"]["tables"].items()),
        f"日志 log: {proof['storage']['log']}",
        f"账本 ledger: batch {proof['head']['batch']}, event {proof['head']['seq']}, "
        f"{proof['head']['hash']}",
        f"公钥 public key: {proof['public_key']}",
        f"签名 signature: {proof.get('signature', '')}",
    ]
    return "\n".join(line for line in lines) + "\n"


def _canonical(document: dict[str, Any]) -> bytes:
    return msgspec.json.encode(document, order="sorted")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
