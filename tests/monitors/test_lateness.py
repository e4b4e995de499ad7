"""How late runs are queued, for the status page and /metrics (contract: monitors §4)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitors.monitors.models import Monitor
from monitors.runs import services
from monitors.runs.lateness import lateness
from monitors.runs.models import Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def late_run(create: Any, sent: list[str]) -> Any:
    """A run of a schedule that was queued so many seconds after its minute."""

    def make(seconds: float, *, over: bool = True) -> None:
        now = timezone.now()
        fire = now - timedelta(seconds=seconds)
        run = services.add(monitor=create(), trigger="schedule", now=now, scheduled_at=fire)
        if over:
            run = services.claim(run_id=run.pk, now=now)
            services.finish(run=run, status=Status.PASS, now=now)

    return make


def test_nothing_known() -> None:
    found = lateness(timezone.now())
    assert (found.runs, found.p50_s, found.p99_s, found.max_s, found.overdue_s) == (0, None, None, None, 0)


def test_quantiles_of_runs_over_and_going_on(late_run: Any, api: Any, browser: Any) -> None:
    for seconds in (1.5, 0.5, 2.5):
        late_run(seconds)
    late_run(9.5, over=False)
    found = lateness(timezone.now())
    assert (found.runs, found.p50_s, found.max_s) == (4, 1.5, 9.5)
    assert lateness(timezone.now() + timedelta(minutes=16)).runs == 1, "only what is not over"
    text = api("VIEWER").get("/metrics").content.decode()
    assert 'pharos_monitor_lateness_seconds{quantile="0.5"} 1.5' in text
    assert 'pharos_monitor_runs{status="queued"} 1.0' in text
    assert 'pharos_monitor_agent_up{agent="default"} 0.0' in text
    page = browser().get("/settings/status/").content.decode()
    assert "9.5 s at most" in page


def test_a_schedule_that_waits_is_late_now(create: Any, browser: Any) -> None:
    create()
    Monitor.objects.update(next_run_at=timezone.now() - timedelta(seconds=30))
    assert 30 <= lateness(timezone.now()).overdue_s < 60
    assert "a monitor has been due for 3" in browser().get("/settings/status/").content.decode()
