"""Sinks that speak HTTP or plain TCP (contract: signals §9.2, §9.3). Any answer of 4xx is a failure (§6)."""

import json
import socket
from collections import defaultdict
from collections.abc import Sequence

from config.outbound import OutboundError, Policy, connect, request
from loadtest.signals.generators.emitter import Batch
from loadtest.signals.scenario import sinks as wanted
from loadtest.signals.sinks.accounts import Account
from loadtest.signals.sinks.buffered import Buffered, NotDelivered

TIMEOUT_S = 4.0
MOST_READ = 64 << 10
PUSH_PATH = "/loki/api/v1/push"


def post(url: str, body: bytes, headers: dict[str, str], policy: Policy) -> None:
    """One POST; raises NotDelivered for any answer but 2xx, OutboundError without an answer."""
    reply = request("POST", url, headers=headers, body=body, timeout_s=TIMEOUT_S, max_bytes=MOST_READ, policy=policy)
    if not 200 <= reply.status < 300:
        again = reply.status >= 500 or reply.status == 429
        raise NotDelivered(f"the target answered {reply.status} {reply.reason}".rstrip(), again=again)


class HttpPush(Buffered[bytes]):
    """One POST for each batch of `batch_size` bytes."""

    def __init__(self, account: Account, sink: wanted.HttpPush, policy: Policy) -> None:
        super().__init__(account, size=sink.batch_size, age_s=sink.max_buffer_age_s, retry=sink.retry)
        self._url, self._policy = sink.url, policy
        self._headers = {"Content-Type": sink.content_type} | sink.headers

    def items(self, batch: Batch) -> Sequence[bytes]:
        return batch.events

    def cost(self, item: bytes) -> int:
        return len(item)

    def deliver(self, items: list[bytes]) -> None:
        post(self._url, b"".join(items), self._headers, self._policy)


class Loki(Buffered[tuple[tuple[tuple[str, str], ...], str, str]]):
    """One stream for each distinct label set, at most `max_streams_per_push` of them in a POST."""

    most_waiting = 100_000

    def __init__(self, account: Account, sink: wanted.Loki, policy: Policy) -> None:
        super().__init__(account, size=sink.batch_size, age_s=sink.max_buffer_age_s, retry=sink.retry)
        self._url, self._policy = sink.url.rstrip("/") + PUSH_PATH, policy
        self._headers = {"Content-Type": "application/json"} | sink.headers
        self._most_streams = sink.max_streams_per_push

    def items(self, batch: Batch) -> Sequence[tuple[tuple[tuple[str, str], ...], str, str]]:
        return [
            (tuple(sorted(labels.items())), str(at), event.decode(errors="replace").rstrip("\n"))
            for labels, at, event in zip(batch.labels, batch.timestamps_ns, batch.events, strict=True)
        ]

    def deliver(self, items: list[tuple[tuple[tuple[str, str], ...], str, str]]) -> None:
        streams: dict[tuple[tuple[str, str], ...], list[tuple[str, str]]] = defaultdict(list)
        for labels, at, line in items:
            streams[labels].append((at, line))
        told = [{"stream": dict(labels), "values": values} for labels, values in streams.items()]
        for start in range(0, len(told), self._most_streams):
            body = json.dumps({"streams": told[start : start + self._most_streams]}).encode()
            post(self._url, body, self._headers, self._policy)


class Tcp(Buffered[bytes]):
    """One lasting connection, made again when it broke."""

    at_once = 1 << 20

    def __init__(self, account: Account, sink: wanted.Tcp, policy: Policy) -> None:
        super().__init__(account, size=1, age_s=0, retry=sink.retry)
        self._address, self._policy = sink.address, policy
        self._peer: socket.socket | None = None

    def items(self, batch: Batch) -> Sequence[bytes]:
        return [batch.payload]

    def cost(self, item: bytes) -> int:
        return len(item)

    def deliver(self, items: list[bytes]) -> None:
        try:
            if self._peer is None or _hung_up(self._peer):
                self.end()
                host, port = wanted.host_and_port(self._address)
                self._peer = connect(host, port, policy=self._policy, timeout_s=TIMEOUT_S)
            self._peer.sendall(b"".join(items))
        except (OSError, ValueError, OutboundError) as error:
            self.end()
            raise NotDelivered(f"{self._address} did not take it: {error}", again=True) from None

    def end(self) -> None:
        if self._peer:
            self._peer.close()
        self._peer = None


def _hung_up(peer: socket.socket) -> bool:
    """Whether the other side has closed the connection; what it said until then is of no interest."""
    try:
        while data := peer.recv(4096, socket.MSG_DONTWAIT):
            del data
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True
