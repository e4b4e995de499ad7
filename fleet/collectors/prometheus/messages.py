"""Prometheus remote write, versions 1 and 2 (Remote-Write specification 1.0 and 2.0).

Only what becomes points is declared; exemplars, metadata of version 1 and the buckets of native histograms are passed
over when a message is read.
"""

from fleet.collectors.protos import messages

_SAMPLE = {"value": "1 double", "timestamp": "2 int64"}
_HISTOGRAM = {"count_int": "1 uint64", "count_float": "2 double", "sum": "3 double", "timestamp": "15 int64"}
_v1 = messages(
    "prometheus",
    {
        "Label": {"name": "1 string", "value": "2 string"},
        "Sample": _SAMPLE,
        "Histogram": _HISTOGRAM,
        "TimeSeries": {"labels": "1 *Label", "samples": "2 *Sample", "histograms": "4 *Histogram"},
        "WriteRequest": {"timeseries": "1 *TimeSeries"},
    },
)
_v2 = messages(
    "io.prometheus.write.v2",
    {
        "Sample": _SAMPLE,
        "Histogram": _HISTOGRAM,
        "Metadata": {"type": "1 int32", "unit_ref": "4 uint32"},
        "TimeSeries": {
            "labels_refs": "1 *uint32",
            "samples": "2 *Sample",
            "histograms": "3 *Histogram",
            "metadata": "5 Metadata",
        },
        "Request": {"symbols": "4 *string", "timeseries": "5 *TimeSeries"},
    },
)
WriteRequest, Request = _v1["WriteRequest"], _v2["Request"]
V2 = "io.prometheus.write.v2.Request"
V1 = "prometheus.WriteRequest"
COUNTER_TYPES = {1, 3, 5}  # of version 2: counter, histogram, summary
