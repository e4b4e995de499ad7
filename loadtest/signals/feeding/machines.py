"""The machines of synthetic data: made for a body, marked, put to rest, removed (contract: signals §9.2)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from config import timeseries
from config.api.authentication import Principal
from config.api.errors import ApiError
from config.api.permissions import OPERATOR
from config.timeseries import Query
from fleet.collectors.hosts.names import RULES
from fleet.collectors.models import POINTS, Series
from fleet.collectors.series.known import known
from fleet.instances.changes import announce, forget
from fleet.instances.models import Instance, Provider, Status
from fleet.logs.models import COUNTS, ENTRIES
from fleet.metrics.forgetting import forget as forget_figures
from loadtest.signals.feeding.figures import SETTERS
from loadtest.signals.feeding.storing import SOURCE
from loadtest.signals.running.models import Scenario
from loadtest.signals.scenario.entry import Entry

TAG = "synthetic"
AT_ONCE = 500
BY_HOUR_S = 3600


def make(*, batch: str, name: str, team_id: str | None, now: datetime) -> Instance:
    """The machine of a body: everything about it says that it is none."""
    return Instance.objects.create(
        name=f"signals-{name[:200]}-{batch[:8]}", provider=Provider.SSH, status=Status.RUNNING, team_id=team_id,
        tags={TAG: SOURCE, "batch": batch[:8]}, last_seen_at=now,
    )  # fmt: skip


def is_virtual(instance: Instance) -> bool:
    return instance.tags.get(TAG) == SOURCE


def given(*, entry: Entry, instance_id: str, actor: Principal | None) -> Instance:
    """The machine that an entry names. Raises ApiError 422: unknown, not the caller's, or its own figures at stake."""
    instance = Instance.objects.visible_to(actor).existing().filter(pk=instance_id).first()
    if instance is None:
        raise _refused(entry, f"instance '{instance_id[:64]}' is not known")
    if actor is None or not actor.may(OPERATOR, team_id=instance.team_id):
        raise _refused(entry, f"instance '{instance_id[:64]}' needs the {OPERATOR} role")
    if not is_virtual(instance) and (entry.name in SETTERS or entry.name in RULES):
        raise _refused(entry, f"{entry.name} would be taken for a figure of a real machine; leave 'instance' out")
    return instance


def _refused(entry: Entry, text: str) -> ApiError:
    return ApiError(f"entry '{entry.name}': sink.instance: {text}", status=422, code="unprocessable_entity")


def at_rest(scenario_ids: Iterable[str], *, now: datetime) -> None:
    """Machines whose last scenario is over stop, so that nobody is called because they are silent."""
    machines = Scenario.objects.filter(pk__in=list(scenario_ids), own_instance=True, instance__isnull=False)
    rest(list(machines.values_list("instance", flat=True)), now=now)


def rest(instance_ids: Sequence[str], *, now: datetime) -> None:
    """As `at_rest`, for machines of scenarios that may be deleted by now."""
    for instance in Instance.objects.filter(pk__in=instance_ids, status=Status.RUNNING):
        if not Scenario.objects.open().filter(instance=instance).exists():
            instance.status, instance.updated_at = Status.STOPPED, now
            with transaction.atomic():
                instance.save(update_fields=["status", "updated_at"])
                announce(instance)


def purge(*, scenario: Scenario, instance_id: str, own: bool) -> None:
    """Remove what a deleted scenario wrote; its machine too, when no other scenario writes to it."""
    if own and not Scenario.objects.filter(instance=instance_id).exists():
        _purge_machine(instance_id, since=scenario.created_at)
        return
    series = Series.objects.filter(instance=instance_id, labels__source=SOURCE, labels__scenario=scenario.pk)
    _purge_series(list(series.values_list("pk", flat=True)))
    _purge_lines(instance_id, scenario)


def _purge_machine(instance_id: str, *, since: datetime) -> None:
    _purge_series(list(Series.objects.filter(instance=instance_id).values_list("pk", flat=True)))
    for table in (ENTRIES, COUNTS):
        timeseries.erase(table, Query("instance_id = %s", [instance_id]))
    forget([instance_id])
    forget_figures([instance_id], since=since - timedelta(days=1))


def _purge_series(ids: Sequence[int]) -> None:
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        timeseries.erase(POINTS, Query(f"series_id IN ({', '.join(['%s'] * len(part))})", part))
        Series.objects.filter(pk__in=part).delete()
    known.clear()


def _purge_lines(instance_id: str, scenario: Scenario) -> None:
    """Lines of one scenario on a machine that has others, and what the hourly counts hold of them."""
    where = Query(
        "instance_id = %s AND ts >= %s AND CAST(metadata AS text) LIKE %s",
        [instance_id, scenario.created_at - timedelta(days=8), f"%{scenario.pk}%"],
    )
    with transaction.atomic():
        columns = {
            "at": timeseries.bucket(BY_HOUR_S), "level": timeseries.group("level"),
            "source": timeseries.group("source"), "n": timeseries.count(),
        }  # fmt: skip
        since, until = scenario.created_at - timedelta(days=8), scenario.created_at + timedelta(days=400)
        query = timeseries.bucketed(ENTRIES, columns, since=since, until=until, where=where)
        counts = timeseries.rows_of(query, times=[0])
        timeseries.add(COUNTS, [(at, instance_id, level, source, -n) for at, level, source, n in counts])
        timeseries.erase(ENTRIES, where)
