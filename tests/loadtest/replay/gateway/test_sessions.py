"""Who answers a request that belongs to a session, and what is told of it (contract: traffic replay §8 and §12)."""

import asyncio
import gzip
import json

import pytest
from aiohttp import web

from loadtest.replay.gateway import control, uploads
from loadtest.replay.spans import hits
from tests.loadtest.replay.gateway.conftest import hit

A = {"x-softprobe-session-id": "sess_a"}
TRACE = "0af7651916cd43dd8448eb211c80319c"


async def flushed(gateway):
    assert await gateway.uploads.flush(5)


async def test_without_a_session_nothing_is_asked_and_nothing_added(gateway, upstream, client, pharos):
    to = await gateway(to=upstream.url)
    async with client.get(to.base, headers={"tracestate": "vendor=1", "x-softprobe-session-id": "no id at all"}):
        pass
    await flushed(to)
    assert (pharos.asked, pharos.uploads) == ([], [])
    assert "traceparent" not in upstream.seen[0].headers
    assert upstream.seen[0].headers["tracestate"] == "vendor=1"


async def test_a_miss_is_forwarded_and_reported(gateway, upstream, client, pharos):
    upstream.serve = lambda request, body: web.Response(
        status=201, body=b"\x00\xff", headers=[("X-A", "1"), ("X-A", "2")]
    )
    to = await gateway(to=upstream.url, service="orders")
    headers = {**A, "traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "tracestate": "vendor=1", "X-One": "1"}
    async with client.post(f"{to.base}/p?q=1", data=b'{"n": 1}', headers=headers) as answer:
        assert answer.headers["x-softprobe-session-id"] == "sess_a"
    await flushed(to)
    [asked], [[told]] = pharos.asked, pharos.uploads
    for exchange, kind in ((asked, "inject"), (told, "extract")):
        assert (exchange.kind, exchange.session_id, exchange.direction) == (kind, "sess_a", "outbound")
        assert (exchange.service, exchange.method, exchange.target) == ("orders", "POST", "/p?q=1")
        assert exchange.authority == f"127.0.0.1:{upstream.port}"
        assert exchange.tags["url.full"] == f"{upstream.url}/p?q=1"
        assert (exchange.body.text, exchange.trace_id) == ('{"n": 1}', TRACE)
        names = dict(exchange.headers)
        assert names["x-one"] == "1" and not {"x-softprobe-session-id", "connection", "content-length"} & names.keys()
    assert asked.response is None and told.response.status == 201
    assert told.response.body.content == b"\x00\xff" and told.response.body.encoding == "base64"
    assert [value for name, value in told.response.headers if name == "x-a"] == ["1", "2"]
    assert 0 < told.started_ns <= told.ended_ns
    seen = upstream.seen[0].headers
    assert seen["traceparent"] == headers["traceparent"]
    assert seen["tracestate"] == "x-softprobe-session-id=sess_a,vendor=1"
    assert pharos.keys == {"Bearer k3y"}


async def test_a_hit_is_the_answer_and_the_upstream_is_not_called(gateway, upstream, client, pharos):
    to = await gateway(to=upstream.url)
    pharos.answer = lambda asked: hit(
        418, b"\x1f\x8b\x00raw", content_type="x/y", content_length="999", connection="close", set_cookie="a=1"
    )
    async with client.get(to.base, headers=A) as answer:
        assert (answer.status, await answer.read()) == (418, b"\x1f\x8b\x00raw")
        assert (answer.headers["Content-Type"], answer.headers["Set-Cookie"]) == ("x/y", "a=1")
        assert answer.headers["x-softprobe-session-id"] == "sess_a"
    async with client.head(to.base, headers=A) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (418, "6")
    pharos.answer = lambda asked: hit(204)
    async with client.get(to.base, headers=A) as answer:
        assert (answer.status, await answer.read()) == (204, b"")
    await flushed(to)
    assert (upstream.seen, pharos.uploads, to.proxy.count.answered) == ([], [], 3)


@pytest.mark.parametrize("unusable", [{"x": "a\r\nSet-Cookie: b"}, {"x": "a\0"}, {}])
async def test_an_answer_that_no_response_can_carry(gateway, upstream, client, pharos, unusable):
    pharos.answer = lambda asked: hit(200 if unusable else 101, b"x", **unusable)
    to = await gateway(to=upstream.url)
    async with client.get(to.base, headers=A) as answer:
        assert (answer.status, (await answer.json())["error"]) == (502, "unusable_mock")
        assert "Set-Cookie" not in answer.headers


async def test_a_text_is_not_called_compressed(gateway, upstream, client, pharos):
    """Archives of browsers keep `content-encoding: gzip` beside a body that is unfolded already."""
    pharos.answer = lambda asked: hit(200, b"plain", content_encoding="gzip")
    to = await gateway(to=upstream.url)
    async with client.get(to.base, headers=A) as answer:
        assert (await answer.read(), answer.headers.get("Content-Encoding")) == (b"plain", None)


@pytest.mark.parametrize("status", [599, 500, 401, 200])
async def test_a_refusal_is_handed_on_as_json(gateway, upstream, client, pharos, status):
    body = json.dumps({"error": "strict_miss"})
    marked = {"x-softprobe-strict-miss": "1"} if status == 599 else {}
    pharos.answer = lambda asked: web.Response(status=status, text=body, content_type="text/plain", headers=marked)
    to = await gateway(to=upstream.url, fail_open=False)
    async with client.get(to.base, headers=A) as answer:
        assert answer.content_type == "application/json"
        if status == 200:  # a hit that is no OTLP
            assert (answer.status, (await answer.json())["error"]) == (503, "replay_unavailable")
        else:
            assert (answer.status, await answer.text()) == (status, body)
            assert answer.headers.get("x-softprobe-strict-miss") == marked.get("x-softprobe-strict-miss")
    assert upstream.seen == []


async def test_a_delay_is_kept_here_and_may_be_longer_than_an_answer_may_take(
    gateway, upstream, client, pharos, monkeypatch
):
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    monkeypatch.setattr(control, "sleep", sleep)
    body, _ = hits.hit(hit(200, b"late"), as_json=True)
    for told, seconds in (("12345", 12.345), ("99999999", 30), ("soon", None)):
        delayed = {"x-pharos-delay-ms": told}
        pharos.answer = lambda asked, sent=delayed: web.Response(body=body, headers=sent)
        to = await gateway(to=upstream.url)
        async with client.get(to.base, headers=A) as answer:
            assert (answer.status, await answer.read()) == (200, b"late")
        assert waited == ([seconds] if seconds else [])
        waited.clear()


@pytest.mark.parametrize("failure", ["down", "slow", "no OTLP"])
@pytest.mark.parametrize("fail_open", [True, False])
async def test_when_pharos_does_not_answer(gateway, upstream, client, pharos, fail_open, failure, monkeypatch):
    monkeypatch.setattr(uploads, "PAUSES_S", ())
    to = await gateway(to=upstream.url, fail_open=fail_open, url="http://127.0.0.1:1" if failure == "down" else "")
    to._control._ask_s = 0.1
    pharos.answer = lambda asked: asyncio.sleep(1) if failure == "slow" else web.Response(text="?")
    async with client.get(to.base, headers=A) as answer:
        assert answer.status == (200 if fail_open else 503)
    assert len(upstream.seen) == (1 if fail_open else 0)
    assert to.proxy.count.failures == 1


async def test_two_sessions_and_a_bound_one_do_not_mix(gateway, upstream, client, pharos):
    pharos.answer = lambda asked: hit(200, asked.session_id.encode()) if asked.session_id != "sess_free" else None
    to = await gateway(to=upstream.url, session="sess_bound")

    async def ask(headers):
        async with client.get(to.base, headers=headers) as answer:
            return await answer.text(), answer.headers["x-softprobe-session-id"]

    wanted = ["sess_a", "sess_b", "sess_bound"] * 10
    given = await asyncio.gather(
        *(ask({} if name == "sess_bound" else {"tracestate": f"x=1,sp={name};o"}) for name in wanted)
    )
    assert given == [(name, name) for name in wanted]
    assert (await ask({"x-softprobe-session-id": "sess_free"}))[0] == "ok"
    await flushed(to)
    assert [exchange.session_id for exchange in pharos.captured] == ["sess_free"]


async def test_a_listener_has_its_own_session(gateway, upstream, client, pharos):
    to = await gateway(to=upstream.url, session="sess_all", bind="sess_here", direction="inbound")
    async with client.get(to.base, headers={"Host": "shop.example"}):
        pass
    [asked] = pharos.asked
    assert (asked.session_id, asked.direction, asked.authority) == ("sess_here", "inbound", "shop.example")
    assert upstream.seen[0].headers["Host"] == "shop.example"


async def test_bodies_are_kept_up_to_a_limit_and_unfolded_for_storage(gateway, upstream, client, pharos):
    answers = {"/folded": (gzip.compress(b'{"a": 1}'), {"Content-Encoding": "gzip"}), "/long": (b"y" * 900_000, {})}
    upstream.serve = lambda request, body: web.Response(body=answers[request.path][0], headers=answers[request.path][1])
    to = await gateway(to=upstream.url, keep=1000)
    for path, sent in (("/folded", b"x" * 1000), ("/long", b"x" * 500_000)):
        async with client.post(to.base + path, data=sent, headers=A) as answer:
            assert await answer.read() == answers[path][0]
    await flushed(to)
    assert upstream.bodies == [b"x" * 1000, b"x" * 500_000]
    assert [(len(asked.body.text), asked.body.truncated) for asked in pharos.asked] == [(1000, False), (1000, True)]
    folded, long = (exchange.response for exchange in pharos.captured)
    assert (folded.body.text, "content-encoding" in dict(folded.headers)) == ('{"a": 1}', False)
    assert (len(long.body.text), long.body.truncated) == (1000, True)


async def test_spying_never_asks_and_static_files_can_be_left_out(gateway, upstream, client, pharos):
    pharos.answer = lambda asked: hit(500)
    to = await gateway(to=upstream.url, spy=True, skip_static=True)
    for path in ("/api", "/app.css?v=1"):
        async with client.get(to.base + path, headers=A) as answer:
            assert answer.status == 200
    await flushed(to)
    assert (pharos.asked, [exchange.target for exchange in pharos.captured]) == ([], ["/api"])


async def test_uploads_wait_in_a_bounded_queue_and_reach_pharos_in_order(gateway, upstream, client, pharos):
    pharos.upload_gate.clear()
    to = await gateway(to=upstream.url)
    to.uploads._most = 30
    for number in range(40):
        async with client.get(f"{to.base}/{number}", headers=A) as answer:
            assert answer.status == 200
    pharos.upload_gate.set()
    await flushed(to)
    paths = [exchange.target for exchange in pharos.captured]
    assert paths == [f"/{number}" for number in range(len(paths))]
    assert 30 <= len(paths) < 40 and to.uploads.count.dropped == 40 - len(paths)
    assert len(pharos.uploads[0]) == 1 and len(pharos.uploads[1]) > 16  # alone when few wait, together when many do


async def test_what_pharos_does_not_want_is_counted(gateway, upstream, client, pharos):
    pharos.upload_status = 404
    to = await gateway(to=upstream.url)
    async with client.get(to.base, headers=A):
        pass
    await flushed(to)
    assert (to.uploads.count.refused, to.uploads.count.uploaded) == (1, 0)


async def test_the_end_waits_for_requests_and_uploads(gateway, upstream, client, pharos):
    go_on = asyncio.Event()

    async def serve(request, body):
        await go_on.wait()
        return web.Response(text="late")

    upstream.serve = serve
    to = await gateway(to=upstream.url)
    request = asyncio.create_task(client.get(to.base, headers=A))
    while not pharos.asked:
        await asyncio.sleep(0.01)
    stopping = asyncio.create_task(to.stop())
    await asyncio.sleep(0.05)
    go_on.set()
    async with await request as answer:
        assert await answer.text() == "late"
    await stopping
    assert len(pharos.captured) == 1
