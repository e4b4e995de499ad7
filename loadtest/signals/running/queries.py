"""Reading scenarios, as the API tells of them (contract: signals §2.1, §6, §7)."""

import json
import time
from datetime import datetime
from typing import Any

from config.api.authentication import Principal
from config.api.errors import Malformed, NotFound
from loadtest.signals.running.models import Scenario, ScenarioQuerySet, Snapshot, State
from loadtest.signals.scraping.exposition import Exposed, text

DEGRADED_NS = 30 * 10**9
FIGURES: dict[str, Any] = {
    "total_events": 0,
    "current_rate": 0.0,
    "bytes_emitted": 0,
    "errors": 0,
    "consecutive_failures": 0,
    "total_sink_failures": 0,
    "last_sink_error": None,
    "last_successful_write_at": None,
}
WINDOWS = ("in_gap", "in_burst", "in_cardinality_spike")


def get_visible(*, scenario_id: str, principal: Principal | None) -> Scenario:
    """The scenario; raises NotFound, which names the id."""
    found = None
    if len(scenario_id) <= 64 and "\x00" not in scenario_id:
        found = Scenario.objects.visible_to(principal).light().filter(pk=scenario_id).first()
    if found is None:
        raise NotFound(f"scenario not found: {scenario_id[:128]}")
    return found


def listed(principal: Principal | None) -> ScenarioQuerySet:
    """Every scenario, the newest first, those of a body in its order."""
    return Scenario.objects.visible_to(principal).light().order_by("-created_at", "place", "pk")


def created(row: Scenario) -> dict[str, Any]:
    return {"id": row.pk, "name": row.name, "status": row.status, "state": row.state}


def summary(row: Scenario, now: datetime) -> dict[str, Any]:
    return created(row) | {"elapsed_secs": elapsed_s(row, now), "degraded": degraded(row)}


def detail(row: Scenario, now: datetime) -> dict[str, Any]:
    return summary(row, now) | {"stats": _counted(row) | {"degraded": degraded(row)}, "config": row.config}


def stats(row: Scenario, now: datetime) -> dict[str, Any]:
    """Contract: signals §6. A scenario without a runner emits nothing, whatever was counted last."""
    on = row.state == State.RUNNING and row.runner is not None
    return {
        **_counted(row),
        "target_rate": row.rate,
        "uptime_secs": elapsed_s(row, now),
        "state": row.state,
        **{name: bool(on and row.figures.get(name)) for name in WINDOWS},
        "degraded": degraded(row),
        "current_state_secs": max(0.0, (now - row.state_since).total_seconds()),
        "cumulative_resolution_attempts": 0,
        "restarts": row.restarts,
    }


def _counted(row: Scenario) -> dict[str, Any]:
    counted = {name: row.figures.get(name, nothing) for name, nothing in FIGURES.items()}
    if row.state != State.RUNNING or row.runner is None:
        counted["current_rate"] = 0.0
    return counted


def elapsed_s(row: Scenario, now: datetime) -> float:
    """Seconds since it was accepted; until its end once it is over."""
    return max(0.0, ((row.finished_at or now) - row.created_at).total_seconds())


def degraded(row: Scenario) -> bool:
    """Whether deliveries failed and none succeeded within 30 s."""
    last = row.figures.get("last_successful_write_at")
    return bool(row.figures.get("total_sink_failures")) and (last is None or time.time_ns() - last > DEGRADED_NS)


def snapshot_of(row: Scenario) -> str:
    """The latest value of each series of one scenario as an exposition (contract: signals §7.2)."""
    return text([_exposed(row, Snapshot.objects.filter(scenario=row).first())])


def snapshot_of_all(*, principal: Principal | None, labels: list[str], states: list[str]) -> str:
    """Those of all scenarios merged (contract: signals §7.3). Raises Malformed for a filter that cannot be read."""
    found = listed(principal).exclude(signal_type="logs").select_related("snapshot")
    wanted_labels = []
    for pair in labels:
        name, colon, value = pair.partition(":")
        if not colon or not name or "\x00" in pair:
            raise Malformed(f"label: '{pair[:100]}' does not read key:value")
        wanted_labels.append((name, value))
    for words in states:
        wanted = words.split(",")
        if any(word not in State.values for word in wanted):
            raise Malformed(f"include_state: '{words[:100]}' is not a list of {', '.join(State.values)}")
        found = found.filter(state__in=wanted)
    return text(
        _exposed(row, getattr(row, "snapshot", None))
        for row in found
        if all(row.labels.get(name) == value for name, value in wanted_labels)
    )


def _exposed(row: Scenario, latest: Snapshot | None) -> Exposed:
    series = [tuple(one) for one in json.loads(latest.series)] if latest and latest.series else []
    return Exposed(row.name, row.config.get("metric_type") or "untyped", row.config.get("help") or "", series)


def counts() -> dict[str, Any]:
    """How many scenarios there are by state, and what all of them counted, for the service's own figures."""
    rows = Scenario.objects.values_list("state", "figures", "runner")
    states = dict.fromkeys(State.values, 0)
    sums = dict.fromkeys(("total_events", "bytes_emitted", "errors", "total_sink_failures"), 0)
    rate, runners = 0.0, set()
    for word, figures, runner in rows:
        states[word] += 1
        for name in sums:
            sums[name] += figures.get(name, 0)
        if word == State.RUNNING and runner:
            rate += figures.get("current_rate", 0.0)
            runners.add(runner)
    return {"states": states, "sums": sums, "rate": rate, "runners": len(runners)}
