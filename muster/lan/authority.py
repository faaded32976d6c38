"""A certificate authority of a site's own, and what it certifies: this machine, under its private names.

Two certificates make it up. The root is what phones trust; its key signs once and is thrown away, so
that nobody can sign with it ever again. What it signed is an authority below it whose key is kept, and
which may certify private addresses and this machine's name only (RFC 5280 4.2.1.10). Verifiers may
overlook such a limit in a root (6.1.1 d), but not below one.
"""

import fcntl
import ipaddress
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from muster.config import LAN_AUTHORITY_DAYS, LAN_CERTIFICATE_DAYS, LAN_RENEW_DAYS
from muster.core.problems import Problem
from muster.lan.names import PRIVATE, Names, address_of

_PEM, _DER = serialization.Encoding.PEM, serialization.Encoding.DER
_BEHIND = timedelta(days=1)  # a phone's clock may be wrong by so much
_Key = ec.EllipticCurvePrivateKey


class AuthorityUnusable(Problem):
    """The site's certificate authority {file} cannot be used: {reason}. Put the file back from a copy.
    Or move it away, and a new one is made: every phone has to install the new certificate then."""

    zh = (
        "现场证书颁发机构 {file} 无法使用：{reason}。请从副本恢复该文件；"
        "或将其移走以生成新的，此后每部手机都须重新安装证书。"
    )
    status = 500


class NameNotCovered(Problem):
    """The site's certificate authority may not certify {name}: it is limited to private addresses and
    the names it was made with. Use one of those, or move {file} away, and a new one is made: every
    phone has to install the new certificate then."""

    zh = (
        "现场证书颁发机构不能为 {name} 签发证书：只限私有地址和创建时的名称。请改用这些名称；"
        "或将 {file} 移走以生成新的，此后每部手机都须重新安装证书。"
    )


@dataclass(frozen=True)
class Authority:
    """What phones trust (`root`), and what certifies below it."""

    root: x509.Certificate
    certificate: x509.Certificate
    key: _Key = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Of the root, SHA-256, as phones show it."""
        return self.root.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def name(self) -> str:
        """What it is called in a phone's list."""
        return str(self.root.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)

    @property
    def der(self) -> bytes:
        """The root's certificate, as phones take it."""
        return self.root.public_bytes(_DER)

    def covers(self, name: str) -> bool:
        """Whether it may certify a name."""
        limits = self.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        address: Any = address_of(name)
        for one in limits.permitted_subtrees or ():
            match one:
                case x509.IPAddress(value=network) if address and address in network:
                    return True
                case x509.DNSName(value=host) if not address and f".{name}".endswith(f".{host}"):
                    return True
        return False


def folder(home: Path) -> Path:
    """Where a Muster keeps its authority."""
    return home / "lan"


def authority(home: Path, names: Names, *, at: datetime) -> Authority:
    """The authority of a Muster; made where there is none. Of the names, it must be able to certify those
    that were given. Raises AuthorityUnusable, NameNotCovered; a file that is there is never replaced."""
    file = folder(home) / "authority.pem"
    with _alone(file):
        if not file.exists():
            _put(file, _made(names, at))
    known = _read(file, at)
    for name in names.given:
        if not known.covers(name):
            raise NameNotCovered(name=name, file=file)
    return known


def certified(home: Path, known: Authority, names: Names, *, at: datetime) -> tuple[Path, bool]:
    """The file of this machine's key and certificate, and whether it was made anew: because there is
    none, its names are others, it ends soon or another authority signed it."""
    file = folder(home) / "server.pem"
    wanted = [one for one in names.all if known.covers(one)]
    with _alone(file):
        fresh = not _still_good(file, known, wanted, at)
        if fresh:
            _put(file, _issued(known, wanted, at))
    return file, fresh


