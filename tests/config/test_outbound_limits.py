"""Servers that hang, drip, never end, unfold or break off are left in time."""

import gzip
import socket
import time
import tracemalloc

import pytest

from config import outbound
from config.outbound import Policy, TimedOut, TooLarge, Unreachable
from tests.support.listener import answer, drip, flood, listening, sending, within

LOOPBACK = Policy(allow_loopback=True)
OK = b"HTTP/1.1 200 OK\r\n"


def fetch(listener, path="/", method="GET", **options):
    return outbound.request(method, listener.url(path), policy=LOOPBACK, **{"timeout_s": 5, **options})


@pytest.mark.parametrize(
    "serve",
    [
        lambda connection, _: connection.recv(1),
        drip(b"", b"H"),
        drip(OK + b"X-Slow: ", b"a"),
        drip(OK, b"HTTP"),
        drip(OK + b"Content-Length: 1000000\r\n\r\n", b"a"),
        drip(OK + b"\r\n", b"a"),
        drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        drip(OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a"),
        drip(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"T: t\r\n"),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["silent", "status", "header", "junk", "body", "unbounded", "chunks", "chunk-head", "trailers", "continue"],
)
def test_servers_that_hang_or_drip_are_left(serve):
    with (
        listening(serve) as server,
        within(2),
        pytest.raises(TimedOut, match="127.0.0.1 did not finish within 0.3 s"),
    ):
        fetch(server, timeout_s=0.3)


@pytest.mark.parametrize(
    "serve",
    [
        flood(OK + b"X-Long: ", b"a"),
        flood(OK, b"X-Many: aaaaaaaaaaaaaaaaaaaaaaa\r\n"),
        flood(OK, b"X: a\r\n"),
        flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        flood(OK + b"\r\n", b"a"),
        flood(OK + b"Content-Length: 99999999999\r\n\r\n", b"a"),
        flood(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"4\r\naaaa\r\n"),
        flood(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"T: t\r\n"),
    ],
    ids=["header", "headers", "small-headers", "continue", "body", "length", "chunks", "trailers"],
)
def test_servers_that_send_without_end_are_left(serve):
    tracemalloc.start()
    try:
        with listening(serve) as server, within(4), pytest.raises(TooLarge, match="^127.0.0.1 sent"):
            fetch(server, max_bytes=100_000)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_chunk_header_without_end_is_left():
    serve = flood(OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a")
    with listening(serve) as server, within(4), pytest.raises(Unreachable):
        fetch(server, max_bytes=100_000)


def test_the_limit_is_exact():
    with listening(answer(b"a" * 5000)) as server:
        assert len(fetch(server, max_bytes=5000).body) == 5000
        with pytest.raises(TooLarge, match="more than 4999 bytes"):
            fetch(server, max_bytes=4999)


@pytest.mark.parametrize("layers", [1, 2])
def test_compressed_bombs_do_not_unfold(layers):
    bomb = b"\0" * (64 << 20)
    for _ in range(layers):
        bomb = gzip.compress(bomb, 9)
    encoding = ", ".join(["gzip"] * layers)
    with listening(answer(bomb, f"Content-Encoding: {encoding}")) as server:
        tracemalloc.start()
        try:
            with within(4), pytest.raises(TooLarge):
                fetch(server, max_bytes=1 << 20)
            assert tracemalloc.get_traced_memory()[1] < 8 << 20
        finally:
            tracemalloc.stop()


def test_a_server_that_does_not_read_is_left():
    def serve(connection, _):
        time.sleep(1)

    with listening(serve) as server, within(2), pytest.raises(TimedOut):
        fetch(server, method="POST", body=b"a" * (32 << 20), timeout_s=0.3)


def test_a_name_server_that_hangs_is_left(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: time.sleep(3))
    with within(2), pytest.raises(TimedOut, match="slow.example"):
        outbound.request("GET", "http://slow.example/", timeout_s=0.2, policy=LOOPBACK)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 99999 Big\r\n\r\n",
        OK + b"Content-Length: 10\r\n\r\nshort",
        OK + b"Content-Length: 5\r\nContent-Encoding: gzip\r\n\r\nplain",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
    ],
    ids=["nothing", "other-protocol", "status", "status-range", "short", "not-gzip", "not-chunked"],
)
def test_broken_answers(data):
    with listening(sending(data)) as server, pytest.raises(Unreachable, match="127.0.0.1"):
        fetch(server)


def test_nobody_listening():
    with listening() as server:
        pass
    with pytest.raises(Unreachable, match=f"127.0.0.1 refused the connection on port {server.port}"):
        fetch(server)
