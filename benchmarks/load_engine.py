"""The load engine against its peers: requests a second, and CPU for each request, in interleaved rounds.

    make bench NAME=load-engine                 everything, some seven minutes
    .venv/bin/python -m benchmarks.load_engine --quick --only tls     while developing

The target is nginx with one worker on one core, the generator has another core, over 64 kept connections. Ratios are
medians over the rounds of "engine / other in the same round". CPU is user and system time of the generator: it holds
even where something else takes the core. Peers (wrk, k6, Locust, hey) are used if they are installed.
"""

import argparse
import signal
import sys
from collections.abc import Callable
from functools import partial

from benchmarks._engine import generators, own
from benchmarks._engine.generators import CONNECTIONS, closed, engine
from benchmarks._engine.table import Case, Line
from benchmarks._engine.target import Target, target

SECONDS, ROUNDS = 4.0, 5
QUICK_SECONDS, QUICK_ROUNDS = 1.0, 3
AGAINST_WRK = {
    "unique": ("every answer different in head and body", "/unique", 0.75),
    "large": ("bodies of 100 KiB", "/large", 0.85),
    "tls": ("small constant answer over TLS", "/", 0.85),
}
PEER_BARS = {"k6": 7.0, "locust": 10.0, "hey": 2.0}


class Benchmark:
    """All cases against one target. Each returns the lines of the summary."""

    def __init__(self, to: Target, *, seconds: float, rounds: int) -> None:
        self._to, self._seconds, self._rounds = to, seconds, rounds
        self._peers = generators.peers()

    def _tool(self, name: str, url: str) -> Callable:
        run = closed if name == "engine" else self._peers[name]
        return partial(run, url, self._seconds)

    def plain(self) -> list[Line]:
        names = ["engine", *self._peers]
        case = Case("small constant answer", {name: self._tool(name, f"{self._to.plain}/") for name in names})
        case.measure(self._rounds)
        lines = []
        if "wrk" in self._peers:
            lines += [
                Line("small constant answer, rate", case.rate("engine", "wrk"), "x wrk", 0.90),
                Line("small constant answer, CPU a request", case.cpu("engine", "wrk"), "x wrk", 1.15, most=True),
            ]
        for name, bar in PEER_BARS.items():
            if name in self._peers:
                lines.append(Line("small constant answer, rate", case.rate("engine", name), f"x {name}", bar))
        return lines

    def against_wrk(self, which: str) -> list[Line]:
        name, path, bar = AGAINST_WRK[which]
        base = self._to.tls if which == "tls" else self._to.plain
        if not base or "wrk" not in self._peers:
            return []
        case = Case(name, {tool: self._tool(tool, base + path) for tool in ("engine", "wrk")})
        case.measure(self._rounds)
        return [
            Line(f"{name}, rate", case.rate("engine", "wrk"), "x wrk", bar),
            Line(f"{name}, CPU a request", case.cpu("engine", "wrk"), "x wrk"),
        ]

    def options(self) -> list[Line]:
        """What is asked for beyond the same bare request again and again, each against that."""
        url = f"{self._to.plain}/"
        runs = own.variations(url, self._seconds / 2)
        case = Case("what options cost", runs)
        case.measure(self._rounds)
        bars = dict.fromkeys(runs, (0.85,)) | {"values drawn anew": ()}  # each of those is a new request, at a price
        return [
            Line(f"{name}, rate", case.rate(name, "bare"), "x bare", *bars[name]) for name in runs if name != "bare"
        ]

    def schedule(self) -> list[Line]:
        reports = [
            engine(f"{self._to.plain}/", "--rps", "5000", "--duration", f"{self._seconds}s").report
            for _ in range(self._rounds)
        ]
        best = min(reports, key=lambda made: made["timingBreakdown"]["phases"]["queueWait"]["p50"])
        lag = best["timingBreakdown"]["phases"]["queueWait"]
        return [
            Line("5,000/s on schedule, answered", best["rateControl"]["achievement"], "%", 99.9),
            Line("5,000/s on schedule, send lag p50, best round", 1000 * lag["p50"], "µs", 150, most=True),
            Line("5,000/s on schedule, send lag p99, best round", 1000 * lag["p99"], "µs"),
        ]

    def memory(self) -> list[Line]:
        report = engine(f"{self._to.plain}/", "--concurrency", "5000", "--duration", "3s").report
        peak_mb = report["summary"]["generatorPeakMemoryBytes"] / 1e6
        return [Line("5,000 connections, memory of the load process", peak_mb, "MB", 40, most=True)]

    def product(self) -> list[Line]:
        with own.started_product() as started:
            url = f"{self._to.plain}/"
            runs = {"run of the product": partial(started.run, url, self._seconds), "engine": self._tool("engine", url)}
            runs |= {"wrk": self._tool("wrk", url)} if "wrk" in self._peers else {}
            case = Case("a run started through the API, ticks and rows on", runs)
            case.measure(self._rounds)
        lines = [Line("run of the product, rate", case.rate("run of the product", "engine"), "x engine")]
        if "wrk" in self._peers:
            lines += [
                Line("run of the product, rate", case.rate("run of the product", "wrk"), "x wrk", 0.90),
                Line("run of the product, CPU a request", case.cpu("run of the product", "wrk"), "x wrk", 1.15, True),
            ]
        return lines


def main() -> None:
    parser = argparse.ArgumentParser(description="The load engine against its peers.")
    cases = ["plain", *AGAINST_WRK, "options", "schedule", "memory", "product"]
    parser.add_argument("--quick", action="store_true", help="short rounds, for development")
    parser.add_argument("--only", choices=cases, action="append", help="may be repeated")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended on the way out
    missing = [name for name in ("nginx", *generators.PEERS) if not generators.program(name)]
    if missing:
        print(f"Not installed, so not compared: {', '.join(missing)}.")
    lines: list[Line] = []
    with target() as to:
        seconds, rounds = (QUICK_SECONDS, QUICK_ROUNDS) if options.quick else (SECONDS, ROUNDS)
        benchmark = Benchmark(to, seconds=seconds, rounds=rounds)
        print(f"{CONNECTIONS} connections, {rounds} rounds of {seconds:g} s for each generator")
        for case in options.only or cases:
            lines += benchmark.against_wrk(case) if case in AGAINST_WRK else getattr(benchmark, case)()
    print()
    for line in lines:
        print(line)


if __name__ == "__main__":
    main()
