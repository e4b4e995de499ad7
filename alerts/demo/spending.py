"""What the demo machines cost in the weeks before, at the prices of today, and two budgets, one near its amount."""

from datetime import datetime, timedelta

from alerts.demo.names import Names
from alerts.incidents.models import Alert
from costs.budgets.models import Budget, Period
from costs.ledger import machines
from costs.ledger.accrual import DayCount, Rate, rate_of
from costs.ledger.forgetting import forget
from costs.ledger.machines import Known
from costs.ledger.models import CostEntry, Subject, midnight
from costs.ledger.totals import sum_up
from costs.money import MICROS
from costs.pricing.queries import tables_on
from fleet.instances.models import Instance, Status

DAYS, LATE_DAYS = 45, 20  # every fifth machine came later, so that the curve rises
NEAR = 0.9  # of the amount of the first budget is spent by the middle of today


def make(names: Names, now: datetime) -> None:
    """Entries of whole days before today, which the ledger then goes on with. Making them again changes nothing."""
    today = now.date()
    tables = tables_on(today)
    found: list[CostEntry] = []
    daily = 0
    rows = Instance.objects.filter(pk__in=names.instances).order_by("pk")
    for known in machines.read(rows, now=now, turns_since=now):
        rate = rate_of(known.machine, tables[known.provider])
        subject, _ = Subject.objects.get_or_create(digest=known.digest, defaults=known.facts)
        days = LATE_DAYS if names.instances.index(known.id) % 5 == 0 else DAYS
        entries = [_entry(known, subject, rate, now - timedelta(days=back)) for back in range(1, days + 1)]
        daily += entries[0].total_micros
        found += entries
    CostEntry.objects.bulk_create(found, ignore_conflicts=True, batch_size=500)
    sum_up({entry.day for entry in found})
    month = sum(entry.total_micros for entry in found if entry.day >= today.replace(day=1))
    near = round((month + daily / 2) / NEAR)
    amounts = (("Demo: the whole fleet", near), ("Demo: a day", 2 * daily))
    for pk, (name, micros), period in zip(names.budgets, amounts, (Period.MONTHLY, Period.DAILY), strict=True):
        fields = {"name": name, "amount_micros": max(micros, MICROS), "period": period}
        Budget.objects.get_or_create(pk=pk, defaults=fields)


def remove(names: Names) -> None:
    """Entries, budgets, and the alerts of these."""
    forget(names.instances)
    Alert.objects.filter(dedupe_key__in=[f"budget:{pk}" for pk in names.budgets]).delete()
    Budget.objects.filter(pk__in=names.budgets).delete()


def _entry(known: Known, subject: Subject, rate: Rate, at: datetime) -> CostEntry:
    """A whole day on which it ran."""
    begin = midnight(at.date())
    count = DayCount(at.date(), begin, Status.RUNNING)
    count.add(begin, begin + timedelta(days=1), Status.RUNNING, rate, known.machine.region)
    parts = {name: getattr(count, name) for name in ("compute_micros", "storage_micros", "network_micros")}
    total = sum(parts.values())
    return CostEntry(
        instance_id=known.id, subject=subject, day=count.day, counted_until=count.counted_until, status=count.status,
        basis=count.basis, total_micros=total, estimated_micros=total, **parts,
    )  # fmt: skip
