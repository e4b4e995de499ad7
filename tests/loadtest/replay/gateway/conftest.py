"""A gateway in this process between real sockets: a client, an upstream that answers as told, and a small Pharos."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.resolver import ThreadedResolver

from loadtest.replay.gateway.authority import Authority
from loadtest.replay.gateway.options import Options
from loadtest.replay.gateway.places import listener
from loadtest.replay.gateway.serving import Gateway
from loadtest.replay.spans import hits, reading
from loadtest.replay.spans.exchange import Body, Exchange, Response


@dataclass
class Pharos:
    """Answers inject as told and keeps what is asked and uploaded. `answer` gets the question."""

    answer: Callable[[Exchange], Any] = lambda asked: None
    asked: list[Exchange] = field(default_factory=list)
    uploads: list[list[Exchange]] = field(default_factory=list)
    upload_status: int = 200
    upload_gate: asyncio.Event = field(default_factory=asyncio.Event)
    keys: set[str] = field(default_factory=set)
    url: str = ""

    async def inject(self, request: web.Request) -> web.Response:
        self.keys.add(request.headers.get("Authorization", ""))
        asked = reading.question(reading.parse(await request.read(), request.content_type))
        self.asked.append(asked)
        given = self.answer(asked)
        if asyncio.iscoroutine(given):
            given = await given
        if given is None:
            return web.json_response({"error": "not_found"}, status=404)
        if isinstance(given, web.Response):
            return given
        body, kind = hits.hit(given, as_json=hits.wants_json(request.headers["Accept"]))
        return web.Response(body=body, content_type=kind)

    async def traces(self, request: web.Request) -> web.Response:
        await self.upload_gate.wait()
        document = reading.parse(await request.read(), request.content_type)
        if self.upload_status == 200:
            self.uploads.append([reading.exchange(span) for span in reading.spans(document)])
        return web.json_response({"captureId": "x", "accepted": True}, status=self.upload_status)

    @property
    def captured(self) -> list[Exchange]:
        return [exchange for upload in self.uploads for exchange in upload]


def hit(status: int = 200, body: bytes = b"", **headers: str) -> Response:
    return Response(status, tuple((name.replace("_", "-"), value) for name, value in headers.items()), Body.of(body))


@dataclass
class Upstream:
    """A server that keeps what came and answers by `serve`, at first with an echo of the body."""

    url: str = ""
    port: int = 0
    seen: list[web.BaseRequest] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    serve: Callable[[web.BaseRequest, bytes], Any] = lambda request, body: web.Response(body=body or b"ok")

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read()
        self.seen.append(request)
        self.bodies.append(body)
        given = self.serve(request, body)
        return await given if asyncio.iscoroutine(given) else given


@pytest_asyncio.fixture
async def pharos(listening: Callable) -> Pharos:
    made = Pharos()
    made.upload_gate.set()
    app = web.Application(client_max_size=64 << 20)
    app.add_routes([web.post("/api/replay/v1/inject", made.inject), web.post("/api/replay/v1/traces", made.traces)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    made.url = f"http://127.0.0.1:{await listening(runner.server)}"
    return made


@pytest_asyncio.fixture
async def listening() -> AsyncIterator[Callable]:
    """`await listening(factory)` serves on a free port of 127.0.0.1 and gives it; all ends with the test."""
    servers = []

    async def listen(factory: Callable, tls: ssl.SSLContext | None = None) -> int:
        server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0, ssl=tls)
        servers.append(server)
        return server.sockets[0].getsockname()[1]

    yield listen
    for server in servers:
        server.close()


@pytest_asyncio.fixture
async def upstream(listening: Callable) -> Upstream:
    made = Upstream()
    made.port = await listening(web.Server(made, auto_decompress=False, access_log=None))
    made.url = f"http://127.0.0.1:{made.port}"
    return made


@pytest_asyncio.fixture
async def tls_upstream(listening: Callable, authority: Authority) -> Upstream:
    """The same over TLS, in the name of localhost."""
    made = Upstream()
    made.port = await listening(
        web.Server(made, auto_decompress=False, access_log=None), authority.context("localhost")
    )
    made.url = f"https://localhost:{made.port}"
    return made


@pytest.fixture(autouse=True)
def no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names below .invalid are unknown at once: no question leaves this machine."""
    asked = ThreadedResolver.resolve

    async def resolve(self: ThreadedResolver, host: str, *where: Any) -> Any:
        if host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "unknown name")
        return await asked(self, host, *where)

    monkeypatch.setattr(ThreadedResolver, "resolve", resolve)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.at(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def ca_file(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pem") / "ca.pem"
    path.write_bytes(authority.pem)
    return path


@pytest_asyncio.fixture
async def gateway(pharos: Pharos, authority: Authority, ca_file: Path) -> AsyncIterator[Callable]:
    """`await gateway(to=…)` starts one with that listener; `base` of the result is its address."""
    started = []

    async def start(*, session: str | None = None, fail_open: bool = True, url: str = "", **told: Any) -> Gateway:
        names = ("keep", "connections", "idle_s", "spy", "skip_static")
        more = {name: told.pop(name) for name in names if name in told}
        options = Options(
            (listener({"listen": "127.0.0.1:0", **told}),),
            url=url or pharos.url,
            key="k3y",
            upstream_ca=str(ca_file),
            **more,
        )
        made = Gateway(
            options,
            base_url=f"{options.url}/api/replay",
            session=session,
            fail_open=fail_open,
            authority=authority,
        )
        await made.start()
        made.base = f"http://{made.addresses[0]}"
        started.append(made)
        return made

    yield start
    for one in started:
        await one.stop()


@pytest_asyncio.fixture
async def client(ca_file: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """A caller that trusts the gateway's CA and changes nothing in answers."""
    context = ssl.create_default_context(cafile=str(ca_file))
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context), auto_decompress=False, timeout=aiohttp.ClientTimeout(total=10)
    ) as made:
        yield made
