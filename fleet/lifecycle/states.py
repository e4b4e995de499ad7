"""Which action is possible in which state (contract: fleet console §5.1)."""

from typing import Any

from config.api.errors import Conflict, Unavailable
from fleet.instances.models import Instance, Status
from fleet.providers.base import BACKUP, DESTROY, RESUME, SUSPEND, Driver, DriverFailed
from fleet.providers.drivers import driver_of

OFFERED = {
    Status.RUNNING: (SUSPEND, DESTROY, BACKUP),
    Status.SUSPENDED: (RESUME, DESTROY, BACKUP),
    Status.STOPPED: (RESUME, DESTROY),
    Status.ERROR: (RESUME, DESTROY),
}
ALLOWED = {
    SUSPEND: (Status.RUNNING,),
    RESUME: (Status.SUSPENDED, Status.STOPPED, Status.ERROR),
    DESTROY: (Status.RUNNING, Status.SUSPENDED, Status.STOPPED, Status.ERROR, Status.DESTROYING),
    BACKUP: (Status.RUNNING, Status.SUSPENDED),
}
DONE = {SUSPEND: "suspended", RESUME: "resumed", DESTROY: "destroyed", BACKUP: "backed up"}


def available_actions(instance: Instance) -> list[str]:
    """What the state allows and the driver can do."""
    offered = OFFERED.get(Status(instance.status), ())
    if not offered:
        return []
    try:
        can = driver_of(instance).can
    except DriverFailed:
        return []
    return [action for action in offered if action in can]


def refused(instance: Instance, action: str, why: str = "") -> Conflict:
    """The refusal of an action in words; `why` tells what stands against it, else it is the state."""
    why = why or f"while it is {instance.status}"
    return Conflict(f"Instance '{instance.name}' cannot be {DONE[action]}{'' if why.startswith(':') else ' '}{why}")


def require_driver(instance: Instance, *actions: str) -> Driver:
    """The instance's driver, if it can do all of that. Raises Unavailable with what is missing."""
    try:
        driver = driver_of(instance)
    except DriverFailed as error:
        raise Unavailable(f"{error}. Nothing was changed.") from None
    for action in actions:
        if action not in driver.can:
            why = driver.lacking or f"{_cannot(driver)} {VERBS[action]}."
            raise Unavailable(f"Instance '{instance.name}' cannot be {DONE[action]}. {why} Nothing was changed.")
    return driver


VERBS: dict[str, Any] = {SUSPEND: "stop it", RESUME: "start it", DESTROY: "remove it", BACKUP: "back it up"}


def _cannot(driver: Driver) -> str:
    if not driver.touches:
        return "No driver is set up for it that could"
    return f"{driver.title}, as it is set up for this instance, cannot"
