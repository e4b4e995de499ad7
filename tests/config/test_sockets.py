"""The server's WebSocket protocol: a reader that never reads, and frames made once for all."""

import asyncio
import base64
import os
import socket
from contextlib import asynccontextmanager, nullcontext

import pytest
import uvicorn
from websockets.asyncio.client import connect

from config.sockets import SocketProtocol, framed
from tests.support.services import free_port


class Told:
    """An application that tells its reader as much as it takes; `ended` is set when it has gone."""

    def __init__(self, *messages: dict) -> None:
        self._messages, self.sent, self.ended = messages, 0, asyncio.Event()

    async def __call__(self, scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        try:
            for message in self._messages:
                await send(message)
                self.sent += len(message["text"])
            await receive()
        except OSError:
            pass
        finally:
            self.ended.set()


@pytest.fixture
def serve():
    """`async with serve(application)` gives the port of a server of it."""

    @asynccontextmanager
    async def serving(application):
        port = free_port()
        config = uvicorn.Config(
            application, port=port, ws=SocketProtocol, lifespan="off", log_level="error", ws_ping_interval=0.2,
            ws_ping_timeout=0.4, interface="asgi3",
        )  # fmt: skip
        server = uvicorn.Server(config)
        server.capture_signals = nullcontext
        running = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield port
        finally:
            server.should_exit = True
            await running

    return serving


async def test_a_reader_that_never_reads_is_cut_off(serve):
    told = Told(*[framed("x" * 65_536)] * 1000)
    async with serve(told) as port:
        with socket.create_connection(("127.0.0.1", port)) as silent:
            key = base64.b64encode(os.urandom(16)).decode()
            silent.sendall(
                f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
            )
            await asyncio.wait_for(told.ended.wait(), 5)
    assert told.sent < 20_000_000, "what it does not read is not kept for it"


async def test_frames_made_once_arrive_as_texts(serve):
    texts = ["", "ä", "x" * 125, "x" * 126, "x" * 70_000]
    told = Told(*[framed(text) for text in texts], {"type": "websocket.send", "text": "plain"})
    async with serve(told) as port, connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as reader:
        assert [await asyncio.wait_for(reader.recv(), 5) for _ in range(len(texts) + 1)] == [*texts, "plain"]
        await asyncio.sleep(0.7)  # it answers pings, so it stays
        assert not told.ended.is_set()
