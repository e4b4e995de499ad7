"""How many runs one process makes at once."""

import threading
from collections.abc import Callable


class Slots:
    """The places for runs in this process. A number is a place, so that runs beside each other can differ."""

    def __init__(self, capacity: Callable[[], int]) -> None:
        self._capacity = capacity
        self._lock, self._taken = threading.Lock(), set[int]()

    def take(self) -> int | None:
        """A free place; None when all are taken."""
        with self._lock:
            free = next((number for number in range(self._capacity()) if number not in self._taken), None)
            if free is not None:
                self._taken.add(free)
            return free

    def give(self, number: int) -> None:
        with self._lock:
            self._taken.discard(number)
