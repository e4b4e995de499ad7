"""`pharos load`: what it prints and how it exits."""

import json
import os
import pty
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from loadtest.engine.plan import PlanError
from loadtest.engine.thresholds import parse
from tests.loadtest.engine.conftest import OK

ROOT = Path(__file__).parents[3]


def load(*arguments: str) -> subprocess.CompletedProcess:
    """The command as users call it."""
    code = "import sys; from config.cli import main; sys.argv[0] = 'pharos'; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "load", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=ROOT,
        check=False,
    )


def test_table(serve: Any) -> None:
    done = load(
        serve().url, "--iterations", "20", "--concurrency", "2", "--threshold", "p95<10s", "--threshold", "errors<1%"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no progress line where nobody looks
    assert "Requests       20 in" in done.stdout
    assert "200: 20" in done.stdout
    assert "p95<10s: met" in done.stdout


def test_json(serve: Any) -> None:
    server = serve()
    done = load(
        server.url + "path?x=1", "--rps", "100", "--duration", "300ms", "--json", "--method", "put",
        "--header", "X-One: 1", "--header", "X-Two: a: b", "--body", "hello",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["requestsSent"] == 30
    assert report["rateControl"]["targetRps"] == 100
    assert server.requests[0].startswith(b"PUT /path?x=1 HTTP/1.1\r\n")
    assert b"\r\nX-One: 1\r\nX-Two: a: b\r\n\r\nhello" in server.requests[0]


@pytest.mark.parametrize("options", [(), ("--follow-redirects",)])
def test_redirects(serve: Any, options: tuple[str, ...]) -> None:
    def script(conn: socket.socket, request: bytes, number: int) -> None:
        there = {b"/": b"/next", b"/next": b"http://other.example/"}[request.split(b" ")[1]]
        conn.sendall(b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % there)

    server = serve(script)
    done = load(server.url, "--iterations", "4", *options)
    assert "302: 4" in done.stdout
    assert len(server.requests) == (8 if options else 4)
    assert ("Note           Redirects to http://other.example are not followed" in done.stdout) == bool(options)


def test_ramp(serve: Any) -> None:
    done = load(
        serve().url,
        "--concurrency",
        "4",
        "--ramp-up",
        "200ms",
        "--start-concurrency",
        "0",
        "--duration",
        "0.3",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["summary"]["peakConcurrency"] == 4


def test_a_body_from_a_file(serve: Any, tmp_path: Path) -> None:
    (tmp_path / "body.bin").write_bytes(b"\x00\xff")
    server = serve()
    assert load(server.url, "--iterations", "1", "--body", f"@{tmp_path / 'body.bin'}").returncode == 0
    assert server.requests[0].startswith(b"POST ")
    assert server.requests[0].endswith(b"\r\n\r\n\x00\xff")


@pytest.mark.parametrize("threshold", ["p99<1us", "rps>1000000", "errors<50"])
def test_a_threshold_that_is_not_met(serve: Any, threshold: str) -> None:
    script = OK.replace(b"200 OK", b"503 No") if threshold.startswith("errors") else OK
    done = load(serve(script).url, "--iterations", "5", "--threshold", threshold)
    assert done.returncode == 1
    assert f"{threshold}: NOT MET" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "URL"),
        (["ftp://a/"], "http://"),
        (["http://127.0.0.1/", "--rps", "0"], "--rps"),
        (["http://127.0.0.1/", "--rps", "ten"], "--rps"),
        (["http://127.0.0.1/", "--rps", "5", "--concurrency", "5"], "--rps"),
        (["http://127.0.0.1/", "--concurrency", "0"], "--concurrency"),
        (["http://127.0.0.1/", "--concurrency", "20000"], "10000"),
        (["http://127.0.0.1/", "--iterations", "5", "--duration", "5s"], "--iterations"),
        (["http://127.0.0.1/", "--start-concurrency", "5"], "--start-concurrency"),
        (["http://127.0.0.1/", "--max-in-flight", "5"], "--max-in-flight"),
        (["http://127.0.0.1/", "--duration", "5 parsecs"], "duration"),
        (["http://127.0.0.1/", "--header", "no colon"], "Name: value"),
        (["http://127.0.0.1/", "--body", "@/does/not/exist"], "--body"),
        (["http://127.0.0.1/", "--threshold", "p42<1ms"], "--threshold"),
        (["http://127.0.0.1/", "--workers", "-1"], "--workers"),
        (["https://127.0.0.1/", "--ca-file", "/does/not/exist"], "--ca-file"),
    ],
)
def test_wrong_use(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    from loadtest.engine.cli import main

    try:
        code = main(arguments)
    except SystemExit as left:  # argparse
        code = left.code
    assert code == 2
    assert said in capsys.readouterr().err


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = load(f"http://127.0.0.1:{port}/")
    assert done.returncode == 5
    assert done.stdout == ""
    assert f"port {port}" in done.stderr


def test_a_certificate_nobody_trusts(serve: Any, tls: Any) -> None:
    server = serve(OK, context=tls)
    assert load(server.url, "--iterations", "2").returncode == 5
    assert load(server.url, "--iterations", "2", "--insecure").returncode == 0


def test_help_has_an_example() -> None:
    done = load("--help")
    assert done.returncode == 0
    assert "pharos load http://localhost:8000/ --rps 1000 --duration 30s" in done.stdout
    assert "exit codes" in done.stdout


def test_progress_on_a_terminal(serve: Any) -> None:
    ours, theirs = pty.openpty()
    code = "import sys; from loadtest.engine.cli import main; sys.exit(main(sys.argv[1:]))"
    arguments = [serve().url, "--concurrency", "1", "--duration", "400ms"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=theirs, text=True, cwd=ROOT
    )
    output, _ = process.communicate(timeout=20)
    time.sleep(0.05)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0
    assert "/0.4 s" in shown
    assert "in flight 1" in shown
    assert "\n" not in shown.replace("\r\n", "")
    assert "Requests" in output


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("p95<300ms", 300),
        ("p50 <= 1.5s", 1500),
        ("avg<20", 20),
        ("max<500us", 0.5),
        ("errors<1%", 1),
        ("rps>=500", 500),
    ],
)
def test_thresholds_are_read(text: str, limit: float) -> None:
    assert parse(text).limit == limit


@pytest.mark.parametrize(
    "text", ["", "p95", "p95=300ms", "p95<", "p95<-1ms", "p95<5%", "rps>5ms", "errors<5s", "nope<5"]
)
def test_thresholds_that_are_none(text: str) -> None:
    with pytest.raises(PlanError):
        parse(text)


def test_no_response_meets_no_threshold() -> None:
    empty = {"latency": {"p95": 0.0, "max": 0.0}, "summary": {"totalRequests": 0, "errorRate": 0.0, "throughput": 0.0}}
    assert not parse("p95<300ms").check(empty)["passed"]
    assert not parse("errors<1%").check(empty)["passed"]
