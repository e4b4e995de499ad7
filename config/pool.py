"""WSGI in a fixed pool of threads, behind a door that lets no slow sender hold a thread."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

from a2wsgi import WSGIMiddleware
from django.conf import settings

from config import later
from config.api.envelopes import render
from config.api.errors import ApiError, TooLarge

BODY_TIMEOUT_S = 30


class TooSlow(ApiError):
    status, code = 408, "request_timeout"


class WsgiPool:
    """Reads the body on the event loop, bounded in size and time, then runs the WSGI application in a thread."""

    def __init__(self, application: Any, *, threads: int) -> None:
        self._wsgi = WSGIMiddleware(application, workers=threads)

    async def __call__(self, scope: dict, receive: Any, send: Any, most_bytes: int | None = None) -> None:
        """`most_bytes` is how large a body may be, when the view takes larger ones than usual."""
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                body = await read_body(receive, most_bytes or settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        except TimeoutError:
            await refuse(TooSlow("The body did not arrive in time"), scope, send)
            return
        except TooLarge as error:
            await refuse(error, scope, send)
            return
        if body is None:
            return

        async def whole() -> dict:
            return {"type": "http.request", "body": body, "more_body": False}

        headers = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        with later.Request(scope | {"headers": headers}, send) as request:
            await self._wsgi(request.scope, whole, request.send)
            await request.finish()


async def read_body(receive: Any, limit: int) -> bytes | None:
    """The request's body; None when the client left. Raises TooLarge above `limit` bytes."""
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"The body is larger than {limit} bytes")
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


async def refuse(error: ApiError, scope: dict, send: Any) -> None:
    """Answer with the error in the envelope of the path, without Django."""
    headers = {name.decode("latin-1").title(): value.decode("latin-1") for name, value in scope["headers"]}
    request = SimpleNamespace(path=scope["path"], method=scope["method"], headers=headers)
    status, body, extra = render(error, request)
    extra |= {"Connection": "close", "X-Content-Type-Options": "nosniff"}
    await answer(send, status, json.dumps(body).encode(), extra)


async def answer(send: Any, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
    """Send a whole JSON answer."""
    pairs = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    pairs += [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
