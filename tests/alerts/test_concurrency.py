"""Several workers at once: one pass, one alert, one transition, one notification."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from alerts.channels import outbox
from alerts.channels.models import Attempt, Notification
from alerts.evaluation.services import evaluate, evaluate_if_due
from alerts.incidents.models import Alert, AlertEvent
from alerts.incidents.services import resolve
from alerts.monitors.services import look
from monitors.runs.models import Run
from tests.alerts.conftest import (
    NOW,
    finish_run,
    fire_alert,
    make_channel,
    make_instance,
    make_monitor,
    make_rule,
    report,
    send_all,
)

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS = 4


@pytest.fixture(autouse=True)
def broker_stays_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests send what is due themselves."""
    from alerts.channels.tasks import send_due

    monkeypatch.setattr(send_due, "delay", lambda: None)


def at_once(act: Callable[[], Any]) -> list[Any]:
    """What `act` gives in each of several threads that start together; errors reach the test."""
    barrier, results, errors = threading.Barrier(WORKERS), [], []

    def work() -> None:
        try:
            barrier.wait(10)
            results.append(act())
        except Exception as error:  # noqa: BLE001 - raised again in the test's own thread
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    if errors:
        raise errors[0]
    return results


def test_one_pass_by_any_number_of_workers():
    report(make_instance(), cpu_pct=99)
    make_rule(channels=[make_channel()])
    assert sorted(at_once(lambda: evaluate_if_due(now=NOW))) == [False] * (WORKERS - 1) + [True]
    assert Alert.objects.count() == Notification.objects.count() == 1


def test_even_passes_at_the_same_time_open_one_alert_and_tell_once():
    report(make_instance(), cpu_pct=99)
    make_rule(channels=[make_channel()])
    at_once(lambda: evaluate(now=NOW))
    assert Alert.objects.count() == Notification.objects.count() == 1


def test_an_alert_ends_once():
    alert = fire_alert(rule=make_rule(channels=[make_channel()]))
    assert sum(at_once(lambda: resolve(alert=Alert.objects.get(pk=alert.pk), now=NOW))) == 1
    assert AlertEvent.objects.filter(kind="resolved").count() == 1
    assert Notification.objects.filter(kind="resolved").count() == 1


def test_every_run_is_counted_once_and_in_order():
    make_channel()
    monitors = [make_monitor(alert_after=2, recover_after=2) for _ in range(3)]
    for minute, status in enumerate(["fail", "fail", "fail", "pass", "pass"]):
        for monitor in monitors:
            finish_run(monitor, status, at=NOW + timedelta(minutes=minute))
    assert sum(at_once(lambda: look(now=NOW))) == 15
    assert not Run.objects.uncounted().exists()
    assert Alert.objects.count() == 3
    for alert in Alert.objects.all():
        assert (alert.status, alert.occurrences) == ("RESOLVED", 2)
    assert (
        Notification.objects.filter(kind="fired").count() == Notification.objects.filter(kind="resolved").count() == 3
    )


def test_several_senders_send_each_message_once(local_server):
    channels = [make_channel(f"{local_server.url}/{number}") for number in range(5)]
    fire_alert(rule=make_rule(channels=channels))
    assert sorted(sum(at_once(lambda: send_all(NOW)), [])) == [True] * 5
    assert sorted(request.path for request in local_server.requests) == [f"/{number}" for number in range(5)]
    assert Attempt.objects.count() == 5


def test_a_message_is_taken_by_one_worker_only():
    channel = make_channel()
    fire_alert(rule=make_rule(channels=[channel]))
    taken = at_once(lambda: outbox.take(channel.pk, now=NOW))
    assert len([message for message in taken if message]) == 1


def test_what_is_rolled_back_tells_nobody():
    from django.db import transaction

    instance, rule = make_instance(), make_rule(channels=[make_channel()])
    report(instance, cpu_pct=99)
    with pytest.raises(RuntimeError), transaction.atomic():
        evaluate(now=NOW)
        assert Notification.objects.exists()
        raise RuntimeError("the worker dies before its commit")
    assert not Alert.objects.exists() and not Notification.objects.exists()
    evaluate(now=NOW)
    assert Alert.objects.get().rule == rule and Notification.objects.count() == 1


def test_the_tasks_carry_a_message_to_its_receiver(monkeypatch, eager_tasks, local_server):
    """From the commit of the alert through both tasks to the wire."""
    from alerts.channels.tasks import send_due

    monkeypatch.undo()
    channel = make_channel(local_server.url)
    report(make_instance(), cpu_pct=99)
    make_rule(channels=[channel])
    evaluate(now=NOW)
    local_server.wait(1)
    assert Notification.objects.get().state == "SENT"
    send_due()
    assert len(local_server.requests) == 1
