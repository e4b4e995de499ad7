"""Removing what belongs to a seed, each thing through the room that keeps it."""

from datetime import datetime

from django.db import transaction

from alerts.demo import security, spending
from alerts.demo.names import AGENT, Names
from alerts.rules.models import Rule
from fleet.instances.changes import forget
from fleet.logs.upkeep import forget as forget_lines
from fleet.metrics.forgetting import forget as forget_figures
from loadtest.runs.models import Run as LoadRun
from loadtest.workspace.models import Collection
from monitors.agents.models import Agent
from monitors.monitors.models import Monitor
from monitors.runs.models import Run


def remove(names: Names, *, since: datetime) -> None:
    """`since` is when its history begins."""
    Rule.objects.filter(pk__in=names.rules).delete()
    for key in names.monitors:  # a transaction each: they have many runs
        with transaction.atomic():
            Monitor.objects.filter(pk=key).update(last_run=None)
            Monitor.objects.filter(pk=key).delete()
    _agent()
    LoadRun.objects.filter(pk__in=names.runs).delete()
    Collection.objects.filter(pk=names.collection).delete()
    spending.remove(names)
    forget(names.instances)
    security.remove(names)
    forget_lines(names.instances)
    forget_figures(names.instances, since=since)


def _agent() -> None:
    """The demo agent goes, unless somebody has given it work of their own."""
    if Monitor.objects.filter(agent=AGENT).exists() or Run.objects.filter(agent=AGENT).exists():
        return
    Agent.objects.filter(pk=AGENT).delete()
