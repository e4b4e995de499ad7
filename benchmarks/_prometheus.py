"""Debian's Prometheus doing the same rule-series beside the product; left out when it is not installed."""

import http.server
import json
import re
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EVERY_S = 5
PASSES = 4  # evaluations that are waited for
LAST = re.compile(r"^prometheus_rule_group_last_duration_seconds\{[^}]*\} (\S+)", re.MULTILINE)


def evaluate(values: dict[str, float], limits: list[float], lasting: int) -> float | None:
    """Seconds of the shortest of a few passes over all limits and series, the first `lasting` with `for`; each of
    these passes finds all the alerts.

    None without the program.
    """
    program = shutil.which("prometheus")
    if program is None:
        return None
    from tests.support.services import free_port

    with tempfile.TemporaryDirectory(prefix="pharos-prometheus-") as folder, _target(values) as target:
        port = free_port()
        _configure(Path(folder), target, limits, lasting)
        command = [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
        command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            alerts = sum(value > limit for limit in limits for value in values.values())
            return _shortest(f"http://127.0.0.1:{port}", process, alerts)
        finally:
            process.terminate()
            process.wait(30)


def _configure(folder: Path, target: int, limits: list[float], lasting: int) -> None:
    rules = "".join(
        f"  - alert: Busy{place}\n    expr: cpu_percent > {limit}\n" + ("    for: 5s\n" if place < lasting else "")
        for place, limit in enumerate(limits)
    )
    (folder / "rules.yml").write_text(f"groups:\n- name: all\n  rules:\n{rules}")
    (folder / "prometheus.yml").write_text(
        f"global: {{scrape_interval: {EVERY_S}s, evaluation_interval: {EVERY_S}s}}\n"
        f"rule_files: [{folder}/rules.yml]\n"
        f"scrape_configs:\n- job_name: fleet\n  static_configs: [{{targets: ['127.0.0.1:{target}']}}]\n"
    )


@contextmanager
def _target(values: dict[str, float]) -> Iterator[int]:
    """A page with one figure for each instance."""
    lines = [f'cpu_percent{{machine="{name}"}} {value}\n' for name, value in values.items()]
    body = "".join(["# TYPE cpu_percent gauge\n", *lines]).encode()

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _shortest(url: str, process: subprocess.Popen, alerts: int) -> float:
    """Wait until it has all the alerts, then watch its own figures over a few passes."""
    seen: list[float] = []
    end = time.monotonic() + 240
    while time.monotonic() < end and process.poll() is None:
        time.sleep(EVERY_S)
        try:
            if _counted(url) < alerts:
                continue
            last = LAST.search(_read(f"{url}/metrics"))
        except OSError:  # it has not started yet
            continue
        if last:
            seen.append(float(last[1]))
        if len(seen) == PASSES:
            return min(seen)
    raise RuntimeError("Prometheus did not evaluate its rules in time")


def _counted(url: str) -> int:
    """How many alerts it has, pending or firing."""
    found = json.loads(_read(f"{url}/api/v1/query?query=count(ALERTS)"))["data"]["result"]
    return int(found[0]["value"][1]) if found else 0


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - our own address
        return answer.read().decode()
