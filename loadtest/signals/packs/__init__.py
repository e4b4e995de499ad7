"""Packs of our own: sets of metrics that one entry expands to (contract: signals §8.8)."""

from typing import Any


def names() -> list[str]:
    """The packs there are, sorted."""
    raise NotImplementedError


def pack(name: str) -> dict[str, Any] | None:
    """The document of a pack (`kind: composable`), or None."""
    raise NotImplementedError
