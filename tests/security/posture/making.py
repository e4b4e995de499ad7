"""Instances and what is at risk on them, for the tests of posture."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from fleet.instances.models import Instance, Status
from security.rotations.models import Rotation
from security.ssh_keys.models import SshKey
from security.vulnerabilities.models import Finding
from tests import factories

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_numbers = count(1)


def ago(days: float) -> datetime:
    """So many days before NOW."""
    return NOW - timedelta(days=days)


def make_instance(**fields: Any) -> Instance:
    return Instance.objects.create(
        **{"name": f"vm-{next(_numbers)}", "provider": "docker", "status": Status.RUNNING} | fields
    )


def make_finding(instance: Instance, severity: str, **fields: Any) -> Finding:
    """An open one, found a day before NOW."""
    return factories.make_finding(instance, severity=severity, **{"detected_at": ago(1)} | fields)


def make_rotation(instance: Instance, last: datetime | None = None, **fields: Any) -> Rotation:
    row = Rotation(
        instance=instance, last_rotated_at=last,
        **{"secret_name": f"secret-{next(_numbers)}", "secret_type": "API key"} | fields,
    )  # fmt: skip
    row.set_due()
    row.save()
    return row


def make_ssh_key(instance: Instance, **fields: Any) -> SshKey:
    """A strong one that opens the instance."""
    given = {"fingerprint": f"SHA256:{next(_numbers)}", "key_type": "ssh-ed25519", "key_bits": 256}
    return SshKey.objects.create(instance=instance, **given | fields)
