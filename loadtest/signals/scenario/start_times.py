"""Where an entry's clock stands when it starts: `now`, a moment, or a distance from now (contract: signals §4.5)."""

import re
from datetime import UTC, datetime, timedelta

_DISTANCE = re.compile(r"([+-])(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)", re.ASCII)
_UNIT_NS = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_FARTHEST_NS = 100 * 366 * 86400 * 10**9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def start_from(text: str, now_ns: int) -> int:
    """Unix nanoseconds that the first tick carries; raises ValueError on any other text, and beyond a century."""
    if text == "now":
        return now_ns
    if found := _DISTANCE.fullmatch(text):
        distance_ns = round(float(found[2]) * _UNIT_NS[found[3]])
        start_ns = now_ns + (distance_ns if found[1] == "+" else -distance_ns)
    elif _MOMENT.fullmatch(text):
        start_ns = (datetime.fromisoformat(text.upper()) - _EPOCH) // timedelta(microseconds=1) * 1000
    else:
        raise ValueError(text)
    if abs(start_ns - now_ns) > _FARTHEST_NS:
        raise ValueError(text)
    return start_ns
