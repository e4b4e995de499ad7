"""Request limits per principal, then per peer address (contract: fleet console §1.8, monitors §1.3)."""

import logging
import time
from hashlib import sha256
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.throttling import BaseThrottle

from config.api.errors import TooMany

log = logging.getLogger(__name__)
WINDOW_S = 60


def peer_address(request: Any) -> str:
    """The client's address; a forwarding header counts only when a configured proxy sent it."""
    meta = request.META
    address = meta.get("REMOTE_ADDR") or ""
    forwarded = [part.strip() for part in meta.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    while forwarded and trusted(address):
        address = forwarded.pop()
    return address


def trusted(address: str) -> bool:
    try:
        peer = ip_address(address)
    except ValueError:
        return False
    return any(peer in network for network in settings.TRUSTED_PROXIES)


def count(name: str, who: str, limit: int) -> tuple[int, int, int]:
    """Count one request of `who` in the current minute; `(limit, remaining, reset as Unix seconds)`.

    Raises TooMany above the limit. A limit of 0 counts nothing.
    """
    now = int(time.time())
    reset = (now // WINDOW_S + 1) * WINDOW_S
    key = f"rate:{name}:{sha256(who.encode()).hexdigest()}:{reset}"
    try:
        cache.add(key, 0, WINDOW_S + 5)
        used = cache.incr(key)
    except ValueError:  # the entry was evicted between the two calls
        used = 1
    except Exception:  # noqa: BLE001 - whatever the cache raises: better no limit than no answer
        log.warning("requests are not limited, the cache does not answer", exc_info=True)
        used = 0
    if used > limit:
        raise TooMany("Too many requests. Wait and try again.", retry_after=reset - now, window=(limit, 0, reset))
    return limit, limit - used, reset


class RateLimit(BaseThrottle):
    """Chooses the class of a request: reads, writes, or what the view names in `rate_class`.

    `rate_class = "reads"` moves a view's writes to the lenient class, `None` lifts the limit (ingest).
    """

    def allow_request(self, request: Any, view: Any) -> bool:
        name = getattr(view, "rate_class", "by method")
        if name is None:
            return True
        if name == "by method":
            name = "reads" if request.method in ("GET", "HEAD", "OPTIONS") else "writes"
        limits = {
            "reads": settings.RATE_READS,
            "writes": settings.RATE_WRITES,
            "monitors": settings.RATE_MONITOR_REQUESTS,
            "loadtest": settings.RATE_LOADTEST_REQUESTS,
        }
        limit_request(request, name, limits[name], by_key=name == "monitors")
        return True


def limit_request(request: Any, name: str, limit: int, *, by_key: bool = False) -> None:
    """Count a request, which then carries the headers; raises TooMany above the limit. 0 counts nothing."""
    if not limit:
        return
    try:
        request._request.rate_limit = count(name, who(request, by_key=by_key), limit)
    except TooMany as error:
        request._request.rate_limit = error.extra["window"]
        raise


def who(request: Any, *, by_key: bool = False) -> str:
    """Whom a request is counted for: the user, or with `by_key` each of their keys apart."""
    principal = request._request.principal
    if principal and by_key and principal.key_id:
        return f"key:{principal.key_id}"
    return f"user:{principal.user.pk}" if principal else f"peer:{peer_address(request)}"
