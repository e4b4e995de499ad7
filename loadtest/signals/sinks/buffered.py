"""Sinks that gather events and deliver them from a thread of their own, so that a slow target holds up no clock.

Flushed by size, by age and at the end (contract: signals §9.2). What waits is bounded: beyond that, batches are lost
and counted as failures.
"""

import random
import threading
import time
from collections.abc import Sequence
from typing import Generic, TypeVar

from config.outbound import BadRequest, OutboundError
from config.outbound import Refused as Forbidden
from loadtest.signals.generators.emitter import Batch
from loadtest.signals.scenario.sinks import Retry
from loadtest.signals.sinks.accounts import Account

MOST_WAITING = 32 << 20  # of the sink's unit, see `cost`
CLOSES_WITHIN_S = 4.5
Item = TypeVar("Item")


class NotDelivered(Exception):
    """The target refused or could not be reached; `again` says whether trying again makes sense."""

    def __init__(self, message: str, *, again: bool) -> None:
        super().__init__(message)
        self.again = again


class Buffered(Generic[Item]):
    """`items` cuts a batch into what is gathered, `cost` weighs one item, `deliver` sends some or raises NotDelivered.

    A delivery holds items worth `size` or more as soon as so much waits. `age_s` 0 means no bound.
    """

    most_waiting = MOST_WAITING
    at_once = 0  # a delivery may hold so much, even where less is enough for one

    def __init__(self, account: Account, *, size: int, age_s: float, retry: Retry | None) -> None:
        self.account, self._size, self._age_s, self._retry = account, max(1, size), age_s, retry
        self._changed = threading.Condition()
        self._items: list[Item] = []
        self._waiting = 0
        self._oldest_at = 0.0
        self._closing = False
        self._closes_at = float("inf")
        self._thread: threading.Thread | None = None

    def items(self, batch: Batch) -> Sequence[Item]:
        raise NotImplementedError

    def cost(self, item: Item) -> int:
        return 1

    def deliver(self, items: list[Item]) -> None:
        raise NotImplementedError

    def end(self) -> None:
        """Called once by the thread, after the last delivery."""

    @property
    def closed(self) -> bool:
        """Whether everything was delivered or given up after `close`."""
        return self._closing and (self._thread is None or not self._thread.is_alive())

    def write(self, batch: Batch) -> None:
        """Gather what a batch holds. Never raises, never waits for the target."""
        items = self.items(batch)
        worth = sum(map(self.cost, items))
        with self._changed:
            if self._waiting + worth > self.most_waiting:
                self.account.fault("the target is too slow: too much waits for it, a batch was lost")
                return
            if not self._items:
                self._oldest_at = time.monotonic()
            self._items += items
            self._waiting += worth
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"sink-{self.account.name}", daemon=True)
                self._thread.start()
            if self._waiting >= self._size:
                self._changed.notify()

    def close(self) -> None:
        """Deliver what is left, and end; `closed` tells when. Tries for four and a half seconds at most."""
        with self._changed:
            self._closing = True
            self._closes_at = time.monotonic() + CLOSES_WITHIN_S
            self._changed.notify()

    def _run(self) -> None:
        while items := self._take():
            self._deliver(items)
        self.end()

    def _take(self) -> list[Item]:
        """Items for one delivery, once they are due; none when the sink is closed and empty."""
        with self._changed:
            while not self._ripe():
                if self._closing and not self._items:
                    return []
                self._changed.wait(self._patience())
            taken, worth = 0, 0
            while taken < len(self._items) and worth < max(self._size, self.at_once):
                worth += self.cost(self._items[taken])
                taken += 1
            items, self._items = self._items[:taken], self._items[taken:]
            self._waiting -= worth
            self._oldest_at = time.monotonic()
            return items

    def _ripe(self) -> bool:
        aged = bool(self._age_s) and time.monotonic() - self._oldest_at >= self._age_s
        return bool(self._items) and (self._closing or self._waiting >= self._size or aged)

    def _patience(self) -> float | None:
        return self._oldest_at + self._age_s - time.monotonic() if self._items and self._age_s else None

    def _deliver(self, items: list[Item]) -> None:
        attempts = self._retry.max_attempts if self._retry else 1
        for attempt in range(attempts):
            try:
                self.deliver(items)
            except (NotDelivered, OutboundError) as error:
                if _lasts(error) or attempt + 1 == attempts or not self._pause(attempt):
                    self.account.fault(str(error))
                    return
            except Exception as error:  # noqa: BLE001 - the thread must go on, and nothing vanish silently
                self.account.fault(f"{type(error).__name__}: {error}")
                return
            else:
                self.account.delivered()
                return

    def _pause(self, attempt: int) -> bool:
        """Wait before the next attempt; False when the sink is to end before that."""
        bound = min(self._retry.max_backoff_s, self._retry.initial_backoff_s * 2**attempt)
        until = time.monotonic() + random.uniform(0, bound)  # noqa: S311 - so that clients do not come in step
        with self._changed:
            while (left := min(until, self._closes_at) - time.monotonic()) > 0:
                self._changed.wait(left)
        return time.monotonic() < self._closes_at


def _lasts(error: NotDelivered | OutboundError) -> bool:
    """Whether the same would come of another attempt."""
    return not error.again if isinstance(error, NotDelivered) else isinstance(error, BadRequest | Forbidden)
