"""The body of a run as its row keeps it: without secrets, and of a size that lists can carry."""

import json
from collections.abc import Iterable
from typing import Any

from loadtest.runs.masking import masked_config

LONGEST_TEXT = 64 * 1024
LARGEST = 256 * 1024
TRUNCATED = "snapshotTruncated"


def snapshot(body: dict[str, Any], secrets: Iterable[str] = ()) -> dict[str, Any]:
    """The masked body; `snapshotTruncated` is true when long texts were cut or large fields left out."""
    config = masked_config(body, secrets)
    if len(json.dumps(config)) <= LARGEST:
        return config
    cut = {name: _cut(value) for name, value in config.items()}
    sizes = {name: len(json.dumps(value)) for name, value in cut.items()}
    kept: dict[str, Any] = {}
    left = LARGEST
    for name in sorted(cut, key=lambda name: sizes[name]):
        left -= sizes[name]
        if left >= 0:
            kept[name] = cut[name]
    return kept | {TRUNCATED: True}


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    if isinstance(value, dict):
        return {name: _cut(inner) for name, inner in value.items()}
    return [_cut(inner) for inner in value] if isinstance(value, list) else value
