"""`accept`: what is answered is in the database, once, and the instance tells the newest."""

import threading
import time
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from config import live
from config.api.errors import Invalid
from config.timeseries import Query, rows_of
from fleet.instances.models import Event, Instance, Status
from fleet.metrics import services
from fleet.metrics.models import StoredSample
from fleet.metrics.services import Beat, Sample
from tests.fleet.metrics.makers import make_instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.storage]


@pytest.fixture(autouse=True)
def nothing_waits_afterwards():
    yield
    assert services.flush()


@pytest.fixture
def told(monkeypatch) -> list[tuple[str, dict]]:
    """What was published, each with the proof that it came after the commit."""
    events: list[tuple[str, dict]] = []

    def publish(pairs):
        assert not connection.in_atomic_block
        events.extend(pairs)

    monkeypatch.setattr(live, "publish_all", publish)
    return events


def accept(*beats: Beat, **options) -> None:
    services.accept(beats, **options).result(10)


def beat(instance: Instance, at: datetime | None = None, **fields) -> Beat:
    sample = fields.pop("sample", None)
    return Beat(instance_id=instance.pk, at=at or timezone.now(), sample=sample, **fields)


def columns(*names: str) -> list[tuple]:
    return rows_of(Query(f"SELECT {', '.join(names)} FROM metric_sample ORDER BY ts"))  # noqa: S608


def test_a_sample_and_what_the_instance_tells(told):
    one = make_instance()
    at = timezone.now().replace(microsecond=123000)
    full = Sample(cpu_pct=12.5, mem_used=5, mem_total=20, disk_used=1, disk_total=3, load1=0.25, core_count=8, net_rx=7)
    accept(beat(one, at, sample=full, uptime_s=77))
    assert columns("instance_id", "cpu_pct", "mem_pct", "mem_used", "load1", "net_rx") == [
        (one.pk, 12.5, 25.0, 5, 0.25, 7)
    ]
    assert StoredSample.objects.get().ts == at
    assert "core_count" in columns("CAST(extra AS text)")[0][0]
    one.refresh_from_db()
    assert timezone.now() - one.last_seen_at < timedelta(seconds=10)
    assert one.uptime_s == 77
    assert one.offline_after > one.last_seen_at
    assert one.last_sample["cpu_pct"] == 12.5
    assert one.last_sample["disk_pct"] == pytest.approx(33.33, abs=0.01)
    assert datetime.fromisoformat(one.last_sample["at"]) == at
    topics = dict(told)
    assert topics[f"instance:{one.pk}"]["kind"] == "heartbeat"
    assert topics["fleet"] == {"kind": "heartbeats", "beats": [topics[f"instance:{one.pk}"]]}


def test_a_bare_heartbeat_keeps_the_newest_figures():
    one = make_instance()
    accept(beat(one, sample=Sample(cpu_pct=50.0), uptime_s=1))
    accept(beat(one, uptime_s=2))
    one.refresh_from_db()
    assert (one.uptime_s, one.last_sample["cpu_pct"], StoredSample.objects.count()) == (2, 50.0, 1)


def test_repeats_are_stored_once_whoever_sends_them():
    one, now = make_instance(), timezone.now()

    def samples(load: float) -> list[Beat]:
        return [beat(one, now - timedelta(seconds=n), sample=Sample(cpu_pct=load)) for n in range(20)]

    accept(*samples(1.0))
    futures, threads = [], []
    for _ in range(8):
        threads.append(threading.Thread(target=lambda: futures.append(services.accept(samples(2.0)))))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for future in futures:
        future.result(10)
    accept(*samples(3.0), *samples(4.0))
    assert columns("cpu_pct") == [(1.0,)] * 20


def test_an_older_sample_does_not_become_the_newest():
    one, now = make_instance(), timezone.now()
    accept(beat(one, now, sample=Sample(cpu_pct=50.0)))
    accept(beat(one, now - timedelta(hours=5), sample=Sample(cpu_pct=99.0), replayed=True))
    one.refresh_from_db()
    assert one.last_sample["cpu_pct"] == 50.0
    assert columns("cpu_pct") == [(99.0,), (50.0,)]


