"""Marking a secret for rotation: somebody who knows its value should not any more."""

from datetime import datetime
from typing import Any

from django.db import transaction

from config.api.authentication import Principal
from security.audit.services import record
from security.vault.models import Secret


@transaction.atomic
def ask_for_rotation(
    *, secret: Secret, because: str, actor: Principal | None, now: datetime, request: Any = None
) -> None:
    """Mark it until it gets another value. `because` goes into the audit. A value keeps working until then."""
    before = {"rotation_asked_at": secret.rotation_asked_at}
    secret.rotation_asked_at = now
    secret.save(update_fields=["rotation_asked_at", "updated_at"])
    record(
        actor=actor, action="UPDATE", resource="secret", resource_id=secret.pk, request=request,
        team_id=secret.instance.team_id if secret.instance else None, event="rotation_asked", name=secret.name,
        because=because, before=before, after={"rotation_asked_at": now},
    )  # fmt: skip
