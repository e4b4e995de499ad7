"""Terminals between a client's socket and an agent's, both played by the test."""

import base64
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from fleet.terminals import services
from fleet.terminals.models import TerminalSession
from security.keys import services as keys
from tests.factories import make_key


@pytest.fixture
def agent(connect, instance):
    """`async with agent() as machine`: the connection of the instance's agent."""
    raw_key = make_key(role="OPERATOR")[1]

    @asynccontextmanager
    async def opened() -> Any:
        async with connect("/ws/agent", raw_key, X_Instance_ID=instance.pk) as socket:
            await socket.say("heartbeat", {})
            await socket.heard("heartbeat:pong")
            yield socket

    return opened


@pytest.fixture
def developer():
    """A caller who may open terminals, and the key it came with."""
    row, raw_key = make_key(role="DEVELOPER")
    principal = keys.principal_of(row)
    return principal, raw_key


@pytest.fixture
def start(instance, developer):
    """`await start()` is a session of the developer on the instance."""

    async def begin(actor: Any = None) -> TerminalSession:
        return await sync_to_async(services.start)(instance=instance, actor=actor or developer[0])

    return begin


@pytest.fixture
def open_screen(connect, developer):
    """`async with open_screen(session) as screen` shows it; `key` is another caller's."""
    return lambda session, key=None: connect(f"/ws/terminal/{session.pk}", key or developer[1])


async def put_out(machine: Any, session: Any, data: bytes) -> None:
    """The machine's shell puts out bytes."""
    name = str(session.pk)
    await machine.say("terminal:output", {"data": base64.b64encode(data).decode()}, session_id=name)


async def shown(screen: Any, length: int) -> str:
    """The next text on the screen, until it has that length."""
    text = ""
    while len(text) < length:
        text += (await screen.heard("data"))["data"]
    return text


async def typed(machine: Any) -> bytes:
    """What is typed into the machine's shell next."""
    return base64.b64decode((await machine.heard("terminal:input"))["payload"]["data"])


async def latest(session: Any) -> TerminalSession:
    return await TerminalSession.objects.aget(pk=session.pk)
