"""What a call sends and reads, and what it keeps to itself, against real servers on loopback."""

import gzip
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from config import outbound
from config.outbound import (
    BadRequest,
    BadUrl,
    OutboundError,
    Policy,
    Refused,
    TimedOut,
    TooLarge,
    Unreachable,
)
from tests.support.listener import answer, drip, listening, redirect, sending

LOOPBACK = Policy(allow_loopback=True)


def fetch(listener, path="/", method="GET", **options):
    return outbound.request(method, listener.url(path), policy=LOOPBACK, **{"timeout_s": 5, **options})


# --- the plain exchange ---------------------------------------------------------------------------------------


def test_an_exchange():
    with listening(answer(b"made", "X-One: 1", "Set-Cookie: a=b", status="201 Created")) as server:
        reply = fetch(server, "/p%20q/../r?x=1&y=ü", "post", headers={"X-Token": "t"}, body="grüße")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /r?x=1&y=%C3%BC HTTP/1.1"
    assert {f"Host: 127.0.0.1:{server.port}", "X-Token: t", "Connection: close", "Content-Length: 7"} <= set(lines)
    assert any(line.startswith("User-Agent: Pharos/") for line in lines)
    assert body == "grüße".encode()
    assert (reply.status, reply.body, reply.headers["x-one"]) == (201, b"made", "1")
    assert (reply.peer, reply.redirects, reply.certificate_ends_at) == ("127.0.0.1", 0, None)
    assert reply.url == server.url("/r?x=1&y=%C3%BC")


def test_timings_are_parts_of_the_whole():
    def slow(connection, _):
        time.sleep(0.1)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        time.sleep(0.1)
        connection.sendall(b"ok")

    with listening(slow) as server:
        timings = fetch(server).timings
    assert 95 <= timings.first_byte_ms <= timings.total_ms - 95
    assert timings.tls_ms is None
    assert timings.dns_ms + timings.connect_ms + timings.first_byte_ms <= timings.total_ms


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, gzip"])
def test_encoded_bodies_are_decoded(encoding):
    plain = b"text " * 1000
    coded = {"gzip": gzip.compress, "deflate": zlib.compress, "gzip, gzip": lambda b: gzip.compress(gzip.compress(b))}
    with listening(answer(coded[encoding](plain), f"Content-Encoding: {encoding}")) as server:
        assert fetch(server).body == plain


def test_chunked_and_closed_bodies_and_none():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\nT: 1\r\n\r\n"
    for data, body in [
        (chunked, b"abcde"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"x"),
    ]:
        with listening(sending(data)) as server:
            assert fetch(server).body == body
    with listening(sending(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")) as server:
        assert fetch(server, method="HEAD").body == b""


def test_an_error_status_is_an_answer():
    with listening(answer(b"no", status="503 Service Unavailable")) as server:
        assert fetch(server).status == 503


def test_environment_netrc_and_cookies_play_no_part(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with listening() as proxy, listening(answer(b"", "Set-Cookie: a=b")) as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url())
        for _ in range(2):
            fetch(server)
        assert proxy.connections == 0
    assert b"authorization" not in b"".join(server.requests).lower()
    assert b"cookie" not in b"".join(server.requests).lower()


def test_many_threads_at_once():
    with listening() as server, ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda number: fetch(server, f"/{number}"), range(100)))
    assert {reply.body for reply in replies} == {b"ok"}
    assert len({request.split()[1] for request in server.requests}) == 100


# --- what is not sent -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"method": "GET / HTTP/1.1\r\nX: y"},
        {"method": "CONNECT"},
        {"method": ""},
        {"headers": {"X-A": "a\r\nX-B: b"}},
        {"headers": {"X-A": "a\nb"}},
        {"headers": {"X-A": "\x00"}},
        {"headers": {"X-A": "☃"}},
        {"headers": {"X A": "a"}},
        {"headers": {"": "a"}},
        {"headers": {"X-A:": "a"}},
        {"headers": {"Host": "elsewhere.example"}},
        {"headers": {"content-length": "5"}},
        {"headers": {"Transfer-Encoding": "chunked"}},
        {"headers": {"Connection": "keep-alive"}},
        {"timeout_s": 0},
        {"timeout_s": -1},
        {"timeout_s": float("nan")},
        {"timeout_s": float("inf")},
    ],
)
def test_bad_requests_are_not_sent(options):
    with listening() as server:
        with pytest.raises(BadRequest):
            fetch(server, **options)
        assert server.connections == 0


# --- secrets --------------------------------------------------------------------------------------------------


def test_no_error_or_log_repeats_a_secret(caplog):
    secret = "s3cr3t"
    path, headers = f"/hook/{secret}?token={secret}", {"Authorization": secret}
    errors = []

    def attempt(url, **options):
        try:
            reply = outbound.request(
                "POST", url, **{"policy": LOOPBACK, "headers": headers, "body": secret, "timeout_s": 0.3, **options}
            )
            assert secret not in repr(reply)
        except OutboundError as error:
            errors.append(error)

    with caplog.at_level("DEBUG"):
        for serve in (drip(b"", b"H"), answer(b"a" * 99), sending(b""), redirect(f"ftp://{secret}@a/{secret}")):
            with listening(serve) as server:
                attempt(server.url(path), max_bytes=50, follow_redirects=True)
        with listening(sending(b"HTTP/1.1 200 OK\r\nbroken header\r\nContent-Length: 0\r\n\r\n")) as server:
            attempt(server.url(path))
        attempt(server.url(path))  # closed by now
        attempt(server.url(path), policy=Policy())
        attempt(f"http://user:{secret}@127.0.0.1{path}")
        attempt(f"http://127.0.0.1:x{path}")
        attempt(f"ftp://127.0.0.1{path}")
        attempt(server.url(path), headers={"X-A": f"{secret}\n"})
        attempt(f"https://127.0.0.1:{server.port}{path}")
    assert len(errors) >= 10
    assert {type(error) for error in errors} >= {TimedOut, TooLarge, Unreachable, BadUrl, BadRequest, Refused}
    for error in errors:
        assert secret not in str(error)
        assert error.code
    assert secret not in caplog.text
