"""Beginning drills, following them to their end, and leaving nothing of them behind but their result."""

import logging
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Min
from django.utils import timezone

from alerts.channels.models import Channel, Kind
from alerts.channels.models import State as Sending
from alerts.drills import signals
from alerts.drills.models import Drill, State
from alerts.incidents.models import Alert, Status
from alerts.incidents.services import resolve
from alerts.notices.models import Notice
from alerts.rules.models import NoData, Rule
from config import live
from config.api.authentication import Principal
from config.api.errors import Conflict
from config.api.permissions import OPERATOR, require
from fleet.instances.changes import forget
from fleet.instances.models import Instance
from fleet.instances.models import Status as Running
from fleet.metrics.forgetting import forget as forget_figures
from security.audit.services import record

log = logging.getLogger(__name__)
WITHIN = timedelta(minutes=2)
EACH_MATCH = timedelta(seconds=10)  # that a rule for several samples may take longer
TIDY_AFTER = timedelta(minutes=3)  # whether the last messages are out or not
MARK = "Drill: "
SAME = ("type", "severity", "conditions", "clear_threshold", "match_count", "match_window")


def start(
    *, rule: Rule, channels: Sequence[Channel], actor: Principal, request: Any = None, now: datetime | None = None
) -> Drill:
    """Make the rule's condition true on a machine of its own, and tell only these channels.

    Raises Conflict when no signal can fire the rule, when one of its drills is running, or without a channel.
    """
    require(actor, OPERATOR, team_id=rule.owner_team_id)
    now = now or timezone.now()
    if reason := signals.impossible(rule):
        raise Conflict(reason)
    if not [channel for channel in channels if channel.enabled]:
        raise Conflict("A drill needs at least one channel that is switched on")
    drill, instance = _prepared(rule, channels, actor, request, now)
    try:
        signals.send(rule, instance, now)
    except Exception as error:
        log.exception("the signal of drill %s was not accepted", drill.pk)
        _end(drill, State.FAILED, now=timezone.now(), fault=f"The signal was not accepted: {error}")
    else:
        Drill.objects.filter(pk=drill.pk).update(accepted_at=max(now, timezone.now()))
    drill.refresh_from_db()
    return drill


def _prepared(
    rule: Rule, channels: Sequence[Channel], actor: Principal, request: Any, now: datetime
) -> tuple[Drill, Instance]:
    try:
        with transaction.atomic():
            instance = Instance.objects.create(
                name=f"drill-{secrets.token_hex(4)}", provider="ssh", status=Running.RUNNING, team=_team(rule),
                tags={"drill": rule.pk}, last_seen_at=now,
            )  # fmt: skip
            copy = Rule.objects.create(
                **{name: getattr(rule, name) for name in SAME}, name=f"{MARK}{rule.name}"[:128], instance=instance,
                labels={**rule.labels, "drill": "yes"}, no_data=NoData.KEEP, cooldown_s=0, is_drill=True,
            )  # fmt: skip
            copy.channels.set(channels)
            drill = Drill.objects.create(
                rule=rule, copy=copy, instance_id=instance.pk, asked_by=actor.name, started_at=now,
                recipients=[channel.name for channel in channels],
                deadline_at=now + WITHIN + EACH_MATCH * rule.match_count,
            )  # fmt: skip
            record(
                actor=actor, action="EXECUTE", resource="alert_rule", resource_id=rule.pk, request=request,
                team_id=rule.owner_team_id, drill=drill.pk, channels=[channel.pk for channel in channels],
            )  # fmt: skip
    except IntegrityError:
        raise Conflict("A drill of this rule is running already") from None
    return drill, instance


def _team(rule: Rule) -> Any:
    return rule.team or (rule.instance.team if rule.instance else None)


def follow(*, now: datetime | None = None) -> None:
    """Write down what drills have reached, end those that are over, and remove what was made for them."""
    now = now or timezone.now()
    going_on = Drill.objects.filter(tidied_at=None)
    if not going_on.exists():  # asked each second
        return
    for drill in going_on.select_related("copy__instance").order_by("started_at")[:100]:
        try:
            if drill.state == State.RUNNING:
                _follow(drill, now)
            elif drill.ended_at and _is_quiet(drill, now):
                _tidy(drill, now)
        except Exception:  # noqa: BLE001 - one drill must not keep the others from being followed
            log.exception("drill %s could not be followed", drill.pk)


