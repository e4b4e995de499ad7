"""The daily match of the whole fleet, in a process that ends afterwards: it takes a minute and some memory."""

import logging
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings

from config.stopping import stopping
from security.vulnerabilities.models import Affected, FleetMatch

log = logging.getLogger(__name__)
EVERY = timedelta(days=1)
LONGEST_S = 3600.0
COMMAND = (sys.executable, "-m", "django", "advisories", "--settings", "config.settings", "match")


def tend(*, now: datetime, command: Sequence[str] = COMMAND) -> bool:
    """Match the fleet when that was not done for a day; whether it was done now. Without advisories nothing is due."""
    if not Affected.objects.exists():
        return False
    row, _ = FleetMatch.objects.get_or_create(pk=1, defaults={"started_at": datetime(1970, 1, 1, tzinfo=UTC)})
    mine = FleetMatch.objects.filter(pk=1, started_at=row.started_at)
    if now - row.started_at < EVERY or not mine.update(started_at=now):
        return False
    # Fixed words only; it finds the database in the environment of this process.
    process = subprocess.Popen(
        command, cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    ends = time.monotonic() + LONGEST_S
    try:
        while process.poll() is None and time.monotonic() < ends and not stopping.wait(0.2):
            pass
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode and not stopping.is_set():
        log.error("the daily match of the fleet ended with exit code %s", process.returncode)
    return process.returncode == 0
