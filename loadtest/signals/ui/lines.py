"""From lines of the Prometheus text form to curves. Pure."""

import math
from typing import Any

MOST_CURVES = 8
LONGEST_LABEL = 80


def curves(lines: list[str], *, now: float) -> dict[str, Any]:
    """The data of the tag `chart`: a curve for each of the first few series, its values by time."""
    points: dict[str, list[tuple[float, float]]] = {}
    for line in lines:
        head, _, stamp = line.rpartition(" ")
        series, _, value = head.rpartition(" ")
        if series in points or len(points) < MOST_CURVES:
            number = float(value)
            if math.isfinite(number):
                points.setdefault(series, []).append((int(stamp) / 1000, number))
    every = [at for curve in points.values() for at, _ in curve]
    series_ = [{"label": name[:LONGEST_LABEL], "unit": "", "points": sorted(curve)} for name, curve in points.items()]
    return {"series": series_, "from": min(every, default=now - 60), "to": max(every, default=now)}
