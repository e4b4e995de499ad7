"""Calls of drivers. No database is touched here, so that many machines can be acted upon at once."""

import logging
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings

from fleet.lifecycle.models import Backup
from fleet.providers.base import DESTROY, RESUME, SUSPEND, Archive, Driver, DriverFailed, Order

log = logging.getLogger(__name__)
Result = TypeVar("Result")


def act(driver: Driver, action: str) -> None:
    """Suspend, resume or destroy. Raises DriverFailed, whatever breaks."""
    if driver.touches:
        calls = {SUSPEND: driver.suspend, RESUME: driver.resume, DESTROY: driver.destroy}
        _guarded(driver, calls[action])


def back_up(driver: Driver, backup: Backup) -> Archive:
    """Make the backup. Raises DriverFailed, whatever breaks."""
    order = Order(str(backup.pk), backup.label, backup.compression, float(settings.BACKUP_TIMEOUT_S))
    return _guarded(driver, lambda: driver.backup(order))


def _guarded(driver: Driver, call: Callable[[], Result]) -> Result:
    try:
        return call()
    except DriverFailed as error:
        log.warning("driver %s, instance %s: %s", driver.name, driver.machine.instance_id, error)
        raise
    except Exception:
        log.exception("driver %s, instance %s", driver.name, driver.machine.instance_id)
        raise DriverFailed(f"The driver {driver.name} broke; the log of the server tells more") from None
