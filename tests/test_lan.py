"""A site's own authority: what it may certify, what phones demand, how long it lasts, what a crash leaves."""

import os
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

import muster
from muster.core.problems import Problem
from muster.lan import authority as making
from muster.lan.authority import (
    Authority,
    AuthorityUnusable,
    NameNotCovered,
    authority,
    certified,
    folder,
)
from muster.lan.names import Names, NameUnfit, NoPrivateAddress, names
from tests.sites import AT, HERE, files, phone, shown_in, subjects


def day(number: int) -> datetime:
    return AT + timedelta(days=number)


def verdict(known: Authority, file: Path, name: str) -> str:
    """What a phone that trusts the root says when a server shows this certificate for a name."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asks = phone(known).wrap_bio(back, there, server_hostname=name)
    answers = server.wrap_bio(there, back, server_side=True)
    for one in (asks, answers, asks):
        try:
            one.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
    return "trusted"


@pytest.mark.parametrize(
    ("host", "given", "found", "expected"),
    [
        ("desk", [], ["127.0.0.1", "192.168.1.7", "8.8.8.8"], "192.168.1.7 desk desk.local"),
        ("Desk-7.city.example", [], ["fe80::1", "fd00::2", "10.0.0.3"],
         "10.0.0.3 fd00::2 desk-7 desk-7.local"),
        ("localhost", [], ["172.31.0.1", "172.32.0.1"], "172.31.0.1"),
        ("bad_name", [], ["192.168.0.2", "192.168.0.2"], "192.168.0.2"),
        ("desk", ["Muster.LAN", "[fd00::9]"], ["10.0.0.3"], "muster.lan fd00::9 desk desk.local"),
    ],
)  # fmt: skip
def test_the_names_of_a_machine(host: str, given: list[str], found: list[str], expected: str):
    assert names(given, host, found).all == tuple(expected.split())


def test_a_machine_without_a_private_address_says_so():
    with pytest.raises(NoPrivateAddress) as told:
        names([], "desk", ["127.0.0.1", "8.8.8.8", "::1", "fe80::1"])
    assert "--lan-address" in str(told.value)
    for unfit in ("https://10.0.0.1", "10.0.0.1:8321", "a b", "", "-a", "ä"):
        with pytest.raises(NameUnfit):
            names([unfit], "desk", [])


def test_a_phone_that_trusts_the_root_trusts_this_machine_only(tmp_path: Path):
    known = authority(tmp_path, HERE, at=datetime.now(UTC))
    file, _ = certified(tmp_path, known, HERE, at=datetime.now(UTC))
    for name in ("127.0.0.1", "desk-7", "desk-7.local"):
        assert verdict(known, file, name) == "trusted"
    assert "mismatch" in verdict(known, file, "desk-8.local")
    other = authority(tmp_path / "other", HERE, at=datetime.now(UTC))
    assert "unable to get local issuer" in verdict(other, file, "127.0.0.1")


@pytest.mark.parametrize("name", ["example.org", "8.8.8.8", "other.local", "2001:4860::1"])
def test_who_has_its_key_can_pass_for_nobody_else(tmp_path: Path, name: str):
    """The key that could sign without the limit was never kept."""
    known = authority(tmp_path, HERE, at=datetime.now(UTC))
    forged = tmp_path / "forged.pem"
    forged.write_bytes(making._issued(known, [name], datetime.now(UTC)))
    assert "permitted subtree violation" in verdict(known, forged, name)
    forged.write_bytes(making._issued(known, ["192.168.77.1"], datetime.now(UTC)))
    assert verdict(known, forged, "192.168.77.1") == "trusted"
    kept = (folder(tmp_path) / "authority.pem").read_text()
    assert kept.count("PRIVATE KEY-----") == 2
    assert known.key.public_key() != known.root.public_key()


def test_what_phones_demand_of_certificates(tmp_path: Path):
    """Apple, Requirements for trusted certificates in iOS 13 (support.apple.com/103769)."""
    known = authority(tmp_path, HERE, at=AT)
    shown = shown_in(certified(tmp_path, known, HERE, at=AT)[0])
    assert shown.not_valid_after_utc - shown.not_valid_before_utc <= timedelta(days=397)
    used = shown.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(used) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert subjects(shown) == ["127.0.0.1", "desk-7", "desk-7.local"]
    for one, below in ((known.root, 1), (known.certificate, 0)):
        basic = one.extensions.get_extension_for_class(x509.BasicConstraints)
        assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, below)
        assert one.extensions.get_extension_for_class(x509.NameConstraints).critical
        assert one.not_valid_after_utc - AT == timedelta(days=3_650)
        hash_ = one.signature_hash_algorithm
        assert hash_
        assert hash_.name == "sha256"
    assert known.name == "Muster desk-7 2026-11-23"
    assert len(known.fingerprint) == 95


@pytest.mark.parametrize(
    ("why", "at", "called", "anew"),
    [
        ("nothing has changed", day(1), HERE, False),
        ("names in another order", day(1), Names(HERE.all[::-1]), False),
        ("31 days are left", day(59), HERE, False),
        ("30 days are left", day(60), HERE, True),
        ("it has ended", day(400), HERE, True),
        ("the clock was wrong when it was made", day(-2), HERE, True),
        ("the address is another", day(1), names([], "desk-7", ["192.168.1.7"]), True),
        ("an address has come", day(1), names([], "desk-7", ["127.0.0.1", "10.0.0.1"]), True),
    ],
)
def test_when_the_machine_is_certified_anew(
    tmp_path: Path, why: str, at: datetime, called: Names, anew: bool
):
    known = authority(tmp_path, HERE, at=AT)
    file, first = certified(tmp_path, known, HERE, at=AT)
    was = shown_in(file)
    again = authority(tmp_path, called, at=max(at, AT))
    assert again.fingerprint == known.fingerprint
    assert (first, certified(tmp_path, again, called, at=at)) == (True, (file, anew)), why
    assert (shown_in(file) == was) is not anew
    assert set(subjects(shown_in(file))) == {one for one in called.all if known.covers(one)}


def test_nothing_outlasts_the_authority(tmp_path: Path):
    known = authority(tmp_path, HERE, at=AT)
    file, _ = certified(tmp_path, known, HERE, at=day(3_640))
    assert shown_in(file).not_valid_after_utc == known.root.not_valid_after_utc
    assert certified(tmp_path, known, HERE, at=day(3_649)) == (file, False)  # not at every look
    with pytest.raises(AuthorityUnusable) as told:
        authority(tmp_path, HERE, at=day(3_650))
    assert "it ended on 2036-11-20" in str(told.value)


def test_a_name_it_may_not_certify_is_told_or_left_out(tmp_path: Path):
    known = authority(tmp_path, HERE, at=AT)
    renamed = names(["127.0.0.1"], "desk-9", [])
    authority(tmp_path, renamed, at=AT)
    file, _ = certified(tmp_path, known, renamed, at=AT)
    assert subjects(shown_in(file)) == ["127.0.0.1"]
    for given in ("muster.example", "8.8.8.8", "desk-9.local"):
        with pytest.raises(NameNotCovered):
            authority(tmp_path, names([given], "desk-9", []), at=AT)


def test_keys_are_for_their_owner_only_and_a_second_start_changes_nothing(tmp_path: Path):
    known = authority(tmp_path, HERE, at=AT)
    certified(tmp_path, known, HERE, at=AT)
    assert folder(tmp_path).stat().st_mode & 0o777 == 0o700
    modes = files(tmp_path)
    assert modes == dict.fromkeys(
        ["authority.lock", "authority.pem", "server.lock", "server.pem"], 0o600
    )
    was = {name: (folder(tmp_path) / name).read_bytes() for name in modes}
    again = authority(tmp_path, HERE, at=day(1))
    assert certified(tmp_path, again, HERE, at=day(1))[1] is False
    assert was == {name: (folder(tmp_path) / name).read_bytes() for name in files(tmp_path)}
    assert "PRIVATE" not in repr(known)


@pytest.mark.parametrize(
    "damage",
    [
        lambda pem: b"",
        lambda pem: pem[: len(pem) // 2],
        lambda pem: pem.replace(b"A", b"B", 40),
        lambda pem: pem.partition(b"-----BEGIN CERT")[0],
        lambda pem: b"-----BEGIN CERT" + pem.partition(b"-----BEGIN CERT")[2],
    ],
    ids=["empty", "cut", "altered", "key only", "no key"],
)
def test_a_damaged_file_is_told_and_kept(tmp_path: Path, damage):
    authority(tmp_path, HERE, at=AT)
    file = folder(tmp_path) / "authority.pem"
    file.write_bytes(damage(file.read_bytes()))
    was = file.read_bytes()
    for _ in range(2):
        with pytest.raises(AuthorityUnusable) as told:
            authority(tmp_path, HERE, at=AT)
        assert str(file) in str(told.value)
        assert file.read_bytes() == was


def test_a_key_of_another_authority_is_told(tmp_path: Path):
    for home in (tmp_path, tmp_path / "other"):
        authority(home, HERE, at=AT)
    file = folder(tmp_path) / "authority.pem"
    key = (folder(tmp_path / "other") / "authority.pem").read_text().partition("-----BEGIN CERT")[0]
    file.write_text(key + "-----BEGIN CERT" + file.read_text().partition("-----BEGIN CERT")[2])
    with pytest.raises(AuthorityUnusable, match="its key belongs to another"):
        authority(tmp_path, HERE, at=AT)


def test_a_damaged_certificate_of_the_machine_is_made_anew(tmp_path: Path):
    """Nothing is lost by it."""
    known = authority(tmp_path, HERE, at=AT)
    file, _ = certified(tmp_path, known, HERE, at=AT)
    for content in (b"", file.read_bytes()[:700], b"nonsense"):
        file.write_bytes(content)
        assert certified(tmp_path, known, HERE, at=AT) == (file, True)
    other = authority(tmp_path / "other", HERE, at=AT)
    file.write_bytes(certified(tmp_path / "other", other, HERE, at=AT)[0].read_bytes())
    assert certified(tmp_path, known, HERE, at=AT) == (file, True)


CHILD = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from muster.lan.authority import authority, certified
from muster.lan.names import Names
home, moment = Path(sys.argv[1]), sys.argv[2]
here = Names(("127.0.0.1",))
def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if moment:
    setattr(os, moment, killed)
known = authority(home, here, at=datetime.now(UTC))
certified(home, known, here, at=datetime.now(UTC))
print(known.fingerprint)
"""


