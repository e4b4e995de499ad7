"""Good runs of monitors that are well are counted together, with the same result as one by one (monitors §6)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.incidents.models import Alert
from alerts.monitors.models import MonitorState
from alerts.monitors.services import look
from monitors.monitors.models import Monitor
from monitors.runs.models import Run
from tests.alerts.conftest import NOW, finish_run, make_monitor

pytestmark = pytest.mark.django_db


def test_many_good_runs_cost_few_queries():
    monitors = [make_monitor() for _ in range(30)]
    for round in range(12):
        for monitor in monitors:
            finish_run(monitor, "pass")
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert look(now=NOW) == 30
        assert len(seen) < 25, [query["sql"][:80] for query in seen]
        states = MonitorState.objects.values_list("outcomes", "good_in_row", "bad_in_row", "flapping").distinct()
        assert list(states) == [("g" * min(10, round + 1), round + 1, 0, False)]
    assert not Run.objects.uncounted().exists() and not Alert.objects.exists()


def test_what_is_not_steady_is_counted_with_care():
    well, ill, off, twice = (make_monitor() for _ in range(4))
    finish_run(ill, "fail")
    assert look(now=NOW) == 1 and Alert.objects.open().count() == 1
    Monitor.objects.filter(pk=off.pk).update(enabled=False, next_run_at=None)
    for monitor, letters in ((well, "g"), (ill, "g"), (off, "g"), (twice, "gb")):
        for second, letter in enumerate(letters):
            finish_run(monitor, {"g": "pass", "b": "fail"}[letter], at=NOW + timedelta(seconds=second))
    assert look(now=NOW) == 5
    assert not Alert.objects.open().filter(monitor=ill).exists(), "its good run has resolved the alert"
    assert Alert.objects.open().get().monitor == twice
    assert set(MonitorState.objects.values_list("pk", "outcomes")) == {
        (well.pk, "g"), (ill.pk, "bg"), (twice.pk, "gb"),
    }  # fmt: skip
