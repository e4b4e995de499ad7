"""Verdicts, logs and alerts of runs, to the letter (contract: monitors §5, §6)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.channels.models import Notification
from alerts.incidents.models import Alert
from alerts.monitors.services import look
from monitors.monitors.models import Monitor
from monitors.runs import judge
from monitors.runs.logs import LogWriter
from monitors.runs.services import add
from monitors.tools.k6.result import outcome
from monitors.tools.process import Exit
from monitors.tools.samples import Samples
from tests.alerts.conftest import finish_run, make_channel, make_monitor

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("metrics", "thresholds", "message"),
    [
        ({"p95": 1312.4}, {"latencyMs": 900}, "p95 1312.4 ms is over 900 ms"),
        ({"p95": 123456.789}, {"latencyMs": 1234.5}, "p95 123456.789 ms is over 1234.5 ms"),
        ({"throughput": 5.0}, {"throughputMin": 1234567}, "throughput 5 requests/s is under 1234567 requests/s"),
        ({"errorRate": 0.125}, {"errorRatePercent": 2.5}, "errorRate 12.5 % is over 2.5 %"),
        ({"apdex": None}, {"apdexMin": 0.85}, "apdex unknown is under 0.85"),
    ],
)
def test_a_breach_in_words(metrics: dict[str, Any], thresholds: dict[str, float], message: str) -> None:
    (found,) = judge.breaches(metrics, thresholds)
    assert found["message"] == message


def test_what_a_script_measured_is_rounded_like_our_metrics() -> None:
    summary = b"""{"metrics": {"http_req_duration": {"p(95)": 93.12957440000001, "thresholds": {"p(95)<1": true}},
        "checks": {"value": 0.33333333333, "passes": 1, "fails": 2, "thresholds": {"rate>0.9": true}},
        "http_reqs": {"count": 3, "rate": 1.5}}}"""

    class Messages:
        exceptions, last_error, last_words, said = 0, "", "", ""

    found = outcome(ended=Exit(99), summary=summary, samples=Samples(500), messages=Messages()).breaches
    assert [(one["threshold"], one["metric"], one["expression"], one["actual"]) for one in found] == [
        ("script", "http_req_duration", "p(95)<1", 93.13),
        ("script", "checks", "rate>0.9", 0.333333),
    ]


def test_a_line_of_the_log_ends_with_a_newline_only(operator: Any, create: Any, sent: list[str]) -> None:
    run = add(monitor=create(), trigger="manual", now=NOW)
    path = f"/api/runs/{run.pk}/logs"
    empty = operator.get(path)
    assert (empty.status_code, empty.content) == (200, b"")
    assert empty["Content-Type"] == "text/plain; charset=utf-8"
    log = LogWriter(run.pk, [])
    log.write("first\n10%\r20%\x0c\u2028of the second\nlast".encode())
    log.flush(last=True)
    assert operator.get(f"{path}?tail=1").text == "last"
    assert operator.get(f"{path}?tail=2").text == "10%\r20%\x0c\u2028of the second\nlast"
    assert operator.get(f"{path}?tail=10000").text.count("\n") == 2
    for wrong in ("0", "10001", "-1", "x"):
        assert operator.get(f"{path}?tail={wrong}").status_code == 400


# Outcomes (g good, b bad) and, after each, the alert: - none, o open, f flapping, r resolved.
SEQUENCES = [
    (1, 1, "gbg", "-or"),
    (1, 1, "bgbgb", "ororo"),
    (1, 1, "bgbgbg", "ororof"),
    (1, 1, "bgbgbgggg", "ororoffrr"),
    (1, 1, "bgbgbgggb", "ororoffro"),
    (1, 1, "bgbgbgbggbggg", "ororofffffffr"),
    (1, 2, "bgbgbg", "ooooof"),
    (1, 2, "bgg", "oor"),
    (2, 1, "bgbgbggg", "-----ffr"),
    (2, 1, "bbgbb", "-orro"),
    (3, 1, "gbgbgb", "-----f"),
    (3, 3, "bbbggbggg", "--oooooor"),
    (20, 1, "bgbgb" + "b" * 8 + "g", "-" * 14),
]


@pytest.mark.parametrize(("alert_after", "recover_after", "outcomes", "expected"), SEQUENCES)
def test_what_each_run_makes_of_the_alert(alert_after: int, recover_after: int, outcomes: str, expected: str) -> None:
    monitor = make_monitor(alert_after=alert_after, recover_after=recover_after)
    seen = ""
    for minute, letter in enumerate(outcomes):
        at = NOW + timedelta(minutes=minute)
        finish_run(monitor, "pass" if letter == "g" else "fail", at=at)
        look(now=at)
        alert = Alert.objects.order_by("-fired_at").first()
        seen += "-" if alert is None else "r" if not alert.is_open else "f" if alert.type == "flapping" else "o"
    assert seen == expected


def test_the_end_of_a_flapping_alert_is_told_to_nobody() -> None:
    make_channel()
    monitor = make_monitor()
    for minute, letter in enumerate("bgbgbg"):
        finish_run(monitor, "pass" if letter == "g" else "fail", at=NOW + timedelta(minutes=minute))
    look(now=NOW + timedelta(hours=1))
    told = Notification.objects.count()
    Monitor.objects.filter(pk=monitor.pk).update(enabled=False)
    look(now=NOW + timedelta(hours=2))
    assert Alert.objects.order_by("-fired_at").first().status == "RESOLVED"
    assert Notification.objects.count() == told


def test_a_note_may_come_as_a_form(operator: Any) -> None:
    finish_run(make_monitor(), "fail", at=NOW)
    look(now=NOW)
    path = f"/api/alerts/{Alert.objects.get().uuid}/acknowledge"
    answer = operator.post(path, "note=on+it", "application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["note"], answer.json()["status"]) == (200, "on it", "acknowledged")
    assert operator.post(path, "note: x", "application/yaml").status_code == 400
    assert operator.post(path, "x" * (2 * 1024 * 1024 + 1)).status_code == 413
