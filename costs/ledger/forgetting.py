"""Taking instances out of the ledger as if they had never been; for data that is not real."""

from collections.abc import Collection

from django.db import transaction

from costs.ledger.models import CostEntry, Subject
from costs.ledger.totals import sum_up


@transaction.atomic
def forget(instance_ids: Collection[str]) -> None:
    """Delete their entries, and make the totals of those days anew."""
    entries = CostEntry.objects.filter(instance_id__in=instance_ids)
    days = set(entries.order_by().values_list("day", flat=True).distinct())
    entries.delete()
    Subject.objects.filter(instance_id__in=instance_ids).delete()
    sum_up(days)
