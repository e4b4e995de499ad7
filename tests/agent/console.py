"""A real server on loopback that plays the platform's part and writes down what an agent says."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import uvicorn


class Console:
    """Takes registrations and agent connections; `stop` and `start` keep the port."""

    def __init__(self) -> None:
        self.port = 0
        self.registration_statuses: list[int] = []  # answers in turn; afterwards 201
        self.redirect_to = ""
        self.refuse_upgrade_with = 0
        self.close_after_accept: tuple[int, str] | None = None
        self.registrations: list[dict[str, Any]] = []
        self.upgrades: list[dict[str, str]] = []
        self.frames: list[dict[str, Any]] = []
        self._sends: list[Callable[[dict], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        config = uvicorn.Config(self._app, host="127.0.0.1", port=self.port, ws="websockets-sansio", interface="asgi3")
        config.lifespan, config.log_config = "off", None
        config.timeout_graceful_shutdown = 1
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until(lambda: self._server.started)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(5)
        assert not self._thread.is_alive()

    def send(self, message: Any) -> None:
        """Send to the newest connection: text as it is, bytes as a binary frame, anything else as JSON."""
        event: dict[str, Any] = {"type": "websocket.send"}
        if isinstance(message, bytes):
            event["bytes"] = message
        else:
            event["text"] = message if isinstance(message, str) else json.dumps(message)
        asyncio.run_coroutine_threadsafe(self._sends[-1](event), self._loop).result(5)

    def hang_up(self, code: int, reason: str = "") -> None:
        event = {"type": "websocket.close", "code": code, "reason": reason}
        asyncio.run_coroutine_threadsafe(self._sends[-1](event), self._loop).result(5)

    def payloads(self, kind: str) -> list[dict[str, Any]]:
        return [frame["payload"] for frame in list(self.frames) if frame.get("type") == kind]

    def wait_for(self, kind: str, count: int = 1, timeout_s: float = 15) -> list[dict[str, Any]]:
        """The payloads of type `kind` once there are at least `count`."""
        until(lambda: len(self.payloads(kind)) >= count, timeout_s)
        return self.payloads(kind)

    async def _app(self, scope: dict, receive: Callable, send: Callable) -> None:
        self._loop = asyncio.get_running_loop()
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        if scope["type"] == "http":
            await self._register(scope, headers, receive, send)
        else:
            await self._converse(scope, headers, receive, send)

    async def _register(self, scope: dict, headers: dict, receive: Callable, send: Callable) -> None:
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part["body"], part.get("more_body", False)
        status = self.registration_statuses.pop(0) if self.registration_statuses else 201
        request = f"{scope['method']} {scope['path']}"
        seen = {"at": time.monotonic(), "request": request, "headers": headers, "body": json.loads(body)}
        self.registrations.append(seen)
        answer = [(b"location", self.redirect_to.encode())] if self.redirect_to else []
        await send({"type": "http.response.start", "status": status, "headers": answer})
        await send({"type": "http.response.body", "body": b"{}"})

    async def _converse(self, scope: dict, headers: dict, receive: Callable, send: Callable) -> None:
        assert (await receive())["type"] == "websocket.connect"
        self.upgrades.append({"at": time.monotonic(), "path": scope["path"], **headers})
        if self.refuse_upgrade_with:
            status = self.refuse_upgrade_with
            headers = [(b"location", self.redirect_to.encode())] if self.redirect_to else []
            await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
            await send({"type": "websocket.http.response.body", "body": b""})
            return
        await send({"type": "websocket.accept"})
        if self.close_after_accept:
            code, reason = self.close_after_accept
            await send({"type": "websocket.close", "code": code, "reason": reason})
            return
        self._sends.append(send)
        while (event := await receive())["type"] == "websocket.receive":
            frame = json.loads(event["text"])
            frame["bytes"] = len(event["text"].encode())
            frame["at"] = time.monotonic()
            self.frames.append(frame)
            if frame["type"] == "heartbeat":
                pong = {"channel": "heartbeat", "type": "heartbeat:pong", "data": {"ok": True}}
                await send({"type": "websocket.send", "text": json.dumps(pong)})


def until(condition: Callable[[], Any], timeout_s: float = 15) -> None:
    """Wait until `condition()` holds; fail after `timeout_s` seconds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)
