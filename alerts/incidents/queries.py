"""Reads of alerts: lists, counts, stories (contract: fleet console §9)."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, IntegerField, Q, Value, When

from alerts.channels.models import Attempt, Kind, Notification, State
from alerts.incidents.models import Alert, AlertEvent, AlertQuerySet, Severity, Status
from config.api.authentication import Principal
from config.api.errors import Malformed, NotFound

RANK = Case(
    *(When(severity=severity, then=Value(rank)) for rank, severity in enumerate(Severity.values)),
    output_field=IntegerField(),
)


def visible(principal: Principal | None) -> AlertQuerySet:
    """What the caller may see, with what a list shows of it, newest first."""
    rows = Alert.objects.visible_to(principal).select_related("rule", "instance", "monitor")
    return rows.newest_first()


def with_counts(alerts: AlertQuerySet) -> AlertQuerySet:
    """Each with `notification_count`: how many tries to deliver there were."""
    return alerts.annotate(notification_count=Count("notices__message__tries", distinct=True))


def get_visible(*, principal: Principal | None, missing: str = "", **key: Any) -> Alert:
    """The alert with this `pk` or `uuid`, if the caller may see it.

    Raises Malformed for an impossible id, NotFound (with the sentence `missing`) otherwise.
    """
    text = str(next(iter(key.values())))
    if len(text) > 128 or "\x00" in text:
        raise Malformed("Invalid alert ID")
    alert = visible(principal).filter(**key).first()
    if alert is None:
        raise NotFound(missing or f"Alert '{text}' not found")
    return alert


def chosen(*, principal: Principal, ids: list[str]) -> list[Alert]:
    """Those of the named alerts that the caller may see, oldest first."""
    return list(visible(principal).filter(pk__in=ids).order_by("fired_at", "pk"))


def summary(principal: Principal) -> dict[str, dict[str, int]]:
    """`bySeverity` counts open, untaken alerts, `byStatus` all; only keys that occur."""
    by_severity: Counter[str] = Counter()
    by_status: Counter[str] = Counter()
    counts = Alert.objects.visible_to(principal).values_list("severity", "status").annotate(Count("pk"))
    for severity, status, count in counts.order_by("severity", "status"):
        by_status[status] += count
        if status == Status.ACTIVE:
            by_severity[severity] += count
    return {"bySeverity": dict(by_severity), "byStatus": dict(by_status)}


def open_counts(principal: Principal) -> dict[str, int]:
    """Alerts that are not over, by severity, the worst first; every severity is there."""
    rows = Alert.objects.visible_to(principal).open().values_list("severity").annotate(Count("pk")).order_by("severity")
    found = dict(rows)
    return {severity: found.get(severity, 0) for severity in Severity.values}


def attention(principal: Principal, limit: int = 10) -> list[Alert]:
    """What is open and nobody has taken on, the worst first, among equals the oldest."""
    waiting = Alert.objects.visible_to(principal).filter(status=Status.ACTIVE)
    return list(waiting.select_related("rule", "instance", "monitor").order_by(RANK, "fired_at", "pk")[:limit])


def last_resolved_at(principal: Principal) -> datetime | None:
    """When the newest alert that is over ended; None when there never was one."""
    ended = Alert.objects.visible_to(principal).filter(status=Status.RESOLVED).order_by("-resolved_at", "-pk")
    return ended.values_list("resolved_at", flat=True).first()


def counts_by_tab(alerts: AlertQuerySet) -> dict[str, int]:
    """How many alerts each tab of the list holds."""
    rows = dict(alerts.order_by("status").values_list("status").annotate(Count("pk")))
    return {
        "open": rows.get(Status.ACTIVE, 0),
        "acknowledged": rows.get(Status.ACKNOWLEDGED, 0),
        "silenced": rows.get(Status.SILENCED, 0),
        "resolved": rows.get(Status.RESOLVED, 0),
        "all": sum(rows.values()),
    }


def attempts(alert: Alert, *, limit: int = 20) -> list[Attempt]:
    """The last tries to tell of the alert, newest first."""
    tries = (
        Attempt.objects.filter(notification__notices__alert=alert).distinct().select_related("notification__channel")
    )
    return list(tries.order_by("-sent_at", "-pk")[:limit])


@dataclass(frozen=True)
class Line:
    """One line of an alert's story."""

    at: datetime
    what: str
    who: str = ""
    text: str = ""
    failed: bool = False


def story(alert: Alert, *, limit: int = 100) -> list[Line]:
    """What happened, newest first: changes of the alert and how its messages fared."""
    events = alert.events.select_related("user").order_by("-at", "-pk")[:limit]
    lines = [_line(event) for event in events] + [_delivery(attempt) for attempt in attempts(alert, limit=limit)]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:limit]


def _line(event: AlertEvent) -> Line:
    who = event.user.email if event.user else ""
    return Line(at=event.at, what=event.get_kind_display(), who=who, text=event.text)


def _delivery(attempt: Attempt) -> Line:
    message = attempt.notification
    of = "the end" if message.kind == Kind.RESOLVED else "the alert"
    what = f"{'Told' if attempt.success else 'Could not tell'} {message.channel.name} of {of}"
    return Line(at=attempt.sent_at, what=what, text=attempt.error or "", failed=not attempt.success)


def waiting_messages(alert: Alert) -> list[Any]:
    """Messages of the alert that have not arrived yet and will be tried (again)."""
    carried = Notification.objects.filter(notices__alert=alert, state=State.PENDING).distinct()
    return list(carried.select_related("channel").order_by("due_at", "pk"))


def related(alert: Alert, principal: Principal | None, *, limit: int = 10) -> list[Alert]:
    """Other alerts of the same group or thing that fired within an hour of it, the nearest of them newest first."""
    near = timedelta(hours=1)
    same = Q(group=alert.group_id) if alert.group_id else Q(pk__in=())
    if alert.instance_id:
        same |= Q(instance=alert.instance_id)
    if alert.monitor_id:
        same |= Q(monitor=alert.monitor_id)
    around = visible(principal).filter(same, fired_at__range=(alert.fired_at - near, alert.fired_at + near))
    return list(around.exclude(pk=alert.pk)[:limit])
