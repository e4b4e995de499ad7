"""The pass over all rules: a fixed number of reads however large the fleet, writes only where something changes."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from alerts.evaluation import states
from alerts.evaluation.claim import Claim, Lost
from alerts.evaluation.deciding import Memory, Move, decide
from alerts.evaluation.judging import readings
from alerts.evaluation.readings import Reading, read_subjects
from alerts.evaluation.states import Key
from alerts.evaluation.wording import text_of
from alerts.incidents.models import Alert, Source
from alerts.incidents.services import Opening, fire_many, resolve
from alerts.rules.models import Rule
from fleet.instances.models import Instance

log = logging.getLogger(__name__)
CHUNK = 500  # alerts that open or end between two renewals of the claim
OVER, UNSEEN = "The condition does not hold any more", "The rule does not look at this instance any more"


@dataclass
class Outcome:
    """What a pass decided: alerts to open, alerts to end with the reason, and what to remember."""

    wrong: list[Reading] = field(default_factory=list)
    over: list[tuple[str, str]] = field(default_factory=list)  # ids of alerts
    memories: dict[Key, Memory] = field(default_factory=dict)
    unseen: list[Key] = field(default_factory=list)


def evaluate_if_due(*, now: datetime | None = None) -> bool:
    """Make the pass if it is time and nobody else does; whether this call made it."""
    now = now or timezone.now()
    claim = Claim.take(now)
    if claim is None:
        return False
    try:
        evaluate(now=now, between=claim.renew)
    except Lost:
        log.warning("another worker took the pass over after %s", claim.took)
    finally:
        claim.finish(settings.ALERT_INTERVAL_S)
    return True


def evaluate(*, now: datetime, between: Callable[[], None] = lambda: None) -> None:
    """Look at every enabled rule and its instances, open what is wrong, end what is over (contract: fleet console §10).

    `between` is called after each few hundred changes and may end the pass by raising. What a pass decided and did
    not get to write, the next one decides again. A fault with one alert keeps no other from being brought up to date.
    """
    rules = list(Rule.objects.filter(enabled=True).prefetch_related("channels").order_by("pk"))
    outcome = decided(rules, now)
    for chunk in _chunks(_cooled_down(outcome.wrong, now)):
        _fire(chunk, now)
        between()
    for ended in _chunks(outcome.over):
        reasons = dict(ended)
        for alert in Alert.objects.filter(pk__in=reasons).select_related("rule", "instance", "monitor"):
            _guarded(resolve, alert=alert, now=now, text=reasons[alert.pk])
        between()
    states.write(outcome.memories)
    states.forget(outcome.unseen)


def decided(rules: list[Rule], now: datetime) -> Outcome:
    """What is to change now; writes nothing."""
    open_alerts = _open_alerts()
    remembered = states.read() if rules else {}
    outcome, judged = Outcome(), set()
    for reading in _readings(rules, now):
        key = reading.key
        judged.add(key)
        step = decide(reading, remembered.get(key), key in open_alerts, now)
        if step.memory is not None:
            outcome.memories[key] = step.memory
        if step.move is Move.FIRE:
            outcome.wrong.append(reading)
        elif step.move is Move.RESOLVE:
            outcome.over.append((open_alerts[key], OVER))
    outcome.over += [(pk, UNSEEN) for key, pk in open_alerts.items() if key not in judged]
    outcome.unseen = [key for key in remembered if key not in judged]
    return outcome


def _readings(rules: list[Rule], now: datetime) -> Iterator[Reading]:
    """Machines that were made for a drill concern the rule of that drill alone, also while the drill is tidied up."""
    drills = [rule for rule in rules if rule.is_drill]
    made = list(Rule.objects.filter(is_drill=True, instance__isnull=False).values_list("instance", flat=True))
    ordinary = [rule for rule in rules if not rule.is_drill]
    if ordinary:
        yield from readings(ordinary, read_subjects(Instance.objects.existing().exclude(pk__in=made)), now)
    if drills:
        own = [rule.instance_id for rule in drills]
        yield from readings(drills, read_subjects(Instance.objects.filter(pk__in=own)), now)


def _open_alerts() -> dict[Key, str]:
    """By rule and subject the ids of what is open; only two columns are read, for there may be many."""
    found = Alert.objects.open().filter(source=Source.RULE).values_list("dedupe_key", "pk")
    alerts = {}
    for dedupe_key, pk in found.iterator(chunk_size=5_000):
        rule_id, _, subject_id = dedupe_key.partition(":")
        alerts[rule_id, subject_id] = pk
    return alerts


def _cooled_down(wrong: list[Reading], now: datetime) -> list[Reading]:
    """Those whose last alert fired long enough ago. Read back as far as the longest cooldown among them."""
    rules = {reading.rule.pk: reading.rule for reading in wrong if reading.rule.cooldown_s}
    if not rules:
        return wrong
    longest = timedelta(seconds=max(rule.cooldown_s for rule in rules.values()))
    rows = Alert.objects.filter(rule__in=rules, fired_at__gt=now - longest).order_by("dedupe_key")
    last_at = dict(rows.values_list("dedupe_key").annotate(Max("fired_at")))

    def cool(reading: Reading) -> bool:
        fired_at = last_at.get(dedupe_key(reading))
        return fired_at is None or now - fired_at >= timedelta(seconds=reading.rule.cooldown_s)

    return [reading for reading in wrong if cool(reading)]


def dedupe_key(reading: Reading) -> str:
    return f"{reading.rule.pk}:{reading.subject.id}"


def _fire(readings: list[Reading], now: datetime) -> None:
    """Open the alerts together; when that fails, each by itself, so that one fault keeps no other from coming."""
    try:
        fire_many([_opening(reading, now) for reading in readings], now=now)
    except Exception:  # noqa: BLE001 - whatever is wrong with one alert, the others must still be looked at
        if len(readings) == 1:
            log.exception("an alert could not be opened")
            return
        for reading in readings:
            _fire([reading], now)


def _opening(reading: Reading, now: datetime) -> Opening:
    rule, subject, text = reading.rule, reading.subject, text_of(reading, now)
    fields = {
        "source": Source.RULE,
        "type": rule.type,
        "severity": rule.severity,
        "title": text.title,
        "message": text.message,
        "metadata": text.metadata,
        "dedupe_key": dedupe_key(reading),
        "rule": rule,
        "instance_id": None if subject.is_fleet else subject.id,
    }
    return Opening(fields, rule.channels.all(), escalate=not rule.is_drill)


def _chunks(items: list) -> Iterator[list]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def _guarded(act: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    try:
        act(*args, **kwargs)
    except Exception:  # noqa: BLE001 - whatever is wrong with one alert, the others must still be looked at
        log.exception("an alert could not be brought up to date")
