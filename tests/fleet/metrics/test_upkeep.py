"""Retention and room ahead, as the ticks do them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from config.schedule import TICKS
from config.timeseries import Query, rows_of
from fleet.metrics import services, tasks, upkeep
from fleet.metrics.models import Rollup, StoredSample
from fleet.metrics.recording import record
from fleet.metrics.services import Beat, Sample
from tests.fleet.metrics.makers import make_instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.storage]
DAY = timedelta(days=1)


def test_each_kind_goes_after_its_time(settings):
    settings.KEEP_DAYS = settings.KEEP_DAYS | {"samples": 7, "hourly": 30, "daily": 365}
    one, now = make_instance(), timezone.now()
    for days in (0, 5, 20, 200):
        record([Beat(instance_id=one.pk, at=now - days * DAY, sample=Sample(cpu_pct=1.0))], now=now - days * DAY)
    services.roll_up()

    def left() -> list[int]:
        found = rows_of(Query("SELECT resolution, count(*) FROM metric_rollup WHERE subject_kind = 0 GROUP BY 1"))
        return [StoredSample.objects.count(), *(dict(found).get(level, 0) for level in Rollup.Resolution)]

    services.ensure_partitions()
    assert left() == [4, 4, 4, 4]
    tasks.upkeep()
    assert left() == [2, 3, 3, 4]
    services.drop_old(now=now + 70 * DAY)
    assert left() == [0, 0, 0, 4]
    services.drop_old(now=now + 500 * DAY)
    assert left() == [0, 0, 0, 0]


def test_there_is_room_from_the_oldest_that_is_taken_in_until_three_days_ahead():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no partitions")
    services.ensure_partitions()
    one, now = make_instance(), timezone.now()
    for offset in (-7 * DAY, 0 * DAY, 3 * DAY):
        record([Beat(instance_id=one.pk, at=now + offset, sample=Sample(cpu_pct=1.0))], now=now)
    services.roll_up()
    assert upkeep.strays() == 0
    done = services.drop_old(now=now + DAY)
    assert [kept.made for kept in done] == [
        [f"metric_sample_{now + 4 * DAY:%Y%m%d}"],
        [f"metric_rollup_5_{now + 4 * DAY:%Y%m%d}"],
        *(
            [month] if (month := f"metric_rollup_{part}_{now + 4 * DAY:%Y%m}") and (now + 4 * DAY).day == 1 else []
            for part in (60, 1440)
        ),
    ]


def test_the_ticks_are_on_the_schedule():
    assert TICKS["fleet.metrics.tasks.roll_up"]["schedule"] == 60
    assert TICKS["fleet.metrics.tasks.upkeep"]["schedule"] == 3600


def test_roll_ups_outlive_the_samples_they_are_made_of(settings):
    settings.KEEP_DAYS = settings.KEEP_DAYS | {"samples": 90, "hourly": 1, "daily": 1}
    kept = upkeep.kept_for()
    assert kept[0] < kept[5] == kept[60] <= kept[1440]
