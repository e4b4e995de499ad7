"""Writing down who is to be told of what. The group of the alert then speaks: see `alerts.grouping`.

Everything here runs within the transaction of the change that it tells of.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from alerts.channels.models import Channel, Kind
from alerts.demo import queries as demo
from alerts.grouping.speaking import schedule
from alerts.incidents.models import Alert, Status
from alerts.notices.models import Notice
from alerts.notices.routing import channels_of

NEWS = (Kind.FIRED, Kind.ESCALATED, Kind.REMINDER)


def write(
    *, alert: Alert, channels: Iterable[Channel], kind: str, now: datetime, step: str = "", recipient: Any = None
) -> bool:
    """One notice for each enabled channel, once; whether there are any channels. Of demo data nobody is told."""
    return bool(write_all([(alert, channels)], kind=kind, now=now, step=step, recipient=recipient))


def write_all(
    told: Iterable[tuple[Alert, Iterable[Channel]]], *, kind: str, now: datetime, step: str = "", recipient: Any = None
) -> list[Alert]:
    """The same for several alerts with their channels; those of them that have any."""
    known = demo.ids()
    notices = [
        Notice(alert=alert, channel=channel, kind=kind, step=step, recipient=recipient, created_at=now)
        for alert, channels in told
        if known.isdisjoint(map(str, _subjects(alert)))
        for channel in channels
        if channel.enabled
    ]
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    return list({notice.alert_id: notice.alert for notice in notices}.values())


def _subjects(alert: Alert) -> tuple[object, ...]:
    """The ids of what an alert may be about; a budget's is told by its key."""
    return alert.instance_id, alert.monitor_id, alert.rule_id, alert.dedupe_key.removeprefix("budget:")


def announce(alerts: Iterable[Alert], *, now: datetime, at_once: bool = False) -> None:
    """Let the alerts' groups speak of what was written, unless nobody may be told of the alerts now."""
    groups = {alert.group_id: alert for alert in alerts if may_be_told(alert)}
    for alert in sorted(groups.values(), key=lambda alert: alert.group_id or 0):  # rows are locked in one order
        schedule(alert=alert, now=now, at_once=at_once)


def may_be_told(alert: Alert) -> bool:
    return alert.status != Status.SILENCED and not alert.held


def told_channels(alert: Alert) -> list[Channel]:
    """The enabled channels that have been told, or are being told, that something is wrong."""
    carried = Notice.objects.filter(alert=alert, kind__in=(Kind.FIRED, Kind.ESCALATED), message__isnull=False)
    return list(Channel.objects.filter(enabled=True, pk__in=carried.values("channel")).order_by("pk"))


def tell_end(*, alert: Alert, now: datetime) -> None:
    """Tell the end to those who were told the beginning; what nobody was told yet is not told any more."""
    withdraw(alert=alert, kinds=NEWS)
    told = [channel for channel in told_channels(alert) if channel.notify_resolved]
    if write(alert=alert, channels=told, kind=Kind.RESOLVED, now=now):
        schedule(alert=alert, now=now)


def tell_again(*, alert: Alert, now: datetime, step: str) -> None:
    """What still burns after a time in which nobody was told: at once, to whom it would have been told."""
    if not Notice.objects.filter(alert=alert, kind=Kind.FIRED, message=None).exists():
        write(alert=alert, channels=told_channels(alert) or channels_of(alert), kind=Kind.FIRED, now=now, step=step)
    announce([alert], now=now, at_once=True)


def withdraw(*, alert: Alert, kinds: Iterable[str]) -> None:
    """Take back notices that no message carries yet."""
    Notice.objects.filter(alert=alert, kind__in=list(kinds), message=None).delete()
