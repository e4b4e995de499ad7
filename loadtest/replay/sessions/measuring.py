"""Figures on `/metrics`, under the names that dashboards of the compatible product ask for (contract §5, Also)."""

from prometheus_client import Counter, Histogram

SESSIONS = Counter("softprobe_sessions", "Sessions made, by mode", ["mode"])
INJECTS = Counter("softprobe_inject_requests", "Questions to /v1/inject, by result", ["result"])
LATENCY = Histogram(
    "softprobe_inject_latency_seconds",
    "Time from a question to its answer, without delays that rules ask for",
    buckets=(0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.25, 1),
)
EXTRACTS = Counter("softprobe_extract_spans", "Extract spans that were kept")
for _mode in ("capture", "replay", "generate"):
    SESSIONS.labels(_mode)
for _result in ("hit", "miss", "error"):
    INJECTS.labels(_result)
