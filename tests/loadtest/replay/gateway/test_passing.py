"""What passes through unchanged, with and without a session (contract: traffic replay §12)."""

import asyncio
import gzip

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

SESSION = {"x-softprobe-session-id": "sess_a"}
EVERY_BYTE = bytes(range(256)) * 3
LARGE = EVERY_BYTE * 4000  # 3 MB, more than is kept


@pytest.fixture(params=["no session", "session"])
def headers(request):
    return SESSION if request.param == "session" else {}


async def raw(port, sent, *, until_end=True):
    """Everything that comes back for some bytes on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        return await asyncio.wait_for(reader.read() if until_end else reader.readuntil(b"\r\n\r\n"), 5)
    finally:
        writer.close()


def port_of(gateway):
    return int(gateway.addresses[0].rpartition(":")[2])


async def test_bodies_and_headers_arrive_as_they_were_sent(gateway, upstream, client, headers):
    upstream.serve = lambda request, body: web.Response(
        status=207, reason="Odd", body=body, headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Odd", "é")]
    )
    to = await gateway(to=f"{upstream.url}/base/")
    path = "/a%2Fb/../c;d?x=1+2&x=%20&y"
    sent = {**headers, "X-Mixed-Case": "yes", "Proxy-Authorization": "secret", "Content-Type": "application/x-odd"}
    async with client.put(URL(to.base + path, encoded=True), data=EVERY_BYTE, headers=sent) as answer:
        assert (answer.status, answer.reason) == (207, "Odd")
        assert await answer.read() == EVERY_BYTE
        assert answer.headers.getall("Set-Cookie") == ["a=1", "b=2"]
        assert answer.headers["X-Odd"] == "é"
        assert answer.headers.get("x-softprobe-session-id") == headers.get("x-softprobe-session-id")
    [seen] = upstream.seen
    assert (seen.method, seen.raw_path, upstream.bodies) == ("PUT", f"/base{path}", [EVERY_BYTE])
    assert seen.headers["Host"] == f"127.0.0.1:{upstream.port}"
    assert ("X-Mixed-Case", "yes") in seen.headers.items()
    assert "Proxy-Authorization" not in seen.headers and "x-softprobe-session-id" not in seen.headers


async def test_large_bodies_stream_both_ways(gateway, upstream, client, headers):
    async def pieces():
        for start in range(0, len(LARGE), 300_000):
            yield LARGE[start : start + 300_000]

    to = await gateway(to=upstream.url)
    async with client.post(to.base, data=pieces(), headers=headers) as answer:
        assert await answer.read() == LARGE
    assert upstream.bodies == [LARGE]
    assert upstream.seen[0].headers["Transfer-Encoding"] == "chunked"


async def test_a_stream_is_not_held_back(gateway, upstream, client, headers):
    go_on = asyncio.Event()

    async def serve(request, body):
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        await go_on.wait()
        await response.write(b"data: 2\n\n")
        return response

    upstream.serve = serve
    to = await gateway(to=upstream.url)
    async with client.get(to.base, headers=headers) as answer:
        assert await answer.content.readany() == b"data: 1\n\n"
        go_on.set()
        assert await answer.read() == b"data: 2\n\n"


async def test_the_headers_of_a_slow_answer_come_at_once(gateway, upstream, client):
    go_on = asyncio.Event()

    async def serve(request, body):
        response = web.StreamResponse()
        await response.prepare(request)
        await go_on.wait()
        return response

    upstream.serve = serve
    to = await gateway(to=upstream.url)
    async with client.get(to.base) as answer:
        assert answer.status == 200
        go_on.set()
        assert await answer.read() == b""


@pytest.mark.parametrize(
    ("method", "status", "sent"),
    [("HEAD", 200, {"Content-Length": "12345"}), ("GET", 204, {}), ("GET", 304, {"ETag": '"a"'})],
)
async def test_answers_without_a_body(gateway, upstream, client, headers, method, status, sent):
    upstream.serve = lambda request, body: web.Response(status=status, headers=sent)
    to = await gateway(to=upstream.url)
    for _ in range(2):  # the connection is fit for another request
        async with client.request(method, to.base, headers=headers) as answer:
            assert (answer.status, await answer.read()) == (status, b"")
            assert all(answer.headers[name] == value for name, value in sent.items())
            assert "Transfer-Encoding" not in answer.headers


async def test_a_caller_that_waits_with_its_body_is_told_to_go_on(gateway, upstream, headers):
    to = await gateway(to=upstream.url)
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(to))
    named = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n{named}\r\n".encode())
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"body")
    assert b" 200 OK" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    writer.close()
    assert upstream.bodies == [b"body"] and "Expect" not in upstream.seen[0].headers


async def test_compressed_answers_pass_through_compressed(gateway, upstream, client, pharos, headers):
    packed = gzip.compress(b'{"a": 1}')
    upstream.serve = lambda request, body: web.Response(body=packed, headers={"Content-Encoding": "gzip"})
    to = await gateway(to=upstream.url)
    async with client.get(to.base, headers=headers) as answer:
        assert (await answer.read(), answer.headers["Content-Encoding"]) == (packed, "gzip")


async def test_trailers_are_dropped_and_old_clients_served(gateway, listening):
    class Trailing(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
            self.transport.write(head + b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n")

    to = await gateway(to=f"http://127.0.0.1:{await listening(Trailing)}")
    new = await raw(port_of(to), b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert new.endswith(b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n") and b"X-Sum" not in new
    old = await raw(port_of(to), b"GET / HTTP/1.0\r\n\r\n")
    assert old.endswith(b"\r\n\r\nabc") and b"chunked" not in old


async def test_an_upstream_that_breaks_off_is_seen_by_the_caller(gateway, client, listening, pharos, headers):
    class Breaking(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
            asyncio.get_running_loop().call_later(0.05, self.transport.close)

    to = await gateway(to=f"http://127.0.0.1:{await listening(Breaking)}")
    async with client.get(to.base, headers=headers) as answer:
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
    assert pharos.captured == []


async def test_websockets_pass_through(gateway, upstream, client, headers):
    async def serve(request, body):
        socket = web.WebSocketResponse(protocols=["chat"])
        await socket.prepare(request)
        async for message in socket:
            await (socket.send_str if message.type == aiohttp.WSMsgType.TEXT else socket.send_bytes)(message.data)
            if message.data == "leave":
                await socket.close(code=4001)
        return socket

    upstream.serve = serve
    to = await gateway(to=upstream.url)
    async with client.ws_connect(to.base, headers=headers, protocols=["chat"]) as socket:
        assert socket.protocol == "chat"
        await socket.send_str("hello")
        assert await socket.receive_str(timeout=5) == "hello"
        await socket.send_bytes(LARGE)
        assert await socket.receive_bytes(timeout=5) == LARGE
        await socket.send_str("leave")
        assert await socket.receive_str(timeout=5) == "leave"
        assert (await socket.receive(timeout=5)).data == 4001


@pytest.mark.parametrize(
    ("to", "status", "code"),
    [
        ("http://127.0.0.1:1", 502, "upstream_unreachable"),
        ("http://nowhere.invalid", 502, "upstream_unreachable"),
        ("http://169.254.169.254", 403, "target_refused"),
        ("http://[::ffff:169.254.169.254]", 403, "target_refused"),
        ("https://localhost:1", 502, "upstream_unreachable"),
    ],
)
async def test_why_there_is_no_answer(gateway, client, to, status, code):
    started = await gateway(to=to)
    async with client.get(started.base, headers=SESSION) as answer:
        assert (answer.status, (await answer.json())["error"]) == (status, code)
        assert answer.headers["x-pharos-gateway"] == code


async def test_a_certificate_must_be_valid_unless_it_is_said(gateway, tls_upstream, client):
    by_name = await gateway(to=tls_upstream.url)
    async with client.get(by_name.base) as answer:
        assert answer.status == 200
    by_address = await gateway(to=tls_upstream.url.replace("localhost", "127.0.0.1"))
    async with client.get(by_address.base) as answer:
        assert (answer.status, (await answer.json())["error"]) == (502, "upstream_certificate")


async def test_oversized_headers_and_too_many_callers(gateway, upstream, client):
    to = await gateway(to=upstream.url, connections=1)
    assert b" 400 " in await raw(port_of(to), b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n")
    async with client.get(to.base) as answer:
        assert answer.status == 200
        assert b" 503 " in await raw(port_of(to), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


async def test_a_body_that_is_no_proper_http(gateway, upstream, pharos, headers, caplog):
    to = await gateway(to=upstream.url)
    named = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n{named}\r\n".encode()
    assert b" 400 " in await raw(port_of(to), head + b"3\r\nabc\r\nzz\r\n")
    assert (pharos.asked, upstream.bodies, caplog.records) == ([], [], [])


async def test_a_body_that_stops_in_the_middle(gateway, upstream, headers):
    to = await gateway(to=upstream.url, idle_s=0.3)
    named = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nConnection: close\r\n{named}\r\n".encode()
    assert b" 408 " in await raw(port_of(to), head + b"abc", until_end=False)
    assert upstream.bodies == []


async def test_silent_callers_are_let_go(gateway, upstream):
    to = await gateway(to=upstream.url, idle_s=0.1)
    assert await raw(port_of(to), b"GET / HTTP/1.1\r\nHos") == b""
