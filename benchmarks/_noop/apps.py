import os
import time
from pathlib import Path
from typing import Any

from django.apps import AppConfig

from monitors.tools.base import Control, Job, Outcome
from monitors.tools.http import Http

FIGURES = {"p50": 1.0, "p95": 1.0, "p99": 1.0, "avg": 1.0, "min": 1.0, "max": 1.0, "samples": 1, "failed": 0}


class Noop(Http):
    """Looks like the built-in tool and reports a good run at once."""

    def measure(self, job: Job, control: Control) -> Outcome:
        rates: dict[str, Any] = {"errorRate": 0.0, "throughput": 1.0, "apdex": 1.0}
        return Outcome(metrics=FIGURES | rates)


class NoopConfig(AppConfig):
    name = "benchmarks._noop"
    label = "noop"

    def ready(self) -> None:
        from monitors.tools.registry import TOOLS

        TOOLS["http"] = Noop()
        measure_ticks()


def measure_ticks() -> None:
    """Write the CPU seconds of each dispatch tick into a file that the benchmark reads."""
    from monitors.runs import dispatch

    tick, file = dispatch.tick, Path(os.environ["PHAROS_DATA_DIR"], "tick")

    def measured(**options: Any) -> None:
        began = time.thread_time()
        tick(**options)
        with file.open("a") as lines:
            lines.write(f"{time.thread_time() - began:.6f}\n")

    dispatch.tick = measured