def _made(names: Names, at: datetime) -> bytes:
    """The PEM file of a new authority."""
    label = next((one for one in names.all if f"{one}.local" in names.all), "")
    called = " ".join(filter(None, ("Muster", label[:30], f"{at:%Y-%m-%d}")))
    hosts = [one for one in names.all if not address_of(one)]
    named = [ipaddress.ip_network(one) for one in names.all if address_of(one)]
    addresses = [one for one in named if not any(_within(one, other) for other in PRIVATE)]
    limits = x509.NameConstraints(
        [*map(x509.DNSName, hosts or ["invalid"]), *map(x509.IPAddress, (*PRIVATE, *addresses))],
        None,
    )
    root_key, key = _new_key(), _new_key()
    root_name, name = _name(called), _name(f"{called} site")
    start, end = at - _BEHIND, at + timedelta(days=LAN_AUTHORITY_DAYS)

    def authority_over(subject: x509.Name, of: _Key, below: int) -> x509.Certificate:
        usage = x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
            encipher_only=False, decipher_only=False,
        )  # fmt: skip
        return (
            _begun(subject, root_name, of, root_key, start, end)
            .add_extension(x509.BasicConstraints(ca=True, path_length=below), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(limits, critical=True)
            .sign(root_key, hashes.SHA256())
        )

    root, below = authority_over(root_name, root_key, 1), authority_over(name, key, 0)
    return _private(key) + below.public_bytes(_PEM) + root.public_bytes(_PEM)


def _issued(known: Authority, names: Sequence[str], at: datetime) -> bytes:
    """The PEM file of a new key of this machine, its certificate and the one that signed it."""
    key = _new_key()
    subjects = [
        x509.IPAddress(address) if (address := address_of(one)) else x509.DNSName(one)
        for one in names
    ]
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=False, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    start = max(at - _BEHIND, known.certificate.not_valid_before_utc)
    end = min(at + timedelta(days=LAN_CERTIFICATE_DAYS), known.certificate.not_valid_after_utc)
    issuer = known.certificate.subject
    made = (
        _begun(_name("Muster"), issuer, key, known.key, start, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(subjects), critical=False)
        .sign(known.key, hashes.SHA256())
    )
    return _private(key) + made.public_bytes(_PEM) + known.certificate.public_bytes(_PEM)


def _begun(
    subject: x509.Name, issuer: x509.Name, key: _Key, by: _Key, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    """What every certificate of ours has."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False
        )
    )  # fmt: skip


def _read(file: Path, at: datetime) -> Authority:
    """The authority of a file. Raises AuthorityUnusable."""
    content = file.read_bytes()
    try:
        key = serialization.load_pem_private_key(content, password=None)
        below, root = x509.load_pem_x509_certificates(content)
        below.verify_directly_issued_by(root)
        root.verify_directly_issued_by(root)
        below.extensions.get_extension_for_class(x509.NameConstraints)
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound) as error:
        # The error's text may quote the key.
        reason = "it is no whole authority"
        raise AuthorityUnusable(file=file, reason=reason) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != below.public_key():
        raise AuthorityUnusable(file=file, reason="its key belongs to another certificate")
    if at >= below.not_valid_after_utc:
        ended = f"it ended on {below.not_valid_after_utc:%Y-%m-%d}"
        raise AuthorityUnusable(file=file, reason=ended)
    return Authority(root, below, key)


def _still_good(file: Path, known: Authority, wanted: Sequence[str], at: datetime) -> bool:
    try:
        content = file.read_bytes()
        key = serialization.load_pem_private_key(content, password=None)
        made = x509.load_pem_x509_certificates(content)[0]
        made.verify_directly_issued_by(known.certificate)
    except (OSError, ValueError, TypeError, IndexError, InvalidSignature):
        return False
    named: Any = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    last = known.certificate.not_valid_after_utc  # nothing it signs lasts longer
    until = made.not_valid_after_utc
    lasts = until - at > timedelta(days=LAN_RENEW_DAYS) or (until == last and until > at)
    return (
        lasts and made.not_valid_before_utc <= at and key.public_key() == made.public_key()
        and {str(one.value) for one in named} == set(wanted)
    )  # fmt: skip


def _new_key() -> _Key:
    return ec.generate_private_key(ec.SECP256R1())


def _name(called: str) -> x509.Name:
    return x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Muster"),
        x509.NameAttribute(NameOID.COMMON_NAME, called),
    ])  # fmt: skip


def _private(key: _Key) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _within(one: Any, other: Any) -> bool:
    return one.version == other.version and one.subnet_of(other)


def _put(file: Path, content: bytes) -> None:
    """Put the content in the place of the file, in one piece, readable by its owner only."""
    for left in file.parent.glob(f".{file.name}.*.part"):  # of a process that was killed
        left.unlink()
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        os.rename(name, file)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)
    opened = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """One process at a time makes the file; the lock ends with the process."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
