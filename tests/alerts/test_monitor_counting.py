"""Runs counted into alerts of monitors (contract: monitors §6)."""

from datetime import timedelta

import pytest

from alerts.channels.models import Notification
from alerts.incidents.models import Alert
from alerts.incidents.services import resolve
from alerts.monitors.models import MonitorState
from alerts.monitors.services import look
from monitors.monitors.models import Monitor
from monitors.runs.models import Run
from tests.alerts.conftest import NOW, finish_run, make_channel, make_monitor

pytestmark = pytest.mark.django_db


def kinds() -> list[str]:
    return list(Notification.objects.order_by("pk").values_list("kind", flat=True))


def test_a_bad_run_opens_and_a_good_one_resolves(runs):
    channel = make_channel()
    make_channel(monitor_alerts=False)
    make_channel(enabled=False)
    monitor = make_monitor(name="Checkout")
    alert = runs(monitor, "gb")
    bad = Run.objects.get(status="fail")
    assert (alert.status, alert.type, alert.severity, alert.source) == ("ACTIVE", "threshold", "CRITICAL", "monitor")
    assert (alert.run_id, alert.last_run_id, alert.occurrences) == (bad.pk, bad.pk, 1)
    assert alert.breaches == bad.breaches and "p95 1312.4 ms is over 900 ms" in alert.message
    assert "Checkout" in alert.title
    assert list(Notification.objects.values_list("channel", "kind")) == [(channel.pk, "fired")]
    alert = runs(monitor, "g")
    good = Run.objects.order_by("-completed_at").first()
    assert (alert.status, alert.resolved_by_run_id) == ("RESOLVED", good.pk)
    assert kinds() == ["fired", "resolved"]
    assert not Run.objects.uncounted().exists()


@pytest.mark.parametrize(
    ("letter", "type", "severity"),
    [("b", "threshold", "CRITICAL"), ("t", "timeout", "CRITICAL"), ("e", "error", "HIGH")],
)
def test_the_type_follows_the_run(runs, letter, type, severity):
    alert = runs(make_monitor(), letter)
    assert (alert.type, alert.severity) == (type, severity)
    assert alert.message


def test_more_bad_runs_are_counted_on_the_open_alert(runs):
    make_channel()
    monitor = make_monitor()
    alert = runs(monitor, "beb")
    assert Alert.objects.count() == 1
    assert alert.occurrences == 3 and alert.type == "threshold"
    assert alert.last_run_id == Run.objects.order_by("-completed_at").first().pk != alert.run_id
    assert kinds() == ["fired"]


def test_alert_after_and_recover_after(runs):
    monitor = make_monitor(alert_after=3, recover_after=2)
    assert runs(monitor, "bb") is None
    assert runs(monitor, "b").status == "ACTIVE"
    assert runs(monitor, "g").status == "ACTIVE"
    assert runs(monitor, "g").status == "RESOLVED"


def test_bad_runs_must_be_in_a_row(runs):
    monitor = make_monitor(alert_after=2)
    assert runs(monitor, "bgb") is None
    assert runs(monitor, "b") is not None


def test_cancelled_runs_count_as_neither(runs):
    monitor = make_monitor(alert_after=2, recover_after=2)
    assert runs(monitor, "bcb").status == "ACTIVE"
    assert runs(monitor, "gcg").status == "RESOLVED"


def test_manual_runs_count(runs):
    assert runs(make_monitor(), "b", trigger="manual").status == "ACTIVE"


def test_an_acknowledged_alert_resolves_too(runs):
    monitor = make_monitor()
    alert = runs(monitor, "b")
    Alert.objects.filter(pk=alert.pk).update(status="ACKNOWLEDGED")
    assert runs(monitor, "g").status == "RESOLVED"


