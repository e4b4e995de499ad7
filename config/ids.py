"""Identifiers of the fleet console: opaque, sortable by creation, 25 characters (contract: fleet console §1.5)."""

import os
import secrets
import time
from functools import lru_cache
from random import Random

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
_LENGTH, _TIME, _ORDER = 25, 8, 4
_quick = Random(secrets.randbits(128))  # noqa: S311 - for ids that need to be different, and no more
os.register_at_fork(after_in_child=lambda: _quick.seed(secrets.randbits(128)))


def cuid(at_ms: int | None = None, *, order: int | None = None, rest: str = "") -> str:
    """A new id: `c`, eight base-36 digits of the Unix time in milliseconds (now, or `at_ms`), sixteen random ones.

    With `order` the first four of those tell it, so that ids of one millisecond sort as they came; such ids come in
    masses, and the `rest` of them is drawn without asking the operating system for each, or is the same for a batch.
    """
    head = "c" + _moment(time.time_ns() // 1_000_000 if at_ms is None else at_ms)
    if order is None:
        return head + _base36(secrets.randbits(83), _LENGTH - 1 - _TIME)
    return head + _PAIRS[order // 1296 % 1296] + _PAIRS[order % 1296] + (rest or rest_of_many())


def rest_of_many() -> str:
    """The last twelve digits of ids with an order."""
    return _base36(_quick.getrandbits(63), _LENGTH - 1 - _TIME - _ORDER)


@lru_cache(maxsize=1024)
def _moment(ms: int) -> str:
    return _base36(ms, _TIME)


def _base36(number: int, places: int) -> str:
    """The last digits of a number; `places` is even."""
    pairs = []
    for _ in range(places // 2):
        number, pair = divmod(number, 1296)
        pairs.append(_PAIRS[pair])
    return "".join(reversed(pairs))


def moment_of(identifier: str) -> int | None:
    """The Unix time in milliseconds that an id of ours carries; None for one that is not ours."""
    head = identifier[1:9]
    if len(identifier) != 25 or identifier[0] != "c" or not set(head) <= set(_DIGITS):
        return None
    return int(head, 36)
