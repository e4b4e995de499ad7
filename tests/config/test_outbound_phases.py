"""Where the time of a call went, how far a failed one got, and what was sent, against real servers on loopback."""

import time

import pytest

from config import outbound
from config.outbound import BadRequest, OutboundError, Policy
from tests.support.listener import answer, listening, redirect, sending

LOOPBACK = Policy(allow_loopback=True)


def fetch(url, method="GET", **options):
    return outbound.request(method, url, policy=LOOPBACK, **{"timeout_s": 5, **options})


def failed(url, **options) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        fetch(url, **options)
    return caught.value


def slow(connection, head):
    time.sleep(0.1)
    connection.sendall(b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\n")
    time.sleep(0.1)
    connection.sendall(b"ok")


def test_the_parts_make_the_whole():
    with listening(slow) as server:
        reply = fetch(server.url())
    phases = reply.phases
    assert (phases.tls, reply.reason) == (0, "Fine")
    assert min(phases.dns, phases.connect) > 0
    assert min(phases.first_byte, phases.download) >= 95
    assert phases.total == pytest.approx(reply.timings.total_ms, abs=5)
    assert phases.total <= reply.timings.total_ms


def test_the_parts_cover_redirects():
    with listening(slow) as goal, listening(redirect(goal.url())) as server:
        reply = fetch(server.url(), follow_redirects=True)
        alone = fetch(goal.url())
    assert reply.phases.connect > reply.timings.connect_ms
    assert reply.phases.total == pytest.approx(reply.timings.total_ms, abs=5)
    assert reply.bytes_received > alone.bytes_received


def test_a_failed_call_tells_how_far_it_got():
    with listening() as server:
        closed = server.url()
    unknown = failed("http://name.invalid/")
    assert (unknown.phase, unknown.phases.connect) == ("dns", 0)
    refused = failed(closed)
    assert (refused.phase, refused.phases.first_byte) == ("connect", 0)
    with listening() as server:  # it waits for a request that is no TLS
        assert failed(server.url(scheme="https"), timeout_s=0.2).phase == "tls"
    with listening(lambda connection, head: connection.close()) as server:
        assert failed(server.url()).phase == "first_byte"
    with listening(sending(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")) as server:
        assert failed(server.url()).phase == "download"
    with listening(lambda connection, head: time.sleep(1)) as server:
        late = failed(server.url(), timeout_s=0.2)
    assert late.phase == "first_byte"
    assert late.request.startswith(b"GET / HTTP/1.1\r\n")
    assert late.phases.first_byte == pytest.approx(200, abs=40)


def test_a_call_that_never_began_has_no_part():
    error = failed("ftp://x/")
    assert (error.phase, error.phases.total) == (None, 0)


def test_what_was_sent_is_kept():
    with listening(redirect("/again")) as server:
        assert failed(server.url(), follow_redirects=True, max_redirects=1).request.startswith(b"GET / ")
    with listening(answer(b"x" * 1000)) as server:
        reply = fetch(server.url("/p"), "POST", body=b"data" * 100_000, headers={"X-A": "1"})
    assert reply.request.startswith(b"POST /p HTTP/1.1\r\n")
    assert b"\r\nX-A: 1\r\n" in reply.request
    assert len(reply.request) == 64 * 1024
    assert reply.bytes_sent == reply.request.index(b"\r\n\r\n") + 4 + 400_000
    assert reply.bytes_received > 1000


def test_repeated_headers_are_sent_one_by_one():
    with listening() as server:
        fetch(server.url(), headers=[("X-A", "1"), ("x-a", "2"), ("User-Agent", "mine")])
    head = server.requests[0].lower()
    assert b"x-a: 1\r\n" in head and b"x-a: 2\r\n" in head
    assert head.count(b"user-agent") == 1


def test_a_host_is_named_only_when_that_is_allowed():
    with listening() as goal, listening(redirect(goal.url())) as server:
        with pytest.raises(BadRequest):
            fetch(server.url(), headers={"Host": "shop.example"})
        fetch(server.url(), headers={"Host": "shop.example"}, names_host=True, follow_redirects=True)
        assert b"\r\nHost: shop.example\r\n" in server.requests[0]
        assert server.requests[0].lower().count(b"\r\nhost:") == 1
        assert f"\r\nHost: 127.0.0.1:{goal.port}\r\n".encode() in goal.requests[0]
