"""Scripted servers on loopback, and a loop that runs in the test's own process."""

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from loadtest.engine import pyloop
from loadtest.engine.connections import Connections
from loadtest.engine.figures import Figures
from loadtest.engine.plan import Mode, RunSpec, Share
from loadtest.engine.requests import parse_url, render
from loadtest.engine.stats import Page

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def read_request(conn: socket.socket, buffer: bytearray) -> bytes:
    """One request with its body, b"" at the end of the connection."""
    while True:
        end = buffer.find(b"\r\n\r\n")
        if end >= 0:
            length = 0
            for line in bytes(buffer[:end]).lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            if len(buffer) >= end + 4 + length:
                request = bytes(buffer[: end + 4 + length])
                del buffer[: end + 4 + length]
                return request
        data = conn.recv(65536)
        if not data:
            return b""
        buffer += data


@dataclass
class Server:
    """Answers by a script: `script(conn, request, number)` is called for each request, returns False to hang up."""

    script: Callable[[socket.socket, bytes, int], Any]
    context: ssl.SSLContext | None = None
    family: int = socket.AF_INET
    requests: list[bytes] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    connections: int = 0
    busy: int = 0
    most_busy: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(
            ("::1" if self.family == socket.AF_INET6 else "127.0.0.1", 0), family=self.family, backlog=512
        )
        self.port = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def url(self) -> str:
        host = "[::1]" if self.family == socket.AF_INET6 else "127.0.0.1"
        return f"{'https' if self.context else 'http'}://{host}:{self.port}/"

    def _accept(self) -> None:
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn: socket.socket) -> None:
        buffer = bytearray()
        with self._lock:
            self._open.add(conn)
        try:
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                conn = self.context.wrap_socket(conn, server_side=True)
            while request := read_request(conn, buffer):
                with self._lock:
                    self.requests.append(request)
                    self.moments.append(time.perf_counter())
                    number = len(self.requests)
                    self.busy += 1
                    self.most_busy = max(self.most_busy, self.busy)
                try:
                    more = self.script(conn, request, number)
                finally:
                    with self._lock:
                        self.busy -= 1
                if more is False:
                    break
        except OSError:
            return  # the client went away: what it saw of that is what the test looks at
        finally:
            conn.close()

    def close(self) -> None:
        self._listener.close()
        with self._lock:
            known = list(self._open)
        for conn in known:
            try:
                conn.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def answer(data: bytes, *, close: bool = False) -> Callable[..., bool]:
    """A script that gives everybody this answer."""

    def script(conn: socket.socket, request: bytes, number: int) -> bool:
        conn.sendall(data)
        return not close

    return script


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(script: Callable[..., Any] | bytes = OK, **options: Any) -> Server:
        server = Server(answer(script) if isinstance(script, bytes) else script, **options)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.close()


def spec_for(url: str, **options: Any) -> RunSpec:
    """A run against a loopback URL; one request by default."""
    target = parse_url(url)
    method = options.pop("method", "GET")
    request = render(target, method=method, body=options.pop("body", b""))
    defaults: dict[str, Any] = {
        "mode": Mode.ITERATIONS,
        "iterations": 1,
        "concurrency": 1,
        "requests": (request,),
        "method": method,
        "tls": target.tls,
        "server_name": target.host,
        "addresses": ((target.host, target.port),),
        "timeout_s": 5.0,
    }
    return RunSpec(**(defaults | options))


@dataclass
class Outcome:
    """A finished loop: its figures, its page and the exchanges it kept."""

    figures: Figures
    page: Page

    @property
    def statuses(self) -> dict[int, int]:
        return self.figures.statuses

    @property
    def faults(self) -> dict[str, int]:
        return {fault.value: count for fault, count in self.figures.faults.items()}


@pytest.fixture
def drive() -> Callable[..., Outcome]:
    """`drive(url, iterations=3)` runs one loop here and now."""

    def run(url: str, *, stop: Callable[[], bool] = lambda: False, **options: Any) -> Outcome:
        page = Page.create()
        spec = spec_for(url, **options)
        pyloop.run(Connections(Share(spec), page), start_ns=time.perf_counter_ns(), orphaned=stop)
        page.close()
        return Outcome(Figures.of([page]), page)

    return run


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 and localhost, signed by itself, with its key in the same file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
