"""Which addresses a URL that a customer gave may lead to: public ones, and those the operator allows. Pure.

Python's own `is_global` is not enough: it is true for multicast, for NAT64 and 6to4 forms of private addresses, and
for `::127.0.0.1`. So the private ranges are listed, and every form that carries another address is opened first.
"""

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# The IANA special-purpose registries, less what is globally reachable
_NOT_PUBLIC = [
    ipaddress.ip_network(one)
    for one in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, the clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",  # Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "2002::/16",  # 6to4: leads to the IPv4 address inside, through whatever relay there is
        "3fff::/20",
        "5f00::/16",
    )
]
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # all other IPv6 is loopback, local, multicast or reserved
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class ForbiddenAddress(Exception):
    """A URL that leads to where customers' URLs may not lead. The message names the host, never what it resolved to."""


def networks(listed: Sequence[str]) -> list[Network]:
    """The operator's list, as networks."""
    return [ipaddress.ip_network(one, strict=False) for one in listed]


def allowed(address: str, exceptions: Sequence[Network] = ()) -> bool:
    """Whether the address is public or within `exceptions`. An address is judged as the one it leads to."""
    try:
        found = _opened(ipaddress.ip_address(address))
    except ValueError:
        return False
    if any(found.version == one.version and found in one for one in exceptions):
        return True
    if isinstance(found, ipaddress.IPv6Address) and (found.scope_id or found not in _GLOBAL_UNICAST):
        return False
    return not any(found.version == one.version and found in one for one in _NOT_PUBLIC)


def _opened(address: Address) -> Address:
    """What an IPv4-mapped or NAT64 address leads to."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def literal(host: str) -> str | None:
    """The address that a host *is*, in whatever spelling (`0x7f.1`, `2130706433`, `[::1]`), or None for a name."""
    bare = host.removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(bare.rstrip(".")))
    except (OSError, ValueError):
        return None


def fault(url: str, exceptions: Sequence[Network] = ()) -> str | None:
    """What is wrong with a customer's URL as far as one can see without resolving it, or None.

    The guard decides when it connects; this is for telling people early.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is not an address"
    host = parts.hostname
    if parts.scheme not in {"http", "https"} or not host or port == 0 or not url.isascii() or not url.isprintable():
        return "must be an address such as https://models.example.com/v1"
    if " " in url or "\\" in url or parts.query or parts.fragment:
        return "must be an address such as https://models.example.com/v1, without ? and #"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user name or password"
    if host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost"):
        return "leads to the server itself, which customers' addresses may not"
    found = literal(host)
    if found is not None and not allowed(found, exceptions):
        return "is a private or reserved address"
    return None
