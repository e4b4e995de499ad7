"""How failures are reported. contract: load testing §14.5"""

import socket
import ssl
import time
from typing import Any

import pytest

from loadtest.engine.plan import Mode
from loadtest.engine.supervisor import Run, run
from tests.loadtest.engine.conftest import OK, answer, spec_for
from tests.loadtest.engine.test_loops import reset


def refused(serve: Any) -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"


LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000
WAYS = {
    "refused": (refused, {}, "connection_failed"),
    "hung up": (lambda serve: serve(lambda *_: False).url, {}, "connection_failed"),
    "reset": (lambda serve: serve(lambda conn, *_: reset(conn)).url, {}, "connection_failed"),
    "silent": (lambda serve: serve(lambda *_: time.sleep(1)).url, {"timeout_s": 0.2}, "timeout"),
    "no name": (refused, {"addresses": (), "unresolved": "Name not known"}, "dns_failed"),
    "not HTTP": (lambda serve: serve(b"SSH-2.0\r\n").url, {}, "internal_error"),
    "cut off": (lambda serve: serve(answer(OK[:-1], close=True)).url, {}, "internal_error"),
    "too long": (lambda serve: serve(LONG).url, {"max_body_bytes": 65_536}, "internal_error"),
}


@pytest.mark.parametrize("way", WAYS)
def test_kinds(serve: Any, way: str) -> None:
    url_of, options, kind = WAYS[way]
    made = run(spec_for(url_of(serve), iterations=3, **options), workers=1)
    assert made["errors"]["types"] == {kind: 3}
    assert made["errors"]["byStatusCode"] == made["statusCodes"] == {"0": 3}
    assert made["errors"]["total"] == made["errors"]["withDetails"] == made["summary"]["failedRequests"] == 3
    assert {row["trace"]["error_type"] for row in made["results"]} == {kind}
    assert {row["statusText"] for row in made["results"]} == {"Error"}
    assert not any(made["latency"].values())
    assert "timingBreakdown" not in made


def test_certificates(serve: Any, tls: ssl.SSLContext) -> None:
    made = run(spec_for(serve(OK, context=tls).url, iterations=2), workers=1)
    assert made["errors"]["types"] == {"ssl_error": 2}
    assert "certificate verify failed" in made["results"][0]["error"]


def test_a_stop_cancels_at_once(serve: Any) -> None:
    server = serve(lambda *_: time.sleep(2))
    with Run(spec_for(server.url, mode=Mode.CONSTANT_CONCURRENCY, concurrency=6, duration_s=60.0)) as current:
        current.start()
        while len(server.requests) < 6:
            current.tick()
        current.stop()
        while current.running:
            current.tick()
        last, made = current.tick(), current.result()
    assert made["errors"]["types"] == {"cancelled": 6}
    assert (last["totalErrors"], last["activeConnections"], last["backpressure"]) == (6, 0, 0)


def test_what_is_in_flight_at_the_end_has_its_own_time_out(serve: Any) -> None:
    server = serve(lambda *_: time.sleep(2))
    began = time.perf_counter()
    spec = spec_for(server.url, mode=Mode.CONSTANT_CONCURRENCY, concurrency=2, duration_s=0.1, timeout_s=0.4)
    made = run(spec, workers=1)
    assert made["errors"]["types"] == {"timeout": 2}
    assert made["summary"]["testDuration"] >= 0.4
    assert time.perf_counter() - began < 3
