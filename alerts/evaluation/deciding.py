"""What follows from one reading: a pure step from what was remembered to what is remembered now (fleet console §10)."""

from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from alerts.evaluation.models import Verdict
from alerts.evaluation.readings import Reading
from alerts.rules.models import NoData, Rule, RuleType


class Memory(NamedTuple):
    """The part of a RuleState that decisions rest on."""

    verdict: str
    since_at: datetime
    value: float | None = None
    history: str = ""
    sample_at: datetime | None = None


class Move(Enum):
    FIRE = "fire"
    RESOLVE = "resolve"


class Step(NamedTuple):
    """`memory` is None when what was remembered still stands."""

    move: Move | None
    memory: Memory | None


STAY = Step(None, None)


def decide(reading: Reading, before: Memory | None, is_open: bool, now: datetime) -> Step:
    """One step. `is_open`: an alert is open. Cooldown is counted elsewhere: it needs the alerts of the past."""
    rule, verdict = reading.rule, reading.verdict
    if verdict == Verdict.FALSE and before is None and not is_open and rule.match_window == 1:
        return STAY  # nine in ten cases of a quiet fleet
    if verdict == Verdict.FALSE and is_open and not _cleared(rule, reading):
        verdict = Verdict.TRUE
    holds = _holds(rule, reading, verdict)
    history, sample_at = (before.history, before.sample_at) if before else ("", None)
    if rule.match_window > 1 and holds is not None:
        if before is None or reading.at is None or reading.at != sample_at:  # a sample counts once, however often seen
            history, sample_at = (history + ("1" if holds else "0"))[-rule.match_window :], reading.at
        holds = history.count("1") >= rule.match_count
        if verdict in (Verdict.TRUE, Verdict.FALSE):
            verdict = _counted(verdict, holds)
    memory = _remembered(before, Memory(verdict, now, reading.value, history, sample_at), is_open)
    move = None
    if holds and not is_open:
        move = Move.FIRE
    elif holds is False and is_open:
        since_at = (memory or before).since_at if memory or before else now
        if now - since_at >= timedelta(seconds=rule.keep_firing_s):
            move = Move.RESOLVE
    return Step(move, memory)


def _holds(rule: Rule, reading: Reading, verdict: str) -> bool | None:
    """None: nothing fires and nothing ends. What missing data means is the rule's choice."""
    if verdict in (Verdict.STALE, Verdict.NO_DATA):
        if rule.no_data == NoData.IGNORE:
            return False
        return True if rule.no_data == NoData.ALERT and reading.expected else None
    return {Verdict.TRUE: True, Verdict.FALSE: False}.get(Verdict(verdict))


def _cleared(rule: Rule, reading: Reading) -> bool:
    """Whether what is open may end: the value has passed the clear threshold, if the rule has one."""
    if rule.clear_threshold is None or reading.value is None:
        return True
    if rule.type == RuleType.ANOMALY:
        return reading.detail is None or reading.detail.percent < rule.clear_threshold
    below = rule.conditions["operator"] in ("gt", "gte")
    return reading.value <= rule.clear_threshold if below else reading.value >= rule.clear_threshold


def _counted(verdict: str, enough: bool) -> Verdict:
    """With N of M the newest look alone is not the verdict: enough make it true, fewer leave a true one pending."""
    if enough:
        return Verdict.TRUE
    return Verdict.PENDING if verdict == Verdict.TRUE else Verdict.FALSE


def _remembered(before: Memory | None, found: Memory, is_open: bool) -> Memory | None:
    """None when nothing is new; a value alone is not, else each look would write a row for each instance."""
    if before is None:
        quiet = found.verdict == Verdict.FALSE and "1" not in found.history and not is_open
        return None if quiet else found
    if before.verdict != found.verdict:
        return found
    same = before.history == found.history and before.sample_at == found.sample_at
    return None if same else found._replace(since_at=before.since_at)
