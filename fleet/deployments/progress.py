"""How far a deployment is, for whoever watches (contract: fleet console §13, §32.4)."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from config import live
from fleet.deployments.models import Deployment, Status

LEASE = timedelta(seconds=60)
TYPES = {Status.SUCCEEDED: "complete", Status.FAILED: "error", Status.CANCELLED: "error"}


def topic(deployment_id: str) -> str:
    return f"deployment:{deployment_id}"


def claim(deployment: Deployment, *, now: datetime) -> bool:
    """Take a deployment that waits; False when somebody else has it."""
    waiting = Deployment.objects.filter(pk=deployment.pk, status=Status.PENDING)
    taken = waiting.update(status=Status.IN_PROGRESS, percent=10, message="Started", lease_until=now + LEASE)
    deployment.refresh_from_db()
    if taken:
        tell(deployment)
    return bool(taken)


def step(deployment: Deployment, percent: int, message: str, *, now: datetime) -> bool:
    """The next step begins; False when the deployment was given up meanwhile."""
    mine = Deployment.objects.filter(pk=deployment.pk, status=Status.IN_PROGRESS)
    if not mine.update(percent=percent, message=message[:500], lease_until=now + LEASE):
        return False
    deployment.percent, deployment.message = percent, message[:500]
    tell(deployment)
    return True


def tell(deployment: Deployment) -> None:
    """Publish, after the commit, where the deployment is."""
    event = told(deployment)
    transaction.on_commit(lambda: live.publish(topic(deployment.pk), event))


def told(deployment: Deployment) -> dict[str, Any]:
    """The message of the socket."""
    kind = TYPES.get(Status(deployment.status), "progress")
    return {
        "type": kind,
        "deployment_id": deployment.pk,
        "message": deployment.error or deployment.message,
        "status": deployment.status,
        "progress_percent": deployment.percent,
        "instance_id": deployment.instance_id,
    }
