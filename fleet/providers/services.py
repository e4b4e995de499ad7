"""Binding instances to drivers."""

import json
from typing import Any

import msgspec
from django.db import transaction

from config.api.authentication import Principal
from config.api.errors import Invalid
from fleet.instances.changes import announce
from fleet.instances.models import Instance
from fleet.providers.base import ACTIONS, DriverFailed
from fleet.providers.drivers import DRIVERS, driver_of
from fleet.providers.models import Binding
from security.audit.services import record

MAX_OPTIONS_BYTES = 16 * 1024
HIDDEN = "…"


@transaction.atomic
def bind(
    *, instance: Instance, driver: str, target: str = "", options: dict[str, Any], actor: Principal, request: Any = None
) -> Binding:
    """Let `driver` act on the instance from now on. Raises Invalid with the field at fault."""
    kind = DRIVERS.get(driver)
    if kind is None:
        raise Invalid("There is no such driver", details={"driver": [f"Choose one of {', '.join(DRIVERS)}."]})
    try:
        kind.check_target(target)
    except ValueError as error:
        raise Invalid("The target is not one of this driver", details={"target": [str(error)]}) from None
    if len(json.dumps(options)) > MAX_OPTIONS_BYTES:
        raise Invalid("The options are too long", details={"options": ["Give at most 16 KiB."]})
    try:
        msgspec.convert(options, kind.Options)
    except msgspec.ValidationError as error:
        raise Invalid("The options are not those of this driver", details={"options": [str(error)]}) from None
    before = describe(instance)
    binding = Binding(instance=instance, driver=driver, target=target)
    binding.options = options
    binding.save()
    _noted(instance, "UPDATE", actor, request, before)
    return binding


@transaction.atomic
def unbind(*, instance: Instance, actor: Principal, request: Any = None) -> None:
    """Let the driver of the provider act on it again, or none."""
    before = describe(instance)
    if Binding.objects.filter(pk=instance.pk).delete()[0]:
        _noted(instance, "DELETE", actor, request, before)


def describe(instance: Instance) -> dict[str, Any] | None:
    """The binding for people and the audit log, without what opens the place of backups; None without one."""
    binding = Binding.objects.filter(pk=instance.pk).first()
    if binding is None:
        return None
    return {"driver": binding.driver, "target": binding.target, "options": shown(binding.options)}


def in_use(instance: Instance) -> dict[str, Any]:
    """Which driver acts on the instance, what it can do there, and what is missing."""
    try:
        driver = driver_of(instance)
    except DriverFailed as error:
        return {"driver": None, "title": "No driver", "touches": False, "can": [], "lacking": str(error)}
    about = {"driver": driver.name, "title": driver.title, "touches": driver.touches}
    return about | {"can": [one for one in ACTIONS if one in driver.can], "lacking": driver.lacking}


def shown(options: dict[str, Any]) -> dict[str, Any]:
    """The options with the query and the user of a URL left out: signatures stand there."""
    to = options.get("to")
    if not isinstance(to, str) or to.startswith("/"):
        return options
    address, question, _ = to.partition("?")
    scheme, slashes, rest = address.partition("://")
    user, at, place = rest.rpartition("@")
    hidden = [scheme, slashes, HIDDEN if user else "", at, place, question, HIDDEN if question else ""]
    return options | {"to": "".join(hidden)}


def unshown(instance: Instance, options: dict[str, Any]) -> dict[str, Any]:
    """The options that a person sent back: what was shown to them shortened is as it was."""
    binding = Binding.objects.filter(pk=instance.pk).first()
    if binding and "to" in options and options["to"] == shown(binding.options).get("to"):
        return options | {"to": binding.options["to"]}
    return options


def _noted(instance: Instance, action: str, actor: Principal, request: Any, before: dict[str, Any] | None) -> None:
    announce(instance)
    record(
        actor=actor,
        action=action,
        resource="instance_driver",
        resource_id=instance.pk,
        team_id=instance.team_id,
        request=request,
        before=before,
        after=describe(instance),
    )
