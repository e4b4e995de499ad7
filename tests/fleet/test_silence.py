"""Agents that stop reporting and come back (contract: fleet console §5.1)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from fleet.instances.models import Event, Status
from fleet.instances.retention import forget_old_events
from fleet.instances.silence import look, mark_silent
from fleet.metrics import services as metrics
from tests.fleet.conftest import make_instance

NOW = timezone.now()
TIMEOUT = timedelta(seconds=90)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "silent_for", "expected"),
    [
        ("RUNNING", TIMEOUT, "ERROR"),
        ("RUNNING", TIMEOUT - timedelta(seconds=1), "RUNNING"),
        ("SUSPENDED", TIMEOUT * 9, "SUSPENDED"),
        ("STOPPED", TIMEOUT * 9, "STOPPED"),
        ("RUNNING", None, "RUNNING"),  # registered by hand: nothing was heard, so nothing is lost
    ],
)
def test_only_running_ones_that_reported_are_lost(status, silent_for, expected):
    seen = silent_for and NOW - silent_for
    instance = make_instance(status=status, last_seen_at=seen, offline_after=seen)
    assert mark_silent(now=NOW) == (expected == "ERROR")
    instance.refresh_from_db()
    assert instance.status == expected
    assert [event.type for event in instance.events.all()] == ["HEARTBEAT_LOST"] * (expected == "ERROR")


@pytest.mark.django_db
def test_a_lost_instance_is_lost_once():
    instance = make_instance(last_seen_at=NOW - TIMEOUT, offline_after=NOW - TIMEOUT)
    assert [mark_silent(now=NOW), mark_silent(now=NOW + TIMEOUT)] == [1, 0]
    event = instance.events.get()
    assert (event.timestamp, event.metadata) == (NOW, {"silent_s": 90})


@pytest.mark.django_db
def test_the_look_moves_on_for_who_reports(django_assert_max_num_queries):
    seen = NOW - timedelta(seconds=10)
    instance = make_instance(last_seen_at=seen, offline_after=NOW - timedelta(seconds=1))
    assert mark_silent(now=NOW) == 0
    instance.refresh_from_db()
    assert instance.offline_after == seen + TIMEOUT
    with django_assert_max_num_queries(2):
        mark_silent(now=NOW + timedelta(seconds=5))


@pytest.mark.django_db
def test_after_an_outage_of_the_platform_agents_get_their_time_again():
    instance = make_instance(last_seen_at=NOW - TIMEOUT * 5, offline_after=NOW - TIMEOUT)
    assert look(now=NOW) == 0
    seconds = [5, 30, 60, 85]
    assert [look(now=NOW + timedelta(seconds=s)) for s in seconds] == [0] * 4
    assert look(now=NOW + TIMEOUT) == 1
    instance.refresh_from_db()
    assert instance.status == Status.ERROR


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("status", "expected"),
    [("ERROR", "RUNNING"), ("STOPPED", "RUNNING"), ("UNKNOWN", "RUNNING"), ("SUSPENDED", "SUSPENDED")],
)
def test_agent_traffic_brings_back(status, expected):
    instance = make_instance(status=status)
    metrics.accept([metrics.Beat(instance_id=instance.pk, at=timezone.now())]).result(10)
    instance.refresh_from_db()
    assert (instance.status, instance.online) == (expected, True)
    recovered = Event.objects.filter(instance=instance, type="HEARTBEAT_RECOVERED").count()
    assert recovered == (expected == "RUNNING")
    if expected == "RUNNING":
        assert mark_silent(now=timezone.now() + TIMEOUT + timedelta(seconds=1)) == 1


@pytest.mark.django_db
def test_old_events_are_forgotten(settings):
    settings.KEEP_DAYS = settings.KEEP_DAYS | {"events": 90}
    instance = make_instance()
    for days in (89, 91, 200):
        Event.objects.create(instance=instance, type="CONNECT", timestamp=NOW - timedelta(days=days))
    assert forget_old_events(now=NOW) == 2
    assert Event.objects.count() == 1
