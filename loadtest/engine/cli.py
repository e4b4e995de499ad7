"""`pharos load URL`: one load run from a shell."""

import argparse
import json
import re
import signal
import sys
from collections.abc import Sequence
from typing import Any

from loadtest.engine import requests, thresholds
from loadtest.engine.plan import MAX_WORKERS, Mode, PlanError, RunSpec
from loadtest.engine.supervisor import EngineFault, run

MAX_REDIRECTS = 10
FINE, BREACHED, WRONG_USE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 5, 130
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?").fullmatch

EXAMPLES = """\
examples:
  pharos load http://localhost:8000/ --rps 1000 --duration 30s --threshold 'p95<300ms' --threshold 'errors<1%'
  pharos load https://shop.example/api --concurrency 50 --ramp-up 10s --duration 2m
  pharos load http://localhost:8000/orders --method POST --header 'Content-Type: application/json' --body '{"n": 1}' \\
      --iterations 500 --concurrency 8 --json

With --rps requests are sent on a schedule, whatever the answers do, and latency counts from the moment each was due.
Without, --concurrency requests are kept in flight.

exit codes: 0 fine, 1 a threshold was not met, 2 wrong use, 5 the server cannot be reached, 130 interrupted
"""


def seconds(text: str) -> float:
    """`300ms`, `30s`, `2m`, `1h` or plain seconds."""
    match = _DURATION(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 500ms, 30s, 2m or 1h")
    return float(match[1]) * _SECONDS[match[2] or ""]


def header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"{text!r} is no header; write 'Name: value'")
    return name.strip(), value.strip()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="pharos load",
        description="Send HTTP requests to one address and measure the answers.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = made.add_argument
    add("url", metavar="URL", help="http:// or https:// address")
    add("--rps", type=float, metavar="N", help="send N requests per second, on schedule")
    add("--concurrency", type=int, metavar="N", help="keep N requests in flight (default 10)")
    add("--ramp-up", type=seconds, metavar="TIME", help="grow to the concurrency over this time")
    add("--start-concurrency", type=int, metavar="N", help="where the ramp begins (default 1)")
    add("--iterations", type=int, metavar="N", help="send exactly N requests instead of running for a time")
    add("--duration", type=seconds, metavar="TIME", help="how long to send (default 30s)")
    add("--method", type=str.upper, help="default GET, or POST with a body")
    add("--header", type=header, action="append", default=[], metavar="'NAME: VALUE'", help="may be repeated")
    add("--body", default="", help="text of the body, or @FILE")
    add("--timeout", type=seconds, default=30.0, metavar="TIME", help="for one request (default 30s)")
    add("--insecure", action="store_true", help="accept any certificate")
    add("--ca-file", default="", metavar="FILE", help="trust these authorities too (PEM)")
    add("--follow-redirects", action="store_true", help="up to 10 in a row, within the same scheme, host and port")
    add("--max-in-flight", type=int, metavar="N", help="with --rps: requests beyond are dropped and counted")
    add(
        "--workers",
        type=int,
        default=0,
        metavar="N",
        help="load processes (default: one for each processor, if useful)",
    )
    add("--json", action="store_true", help="print the report as JSON")
    add("--threshold", action="append", default=[], metavar="'p95<300ms'", help="condition to meet; may be repeated")
    return made


def plan(options: argparse.Namespace) -> tuple[RunSpec, str]:
    """The run, and the address it goes to, in words. Raises PlanError or Unreachable."""
    if options.rps is not None:
        for name in ("concurrency", "ramp_up", "start_concurrency", "iterations"):
            if getattr(options, name) is not None:
                raise PlanError(name, "cannot be combined with --rps")
        mode = Mode.CONSTANT_RPS
    elif options.max_in_flight is not None:
        raise PlanError("max_in_flight", "needs --rps")
    elif options.iterations is not None:
        if options.ramp_up is not None or options.duration is not None:
            raise PlanError("iterations", "cannot be combined with --ramp-up or --duration")
        mode = Mode.ITERATIONS
    else:
        mode = Mode.CONSTANT_CONCURRENCY if options.ramp_up is None else Mode.RAMP_UP
    if options.start_concurrency is not None and mode != Mode.RAMP_UP:
        raise PlanError("start_concurrency", "needs --ramp-up")
    if not 0 <= options.workers <= MAX_WORKERS:
        raise PlanError("workers", f"must be between 1 and {MAX_WORKERS}")
    target = requests.parse_url(options.url)
    body = _body(options.body)
    method = options.method or ("POST" if body else "GET")
    request = requests.render(target, method=method, headers=options.header, body=body)
    facts: dict[str, Any] = {
        "mode": mode,
        "requests": (request,),
        "method": method,
        "tls": target.tls,
        "server_name": target.host,
        "verify": not options.insecure,
        "ca_file": options.ca_file,
        "rate": options.rps or 0.0,
        "concurrency": 10 if options.concurrency is None else options.concurrency,
        "start_concurrency": 1 if options.start_concurrency is None else options.start_concurrency,
        "ramp_s": options.ramp_up or 0.0,
        "duration_s": 30.0 if options.duration is None else options.duration,
        "iterations": options.iterations or 0,
        "max_in_flight": 0 if options.max_in_flight is None else options.max_in_flight or -1,
        "timeout_s": options.timeout,
        "max_redirects": MAX_REDIRECTS if options.follow_redirects else 0,
    }
    if target.tls:
        try:
            requests.tls_context(verify=not options.insecure, ca_file=options.ca_file)
        except OSError as error:
            raise PlanError("ca_file", str(error)) from error
    # Checked before the name is looked up: wrong use is told even without a network.
    RunSpec(addresses=(("127.0.0.1", target.port),), **facts)
    resolution = requests.reachable(requests.resolve(target))
    return RunSpec(addresses=resolution.addresses, dns_us=resolution.took_us, **facts), resolution.addresses[0][0]