def _follow(drill: Drill, now: datetime) -> None:
    alert = Alert.objects.filter(rule=drill.copy).order_by("fired_at", "pk").first() if drill.copy else None
    copy = drill.copy
    if copy and copy.instance and alert is None and signals.needs_more(copy):
        signals.send_more(copy, copy.instance, now)
    reached = _reached(alert) if alert else {}
    news = {name: at for name, at in reached.items() if at and getattr(drill, name) is None}
    if news:
        Drill.objects.filter(pk=drill.pk).update(**news, title=alert.title if alert else "")
        live.publish(f"drill:{drill.pk}", {"kind": "drill"})
    if reached.get("delivered_at"):
        _end(drill, State.PASSED, now=now)
    elif now >= drill.deadline_at:
        _end(drill, State.FAILED, now=now, fault=_why(drill, alert, reached))


def _reached(alert: Alert) -> dict[str, datetime | None]:
    """When the alert fired, its first message left, and the last of its channels had it (None: not yet)."""
    notices = list(Notice.objects.filter(alert=alert, kind=Kind.FIRED).select_related("message"))
    messages = [notice.message for notice in notices if notice.message]
    sent = [message.tries.aggregate(first=Min("sent_at"))["first"] for message in messages]
    delivered = [message.tries.filter(success=True).order_by("sent_at").first() for message in messages]
    whole = bool(notices) and len(messages) == len(notices) and all(delivered)
    ends = [one.sent_at + timedelta(milliseconds=one.duration_ms) for one in delivered if one]
    return {
        "fired_at": alert.fired_at,
        "sent_at": min(filter(None, sent), default=None),
        "delivered_at": max(ends) if whole else None,
    }


def _why(drill: Drill, alert: Alert | None, reached: dict[str, datetime | None]) -> str:
    if alert is None:
        return "The rule did not fire. Is the scheduler running, and the rule's condition as it was meant?"
    if alert.status == Status.SILENCED:
        return "A silence hides it, so nobody was told."
    if alert.held:
        return f"It was held back: {alert.get_held_display().lower()}."
    if not reached.get("sent_at"):
        return "The rule fired, and no message left. Is a worker running?"
    messages = Notice.objects.filter(alert=alert, kind=Kind.FIRED).exclude(message__state=Sending.SENT)
    for notice in messages.select_related("message", "channel"):
        last = notice.message.tries.order_by("-sent_at").first() if notice.message else None
        if last and last.error:
            return f"{notice.channel.name} did not take it: {last.error}"[:500]
    return "Not every channel has confirmed it."


@transaction.atomic
def _end(drill: Drill, state: State, *, now: datetime, fault: str = "") -> None:
    """Settle the drill; its alert is over, and who was told of it is told that too."""
    ended = {"state": state, "ended_at": now, "fault": fault[:500]}
    if not Drill.objects.filter(pk=drill.pk, state=State.RUNNING).update(**ended):
        return
    for alert in Alert.objects.open().filter(rule=drill.copy_id):
        resolve(alert=alert, now=now, text="The drill is over")
    Rule.objects.filter(pk=drill.copy_id).update(enabled=False)
    transaction.on_commit(lambda: live.publish(f"drill:{drill.pk}", {"kind": "drill"}))


def _is_quiet(drill: Drill, now: datetime) -> bool:
    """Whether all that is to be told of it has been; after some minutes it no longer matters."""
    if drill.ended_at and now - drill.ended_at > TIDY_AFTER:
        return True
    notices = Notice.objects.filter(alert__rule=drill.copy_id)
    waiting = notices.filter(message=None) | notices.filter(message__state=Sending.PENDING)
    return not waiting.exists()


def _tidy(drill: Drill, now: datetime) -> None:
    Rule.objects.filter(pk=drill.copy_id).delete()
    forget([drill.instance_id])
    forget_figures([drill.instance_id], since=drill.started_at - timedelta(days=1))
    Drill.objects.filter(pk=drill.pk).update(tidied_at=now, copy=None)
