"""Messages of OTLP and Prometheus as collectors make them."""

from datetime import datetime
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from fleet.collectors.prometheus.messages import WriteRequest

NAMED = {"nan": "NaN", "inf": "Infinity"}  # as JSON carries them


def ns(at: datetime) -> str:
    """As JSON carries 64 bits."""
    return str(int(at.timestamp() * 1000) * 1_000_000)


def value(of: Any) -> dict[str, Any]:
    kind = {bool: "boolValue", int: "intValue", float: "doubleValue"}.get(type(of), "stringValue")
    return {kind: of}


def attributes(**given: Any) -> list[dict[str, Any]]:
    """`attributes(host__name="web-1")`: two underscores stand for a dot."""
    return [{"key": name.replace("__", "."), "value": value(of)} for name, of in given.items()]


def metrics(*made: dict[str, Any], **resource: Any) -> dict[str, Any]:
    """A request with these metrics, as JSON."""
    group = {"resource": {"attributes": attributes(**resource)}, "scopeMetrics": [{"metrics": list(made)}]}
    return {"resourceMetrics": [group]}


def gauge(name: str, at: datetime, number: float, **labels: Any) -> dict[str, Any]:
    point = {"timeUnixNano": ns(at), "asDouble": NAMED.get(str(number), number), "attributes": attributes(**labels)}
    return {"name": name, "gauge": {"dataPoints": [point]}}


def total(name: str, at: datetime, number: float, *, monotonic: bool = True, **labels: Any) -> dict[str, Any]:
    """A cumulative sum."""
    point = {"timeUnixNano": ns(at), "asDouble": number, "attributes": attributes(**labels)}
    return {"name": name, "sum": {"aggregationTemporality": 2, "isMonotonic": monotonic, "dataPoints": [point]}}


def logs(*records: dict[str, Any], **resource: Any) -> dict[str, Any]:
    group = {"resource": {"attributes": attributes(**resource)}, "scopeLogs": [{"logRecords": list(records)}]}
    return {"resourceLogs": [group]}


def as_protobuf(message: dict[str, Any]) -> bytes:
    kind = ExportLogsServiceRequest if "resourceLogs" in message else ExportMetricsServiceRequest
    return json_format.ParseDict(message, kind()).SerializeToString()


def written(*series: tuple[dict[str, str], list[tuple[datetime, float]]]) -> bytes:
    """A request of remote write 1: labels and samples of each series."""
    request = WriteRequest()
    for labels, samples in series:
        one = request.timeseries.add()
        for name, text in sorted(labels.items()):
            one.labels.add(name=name, value=text)
        for at, number in samples:
            one.samples.add(timestamp=int(at.timestamp() * 1000), value=number)
    return request.SerializeToString()
