"""The WebSocket protocol of the server: uvicorn's, with what a server of many readers needs (`uvicorn --ws=…`).

A reader that does not answer two pings is cut off at once. Uvicorn would wait until the reader has read what is
buffered for it, which one that never reads never does. Nothing is compressed: messages are short, and compressing each
for every reader costs more than sending it.
"""

from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State


def framed(text: str) -> dict[str, Any]:
    """The ASGI message that sends the text. A server that does not know `frame` frames the text itself."""
    frame = Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
    return {"type": "websocket.send", "text": text, "frame": frame}


class SocketProtocol(WebSocketsSansIOProtocol):
    """One connection."""

    def __init__(self, config: Config, *more: Any, **named: Any) -> None:
        config.ws_per_message_deflate = False
        super().__init__(config, *more, **named)

    async def send(self, message: Any) -> None:
        """A message that is for many readers brings its frame along, made once: see `framed`."""
        frame = message.get("frame")
        if frame is None or not self.handshake_complete or self.close_sent:
            await super().send(message)
            return
        if not self.writable.is_set():
            await self.writable.wait()
        if self.disconnected or self.conn.state is not State.OPEN:
            raise ClientDisconnected
        self.transport.write(frame)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()
