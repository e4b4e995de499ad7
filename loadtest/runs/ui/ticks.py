"""The stored series of a run, thinned to what a page can draw."""

import json
import math
from typing import Any

from django.db.models import F, IntegerField, Max, Q
from django.db.models.functions import Mod

from loadtest.runs.models import Run, RunTick

DRAWN, LISTED = 600, 300  # points of a chart while it moves, and of one that stands still with its table


def last(run: Run) -> dict[str, Any] | None:
    """The newest tick; None before the first."""
    row = RunTick.objects.filter(run=run).order_by("-n").first()
    return {"n": row.n, **json.loads(row.data)} if row else None


def thinned(run: Run, most: int = LISTED) -> list[dict[str, Any]]:
    """At most `most` and one ticks, evenly spread, always with the first and the last."""
    newest = RunTick.objects.filter(run=run).aggregate(n=Max("n"))["n"]
    if newest is None:
        return []
    stride = math.ceil((newest + 1) / most)
    rows = RunTick.objects.filter(run=run)
    if stride > 1:
        rows = rows.annotate(rest=Mod(F("n"), stride, output_field=IntegerField())).filter(Q(rest=0) | Q(n=newest))
    return [{"n": n, **json.loads(data)} for n, data in rows.order_by("n").values_list("n", "data")]
