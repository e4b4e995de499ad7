"""Requests with values that are drawn anew each time."""

import re
import uuid
from typing import Any

from loadtest.engine.dynamic import LENGTH, draw
from loadtest.engine.plan import Mode, RunSpec
from loadtest.engine.rendering import endless, renderer
from loadtest.engine.stats import Cell

BODY = (b"POST /", "$randomInt", b"?q=100% HTTP/1.1\r\nHost: x\r\nContent-Length: ", LENGTH,
        b'\r\nX-Id: 1\r\n\r\n{"id": "', "$guid", b'", "share": "5%", "name": "', "$randomFullName", b'"}')  # fmt: skip
HEAD_ONLY = (b"GET /?id=", "%$guid", b" HTTP/1.1\r\nHost: x\r\n\r\n")


def check(request: bytes) -> str:
    head, _, body = request.partition(b"\r\n\r\n")
    assert re.match(rb"POST /\d+\?q=100% HTTP/1.1\r\nHost: x\r\nContent-Length: \d+\r\nX-Id: 1$", head)
    assert b"Content-Length: %d\r\n" % len(body) in head
    found = re.fullmatch(rb'{"id": "(.{36})", "share": "5%", "name": "\w+ \w+"}', body)
    assert found
    return str(uuid.UUID(found[1].decode()))


def test_rendered_as_drawn() -> None:
    render = renderer(BODY)
    assert len({check(render()) for _ in range(200)}) == 200
    check(draw(BODY))
    assert re.fullmatch(rb"GET /\?id=[0-9a-f-]{36} HTTP/1.1\r\nHost: x\r\n\r\n", renderer(HEAD_ONLY)())


def test_plain_requests_and_templates_take_turns() -> None:
    following = endless([b"plain", HEAD_ONLY])
    requests = [following() for _ in range(6)]
    assert requests[::2] == [b"plain"] * 3
    assert len(set(requests[1::2])) == 3
    assert [endless([b"a", b"b"])() for _ in range(2)] == [b"a", b"a"]


def test_every_request_of_a_run_is_its_own(serve: Any, drive: Any) -> None:
    server = serve()
    done = drive(server.url, method="POST", requests=(BODY,), iterations=1200, concurrency=3)
    assert done.statuses == {200: 1200}
    assert len({check(request) for request in server.requests}) == 1200
    assert done.figures[Cell.BYTES_SENT] == sum(map(len, server.requests))


def test_on_schedule(serve: Any, drive: Any) -> None:
    server = serve()
    drive(server.url, method="POST", requests=(BODY,), mode=Mode.CONSTANT_RPS, rate=200.0, duration_s=0.2)
    assert len({check(request) for request in server.requests}) == 40


def test_travels_as_json() -> None:
    sent = RunSpec(
        mode=Mode.ITERATIONS,
        iterations=1,
        concurrency=1,
        addresses=(("127.0.0.1", 1),),
        requests=(BODY, b"plain", (b"only", "$guid")),
    )
    assert RunSpec.from_json(sent.to_json()) == sent
