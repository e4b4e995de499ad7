"""Reads of deployments (contract: fleet console §3, §13)."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import TruncHour

from config.api.authentication import Principal
from config.api.errors import NotFound
from config.api.fields import milliseconds
from config.api.permissions import ADMIN
from fleet.deployments.models import Deployment, DeploymentQuerySet, Status

FAILED = "The deployment failed. An administrator can see why."
MOST_SHOWN = 300


def visible(principal: Principal, *, instance_id: str = "", status: str = "") -> DeploymentQuerySet:
    """Deployments that the caller may see, the newest first."""
    rows = Deployment.objects.visible_to(principal)
    if instance_id:
        rows = rows.filter(instance_id=instance_id)
    if status:
        rows = rows.filter(status=status)
    return rows.order_by("-started_at", "-id")


def get_visible(*, deployment_id: str, principal: Principal) -> Deployment:
    """Raises NotFound."""
    known = "\x00" not in deployment_id and len(deployment_id) <= 32
    deployment = Deployment.objects.visible_to(principal).filter(pk=deployment_id).first() if known else None
    if deployment is None:
        raise NotFound(f"Deployment '{deployment_id[:64]}' not found")
    return deployment


def by_hour(since: datetime) -> dict[datetime, dict[str, Any]]:
    """How many began in each UTC hour from then on, and how many of those failed and succeeded."""
    rows = Deployment.objects.filter(started_at__gte=since)
    counted = rows.values(hour=TruncHour("started_at", tzinfo=UTC)).annotate(
        deployments=Count("pk"),
        failures=Count("pk", filter=Q(status=Status.FAILED)),
        successes=Count("pk", filter=Q(status=Status.SUCCEEDED)),
    )
    return {row["hour"]: dict(row) for row in counted.order_by("hour")}


def shown(deployment: Deployment, principal: Principal) -> dict[str, Any]:
    """The wire's shape. What a driver said in full is for administrators; others get its first sentence."""
    error = deployment.error
    if error and principal.role != ADMIN:
        error = error.split(". ")[0][:MOST_SHOWN] or FAILED
    return {
        "id": deployment.pk,
        "instance_id": deployment.instance_id,
        "template_id": deployment.template_id,
        "config_hash": deployment.config_hash,
        "yaml_content": deployment.yaml_content,
        "provider": deployment.provider,
        "region": deployment.region,
        "status": deployment.status,
        "initiated_by": deployment.initiated_by,
        "started_at": milliseconds(deployment.started_at),
        "completed_at": milliseconds(deployment.completed_at),
        "logs": deployment.logs,
        "error": error,
    }
