"""Durations as people write them (contract: load testing §10.1)."""

import re
from typing import Any

from config.api.errors import Invalid
from loadtest.runs.fields import is_number

_SHAPE = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|m|h)?\s*", re.ASCII)
FOREVER_S = 10**12
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(name: str, value: Any) -> float:
    """Seconds of `"1.5m"`, `"200ms"`, `"30"` or a JSON number; raises Invalid that names the field."""
    if is_number(value) and value >= 0:
        return float(min(value, FOREVER_S))
    found = _SHAPE.fullmatch(value) if isinstance(value, str) and len(value) <= 64 else None
    if found is None:
        raise Invalid(f'\'{name}\' must be a duration such as "500ms", "60s", "2m" or a number of seconds')
    return float(found[1]) * _SECONDS[found[2] or "s"]
