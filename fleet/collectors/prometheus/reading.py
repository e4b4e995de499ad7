"""From remote write to curves."""

import re
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import DecodeError

from config.api.errors import Malformed
from fleet.collectors.bodies import UnknownEncoding
from fleet.collectors.curves import Curve
from fleet.collectors.models import Kind
from fleet.collectors.prometheus.messages import COUNTER_TYPES, V1, V2, Request, WriteRequest
from fleet.collectors.refusals import Refused
from fleet.collectors.senders import NotTaken, Sender

NAME = "__name__"
REFERENCES = ("host", "instance")  # labels that name the machine
PORT = re.compile(r":\d{1,5}\Z")
GROWING = ("_total", "_count", "_sum", "_bucket")


def read(body: bytes, content_type: str) -> Any:
    """The message in an unfolded body, of the version that the type tells. Raises Malformed, UnknownEncoding."""
    kind, _, parameters = content_type.partition(";")
    proto = parameters.partition("proto=")[2].strip() or V1
    if kind.strip().lower() != "application/x-protobuf" or proto not in (V1, V2):
        raise UnknownEncoding(f"Content-Type must be application/x-protobuf, alone or with proto={V1} or proto={V2}")
    try:
        return (Request if proto == V2 else WriteRequest).FromString(body)
    except DecodeError as error:
        raise Malformed(f"The body is no valid {proto}: {error}"[:300]) from None


def counts(request: Any) -> tuple[int, int]:
    """How many samples there are, and how many histograms."""
    samples = sum(len(one.samples) for one in request.timeseries)
    return samples, sum(len(one.histograms) for one in request.timeseries)


def curves(request: Any, *, sender: Sender, refused: Refused) -> Iterator[Curve]:
    """The samples as curves. Labels stay as they are, those that name the machine included."""
    found: dict[tuple[str, ...], str | NotTaken] = {}
    for series in request.timeseries:
        labels = _labels(request, series)
        named = tuple(labels.get(name, "") for name in REFERENCES)
        if named not in found:
            found[named] = _instance(named, sender)
        instance_id = found[named]
        if isinstance(instance_id, NotTaken):
            refused.add(str(instance_id), len(series.samples) + len(series.histograms))
            continue
        name = labels.pop(NAME, "")
        kind, unit = _kind(series, name), _unit(request, series)
        if series.samples:
            points = [(one.timestamp, one.value) for one in series.samples]
            yield Curve(instance_id, name, labels, kind, unit, points)
        if series.histograms:
            counts = [(one.timestamp, float(one.count_int or one.count_float)) for one in series.histograms]
            sums = [(one.timestamp, one.sum) for one in series.histograms]
            yield Curve(instance_id, f"{name}_count", labels, Kind.COUNTER, "", counts)
            yield Curve(instance_id, f"{name}_sum", labels, Kind.COUNTER, unit, sums)


def _instance(named: tuple[str, ...], sender: Sender) -> str | NotTaken:
    """The instance that the labels mean; an address is also tried without its port."""
    references = list(dict.fromkeys(name for text in named for name in (text, PORT.sub("", text))))
    try:
        return sender.instance(references, host=references[-1])
    except NotTaken as reason:
        return reason


def _labels(request: Any, series: Any) -> dict[str, str]:
    if not hasattr(series, "labels_refs"):
        return {label.name: label.value for label in series.labels}
    references = list(series.labels_refs)
    words = [_symbol(request, reference) for reference in references]
    return dict(zip(words[::2], words[1::2], strict=False))


def _symbol(request: Any, reference: int) -> str:
    try:
        return request.symbols[reference]
    except IndexError:
        raise Malformed("A reference points past the table of symbols") from None


def _unit(request: Any, series: Any) -> str:
    return _symbol(request, series.metadata.unit_ref) if hasattr(series, "metadata") and request.symbols else ""


def _kind(series: Any, name: str) -> Kind:
    """Version 1 does not tell; there the usual endings of names do."""
    told = series.metadata.type if hasattr(series, "metadata") else 0
    if told:
        return Kind.COUNTER if told in COUNTER_TYPES and not _is_quantile(told, name) else Kind.GAUGE
    return Kind.COUNTER if name.endswith(GROWING) else Kind.GAUGE


def _is_quantile(told: int, name: str) -> bool:
    return told == 5 and not name.endswith(GROWING)
