"""Starts one process for each part of a run, adds up what they count, and leaves none behind."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loadtest.engine import report
from loadtest.engine.capture import Ring, Samples
from loadtest.engine.plan import Mode, RunSpec
from loadtest.engine.stats import Cell, Figures, Page, State

TICK_S = 0.1
READY_WITHIN_S = 30.0
STOP_WITHIN_S = 0.8
_ROOT = Path(__file__).resolve().parents[2]


class EngineFault(Exception):
    """The workers could not be started."""


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


class Run:
    """One run. Use as a context manager: leaving it ends all workers, whatever happened.

    `start`, then `tick` again and again (each waits for its time) until `running` is false, then `result`.
    """

    def __init__(self, spec: RunSpec, *, workers: int = 0) -> None:
        self.spec = spec
        self.workers = spec.useful_workers(workers or cores())
        self.samples = Samples()
        self.stopped = False
        self._pages: list[Page] = []
        self._processes: list[subprocess.Popen] = []
        self._requested_ns = time.perf_counter_ns()
        self._start_ns = 0
        self._deadline_ns = 0
        self._next_tick_ns = 0
        self._before: dict[str, Any] | None = None

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

    def start(self) -> None:
        """Start the workers, and the clock once all are ready. Raises EngineFault."""
        _allow_descriptors(self.spec)
        for index in range(self.workers):
            page = Page.create()
            self._pages.append(page)
            # Fixed program and arguments; what the user gave goes through standard input.
            process = subprocess.Popen(
                [sys.executable, "-m", "loadtest.engine.worker", str(page.fd), str(os.getpid())],
                stdin=subprocess.PIPE,
                pass_fds=[page.fd],
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])},
                text=True,
            )
            self._processes.append(process)
            orders = {"spec": self.spec.to_json(), "index": index, "of": self.workers}
            self._tell(process, json.dumps(orders))
        self._await_ready()
        self._start_ns = time.perf_counter_ns() + 2_000_000
        self._next_tick_ns = self._start_ns + int(TICK_S * 1e9)
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
        """Wait for the next tick, or the end, and report it. contract: load testing §11.3."""
        while self.running:
            now = time.perf_counter_ns()
            left_s = (self._next_tick_ns - now) / 1e9
            if left_s <= 0:
                break
            if self.stopped and now > self._deadline_ns:
                self._kill()
            time.sleep(min(left_s, 0.02))
        self._next_tick_ns = max(self._next_tick_ns, time.perf_counter_ns() - int(TICK_S * 1e9)) + int(TICK_S * 1e9)
        self._take_samples()
        tick = report.tick(self.spec, self.figures(), self._before, start_ns=self._start_ns)
        if self._before is None or tick["elapsedSeconds"] - self._before["elapsedSeconds"] >= TICK_S / 2:
            self._before = tick
        return tick

    def _kill(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()

    def figures(self) -> Figures:
        """Everything counted so far."""
        return Figures(self._pages)

    def _take_samples(self) -> None:
        for page in self._pages:
            for facts, payload in Ring(page).take():
                self.samples.offer(facts, payload)

    def result(self) -> dict[str, Any]:
        """The report: complete after the end, partial before. contract: load testing §14."""
        self._take_samples()
        made = report.report(self.spec, self.figures(), self.samples, start_ns=self._start_ns)
        made["summary"]["setupOverhead"] = (self._start_ns - self._requested_ns) / 1e9
        return made | {"workers": self.workers, "lostWorkers": self.lost, "stopped": self.stopped}


def _allow_descriptors(spec: RunSpec) -> None:
    """Raise this process' limit of open files, which the workers inherit, as far as the system allows."""
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
    on_tick: Callable[[dict[str, Any]], None] = lambda tick: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Do the whole run and return its report. `workers` 0 means one for each processor, as far as they are useful."""
    with Run(spec, workers=workers) as current:
        current.start()
        while current.running:
            on_tick(current.tick())
            if should_stop():
                current.stop()
        on_tick(current.tick())
        return current.result()
