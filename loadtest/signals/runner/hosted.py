"""One scenario in the runner: its clock, its generator, its sink, and what is counted of them."""

import logging
import time
from collections import deque
from collections.abc import Callable

from loadtest.signals.encoders.numbers import value_text
from loadtest.signals.generators.emitter import Batch, Emitter, start_ns
from loadtest.signals.runner.wire import Launch, Report
from loadtest.signals.scenario.entry import Entry
from loadtest.signals.schedule.gates import GateKeeper
from loadtest.signals.schedule.pacing import Pacer, Span
from loadtest.signals.sinks.making import Made
from loadtest.signals.sinks.platform import Platform

log = logging.getLogger(__name__)
BUFFERED = 1000  # lines for scrapers (contract: signals §7.1)
TAIL_EVENTS, TAIL_BYTES = 20, 4096
LOOK_S = 0.1  # ticks that are closer together leave together
GATE_S = 0.1  # how often a gate looks at its upstream
CHEAP_SERIES = 2000  # snapshots of more series are told less often
FINISHED = "finished"


class Hosted:
    """Times are seconds of the monotonic clock: `began_at` is the start of the batch, `start_at` the entry's own."""

    def __init__(
        self, launch: Launch, entry: Entry, sink: Made, *, began_at: float, upstream: Callable[[], float | None] | None
    ) -> None:
        self.id, self.entry, self._sink = launch.id, entry, sink
        self._began_at, self._resumed = began_at, launch.elapsed_s > 0
        now = time.monotonic()
        self._start_at = max(began_at + entry.offset_s, now) if self._resumed else began_at + entry.offset_s
        self._ends_at = began_at + entry.offset_s + entry.duration_s if entry.duration_s else float("inf")
        self._origin_ns = start_ns(entry, time.time_ns() + int((self._start_at - now) * 1e9))
        self._pacer, self.emitter = Pacer(entry), Emitter(entry)
        self._keeper = GateKeeper(entry.gate) if entry.gate else None
        self._upstream = upstream
        self.figures = launch.figures
        self.state = "pending"
        self._stopping = False
        self._recent: deque[Batch] = deque()
        self._tail: deque[Batch] = deque()
        self._window_at, self._window_events = now, self.figures.total_events
        self._series_due = 0.0
        self._fresh = self._told = False  # values that no report told; whether a report told any
        self.due = self._start_at

    @property
    def wants_telling(self) -> bool:
        """A first event, or the end: not to be held back until the next turn."""
        return self.state == FINISHED or (self._fresh and not self._told)

    def visit(self, now: float) -> None:
        """Do what is due; `due` is then when to come again."""
        if self._stopping:
            self._settle()
        elif now < self._start_at:
            self.due = self._start_at
        elif self._sink.account.failed and self.entry.on_sink_error == "fail":
            self.stop()
        elif self._is_open(now):
            self._emit(now)
        elif now >= self._ends_at:
            self.stop()
        else:
            self.due = min(now + GATE_S, self._ends_at)

    def stop(self) -> None:
        """Flush what the sink holds, then be finished."""
        self._stopping = True
        self._sink.close()
        self.due = 0.0

    def fail(self, error: Exception) -> None:
        """A fault of ours ends the scenario, and says so."""
        log.error("signal %s failed", self.entry.name, exc_info=error)
        self.figures.errors += 1
        self.figures.last_sink_error = f"the runner failed: {type(error).__name__}: {error}"[:500]
        self.stop()

    def _settle(self) -> None:
        if self._sink.closed:
            self.state, self.due = FINISHED, float("inf")
        else:
            self.due = time.monotonic() + 0.02

    def _is_open(self, now: float) -> bool:
        if self._keeper is None:
            self.state = "running"
            return True
        latest = self._upstream() if self._upstream else None
        turn = self._keeper.look(now - self._start_at, latest, emitted=self.figures.next_tick > 0)
        if turn is not None:
            if turn.state == "running":
                self._pacer.resume(now - self._start_at)
            elif turn.snap_to is not None:
                self._write(self.emitter.snap(turn.snap_to, self._now_ns(now)))
            elif turn.stale_marker:
                self._write(self.emitter.stale(self._now_ns(now)))
        self.state = self._keeper.state
        return self.state == "running"

    def _now_ns(self, now: float) -> int:
        return self._origin_ns + int((now - self._start_at) * 1e9)

    def _emit(self, now: float) -> None:
        elapsed = min(now, self._ends_at) - self._start_at
        for span in self._pacer.due(elapsed):
            self._send(span)
        windows = self._pacer.windows(elapsed)
        self.figures.in_gap, self.figures.in_burst = windows.in_gap, windows.in_burst
        self.figures.in_cardinality_spike = windows.in_cardinality_spike
        upcoming = self._pacer.next_s
        if now >= self._ends_at or upcoming is None or self._pacer.ended(elapsed):
            if upcoming is None and now < self._ends_at < float("inf"):
                self.due = self._ends_at  # the duration counts, not the last tick
            else:
                self.stop()
            return
        self.due = max(self._start_at + upcoming, self._grid(now))
        if self._keeper:
            self.due = min(self.due, now + GATE_S)
        self.due = min(self.due, self._ends_at)

    def _grid(self, now: float) -> float:
        """The next moment of a grid on the entry's clock: dense ticks leave together, and late ones do not drift."""
        return self._start_at + ((now - self._start_at) // LOOK_S + 1) * LOOK_S

    def _send(self, span: Span) -> None:
        try:
            batch = self.emitter.emit(span, self._origin_ns)
        except (ValueError, OverflowError, ArithmeticError) as error:
            self.figures.errors += span.count
            log.warning("signal %s: %s ticks from %s on cannot be encoded: %s", self.entry.name, span.count,
                        span.first_tick, error)  # fmt: skip
        else:
            self._write(batch)
            self.figures.total_events += batch.ticks
        self.figures.next_tick = span.first_tick + span.count

    def _write(self, batch: Batch) -> None:
        if isinstance(self._sink, Platform):
            self._sink.write(batch, is_log=self.entry.is_log)
        else:
            self._sink.write(batch)
        self.figures.bytes_emitted += len(batch.payload)
        self._fresh = True
        keep(self._tail, batch, TAIL_EVENTS)
        if not self.entry.is_log:
            keep(self._recent, batch, BUFFERED)

    def answered(self, fault: str | None) -> None:
        """The host says what became of a parcel."""
        if isinstance(self._sink, Platform):
            self._sink.answered(fault)
            self.due = min(self.due, time.monotonic() + LOOK_S)

    def report(self, now: float) -> Report:
        """What happened since the last report."""
        self._measure(now)
        report = Report(id=self.id, state=self.state, figures=self.figures)
        if isinstance(self._sink, Platform):
            report.parcel = self._sink.take()
        if self._fresh:
            self._told = True
            report.lines = self._lines()
            report.tail = self._tail_text()
            report.series = self._series(now)
            self._fresh = report.series is None and not self.entry.is_log
        return report

    def _measure(self, now: float) -> None:
        account, figures = self._sink.account, self.figures
        figures.consecutive_failures = account.consecutive_failures
        figures.errors += account.total_failures - figures.total_sink_failures
        figures.total_sink_failures = account.total_failures
        figures.last_sink_error = account.last_fault or figures.last_sink_error
        figures.last_successful_write_at = account.last_success_ns
        if self.state in (FINISHED, "paused", "held"):
            figures.current_rate = 0.0
            figures.in_gap = figures.in_burst = figures.in_cardinality_spike = False
        if (length := now - self._window_at) >= 1.0:
            if self.state == "running":
                figures.current_rate = (figures.total_events - self._window_events) / length
            self._window_at, self._window_events = now, figures.total_events

    def _lines(self) -> list[str]:
        lines: deque[str] = deque(maxlen=BUFFERED)
        for batch in self._recent:
            lines.extend(batch.lines)
        self._recent.clear()
        return list(lines)

    def _tail_text(self) -> str:
        """The last events as people read them, whatever the encoder makes of metrics."""
        if not self.entry.is_log:
            lines = [line for batch in self._tail for line in batch.lines]
            return "\n".join(lines[-TAIL_EVENTS:])[-TAIL_BYTES:]
        events = [event for batch in self._tail for event in batch.events[-TAIL_EVENTS:]]
        return b"".join(events[-TAIL_EVENTS:]).decode(errors="replace")[-TAIL_BYTES:]

    def _series(self, now: float) -> list[tuple[str, str, str]] | None:
        """The latest values; None for logs, and while it is not worth its price."""
        if self.entry.is_log or (now < self._series_due and self.state != FINISHED):
            return None
        found = [(name, labels, value_text(value)) for name, labels, value in self.emitter.snapshot()]
        self._series_due = now + len(found) / CHEAP_SERIES if len(found) > CHEAP_SERIES else 0.0
        return found


def keep(batches: deque[Batch], batch: Batch, most: int) -> None:
    """Add a batch, and let go of old ones that the newest `most` ticks do not need."""
    batches.append(batch)
    rest = sum(one.ticks for one in batches) - batches[0].ticks
    while len(batches) > 1 and rest >= most:
        batches.popleft()
        rest -= batches[0].ticks
