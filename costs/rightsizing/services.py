"""The pass over the fleet that finds sizes larger than needed (contract: fleet console §17)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.api.authentication import Principal
from costs.ledger import machines
from costs.ledger.accrual import Machine, rate_of
from costs.money import micros
from costs.pricing.queries import tables_on
from costs.pricing.tables import PriceTable
from costs.rightsizing.models import Analysis, Recommendation
from costs.rightsizing.rules import Use, needed_gb, smaller
from costs.usage.queries import means, memory_p95
from fleet.instances.models import Instance, InstanceQuerySet, Status
from fleet.metrics.rollup import floor
from security.audit.services import record

WINDOW = timedelta(days=30)
BATCH = 500  # instances whose figures are held at once
EVERY = timedelta(hours=23)  # the ledger's first run after that makes the pass: once a day
FOUND = (
    "current_tier", "suggested_tier", "current_micros", "suggested_micros", "savings_micros", "avg_cpu_percent",
    "avg_mem_percent", "needed_gb", "samples", "confidence", "generated_at", "dismissed", "dismissed_by",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """How many running instances were looked at, for how many there is advice, and how many were passed over."""

    analyzed: int
    generated: int
    skipped: int


def analyze_if_due(now: datetime) -> bool:
    """Make the pass once a day; whether this call made it."""
    row, _ = Analysis.objects.get_or_create(pk=1, defaults={"started_at": datetime(1970, 1, 1, tzinfo=UTC)})
    due = row.started_at <= now - EVERY
    if not due or not Analysis.objects.filter(pk=1, started_at=row.started_at).update(started_at=now):
        return False
    analyze(now=now)
    return True


def analyze(*, now: datetime) -> Outcome:
    """Look at every running instance, store what was found, remove what no longer holds."""
    ids = list(Instance.objects.filter(status=Status.RUNNING).order_by("pk").values_list("pk", flat=True))
    tables = tables_on(now.date())
    generated = 0
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        found = list(_advice(Instance.objects.filter(pk__in=batch), tables, now))
        _store(batch, found)
        generated += len(found)
    running = Instance.objects.filter(status=Status.RUNNING)
    Recommendation.objects.exclude(instance__in=running).delete()
    outcome = Outcome(len(ids), generated, len(ids) - generated)
    Analysis.objects.update_or_create(pk=1, defaults={"started_at": now, **vars(outcome)})
    return outcome


def analyze_now(*, actor: Principal, request: Any = None) -> Outcome:
    """The pass, because somebody asked for it."""
    outcome = analyze(now=timezone.now())
    record(
        actor=actor, action="EXECUTE", resource="recommendation", resource_id=None, request=request, **vars(outcome)
    )  # fmt: skip
    return outcome


def _advice(instances: InstanceQuerySet, tables: dict[str, PriceTable], now: datetime) -> Iterator[Recommendation]:
    since = floor(now - WINDOW, 24 * 60)
    used = {
        key: Use(one.n, one.cpu, one.memory) for key, one in means(instances, since=since, until=now).items()
    }  # fmt: skip
    calm = [key for key, use in used.items() if use.calm]
    if not calm:
        return
    chosen = Instance.objects.filter(pk__in=calm)
    peaks = memory_p95(chosen, since=since, until=now)
    for known in machines.read(chosen.order_by("pk"), now=now, turns_since=now):
        table = tables.get(known.provider)
        if table is not None and table.priced and known.id in peaks:
            found = _of(known.machine, table, used[known.id], needed_gb(peaks[known.id]))
            if found is not None:
                found.instance_id, found.generated_at = known.id, now
                yield found


def _of(machine: Machine, table: PriceTable, use: Use, needed: float) -> Recommendation | None:
    sizes = table.ordered
    current = table.size(rate_of(machine, table).size)
    if current is None or len(sizes) < 2 or use.cpu is None or use.memory is None:
        return None
    better = smaller(current, sizes, needed, machine.region)
    if better is None:
        return None
    now_micros, then_micros = micros(current.month_in(machine.region)), micros(better.month_in(machine.region))
    return Recommendation(
        current_tier=current.id,
        suggested_tier=better.id,
        current_micros=now_micros,
        suggested_micros=then_micros,
        savings_micros=now_micros - then_micros,
        avg_cpu_percent=use.cpu,
        avg_mem_percent=use.memory,
        needed_gb=needed,
        samples=use.samples,
        confidence=use.confidence,
    )


@transaction.atomic
def _store(batch: list[str], found: list[Recommendation]) -> None:
    """Bring what is stored of these instances up to date. What was dismissed stays so for the same pair of sizes."""
    known = {one.instance_id: one for one in Recommendation.objects.filter(instance__in=batch).select_for_update()}
    for one in found:
        before = known.pop(one.instance_id, None)
        if before and (before.current_tier, before.suggested_tier) == (one.current_tier, one.suggested_tier):
            one.dismissed, one.dismissed_by = before.dismissed, before.dismissed_by
    Recommendation.objects.filter(pk__in=[one.pk for one in known.values()]).delete()
    Recommendation.objects.bulk_create(
        found, update_conflicts=True, unique_fields=["instance"], update_fields=list(FOUND), batch_size=200
    )


@transaction.atomic
def dismiss(*, advice: Recommendation, actor: Principal, request: Any = None) -> Recommendation:
    """Nobody wants to hear of it again while it is the same; dismissing it again changes nothing."""
    if Recommendation.objects.filter(pk=advice.pk, dismissed=False).update(dismissed=True, dismissed_by=actor.name):
        advice.dismissed, advice.dismissed_by = True, actor.name
        record(
            actor=actor, action="UPDATE", resource="recommendation", resource_id=advice.pk, request=request,
            team_id=advice.instance.team_id, act="dismiss", instance=advice.instance_id,
            tiers=[advice.current_tier, advice.suggested_tier],
        )  # fmt: skip
    return advice
