"""Refused authentications that concern an instance, counted by the minute, so that a flood costs one row a minute."""

import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import F, Q, Sum
from django.utils import timezone

from security.keys.models import Refusal

KEPT = timedelta(days=8)  # a rule is tried over the last 7 days
MOST_A_MINUTE = 1000  # beyond it no more are counted
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
INSTANCE = re.compile(r"/api/v1/instances/([^/]{1,256})/")
TERMINAL = re.compile(rf"/ws/terminal/({UUID.pattern})/?$", re.ASCII | re.IGNORECASE)


class Claim(NamedTuple):
    """The instance that a caller names, known or not: by id, by what its agent calls itself, by name, or by the id of
    one of its terminals."""

    reference: str
    kind: str


def claim_of(path: str, instance_header: str | None) -> Claim | None:
    """What a request's path or its X-Instance-ID names; None when it names no instance."""
    if found := TERMINAL.match(path):
        return Claim(found[1], Refusal.Kind.TERMINAL)
    found = INSTANCE.match(path)
    reference = found[1] if found else instance_header
    if not reference or len(reference) > 256 or "\x00" in reference:
        return None
    return Claim(reference, Refusal.Kind.TERMINAL if path.rstrip("/").endswith("/terminal") else Refusal.Kind.AGENT)


def note_claim(claim: Claim | None, *, now: datetime | None = None) -> None:
    """Somebody was refused who named an instance; one that does not exist is not counted."""
    if claim is None:
        return
    instances = apps.get_model("fleet", "Instance").objects.existing()
    meant = Q(pk=claim.reference) | Q(external_id=claim.reference) | Q(name=claim.reference)
    if claim.kind == Refusal.Kind.TERMINAL and UUID.fullmatch(claim.reference):
        meant = Q(terminals__pk=claim.reference)
    if found := instances.filter(meant).order_by("-created_at", "-pk").values_list("pk", flat=True).first():
        note(instance_id=found, kind=claim.kind, now=now)


def note(*, instance_id: str, kind: str = Refusal.Kind.AGENT, now: datetime | None = None) -> None:
    """Count one refusal. It is kept even though the request that it answers fails."""
    now = now or timezone.now()
    key = {"instance_id": instance_id, "kind": kind, "minute_at": now.replace(second=0, microsecond=0)}
    if _counted(key):
        return
    try:
        with transaction.atomic():
            Refusal.objects.create(**key)
    except IntegrityError:  # another request of this minute was first, or the minute is full
        _counted(key)
    Refusal.objects.filter(instance_id=instance_id, minute_at__lt=now - KEPT).delete()


def _counted(key: dict[str, Any]) -> bool:
    return bool(Refusal.objects.filter(**key, count__lt=MOST_A_MINUTE).update(count=F("count") + 1))


def counts(*, since: datetime) -> dict[str, int]:
    """How many there were by instance, from the minute of `since` on."""
    rows = Refusal.objects.filter(minute_at__gte=since.replace(second=0, microsecond=0)).order_by("instance_id")
    return dict(rows.values_list("instance_id").annotate(Sum("count")))
