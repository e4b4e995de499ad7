"""What addresses are: those nobody may call, this machine, networks inside. Tables only; knows no Django.

The tables are our own and not `ipaddress.is_global`, whose answer changed between Python releases. Source: the
IANA special-purpose address registries for IPv4 and IPv6.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Table = list[tuple[Network, str]]


def _table(rows: dict[str, str]) -> Table:
    return [(ip_network(text), what) for words, what in rows.items() for text in words.split()]


# Nothing opens these: they hand out credentials or can be no peer of a TCP connection.
NEVER = _table(
    {
        "169.254.169.254 169.254.170.2 168.63.129.16 100.100.100.200 192.0.0.192": "a cloud metadata address",
        "fd00:ec2::254 fd20:ce::254 fd00:42::42 fd00:c1::a9fe:a9fe": "a cloud metadata address",
        "169.254.0.0/16 fe80::/10": "a link-local address",
        "0.0.0.0/8 ::": "an unspecified address",
        "224.0.0.0/4 ff00::/8": "a multicast address",
        "255.255.255.255": "the broadcast address",
    }
)
LOOPBACK = _table({"127.0.0.0/8 ::1": "a loopback address"})
INSIDE = LOOPBACK + _table(
    {
        "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10 64:ff9b:1::/48": "a private network",
        "100.64.0.0/10": "a carrier-grade NAT network",
        "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20": "a documentation network",
        "192.0.0.0/24 192.88.99.0/24 198.18.0.0/15 240.0.0.0/4 2001::/23 2002::/16": "a reserved network",
    }
)


def found(address: Address, table: Table) -> str | None:
    """What the table calls the address, None when it is not in it."""
    return next((what for network, what in table if address in network), None)


def never(address: Address) -> str | None:
    """Why nobody may call this address, or one hidden in it; None when that is for a policy to say."""
    return next((what for judged in with_embedded(address) if (what := found(judged, NEVER))), None)


def with_embedded(address: Address) -> Iterator[Address]:
    """The address, then each IPv4 address that a gateway or the kernel could read out of it."""
    if isinstance(address, IPv4Address):
        yield address
        return
    bits = int(address)
    if address.ipv4_mapped:  # the kernel opens a plain IPv4 connection: only that one counts
        yield address.ipv4_mapped
        return
    yield address
    low = IPv4Address(bits & 0xFFFFFFFF)
    if bits >> 32 in (0, 0x0064FF9B << 64, 0xFFFF0000) and bits > 1:  # compatible, NAT64, translated
        yield low
    if (bits >> 32) & 0xFDFFFFFF == 0x5EFE:  # ISATAP
        yield low
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
