"""Counting good runs of monitors that are well, many at once.

Nearly all runs are good ones of monitors without an alert, and change nothing but a count. Those are taken together;
whatever may open, repeat or resolve an alert goes through `services.count_next`, one run after the other.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from alerts.incidents.models import Alert, Source
from alerts.monitors.counting import WINDOW
from alerts.monitors.models import MonitorState
from monitors.runs.models import GOOD, Run

STEADY = ["g" * length for length in range(WINDOW + 1)]


@transaction.atomic
def count_steady(runs: Iterable[Run], *, now: datetime) -> set[UUID]:
    """Count those of the runs (uncounted, oldest first) that are good ones of steady monitors; their ids.

    Steady is a monitor without a bad run in its window and without an open alert. A monitor with several uncounted
    runs is left to the careful way: their order matters.
    """
    found = list(runs)
    often = Counter(run.monitor_id for run in found)
    good = {run.monitor_id: run.pk for run in found if run.status in GOOD and often[run.monitor_id] == 1}
    if not good:
        return set()
    known = set(MonitorState.objects.filter(pk__in=good).values_list("pk", flat=True))
    MonitorState.objects.bulk_create([MonitorState(pk=key) for key in good.keys() - known], ignore_conflicts=True)
    steady = MonitorState.objects.filter(pk__in=good, outcomes__in=STEADY, flapping=False, monitor__enabled=True)
    states = dict(steady.select_for_update(of=("self",)).order_by("pk").values_list("pk", "outcomes"))
    ill = Alert.objects.open().filter(monitor__in=states, source=Source.MONITOR).values_list("monitor", flat=True)
    keys = states.keys() - set(ill)
    # The lock on the states keeps everybody else from counting these now; who was faster has counted them already.
    fresh = Run.objects.uncounted().filter(pk__in=[good[key] for key in keys])
    mine = dict(fresh.order_by("pk").values_list("pk", "monitor_id"))
    Run.objects.filter(pk__in=mine).update(counted_at=now)
    for outcomes in STEADY:
        same = [key for key in mine.values() if states[key] == outcomes]
        if same:
            longer = (outcomes + "g")[-WINDOW:]
            counts = {"good_in_row": F("good_in_row") + 1, "bad_in_row": 0}
            MonitorState.objects.filter(pk__in=same).update(outcomes=longer, **counts)
    return set(mine)