def child(home: Path, moment: str = "") -> subprocess.Popen[str]:
    there = {**os.environ, "PYTHONPATH": str(Path(muster.__file__).parents[1])}
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(home), moment],
        stdout=subprocess.PIPE,
        text=True,
        env=there,
    )


@pytest.mark.parametrize("moment", ["fdopen", "fsync", "rename"])
def test_killed_while_writing_it_leaves_no_half_file(tmp_path: Path, moment: str):
    killed = child(tmp_path, moment)
    killed.communicate()
    assert killed.returncode == -9
    left = files(tmp_path)
    assert "authority.pem" not in left
    assert set(left.values()) == {0o600}
    assert any(name.endswith(".part") for name in left)
    said, _ = child(tmp_path).communicate()
    known = authority(tmp_path, Names(("127.0.0.1",)), at=datetime.now(UTC))
    assert said.strip() == known.fingerprint
    assert not any(name.endswith(".part") for name in files(tmp_path))


def test_of_several_first_starts_at_once_one_makes_it(tmp_path: Path):
    said = {one.communicate()[0] for one in [child(tmp_path) for _ in range(3)]}
    assert len(said) == 1
    assert len(said.pop().strip()) == 95


def test_its_problems_tell_no_key(tmp_path: Path):
    authority(tmp_path, HERE, at=AT)
    file = folder(tmp_path) / "authority.pem"
    content = file.read_text()
    file.write_text(content[:-200])
    with pytest.raises(Problem) as told:
        authority(tmp_path, HERE, at=AT)
    secret = content.splitlines()[1]
    assert secret not in f"{told.value} {told.value.details()} {told.value!r}"
    known = authority(tmp_path / "other", HERE, at=AT)
    assert known.der == known.root.public_bytes(Encoding.DER)
