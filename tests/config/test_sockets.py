"""The server's WebSocket protocol: a reader that never reads, and frames made once for all."""

import asyncio
import base64
import os
import socket
from contextlib import asynccontextmanager, nullcontext

import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import Frame, Opcode

from config.sockets import SocketProtocol, framed, take_at_once
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


class Heard:
    """An application that keeps what it hears; `take` may look at each message first."""

    def __init__(self, take=None) -> None:
        self._take, self.texts = take, []

    async def __call__(self, scope, receive, send):
        await receive()
        if self._take:
            take_at_once(scope, self._take)
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            self.texts.append(message["text"])
            await send({"type": "websocket.send", "text": message["text"]})


async def test_what_is_taken_at_once_does_not_come_to_the_application(serve):
    taken = []

    def take(raw: bytes) -> bool:
        if raw.startswith(b"keep"):
            taken.append(raw)
        return raw.startswith(b"keep")

    heard = Heard(take)
    async with serve(heard) as port, connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as sender:
        for text in ("keep 1", "pass 1", "keep 2", "pass 2"):
            await sender.send(text)
        await sender.send(["keep ", "in parts"])  # fragments go the long way
        assert [await asyncio.wait_for(sender.recv(), 5) for _ in range(3)] == ["pass 1", "pass 2", "keep in parts"]
    assert taken == [b"keep 1", b"keep 2"]


@pytest.mark.parametrize("take", [None, lambda raw: False])
async def test_only_who_sends_by_itself_is_not_pinged_meanwhile(serve, take):
    pings = []

    class Counting(ClientConnection):
        def process_event(self, event):
            if isinstance(event, Frame) and event.opcode is Opcode.PING:
                pings.append(event)
            super().process_event(event)

    async with (
        serve(Heard(take)) as port,
        connect(f"ws://127.0.0.1:{port}/", ping_interval=None, create_connection=Counting) as sender,
    ):
        for _ in range(10):
            await asyncio.sleep(0.1)
            await sender.send("here")
            await sender.recv()
        assert bool(pings) == (take is None)
        await asyncio.sleep(0.5)
        assert pings
