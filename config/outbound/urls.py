"""Reading a URL once, strictly: what is checked here is exactly what is connected to and sent."""

import re
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import urllib3.util
from urllib3.exceptions import LocationParseError

from .addresses import Address, Policy, default_policy
from .errors import BadUrl

MAX_URL = 8192  # characters

_SHAPE = re.compile(r"(https?)://([^/?#]*)(.*)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")  # resolvers read such a last label as an address
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Target:
    """One parsed URL. `host` is lower case, without brackets or last dot; `path` is the request target."""

    scheme: str
    host: str
    port: int
    path: str = field(repr=False)
    address: Address | None  # when the host is a literal address

    @property
    def authority(self) -> str:
        """The `Host` header: IPv6 in brackets, the port only when it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def parse_url(url: str) -> Target:
    """Parse an absolute http(s) URL; raises `BadUrl` whose message never repeats the URL."""
    if len(url) > MAX_URL:
        raise BadUrl(f"The URL is longer than {MAX_URL} characters.")
    if _CONTROL.search(url):
        raise BadUrl("The URL contains a space or a control character.")
    shape = _SHAPE.fullmatch(url)
    if not shape:
        raise BadUrl("The URL must start with http:// or https://.")
    if "@" in shape[2]:
        raise BadUrl("The URL must not contain a user name or password.")
    if "%" in shape[2] or "\\" in shape[2]:  # parsers disagree on where the host ends and what it says
        raise BadUrl("The host in the URL must not contain % or a backslash.")
    try:
        parts = urllib3.util.parse_url(url)
    except LocationParseError:
        raise BadUrl("The URL has no valid host or port.") from None  # the cause repeats the URL
    scheme = shape[1].lower()
    port = _PORTS[scheme] if parts.port is None else parts.port
    if not 1 <= port <= 65535:
        raise BadUrl("The port in the URL must be between 1 and 65535.")
    host, address = parse_host(parts.host or "")
    return Target(scheme=scheme, host=host, port=port, path=parts.request_uri, address=address)


def parse_host(host: str) -> tuple[str, Address | None]:
    """The plain lower-case form of a host name or literal address, and that address; raises `BadUrl`.

    Shortened, octal, hexadecimal and one-number IPv4 forms are refused: parsers disagree on what they mean.
    """
    host = host.lower()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if ":" in host and "%" not in host:
        try:
            address = IPv6Address(host)
        except AddressValueError:
            raise BadUrl("The IPv6 address of the host is malformed.") from None
        return str(address), address
    host = host.removesuffix(".")
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise BadUrl("The host name is empty or malformed.")
    if _NUMBER.fullmatch(host):
        try:
            return host, IPv4Address(host)
        except AddressValueError:
            raise BadUrl("An IPv4 address must be written as four decimal numbers, without leading zeros.") from None
    return host, None


def check_url(url: str, policy: Policy | None = None) -> Target:
    """Judge a URL for storing, without a name look-up (answers change; `request` looks up each time).

    Raises `BadUrl`, or `Refused` for a literal address that the policy forbids.
    """
    target = parse_url(url)
    if target.address:
        (policy or default_policy()).check(target.address, target.host)
    return target
