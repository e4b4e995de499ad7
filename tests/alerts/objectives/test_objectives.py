"""Objectives: what is counted, what is left of the budget, and one alert for what burns."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from alerts.channels.models import Notification
from alerts.incidents.models import Alert, Status
from alerts.objectives import services, tallying
from alerts.objectives.models import Objective, Tally
from alerts.objectives.queries import standings
from loadtest.runs.models import Run as LoadRun
from monitors.runs.models import Run
from tests.alerts.conftest import NOW, make_channel, make_monitor

pytestmark = pytest.mark.django_db
URL = "/api/v1/alerts/objectives"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def monitor():
    return make_monitor(name="Shop")


@pytest.fixture
def objective(monitor):
    return Objective.objects.create(name="Shop works", monitor=monitor, target=99, window_days=7)


def checked(monitor, *, since: datetime, minutes: int, bad: int = 0, p95: float | None = 100) -> None:
    """A run each minute; the last `bad` of them failed."""
    times = ("queued_at", "ready_at", "take_until", "completed_at")
    Run.objects.bulk_create(
        Run(
            monitor=monitor, trigger="schedule", tool="http", spec={}, agent_id="default", timeout_s=60,
            status="fail" if minutes - number <= bad else "pass", metrics=p95 and {"p95": p95},
            **dict.fromkeys(times, since + number * MINUTE),
        )
        for number in range(minutes)
    )  # fmt: skip


def standing(objective, now=NOW):
    return standings([Objective.objects.get(pk=objective.pk)], now)[0]


def test_a_budget_is_what_may_still_be_bad(objective, monitor):
    checked(monitor, since=NOW - 1000 * MINUTE, minutes=1000, bad=5)
    services.look(now=NOW)
    found = standing(objective)
    assert (found.whole.good, found.whole.total, found.left_percent) == (995, 1000, pytest.approx(50))
    assert found.left_s == pytest.approx(0.5 * 0.01 * 7 * 86_400)
    assert [share.total for share in found.days.values()][-2:] == [280, 720]


def test_nothing_counted_is_unknown(objective):
    services.look(now=NOW)
    found = standing(objective)
    assert (found.whole.percent, found.left, set(found.rates.values())) == (None, None, {None})
    assert not Alert.objects.exists()


def test_counting_again_or_beside_each_other_changes_nothing(objective, monitor):
    checked(monitor, since=NOW - 60 * MINUTE, minutes=60, bad=2)
    services.look(now=NOW)
    before = list(Tally.objects.order_by("span_s", "at").values_list("at", "good", "total"))
    stale = Objective.objects.get(pk=objective.pk)
    stale.counted_until = None
    assert tallying.count_up(stale, now=NOW)
    services.look(now=NOW + MINUTE)
    assert list(Tally.objects.order_by("span_s", "at").values_list("at", "good", "total")) == before


def test_a_run_that_is_seen_late_is_counted(objective, monitor):
    services.look(now=NOW)
    checked(monitor, since=NOW - 10 * MINUTE, minutes=5)
    services.look(now=NOW + MINUTE)
    assert standing(objective).whole.total == 5


def test_a_long_past_is_caught_up_step_by_step(objective, monitor):
    Objective.objects.update(window_days=30)
    checked(monitor, since=NOW - timedelta(days=29), minutes=10)
    for _ in range(5):
        services.look(now=NOW)
    assert standing(objective).whole.total == 10


def test_latency_judges_p95_and_what_was_not_measured_is_bad(monitor):
    fast = Objective.objects.create(
        name="Fast", monitor=monitor, target=90, indicator="latency", latency_ms=200, window_days=7
    )
    checked(monitor, since=NOW - 30 * MINUTE, minutes=10, bad=10, p95=200)  # slow enough to fail, fast enough for this
    checked(monitor, since=NOW - 20 * MINUTE, minutes=5, p95=201)
    checked(monitor, since=NOW - 10 * MINUTE, minutes=5, p95=None)
    services.look(now=NOW)
    assert (standing(fast).whole.good, standing(fast).whole.total) == (10, 20)


def test_load_runs_count_their_requests():
    objective = Objective.objects.create(name="Orders", request_id="req-1", target=99.9)
    summary = {"totalRequests": 2000, "successfulRequests": 1999}
    LoadRun.objects.create(
        id="run-1", kind="load", status="completed", request_id="req-1", started_at=NOW - 2 * MINUTE,
        ended_at=NOW - MINUTE, report={"summary": summary, "latency": {"p95": 3.0}},
    )  # fmt: skip
    for _ in range(5):
        services.look(now=NOW)
    assert (standing(objective).whole.bad, standing(objective).left_percent) == (1, pytest.approx(50))


def test_what_burns_fires_once_gets_worse_and_ends(objective, monitor):
    objective.channels.add(make_channel())
    checked(monitor, since=NOW - 360 * MINUTE, minutes=360, bad=0)
    services.look(now=NOW)
    assert not Alert.objects.exists()

    checked(monitor, since=NOW, minutes=12, bad=12)
    services.look(now=NOW + 12 * MINUTE)
    services.look(now=NOW + 13 * MINUTE)
    alert = Alert.objects.get()
    assert (alert.severity, alert.status, alert.subject) == ("CRITICAL", Status.ACTIVE, "Shop")
    assert "1 h" in alert.message and "14.4 times" in alert.message
    assert Notification.objects.count() <= 1

    checked(monitor, since=NOW + 13 * MINUTE, minutes=60)
    services.look(now=NOW + 74 * MINUTE)
    assert not Alert.objects.open().filter(severity="CRITICAL").exists()
    checked(monitor, since=NOW + 74 * MINUTE, minutes=600)
    services.look(now=NOW + 674 * MINUTE)
    services.look(now=NOW + 675 * MINUTE)
    assert not Alert.objects.open().exists()


def test_few_bad_checks_are_no_trend(objective, monitor):
    checked(monitor, since=NOW - 10 * MINUTE, minutes=10, bad=2)
    services.look(now=NOW)
    assert not Alert.objects.exists()


def test_switched_off_or_deleted_its_alert_ends(objective, monitor):
    checked(monitor, since=NOW - 30 * MINUTE, minutes=30, bad=30)
    services.look(now=NOW)
    assert Alert.objects.open().count() == 1
    objective.delete()
    services.look(now=NOW + MINUTE)
    assert not Alert.objects.open().exists()


def test_old_tallies_go(objective, monitor):
    checked(monitor, since=NOW - timedelta(days=6), minutes=10)
    checked(monitor, since=NOW - 20 * MINUTE, minutes=10)
    services.look(now=NOW)
    tallying.forget(now=NOW)
    assert set(Tally.objects.values_list("span_s", flat=True)) == {300, 86_400}
    assert standing(objective).whole.total == 20
    tallying.forget(now=NOW + timedelta(days=101))
    assert not Tally.objects.exists()


class TestApi:
    def test_life(self, api, monitor):
        body = {"name": "Shop works", "monitorId": str(monitor.pk), "indicator": "availability", "target": 99.5}
        made = api("OPERATOR").post(URL, body)
        assert made.status_code == 201 and made.json()["windowDays"] == 30
        assert made.json()["standing"]["budgetLeftPercent"] is None
        one = f"{URL}/{made.json()['id']}"
        assert api("OPERATOR").put(one, {"indicator": "latency", "latencyMs": 300}).json()["latencyMs"] == 300
        assert api("VIEWER").get(URL).json()["objectives"][0]["name"] == "Shop works"
        assert api("OPERATOR").post(URL, body).status_code == 409
        assert api("OPERATOR").delete(one).json()["message"] == "Objective deleted"
        assert api("VIEWER").get(one).status_code == 404

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"monitorId": None}, 400),
            ({"requestId": "both"}, 400),
            ({"indicator": "latency"}, 400),
            ({"latencyMs": 5}, 400),
            ({"target": 100}, 400),
            ({"target": "NaN"}, 400),
            ({"windowDays": 91}, 400),
            ({"name": ""}, 400),
            ({"monitorId": "00000000-0000-4000-8000-000000000000"}, 404),
            ({"channelIds": ["unknown"]}, 404),
        ],
    )
    def test_refused(self, api, monitor, change, status):
        body = {"name": "Shop works", "monitorId": str(monitor.pk), "indicator": "availability", "target": 99.5}
        assert api("OPERATOR").post(URL, body | change).status_code == status
        assert not Objective.objects.exists()

    def test_another_monitor_is_counted_anew(self, api, objective, monitor):
        checked(monitor, since=timezone.now() - 30 * MINUTE, minutes=10)
        services.look()
        other = make_monitor(name="Other")
        api("OPERATOR").put(f"{URL}/{objective.pk}", {"monitorId": str(other.pk)})
        services.look()
        assert not Tally.objects.exists()


class TestPages:
    def test_made_read_changed_and_deleted(self, browser, monitor):
        client = browser("OPERATOR")
        form = {"name": "Shop works", "subject": f"monitor:{monitor.pk}", "indicator": "availability", "target": "99.5"}
        more = {"window_days": "30", "enabled": "on"}
        assert client.post("/alerts/objectives/new/", form | more).status_code == 302
        objective = Objective.objects.get()
        checked(monitor, since=timezone.now() - 30 * MINUTE, minutes=20, bad=1)
        for _ in range(5):
            services.look()
        assert "95 %" in client.get("/alerts/objectives/").content.decode()
        page = client.get(f"/alerts/objectives/{objective.pk}/").content.decode()
        assert "What spent it" in page and "1 bad of 20 checks" in page
        edited = client.post(f"/alerts/objectives/{objective.pk}/edit/", form | more | {"target": "90"})
        assert edited.status_code == 302 and Objective.objects.get().target == 90
        client.post(f"/alerts/objectives/{objective.pk}/delete/")
        assert not Objective.objects.exists()

    def test_a_fault_is_shown_at_its_field(self, browser, monitor):
        form = {"name": "x", "subject": f"monitor:{monitor.pk}", "indicator": "latency", "target": "99"}
        answer = browser("OPERATOR").post("/alerts/objectives/new/", form | {"window_days": "30"})
        assert answer.status_code == 422 and "Latency needs a limit" in answer.content.decode()