def test_what_a_sample_lacks_is_taken_over_while_it_is_fresh():
    one, now = make_instance(), timezone.now()
    full = Sample(cpu_pct=1.0, mem_used=5, mem_total=10, net_tx=1000, net_rx=1000)
    accept(beat(one, now - timedelta(seconds=60), sample=full))
    accept(beat(one, now - timedelta(seconds=30), sample=Sample(cpu_pct=2.0, mem_used=6)))
    one.refresh_from_db()
    assert (one.last_sample["cpu_pct"], one.last_sample["mem_used"]) == (2.0, 6)
    assert "mem_total" not in one.last_sample, "used and total must be of the same moment"
    accept(beat(one, now, sample=Sample(net_tx=7000, net_rx=500)))
    one.refresh_from_db()
    assert (one.last_sample["net_tx_bps"], one.last_sample["cpu_pct"]) == (100.0, 2.0)
    assert "net_rx_bps" not in one.last_sample, "the counter began anew"
    accept(beat(one, now + timedelta(minutes=9), sample=Sample(load1=1.0)))
    one.refresh_from_db()
    assert "cpu_pct" not in one.last_sample, "that was too long ago"


def test_times_are_clamped_and_cut_to_milliseconds():
    one, now = make_instance(), timezone.now()
    for offset in (timedelta(days=-400), timedelta(days=400), timedelta(minutes=-9)):
        accept(beat(one, now + offset, sample=Sample(cpu_pct=1.0)), now=now)
    cut = now.replace(microsecond=now.microsecond // 1000 * 1000)
    assert list(StoredSample.objects.order_by("ts").values_list("ts", flat=True)) == [
        cut + timedelta(minutes=minutes) for minutes in (-10, -9, 10)
    ]


def test_a_replayed_sample_may_be_as_old_as_samples_are_kept():
    one, now = make_instance(), timezone.now()
    at = now - timedelta(days=6, hours=23)
    accept(beat(one, at, sample=Sample(cpu_pct=1.0), replayed=True))
    assert StoredSample.objects.get().ts == at.replace(microsecond=at.microsecond // 1000 * 1000)
    with pytest.raises(Invalid, match="older than 7 days"):
        accept(beat(one, now - timedelta(days=8), sample=Sample(cpu_pct=1.0), replayed=True))


@pytest.mark.parametrize(
    "figures",
    [
        {"cpu_pct": 100.1},
        {"cpu_pct": -0.1},
        {"cpu_pct": float("nan")},
        {"load1": float("inf")},
        {"load1": 1e300},
        {"mem_used": -1},
        {"net_rx": 2**63},
        {"core_count": -5},
    ],
)
def test_figures_that_break_a_rule_are_refused_with_all_that_came_with_them(figures):
    one = make_instance()
    with pytest.raises(Invalid) as refusal:
        accept(beat(one, sample=Sample(cpu_pct=1.0)), beat(one, sample=Sample(**figures)))
    assert next(iter(refusal.value.details)) in figures
    assert not StoredSample.objects.exists()


def test_instances_that_no_longer_exist_are_passed_over():
    one = make_instance()
    accept(beat(one, sample=Sample(cpu_pct=1.0)), Beat(instance_id="gone", at=timezone.now(), sample=Sample()))
    assert columns("instance_id") == [(one.pk,)]


@pytest.mark.parametrize("status", [Status.ERROR, Status.UNKNOWN, Status.STOPPED])
def test_an_instance_that_reports_again_runs_again(status):
    one = make_instance(status=status)
    accept(beat(one), beat(one))
    one.refresh_from_db()
    assert one.status == Status.RUNNING
    assert one.offline_after > timezone.now()
    event = Event.objects.get(instance=one)
    assert (event.type, event.metadata) == (Event.Type.HEARTBEAT_RECOVERED, {"previous_status": status})


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.DEPLOYING, Status.DESTROYING, Status.DESTROYED])
def test_other_states_are_not_changed_by_a_heartbeat(status):
    one = make_instance(status=status)
    accept(beat(one, sample=Sample(cpu_pct=1.0)))
    one.refresh_from_db()
    assert (one.status, Event.objects.count()) == (status, 0)
    assert one.last_seen_at is not None


def test_a_lost_instance_whose_name_is_taken_stays_lost_but_its_samples_are_kept():
    lost = make_instance(name="web", status=Status.ERROR)
    make_instance(name="web")
    accept(beat(lost, sample=Sample(cpu_pct=1.0)))
    lost.refresh_from_db()
    assert (lost.status, StoredSample.objects.count()) == (Status.ERROR, 1)


def test_a_frame_without_acknowledgement_is_stored_within_two_seconds():
    one = make_instance()
    services.queue([services.checked(beat(one, sample=Sample(cpu_pct=1.0)), now=timezone.now())])
    end = time.monotonic() + 2
    while not StoredSample.objects.exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert StoredSample.objects.count() == 1
