"""The steps of a scenario's row, each one conditional update: claimed, renewed, given back, finished."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from config import live
from loadtest.signals.running.models import Scenario, ScenarioQuerySet, State

LEASE = timedelta(seconds=15)
LOST = "runner lost"
MOST_RESTARTS = 20  # one that brings down its runner again and again is given up
LIST_TOPIC = "signals"


def topic(scenario_id: str) -> str:
    """Where the live events of one scenario are published."""
    return f"signal:{scenario_id}"


def claim(*, runner: str, now: datetime) -> list[Scenario]:
    """Take every scenario that nobody has for this runner; those that another one had before start over."""
    waiting = Scenario.objects.unclaimed()
    if not waiting.exists():
        return []
    lease = now + LEASE
    waiting.filter(began_at=None).update(runner=runner, lease_until=lease, began_at=now)
    waiting.exclude(began_at=None).update(runner=runner, lease_until=lease, restarts=F("restarts") + 1)
    return list(Scenario.objects.open().filter(runner=runner, lease_until=lease).order_by("created_at", "place", "pk"))


def renew(*, runner: str, now: datetime) -> None:
    mine(runner).update(lease_until=now + LEASE)


def mine(runner: str) -> ScenarioQuerySet:
    return Scenario.objects.open().filter(runner=runner)


def set_state(ids: Iterable[str], state: str, *, runner: str, now: datetime) -> None:
    mine(runner).filter(pk__in=list(ids)).exclude(state=state).update(state=state, state_since=now)


def finish(scenarios: ScenarioQuerySet, *, now: datetime, **fields: Any) -> int:
    """To the final state, once; `scenarios` says under which conditions. How many it ended."""
    with transaction.atomic():
        ids = list(scenarios.filter(finished_at=None).values_list("pk", flat=True))
        ended = Scenario.objects.open().filter(pk__in=ids).update(
            state=State.FINISHED, state_since=now, finished_at=now, plan="", runner=None, lease_until=None, **fields
        )  # fmt: skip
        transaction.on_commit(partial(announce, ids))
    return ended


def release(scenarios: ScenarioQuerySet, *, now: datetime) -> None:
    """Their runner is gone: they wait for another one, unless they may not be resumed or have no time left (§11)."""
    for row in scenarios.filter(finished_at=None).defer("config", "labels", "plan"):
        same = Scenario.objects.open().filter(pk=row.pk, runner=row.runner)
        if row.stop_requested_at or not settings.SIGNALS_RESUME or row.restarts >= MOST_RESTARTS or _is_past(row, now):
            figures = row.figures | {"current_rate": 0.0}
            if not row.stop_requested_at:
                figures["last_sink_error"] = LOST
            finish(same, now=now, figures=figures)
        else:
            same.update(runner=None, lease_until=None, state=State.PENDING, state_since=now)


def _is_past(row: Scenario, now: datetime) -> bool:
    return row.ends_at is not None and row.ends_at <= now


def announce(ids: Iterable[str]) -> None:
    """After commit: tell the readers of these scenarios, and of the list, that something has changed."""
    live.publish_all([*((topic(one), {"kind": "signal"}) for one in ids), (LIST_TOPIC, {"kind": "signals"})])
