"""Cloning and redeploying start deployments, and no driver can deploy yet: so they say what stands against it."""

from typing import NoReturn

from config.api.errors import Conflict, Unavailable
from fleet.instances.models import Instance, Status

MISSING = "No driver that can deploy is set up. Nothing was changed."


def clone(*, instance: Instance, name: str, provider: str | None = None, region: str | None = None) -> NoReturn:
    """Raises Conflict when an active instance has the name, else Unavailable."""
    if Instance.objects.active().filter(name=name).exists():
        raise Conflict(f"An active instance is already named '{name}'")
    place = ", ".join(filter(None, (provider or instance.provider, region or instance.region)))
    raise Unavailable(f"'{instance.name}' cannot be cloned as '{name}' ({place}). {MISSING}")


def redeploy(*, instance: Instance, config: str | None = None, force: bool = False) -> NoReturn:
    """Raises Conflict while the instance is on its way to another state, unless `force`; else Unavailable."""
    if instance.status in (Status.DEPLOYING, Status.DESTROYING) and not force:
        raise Conflict(f"Instance '{instance.name}' is currently in {instance.status}")
    wanted = "with another configuration" if config else "with its configuration"
    raise Unavailable(f"'{instance.name}' cannot be redeployed {wanted}. {MISSING}")
