"""What an answer of `/v1/inject` costs with 50 rules, what memory a capture of 100,000 exchanges, what the gateway.

`make bench NAME=replay`, or `scripts/bench replay SECONDS EXCHANGES` for other sizes. PostgreSQL with fsync, Redis, one
uvicorn process and the clients share this machine. A hit is counted in the session's row before it is answered; a
miss reads that row and writes nothing. "CPU µs" is user and system time of the server, PostgreSQL and Redis, without
the clients; "per core" is what one core could answer at that price.
"""

import asyncio
import json
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from benchmarks import _gateway, _stack
from benchmarks._load import HEADER, http

SECONDS, EXCHANGES = 10.0, 100_000
WARM_UP_S, RULES, CLIENTS, BATCH = 2.0, 50, 8, 100


def call(server: _stack.Server, key: str, path: str, body: Any = None) -> Any:
    """One request of the control API."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - our own address
        return json.loads(answer.read())


def rules() -> list[dict[str, Any]]:
    """Fifty rules as people write them; the last that is looked at answers."""
    made = []
    for number in range(RULES):
        when = {"direction": "outbound", "hostSuffix": f"service-{number}.example", "method": "POST"}
        when |= {"pathPrefix": f"/api/v{number}/", "headers": {"accept": "application/json"}}
        made.append({"id": f"rule-{number}", "when": when, "then": {"action": "mock", "response": ANSWER}})
    return made


ANSWER = {"status": 200, "headers": {"content-type": "application/json"}, "body": {"id": 7, "state": "done"}}


def spans(session: str, host: str, kind: str = "inject", count: int = 1) -> bytes:
    """OTLP as a proxy sends it."""
    message = TracesData()
    scope = message.resource_spans.add().scope_spans.add()
    for number in range(count):
        one = scope.spans.add(trace_id=b"\x01" * 16, span_id=(number + 1).to_bytes(8, "big"), name="call")
        told = {
            "sp.span.type": kind,
            "sp.session.id": session,
            "sp.traffic.direction": "outbound",
            "sp.service.name": "shop",
            "url.host": host,
            "url.path": f"/api/v0/orders/{number}",
            "http.request.method": "POST",
            "http.request.header.accept": "application/json",
            "http.request.header.content-type": "application/json",
            "http.request.body": json.dumps({"order": number, "lines": [{"sku": "a-1", "count": 2}] * 4}),
        }
        if kind == "extract":
            told |= {"http.response.header.content-type": "application/json", "http.response.body": "x" * 800}
        for name, value in told.items():
            one.attributes.add(key=name).value.string_value = value
        if kind == "extract":
            one.attributes.add(key="http.response.status_code").value.int_value = 200
    return message.SerializeToString()


def post(path: str, key: str, body: bytes) -> Callable[[], bytes]:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
    head += f"Content-Type: application/x-protobuf\r\nContent-Length: {len(body)}\r\n\r\n"
    request = head.encode() + body
    return lambda: request


async def inject(server: _stack.Server, key: str, session: str, seconds: float) -> None:
    """Hits and misses at one client and at several."""
    print(f"\ninject with {RULES} rules, {seconds:.0f} s each\n{HEADER}{'per core':>10}")
    for name, host, clients in (
        ("hit, 1 client", "service-0.example", 1),
        (f"hit, {CLIENTS} clients", "service-0.example", CLIENTS),
        ("miss, 1 client", "elsewhere.example", 1),
        (f"miss, {CLIENTS} clients", "elsewhere.example", CLIENTS),
    ):
        requests = [post("/v1/inject", key, spans(session, host))] * clients
        await http("warm-up", server.port, requests, seconds=min(WARM_UP_S, seconds), cpu_s=server.cpu_s)
        # A miss is a 404, which the client counts as refused: what was answered is then that.
        result = await http(name, server.port, requests, seconds=seconds, cpu_s=server.cpu_s, accepted=b"24")
        print(f"{result.line()}{1e6 / result.cpu_us:>10.0f}")


class Memory(threading.Thread):
    """The most memory that the server's process held while this ran, in MiB."""

    def __init__(self, server: _stack.Server) -> None:
        super().__init__(daemon=True)
        self._process, self.before, self._over = server.process, 0.0, threading.Event()
        self.most = self.before = self._now()

    def _now(self) -> float:
        return self._process.memory_info().rss / 2**20

    def run(self) -> None:
        while not self._over.wait(0.05):
            self.most = max(self.most, self._now())

    def stop(self) -> None:
        self._over.set()
        self.join()


def capture(server: _stack.Server, key: str, exchanges: int) -> None:
    """Exchanges in batches, then close and download; the file is read as it comes."""
    session = call(server, key, "/v1/sessions", {"mode": "capture"})["sessionId"]
    body = spans(session, "bank.example", "extract", BATCH)
    memory = Memory(server)
    memory.start()
    started, cpu = time.perf_counter(), server.cpu_s()
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/v1/traces",
        data=body,
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/x-protobuf"},
    )
    for _ in range(exchanges // BATCH):
        urllib.request.urlopen(request, timeout=60).close()  # noqa: S310 - our own address
    took, spent = time.perf_counter() - started, server.cpu_s() - cpu
    kept = call(server, key, f"/v1/sessions/{session}/stats")["extractedSpans"]
    if kept != exchanges:
        raise SystemExit(f"{exchanges} exchanges were acknowledged, {kept} are counted")
    started = time.perf_counter()
    call(server, key, f"/v1/sessions/{session}/close", {})
    closed = time.perf_counter() - started
    size, started = 0, time.perf_counter()
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/v1/captures/{session}", headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=600) as answer:  # noqa: S310 - our own address
        while chunk := answer.read(1 << 20):
            size += len(chunk)
    loaded = time.perf_counter() - started
    memory.stop()
    print(f"\ncapture of {exchanges} exchanges, {BATCH} an upload, one client")
    print(f"kept: {exchanges / took:.0f}/s, {1e6 * spent / exchanges:.0f} µs of CPU each")
    print(f"closed in {1e3 * closed:.0f} ms; {size / 2**20:.0f} MiB of JSON read in {loaded:.1f} s")
    print(f"memory of the server: {memory.before:.0f} MiB before, {memory.most:.0f} MiB at most")


def main(seconds: str = str(SECONDS), exchanges: str = str(EXCHANGES)) -> None:
    _stack.prepare()
    from security.keys.services import create_service_key

    key = create_service_key(name="benchmark", role="ADMIN")[1]
    with _stack.server() as server:
        session = call(server, key, "/v1/sessions", {"mode": "replay"})["sessionId"]
        call(server, key, f"/v1/sessions/{session}/rules", {"version": 1, "rules": rules()})
        asyncio.run(inject(server, key, session, float(seconds)))
        capture(server, key, int(exchanges))
        _gateway.measure()
        recorded = call(server, key, "/v1/sessions", {"mode": "capture"})["sessionId"]
        place = ("--url", f"http://127.0.0.1:{server.port}", "--key", key)
        _gateway.measure(*place, session=recorded, name="gateway, asked and captured")


if __name__ == "__main__":
    main(*sys.argv[1:])
