"""How much one instance may send (contract: fleet console §1.8, ingest class)."""

import time

from django.conf import settings

from config.api.errors import TooMany

WINDOW_S = 60


class Budget:
    """Bytes of each instance in the current minute, counted in this process: an agent stays with one connection."""

    def __init__(self) -> None:
        self._window, self._spent = 0, dict[str, int]()

    def take(self, instance_id: str, size: int) -> None:
        """Count `size` bytes; raises TooMany above `PHAROS_RATE_INGEST_BYTES` a minute (0 = no limit).

        What is larger than all of it passes as the first of a minute: else it could never be sent.
        """
        if not (limit := settings.RATE_INGEST_BYTES):
            return
        window, passed = divmod(int(time.time()), WINDOW_S)
        if window != self._window:
            self._window, self._spent = window, {}
        before = self._spent.get(instance_id, 0)
        if before and before + size > limit:
            raise TooMany(f"An instance may send {limit} bytes a minute", retry_after=WINDOW_S - passed)
        self._spent[instance_id] = before + size


budget = Budget()