def _body(text: str) -> bytes:
    if not text.startswith("@"):
        return text.encode()
    try:
        with open(text[1:], "rb") as file:
            return file.read()
    except OSError as error:
        raise PlanError("body", str(error)) from error


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    options = parser().parse_args(argv)
    try:
        conditions = [thresholds.parse(text) for text in options.threshold]
        spec, address = plan(options)
    except PlanError as error:
        name = "URL" if error.field == "url" else "--" + error.field.replace("_", "-")
        sys.stderr.write(f"pharos load: {name}{str(error).removeprefix(error.field)}\n")
        return WRONG_USE
    except requests.Unreachable as error:
        sys.stderr.write(f"pharos load: {error}\n")
        return UNREACHABLE
    interrupted: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: interrupted.append(received))
    live = _live(spec) if sys.stderr.isatty() else lambda tick: None
    try:
        report = run(spec, workers=options.workers, on_tick=live, should_stop=lambda: bool(interrupted))
    except EngineFault as error:
        sys.stderr.write(f"pharos load: {error}\n")
        return BREACHED
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    checks = [condition.check(report) for condition in conditions]
    if options.json:
        sys.stdout.write(json.dumps(report | {"thresholds": checks}) + "\n")
    else:
        sys.stdout.write(table(report, checks, f"{options.url} at {address}"))
    return _exit_code(report, checks, interrupted=bool(interrupted))


def _exit_code(report: dict[str, Any], checks: list[dict[str, Any]], *, interrupted: bool) -> int:
    if interrupted:
        return INTERRUPTED
    if report["lostWorkers"]:
        return BREACHED
    only_unreachable = {"connection_failed", "dns_failed", "ssl_error"}
    if report["errors"]["types"].keys() & only_unreachable and not report["summary"]["throughput"]:
        return UNREACHABLE
    return FINE if all(check["passed"] for check in checks) else BREACHED


def _live(spec: RunSpec) -> Any:
    end = f"/{spec.duration_s:g} s" if spec.mode != Mode.ITERATIONS else " s"

    def show(tick: dict[str, Any]) -> None:
        sys.stderr.write(
            f"\r\x1b[K{tick['elapsedSeconds']:.1f}{end}  {tick['totalRequests']:,} requests  "
            f"{tick['currentRps']:,.0f}/s  p50 {_ms(tick['latencyP50Ms'])}  p95 {_ms(tick['latencyP95Ms'])}  "
            f"in flight {tick['activeConnections']}  errors {tick['errorRate']:.2f} %"
        )
        sys.stderr.flush()

    return show


def _ms(value: float) -> str:
    return f"{value:.2f} ms" if value < 1000 else f"{value / 1000:.2f} s"


def table(report: dict[str, Any], checks: list[dict[str, Any]], title: str) -> str:
    """The result for people."""
    summary, latency = report["summary"], report["latency"]
    rows = [
        ("Requests", f"{summary['totalRequests']:,} in {summary['testDuration']:.2f} s"),
        ("Rate", f"{summary['throughput']:,.1f} responses/s"),
        ("Errors", f"{summary['failedRequests']:,} ({summary['errorRate']:.2f} %)"),
        ("Latency", "  ".join(f"{name} {_ms(latency[name])}" for name in ("min", "avg", "max"))),
        (
            "Percentiles",
            "  ".join(f"{name} {_ms(latency[name])}" for name in ("p50", "p75", "p90", "p95", "p99", "p999")),
        ),
    ]
    if parts := report.get("timingBreakdown"):
        names = {"DNS": "avgDnsMs", "connect": "avgConnectMs", "TLS": "avgTlsMs", "first byte": "avgFirstByteMs"}
        shown = "  ".join(f"{name} {_ms(parts[key])}" for name, key in (names | {"download": "avgDownloadMs"}).items())
        rows.append(("Average parts", shown))
    codes = {("none" if code == "0" else code): count for code, count in report["statusCodes"].items()}
    rows.append(("Statuses", "  ".join(f"{code}: {count:,}" for code, count in codes.items()) or "none"))
    if faults := report["errors"]["faults"]:
        rows.append(("No answer", "  ".join(f"{fault}: {count:,}" for fault, count in faults.items())))
    if "rateControl" in report:
        rows.append(
            (
                "Target",
                f"{report['rateControl']['targetRps']:,g}/s, {report['rateControl']['achievement']:.1f} % reached",
            )
        )
        rows.append(("Dropped", f"{summary['droppedRequests']:,} (too many in flight)"))
    if summary["unfinishedRequests"]:
        rows.append(("Unfinished", f"{summary['unfinishedRequests']:,} without an answer at the end"))
    rows.append(("Traffic", f"{summary['bytesSent']:,} bytes sent, {summary['bytesReceived']:,} received"))
    rows += [("Note", warning) for warning in report["warnings"]]
    for check in checks:
        verdict = "met" if check["passed"] else "NOT MET"
        rows.append(("Threshold", f"{check['threshold']}: {verdict} ({check['actual']:,.2f})"))
    return f"{title}\n\n" + "".join(f"{name:<14} {value}\n" for name, value in rows)
