"""Histograms and summaries as plain series, the way Prometheus writes them: `_count`, `_sum`, `_bucket{le}`.

Buckets are counted upwards: each holds what is at most `le`. An exponential histogram keeps buckets at the powers of
two; its finer ones fall into those without a remainder, so nothing is guessed.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from fleet.collectors.models import Kind

Part = tuple[str, dict[str, str], Kind, float]  # suffix of the name, further labels, kind, value
LARGEST_POWER = 1023
MOST_SHIFT = 12  # beyond that every bucket passes all numbers


def explicit(point: Any, grows: Kind) -> Iterator[Part]:
    yield from _sums(point, grows)
    so_far, bounds = 0, list(point.explicit_bounds)
    for bound, count in zip([*bounds, float("inf")], point.bucket_counts, strict=False):
        so_far += count
        yield "_bucket", {"le": _bound(bound)}, grows, float(so_far)


def exponential(point: Any, grows: Kind) -> Iterator[Part]:
    yield from _sums(point, grows)
    upper = _powers(point.positive, point.scale)
    so_far = point.zero_count + sum(point.negative.bucket_counts)
    if point.zero_count or point.negative.bucket_counts:
        yield "_bucket", {"le": "0"}, grows, float(so_far)
    for power in sorted(upper):
        so_far += upper[power]
        if power <= LARGEST_POWER:
            yield "_bucket", {"le": _bound(2.0**power)}, grows, float(so_far)
    yield "_bucket", {"le": "+Inf"}, grows, float(point.count)


def summary(point: Any) -> Iterator[Part]:
    yield "_count", {}, Kind.COUNTER, float(point.count)
    yield "_sum", {}, Kind.COUNTER, point.sum
    for one in point.quantile_values:
        yield "", {"quantile": f"{one.quantile:g}"}, Kind.GAUGE, one.value


def _sums(point: Any, grows: Kind) -> Iterator[Part]:
    yield "_count", {}, grows, float(point.count)
    if point.HasField("sum"):
        yield "_sum", {}, grows, point.sum
    for name in ("min", "max"):
        if point.HasField(name):
            yield f"_{name}", {}, Kind.GAUGE, getattr(point, name)


def _powers(buckets: Any, scale: int) -> Counter[int]:
    """Counts by the exponent of the power of two that ends them; bucket i ends at 2^((i + 1) / 2^scale)."""
    counts: Counter[int] = Counter()
    for place, count in enumerate(buckets.bucket_counts, start=buckets.offset):
        if count:
            counts[(place >> scale) + 1 if scale >= 0 else (place + 1) << min(-scale, MOST_SHIFT)] += count
    return counts


def _bound(bound: float) -> str:
    return "+Inf" if bound == float("inf") else f"{bound:g}"
