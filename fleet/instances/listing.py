"""What the list of instances shows: the state that people see, filters and sort orders."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Case, F, FloatField, IntegerField, Q, QuerySet, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Lower, NullIf

from fleet.instances import beside
from fleet.instances.models import Instance, InstanceQuerySet, Status
from fleet.instances.queries import search

SILENT = "SILENT"
# Worst first, so that sorting by state brings up what needs a look.
STATES = (
    (SILENT, "Silent"),
    (Status.ERROR, "Error"),
    (Status.UNKNOWN, "Unknown"),
    (Status.DEPLOYING, "Deploying"),
    (Status.DESTROYING, "Destroying"),
    (Status.SUSPENDED, "Suspended"),
    (Status.STOPPED, "Stopped"),
    (Status.RUNNING, "Running"),
    (Status.DESTROYED, "Destroyed"),
)
# Every row carries these figures of its last sample; those of an instance that does not report are not shown.
FIGURES = {"cpu": "cpu_pct", "memory": "mem_pct", "disk": "disk_pct"}
RATES = {"received_bps": "net_rx_bps", "sent_bps": "net_tx_bps", "processes": "process_count"}
SORTS = ("name", "state", "provider", "region", "version", *FIGURES, "seen", "alerts")


def is_silent(now: datetime) -> Q:
    """Should report, and has not done so for the offline timeout; whether the tick has noticed yet or not."""
    last = now - timedelta(seconds=settings.OFFLINE_AFTER_S)
    return Q(status__in=(Status.RUNNING, Status.ERROR), last_seen_at__lte=last)


def state_of(instance: Instance, now: datetime) -> str:
    """The state in the words of people: the status, or SILENT."""
    expected = instance.status in (Status.RUNNING, Status.ERROR) and instance.last_seen_at is not None
    return SILENT if expected and not instance.online_at(now) else instance.status


def figures_of(instance: Instance, now: datetime) -> dict[str, float | None]:
    """CPU, memory, disk in percent, network in bytes per second, processes; None for what is not known now."""
    sample = (instance.last_sample or {}) if instance.online_at(now) else {}
    return {name: sample.get(key) for name, key in (FIGURES | RATES).items()}


@dataclass(frozen=True)
class Filters:
    """What a person chose; "" means any. `label` is "key" or "key=value"."""

    state: str = ""
    provider: str = ""
    region: str = ""
    label: str = ""
    q: str = ""

    def apply(self, instances: InstanceQuerySet, now: datetime) -> InstanceQuerySet:
        """Destroyed ones are in the list only for who asks for them."""
        if self.state == SILENT:
            instances = instances.filter(is_silent(now))
        elif self.state:
            instances = instances.filter(status=self.state).exclude(is_silent(now))
        else:
            instances = instances.existing()
        if self.provider:
            instances = instances.filter(provider=self.provider)
        if self.region:
            instances = instances.filter(region=self.region)
        if self.label:
            instances = _labelled(instances, self.label)
        return search(instances, self.q) if self.q else instances


def _labelled(instances: InstanceQuerySet, label: str) -> InstanceQuerySet:
    key, equals, value = label.partition("=")
    if not equals:
        return instances.filter(tags__has_key=key.strip())
    text = Cast(KeyTextTransform(key.strip(), "tags"), TextField())
    return instances.alias(label=text).filter(label=value.strip())


def ordered(instances: QuerySet[Instance], sort: str, now: datetime) -> QuerySet[Instance]:
    """In the order of `sort` (one of SORTS, with "-" before it: descending); unknown values come last."""
    name = sort.removeprefix("-")
    key = _key(name, now)
    order = key.desc(nulls_last=True) if sort.startswith("-") else key.asc(nulls_last=True)
    return instances.order_by(order, Lower("name"), "pk")


def _key(name: str, now: datetime) -> Any:
    if name in FIGURES:
        figure = Cast(NullIf(KeyTextTransform(FIGURES[name], "last_sample"), Value("null")), FloatField())
        last = now - timedelta(seconds=settings.OFFLINE_AFTER_S)
        return Case(When(last_seen_at__gt=last, then=figure), default=None, output_field=FloatField())
    if name == "state":
        ranks = [When(status=state, then=Value(rank)) for rank, (state, _) in enumerate(STATES) if state != SILENT]
        return Case(When(is_silent(now), then=Value(0)), *ranks, output_field=IntegerField())
    return {
        "provider": F("provider"),
        "region": F("region"),
        "version": F("agent_version"),
        "seen": F("last_seen_at"),
        "alerts": F("open_alerts"),
    }.get(name, Lower("name"))


def with_columns(instances: InstanceQuerySet) -> InstanceQuerySet:
    """Each with `open_alerts`, which another room counts."""
    return instances.annotate(open_alerts=beside.column("open_alerts"))


def regions(instances: InstanceQuerySet) -> list[str]:
    """The regions to choose from, at most 200."""
    known = instances.existing().exclude(region=None).exclude(region="")
    found = known.order_by("region").values_list("region", flat=True).distinct()[:200]
    return [region for region in found if region]


def in_order_of(ids: Iterable[str], instances: InstanceQuerySet) -> list[Instance]:
    """Those instances in the given order; who is gone is left out."""
    found = instances.in_bulk(list(ids))
    return [found[one] for one in ids if one in found]
