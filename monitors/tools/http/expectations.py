"""Whether an answer is what was expected, and where its time went (contract: monitors §8.5)."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from config import outbound


def fault_of(reply: outbound.Reply, expect: Mapping[str, Any]) -> str | None:
    """The first expectation that an answer does not meet."""
    if not status_fits(reply.status, expect.get("status")):
        return f"status {reply.status} was not expected"
    wanted = expect.get("bodyContains")
    if wanted and wanted.encode() not in reply.body:
        return "the body does not contain the expected text"
    lines = [f"{name}: {value}".lower() for name, value in reply.headers.items()]
    for text in expect.get("headerContains") or ():
        if not any(text.lower() in line for line in lines):
            return "no header contains the expected text"
    return None


def status_fits(status: int, expected: list[int | str] | None) -> bool:
    """Whether a status is among the expected ones (numbers or classes such as "2xx"); by default 200 to 399."""
    if not expected:
        return 200 <= status < 400
    return status in expected or f"{status // 100}xx" in expected


def parts(reply: outbound.Reply | None) -> dict[str, Any]:
    """Where the time of the first answer went, and how long its certificate still holds."""
    if reply is None:
        return {}
    days = reply.certificate_days_left(timezone.now())
    return {
        "dnsMs": reply.timings.dns_ms,
        "connectMs": reply.timings.connect_ms,
        "tlsMs": reply.timings.tls_ms,
        "firstByteMs": reply.timings.first_byte_ms,
        "certificateDaysLeft": None if days is None else round(days, 1),
    }
