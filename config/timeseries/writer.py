"""The thread of a process that commits rows of one kind: everything that waits goes into one transaction."""

import atexit
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connection
from prometheus_client import Counter, Gauge

from config.api.errors import Unavailable

log = logging.getLogger(__name__)
BATCH_ROWS = 3000
CAPACITY_ROWS = 50_000
COMPANY_S = 1.0  # how long frames without acknowledgement wait for others
PATIENCE_S = 10.0  # how long a database that is away is tried again
FLUSH_AT_EXIT_S = 4.0
IDLE_S = 3600.0
NEVER = float("inf")
GONE = (OperationalError, InterfaceError)

accepted = Counter("pharos_rows_accepted", "Rows committed by a writer", ["writer"])
commits = Counter("pharos_writer_commits", "Transactions of a writer", ["writer"])
waiting = Gauge("pharos_rows_waiting", "Rows that wait for their commit", ["writer"])
Row = TypeVar("Row")


@dataclass(slots=True)
class Submission(Generic[Row]):
    """Rows that are committed together, and who waits for that."""

    rows: list[Row]
    due: float  # on the monotonic clock
    done: "Future[None] | None" = None

    def finish(self, error: Exception | None = None) -> None:
        """Tell who waits."""
        if self.done is None:
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class Writer(Generic[Row]):
    """`submit` and `queue` from any thread; `write` runs on the writer's own thread, with its own database connection.

    `name` says what is written, in the plural: "samples".
    """

    def __init__(
        self,
        name: str,
        write: Callable[[list[Row]], None],
        *,
        prepare: Callable[[], object] | None = None,
        patience_s: float = PATIENCE_S,
        capacity_rows: int = CAPACITY_ROWS,
    ) -> None:
        self.name, self._write, self._prepare = name, write, prepare
        self._waiting = waiting.labels(name)
        self._patience_s, self._capacity_rows = patience_s, capacity_rows
        self._changed = threading.Condition()
        self._queue: deque[Submission[Row]] = deque()
        self._rows = 0  # in the queue and in the transaction under way
        self._due = NEVER  # when the first of the queue must be written
        self._thread: threading.Thread | None = None
        self._hurry = False

    def submit(self, rows: list[Row]) -> "Future[None]":
        """Write the rows at once; the future is done when they are committed. Raises Unavailable when too much waits.

        The future fails with Unavailable when the database stays away.
        """
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()  # a caller that leaves does not undo what it sent
        self._add(len(rows), [Submission(rows, time.monotonic(), done)])
        return done

    def queue(self, *parts: list[Row]) -> None:
        """Write the rows within `COMPANY_S`, those of a part together; nobody is told when. Raises Unavailable."""
        due = time.monotonic() + COMPANY_S
        self._add(sum(map(len, parts)), [Submission(part, due) for part in parts])

    def _add(self, rows: int, submissions: list[Submission[Row]]) -> None:
        if not submissions:
            return
        due = submissions[0].due
        with self._changed:
            if self._rows + rows > self._capacity_rows:
                raise Unavailable(f"Too many {self.name} wait to be stored. Send them again later.")
            self._rows += rows
            self._waiting.set(self._rows)
            self._queue.extend(submissions)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name=f"{self.name}-writer", daemon=True)
                self._thread.start()
                atexit.unregister(self._at_exit)
                atexit.register(self._at_exit)
            # One that is due no earlier than the others wakes nobody.
            if due < self._due or self._rows >= BATCH_ROWS:
                self._due = min(due, self._due)
                self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Wait until nothing waits; False when the time did not suffice."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: not self._rows, timeout_s)
            finally:
                self._hurry = False

    def _at_exit(self) -> None:
        if not self.flush(FLUSH_AT_EXIT_S):
            log.error("%d %s could not be stored before the end of the process", self._rows, self.name)

    def _run(self) -> None:
        self._make_ready()
        while True:
            batch = self._take()
            try:
                self._settle(batch)
            finally:
                close_old_connections()
                with self._changed:
                    self._rows -= sum(len(one.rows) for one in batch)
                    self._waiting.set(self._rows)
                    self._changed.notify_all()

    def _make_ready(self) -> None:
        """Once a thread: partitions for what comes. Without them rows wait in the default one, so nothing stops."""
        if self._prepare is None:
            return
        try:
            self._prepare()
        except Exception:  # noqa: BLE001 - whatever is wrong, the rows come first
            log.warning("the tables of %s could not be made ready", self.name, exc_info=True)
            connection.close()
        close_old_connections()

    def _take(self) -> list[Submission[Row]]:
        """The oldest submissions, at most BATCH_ROWS rows, once one is due or that many wait."""
        with self._changed:
            while not self._ripe():
                self._changed.wait(min(self._due - time.monotonic(), IDLE_S))
            batch, rows = [], 0
            while self._queue and (not batch or rows + len(self._queue[0].rows) <= BATCH_ROWS):
                batch.append(self._queue.popleft())
                rows += len(batch[-1].rows)
            self._due = min((one.due for one in self._queue), default=NEVER)
            return batch

    def _ripe(self) -> bool:
        return bool(self._queue) and (self._hurry or self._rows >= BATCH_ROWS or self._due <= time.monotonic())

    def _settle(self, batch: list[Submission[Row]]) -> None:
        """Commit the batch and tell everyone who waits."""
        try:
            self._persist([row for one in batch for row in one.rows])
        except GONE as error:
            log.error("%s could not be stored: %s", self.name, error)
            for one in batch:
                one.finish(Unavailable(f"The database is away. Send the {self.name} again later."))
        except Exception as error:
            if len(batch) == 1:
                log.exception("%s could not be stored", self.name)
                batch[0].finish(error)
                return
            for one in batch:  # what is wrong with one must not cost the others
                self._settle([one])
        else:
            for one in batch:
                one.finish()

    def _persist(self, rows: list[Row]) -> None:
        """Write, trying again with growing pauses while the database is away."""
        end, pause = time.monotonic() + self._patience_s, 0.05
        while True:
            try:
                self._write(rows)
            except GONE:
                connection.close()
                if time.monotonic() + pause > end:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, 2.0)
            else:
                accepted.labels(self.name).inc(len(rows))
                commits.labels(self.name).inc()
                return
