"""What workers do with a deployment: its driver runs, and the instance has the state that came of it."""

import logging
import threading
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import Error, connection, transaction
from django.utils import timezone

from config.stopping import stopping
from fleet.deployments import progress, variables
from fleet.deployments.models import Deployment, Status
from fleet.instances.changes import announce, note
from fleet.instances.models import Instance
from fleet.instances.models import Status as State
from fleet.providers.base import Driver, DriverFailed, Plan
from fleet.providers.drivers import driver_of
from security.vault.references import Unusable

log = logging.getLogger(__name__)
RENEW_S = 15.0
UNTAKEN = timedelta(seconds=10)
AT_ONCE = 50
LOST = "The process that did this has stopped. Whether anything was deployed is not known."
NOBODY = "No driver is set up that could deploy it. Nothing was changed on any machine."


def carry_out(deployment_id: str) -> None:
    """Deploy. For a deployment that is taken or over it does nothing."""
    if stopping.is_set():
        return  # the tick sends it again
    deployment = Deployment.objects.select_related("instance").filter(pk=deployment_id).first()
    if deployment is None or not progress.claim(deployment, now=timezone.now()):
        return
    with _leased(deployment):
        try:
            _deploy(deployment)
        except DriverFailed as failure:
            fail(deployment, str(failure), now=timezone.now())
        except _Untouched as why:
            fail(deployment, str(why), now=timezone.now(), untouched=True)


class _Untouched(Exception):
    """Nothing was done to any machine; the text says why."""


def _deploy(deployment: Deployment) -> None:
    instance = deployment.instance
    driver = driver_of(instance)
    place = ", ".join(filter(None, (deployment.provider, deployment.region)))
    progress.step(deployment, 20, f"Target: {instance.name} ({place})", now=timezone.now())
    if not driver.touches:
        raise _Untouched(NOBODY)
    try:
        text, environment = variables.filled(deployment.yaml_content, instance=instance)
    except Unusable as fault:
        raise _Untouched(f"{fault.message}. Nothing was changed on any machine.") from None
    progress.step(deployment, 40, f"{driver.title} deploys", now=timezone.now())
    _run(driver, Plan(text, environment=environment, force=deployment.force))
    progress.step(deployment, 85, "Deployed; the instance is registered", now=timezone.now())
    succeed(deployment, now=timezone.now())


def _run(driver: Driver, plan: Plan) -> None:
    try:
        driver.deploy(plan)
    except DriverFailed as error:
        log.warning("driver %s, instance %s: %s", driver.name, driver.machine.instance_id, error)
        raise
    except Exception:
        log.exception("driver %s, instance %s", driver.name, driver.machine.instance_id)
        raise DriverFailed(f"The driver {driver.name} broke; the log of the server tells more") from None


@transaction.atomic
def succeed(deployment: Deployment, *, now: datetime) -> bool:
    """It is deployed: so the instance runs. False when the deployment was given up meanwhile."""
    done: dict[str, Any] = {"percent": 100, "message": "Deployed", "status": Status.SUCCEEDED}
    return _end(deployment, State.RUNNING, now=now, **done)


@transaction.atomic
def fail(deployment: Deployment, why: str, *, now: datetime, untouched: bool = False, **only: Any) -> bool:
    """Nothing came of it. The instance is in ERROR, or as it was when nothing was touched.

    `only` narrows which row may be ended; False when it was ended already.
    """
    to = deployment.came_from if untouched and deployment.came_from else State.ERROR
    return _end(deployment, State(to), now=now, only=only, status=Status.FAILED, error=why[:1000])


def _end(deployment: Deployment, to: State, *, now: datetime, only: dict | None = None, **change: Any) -> bool:
    mine = Deployment.objects.filter(pk=deployment.pk, status=Status.IN_PROGRESS, **(only or {}))
    change |= {"completed_at": now, "lease_until": None}
    if not mine.update(**change):
        return False
    for name, value in change.items():
        setattr(deployment, name, value)
    instance = deployment.instance
    state: dict[str, Any] = {"status": to, "updated_at": now}
    if to == State.RUNNING and instance.last_seen_at:
        state["offline_after"] = now + timedelta(seconds=settings.OFFLINE_AFTER_S)
    if Instance.objects.filter(pk=instance.pk, status=State.DEPLOYING).update(**state):
        instance.refresh_from_db()
        facts = {"deployment_id": deployment.pk, "status": deployment.status}
        told = facts | ({"error": deployment.error} if deployment.error else {})
        note(instance, deployment.event, now=now, by=deployment.initiated_by, **told)
        announce(instance)
    progress.tell(deployment)
    return True


def tend(*, send: Callable[[str], object], now: datetime) -> int:
    """Settle what was abandoned, send again what nobody took; how many were settled."""
    lost = Deployment.objects.abandoned(now).select_related("instance").order_by("lease_until")[:AT_ONCE]
    settled = sum(fail(one, LOST, now=now, lease_until__lt=now) for one in lost)
    for pk in Deployment.objects.untaken(now - UNTAKEN).order_by("started_at").values_list("pk", flat=True)[:AT_ONCE]:
        send(pk)
    return settled


@contextmanager
def _leased(deployment: Deployment) -> Any:
    """Renew the lease within the block, from a thread of its own."""
    over = threading.Event()

    def renew() -> None:
        try:
            while not over.wait(RENEW_S):
                mine = Deployment.objects.filter(pk=deployment.pk, status=Status.IN_PROGRESS)
                try:
                    mine.update(lease_until=timezone.now() + progress.LEASE)
                except Error:  # the next time is early enough
                    log.warning("a lease could not be renewed", exc_info=True)
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
