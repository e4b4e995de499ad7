"""Forgetting what single instances reported, as if they had never been there."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from fleet.metrics.models import Rollup, StoredSample, TouchedBucket
from fleet.metrics.rollup import floor, roll_up

SLICE = 500


@transaction.atomic
def _delete(instance_ids: Sequence[str], since: datetime) -> None:
    StoredSample.objects.filter(instance_id__in=instance_ids).delete()
    mine = Rollup.Subject.INSTANCE
    Rollup.objects.filter(
        resolution__in=Rollup.Resolution.values, subject_kind=mine, subject_id__in=instance_ids
    ).delete()
    TouchedBucket.objects.filter(instance_id__in=instance_ids).delete()
    day = floor(since, Rollup.Resolution.DAY)
    Rollup.objects.filter(subject_kind=Rollup.Subject.FLEET, ts__gte=day).delete()
    others = Rollup.objects.filter(resolution=Rollup.Resolution.FIVE_MINUTES, subject_kind=mine, ts__gte=day)
    moments = others.order_by().values_list("ts", flat=True).distinct()
    TouchedBucket.objects.bulk_create((TouchedBucket(instance_id="", bucket_at=at) for at in moments), batch_size=SLICE)


def forget(instance_ids: Sequence[str], *, since: datetime) -> None:
    """Delete samples and roll-ups of these instances; what the fleet measured is summed up anew from `since` on.

    They belong to no team, so teams' figures stay.
    """
    _delete(instance_ids, since)
    roll_up()
