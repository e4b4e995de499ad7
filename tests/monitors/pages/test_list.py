"""The list of monitors stays quick and right however many there are."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitors.agents.services import default_agent
from monitors.monitors import queries
from monitors.monitors.models import Monitor
from monitors.runs import services
from monitors.runs.models import Run, Status

pytestmark = pytest.mark.django_db

QUERIES = 13  # three of them for the frame: demo data, silences, unread messages


def many(count: int, start: int = 0) -> list[Monitor]:
    now = timezone.now()
    shared = {"tool": "http", "schedule": "* * * * *", "shortest_gap_s": 60, "next_run_at": now}
    shared |= {"agent": default_agent(), "request": {"url": "http://127.0.0.1:9/"}}
    numbers = range(start, start + count)
    return Monitor.objects.bulk_create(
        Monitor(name=f"monitor {number:05d}", tags=[f"team-{number % 20}"], **shared) for number in numbers
    )


def history(monitor: Monitor, count: int) -> None:
    """Good runs, one a minute until now."""
    shared = {"monitor": monitor, "status": Status.PASS, "trigger": "schedule", "tool": "http", "spec": {}}
    shared |= {"agent_id": "default", "timeout_s": 60}
    times = ("queued_at", "ready_at", "take_until", "completed_at")
    now = timezone.now()
    moments = [now - timedelta(minutes=number) for number in range(1, count + 1)]
    Run.objects.bulk_create(Run(**shared, **dict.fromkeys(times, moment)) for moment in moments)


def test_the_last_forty_checks_are_shown_while_another_runs(create: Any) -> None:
    monitor, other = create(), create()
    history(monitor, 60)
    run = services.add(monitor=monitor, trigger="manual", now=timezone.now())
    checks = queries.last_checks([monitor.pk, other.pk])
    assert len(checks[monitor.pk]) == 40 and checks[other.pk] == []
    services.finish(run=run, status=Status.FAIL, now=timezone.now())
    checks = queries.last_checks([monitor.pk])
    assert len(checks[monitor.pk]) == 40
    assert [status for status, _ in checks[monitor.pk][-2:]] == ["pass", "fail"]


@pytest.mark.parametrize("tag", ["shop", "süd", 'say "hi"', "50 %", "a_b"])
def test_a_tag_finds_its_monitors_and_no_others(browser: Any, create: Any, tag: str) -> None:
    create(name="Wanted", tags=["first", tag])
    create(name="Other", tags=[f"x{tag}", f"{tag}x", tag.upper() + "?"])
    create(name="None")
    assert [one.name for one in queries.with_tag(Monitor.objects.all(), tag)] == ["Wanted"]
    page = browser().get("/monitors/", {"tag": tag}).content.decode()
    assert ">Wanted</a>" in page and ">Other</a>" not in page


def test_the_list_keeps_its_budget_of_queries(browser: Any) -> None:
    person = browser()
    for row in many(60)[:30]:
        history(row, 3)
    for path in ("/monitors/", "/monitors/?tag=team-3&group=tag", "/monitors/?search=monitor&page=2"):
        with CaptureQueriesContext(connection) as asked:
            assert person.get(path).status_code == 200
        texts = [one["sql"] for one in asked.captured_queries]
        assert len(texts) <= QUERIES and len(set(texts)) == len(texts)


@pytest.mark.slow
def test_thousands_cost_no_more_than_fifty(browser: Any) -> None:
    person = browser()
    few = many(50)
    for row in few[:5]:
        history(row, 2000)

    def cost() -> float:
        best = float("inf")
        for _ in range(5):
            begun = time.thread_time()
            assert person.get("/monitors/").status_code == 200
            best = min(best, time.thread_time() - begun)
        return best

    before = cost()
    many(4950, start=50)
    assert cost() <= 1.5 * before + 0.01
