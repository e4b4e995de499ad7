"""ANOMALY: the newest sample against the mean of those before it (contract: fleet console §10, clarifications)."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from alerts.evaluation.models import Verdict
from alerts.evaluation.readings import Newest, Reading, Subjects, about, missing
from alerts.rules.conditions import FIGURES
from alerts.rules.models import Rule
from fleet.instances.models import Instance
from fleet.metrics.baselines import Sum, sums

LEAST_SAMPLES = 5
NOTHING = 1e-9  # a mean of no more is none: sums of floats leave such a rest


class Deviation(NamedTuple):
    """The newest value beside the mean that it is judged by, in the figure's unit, and how far it is off in percent."""

    value: float
    baseline: float
    percent: float


def readings(rules: list[Rule], subjects: Subjects, newest: Newest, now: datetime) -> Iterator[Reading]:
    """All rules over all instances, one read for each length of window."""
    windows: dict[int, set[str]] = {}
    for rule in rules:
        windows.setdefault(rule.conditions["window_sec"], set()).add(FIGURES[rule.conditions["metric"]])
    found = sums(windows, Instance.objects.existing(), now=now) if subjects else {}
    for rule in rules:
        name, window = FIGURES[rule.conditions["metric"]], rule.conditions["window_sec"]
        column = newest.column(name)
        for subject in about(rule, subjects):
            value, gap, at = column[subject.id]
            if gap is not None or value is None:
                yield missing(rule, subject, gap or Verdict.NO_DATA, value)
            else:
                known = found.get((window, name, subject.id))
                yield judged(Reading(rule, subject, Verdict.FALSE, value, at=at), known, at)


def judged(reading: Reading, known: Sum | None, at: datetime | None) -> Reading:
    """Fewer than five samples in the window, or a mean of zero, tell of nothing unusual: false."""
    found = deviation(reading.value or 0.0, known, at)
    true = found is not None and found.percent >= reading.rule.conditions["deviation_percent"]
    return reading._replace(verdict=Verdict.TRUE if true else Verdict.FALSE, detail=found)


def deviation(value: float, known: Sum | None, at: datetime | None) -> Deviation | None:
    """None with fewer than five samples in the window or a mean of zero."""
    if known is None or known.n < LEAST_SAMPLES:
        return None
    baseline = known.without(value, at)
    if baseline is None or baseline <= NOTHING:
        return None
    return Deviation(value, baseline, abs(value - baseline) / baseline * 100)
