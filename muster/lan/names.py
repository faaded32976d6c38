"""What this machine is called on a site's network: its private addresses, its name, its name in `.local`."""

import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from muster.core.problems import Problem

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# RFC 1918, RFC 6598 (hotspots), RFC 3927 (a cable without a router), RFC 4193. Not fe80::/10: no
# browser opens an address with a zone.
PRIVATE = tuple(
    ipaddress.ip_network(one)
    for one in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
        "fc00::/7",
    )
)  # fmt: skip
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")


class NoPrivateAddress(Problem):
    """This machine has no address of a private network, so no phone could reach it there. Connect it
    to the site's router, or say with --lan-address under which address or name phones reach it."""

    zh = (
        "本机没有私有网络地址，手机无法访问。请把本机接入现场路由器，"
        "或用 --lan-address 指明手机访问本机所用的地址或名称。"
    )


class NameUnfit(Problem):
    """{name} is neither an address nor a host's name. Give --lan-address without scheme and port."""

    zh = "{name} 既不是地址也不是主机名。--lan-address 不带协议和端口。"


@dataclass(frozen=True)
class Names:
    """Under which names phones may reach this machine; the first is the one they are told. `given`: those
    of them that the operator named."""

    all: tuple[str, ...]
    given: tuple[str, ...] = ()

    @property
    def first(self) -> str:
        return self.all[0]


def address_of(name: str) -> Address | None:
    """The address that a name is, if it is one."""
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def shown(name: str) -> str:
    """A name as it stands in a URL."""
    return f"[{name}]" if ":" in name else name


def names(given: Sequence[str], host: str, found: Sequence[str]) -> Names:
    """The names of a machine called `host` that has the addresses `found`; those that were `given` come
    in the place of its addresses. Raises NoPrivateAddress, NameUnfit."""
    told = named = [_fit(one) for one in given]
    if not told:
        known = [one for one in map(address_of, found) if one and _is_private(one)]
        told = [str(one) for one in sorted(known, key=lambda one: one.version)]
    if not told:
        raise NoPrivateAddress
    label = label_of(host)
    called = [label, f"{label}.local"] if label else []
    return Names(tuple(dict.fromkeys([*told, *called])), tuple(named))


def label_of(host: str) -> str:
    """The first part of a host's name, as it may stand in a certificate; empty where there is none."""
    label = host.partition(".")[0].lower()
    return label if _HOST.fullmatch(label) and label != "localhost" else ""


def here(given: Sequence[str] = ()) -> Names:
    """The names of this machine. Raises NoPrivateAddress, NameUnfit."""
    return names(given, socket.gethostname(), _addresses())


def _addresses() -> list[str]:
    """The addresses of the interfaces that are up; first those by which other networks are reached."""
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    found = [
        one.address.partition("%")[0]
        for name, addresses in psutil.net_if_addrs().items() if name in up
        for one in addresses if one.family in (socket.AF_INET, socket.AF_INET6)
    ]  # fmt: skip
    ways = [_way(socket.AF_INET, "192.0.2.1"), _way(socket.AF_INET6, "2001:db8::1")]
    return sorted(found, key=lambda one: one not in ways)


def _way(family: socket.AddressFamily, elsewhere: str) -> str:
    """The address this machine would use to reach another; nothing is sent (UDP)."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.connect((elsewhere, 9))
            return asked.getsockname()[0]
    except OSError:
        return ""


def _is_private(address: Address) -> bool:
    return any(address in network for network in PRIVATE)


def _fit(name: str) -> str:
    address = address_of(name.strip("[]"))
    if address:
        return str(address)
    if not _HOST.fullmatch(name.lower()):
        raise NameUnfit(name=name[:80])
    return name.lower()
