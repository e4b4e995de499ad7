"""A rule played over the points of one instance, by the same decisions that the pass makes (fleet console §10)."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from alerts.backtest.series import Point
from alerts.evaluation.anomaly import judged
from alerts.evaluation.deciding import Memory, Move, decide
from alerts.evaluation.models import Verdict
from alerts.evaluation.readings import STALE_AFTER, Reading, Subject
from alerts.evaluation.threshold import HOLDS, lasted
from alerts.rules.models import Rule, RuleType
from fleet.metrics.baselines import Sum
from fleet.metrics.windows import LOOK_BACK, Span


@dataclass
class Firing:
    """An alert that would have been: `ended_at` None when it would still be open."""

    subject: Subject
    fired_at: datetime
    value: float | None
    ended_at: datetime | None = None


class Look(NamedTuple):
    at: datetime
    reading: Reading


def play(rule: Rule, subject: Subject, points: Sequence[Point], *, step_s: int, until: datetime) -> list[Firing]:
    """The alerts of one instance, in order of time."""
    firings: list[Firing] = []
    memory: Memory | None = None
    current: Firing | None = None
    quiet_until: datetime | None = None
    for at, reading in _with_gaps(rule, subject, looks(rule, subject, points, step_s, until), step_s, until):
        step = decide(reading, memory, current is not None, at)
        memory = step.memory or memory
        if step.move is Move.FIRE and (quiet_until is None or at >= quiet_until):
            current = Firing(subject, at, reading.value)
            firings.append(current)
            quiet_until = at + timedelta(seconds=rule.cooldown_s)
        elif step.move is Move.RESOLVE and current is not None:
            current.ended_at, current = at, None
    return firings


def looks(rule: Rule, subject: Subject, points: Sequence[Point], step_s: int, until: datetime) -> Iterator[Look]:
    """One look at each point."""
    if rule.type == RuleType.THRESHOLD:
        return _threshold(rule, subject, points, step_s)
    if rule.type == RuleType.ANOMALY:
        return _anomaly(rule, subject, points)
    return _silence(rule, subject, points, step_s, until)


def _with_gaps(rule: Rule, subject: Subject, found: Iterable[Look], step_s: int, until: datetime) -> Iterator[Look]:
    """The looks, and one where the data had become stale."""
    if rule.type == RuleType.LIFECYCLE:
        yield from found
        return
    patience = max(STALE_AFTER, timedelta(seconds=2 * step_s))
    last_at: datetime | None = None
    for look in found:
        if last_at and look.at - last_at > patience:
            yield Look(last_at + patience, Reading(rule, subject, Verdict.STALE))
        yield look
        last_at = look.at
    if last_at and until - last_at > patience:
        yield Look(last_at + patience, Reading(rule, subject, Verdict.STALE))


def _threshold(rule: Rule, subject: Subject, points: Sequence[Point], step_s: int) -> Iterator[Look]:
    """With a duration longer than a step, what was true is kept as far back as the duration reaches."""
    wanted = rule.conditions
    holds, limit, length_s = HOLDS[wanted["operator"]], wanted["threshold"], wanted.get("duration_sec") or 0
    length, look_back = timedelta(seconds=length_s), max(LOOK_BACK, timedelta(seconds=step_s))
    run: deque[datetime] = deque()  # moments since when all samples held; the first may lie before the window
    calm_at: datetime | None = None
    for point in points:
        if point.value is None:
            continue
        reading = Reading(rule, subject, Verdict.FALSE, point.value)
        if not holds(point.value, limit):
            run.clear()
            calm_at = point.at
        elif length_s <= step_s:
            reading = reading._replace(verdict=Verdict.TRUE)
        else:
            run.append(point.at)
            since = point.at - length
            while len(run) > 1 and run[1] < since:
                run.popleft()
            if calm_at is None or calm_at < since:
                span = _span(run, since, look_back, point.value)
                reading = reading._replace(verdict=lasted(wanted, span, point.at))
        yield Look(point.at, reading)


def _span(run: deque[datetime], since: datetime, look_back: timedelta, value: float) -> Span:
    """Every value of the run holds, so any of them stands for the worst."""
    earlier = run[0] if run[0] < since and since - run[0] <= look_back else None
    first = run[0] if run[0] >= since else run[1] if len(run) > 1 else None
    return Span(first, run[-1], value, value, earlier, value if earlier else None)


def _anomaly(rule: Rule, subject: Subject, points: Sequence[Point]) -> Iterator[Look]:
    length = timedelta(seconds=rule.conditions["window_sec"])
    window: deque[Point] = deque()
    n, total = 0, 0.0
    for point in points:
        if point.value is None:
            continue
        while window and window[0].at < point.at - length:
            gone = window.popleft()
            n, total = n - gone.n, total - gone.n * (gone.value or 0.0)
        # The point under judgement is no part of its mean, whether one sample or those of a step.
        others = Sum(n + 1, total + point.value, point.at - length)
        yield Look(point.at, judged(Reading(rule, subject, Verdict.FALSE, point.value), others, point.at))
        window.append(point)
        n, total = n + point.n, total + point.n * point.value


def _silence(rule: Rule, subject: Subject, points: Sequence[Point], step_s: int, until: datetime) -> Iterator[Look]:
    """A report that came late: true from the timeout on, over with the next report."""
    timeout = timedelta(seconds=rule.conditions["timeout_sec"])
    step = timedelta(seconds=step_s)
    for at, upcoming in pairwise([*(point.at for point in points), until]):
        yield Look(at, Reading(rule, subject, Verdict.FALSE, 0.0))
        heard_at = at + step  # of a step with reports, its end
        if upcoming - heard_at >= timeout:
            yield Look(heard_at + timeout, Reading(rule, subject, Verdict.TRUE, timeout.total_seconds()))
