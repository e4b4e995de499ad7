"""What the ledger needs to know of instances, read for many at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from config.timeseries import Query, rows_of
from costs.ledger.accrual import AFTER, GIB, Machine, Turn, turn_of
from costs.ledger.models import Subject
from fleet.instances.models import Event, Instance, InstanceQuerySet
from fleet.metrics.models import Rollup

SIZE_LABEL = "vm_size"
WINDOW = timedelta(days=30)
GB = 10**9
CENT = Decimal("0.01")
FIELDS = ("id", "name", "provider", "region", "team_id", "team__name", "tags", "status", "created_at", "last_sample")


@dataclass(frozen=True)
class Known:
    """An instance as it is now."""

    id: str
    facts: dict[str, Any]
    status: str
    created_at: datetime
    turns: list[Turn]
    machine: Machine

    @property
    def provider(self) -> str:
        return self.facts["provider"]

    @property
    def digest(self) -> str:
        return Subject.digest_of(self.facts)


def read(instances: InstanceQuerySet, *, now: datetime, turns_since: datetime) -> list[Known]:
    """The instances with the turns of their history since that moment and their traffic of 30 days."""
    rows = list(instances.values_list(*FIELDS))
    ids = [row[0] for row in rows]
    turns, traffic = _turns(ids, turns_since), egress_bytes(ids, now=now)
    return [_known(row, turns.get(row[0], []), traffic.get(row[0])) for row in rows]


def machine_of(instance: Instance, *, now: datetime) -> Machine:
    """What prices ask of one instance."""
    return read(Instance.objects.filter(pk=instance.pk), now=now, turns_since=now)[0].machine


def _known(row: tuple, turns: list[Turn], egress: int | None) -> Known:
    id, name, provider, region, team_id, team_name, tags, status, created_at, sample = row
    facts = {
        "instance_id": id,
        "instance_name": name,
        "provider": provider,
        "region": region,
        "team_id": team_id,
        "team_name": team_name,
        "labels": tags or {},
    }
    sample = sample or {}
    memory, disk = sample.get("mem_total"), sample.get("disk_total")
    machine = Machine(
        region=region,
        size_id=(tags or {}).get(SIZE_LABEL) or None,
        cores=sample.get("core_count"),
        memory_gb=memory / GIB if memory else None,
        disk_gb=(Decimal(disk) / GIB).quantize(CENT) if disk else None,
        egress_gb=(Decimal(egress or 0) / GB).quantize(CENT),
    )
    return Known(id, facts, status, created_at, turns, machine)


def _turns(ids: Collection[str], since: datetime) -> dict[str, list[Turn]]:
    found: dict[str, list[Turn]] = defaultdict(list)
    events = Event.objects.filter(instance_id__in=ids, timestamp__gt=since, type__in=list(AFTER))
    for instance_id, type, at, metadata in events.order_by("timestamp", "pk").values_list(
        "instance_id", "type", "timestamp", "metadata"
    ):
        found[instance_id].append(turn_of(type, at, metadata))
    return found


def egress_bytes(ids: Iterable[str], *, now: datetime) -> dict[str, int]:
    """Bytes sent in the last 30 days, by instance: the growth of the counter from day to day.

    A counter that starts again counts from 0. Who has reported on one day only is missing: there is nothing to
    compare with.
    """
    ids = list(ids)
    if not ids:
        return {}
    marks = ", ".join(["%s"] * len(ids))
    sql = f"""
        SELECT subject_id, SUM(CASE WHEN net_tx_last >= earlier THEN net_tx_last - earlier ELSE net_tx_last END)
        FROM (
            SELECT subject_id, net_tx_last, LAG(net_tx_last) OVER (PARTITION BY subject_id ORDER BY ts) AS earlier
            FROM metric_rollup
            WHERE resolution = %s AND subject_kind = %s AND ts >= %s AND net_tx_last IS NOT NULL
              AND subject_id IN ({marks})
        ) days
        WHERE earlier IS NOT NULL GROUP BY subject_id
    """  # noqa: S608 - placeholders only
    since = now - WINDOW - timedelta(days=1)  # the day before the window is what its first day is compared with
    rows = rows_of(Query(sql, [int(Rollup.Resolution.DAY), int(Rollup.Subject.INSTANCE), since, *ids]))
    return {instance_id: int(total) for instance_id, total in rows}
