"""The WebSocket protocol of the server: uvicorn's, with what a server of many readers needs (`uvicorn --ws=…`).

A reader that does not answer two pings is cut off at once. Uvicorn would wait until the reader has read what is
buffered for it, which one that never reads never does. An agent that has just sent a message is not asked whether it is
there. Nothing is compressed: messages are short, and compressing each for every reader costs more than sending it.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State

TAKE_AT_ONCE = "pharos.take_at_once"
GRACE = 0.1  # of the time between pings: somebody who sends as often as that is never asked


def framed(text: str) -> dict[str, Any]:
    """The ASGI message that sends the text. A server that does not know `frame` frames the text itself."""
    frame = Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
    return {"type": "websocket.send", "text": text, "frame": frame}


class SocketConsumer(AsyncWebsocketConsumer):
    """A consumer without a channel layer, since live events come by `config.live`.

    It reads one message after the other, without a task for each and without a look at the thread's database
    connection: what needs the database goes through `database_sync_to_async`, which takes that look.
    """

    channel_layer = None

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        self.scope, self.base_send = scope, send
        with suppress(StopConsumer):
            while True:
                await self.dispatch(await receive())

    async def dispatch(self, message: dict) -> None:
        await getattr(self, get_handler_name(message))(message)


Take = Callable[[bytes], bool]


def take_at_once(scope: dict, take: Take) -> None:
    """Have `take` look at each message as it arrives, where the server can do so.

    What it takes (True) never comes to the consumer: the way there, by a queue and a task, costs several times as much
    as a short message itself. `take` does not wait, and is called on the event loop.
    """
    if ours := scope.get("extensions", {}).get(TAKE_AT_ONCE):
        ours["offer"](take)


class SocketProtocol(WebSocketsSansIOProtocol):
    """One connection."""

    def __init__(self, config: Config, *more: Any, **named: Any) -> None:
        config.ws_per_message_deflate = False
        super().__init__(config, *more, **named)
        self._take: Take | None = None
        self._heard_at = 0.0

    async def run_asgi(self) -> None:
        self.scope["extensions"][TAKE_AT_ONCE] = {"offer": self._offer}
        await super().run_asgi()

    def _offer(self, take: Take) -> None:
        self._take = take

    def send_receive_event_to_app(self) -> None:
        self._heard_at = self.loop.time()
        if self._take and len(self.frames) == 1 and not self.close_sent and self._take(self.frames[0]):
            self.frames = []
        else:
            super().send_receive_event_to_app()

    def connection_lost(self, exc: Exception | None) -> None:
        self._take = None  # it knows the consumer, which knows this
        super().connection_lost(exc)

    def send_keepalive_ping(self) -> None:
        silent_s = self.loop.time() - self._heard_at
        if self._take and silent_s < self.ping_interval:  # such senders send by themselves, again and again
            pause_s = self.ping_interval * (1 + GRACE) - silent_s
            self.ping_timer = self.loop.call_later(pause_s, self.send_keepalive_ping)
        else:
            super().send_keepalive_ping()

    async def send(self, message: Any) -> None:
        """A message that is for many readers brings its frame along, made once: see `framed`."""
        frame = message.get("frame")
        if frame is None or not self.handshake_complete or self.close_sent:
            await super().send(message)
            if message["type"] == "websocket.accept":
                del self.request, self.response  # kilobytes of headers: the scope has what the application asks for
            return
        if not self.writable.is_set():
            await self.writable.wait()
        if self.disconnected or self.conn.state is not State.OPEN:
            raise ClientDisconnected
        self.transport.write(frame)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()
