"""Callers without a key whom the settings trust for where they are (contract: load testing §1).

A program on this machine may use load testing without a key. A page in a browser on this machine must not: it could
be anybody's, and reach us by a name that it points here (DNS rebinding) or by a form. So whoever shows a sign of a
browser elsewhere, or of a proxy that nobody vouches for, is refused.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost

from config.api.authentication import Principal
from config.api.permissions import ADMIN, VIEWER
from config.api.throttling import peer_address, trusted
from security.accounts.models import User
from security.keys.origins import from_our_pages

Address = IPv4Address | IPv6Address

BELOW = "/api/loadtest/"
USER_ID = "anonymous"
FORWARDED_FOR = "HTTP_X_FORWARDED_FOR"
FORWARDING = (FORWARDED_FOR, "HTTP_X_FORWARDED_HOST", "HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_VIA")
CREDENTIALS = ("HTTP_AUTHORIZATION", "HTTP_X_API_KEY")
OWN_SITES = ("same-origin", "none")


def principal_of(request: Any) -> Principal | None:
    """An administrator of load testing without a name, or None when the caller is not one to trust."""
    if not settings.LOADTEST_ANONYMOUS_FROM or not request.path_info.startswith(BELOW):
        return None
    if any(request.META.get(name) for name in CREDENTIALS):
        return None  # whoever tries to be somebody is not nobody
    peer = _near_peer(request)
    if peer is None or not _asks_for_us(request, peer) or _is_foreign_page(request):
        return None
    user = User(id=USER_ID, name=f"anonymous at {peer}", kind=User.Kind.SERVICE, role=VIEWER)
    return Principal(user=user, role=ADMIN)


def _near_peer(request: Any) -> Address | None:
    """The caller's address, if it lies in a network that the settings name and no unknown proxy is in between."""
    if trusted(request.META.get("REMOTE_ADDR") or ""):
        if not request.META.get(FORWARDED_FOR):
            return None  # a proxy that does not tell for whom it asks
    elif any(request.META.get(name) for name in FORWARDING):
        return None
    try:
        address = ip_address(peer_address(request))
    except ValueError:
        return None
    address = getattr(address, "ipv4_mapped", None) or address
    return address if any(address in network for network in settings.LOADTEST_ANONYMOUS_FROM) else None


def _asks_for_us(request: Any, peer: Address) -> bool:
    """The Host header holds an address, `localhost` or our own name: no name that somebody else points here."""
    try:
        host = urlsplit(f"//{request.get_host()}").hostname or ""
    except (DisallowedHost, ValueError):
        return False
    if host in ("localhost", urlsplit(settings.BASE_URL).hostname):
        return True
    try:
        return ip_address(host).is_loopback or not peer.is_loopback
    except ValueError:
        return False


def _is_foreign_page(request: Any) -> bool:
    """A browser says that a page of another site asks. Who says nothing of pages is a program."""
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if origin is not None:
        return not from_our_pages(origin, request.get_host())
    return site is not None and site not in OWN_SITES
