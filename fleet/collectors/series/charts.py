"""Charts of series: one of a name, with a curve for each series that has it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fleet.collectors.models import Kind, Series
from fleet.collectors.series.queries import Value, values
from fleet.metrics.charts import STEPS_S, with_holes

MOST_CURVES = 8
MOST_LABEL = 80
LEAST_STEP_S = 10
UNITS = {"By": "B", "by": "B", "bytes": "B", "By/s": "B/s", "1": "", "seconds": "s"}


def step_for(since: datetime, until: datetime, max_points: int) -> int:
    """The shortest step in seconds that needs no more points."""
    needed = max(LEAST_STEP_S, (until - since).total_seconds() / max_points)
    return next((step for step in STEPS_S if step >= needed), STEPS_S[-1])


def chart(series: Sequence[Series], *, since: datetime, until: datetime, max_points: int) -> dict[str, Any]:
    """The first curves as charts take them (see the tag `chart`); of counters and deltas the growth a second.

    A step is as long as it must be, so that there are at most `max_points` points.
    """
    shown, step_s = series[:MOST_CURVES], step_for(since, until, max_points)
    found = values(shown, since=since, until=until, step_s=step_s)
    differing = _differing(shown)
    curves = [
        {
            "label": _label(one, differing),
            "unit": _unit(one),
            "points": with_holes([(value.at.timestamp(), _shown(one, value)) for value in found.get(one.pk, [])], None),
        }
        for one in shown
    ]
    return {"series": curves, "from": since.timestamp(), "to": until.timestamp(), "step": step_s}


def _shown(series: Series, value: Value) -> float | None:
    number = value.value if series.kind == Kind.GAUGE else value.per_s
    return None if number is None else float(f"{number:.7g}")


def _unit(series: Series) -> str:
    unit = UNITS.get(series.unit, series.unit).strip("{}")
    if series.kind == Kind.GAUGE:
        return unit
    return f"{unit}/s" if unit else "/s"


def _differing(series: Sequence[Series]) -> list[str]:
    """Labels that are not the same in all of them."""
    every = sorted({name for one in series for name in one.labels})
    return [name for name in every if len({one.labels.get(name) for one in series}) > 1]


def _label(series: Series, differing: list[str]) -> str:
    told = ", ".join(f"{name}={series.labels[name]}" for name in differing if name in series.labels)
    return (told or series.name)[:MOST_LABEL]
