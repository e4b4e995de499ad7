"""What instances cost while a load test ran, and what that is for a request.

In words: the ledger's entry of each UTC day costs the same in each of its seconds that are counted; a run costs the
seconds that it lasted. A day that the ledger has not counted that far yet makes the cost unknown.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.urls import reverse

from config import formats
from costs.ledger.models import CostEntry, midnight
from costs.money import MICROS, cents
from fleet.instances.models import Instance
from loadtest.runs.beside import Cost, Part

UNKNOWN = "not in the ledger yet; it counts once an hour"


def cost_of(instances: Sequence[Instance], since: datetime, until: datetime, requests: int) -> Cost:
    """The cost of the instances from `since` until `until`, together and by request; one read."""
    days = {"day__gte": since.date(), "day__lte": until.date()}
    entries: dict[str, list[CostEntry]] = {one.pk: [] for one in instances}
    for entry in CostEntry.objects.filter(instance_id__in=entries, **days).order_by("day"):
        entries[entry.instance_id].append(entry)
    costs = {one.pk: micros_between(entries[one.pk], since, until) for one in instances}
    parts = [Part(one.name, words(costs[one.pk]), address(one, since)) for one in instances]
    known = [cost for cost in costs.values() if cost is not None]
    if len(known) < len(parts):
        return Cost("", "", parts)
    whole = sum(known, Decimal(0))
    million = f"{words(whole * 1_000_000 / requests)} for a million requests" if requests else ""
    return Cost(words(whole), million, parts)


def micros_between(entries: Sequence[CostEntry], since: datetime, until: datetime) -> Decimal | None:
    """Micro-dollars of the time between; None when a part of it is not counted."""
    total, reached = Decimal(0), since
    for entry in entries:
        begin, end = max(reached, midnight(entry.day)), min(until, midnight(entry.day) + timedelta(days=1))
        counted = sum(span["s"] for span in entry.basis.get("spans", ())) or 86_400
        if begin != reached or entry.counted_until < end:
            return None
        total += Decimal(entry.total_micros) * Decimal(str((end - begin).total_seconds())) / counted
        reached = end
    return total if reached >= until else None


def words(micros: Decimal | None) -> str:
    """USD; amounts below a cent with three figures."""
    if micros is None:
        return UNKNOWN
    if 0 < micros < MICROS // 100:
        return f"{formats.significant(float(micros) / MICROS)} USD"
    return f"{cents(micros / MICROS):,} USD"


def address(instance: Instance, since: datetime) -> str:
    return f"{reverse('ui:cost-entries')}?instance={instance.pk}&day={since.date()}"
