"""A small web server on loopback that answers as a test tells it: late, slowly, never, wrongly, elsewhere."""

import ssl
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What one request gets.

    `body_s` spreads the body over that many seconds, `hang` answers nothing, `drop` cuts the connection.
    """

    status: int = 200
    body: bytes | str = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0
    body_s: float = 0
    hang: bool = False
    drop: bool = False

    @property
    def content(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else self.body


@dataclass(frozen=True)
class Request:
    """What arrived. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    def json(self) -> Any:
        import json

        return json.loads(self.body)


class LocalServer:
    """`answer(...)` sets what every path gets, `answer("/path", ...)` one path; several answers come in turn.

    The last answer of a path is repeated. `requests` holds what came, the newest 10,000. With `tls` it speaks TLS.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: deque[Request] = deque(maxlen=10_000)
        self._answers: dict[str | None, deque[Answer]] = {None: deque([Answer()])}
        self._changed = threading.Condition()
        self.closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"owner": self}))
        self._server.daemon_threads = True
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "https" if tls else "http"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def answer(self, path: str | None = None, *answers: Answer, **fields: Any) -> None:
        """Set the answers of a path (without the query), or of all other paths when it is None."""
        with self._changed:
            self._answers[path] = deque(answers or [Answer(**fields)])

    def redirect(self, path: str, to: str, status: int = 302) -> None:
        self.answer(path, status=status, headers={"Location": to}, body=b"")

    def wait(self, count: int = 1, timeout_s: float = 10) -> list[Request]:
        """The requests once `count` have come; fails after `timeout_s`."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.requests) >= count, timeout_s):
                raise AssertionError(f"{len(self.requests)} requests came within {timeout_s} s, not {count}")
            return list(self.requests)

    def clear(self) -> None:
        with self._changed:
            self.requests.clear()

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, request: Request) -> Answer:
        """Record a request and choose its answer."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
            answers = self._answers.get(request.path.partition("?")[0]) or self._answers[None]
            return answers.popleft() if len(answers) > 1 else answers[0]


class _Handler(BaseHTTPRequestHandler):
    owner: LocalServer
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.owner.take(Request(self.command, self.path, headers, body, time.time()))
        if answer.hang:
            self.owner.closing.wait()
        if answer.drop or self.owner.closing.wait(answer.delay_s):
            self.close_connection = True
            return
        self._reply(answer)

    def _reply(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.content)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if not answer.body_s:
            self.wfile.write(answer.content)
            return
        for number in range(len(answer.content)):
            if self.owner.closing.wait(answer.body_s / len(answer.content)):
                break
            self.wfile.write(answer.content[number : number + 1])

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _handle

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # the client left; that is often what the test is about

    def log_message(self, *_: Any) -> None:
        """The record is `requests`; nothing goes to the terminal."""
