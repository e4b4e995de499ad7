"""Instances, agents and sockets for the tests of the fleet."""

from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from asgiref.testing import ApplicationCommunicator

from fleet.agents import ingest
from fleet.collectors import senders
from fleet.collectors import services as collectors
from fleet.collectors.series.known import known
from fleet.instances.models import Instance, Status
from fleet.metrics import services as metrics


@pytest.fixture
def instance(db: None) -> Instance:
    """A running instance that everybody may see."""
    return make_instance()


def make_instance(**fields: Any) -> Instance:
    """A record as registration leaves it."""
    return Instance.objects.create(**{"name": "web-1", "provider": "ssh", "status": Status.RUNNING} | fields)


@pytest.fixture(autouse=True)
def settled_writer() -> Iterator[None]:
    """Nothing of one test is written in the next, and nothing is remembered of its keys."""
    ingest.principals.clear()
    ingest.bindings.clear()
    senders.unknown.clear()
    known.clear()
    yield
    collectors.flush()
    metrics.flush()


class Socket(ApplicationCommunicator):
    """A client on a socket of the product."""

    def __init__(self, application: Any, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        path, _, query = path.partition("?")
        scope = {"type": "websocket", "path": path, "query_string": query.encode(), "headers": headers}
        super().__init__(application, {**scope, "subprotocols": [], "client": ("127.0.0.1", 1), "server": ("test", 80)})

    async def open(self) -> bool:
        """Whether the upgrade is granted."""
        await self.send_input({"type": "websocket.connect"})
        return (await self.receive_output(4))["type"] == "websocket.accept"

    async def send_text(self, text: str) -> None:
        await self.send_input({"type": "websocket.receive", "text": text})

    async def say(self, kind: str, payload: Any, **more: Any) -> None:
        """A frame in the agent dialect."""
        await self.send({"protocol_version": "", "type": kind, "payload": payload, **more})

    async def tell(self, channel: str, type: str, data: Any, **more: Any) -> None:
        """A message in the console dialect."""
        await self.send({"protocolVersion": "1.0", "channel": channel, "type": type, "data": data, **more})

    async def send(self, message: Any) -> None:
        await self.send_text(msgspec.json.encode(message).decode())

    async def heard(self, wanted: Callable[[dict], bool] | str = "", timeout: float = 4) -> dict:
        """The next message of that type, or that fits; others are passed over."""
        fits = wanted if callable(wanted) else (lambda message: not wanted or message["type"] == wanted)
        while True:
            output = await self.receive_output(timeout)
            assert output["type"] == "websocket.send", output
            if fits(message := msgspec.json.decode(output["text"])):
                return message

    async def closed(self, timeout: float = 4) -> tuple[int, str]:
        """Code and reason of the close that comes; messages before it are passed over."""
        while (message := await self.receive_output(timeout))["type"] != "websocket.close":
            continue
        return message.get("code", 1000), message.get("reason") or ""

    async def leave(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(4)


@pytest.fixture
def connect() -> Callable[..., Any]:
    """`async with connect("/ws/agent", raw_key, **headers) as socket`; `refused` is True when the upgrade fails."""
    from config.asgi import application

    @asynccontextmanager
    async def opened(path: str, raw_key: str | None, **headers: str) -> Any:
        pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        if raw_key:
            pairs.append((b"authorization", f"Bearer {raw_key}".encode()))
        socket = Socket(application, path, headers=pairs)
        socket.refused = not await socket.open()
        try:
            yield socket
        finally:
            await socket.leave()

    return opened
