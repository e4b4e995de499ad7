"""Collectors: requests in the words of OTLP and Prometheus, sent through both doors."""

import gzip
from typing import Any

import cramjam
import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator

from tests.factories import make_key

OTEL, WRITE = "/api/v1/otel/v1", "/api/v1/prometheus/write"
PROTOBUF, JSON = "application/x-protobuf", "application/json"


@pytest.fixture
def operator(db: None) -> str:
    return make_key(role="OPERATOR")[1]


class Answer:
    """Status, headers in lower case, and body."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


@async_to_sync
async def over_asgi(path: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Through the event loop."""
    from config.asgi import http

    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": path, "headers": pairs}
    scope |= {
        "query_string": b"",
        "scheme": "http",
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
    }
    client = ApplicationCommunicator(http, scope)
    await client.send_input({"type": "http.request", "body": body})
    start = await client.receive_output(10)
    answer = await client.receive_output(10)
    await client.wait(5)
    return Answer(start["status"], {n.decode(): v.decode() for n, v in start["headers"]}, answer["body"])


def over_wsgi(path: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Through a pooled thread."""
    from django.test import Client

    kind = headers.get("Content-Type", "application/octet-stream")
    answer = Client().post(path, body, content_type=kind, headers=headers)
    return Answer(answer.status_code, {name.lower(): value for name, value in answer.items()}, answer.content)


DOORS = {"asgi": over_asgi, "wsgi": over_wsgi}


def send(
    path: str, body: bytes, key: str | None, kind: str = PROTOBUF, *, door: str = "asgi", **headers: str
) -> Answer:
    """One request; `headers` as `Content_Encoding="gzip"`."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    if key:
        more["Authorization"] = f"Bearer {key}"
    return DOORS[door](path, body, {"Content-Type": kind, **more})


def zipped(body: bytes) -> dict[str, Any]:
    return {"body": gzip.compress(body), "Content_Encoding": "gzip"}


def snappy(body: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(body))
