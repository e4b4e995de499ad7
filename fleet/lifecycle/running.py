"""An action from its begin to its end within one request."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import ApiError, BadGateway
from fleet.instances.changes import audit
from fleet.instances.models import Instance, facts
from fleet.lifecycle import endings, operations
from fleet.lifecycle.acting import act
from fleet.lifecycle.leases import kept
from fleet.lifecycle.models import Operation
from fleet.lifecycle.states import ALLOWED, VERBS, refused, require_driver
from fleet.providers.base import DESTROY, Driver, DriverFailed

AT_ONCE = 16


@dataclass
class Running:
    """An action that was begun, with what its end needs."""

    operation: Operation
    driver: Driver
    before: dict[str, Any]
    failure: DriverFailed | None = field(default=None)

    def attempt(self) -> None:
        try:
            act(self.driver, self.operation.action)
        except DriverFailed as failure:
            self.failure = failure


def start(*, instance: Instance, action: str, actor: Principal | None) -> Running:
    """Begin. Raises Conflict when the state or another action forbids it, Unavailable when the driver cannot."""
    if instance.status not in ALLOWED[action]:
        raise refused(instance, action)
    driver, before, now = require_driver(instance, action), facts(instance), timezone.now()
    operation = operations.begin(instance=instance, action=action, driver=driver, by=name_of(actor), now=now)
    return Running(operation, driver, before)


def attempt(running: Sequence[Running]) -> None:
    """Let the drivers work, many at once. What fails is noted and not raised."""
    with kept(one.operation.pk for one in running):
        touching = [one for one in running if one.driver.touches]
        if len(touching) > 1:
            with ThreadPoolExecutor(AT_ONCE, "drivers") as pool:
                list(pool.map(Running.attempt, touching))
        else:
            for one in running:
                one.attempt()


def finish(running: Running, *, actor: Principal | None, request: Any = None) -> Instance:
    """End it. Raises BadGateway `Teardown Failed` for a destruction that failed, else an error of status 500."""
    operation, failure = running.operation, running.failure
    if failure is None:
        try:
            instance = endings.complete(operation, touched=running.driver.touches, now=timezone.now())
        except DriverFailed as late:
            failure = late
    if failure is None:
        audit(instance, operation.action.upper(), actor=actor, request=request, before=running.before)
        return instance
    endings.fail(operation, str(failure), now=timezone.now())
    if operation.action == DESTROY:
        raise BadGateway(f"{failure}. The machine may still be there.", reason="Teardown Failed")
    raise ApiError(f"Could not {VERBS[operation.action]}: {failure}", status=500, code="driver_failed")


def name_of(actor: Principal | None) -> str:
    return actor.name[:256] if actor else ""
