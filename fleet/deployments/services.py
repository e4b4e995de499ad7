"""What people deploy (contract: fleet console §5.3, §13). The rows are the queue; workers do the rest."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Conflict, Invalid, Unavailable
from fleet.deployments import configuration, variables
from fleet.deployments.models import OPEN, Deployment
from fleet.deployments.models import Status as Progress
from fleet.instances.changes import announce, audit
from fleet.instances.models import Event, Instance, Status, facts
from fleet.lifecycle.models import Operation
from fleet.providers.base import DriverFailed
from fleet.providers.drivers import driver_of
from security.audit.services import record

ON_THE_WAY = (Status.DEPLOYING, Status.DESTROYING)


@transaction.atomic
def clone(
    *, instance: Instance, name: str, actor: Principal, provider: str = "", region: str | None = None,
    request: Any = None,
) -> tuple[Instance, Deployment]:  # fmt: skip
    """A new instance like this one, DEPLOYING until a worker has deployed it, and that deployment.

    Raises Conflict when an active instance has the name, Unavailable when its driver cannot deploy.
    """
    region = region or (instance.region if provider in ("", instance.provider) else None)
    provider = provider or instance.provider
    text = configuration.moved(configuration.configuration_of(instance), name=name, provider=provider, region=region)
    try:
        with transaction.atomic():
            made = Instance.objects.create(
                name=name, provider=provider, region=region, distro=instance.distro, extensions=instance.extensions,
                tags=instance.tags, team_id=instance.team_id, config_hash=configuration.hashed(text),
                status=Status.DEPLOYING,
            )  # fmt: skip
    except IntegrityError:
        raise Conflict(f"An active instance is already named '{name}'") from None
    variables.check(text, instance=made, principal=None)  # it is what somebody else has written
    deployment = _enqueue(made, text, Event.Type.DEPLOY, actor, came_from=None, force=False)
    audit(made, "CREATE", actor=actor, request=request, cloned_from=instance.pk, deployment_id=deployment.pk)
    return made, deployment


@transaction.atomic
def redeploy(
    *, instance: Instance, actor: Principal, config: str | None = None, force: bool = False, request: Any = None
) -> Deployment:
    """Deploy the instance again, as it is configured or as `config` says; it is DEPLOYING from here on.

    With `force` a deployment that goes on is given up for this one. Raises Conflict when something else goes on or an
    active instance has its name, Invalid for a configuration that cannot be, Unavailable when its driver cannot deploy.
    """
    now, before = timezone.now(), facts(instance)
    text = configuration.configuration_of(instance) if config is None else config
    if reserved := configuration.reserved_in(configuration.parsed(text)):
        raise Invalid(
            "The configuration sets names that are reserved", details={"config": ["It sets names that are reserved."]},
            facts={"reservedKeys": reserved},
        )  # fmt: skip
    if config is not None:
        variables.check(text, instance=instance, principal=actor)
    came_from = instance.status
    allowed = [state for state in Status if force or state not in ON_THE_WAY]
    if came_from not in allowed:
        raise Conflict(f"Instance '{instance.name}' is currently in {came_from}")
    if Operation.objects.open().filter(instance=instance).exists():
        raise Conflict(f"Instance '{instance.name}' is currently in another action")
    if force:
        given_up = {"status": Progress.CANCELLED, "completed_at": now, "error": "Given up for a newer deployment"}
        Deployment.objects.filter(instance=instance, status__in=OPEN).update(**given_up)
    claimed = Instance.objects.filter(pk=instance.pk, status=came_from)
    try:
        with transaction.atomic():
            if not claimed.update(status=Status.DEPLOYING, config_hash=configuration.hashed(text), updated_at=now):
                raise Conflict(f"Instance '{instance.name}' has changed meanwhile")
    except IntegrityError:
        raise Conflict(f"An active instance is already named '{instance.name}'") from None
    instance.refresh_from_db()
    back = came_from if came_from not in ON_THE_WAY else Status.ERROR
    deployment = _enqueue(instance, text, Event.Type.REDEPLOY, actor, came_from=back, force=force)
    audit(instance, "UPDATE", actor=actor, request=request, before=before, deployment_id=deployment.pk)
    return deployment


def note_refusal(error: Invalid, *, instance: Instance, actor: Principal, request: Any) -> None:
    """Keep in the audit log that somebody tried to set reserved names; call it outside of the refused transaction."""
    if keys := error.extra.get("facts", {}).get("reservedKeys"):
        record(
            actor=actor, action="UPDATE", resource="instance", resource_id=instance.pk, team_id=instance.team_id,
            request=request, event="reserved_key_violation_yaml", keys=keys,
        )  # fmt: skip


def _enqueue(
    instance: Instance, text: str, event: str, actor: Principal, *, came_from: str | None, force: bool
) -> Deployment:
    """Leave the deployment to a worker. Raises Unavailable when nobody could carry it out."""
    from fleet.deployments.tasks import carry_out

    try:
        driver = driver_of(instance)
    except DriverFailed as error:
        raise Unavailable(f"{error}. Nothing was changed.") from None
    if driver.touches and (driver.lacking or not driver.deploys):
        why = driver.lacking or f"{driver.title} cannot deploy."
        raise Unavailable(f"'{instance.name}' cannot be deployed. {why} Nothing was changed.")
    try:
        with transaction.atomic():
            deployment = Deployment.objects.create(
                instance=instance, event=event, yaml_content=text, config_hash=configuration.hashed(text),
                provider=instance.provider, region=instance.region, force=force, came_from=came_from,
                initiated_by=actor.name[:256],
            )  # fmt: skip
    except IntegrityError:
        raise Conflict(f"Instance '{instance.name}' is currently in {Status.DEPLOYING}") from None
    announce(instance)
    transaction.on_commit(lambda: carry_out.delay(deployment.pk), robust=True)  # a tick sends it again
    return deployment
