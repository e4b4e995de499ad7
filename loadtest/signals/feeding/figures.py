"""Which metrics are figures of the synthetic machine, so that its samples, rules and charts have them. Pure.

Metrics are called as in alert rules. Those of node_exporter and of the hostmetrics receiver become samples on their
own way, as with every collector.
"""

import math

from fleet.metrics.samples import Sample

MEMORY_BYTES, DISK_BYTES = 8 << 30, 100 << 30  # what a synthetic machine has


def sample_of(values: dict[str, float]) -> Sample | None:
    """The sample that metrics with these latest values make; None when none of them is a figure of a machine."""
    sample = Sample()
    for name, value in values.items():
        if name in SETTERS and math.isfinite(value):
            SETTERS[name](sample, max(0.0, value))
    return None if sample == Sample() else sample


def _share(value: float) -> float:
    return min(100.0, value)


def _cpu(sample: Sample, value: float) -> None:
    sample.cpu_pct = _share(value)


def _memory(sample: Sample, value: float) -> None:
    sample.mem_used, sample.mem_total = round(MEMORY_BYTES * _share(value) / 100), MEMORY_BYTES


def _disk(sample: Sample, value: float) -> None:
    sample.disk_used, sample.disk_total = round(DISK_BYTES * _share(value) / 100), DISK_BYTES


def _load1(sample: Sample, value: float) -> None:
    sample.load1 = min(1e15, value)


def _load5(sample: Sample, value: float) -> None:
    sample.load5 = min(1e15, value)


def _received(sample: Sample, value: float) -> None:
    sample.net_rx = int(min(9e18, value))


def _sent(sample: Sample, value: float) -> None:
    sample.net_tx = int(min(9e18, value))


SETTERS = {
    "cpu_percent": _cpu,
    "mem_percent": _memory,
    "disk_percent": _disk,
    "load_avg_1": _load1,
    "load_avg_5": _load5,
    "net_bytes_recv": _received,
    "net_bytes_sent": _sent,
    # As our own packs call them.
    "host_cpu_usage_percent": _cpu,
    "host_memory_used_percent": _memory,
}
