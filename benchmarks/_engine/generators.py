"""The load engine and its peers, each as a process on one core: requests a second, and CPU for each request."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks._engine.target import cores, start

CONNECTIONS = 64
BIN = Path(sys.executable).parent
PEERS = ("wrk", "k6", "locust", "hey")


@dataclass
class Measured:
    """One generator in one round. CPU is user and system time of it with all its children."""

    per_s: float
    count: int
    cpu_us: float
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def cpu_per_request_us(self) -> float:
        return self.cpu_us / self.count


def program(name: str) -> str | None:
    """Where a program is: beside Python or on the PATH."""
    return shutil.which(name, path=f"{BIN}{os.pathsep}{os.environ['PATH']}")


def measure(command: list[str], read: Callable[[str], tuple[float, int]], **options: Any) -> tuple[Measured, str]:
    """Run a generator to its end. `read` finds requests a second and requests in its output."""
    process = start(command, cores()[1], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **options)
    try:
        output = process.stdout.read()
    except BaseException:
        process.terminate()
        raise
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed with {process.returncode}: {output[-500:]}")
    per_s, count = read(output)
    return Measured(per_s, count, 1e6 * (usage.ru_utime + usage.ru_stime)), output


def engine_command(command: list[str]) -> Measured:
    """Run a command that prints the engine's report. The load process and its supervisor count, their start not."""

    def read(output: str) -> tuple[float, int]:
        summary = json.loads(output)["summary"]
        if summary["failedRequests"]:
            raise SystemExit(f"{summary['failedRequests']} requests failed")
        return summary["throughput"], summary["totalRequests"]

    measured, output = measure(command, read)
    measured.report = json.loads(output)
    summary = measured.report["summary"]
    measured.cpu_us = 1e6 * (summary["generatorCpuSeconds"] + summary["supervisorCpuSeconds"])
    return measured


def engine(url: str, *arguments: str) -> Measured:
    """`pharos load`, with one load process."""
    return engine_command([str(BIN / "pharos"), "load", url, "--workers", "1", "--insecure", "--json", *arguments])


def closed(url: str, seconds: float, *arguments: str) -> Measured:
    """The engine with 64 connections, each with a request under way."""
    return engine(url, "--concurrency", str(CONNECTIONS), "--duration", f"{seconds}s", *arguments)


def wrk(url: str, seconds: float) -> Measured:
    """wrk with one thread."""

    def read(output: str) -> tuple[float, int]:
        found = re.search(r"(\d+) requests in .*?Requests/sec:\s+([\d.]+)", output, re.S)
        return float(found[2]), int(found[1])

    # wrk takes whole seconds only; the rate is what counts.
    return measure(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", url], read)[0]


def hey(url: str, seconds: float) -> Measured:
    """hey with 64 workers."""

    def read(output: str) -> tuple[float, int]:
        found = re.search(r"Total:\s+([\d.]+) secs.*?Requests/sec:\s+([\d.]+)", output, re.S)
        return float(found[2]), round(float(found[1]) * float(found[2]))

    command = ["hey", "-cpus", "1", "-c", str(CONNECTIONS), "-n", "100000000", "-z", f"{seconds}s", url]
    return measure(command, read)[0]


def k6(url: str, seconds: float) -> Measured:
    """k6 with 64 virtual users."""
    with tempfile.TemporaryDirectory() as folder:
        script, summary = Path(folder, "script.js"), Path(folder, "summary.json")
        script.write_text(
            f"import http from 'k6/http';\n"
            f"export const options = {{vus: {CONNECTIONS}, duration: '{seconds}s', discardResponseBodies: true}};\n"
            f"export default function () {{ http.get('{url}'); }}\n"
        )

        def read(_: str) -> tuple[float, int]:
            requests = json.loads(summary.read_text())["metrics"]["http_reqs"]
            return requests["rate"], int(requests["count"])

        quiet = ["--quiet", "--no-usage-report", "--summary-export", str(summary)]
        return measure([str(program("k6")), "run", *quiet, str(script)], read)[0]


def locust(url: str, seconds: float) -> Measured:
    """Locust with 64 users of its fast client, in one process."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "locustfile.py").write_text(
            "from locust import FastHttpUser, task\n"
            "class User(FastHttpUser):\n"
            "    @task\n"
            f"    def get(self):\n        self.client.get('{url}')\n"
        )

        def read(output: str) -> tuple[float, int]:
            [row] = json.loads(output)
            lasted_s = row["last_request_timestamp"] - row["start_time"]
            return row["num_requests"] / lasted_s, row["num_requests"]

        users = ["--headless", "--only-summary", "--json", "-u", str(CONNECTIONS), "-r", str(CONNECTIONS)]
        command = [str(program("locust")), "-f", "locustfile.py", *users, "-t", f"{max(3, round(seconds))}s"]
        return measure([*command, "--host", url, "--loglevel", "ERROR"], read, cwd=folder)[0]


def peers() -> dict[str, Callable[[str, float], Measured]]:
    """Those that are installed."""
    known = dict(zip(PEERS, (wrk, k6, locust, hey), strict=True))
    return {name: run for name, run in known.items() if program(name)}
