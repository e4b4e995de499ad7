"""Receivers that are down, that hang or lead inside, and workers that die: nothing is lost, nothing told twice."""

import pytest

from alerts.channels.models import Attempt, Notification
from alerts.channels.transports import http
from alerts.grouping import speaking
from alerts.incidents.services import resolve
from alerts.tending.services import tend
from tests.alerts.conftest import NOW, fire_alert, later, make_channel, make_rule, send_all
from tests.support.local_server import Answer

pytestmark = pytest.mark.django_db


def test_an_answer_of_500_for_five_minutes_delays_but_loses_nothing(local_server):
    local_server.answer(status=500)
    alert = fire_alert(rule=make_rule(channels=[make_channel(local_server.url)]))
    for second in range(0, 300, 30):
        send_all(later(second))
    resolve(alert=alert, now=later(290))
    failed = len(local_server.requests)
    local_server.answer(status=204)
    for second in range(300, 700, 50):
        send_all(later(second))
    assert [request.json()["status"] for request in local_server.requests][failed:] == ["ACTIVE", "RESOLVED"]
    keys = [request.headers["idempotency-key"] for request in local_server.requests]
    assert len(set(keys[: failed + 1])) == 1 and len(set(keys)) == 2
    assert set(Notification.objects.values_list("state", flat=True)) == {"SENT"}


def test_one_that_hangs_is_given_up_in_time_and_tried_again(local_server, monkeypatch):
    monkeypatch.setattr(http, "TIMEOUT_S", 0.2)
    local_server.answer("/", Answer(hang=True), Answer(status=204))
    fire_alert(rule=make_rule(channels=[make_channel(f"{local_server.url}/")]))
    assert send_all(NOW) == [False] and send_all(later(10)) == [True]
    assert Attempt.objects.order_by("sent_at").first().error


def test_a_worker_that_dies_while_its_group_speaks_leaves_it_to_the_next(local_server, settings, monkeypatch):
    settings.ALERT_GROUP_WAIT_S = 1
    fire_alert(rule=make_rule(channels=[make_channel(local_server.url)]))

    def dies(*args, **kwargs):
        raise RuntimeError("the process is gone")

    with monkeypatch.context() as patch:
        patch.setattr(speaking, "_write", dies)
        tend(now=later(2))
    assert not Notification.objects.exists()
    tend(now=later(3))
    tend(now=later(4))
    send_all(later(4))
    assert len(local_server.requests) == 1
