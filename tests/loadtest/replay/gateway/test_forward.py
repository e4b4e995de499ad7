"""The forward proxy: absolute addresses, blind tunnels, opened ones, and what is closed to all (contract §12)."""

import asyncio
import ssl

import pytest
from aiohttp import web

A = {"x-softprobe-session-id": "sess_a"}


def port_of(gateway):
    return int(gateway.addresses[0].rpartition(":")[2])


async def connect(gateway, authority, *, tls=None, host="localhost"):
    """A connection through CONNECT: the status line, then reader and writer of what lies behind."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(gateway))
    writer.write(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    if tls:
        await writer.start_tls(tls, server_hostname=host)
    return head.split(b"\r\n")[0], reader, writer


@pytest.fixture
def trusting(ca_file):
    return ssl.create_default_context(cafile=str(ca_file))


async def test_absolute_addresses_of_many_hosts(gateway, upstream, client, pharos):
    to = await gateway(forward=True)
    for host in ("127.0.0.1", "localhost"):
        address = f"http://{host}:{upstream.port}/p?q=1"
        async with client.get(address, proxy=to.base, headers=A) as answer:
            assert (answer.status, await answer.text()) == (200, "ok")
    assert [(seen.raw_path, seen.headers["Host"]) for seen in upstream.seen] == [
        ("/p?q=1", f"127.0.0.1:{upstream.port}"),
        ("/p?q=1", f"localhost:{upstream.port}"),
    ]
    assert [asked.authority for asked in pharos.asked] == [
        f"{host}:{upstream.port}" for host in ("127.0.0.1", "localhost")
    ]


async def test_hosts_that_are_not_listed_are_tunnelled_unread(gateway, tls_upstream, client, pharos):
    to = await gateway(forward=True, intercept=["elsewhere.example"], session="sess_a")
    async with client.post(tls_upstream.url, proxy=to.base, data=b"secret" * 100_000) as answer:
        assert await answer.read() == b"secret" * 100_000
    assert (pharos.asked, to.proxy.count.requests) == ([], 0)


async def test_listed_hosts_are_opened_in_their_name(gateway, tls_upstream, client, pharos):
    to = await gateway(forward=True, intercept=["localhost"])
    async with client.post(f"{tls_upstream.url}/p", proxy=to.base, data=b"seen", headers=A) as answer:
        assert (answer.status, await answer.read()) == (200, b"seen")
    [asked] = pharos.asked
    assert (asked.tags["url.full"], asked.body.text) == (f"{tls_upstream.url}/p", "seen")
    assert tls_upstream.seen[0].headers["Host"] == f"localhost:{tls_upstream.port}"


async def test_a_websocket_through_an_opened_tunnel(gateway, tls_upstream, client):
    async def serve(request, body):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(await socket.receive_str())
        await socket.close()
        return socket

    tls_upstream.serve = serve
    to = await gateway(forward=True, intercept=["*"])
    async with client.ws_connect(tls_upstream.url, proxy=to.base, headers=A) as socket:
        await socket.send_str("hello")
        assert await socket.receive_str(timeout=5) == "hello"


async def test_an_opened_tunnel_speaks_http_1_with_a_certificate_of_the_host(gateway, upstream, trusting, pharos):
    trusting.set_alpn_protocols(["h2", "http/1.1"])
    to = await gateway(forward=True, intercept=[".bank.example"])
    line, reader, writer = await connect(to, "api.bank.example:443", tls=trusting, host="api.bank.example")
    assert line == b"HTTP/1.1 200 Connection established"
    tls = writer.get_extra_info("ssl_object")
    assert tls.selected_alpn_protocol() == "http/1.1"
    assert tls.getpeercert()["subjectAltName"] == (("DNS", "api.bank.example"),)
    writer.close()


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET / HTTP/1.1", 400),  # as if it were a server
        (b"GET http://user:pw@127.0.0.1/ HTTP/1.1", 400),
        (b"GET http://127.0.0.1:99999/ HTTP/1.1", 400),
        (b"GET ftp://127.0.0.1/ HTTP/1.1", 400),
        (b"GET http://169.254.169.254/latest/meta-data HTTP/1.1", 403),
        (b"GET http://[fd00:ec2::254]/ HTTP/1.1", 403),
        (b"GET http://0.0.0.0/ HTTP/1.1", 403),
        (b"CONNECT 169.254.169.254:443 HTTP/1.1", 403),
        (b"CONNECT [::ffff:169.254.169.254]:443 HTTP/1.1", 403),
        (b"CONNECT 0xA9FEA9FE:80 HTTP/1.1", 403),  # the resolver reads it as 169.254.169.254
        (b"CONNECT 127.0.0.1:1 HTTP/1.1", 502),
        (b"CONNECT nowhere.invalid:443 HTTP/1.1", 502),
        (b"CONNECT / HTTP/1.1", 400),
        (b"CONNECT a:b:c HTTP/1.1", 400),
        (b"CONNECT .:443 HTTP/1.1", 400),
        (b"CONNECT " + b"a" * 64 + b".example:443 HTTP/1.1", 400),
        (b"GET http://a..b/ HTTP/1.1", 502),
        (b"CONNECT a..b:443 HTTP/1.1", 400),
        (b"CONNECT \xff:443 HTTP/1.1", 400),
        (b"CONNECT " + b"a" * 70_000, 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", 400),  # TLS to a plain port
    ],
)
async def test_what_is_refused(gateway, request_line, status):
    to = await gateway(forward=True, intercept=["*.opened.example"])
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(to))
    writer.write(request_line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (await asyncio.wait_for(reader.readline(), 15)).split(b" ")[1] == str(status).encode()
    writer.close()


@pytest.mark.parametrize("way", ["absolute", "CONNECT"])
async def test_a_request_to_itself_goes_round_once(gateway, client, way):
    to = await gateway(forward=True)
    if way == "CONNECT":
        line, _, writer = await connect(to, f"localhost:{port_of(to)}")
        writer.close()
        assert line.split(b" ")[1] == b"403"
        return
    async with client.get(f"http://localhost:{port_of(to)}/", proxy=to.base) as answer:
        assert (answer.status, (await answer.json())["error"]) == (403, "target_refused")


async def test_a_reverse_listener_that_stands_before_itself(gateway, upstream, client):
    to = await gateway(to=upstream.url)
    upstream.serve = lambda request, body: web.Response()
    to._guard.own("127.0.0.1", upstream.port)
    async with client.get(to.base) as answer:
        assert (answer.status, (await answer.json())["error"]) == (403, "target_refused")


async def test_both_ends_of_a_tunnel_end_together(gateway, listening):
    ended, begun = asyncio.Event(), asyncio.Queue()

    class Far(asyncio.Protocol):
        def connection_made(self, transport):
            begun.put_nowait(transport)

        def connection_lost(self, error):
            ended.set()

    to = await gateway(forward=True, connections=1)
    port = await listening(Far)
    _, _, writer = await connect(to, f"127.0.0.1:{port}")
    await asyncio.wait_for(begun.get(), 5)
    writer.close()
    await asyncio.wait_for(ended.wait(), 5)
    line = b""
    while b" 200 " not in line:  # the place of the first is free again, now or soon
        line, reader, writer = await connect(to, f"127.0.0.1:{port}")
    (await asyncio.wait_for(begun.get(), 5)).close()
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
