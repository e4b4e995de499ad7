"""An agent that plays its part as the test says, and people who ask."""

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.http import HttpResponse
from django.test import AsyncClient

from config.asgi import application
from tests.factories import make_key, make_user


class FakeAgent:
    """An agent's side of the socket."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    async def taken(self) -> dict:
        """The next command that it is sent."""
        return (await self._socket.heard("command:dispatch", 30))["payload"]

    async def told(self, kind: str) -> dict:
        return (await self._socket.heard(kind, 30))["payload"]

    async def print(self, command: dict, data: str, *, stream: str = "stdout", sequence: int = 0) -> None:
        piece = {"command_id": command["command_id"], "stream": stream, "sequence": sequence, "data": data}
        await self._socket.say("command:output", piece)
        await self.told("command:received")

    async def end(self, command: dict, **result: Any) -> None:
        plain = {"stdout": "", "stderr": "", "exit_code": 0, "duration_ms": 7}
        await self._socket.say("command:result", {"command_id": command["command_id"], **plain, **result})

    async def say(self, kind: str, payload: dict) -> None:
        await self._socket.say(kind, payload)

    async def refused(self) -> dict:
        return (await self._socket.heard("error", 30))["data"]


@pytest.fixture
def agent_of(connect, db):
    """`async with agent_of(instance) as agent`."""
    _, key = make_key(role="ADMIN")

    @asynccontextmanager
    async def connected(instance):
        async with connect("/ws/agent", key, X_Instance_ID=instance.pk) as socket:
            await socket.say("heartbeat", {})
            await socket.heard("heartbeat:pong", 30)
            yield FakeAgent(socket)

    return connected


class Person:
    """A caller of the API, on the test's own event loop and through the same door as in the product."""

    def __init__(self, user: Any, raw_key: str) -> None:
        self.user, self._key = user, f"Bearer {raw_key}"

    async def post(self, path: str, body: Any = None) -> HttpResponse:
        """`body` as JSON, or text as it is."""
        text = body if isinstance(body, str) else json.dumps({} if body is None else body)
        path, _, query = f"/api/v1/commands{path}".partition("?")
        headers = {"authorization": self._key, "content-type": "application/json", "host": "testserver"}
        scope = {
            "type": "http", "http_version": "1.1", "method": "POST", "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "root_path": "", "scheme": "http", "client": ("127.0.0.1", 1),
            "server": ("testserver", 80), "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        }  # fmt: skip
        exchange = ApplicationCommunicator(application, scope)
        await exchange.send_input({"type": "http.request", "body": text.encode()})
        start = await exchange.receive_output(60)
        content = b""
        while True:
            part = await exchange.receive_output(5)
            content += part.get("body", b"")
            if not part.get("more_body"):
                break
        answer = HttpResponse(content, status=start["status"])
        for name, value in start["headers"]:
            answer[name.decode()] = value.decode()
        answer.json = lambda: json.loads(content)
        return answer

    async def get(self, path: str, **headers: str) -> Any:
        given = {"Authorization": self._key, **headers}
        return await AsyncClient().get(f"/api/v1/commands{path}", headers=given)

    def starts(self, path: str, body: Any) -> "asyncio.Task[Any]":
        """A request whose answer comes later."""
        return asyncio.create_task(self.post(path, body))


@pytest.fixture
def person(db):
    """`await person("DEVELOPER")`; `teams` maps teams to roles."""

    @sync_to_async
    def make(role="DEVELOPER", *, teams=None):
        from security.accounts.models import Membership

        user = make_user(role=role)
        for team, role_there in (teams or {}).items():
            Membership.objects.create(team=team, user=user, role=role_there)
        return Person(user, make_key(user=user)[1])

    return make


@pytest.fixture
def caller():
    """`caller(raw_key)` for a key that is no person's."""
    return lambda raw_key: Person(None, raw_key)
