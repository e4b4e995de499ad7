"""From OTLP's metrics to curves."""

from collections.abc import Iterator
from typing import Any

from fleet.collectors.curves import Curve
from fleet.collectors.models import Kind
from fleet.collectors.otlp import attributes, histograms
from fleet.collectors.refusals import Refused
from fleet.collectors.senders import NotTaken, Sender

NO_VALUE = 1  # the flag of a point that says: nothing was recorded
DELTA = 1  # AggregationTemporality
NS_IN_MS = 1_000_000


def count(request: Any) -> int:
    """How many points there are."""
    return sum(
        len(getattr(metric, kind).data_points)
        for group in request.resource_metrics
        for scope in group.scope_metrics
        for metric in scope.metrics
        if (kind := metric.WhichOneof("data"))
    )


def curves(request: Any, *, sender: Sender, refused: Refused, now_ms: int) -> Iterator[Curve]:
    """The points as curves, those of machines that the key may not write for refused."""
    for group in request.resource_metrics:
        resource = attributes.attributes(group.resource.attributes)
        try:
            instance_id = sender.instance(
                attributes.references(resource),
                host=attributes.text(resource.get("host.name") or ""),
                facts=attributes.facts(resource),
            )
        except NotTaken as reason:
            one = type(request)(resource_metrics=[group])
            refused.add(str(reason), count(one))
            continue
        common = attributes.telling(resource)
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                yield from _of(metric, instance_id, common, now_ms)


def _of(metric: Any, instance_id: str, common: dict[str, str], now_ms: int) -> Iterator[Curve]:
    kind = metric.WhichOneof("data")
    if kind is None:
        return
    data = getattr(metric, kind)
    grows = _kind(kind, data)
    for point in data.data_points:
        if point.flags & NO_VALUE:
            continue
        at = (point.time_unix_nano // NS_IN_MS) or now_ms
        labels = common | attributes.labels(point.attributes)
        for suffix, more, its_kind, value in _parts(kind, point, grows):
            name = metric.name + suffix
            yield Curve(instance_id, name, labels | more, its_kind, _unit(suffix, metric.unit), [(at, value)])


def _kind(kind: str, data: Any) -> Kind:
    """How the sums in it grow."""
    if kind == "gauge" or (kind == "sum" and not data.is_monotonic and data.aggregation_temporality != DELTA):
        return Kind.GAUGE
    if kind != "summary" and data.aggregation_temporality == DELTA:
        return Kind.DELTA
    return Kind.COUNTER


def _parts(kind: str, point: Any, grows: Kind) -> Iterator[histograms.Part]:
    match kind:
        case "gauge" | "sum":
            if value := point.WhichOneof("value"):
                yield "", {}, grows, float(getattr(point, value))
        case "histogram":
            yield from histograms.explicit(point, grows)
        case "exponential_histogram":
            yield from histograms.exponential(point, grows)
        case "summary":
            yield from histograms.summary(point)


def _unit(suffix: str, unit: str) -> str:
    return "" if suffix in ("_count", "_bucket") else unit
