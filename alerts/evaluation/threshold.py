"""THRESHOLD: the newest sample against a limit, and with a duration every sample of that time (fleet console §10)."""

import operator
from collections.abc import Callable, Iterator
from datetime import datetime

from alerts.evaluation.models import Verdict
from alerts.evaluation.readings import Newest, Reading, Subjects, about, missing
from alerts.rules.conditions import FIGURES
from alerts.rules.models import Rule
from fleet.metrics.windows import Span, spans

SHARE = 0.8  # of a rule's duration that samples must span
HOLDS: dict[str, Callable[[float, float], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def readings(rules: list[Rule], subjects: Subjects, newest: Newest, now: datetime) -> Iterator[Reading]:
    """All rules over all instances: no read for plain limits, one for all the durations together."""
    lasting: list[Reading] = []
    for rule in rules:
        wanted = rule.conditions
        column, limit = newest.column(FIGURES[wanted["metric"]]), wanted["threshold"]
        holds, has_duration = HOLDS[wanted["operator"]], bool(wanted.get("duration_sec"))
        for subject in about(rule, subjects):
            value, gap, at = column[subject.id]
            if gap is not None:
                yield missing(rule, subject, gap, value)
            elif not holds(value, limit):  # type: ignore[arg-type] # there is a value where there is no gap
                yield Reading(rule, subject, Verdict.FALSE, value, at=at)
            elif has_duration:
                lasting.append(Reading(rule, subject, Verdict.TRUE, value, at=at))
            else:
                yield Reading(rule, subject, Verdict.TRUE, value, at=at)
    yield from _lasting(lasting, now)


def _lasting(found: list[Reading], now: datetime) -> Iterator[Reading]:
    """What holds now must have held that long."""
    if not found:
        return
    columns: dict[int, set[str]] = {}
    for rule in {reading.rule.pk: reading.rule for reading in found}.values():
        columns.setdefault(rule.conditions["duration_sec"], set()).add(FIGURES[rule.conditions["metric"]])
    ids = {reading.subject.id for reading in found}
    read = spans(columns, ids, until=now)
    for reading in found:
        wanted = reading.rule.conditions
        span = read.get((wanted["duration_sec"], FIGURES[wanted["metric"]], reading.subject.id))
        yield reading._replace(verdict=lasted(wanted, span, now))


def lasted(wanted: dict, span: Span | None, now: datetime) -> Verdict:
    """Of a condition that holds now: whether all of its duration did. PENDING while samples do not span enough."""
    holds, limit = HOLDS[wanted["operator"]], wanted["threshold"]
    if span is None:
        return Verdict.PENDING
    if span.first_at is not None:
        worst = span.lowest if wanted["operator"] in ("gt", "gte") else span.highest
        if not holds(worst, limit):  # type: ignore[arg-type] # a window with a sample has both ends
            return Verdict.FALSE
    held_before = span.before is not None and holds(span.before, limit)
    if span.first_at is None and not held_before:
        return Verdict.FALSE
    began_at = span.before_at if held_before else span.first_at
    ended_at = span.newest_at or now
    held_s = (ended_at - began_at).total_seconds() if began_at else 0.0
    return Verdict.TRUE if held_s >= SHARE * wanted["duration_sec"] else Verdict.PENDING
