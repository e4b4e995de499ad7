"""Exchanges as trace documents, for imports and tests (contract §6.1: what we write)."""

from typing import Any

from loadtest.replay.spans.exchange import Exchange


def trace_document(exchange: Exchange) -> dict[str, Any]:
    """A document with one resource, one scope and one span; ids that are missing are made fresh."""
    raise NotImplementedError
