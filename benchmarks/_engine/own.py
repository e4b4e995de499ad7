"""The engine in other ways than `pharos load`: with options, and as part of the product."""

import json
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import psutil

from benchmarks._engine.generators import CONNECTIONS, Measured, engine_command
from benchmarks._engine.target import cores
from tests.support import product

VARIATIONS = ("bare", "request bodies", "variants from data rows", "values drawn anew", "sampling")


def variations(url: str, seconds: float) -> dict[str, Callable[[], Measured]]:
    """Runs with one option each, and one without any. See variation.py."""
    command = [sys.executable, "-m", "benchmarks._engine.variation"]
    return {name: partial(engine_command, [*command, name, url, str(seconds)]) for name in VARIATIONS}


@dataclass
class Started:
    """The product, ready for runs."""

    url: str
    key: str
    process: psutil.Process
    idle_share: float = 0.0  # of a core

    def look_at_idle(self, seconds: float = 3.0) -> None:
        """Learn what the platform takes without a run."""
        before = self._cpu_s()
        time.sleep(seconds)
        self.idle_share = (self._cpu_s() - before) / seconds

    def run(self, url: str, seconds: float) -> Measured:
        """A run as any client starts it. Its load process has the generators' core.

        The platform's CPU counts too, as far as it is more than that of the same time without a run.
        """
        before, began = self._cpu_s(), time.monotonic()
        wish = {"method": "GET", "url": url, "mode": "constant_concurrency", "concurrency": CONNECTIONS}
        run_id = self._call("/run", wish | {"duration": f"{seconds}s"})["runId"]
        self._pin_load_process()
        time.sleep(seconds + 0.2)
        end = time.monotonic() + 20
        while (state := self._call(f"/run/{run_id}"))["status"] in ("pending", "running"):
            if time.monotonic() > end:
                raise SystemExit(f"the run does not end: {state}")
            time.sleep(0.1)
        if state["status"] != "completed":
            raise SystemExit(f"the run failed: {state}")
        platform_s = self._cpu_s() - before - self.idle_share * (time.monotonic() - began)
        report = self._call(f"/run/{run_id}/report")
        ticks = self._call(f"/stats/{run_id}?format=json&limit=1")["pagination"]["total"]
        summary = report["summary"]
        if summary["failedRequests"] or ticks < 5 * seconds:
            raise SystemExit(f"{summary['failedRequests']} requests failed, {ticks} ticks were kept")
        spent_us = 1e6 * (max(0.0, platform_s) + summary["generatorCpuSeconds"])
        return Measured(summary["throughput"], summary["totalRequests"], spent_us, report)

    def _cpu_s(self) -> float:
        """CPU seconds of the platform itself: web, worker, ticks and database in one process."""
        times = self.process.cpu_times()
        return times.user + times.system

    def _pin_load_process(self) -> None:
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for child in self.process.children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    if "loadtest.engine.worker" in child.cmdline():
                        child.cpu_affinity([cores()[1]])
                        return
            time.sleep(0.01)
        raise SystemExit("the product started no load process")

    def _call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self.url}/api/loadtest{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def started_product() -> Iterator[Started]:
    """`pharos up`, which may send to this machine. One load process, as all generators here have one core."""
    with product.embedded(PHAROS_OUTBOUND_ALLOW="127.0.0.0/8") as running:
        started = Started(running.url, running.new_key(), psutil.Process(running.processes["up"].popen.pid))
        started._call("/config", {"workers": 1})
        started.look_at_idle()
        yield started
