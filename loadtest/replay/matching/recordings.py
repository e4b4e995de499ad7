"""The captured responses of a case, found again for the action `replay` (contract §7.3)."""

from collections.abc import Mapping
from typing import Any

from loadtest.replay.spans.exchange import Exchange


class Recordings:
    """Index over a case, built once a revision.

    `found` are those that may answer, in captured order; the call number n (from 0) of the same `identity` is
    answered by `found[min(n, len(found) - 1)]`.
    """

    def __init__(self, case: Mapping[str, Any] | None) -> None:
        raise NotImplementedError

    def found(self, exchange: Exchange) -> list[Exchange]:
        raise NotImplementedError


def identity(exchange: Exchange) -> str:
    """Hex SHA-256 of direction, method, host, path, sorted query and body: one cursor each."""
    raise NotImplementedError
