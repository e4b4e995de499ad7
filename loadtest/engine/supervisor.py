"""Starts one process for each part of a run, adds up what they count, and leaves none behind."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadtest.engine.capture import Ring
from loadtest.engine.figures import LATENCY, Figures
from loadtest.engine.plan import Mode, PlanError, RunSpec, Share
from loadtest.engine.report import report
from loadtest.engine.samples import Samples
from loadtest.engine.series import Series
from loadtest.engine.stats import HISTOGRAMS, Cell, Page, State

TICK_S, SHORTEST_TICK_S, LONGEST_TICK_S = 0.1, 0.01, 1.0
COLLECT_S = 0.02  # rings are emptied, and the end is noticed, within this time
READY_WITHIN_S = 30.0
STOP_WITHIN_S = 0.8
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME", "SSL_CERT_FILE", "SSL_CERT_DIR")
_ROOT = Path(__file__).resolve().parents[2]


class EngineFault(Exception):
    """The workers could not be started."""


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


class Run:
    """One run, or part number `part` of `parts` of it. Use as a context manager: leaving it ends all workers.

    `start`, then `tick` again and again (each waits for its time) until `running` is false, one more `tick` with the
    settled totals, then `result`. The figures of several parts are put together by Figures.merge and Samples.merge.
    `workers` 0 means one for each processor, as far as they are useful. Raises PlanError.
    """

    def __init__(
        self, spec: RunSpec, *, workers: int = 0, tick_s: float = TICK_S, part: int = 0, parts: int = 1
    ) -> None:
        if not 0 <= part < parts <= spec.useful_parts:
            raise PlanError("parts", f"this run has something to do for {spec.useful_parts} parts, counted from 0")
        if not SHORTEST_TICK_S <= tick_s <= LONGEST_TICK_S:
            raise PlanError("tick", "must be between 10 ms and 1 s")
        self.spec, self.share = spec, Share(spec, part, parts)
        self.workers = self.share.useful_workers(workers or cores())
        self.samples = Samples(responses=spec.sampling.max_responses)
        self.series = Series(replace(spec.outline, expected=self.share.expected))
        self.stopped = False
        self._pages: list[Page] = []
        self._processes: list[subprocess.Popen] = []
        self._requested_at = time.time()
        self._started_at = 0.0
        self._start_ns = self._deadline_ns = self._next_tick_ns = 0
        self._tick_ns = int(tick_s * 1e9)
        self._cpu_before_s = 0.0

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdin:
                process.stdin.close()
        for page in self._pages:
            page.close()

    def start(self, *, at: float = 0.0) -> None:
        """Start the workers, and the clock once all are ready, or at the Unix time `at`. Raises EngineFault."""
        _allow_descriptors(self.share)
        for index in range(self.workers):
            page = Page.create()
            self._pages.append(page)
            # Fixed program and arguments; what the user gave goes through standard input.
            process = subprocess.Popen(
                [sys.executable, "-m", "loadtest.engine.worker", str(page.fd), str(os.getpid())],
                stdin=subprocess.PIPE,
                pass_fds=[page.fd],
                env=_environment(),
                text=True,
            )
            self._processes.append(process)
            share = self.share.worker(index, self.workers)
            orders = {"spec": self.spec.to_json(), "index": share.index, "of": share.of}
            self._tell(process, json.dumps(orders))
        self._await_ready()
        lead_s = max(0.002, at - time.time())
        self._started_at = time.time() + lead_s
        self._start_ns = self._next_tick_ns = time.perf_counter_ns() + int(lead_s * 1e9)
        self._cpu_before_s = time.process_time()
        for process in self._processes:
            self._tell(process, str(self._start_ns))

    def _tell(self, process: subprocess.Popen, line: str) -> None:
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
        except OSError as error:
            raise EngineFault(f"a load process ended before it began: {error}") from error

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while any(page.counters[Cell.STATE] == State.STARTING for page in self._pages):
            if any(process.poll() is not None for process in self._processes) or time.monotonic() > deadline:
                raise EngineFault("a load process did not start")
            time.sleep(0.005)

    @property
    def running(self) -> bool:
        return any(process.poll() is None for process in self._processes)

    @property
    def lost(self) -> list[int]:
        """Workers that ended before their part was done: what they counted until then is in the figures."""
        return [
            index
            for index, (process, page) in enumerate(zip(self._processes, self._pages, strict=True))
            if process.poll() is not None and page.counters[Cell.STATE] != State.FINISHED
        ]

    def stop(self) -> None:
        """Ask the workers to stop at once. They do so within 100 ms; `tick` kills those that do not."""
        if not self.stopped:
            self.stopped = True
            self._deadline_ns = time.perf_counter_ns() + int(STOP_WITHIN_S * 1e9)
            for page in self._pages:
                page.counters[Cell.STOP] = 1

    def tick(self) -> dict[str, Any]:
        """Wait for the next tick, or the end, and report it. The first is that of the start: all zeros.

        contract: load testing §11.3, without `runId`.
        """
        while self.running and (left_s := (self._next_tick_ns - time.perf_counter_ns()) / 1e9) > 0:
            if self.stopped and time.perf_counter_ns() > self._deadline_ns:
                self._kill()
            time.sleep(min(left_s, COLLECT_S))
            self._collect()
        self._collect()
        first = self._next_tick_ns == self._start_ns
        self._next_tick_ns = max(self._next_tick_ns, time.perf_counter_ns() - self._tick_ns) + self._tick_ns
        return self.series.tick(Figures() if first else self.figures(LATENCY))

    def _kill(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()

    def figures(self, parts: Iterable[str] = HISTOGRAMS) -> Figures:
        """Everything counted so far, with all histograms or some. `dump` of it tells the same to another process."""
        figures = Figures.of(self._pages, start_ns=self._start_ns, started_at=self._started_at, parts=parts)
        figures.lost_workers = len(self.lost)
        return figures

    def _collect(self) -> None:
        """Empty the rings."""
        for page in self._pages:
            for facts, payload in Ring(page).take():
                self.samples.offer(facts, payload)

    def result(self) -> dict[str, Any]:
        """The report: complete after the end, partial before. contract: load testing §14."""
        self._collect()
        made = report(self.series.outline, self.figures(), self.samples, accepted_at=self._requested_at)
        made["summary"]["supervisorCpuSeconds"] = time.process_time() - self._cpu_before_s
        return made | {"stopped": self.stopped}


def _environment() -> dict[str, str]:
    """What a worker needs of this process' environment: none of its passwords."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])}


def _allow_descriptors(share: Share) -> None:
    """Raise this process' limit of open files, which the workers inherit, as far as the system allows."""
    spec = share.spec
    wanted = (spec.max_in_flight if spec.mode == Mode.CONSTANT_RPS else spec.concurrency) + 64
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )


def run(
    spec: RunSpec,
    *,
    workers: int = 0,
    tick_s: float = TICK_S,
    on_tick: Callable[[dict[str, Any]], None] = lambda tick: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Do the whole run and return its report."""
    with Run(spec, workers=workers, tick_s=tick_s) as current:
        current.start()
        while current.running:
            on_tick(current.tick())
            if should_stop():
                current.stop()
        on_tick(current.tick())
        return current.result()
