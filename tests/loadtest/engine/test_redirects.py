"""Redirects: followed within the target when asked for, told when they lead elsewhere."""

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from loadtest.engine.capture import Ring
from loadtest.engine.redirects import Elsewhere, Redirects
from loadtest.engine.stats import Cell
from loadtest.engine.supervisor import run
from tests.loadtest.engine.conftest import OK, spec_for

POST = b"POST /a/b?c HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nX-A: 1\r\nContent-Length: 4\r\n\r\nbody"
HEAD = b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0"


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (b"/next", b"/next"),
        (b"next?x=1#part", b"/a/next?x=1"),
        (b"?d", b"/a/b?d"),
        (b"http://HOST.example:8000/x", b"/x"),
        (b"//host.example:8000/y", b"/y"),
        (b"/caf\xc3\xa9 1", b"/caf%C3%A9%201"),
    ],
)
def test_where_a_redirect_leads(location: bytes, path: bytes) -> None:
    sent = Redirects(tls=False, host="host.example", port=8000).request(POST, 307, HEAD % location)
    assert sent == POST.replace(b"/a/b?c", path)


@pytest.mark.parametrize(
    "location",
    [b"https://host.example:8000/", b"http://host.example/", b"//other.example:8000/", b"ftp://host.example:8000/"],
)
def test_elsewhere(location: bytes) -> None:
    with pytest.raises(Elsewhere):
        Redirects(tls=False, host="host.example", port=8000).request(POST, 302, HEAD % location)


@pytest.mark.parametrize(
    ("method", "status", "then"),
    [
        ("POST", 301, "GET"), ("POST", 302, "GET"), ("POST", 303, "GET"), ("POST", 307, "POST"), ("POST", 308, "POST"),
        ("PUT", 302, "PUT"), ("PUT", 303, "GET"), ("HEAD", 303, "HEAD"), ("GET", 308, "GET"),
    ],
)  # fmt: skip
def test_the_method_that_follows(method: str, status: int, then: str) -> None:
    redirects = Redirects(tls=True, host="::1", port=443)
    sent = redirects.request(POST.replace(b"POST", method.encode()), status, HEAD % b"https://[::1]/z")
    assert sent is not None
    head, _, body = sent.partition(b"\r\n\r\n")
    assert head.startswith(f"{then} /z HTTP/1.1\r\nHost: x\r\n".encode())
    kept = then == method
    assert (body == b"body") == kept
    assert (b"content" in head.lower()) == kept
    assert b"X-A: 1" in head


def test_no_location_is_an_answer() -> None:
    assert Redirects(tls=False, host="x", port=80).request(POST, 302, b"HTTP/1.1 302 Found") is None


def chain(length: int, *, close: bool = False, pieces: bool = False) -> Callable[..., bool]:
    def script(conn: socket.socket, request: bytes, number: int) -> bool:
        step = int(request.split(b" ")[1].strip(b"/") or 0)
        if step == length:
            conn.sendall(OK)
            return True
        time.sleep(0.01)
        connection = b"close" if close else b"keep-alive"
        data = b"HTTP/1.1 302 Found\r\nLocation: /%d\r\nConnection: %b\r\nContent-Length: 4\r\n\r\nhere"
        data %= (step + 1, connection)
        if pieces:
            conn.sendall(data[:30])
            time.sleep(0.005)
            data = data[30:]
        conn.sendall(data)
        return not close

    return script


@pytest.mark.parametrize("options", [{}, {"close": True}, {"pieces": True}])
def test_followed_to_the_end(serve: Any, drive: Any, options: dict[str, bool]) -> None:
    server = serve(chain(3, **options))
    done = drive(server.url, iterations=10, concurrency=2, max_redirects=5)
    assert done.statuses == {200: 10}
    assert (done.figures[Cell.SENT], done.figures[Cell.REDIRECTED]) == (10, 30)
    assert len(server.requests) == 40
    assert done.figures[Cell.BYTES_SENT] == sum(map(len, server.requests))
    assert server.connections == (2 if not options.get("close") else 32)
    assert sum(done.figures.latency()[:2048]) == 0  # each took the three waits: more than 30 ms
    assert sum(count for us, count in enumerate(done.figures.latency()) if us < 5_000) == 0


def test_many_at_full_speed(serve: Any, drive: Any) -> None:
    def script(conn: socket.socket, request: bytes, number: int) -> None:
        moved = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"
        conn.sendall(OK if request.startswith(b"GET /there ") else moved)

    server = serve(script)
    done = drive(server.url, iterations=1500, concurrency=3, max_redirects=1)
    assert done.statuses == {200: 1500}
    assert len(server.requests) == 3000


def test_not_asked_for(serve: Any, drive: Any) -> None:
    done = drive(serve(chain(3)).url, iterations=3)
    assert done.statuses == {302: 3}


@pytest.mark.parametrize("most", [1, 2])
def test_too_many_in_a_row(serve: Any, drive: Any, most: int) -> None:
    done = drive(serve(chain(3)).url, iterations=3, max_redirects=most)
    assert done.statuses == {302: 3}
    assert done.figures[Cell.REDIRECTED] == 3 * most
    [warning] = [facts["message"] for facts, _ in Ring(done.page).take() if "warning" in facts["kinds"]]
    assert warning == f"More than {most} redirects in a row are not followed."


def test_elsewhere_is_an_answer_that_is_told(serve: Any) -> None:
    server = serve(b"HTTP/1.1 301 Moved\r\nLocation: https://example.com/\r\nContent-Length: 0\r\n\r\n")
    made = run(spec_for(server.url, iterations=20, max_redirects=5), workers=1)
    assert made["statusCodes"] == {"301": 20}
    assert made["warnings"] == ["Redirects to https://example.com are not followed: a run has one target."]
