"""Where a request goes, and which places are closed to it."""

import asyncio
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

import psutil
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from config.networks import never

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/?#@\[\]\\%]{1,253})(?::([0-9]{1,5}))?")
_ABSOLUTE = re.compile(r"(https?)://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_PORTS = {"http": 80, "https": 443}
WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to


class BadTarget(Exception):
    """The request names no place that a gateway can send it to."""


class Refused(Exception):
    """The place is one that no request may be sent to: it hands out credentials, or it is this gateway."""


@dataclass(frozen=True)
class Target:
    """Where one request goes. `host` is lower case, without brackets; `authority` is what the message calls it."""

    scheme: str
    host: str
    port: int
    path: str  # with the query, byte for byte
    authority: str

    @property
    def url(self) -> URL:
        path, _, query = self.path.partition("?")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return URL.build(scheme=self.scheme, host=host, port=self.port, path=path, query_string=query, encoded=True)


def split_authority(authority: str, scheme: str) -> tuple[str, int]:
    """Host and port of `host:port` as `Host`, CONNECT or a URL write it; raises BadTarget."""
    shape = _AUTHORITY.fullmatch(authority)
    host, port = (shape[1].strip("[]").lower().rstrip("."), int(shape[2] or _PORTS[scheme])) if shape else ("", 0)
    if not host or not 0 < port < 65536 or any(len(label) > 63 for label in host.split(".")):
        raise BadTarget("The address of the request has no valid host and port.")
    return host, port


def absolute(text: str) -> Target:
    """The target of a request line in absolute form, as proxies get them; raises BadTarget."""
    shape = _ABSOLUTE.fullmatch(text)
    if not shape:
        raise BadTarget("This is a forward proxy: it takes requests with an absolute http:// address, and CONNECT.")
    scheme, authority, path = shape[1].lower(), shape[2], shape[3].partition("#")[0]
    host, port = split_authority(authority, scheme)
    return Target(scheme, host, port, path if path.startswith("/") else f"/{path}", authority)


def matches(host: str, patterns: Iterable[str]) -> bool:
    """Whether a host is on a list: the host itself or any below it; `.example` only those below, `*` all."""
    for pattern in patterns:
        suffix = pattern.removeprefix("*") if pattern != "*" else ""
        if host.endswith(suffix) if suffix.startswith(".") or not suffix else _within(host, suffix):
            return True
    return False


def _within(host: str, suffix: str) -> bool:
    return host == suffix or host.endswith(f".{suffix}")


class Guard:
    """Judges addresses: metadata and link-local ones are closed always, and so are the gateway's own listeners."""

    def __init__(self) -> None:
        self._own: set[tuple[str, int]] = set()

    def own(self, address: str, port: int) -> None:
        """Learn an address that the gateway listens on."""
        addresses = {address}
        if address in WILDCARDS:
            addresses |= {found.address for links in psutil.net_if_addrs().values() for found in links}
        self._own |= {(one.partition("%")[0], port) for one in addresses}

    def check(self, address: str, port: int, host: str) -> None:
        """Raise Refused unless this address may be called; `host` is how the request names it."""
        if why := _never(address):
            raise Refused(f"{host} is not allowed as a target: it is {why}.")
        if (address, port) in self._own:
            raise Refused(f"{host} port {port} is this gateway itself: the request would go round in circles.")

    def check_literal(self, target: Target) -> None:
        """The same for a host that is written as an address: no name is looked up for it. Raises Refused."""
        if _is_address(target.host):
            self.check(target.host, target.port, target.host)


@lru_cache(maxsize=4096)
def _never(address: str) -> str | None:
    return never(ip_address(address.partition("%")[0]))


@lru_cache(maxsize=4096)
def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class GuardedResolver(AbstractResolver):
    """Looks names up and judges every answer before anyone connects to it."""

    def __init__(self, guard: Guard) -> None:
        self._guard, self._resolver = guard, ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await asyncio.wait_for(self._resolver.resolve(host, port, family), timeout=10)
        for answer in found:
            self._guard.check(answer["host"], port, host)
        return found

    async def close(self) -> None:
        await self._resolver.close()
