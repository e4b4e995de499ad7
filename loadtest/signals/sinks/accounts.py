"""What became of deliveries (contract: signals §6, §9.4). Written by the sink's thread, read by the runner's."""

import logging
import threading
import time

log = logging.getLogger(__name__)
LONGEST_FAULT = 500
TOLD_EACH_S = 60.0


class Account:
    """Failures and deliveries of one sink. A fault is logged at most once a minute."""

    def __init__(self, *, name: str, total: int = 0, last_success_ns: int | None = None) -> None:
        self.name, self.total_failures, self.last_success_ns = name, total, last_success_ns
        self.consecutive_failures = 0
        self.last_fault: str | None = None
        self.failed = False  # since this runner has the scenario
        self._lock = threading.Lock()
        self._told_at = float("-inf")

    def delivered(self) -> None:
        with self._lock:
            self.consecutive_failures = 0
            self.last_success_ns = time.time_ns()

    def fault(self, text: str) -> None:
        text = text.replace("\x00", "")[:LONGEST_FAULT]
        with self._lock:
            self.failed = True
            self.consecutive_failures += 1
            self.total_failures += 1
            self.last_fault = text
            quiet = time.monotonic() - self._told_at < TOLD_EACH_S
            self._told_at = self._told_at if quiet else time.monotonic()
        if not quiet:
            log.warning("signal %s: %s", self.name, text)
