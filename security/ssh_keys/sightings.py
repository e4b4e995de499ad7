"""Keys that an agent saw on its machine (contract: fleet console §24)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from fleet.agents.reports import cleaned
from fleet.agents.shapes import Installed
from fleet.instances.models import Instance
from security.ssh_keys.models import SshKey

MOST_KEYS = 2000


@dataclass(frozen=True, slots=True)
class Sighting:
    """A key that opens these system accounts."""

    fingerprint: str
    key_type: str
    key_bits: int | None
    comment: str | None
    accounts: tuple[str, ...]


def told(instance: Instance, report: Installed, now: datetime) -> None:
    """Keep the keys of an agent's report."""
    if report.ssh_keys is None:
        return
    keys = [
        Sighting(
            fingerprint=cleaned(key.fingerprint),
            key_type=cleaned(key.key_type),
            key_bits=key.key_bits,
            comment=cleaned(key.comment) or None,
            accounts=tuple(cleaned(key.accounts)),
        )
        for key in report.ssh_keys
    ]
    note(instance=instance, keys=keys, now=now)


def note(*, instance: Instance, keys: Sequence[Sighting], now: datetime) -> None:
    """Keep what the agent saw. A key that it saw before and sees no more is gone; one it never saw is left alone.

    What a person has decided (revoked, expires) stays: a revoked key that is still seen says so by `seen_at`.
    """
    seen = {key.fingerprint: key for key in keys[:MOST_KEYS]}
    try:
        _note(instance.pk, seen, now)
    except IntegrityError:  # somebody entered one of them at the same moment
        _note(instance.pk, seen, now)


@transaction.atomic
def _note(instance_id: str, seen: dict[str, Sighting], now: datetime) -> None:
    known = {key.fingerprint: key for key in SshKey.objects.filter(instance_id=instance_id).order_by("pk")}
    gone = [key.pk for key in known.values() if key.seen_at and not key.gone_at and key.fingerprint not in seen]
    SshKey.objects.filter(pk__in=gone).update(gone_at=now, accounts=[])
    changed, new = [], []
    for fingerprint, key in seen.items():
        row = known.get(fingerprint) or SshKey(instance_id=instance_id, fingerprint=fingerprint)
        (changed if fingerprint in known else new).append(row)
        row.key_type, row.key_bits, row.accounts = key.key_type, key.key_bits, list(key.accounts)
        row.comment, row.seen_at, row.gone_at = row.comment or key.comment, now, None
    SshKey.objects.bulk_create(new)
    SshKey.objects.bulk_update(
        changed, ["key_type", "key_bits", "accounts", "comment", "seen_at", "gone_at"], batch_size=500
    )
