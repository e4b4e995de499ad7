"""The load engine against wrk and k6: requests a second, and CPU for each request, in interleaved rounds.

The target is nginx with one worker on one core, the generator has another core, over 64 kept connections. Ratios are
medians over the rounds of "engine / other in the same round". CPU is user and system time of the generator with all
its processes, less that of a run of one request: it holds even where something else takes the core. wrk and nginx are
used if they are on the PATH.
"""

import asyncio
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 64
SECONDS, ROUNDS = 2.0, 3
SIDE_SECONDS, SIDE_ROUNDS = 1.5, 2
BODY = b'{"status":"ok","service":"target","items":[1,2,3,4,5,6,7,8],"message":"a small constant answer..."}'
BIN = Path(sys.executable).parent

NGINX = """
daemon off; worker_processes 1; error_log {folder}/error.log; pid {folder}/pid;
events {{ worker_connections 12000; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 60s; default_type application/json;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} backlog=8192; listen 127.0.0.1:{tls_port} ssl;
    ssl_certificate {folder}/tls.pem; ssl_certificate_key {folder}/tls.pem;
    location = / {{ return 200 '{body}'; }}
    location = /unique {{ add_header X-Id $request_id; return 200 '{{"id":"$request_id"}}'; }}
    location = /large {{ root {folder}; }}
  }}
}}
"""


@dataclass
class Measured:
    """One tool in one round."""

    per_s: float
    count: int
    cpu_us: float
    report: dict


def cores() -> tuple[int, int]:
    """One for the target, one for the generator; the same if there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def start(command: list[str], core: int, **options: object) -> subprocess.Popen:
    """Start a command on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        return subprocess.Popen(command, **options)  # type: ignore[call-overload]
    finally:
        os.sched_setaffinity(0, before)


