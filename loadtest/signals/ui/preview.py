"""What a scenario sends, worked out from its entry alone: its values depend on nothing but the tick."""

from collections import defaultdict
from typing import Any

from loadtest.signals.generators.batches import Batch
from loadtest.signals.generators.emitter import Emitter
from loadtest.signals.scenario.entry import Entry
from loadtest.signals.schedule.pacing import Pacer

MOST_TICKS, MOST_CURVES, SHOWN_EVENTS = 300, 8, 20
MOST_OBSERVATIONS = 100_000


def ahead(entry: Entry, *, at_s: float) -> dict[str, Any]:
    """The first ticks of a scenario that starts at that Unix time: `chart` for metrics, `text` as it is sent."""
    pacer, batches = Pacer(entry), list[Batch]()
    emitter, count, elapsed_s = Emitter(entry), 0, 0.0
    most = min(MOST_TICKS, max(1, MOST_OBSERVATIONS // getattr(entry.generator, "observations_per_tick", 1)))
    while count < most and (upcoming := pacer.next_s) is not None:
        elapsed_s = max(upcoming, elapsed_s)
        for span in pacer.due(elapsed_s, most=most - count):
            batches.append(emitter.emit(span, round((at_s + entry.offset_s) * 1e9)))
            count += span.count
    return {"entry": entry, "ticks": count, "text": _text(batches), "chart": None if entry.is_log else _chart(batches)}


def _text(batches: list[Batch]) -> str:
    events: list[bytes] = []
    for batch in batches:
        events += batch.events[: SHOWN_EVENTS - len(events)]
    return b"".join(events).decode(errors="replace")


def _chart(batches: list[Batch]) -> dict[str, Any] | None:
    """The data of the tag `chart`: a curve for each of the first few series."""
    points: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for batch in batches:
        for sample in batch.samples:
            key = (sample.name, ", ".join(f"{name}={value}" for name, value in sorted(sample.labels.items())))
            if key in points or len(points) < MOST_CURVES:
                points[key].append((sample.timestamp_ns / 1e9, sample.value))
    if not points:
        return None
    every = [at for curve in points.values() for at, _ in curve]
    alone = len({name for name, _ in points}) == len(points)
    series = [
        {"label": name if alone else f"{name} {labels}"[:80], "unit": "", "points": curve}
        for (name, labels), curve in points.items()
    ]
    return {"series": series, "from": min(every), "to": max(every)}
