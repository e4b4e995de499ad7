"""Packs of our own: sets of metrics that one entry expands to (contract: signals §8.8)."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def _packs() -> dict[str, dict[str, Any]]:
    found = [one for one in files(__name__).iterdir() if one.name.endswith(".yaml")]
    documents = [yaml.safe_load(one.read_text(encoding="utf-8")) for one in found]
    return {document["name"]: document for document in documents}


def names() -> list[str]:
    """The packs there are, sorted."""
    return sorted(_packs())


def pack(name: str) -> dict[str, Any] | None:
    """The document of a pack (`kind: composable`), or None."""
    return _packs().get(name)