def measure(command: list[str], read: Callable[[str], tuple[float, int, dict]]) -> Measured:
    """Run a generator to its end. `read` finds requests a second, requests and the report in its output."""
    process = start(command, cores()[1], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    output = process.stdout.read()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed with {process.returncode}: {output[-500:]}")
    per_s, count, report = read(output)
    return Measured(per_s, count, 1e6 * (usage.ru_utime + usage.ru_stime), report)


def engine(url: str, *arguments: str) -> Measured:
    def read(output: str) -> tuple[float, int, dict]:
        report = json.loads(output)
        if report["summary"]["failedRequests"]:
            raise SystemExit(f"requests failed: {report['errors']}")
        return report["summary"]["throughput"], report["summary"]["totalRequests"], report

    return measure([str(BIN / "pharos"), "load", url, "--insecure", "--json", *arguments], read)


def closed(url: str, seconds: float) -> Measured:
    return engine(url, "--concurrency", str(CONNECTIONS), "--duration", f"{seconds}s")


def idle_cpu_us(url: str) -> float:
    """What it takes to start the engine's processes and to end them."""
    return engine(url, "--iterations", "1", "--concurrency", "1").cpu_us


def wrk(url: str, seconds: float) -> Measured:
    def read(output: str) -> tuple[float, int, dict]:
        # wrk takes whole seconds only; the rate is what counts.
        found = re.search(r"(\d+) requests in .*?Requests/sec:\s+([\d.]+)", output, re.S)
        return float(found[2]), int(found[1]), {}

    return measure(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{round(seconds + 0.01)}s", url], read)


def k6(url: str, seconds: float) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        script, summary = Path(folder, "script.js"), Path(folder, "summary.json")
        script.write_text(
            f"import http from 'k6/http';\n"
            f"export const options = {{vus: {CONNECTIONS}, duration: '{seconds}s', discardResponseBodies: true}};\n"
            f"export default function () {{ http.get('{url}'); }}\n"
        )

        def read(_: str) -> tuple[float, int, dict]:
            requests = json.loads(summary.read_text())["metrics"]["http_reqs"]
            return requests["rate"], int(requests["count"]), {}

        quiet = ["--quiet", "--no-usage-report", "--summary-export", str(summary)]
        return measure([str(BIN / "k6"), "run", *quiet, str(script)], read)


@contextmanager
def nginx() -> Iterator[tuple[str, str]]:
    """The target's plain and TLS address."""
    port, tls_port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "large").write_bytes(os.urandom(100 << 10))
        (folder / "tls.pem").write_bytes(certificate())
        config = NGINX.format(folder=folder, port=port, tls_port=tls_port, body=BODY.decode())
        (folder / "nginx.conf").write_text(config)
        command = ["nginx", "-c", str(folder / "nginx.conf"), "-p", name, "-e", f"{name}/error.log"]
        process = start(command, cores()[0])
        try:
            await_port(port)
            yield f"http://127.0.0.1:{port}", f"https://127.0.0.1:{tls_port}"
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def own_target() -> Iterator[tuple[str, str]]:
    """A small asyncio server: several times slower than nginx, so it, not the generator, may set the rate."""
    port = free_port()
    process = start([sys.executable, "-m", "benchmarks.engine", "--target", str(port)], cores()[0])
    try:
        await_port(port)
        yield f"http://127.0.0.1:{port}", ""
    finally:
        process.terminate()
        process.wait(10)


class _Answer(asyncio.Protocol):
    _DATA = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(self._DATA * data.count(b"\r\n\r\n"))  # type: ignore[attr-defined]


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Answer, "127.0.0.1", port, backlog=8192)
    await server.serve_forever()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def await_port(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def certificate() -> bytes:
    """A key and a certificate that signs itself."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + builder.sign(key, hashes.SHA256()).public_bytes(pem)


def compare(
    name: str, url: str, tools: dict[str, Callable], *, seconds: float, rounds: int, start_us: float
) -> list[str]:
    """Interleaved rounds of all tools; the lines with their medians and ratios."""

    def cpu_of(row: Measured) -> float:
        """CPU µs for each request."""
        return (row.cpu_us - (start_us if row.report else 0)) / row.count

    results: dict[str, list[Measured]] = {tool: [] for tool in tools}
    for _ in range(rounds):
        for tool, call in tools.items():
            results[tool].append(call(url, seconds))
    print(f"\n{name}")
    for tool, rows in results.items():
        rate, cpu = statistics.median(row.per_s for row in rows), statistics.median(map(cpu_of, rows))
        print(f"  {tool:<8}{rate:>12,.0f}/s{cpu:>10.1f} CPU µs a request")
    ratios = []
    for tool in list(tools)[1:]:
        pairs = list(zip(results["engine"], results[tool], strict=True))
        rate = statistics.median(ours.per_s / theirs.per_s for ours, theirs in pairs)
        cpu = statistics.median(cpu_of(ours) / cpu_of(theirs) for ours, theirs in pairs)
        ratios.append(f"{name:<34}{rate:>6.2f} x {tool:<5} rate{cpu:>8.2f} x CPU a request")
    return ratios


def main() -> None:
    for tool, where in (("wrk", shutil.which("wrk")), ("nginx", shutil.which("nginx"))):
        if where is None:
            print(
                f"{tool} is not installed: "
                + ("the target is a slower one of our own" if tool == "nginx" else "skipped")
            )
    peers: dict[str, Callable] = {"wrk": wrk} if shutil.which("wrk") else {}
    others = peers | ({"k6": k6} if (BIN / "k6").exists() else {})
    ratios: list[str] = []
    with nginx() if shutil.which("nginx") else own_target() as (plain, tls):
        start_us = statistics.median(idle_cpu_us(f"{plain}/") for _ in range(3))
        tools = {"engine": closed, **others}
        ratios += compare(
            "small constant answer", f"{plain}/", tools, seconds=SECONDS, rounds=ROUNDS, start_us=start_us
        )
        if tls:
            for name, url in (
                ("every answer different", f"{plain}/unique"),
                ("bodies of 100 KiB", f"{plain}/large"),
                ("small constant answer, TLS", f"{tls}/"),
            ):
                tools = {"engine": closed, **peers}
                ratios += compare(name, url, tools, seconds=SIDE_SECONDS, rounds=SIDE_ROUNDS, start_us=start_us)
        paced = engine(f"{plain}/", "--rps", "5000", "--duration", "3s").report
        many = engine(f"{plain}/", "--concurrency", "5000", "--duration", "2s").report
    lag = paced["timingBreakdown"]["phases"]["queueWait"]
    print(
        f"\n5,000/s on schedule: {paced['summary']['requestsSent']} sent, {paced['summary']['droppedRequests']} dropped"
    )
    print("\n".join(["", *ratios]))
    print(f"{'5,000/s on schedule':<34}{paced['rateControl']['achievement']:.2f} % answered, send lag p50 "
          f"{1000 * lag['p50']:.0f} µs, p99 {1000 * lag['p99']:.0f} µs")  # fmt: skip
    peak_mb = many["summary"]["generatorPeakMemoryBytes"] / 1e6
    print(f"{'5,000 connections':<34}{peak_mb:.0f} MB resident in the load process, at most")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--target"]:
        asyncio.run(serve(int(sys.argv[2])))
    else:
        main()
