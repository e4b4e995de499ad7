"""deploy_failed, from what agents report of deployments (contract: fleet console §10, §31.4)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from alerts.evaluation.sources import Fact
from fleet.instances.models import Event

WINDOW = timedelta(hours=24)
TYPES = (Event.Type.DEPLOY, Event.Type.REDEPLOY)
FAILED, SUCCEEDED = ("FAILED", "FAILURE", "ERROR"), ("SUCCEEDED", "SUCCESS", "OK")


def facts(conditions: Sequence[Mapping[str, Any]], instance_ids: Sequence[str], now: datetime) -> list[dict[str, Fact]]:
    """The same for each rule: how the newest deployment of 24 h ended; who reported none is unknown.

    A registration is a DEPLOY event too, which tells of no outcome and is passed over.
    """
    known: dict[str, Fact] = {}
    events = Event.objects.filter(
        type__in=TYPES, timestamp__gt=now - WINDOW, timestamp__lte=now, metadata__isnull=False
    )
    rows = events.order_by("timestamp", "pk").values_list("instance_id", "metadata")
    for instance_id, metadata in rows.iterator(chunk_size=2000):
        failed = outcome(metadata)
        if failed is not None:
            reason = str(metadata.get("error") or metadata.get("message") or "")[:500].rstrip(".")
            text = f"The newest deployment failed{': ' if reason else ''}{reason}"
            known[instance_id] = Fact(failed, None, text if failed else "")
    return [known] * len(conditions)


def outcome(metadata: Any) -> bool | None:
    """Whether a deployment's report tells of failure; None when it tells of no outcome."""
    if not isinstance(metadata, dict):
        return None
    status = str(metadata.get("status", "")).upper()
    if status in FAILED or metadata.get("error") or metadata.get("success") is False:
        return True
    return False if status in SUCCEEDED or metadata.get("success") is True else None
