"""Reads of channels."""

from dataclasses import dataclass

from django.db.models import Count, OuterRef, QuerySet, Subquery

from alerts.channels import configs
from alerts.channels.models import Attempt, Channel, Notification, State
from config.api.errors import Malformed, NotFound

MOST = 500  # channels that a list shows; it is not paged


def all_channels() -> QuerySet[Channel]:
    """Every channel by name, with `rule_count`."""
    return Channel.objects.annotate(rule_count=Count("rules", distinct=True)).order_by("name", "pk")


def get_channel(channel_id: str) -> Channel:
    """The channel with its `rule_count`. Raises Malformed for an impossible id, else NotFound."""
    if len(channel_id) > 128 or "\x00" in channel_id:
        raise Malformed("Invalid channel ID")
    channel = all_channels().filter(pk=channel_id).first()
    if channel is None:
        raise NotFound(f"Channel '{channel_id}' not found")
    return channel


def for_monitors() -> list[Channel]:
    """Channels that alerts of monitors go to."""
    return list(Channel.objects.filter(enabled=True, monitor_alerts=True).order_by("pk"))


@dataclass(frozen=True)
class Row:
    """A channel as the list shows it: `last` is its newest try to deliver, `failed` the messages it never brought."""

    channel: Channel
    target: str
    last: Attempt | None
    failed: int
    waiting: int


def rows() -> list[Row]:
    """Every channel with how it fares."""
    newest = Attempt.objects.filter(notification__channel=OuterRef("pk")).order_by("-sent_at", "-pk").values("pk")[:1]
    channels = list(all_channels().annotate(last_attempt_id=Subquery(newest))[:MOST])
    last = Attempt.objects.in_bulk([channel.last_attempt_id for channel in channels if channel.last_attempt_id])
    counts: dict[tuple[str, str], int] = {
        (channel, state): count
        for channel, state, count in Notification.objects.filter(state__in=(State.FAILED, State.PENDING))
        .order_by("channel")
        .values_list("channel", "state")
        .annotate(Count("pk"))
    }
    return [
        Row(
            channel=channel,
            target=configs.target(channel.type, channel.config),
            last=last.get(channel.last_attempt_id),
            failed=counts.get((channel.pk, State.FAILED), 0),
            waiting=counts.get((channel.pk, State.PENDING), 0),
        )
        for channel in channels
    ]


def outbox_counts() -> dict[str, int]:
    """How many messages are in each state of the outbox that needs work."""
    waiting = Notification.objects.filter(state=State.PENDING).count()
    return {"pending": waiting, "failed": Notification.objects.filter(state=State.FAILED).count()}
