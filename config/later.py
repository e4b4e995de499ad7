"""Answers that take their time: a view ends, and the event loop finishes what it began.

Threads of the pool are too few to wait in, and a connection to the database waits with each. So a view that waits for
something else than the database returns `finish_later(response, finish)`: `finish` is awaited on the event loop, and
what it gives is the answer. A server without an event loop sends `response` as it is.
"""

from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, TypeVar

from django.http import HttpResponseBase

Given = TypeVar("Given", bound=HttpResponseBase)
Finish = Callable[[], Awaitable[HttpResponseBase]]

HEADER = b"x-pharos-request"
_META = "HTTP_X_PHAROS_REQUEST"
_numbers = count(1)
_open: dict[str, Finish | None] = {}


def can_wait(request: Any) -> bool:
    """Whether the request came over an event loop, which can finish its answer."""
    return request.META.get(_META) in _open


def finish_later(request: Any, response: Given, finish: Finish) -> Given:
    """Have `finish` make the answer, if the request came over the event loop."""
    if can_wait(request):
        _open[request.META[_META]] = finish
    return response


class Request:
    """One request on its way through a thread, and what it left for the event loop."""

    def __init__(self, scope: dict, send: Any) -> None:
        self._number, self._send = str(next(_numbers)), send
        self._headers: list[tuple[bytes, bytes]] = []
        kept = [pair for pair in scope["headers"] if pair[0].lower() != HEADER]  # nobody else names a request
        self.scope = scope | {"headers": [*kept, (HEADER, self._number.encode())]}

    def __enter__(self) -> "Request":
        _open[self._number] = None
        return self

    def __exit__(self, *fault: object) -> None:
        del _open[self._number]

    async def send(self, message: dict) -> None:
        """Pass the thread's answer on, unless another one follows."""
        if _open[self._number] is None:
            await self._send(message)
        elif message["type"] == "http.response.start":
            self._headers = message["headers"]

    async def finish(self) -> None:
        """Send what the event loop makes of it; the headers that are not about the body stay those of the thread."""
        if (finish := _open[self._number]) is None:
            return
        response = await finish()
        own = [(name.lower().encode(), value.encode()) for name, value in response.items()]
        body = b"".join(response)
        own.append((b"content-length", str(len(body)).encode()))
        named = {name for name, _ in own}
        kept = [(name, value) for name, value in self._headers if name.lower() not in named]
        await self._send({"type": "http.response.start", "status": response.status_code, "headers": [*kept, *own]})
        await self._send({"type": "http.response.body", "body": body})
