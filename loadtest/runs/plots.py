"""The charts of a load run: which lines each holds, and their points from ticks.

`CHARTS` is the one table of it. The page's script gets it as JSON and makes the same points from the ticks that it
hears; counters are kept whole and turned into rates between two points, so that thinning loses no request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Tick = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """One line: the first of `fields` that a tick has, less the field `less`; a counter becomes a rate per second."""

    label: str
    fields: tuple[str, ...]  # "statusCodes.0" reads a member
    less: str = ""
    counter: bool = False
    unknown_at_0: bool = False  # a latency of 0 is none


@dataclass(frozen=True)
class Chart:
    name: str
    title: str
    unit: str
    lines: tuple[Line, ...]


def _count(label: str, field: str) -> Line:
    return Line(label, (field,), counter=True)


CHARTS = (
    Chart("rate", "Requests per second", "/s", (_count("sent", "requestsSent"), _count("finished", "totalRequests"))),
    Chart(
        "latency",
        "Latency",
        "ms",
        tuple(Line(f"p{part}", (f"windowP{part}Ms", f"latencyP{part}Ms"), unknown_at_0=True) for part in (50, 95, 99)),
    ),
    Chart(
        "flight",
        "In flight",
        "",
        (Line("on the wire", ("activeConnections",)), Line("waiting", ("backpressure",), less="activeConnections")),
    ),
    Chart(
        "status",
        "Answers by status class",
        "/s",
        (
            *(_count(f"{one}xx", f"status{one}xx") for one in (2, 3, 4, 5)),
            _count("no answer", "statusCodes.0"),
        ),
    ),
    Chart("bytes", "Transfer", "B/s", (_count("received", "bytesReceived"), _count("sent", "bytesSent"))),
)


def as_json() -> list[dict[str, Any]]:
    """CHARTS for the page's script."""
    return [asdict(chart) for chart in CHARTS]


def read(line: Line, tick: Tick) -> float | None:
    """The raw value of a line in one tick; None where the tick does not tell."""
    value = next((found for found in (_member(tick, field) for field in line.fields) if found is not None), None)
    if value is None or (line.unknown_at_0 and not value):
        return None
    return max(0.0, value - (_member(tick, line.less) or 0)) if line.less else value


def _member(tick: Tick, path: str) -> float | None:
    first, _, key = path.partition(".")
    value = tick.get(first)
    return value.get(key, 0) if key and isinstance(value, Mapping) else value


def points(line: Line, ticks: Sequence[Tick], *, elapsed: bool = False) -> list[tuple[float, float | None]]:
    """`[(unix seconds, value), …]`, or seconds since the run's start with `elapsed`."""
    made: list[tuple[float, float | None]] = []
    for before, tick in zip([None, *ticks], ticks, strict=False):
        at, value = tick["elapsedSeconds"] if elapsed else tick["timestamp"] / 1000, read(line, tick)
        if line.counter:
            if before is None or value is None:
                continue
            span = tick["elapsedSeconds"] - before["elapsedSeconds"]
            if span <= 0:
                continue
            value = max(0.0, value - (read(line, before) or 0)) / span
        made.append((at, value))
    return made


def drawn(chart: Chart, ticks: Sequence[Tick]) -> Sequence[Line]:
    """The lines of a run that is over: status classes that never came would only be in the way."""
    if chart.name != "status":
        return chart.lines
    return [line for line in chart.lines if ticks and read(line, ticks[-1])] or chart.lines[:1]


SHORTEST_STEP_S = 1.0  # a pause of several such is a gap


def data(
    chart: Chart, ticks: Sequence[Tick], *, since: float, threshold_ms: float | None = None, grows: bool = False
) -> dict[str, Any]:
    """What the tag `chart` takes. `since` is the run's start in Unix seconds; `grows` while the run lasts."""
    lines = chart.lines if grows else drawn(chart, ticks)
    series = [{"label": line.label, "unit": chart.unit, "points": points(line, ticks)} for line in lines]
    until = max(ticks[-1]["timestamp"] / 1000 if ticks else since, since + 1)
    found = {
        "series": series,
        "from": min(ticks[0]["timestamp"] / 1000, since) if ticks else since,
        "to": until,
        "step": max(SHORTEST_STEP_S, (until - since) / max(1, len(ticks))),
        "grows": grows,
    }
    if threshold_ms is not None and chart.name == "latency":
        found["threshold"] = {"value": threshold_ms, "label": f"p95 limit {threshold_ms:g} ms"}
    return found
