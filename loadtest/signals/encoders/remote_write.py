"""Samples as a WriteRequest of Prometheus remote write, version 1 (contract: signals §9.1)."""

import struct
from collections.abc import Iterable, Mapping

from fleet.collectors.prometheus.messages import WriteRequest

# The value that tells Prometheus "this series ends here". A signalling NaN: only its bits tell it from others.
STALE: float = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


def write_request(samples: Iterable[tuple[str, Mapping[str, str], float, int]]) -> bytes:
    """One series a sample: name, sorted labels, value and Unix nanoseconds. `__name__` is the first label."""
    request = WriteRequest()
    for name, labels, value, timestamp_ns in samples:
        series = request.timeseries.add()
        series.labels.add(name="__name__", value=name)
        for key, text in labels.items():
            series.labels.add(name=key, value=text)
        series.samples.add(value=value, timestamp=timestamp_ns // 1_000_000)
    return request.SerializeToString()
