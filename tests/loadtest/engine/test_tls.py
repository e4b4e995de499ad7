"""HTTPS: certificates that hold, and those that do not."""

import ssl
from pathlib import Path
from typing import Any

from loadtest.engine.stats import Cell
from tests.loadtest.engine.conftest import OK


def test_https(serve: Any, drive: Any, tls: ssl.SSLContext, certificate: Path) -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000
    server = serve(data, context=tls)
    done = drive(server.url, iterations=30, concurrency=3, ca_file=str(certificate))
    assert done.statuses == {200: 30}
    assert done.figures[Cell.BYTES_RECEIVED] == 30 * len(data)
    assert server.connections == 3
    assert sum(done.figures.part("tls")) == 3
    assert done.figures[Cell.TLS_US] > 0


def test_https_many_small(serve: Any, drive: Any, tls: ssl.SSLContext) -> None:
    done = drive(serve(OK, context=tls).url, iterations=1500, concurrency=3, verify=False)
    assert done.statuses == {200: 1500}


def test_https_with_a_certificate_nobody_signed(serve: Any, drive: Any, tls: ssl.SSLContext) -> None:
    done = drive(serve(OK, context=tls).url, iterations=2)
    assert done.faults == {"tls": 2}


def test_https_for_another_name(serve: Any, drive: Any, tls: ssl.SSLContext, certificate: Path) -> None:
    done = drive(serve(OK, context=tls).url, ca_file=str(certificate), server_name="other.example")
    assert done.faults == {"tls": 1}


def test_https_to_a_server_without_tls(serve: Any, drive: Any) -> None:
    server = serve(lambda conn, *_: conn.sendall(b"HTTP/1.1 400 Bad\r\n\r\n"))
    url = server.url.replace("http:", "https:")
    assert drive(url, timeout_s=1.0).faults.keys() <= {"tls", "timeout"}
