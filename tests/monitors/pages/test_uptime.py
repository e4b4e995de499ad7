"""Uptime: the share of the checks that passed, by day and by window; what is not known stays unknown."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitors.runs.models import Run, Status
from monitors.uptime import queries, services
from monitors.uptime.models import MonitorDay
from tests.monitors.pages.conftest import text

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def ended(monitor: Any, at: datetime, *statuses: str) -> None:
    shared = {
        "monitor": monitor,
        "trigger": "schedule",
        "tool": "http",
        "spec": {},
        "agent_id": "default",
        "timeout_s": 60,
    }
    times = ("queued_at", "ready_at", "take_until", "completed_at")
    Run.objects.bulk_create(Run(**shared, status=status, **dict.fromkeys(times, at)) for status in statuses)


def percents(monitor: Any, now: datetime = NOW) -> list[float | None]:
    found = queries.of_monitor(monitor.pk, now)
    return [share.percent for share in (found.day, found.week, found.month, found.quarter)]


def test_each_window_has_its_own_share(create: Any) -> None:
    monitor = create()
    assert percents(monitor) == [None] * 4
    ended(monitor, NOW - timedelta(hours=1), "pass", "cancelled")
    ended(monitor, NOW - timedelta(days=3), "fail")
    ended(monitor, NOW - timedelta(days=20), "timeout", "error")
    ended(monitor, NOW - timedelta(days=80), *["pass"] * 4)
    ended(monitor, NOW - timedelta(days=91), "error")
    assert percents(monitor) == [100, 50, 25, 62.5]
    for _ in range(2):  # adding up changes nothing, twice neither
        services.roll_up(now=NOW)
        assert percents(monitor) == [100, 50, 25, 62.5]
    assert MonitorDay.objects.count() == 4 and not MonitorDay.objects.filter(date=NOW.date()).exists()


def test_days_without_checks_do_not_stop_the_adding_up(create: Any) -> None:
    monitor, other = create(), create()
    ended(monitor, NOW - timedelta(days=60), "pass")
    ended(other, NOW - timedelta(days=30), "cancelled")
    ended(other, NOW - timedelta(days=2), "fail", "pass")
    assert services.roll_up(now=NOW) == 2
    each = queries.days([monitor.pk, other.pk], NOW)
    assert len(each[monitor.pk]) == 90
    assert each[monitor.pk][(NOW - timedelta(days=60)).date()] == queries.Share(1, 1)
    assert [share for share in each[other.pk].values() if share.counted] == [queries.Share(2, 1)]


def test_a_day_is_added_up_when_it_is_surely_over(create: Any) -> None:
    monitor, midnight = create(), NOW.replace(hour=0, minute=0)
    ended(monitor, midnight - timedelta(seconds=1), "pass")
    assert services.roll_up(now=midnight + timedelta(minutes=9)) == 0
    assert services.roll_up(now=midnight + timedelta(minutes=11)) == 1
    ended(monitor, midnight, "fail")
    assert percents(monitor, midnight + timedelta(minutes=12)) == [50, 50, 50, 50]


def test_old_days_go(create: Any) -> None:
    monitor = create()
    MonitorDay.objects.create(monitor=monitor, date=(NOW - timedelta(days=402)).date(), counted=1, passed=1)
    services.roll_up(now=NOW)
    assert not MonitorDay.objects.exists()


def test_the_page_of_a_monitor_shows_four_windows_and_ninety_days(browser: Any, create: Any, run_now: Any) -> None:
    monitor = create()
    page = browser().get(f"/monitors/{monitor.pk}/")
    assert text(page).count("unknown") >= 4 and "0 wholly good" in page.content.decode()
    run = run_now(monitor)
    assert run.status == Status.FAIL
    page = browser().get(f"/monitors/{monitor.pk}/").content.decode()
    assert "0 wholly good, 1 with trouble, 89 unknown" in page
    alerts = browser().get(f"/alerts/of-monitor/{monitor.pk}/")
    assert alerts.status_code == 200 and "Nothing has ever alerted here" in text(alerts)
