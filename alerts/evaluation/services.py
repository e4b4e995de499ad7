"""The pass over all rules: a fixed number of reads however large the fleet, writes only where something changes."""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from alerts.evaluation.models import EvaluationPass
from alerts.evaluation.verdicts import SHARE, Subject, Verdict, judge
from alerts.incidents.models import Alert, Source
from alerts.incidents.services import fire, resolve
from alerts.rules.conditions import FIGURES
from alerts.rules.models import EVALUATED, Rule
from fleet.instances.models import Instance
from fleet.metrics.windows import Question, Window, ask

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)  # after which a pass whose worker died may be made by another


class Case(NamedTuple):
    """One rule over one instance."""

    rule: Rule
    subject: Subject
    verdict: Verdict

    @property
    def key(self) -> str:
        return f"{self.rule.pk}:{self.subject.id}"


def evaluate_if_due(*, now: datetime | None = None) -> bool:
    """Make the pass if it is time and nobody else does; whether this call made it.

    The first pass is made at once. The claim holds for the length of the pass, so that two never overlap.
    """
    now = now or timezone.now()
    upcoming_pass, _ = EvaluationPass.objects.get_or_create(pk=1, defaults={"next_at": now})
    lease = now + LEASE
    if upcoming_pass.next_at > now:  # an idle tick writes nothing
        return False
    if not EvaluationPass.objects.filter(pk=1, next_at__lte=now).update(next_at=lease):
        return False
    began, upcoming = time.perf_counter(), now + timedelta(seconds=settings.ALERT_INTERVAL_S)
    try:
        evaluate(now=now)
    finally:
        took_ms = round((time.perf_counter() - began) * 1000)
        finished_at = now + timedelta(milliseconds=took_ms)
        own = EvaluationPass.objects.filter(pk=1, next_at=lease)
        own.update(next_at=upcoming, finished_at=finished_at, duration_ms=took_ms)
    return True


def evaluate(*, now: datetime) -> None:
    """Look at every enabled rule and its instances, open what is wrong, end what is over (contract: fleet console §10).

    A fault with one alert is logged and does not keep the others from being judged.
    """
    rules = list(Rule.objects.filter(enabled=True, type__in=EVALUATED).prefetch_related("channels").order_by("pk"))
    subjects = _subjects() if rules else {}
    open_alerts = {
        alert.dedupe_key: alert
        for alert in Alert.objects.open().filter(source=Source.RULE).select_related("rule", "instance", "monitor")
    }
    cases = list(_lasting(list(_cases(rules, subjects, now)), now))
    wrong = [case for case in cases if case.verdict.holds and case.key not in open_alerts]
    fired_lately = _fired_lately(wrong, now)
    for case in wrong:
        last_at = fired_lately.get(case.key)
        if last_at is None or now - last_at >= timedelta(seconds=case.rule.cooldown_s):
            _guarded(_fire, case, now)
    over = {case.key for case in cases if case.verdict.holds is False}
    judged = {case.key for case in cases}
    for key, alert in open_alerts.items():
        if key in over:
            _guarded(_resolve, alert, now, "The condition does not hold any more")
        elif key not in judged:
            _guarded(_resolve, alert, now, "The rule does not look at this instance any more")


def _subjects() -> dict[str, Subject]:
    columns = ("id", "name", "status", "team_id", "created_at", "last_seen_at", "last_sample")
    rows = Instance.objects.existing().order_by("pk").values_list(*columns)
    return {row[0]: Subject(*row) for row in rows.iterator(chunk_size=2000)}


def _cases(rules: list[Rule], subjects: dict[str, Subject], now: datetime) -> Iterator[Case]:
    for rule in rules:
        about = subjects.values() if rule.instance_id is None else filter(None, [subjects.get(rule.instance_id)])
        for subject in about:
            yield Case(rule, subject, judge(rule, subject, now))


def _lasting(cases: list[Case], now: datetime) -> Iterator[Case]:
    """The cases with the rules' durations counted in: what holds now must have held that long.

    When every sample breaks the limit but they do not span enough of the time yet, nothing is known.
    """
    asked: dict[str, tuple[Rule, list[str]]] = {}
    for rule, subject, verdict in cases:
        if verdict.holds and rule.conditions.get("duration_sec"):
            asked.setdefault(rule.pk, (rule, []))[1].append(subject.id)
    answers = ask([_question(rule, ids, now) for rule, ids in asked.values()], until=now)
    windows: dict[str, dict[str, Window]] = dict(zip(asked, answers, strict=True))
    for case in cases:
        if not (case.verdict.holds and case.rule.pk in windows):
            yield case
            continue
        window = windows[case.rule.pk].get(case.subject.id)
        if window is not None and not window.steady:
            yield case._replace(verdict=Verdict(holds=False))
        elif window is None or window.held_s(now) < SHARE * case.rule.conditions["duration_sec"]:
            yield case._replace(verdict=Verdict(holds=None))
        else:
            yield case


def _question(rule: Rule, instance_ids: list[str], now: datetime) -> Question:
    wanted = rule.conditions
    since = now - timedelta(seconds=wanted["duration_sec"])
    return Question(FIGURES[wanted["metric"]], wanted["operator"], wanted["threshold"], since, tuple(instance_ids))


def _fired_lately(cases: list[Case], now: datetime) -> dict[str, datetime]:
    """When alerts with the keys of these cases last fired, as far back as a cooldown can reach."""
    rules = {case.rule.pk for case in cases if case.rule.cooldown_s}
    if not rules:
        return {}
    longest = timedelta(seconds=max(case.rule.cooldown_s for case in cases))
    rows = Alert.objects.filter(rule__in=rules, fired_at__gt=now - longest).order_by("dedupe_key")
    return dict(rows.values_list("dedupe_key").annotate(Max("fired_at")))


def _fire(case: Case, now: datetime) -> None:
    rule, subject, verdict = case
    fire(
        channels=rule.channels.all(),
        now=now,
        source=Source.RULE,
        type=rule.type,
        severity=rule.severity,
        title=verdict.title[:300],
        message=verdict.message[:2000],
        metadata=verdict.metadata,
        dedupe_key=case.key,
        rule=rule,
        instance_id=subject.id,
    )


def _resolve(alert: Alert, now: datetime, text: str) -> None:
    resolve(alert=alert, now=now, text=text)


def _guarded(act: Callable[..., None], *args: Any) -> None:
    try:
        act(*args)
    except Exception:  # noqa: BLE001 - whatever is wrong with one alert, the others must still be looked at
        log.exception("an alert could not be brought up to date")
