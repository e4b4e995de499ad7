"""Figures of monitors for `/metrics`. Read from rows, since the processes that make them do not answer HTTP."""

import logging
from collections.abc import Iterable

from django.db import DatabaseError
from django.db.models import Count
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitors.agents.load import loads_of
from monitors.agents.models import Agent
from monitors.runs.lateness import lateness
from monitors.runs.models import Run, Status

log = logging.getLogger(__name__)


class Figures(Collector):
    """Collects on demand; a database that does not answer leaves these figures out, not the others."""

    def describe(self) -> Iterable[Metric]:
        return ()  # asked at registration, when there may be no database

    def collect(self) -> Iterable[Metric]:
        try:
            return [*_lateness(), _open_runs(), _agents()]
        except DatabaseError:
            log.warning("the figures of monitors cannot be read", exc_info=True)
            return ()


def _lateness() -> list[Metric]:
    found = lateness(timezone.now())
    late = GaugeMetricFamily(
        "pharos_monitor_lateness_seconds",
        "Time from the minute of a schedule to its run in the queue, newest runs of the last 15 minutes.",
        labels=["quantile"],
    )
    for quantile, value in (("0.5", found.p50_s), ("0.99", found.p99_s), ("1", found.max_s)):
        if value is not None:
            late.add_metric([quantile], value)
    overdue = GaugeMetricFamily(
        "pharos_monitor_overdue_seconds", "How long the most overdue monitor waits for its run now.", found.overdue_s
    )
    return [late, overdue]


def _open_runs() -> Metric:
    rows = Run.objects.filter(completed_at=None).order_by("status").values_list("status").annotate(Count("pk"))
    counts = {Status.QUEUED: 0, Status.RUNNING: 0} | dict(rows)
    family = GaugeMetricFamily("pharos_monitor_runs", "Runs of monitors that are not over.", labels=["status"])
    for status, count in counts.items():
        family.add_metric([status], count)
    return family


def _agents() -> Metric:
    family = GaugeMetricFamily("pharos_monitor_agent_up", "1 while the agent is online.", labels=["agent"])
    for key, load in loads_of(Agent.objects.current().order_by("pk")[:1000], timezone.now()).items():
        family.add_metric([key], load.status == "online")
    return family
