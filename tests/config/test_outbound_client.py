"""What a call sends, reads and gives up on, against real servers on loopback."""

import contextlib
import gzip
import socket
import time
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network

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
from tests.support.listener import answer, listening

LOOPBACK = Policy(allow_loopback=True)


def fetch(listener, path="/", method="GET", **options):
    return outbound.request(method, listener.url(path), policy=LOOPBACK, **{"timeout_s": 5, **options})


@contextlib.contextmanager
def within(seconds):
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def drip(head: bytes, piece: bytes, pause_s: float = 0.02):
    """Send the head, then the piece again and again, until the client leaves."""

    def serve(connection, _):
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            time.sleep(pause_s)

    return serve


def sending(data: bytes):
    return lambda connection, _: connection.sendall(data)


def flood(head: bytes, piece: bytes):
    return drip(head, piece * (65536 // len(piece)), pause_s=0)


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
    assert 95 <= timings.first_byte_ms < 190
    assert 190 <= timings.total_ms < 1000
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


# --- redirects ------------------------------------------------------------------------------------------------


def redirect(to, status="302 Found"):
    return answer(b"moved", f"Location: {to}", status=status)


def test_redirects_are_answers_unless_followed():
    with listening() as goal, listening(redirect(goal.url("/there"))) as server:
        assert fetch(server).status == 302
        assert goal.connections == 0
        reply = fetch(server, follow_redirects=True)
        assert (reply.status, reply.body, reply.redirects, reply.url) == (200, b"ok", 1, goal.url("/there"))


def test_a_redirect_to_a_forbidden_address_is_refused():
    """Another loopback address stands for the public one; the policy allows only that."""
    only = Policy(allow=(ip_network("127.0.0.2/32"),))
    with listening() as forbidden:
        for location in (
            forbidden.url("/secret"),
            f"//localhost:{forbidden.port}/",
            f"http://[::ffff:127.0.0.1]:{forbidden.port}/",
        ):
            with listening(redirect(location), address="127.0.0.2") as server, pytest.raises(Refused):
                outbound.request("GET", server.url(), policy=only, follow_redirects=True)
        assert forbidden.connections == 0


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "http://user@host.example/", "http://127.1/", "gopher://a/"]
)
def test_a_redirect_to_something_else_is_a_bad_url(location):
    with listening(redirect(location)) as server, pytest.raises(BadUrl):
        fetch(server, follow_redirects=True)


def test_redirects_end():
    with listening(redirect("/again")) as server:
        with pytest.raises(Unreachable, match="more than 3 times"):
            fetch(server, follow_redirects=True, max_redirects=3)
        assert server.connections == 4


def test_the_deadline_covers_all_redirects():
    def slow(connection, head):
        time.sleep(0.1)
        redirect("/again")(connection, head)

    with listening(slow) as server, within(1), pytest.raises(TimedOut):
        fetch(server, follow_redirects=True, max_redirects=50, timeout_s=0.35)


@pytest.mark.parametrize(
    ("status", "sent", "method", "body"),
    [
        ("301 Moved", "POST", b"GET", b""),
        ("302 Found", "POST", b"GET", b""),
        ("302 Found", "PUT", b"PUT", b"data"),
        ("303 See Other", "PUT", b"GET", b""),
        ("307 Again", "POST", b"POST", b"data"),
        ("308 Moved", "PATCH", b"PATCH", b"data"),
    ],
)
def test_method_and_body_after_a_redirect(status, sent, method, body):
    with listening() as goal, listening(redirect(goal.url(), status)) as server:
        fetch(server, method=sent, body="data", headers={"Content-Type": "text/plain"}, follow_redirects=True)
    head, _, received = goal.requests[0].partition(b"\r\n\r\n")
    assert (head.split()[0], received) == (method, body)
    assert (b"content-type" in head.lower()) == bool(body)


def test_secrets_stay_with_their_origin():
    headers = {"Authorization": "Bearer s", "X-Api-Key": "s", "Cookie": "s=1", "Accept": "text/plain"}
    with listening() as goal, listening(redirect(goal.url())) as server:
        fetch(server, headers=headers, follow_redirects=True)
    sent, followed = server.requests[0].lower(), goal.requests[0].lower()
    for name in (b"authorization", b"x-api-key", b"cookie"):
        assert name in sent
        assert name not in followed
    assert b"accept: text/plain" in followed


def test_secrets_stay_on_the_way_within_one_origin():
    def serve(connection, head):
        (answer() if b"GET /b" in head else redirect("/b"))(connection, head)

    with listening(serve) as server:
        fetch(server, "/a", headers={"X-Api-Key": "s"}, follow_redirects=True)
    assert [b"X-Api-Key: s" in request for request in server.requests] == [True, True]


# --- limits ---------------------------------------------------------------------------------------------------

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "serve",
    [
        lambda connection, _: time.sleep(0.8),
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
        within(0.7),
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
            with within(2), pytest.raises(TooLarge):
                fetch(server, max_bytes=1 << 20)
            assert tracemalloc.get_traced_memory()[1] < 8 << 20
        finally:
            tracemalloc.stop()


def test_a_server_that_does_not_read_is_left():
    def serve(connection, _):
        time.sleep(1)

    with listening(serve) as server, within(0.9), pytest.raises(TimedOut):
        fetch(server, method="POST", body=b"a" * (32 << 20), timeout_s=0.3)


def test_a_name_server_that_hangs_is_left(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: time.sleep(1))
    with within(0.6), pytest.raises(TimedOut, match="slow.example"):
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
        with listening(sending(OK + b"broken header\r\nContent-Length: 0\r\n\r\n")) as server:
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
