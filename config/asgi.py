"""The ASGI application: HTTP through pooled threads, streams and sockets on the event loop.

Write `def` views; write `async def` only for streams. Django's own ASGI handler starts threads for each request;
the pool answers the same view for less than half the CPU.
"""

import gc
import os
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from asgiref.sync import iscoroutinefunction  # knows class-based views too, unlike that of inspect
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.urls import Resolver404, re_path, resolve

from config.pool import WsgiPool

looped = get_asgi_application()  # sets Django up, so that the imports below find their models
pooled = WsgiPool(get_wsgi_application(), threads=settings.ASGI_THREADS)

from fleet.agents.consumers import AgentConsumer
from fleet.deployments.consumers import DeploymentConsumer
from fleet.live.consumers import BrowserConsumer
from fleet.live.streams import MetricsStreamConsumer
from fleet.terminals.consumers import TerminalConsumer
from security.tickets.sockets import SocketPrincipal, unknown_path

sockets = SocketPrincipal(
    URLRouter(
        [
            re_path(r"^ws/agent/?$", AgentConsumer.as_asgi()),
            re_path(r"^ws/terminal/(?P<session_id>[^/]+)/?$", TerminalConsumer.as_asgi()),
            re_path(r"^ws/deployments/(?P<deployment_id>[^/]+)/?$", DeploymentConsumer.as_asgi()),
            re_path(r"^ws/metrics/stream/?$", MetricsStreamConsumer.as_asgi()),
            re_path(r"^ws(?:/instances|/fleet|/console)?/?$", BrowserConsumer.as_asgi()),
            re_path(r"", unknown_path),
        ]
    )
)


async def http(scope: dict, receive: object, send: object) -> None:
    """Send a request where it is answered cheapest.

    A view with an attribute `asgi` answers by itself on the loop (ingest); an async view is a stream and goes
    through Django on the loop; every other view runs in a pooled thread. A view that takes large bodies says so in
    `most_bytes`.
    """
    way, arguments = way_to(scope["path"])
    await way(scope, receive, send, **arguments)


@lru_cache(maxsize=20_000)
def way_to(path: str) -> tuple[Callable[..., Awaitable[None]], dict[str, Any]]:
    """Who answers the path, and what it takes from it. Kept: to find this out costs more than a heartbeat."""
    try:
        match = resolve(path)
    except Resolver404:
        return pooled, {}
    if direct := getattr(match.func, "asgi", None):
        return direct, match.kwargs
    if iscoroutinefunction(match.func):
        return looped, {}
    most_bytes = getattr(getattr(match.func, "cls", match.func), "most_bytes", None)
    return pooled, {"most_bytes": most_bytes} if most_bytes else {}


async def lifespan(scope: dict, receive: object, send: object) -> None:
    """Nothing to prepare: the parts start with the process."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


application = ProtocolTypeRouter({"http": http, "websocket": sockets, "lifespan": lifespan})
# What is loaded is not looked through for cycles again: with 1,000 agents that took a sixth of a server's time.
gc.freeze()
