"""How fast signals are made, and what scenarios cost while they run.

`make bench NAME=signals`, or `scripts/bench signals SECONDS` for another length. First generator and encoder alone, in
this process: a uniform value of a series with three labels as Prometheus text, a second of 5,000 ticks at a time,
beside a plain loop that makes event after event from what the scenario says. Then the service over PostgreSQL with
fsync and Redis: scenarios are posted, a worker and its runner make them, the server answers for them. "Off" is
how far the worst scenario's events are from rate times duration; "runner" is the process that makes the events, "rest"
the worker, the server, PostgreSQL and Redis; a core is 100 %.
"""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from benchmarks import _stack

SECONDS, EVENTS, CHUNK, REPEATS = 10.0, 200_000, 5_000, 5
LABELS = {"host": "web-1", "zone": "eu-west", "job": "node"}
PATIENCE_S = 120.0


def plain_loop(first: int, count: int) -> bytes:
    """Event after event, each from scratch, as one writes it first."""
    from loadtest.signals.generators.mixing import fraction, mix

    made = []
    for tick in range(first, first + count):
        value = 0.0 + fraction(mix(7 ^ tick)) * (100.0 - 0.0)
        labels = ",".join(
            '{}="{}"'.format(key, text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
            for key, text in sorted(LABELS.items())
        )
        timestamp_ns = 1_790_000_000_000_000_000 + int(tick / CHUNK * 1e9)
        number = repr(value)
        number = number.removesuffix(".0") if "e" not in number else f"{value:f}"
        made.append(f"node_load{{{labels}}} {number} {timestamp_ns // 1_000_000}\n".encode())
    return b"".join(made)


def emitter() -> Callable[[int, int], bytes]:
    from loadtest.signals.generators.emitter import Emitter
    from loadtest.signals.scenario.parsing import document
    from loadtest.signals.schedule.pacing import Span

    generator = {"type": "uniform", "min": 0, "max": 100, "seed": 7}
    body = {"name": "node_load", "rate": CHUNK, "generator": generator, "labels": LABELS}
    made = Emitter(document(body).entries[0])
    return lambda first, count: made.emit(Span(first, count, first / CHUNK, 1 / CHUNK), 1_790_000_000 * 10**9).payload


def per_core(make: Callable[[int, int], bytes]) -> float:
    """Events per second of processor time, the best of several runs."""
    best = float("inf")
    for _ in range(REPEATS):
        started = time.process_time()
        for first in range(0, EVENTS, CHUNK):
            make(first, CHUNK)
        best = min(best, time.process_time() - started)
    return EVENTS / best


@contextmanager
def worker() -> Iterator[psutil.Process]:
    """A worker for load, as the product starts it. Its child is the runner."""
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--pool=threads", "--concurrency=4"]
    process = subprocess.Popen(
        [*command, "--queues=load", "--loglevel=ERROR"], cwd=_stack.ROOT, stdout=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Service:
    """The API of signals, and what its processes have spent."""

    def __init__(self, server: _stack.Server, working: psutil.Process, key: str) -> None:
        self._server, self._worker, self._key = server, working, key

    def call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._server.port}/api/signals{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own address
            text = answer.read()
        return json.loads(text) if text.startswith((b"{", b"[")) else text.decode()

    def start(self, count: int, rate: float, seconds: float) -> list[str]:
        """Scenarios of one metric each, for scrapers only."""
        generator = {"type": "uniform", "min": 0, "max": 100, "seed": 7}
        sink = {"type": "memory"}
        same = {"rate": rate, "duration": f"{seconds}s", "generator": generator, "labels": LABELS, "sink": sink}
        entries = [{"name": f"load_{number}", **same} for number in range(count)]
        return [one["id"] for one in self.call("POST", "/scenarios", {"scenarios": entries})["scenarios"]]

    def figures(self, ids: list[str]) -> list[dict[str, Any]]:
        return [self.call("GET", f"/scenarios/{one}/stats") for one in ids]

    def cpu_s(self) -> tuple[float, float]:
        """Processor seconds of the runner, and of the rest, so far."""
        runner = sum(_stack.cpu_of(child) for child in self._worker.children())
        return runner, _stack.cpu_of(self._worker) - runner + self._server.cpu_s()


def totals(ids: list[str]) -> int:
    """Events that are counted in the rows."""
    from loadtest.signals.running.models import Scenario

    found = Scenario.objects.filter(pk__in=ids).values_list("figures", flat=True)
    return sum(figures.get("total_events", 0) for figures in found)


def wait_until(condition: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"{what}: waited {PATIENCE_S:.0f} s in vain")
        time.sleep(0.05)


def run(service: Service, count: int, rate: float, seconds: float) -> dict[str, float]:
    """Start scenarios, measure them from their first events until they end, and remove them.

    Rows are written about once a second, so the speed counts from one change of theirs to another.
    """
    ids = service.start(count, rate, seconds)
    wait_until(lambda: totals(ids), "The first events")
    spent, started = service.cpu_s(), time.monotonic()
    changes: list[tuple[float, int]] = []
    while (now := time.monotonic()) < started + seconds - 1.5:
        if (counted := totals(ids)) and (not changes or counted != changes[-1][1]):
            changes.append((now, counted))
        time.sleep(0.05)
    lines = len(service.call("GET", f"/scenarios/{ids[0]}/metrics?limit=1000").splitlines())
    now_spent, length = service.cpu_s(), time.monotonic() - started
    wait_until(
        lambda: all(one["state"] == "finished" for one in service.call("GET", "/scenarios")["scenarios"]), "The end"
    )
    ended = service.figures(ids)
    if any(one["errors"] for one in ended) or lines < min(rate, 1000):
        raise SystemExit(f"Errors, or only {lines} lines for a scraper")
    for one in ids:
        service.call("DELETE", f"/scenarios/{one}")
    (first_at, first), (last_at, last) = changes[1], changes[-1]
    return {
        "events_per_s": (last - first) / (last_at - first_at),
        "off": max(abs(one["total_events"] / (rate * seconds) - 1) for one in ended),
        "runner": (now_spent[0] - spent[0]) / length,
        "rest": (now_spent[1] - spent[1]) / length,
    }


def main(seconds: str = str(SECONDS)) -> None:
    _stack.prepare("config.settings")
    plain, ours = per_core(plain_loop), per_core(emitter())
    print(f"\nGenerated and encoded as Prometheus text, events per second and core (best of {REPEATS})")
    print(f"{'plain loop, event by event':<34}{plain:>10,.0f}")
    print(f"{'Pharos, a span at a time':<34}{ours:>10,.0f}\nPharos / plain loop:{ours / plain:>23.1f}x")
    from security.keys.services import create_service_key

    key = create_service_key(name="benchmark", role="ADMIN")[1]
    print(f"\nThrough the service into the scrape buffer, {seconds} s each")
    print(f"{'scenarios x rate':<18}{'events/s':>10}{'off':>8}{'runner':>9}{'rest':>8}")
    with _stack.server(settings="config.settings") as server, worker() as working:
        service = Service(server, working, key)
        run(service, 1, 100.0, 5.0)  # until the worker and its runner are up
        for count, rate in ((20, 1000.0), (1, 20_000.0), (200, 10.0)):
            found = run(service, count, rate, float(seconds))
            print(
                f"{f'{count} x {rate:,.0f}/s':<18}{found['events_per_s']:>10,.0f}{found['off']:>8.2%}"
                f"{found['runner']:>9.1%}{found['rest']:>8.1%}"
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
