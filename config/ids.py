"""Identifiers of the fleet console: opaque, sortable by creation, 25 characters (contract: fleet console §1.5)."""

import secrets
import time

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def cuid() -> str:
    """A new id: `c`, eight base-36 digits of the Unix time in milliseconds, sixteen random ones."""
    milliseconds, head = time.time_ns() // 1_000_000, ""
    for _ in range(8):
        milliseconds, digit = divmod(milliseconds, 36)
        head = _DIGITS[digit] + head
    return "c" + head + "".join(secrets.choice(_DIGITS) for _ in range(16))
