"""Getting scenarios to runners, and looking after those whose runner is gone (contract: signals §11)."""

import logging
from datetime import datetime

from loadtest.signals.feeding.machines import at_rest
from loadtest.signals.running import state
from loadtest.signals.running.models import Scenario

log = logging.getLogger(__name__)
QUEUE = "load"


def call() -> None:
    """Tell the workers that scenarios wait. What gets lost is sent again by the tick."""
    from loadtest.signals.running.tasks import host

    try:
        host.apply_async(queue=QUEUE, expires=30, retry=False)
    except Exception:  # noqa: BLE001 - whatever the broker's client raises: the rows wait for the tick
        log.warning("the workers could not be told of new signals; the tick will tell them", exc_info=True)


def tick(*, now: datetime) -> None:
    """Settle what lost its runner, and call for one where scenarios wait."""
    abandoned = Scenario.objects.abandoned(now)
    if lost := list(abandoned.values_list("pk", flat=True)):
        state.release(abandoned, now=now)
        at_rest(lost, now=now)
    if Scenario.objects.unclaimed().exists():
        call()