def test_flapping_is_judged_first_and_keeps_quiet(runs):
    make_channel()
    monitor = make_monitor()
    alert = runs(monitor, "bgbgb")  # four changes
    assert (alert.type, alert.status) == ("threshold", "ACTIVE")
    assert kinds() == ["fired", "resolved", "fired", "resolved", "fired"]
    flapping = runs(monitor, "g")  # the fifth: it resolves nothing
    assert flapping.pk == alert.pk
    assert (flapping.type, flapping.status) == ("flapping", "ACTIVE")
    assert runs(monitor, "gb").status == "ACTIVE"
    assert runs(monitor, "gg").status == "ACTIVE"
    ended = runs(monitor, "g")
    assert (ended.pk, ended.status) == (alert.pk, "RESOLVED")
    assert len(kinds()) == 5, "no notices about flapping"
    state = MonitorState.objects.get()
    assert (state.outcomes, state.flapping) == ("", False)
    assert runs(monitor, "b").pk != alert.pk, "the window started anew"
    assert len(kinds()) == 6


def test_flapping_without_an_open_alert_opens_one_without_notices(runs):
    make_channel()
    monitor = make_monitor(alert_after=3)
    assert runs(monitor, "gbgbg") is None
    alert = runs(monitor, "b")
    assert (alert.type, alert.status, alert.severity) == ("flapping", "ACTIVE", "MEDIUM")
    assert runs(monitor, "bbb").occurrences == 4
    assert runs(monitor, "ggg").status == "RESOLVED"
    assert kinds() == []


def test_old_changes_leave_the_window(runs):
    monitor = make_monitor(alert_after=20)
    assert runs(monitor, "bgbgb" + "b" * 8 + "g") is None


def test_resolved_by_hand_it_opens_again_with_the_next_bad_run(runs):
    monitor = make_monitor()
    first = runs(monitor, "b")
    resolve(alert=first, now=NOW + timedelta(hours=1))
    assert runs(monitor, "b").pk != first.pk


def test_disabling_a_monitor_resolves_and_starts_anew(runs):
    make_channel()
    monitor = make_monitor(alert_after=2)
    runs(monitor, "bb")
    Monitor.objects.filter(pk=monitor.pk).update(enabled=False)
    look(now=NOW + timedelta(hours=1))
    alert = Alert.objects.get()
    assert (alert.status, alert.resolved_by) == ("RESOLVED", "system:auto-resolution")
    assert kinds() == ["fired", "resolved"]
    runs(monitor, "bbb")
    assert Alert.objects.count() == 1, "a switched off monitor alerts nobody"
    Monitor.objects.filter(pk=monitor.pk).update(enabled=True)
    runs(monitor, "b")
    assert Alert.objects.count() == 1
    runs(monitor, "b")
    assert Alert.objects.open().count() == 1


def test_deleting_a_monitor_takes_its_alerts_along(runs):
    monitor = make_monitor()
    runs(monitor, "b")
    monitor.runs.all().delete()
    monitor.delete()
    assert not Alert.objects.exists()


def test_runs_are_counted_in_the_order_in_which_they_finished():
    monitor = make_monitor()
    for minute, status in ((2, "pass"), (1, "fail")):
        finish_run(monitor, status, at=NOW + timedelta(minutes=minute))
    assert look(now=NOW + timedelta(minutes=3)) == 2
    assert Alert.objects.get().status == "RESOLVED"
    assert look(now=NOW + timedelta(minutes=3)) == 0


def test_a_broken_monitor_does_not_keep_the_others_from_being_counted(monkeypatch):
    from alerts.monitors import services

    broken, fine = make_monitor(), make_monitor()
    finish_run(broken, "fail")
    finish_run(fine, "fail", at=NOW + timedelta(seconds=1))
    real = services._count

    def count(state, run, now):
        if run.monitor_id == broken.pk:
            raise RuntimeError("no space")
        real(state, run, now)

    monkeypatch.setattr(services, "_count", count)
    assert look(now=NOW) == 1
    assert Alert.objects.get().monitor == fine
    assert Run.objects.uncounted().get().monitor == broken
    monkeypatch.setattr(services, "_count", real)
    assert look(now=NOW) == 1
