"""Roll-ups hold the same figures as the samples they are made of, whenever those came."""

from datetime import UTC, datetime, timedelta

import pytest

from config.timeseries import Query, rows_of
from fleet.metrics import services
from fleet.metrics.models import Rollup, TouchedBucket
from fleet.metrics.recording import record
from fleet.metrics.services import Beat, Sample
from tests.factories import make_team
from tests.fleet.metrics.makers import make_instance

pytestmark = [pytest.mark.django_db, pytest.mark.storage]
NOW = datetime(2026, 3, 10, 12, 34, tzinfo=UTC)
INSTANCE, TEAM, FLEET = Rollup.Subject.INSTANCE, Rollup.Subject.TEAM, Rollup.Subject.FLEET


def store(instance, samples: dict[datetime, Sample], *, now: datetime = NOW) -> None:
    record([Beat(instance_id=instance.pk, at=at, sample=sample) for at, sample in samples.items()], now=now)


def rows(resolution: int, kind: int = INSTANCE, subject: str | None = None) -> list[tuple]:
    sql = (
        "SELECT ts, n, cpu_pct_avg, cpu_pct_max, mem_used_avg, net_rx_last FROM metric_rollup "
        "WHERE resolution = %s AND subject_kind = %s"
    )
    params: list = [resolution, kind]
    if subject is not None:
        sql, params = sql + " AND subject_id = %s", [*params, subject]
    return rows_of(Query(sql + " ORDER BY subject_id, ts", params), times=[0])


def test_buckets_of_each_resolution_hold_the_exact_figures():
    one = make_instance()
    loads = {NOW + timedelta(seconds=30 * number): float(number % 97) for number in range(400)}
    store(one, {at: Sample(cpu_pct=load, mem_used=int(load) * 10**9, net_rx=int(load)) for at, load in loads.items()})
    services.roll_up()
    for minutes in (5, 60, 1440):
        expected: dict[datetime, list[float]] = {}
        for at, load in loads.items():
            expected.setdefault(at - timedelta(seconds=at.timestamp() % (60 * minutes)), []).append(load)
        found = rows(minutes)
        assert [row[0] for row in found] == sorted(expected)
        for at, n, mean, highest, memory, newest in found:
            own = expected[at]
            assert (n, highest, newest) == (len(own), max(own), int(own[-1]))
            assert mean == pytest.approx(sum(own) / len(own), rel=1e-6)
            assert memory == pytest.approx(sum(own) / len(own) * 1e9, rel=1e-12)


def test_an_hour_is_the_mean_of_its_samples_and_not_of_its_buckets():
    one = make_instance()
    hour = NOW.replace(minute=0)
    samples = {hour + timedelta(seconds=number): Sample(cpu_pct=10.0) for number in range(9)}
    store(one, samples | {hour + timedelta(minutes=10): Sample(cpu_pct=90.0)})
    services.roll_up()
    assert [(row[1], row[2]) for row in rows(60)] == [(10, 18.0)]


def test_doing_it_again_changes_nothing():
    one = make_instance()
    store(one, {NOW: Sample(cpu_pct=10.0), NOW + timedelta(minutes=1): Sample(cpu_pct=30.0)})
    assert services.roll_up() > 0
    before = [rows(minutes, kind) for minutes in (5, 60, 1440) for kind in (INSTANCE, FLEET)]
    assert services.roll_up() == 0
    TouchedBucket.objects.create(instance_id="", bucket_at=NOW.replace(minute=30))
    assert services.roll_up() == 1
    assert [rows(minutes, kind) for minutes in (5, 60, 1440) for kind in (INSTANCE, FLEET)] == before


def test_a_late_sample_is_counted_in_all_its_buckets():
    one, other = make_instance(), make_instance()
    at = NOW - timedelta(days=3)
    store(one, {at: Sample(cpu_pct=10.0), at + timedelta(hours=1): Sample(cpu_pct=40.0)}, now=at)
    store(other, {at: Sample(cpu_pct=50.0)}, now=at)
    services.roll_up()
    store(one, {at + timedelta(seconds=1): Sample(cpu_pct=30.0)})
    assert list(TouchedBucket.objects.values_list("instance_id", flat=True)) == [one.pk]
    services.roll_up()
    assert [(row[1], row[2], row[3]) for row in rows(5, subject=one.pk)] == [(2, 20.0, 30.0), (1, 40.0, 40.0)]
    assert [(row[1], row[3]) for row in rows(1440, subject=one.pk)] == [(3, 40.0)]
    assert [(row[1], row[2]) for row in rows(5, subject=other.pk)] == [(1, 50.0)]
    assert rows(60, FLEET)[0][1:3] == (3, 30.0)


def test_teams_and_the_fleet_are_the_mean_of_all_their_samples_and_the_highest():
    red, blue = make_team(), make_team()
    first, second = make_instance(team=red), make_instance(team=red)
    third, free = make_instance(team=blue), make_instance()
    for instance, loads in ((first, (10, 20)), (second, (60,)), (third, (5,)), (free, (100,))):
        store(instance, {NOW + timedelta(seconds=n): Sample(cpu_pct=float(load)) for n, load in enumerate(loads)})
    services.roll_up()
    for minutes in (5, 60, 1440):
        assert [row[1:4] for row in rows(minutes, TEAM, red.pk)] == [(3, 30.0, 60.0)]
        assert [row[1:4] for row in rows(minutes, TEAM, blue.pk)] == [(1, 5.0, 5.0)]
        assert [row[1:4] for row in rows(minutes, FLEET)] == [(5, 39.0, 100.0)]
        assert rows(minutes, FLEET)[0][5] is None


def test_what_was_not_measured_stays_unknown_and_weighs_nothing():
    one, two = make_instance(), make_instance()
    store(one, {NOW: Sample(mem_used=5)})
    store(two, {NOW: Sample(cpu_pct=50.0)})
    services.roll_up()
    assert [row[1:4] for row in rows(5, subject=one.pk)] == [(1, None, None)]
    assert rows(60, FLEET)[0][1:5] == (2, 50.0, 50.0, 5.0)


def test_marks_are_taken_in_portions(monkeypatch):
    monkeypatch.setattr("fleet.metrics.rollup.MARKS_AT_ONCE", 2)
    one = make_instance()
    store(one, {NOW - timedelta(hours=number): Sample(cpu_pct=1.0) for number in range(7)})
    assert services.roll_up() == 7
    assert len(rows(5)) == 7
    assert not TouchedBucket.objects.exists()


def test_nothing_to_do_is_done_at_once(django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        assert services.roll_up() == 0
