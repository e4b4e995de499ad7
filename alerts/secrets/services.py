"""Reminders: an alert for each secret that expires soon or has expired, over when it was renewed.

The vault lies below this room and knows nothing of alerts, so this one looks.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from alerts.channels.models import Channel, ChannelType
from alerts.incidents.models import Alert, Severity, Source
from alerts.incidents.services import Opening, fire_many, resolve
from alerts.rules.models import RuleType
from security.vault.models import Secret

PREFIX = "secret:"
TOLD = (ChannelType.IN_APP, ChannelType.EMAIL)
MOST = 5000  # secrets that are looked at, those that expire first
RENEWED, DELETED, OFF = "The secret was renewed", "The secret was deleted", "Reminders were switched off"


def look(*, now: datetime | None = None) -> None:
    """Open the alerts that are due, end those that are over. Any number of workers may do this at once."""
    now = now or timezone.now()
    until = now + timedelta(days=settings.SECRET_REMIND_DAYS)
    _end(until, now=now)
    due = Secret.objects.filter(expires_at__lte=until).select_related("instance").order_by("expires_at", "pk")
    _fire(due[:MOST] if settings.SECRET_REMIND_DAYS else (), now=now)


def key_of(secret: Secret) -> str:
    """One reminder for each time that a secret expires: a person who has ended it is not told again."""
    assert secret.expires_at is not None  # noqa: S101 - what never expires is not asked about
    return f"{PREFIX}{secret.pk}:{int(secret.expires_at.timestamp())}"


def _end(until: datetime, *, now: datetime) -> None:
    opened = list(Alert.objects.open().filter(dedupe_key__startswith=PREFIX))
    secrets = Secret.objects.in_bulk([alert.dedupe_key.split(":")[1] for alert in opened])
    for alert in opened:
        secret = secrets.get(alert.dedupe_key.split(":")[1])
        due = secret is not None and secret.expires_at is not None and secret.expires_at <= until
        if secret is None:
            resolve(alert=alert, now=now, notify=False, text=DELETED)
        elif not settings.SECRET_REMIND_DAYS:
            resolve(alert=alert, now=now, notify=False, text=OFF)
        elif not due or key_of(secret) != alert.dedupe_key:
            resolve(alert=alert, now=now, notify=False, text=RENEWED)


def _fire(due: Iterable[Secret], *, now: datetime) -> None:
    keys = {key_of(secret): secret for secret in due}
    told = set(Alert.objects.filter(dedupe_key__in=keys).values_list("dedupe_key", flat=True))
    untold = [secret for key, secret in keys.items() if key not in told]
    if untold:
        channels = list(Channel.objects.filter(enabled=True, type__in=TOLD).order_by("pk"))
        fire_many([Opening(fields_of(secret, now), channels) for secret in untold], now=now)


def fields_of(secret: Secret, now: datetime) -> dict[str, Any]:
    """What the alert tells."""
    assert secret.expires_at is not None  # noqa: S101
    over, days = secret.expires_at <= now, (secret.expires_at - now).days
    left = "within a day" if days < 1 else f"in {days} day{'s' * (days > 1)}"
    of = f" of {secret.instance.name}" if secret.instance else ""
    return {
        "source": Source.SECURITY,
        "type": RuleType.SECURITY,
        "severity": Severity.HIGH if over else Severity.MEDIUM,
        "title": f"Secret {secret.name}{of} {'has expired' if over else f'expires {left}'}"[:300],
        "message": (
            f"The secret {secret.name}{of} {'expired' if over else 'expires'} at "
            f"{secret.expires_at:%Y-%m-%d %H:%M} UTC. Renew its value and set a later date."
        ),
        "metadata": {"secretId": secret.pk, "secretName": secret.name, "expiresAt": secret.expires_at.isoformat()},
        "dedupe_key": key_of(secret),
        "instance": secret.instance,
        "labels": {"secret": secret.name, "subject": secret.name},
    }
