"""What alerts need as time goes by, in the order in which one thing leads to the next."""

import logging
from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from alerts.drills.services import follow
from alerts.grouping.repeating import repeat_due
from alerts.grouping.speaking import speak_due
from alerts.notices.holding import look_again
from alerts.policies.escalation import escalate_due
from alerts.silences.applying import turn_due

log = logging.getLogger(__name__)
STEPS: tuple[Callable[..., object], ...] = (turn_due, look_again, escalate_due, repeat_due, speak_due, follow)


def tend(*, now: datetime | None = None) -> None:
    """Begin and end silences, release what was held, escalate, remind, let groups speak, follow drills.

    Every row that is due is claimed with a conditional update, so any number of workers may do this at once. A fault
    in one part is logged and does not keep the others from being done.
    """
    now = now or timezone.now()
    for step in STEPS:
        try:
            step(now=now)
        except Exception:  # noqa: BLE001 - people must be told of what is wrong whatever else fails
            log.exception("%s failed", step.__name__)
