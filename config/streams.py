"""Server-sent events: what every stream view shares. The views are async and run on the event loop.

A view declares `roles` like any API view, and `open` gives an answer or a generator of text. A generator that has
nothing to say yields an empty text now and then; a comment then keeps the connection alive. When the reader leaves,
the generator is closed, so its `finally` blocks run.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import close_old_connections
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views import View
from rest_framework.request import Request

from config.api.envelopes import as_api_error, error_response
from config.api.errors import ApiError
from config.api.permissions import require
from config.api.throttling import RateLimit
from config.stopping import stopping

KEEP_ALIVE_S = 15.0
QUERY_THREADS = 4
Chunks = AsyncGenerator[str, None]
Result = TypeVar("Result")

# Readers of all streams share a few threads and their connections, so that many readers cannot exhaust the database.
_threads = ThreadPoolExecutor(QUERY_THREADS, thread_name_prefix="stream-query")


async def query(function: Callable[..., Result], *arguments: Any) -> Result:
    """Call a function that uses the database without holding up the event loop."""

    def call() -> Result:
        close_old_connections()
        try:
            return function(*arguments)
        finally:
            close_old_connections()  # a broken one too

    return await asyncio.get_running_loop().run_in_executor(_threads, call)


class StreamView(View):
    """A stream at a path. `open` raises ApiError, which is answered in the envelope of the path."""

    roles: dict[str, str] = {}
    http_method_names = ["get", "options"]

    async def open(self, request: HttpRequest, **kwargs: str) -> HttpResponseBase | Chunks:
        raise NotImplementedError

    async def get(self, request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        try:
            await query(self._admit, request)
            opened = await self.open(request, **kwargs)
        except Exception as fault:
            error = as_api_error(fault, request)
            if error is None:
                raise
            return error_response(error, request)
        if isinstance(opened, HttpResponseBase):
            return opened
        return StreamingHttpResponse(
            kept_alive(opened),
            content_type="text/event-stream",
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )

    def _admit(self, request: Any) -> None:
        """Raise unless the caller may read this, and not too often."""
        RateLimit().allow_request(Request(request), self)
        if request.refusal:
            raise request.refusal
        require(request.principal, self.roles["get"])

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        async def answer() -> HttpResponseBase:
            return error_response(ApiError(f"{request.method} is not allowed here", status=405), request)

        return answer()


async def kept_alive(chunks: Chunks) -> Chunks:
    """The chunks, with a comment after 15 s of silence. Ends when the process is to stop: readers resume elsewhere."""
    spoke_at = time.monotonic()
    try:
        async for chunk in chunks:
            now = time.monotonic()
            if chunk or now - spoke_at >= KEEP_ALIVE_S:
                spoke_at = now
                yield chunk or ": keep-alive\n\n"
            if stopping.is_set():
                return
    finally:
        await chunks.aclose()


def event(data: str, *, name: str, number: int | None = None) -> str:
    """One event; `number` is its id, where a reader can resume."""
    return f"event: {name}\n{'' if number is None else f'id: {number}{chr(10)}'}data: {data}\n\n"
