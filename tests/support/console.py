"""A client of the product as an outsider writes one: HTTP and WebSocket with a key, nothing of the product imported."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import requests
from websockets.sync.client import ClientConnection, connect

TIMEOUT_S = 10


class Console:
    """`get("/api/v1/fleet/stats")` answers the decoded body and fails on any status that was not expected."""

    def __init__(self, url: str, key: str, *, live_url: str | None = None) -> None:
        self.url, self.live_url, self.key = url, live_url or url, key
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {key}"

    def call(self, method: str, path: str, body: Any = None, *, expect: int = 200) -> Any:
        answer = self._session.request(method, self.url + path, json=body, timeout=TIMEOUT_S)
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return answer.json() if is_json else answer.text

    def get(self, path: str, *, expect: int = 200) -> Any:
        return self.call("GET", path, expect=expect)

    def post(self, path: str, body: Any = None, *, expect: int = 200) -> Any:
        return self.call("POST", path, {} if body is None else body, expect=expect)

    def beat(self, instance_id: str, *, expect: int = 200, cpu: float = 10.0) -> Any:
        """One heartbeat with figures over plain HTTP, answered when it is on disk."""
        answer = self._session.post(
            f"{self.live_url}/api/v1/instances/{instance_id}/heartbeats", json=beat(instance_id, cpu), timeout=TIMEOUT_S
        )
        assert answer.status_code == expect, f"{answer.status_code} {answer.text[:500]}"
        return answer.json()

    def agent_socket(self) -> ClientConnection:
        """The socket of an agent, authenticated by key."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return connect(self.live_url.replace("http", "ws", 1) + "/ws/agent", additional_headers=headers)

    def browser_socket(self, path: str = "/ws") -> ClientConnection:
        """A browser's socket, opened with a single-use ticket."""
        ticket = self.post("/api/v1/ws/ticket")["ticket"]
        joint = "&" if "?" in path else "?"
        return connect(f"{self.live_url.replace('http', 'ws', 1)}{path}{joint}ticket={ticket}")


def frame(kind: str, payload: dict[str, Any]) -> str:
    """A message in the dialect of agents."""
    return json.dumps({"protocol_version": "1.0", "type": kind, "payload": payload})


def figures(instance_id: str, cpu: float) -> dict[str, Any]:
    """The payload of a metrics frame."""
    return {
        "instance_id": instance_id,
        "timestamp": now(),
        "cpu": {"usage_percent": cpu, "load_avg_1": 0.5, "load_avg_5": 0.4, "load_avg_15": 0.3, "core_count": 2},
        "memory": {"total_bytes": 8_000_000_000, "used_bytes": 2_000_000_000, "usage_percent": 25.0},
        "disk": [{"mount_point": "/", "device": "/dev/vda", "total_bytes": 10**11, "used_bytes": 4 * 10**10}],
        "network": {"bytes_sent": 1000, "bytes_recv": 2000, "packets_sent": 10, "packets_recv": 20},
    }


def beat(instance_id: str, cpu: float) -> dict[str, Any]:
    """The body of a heartbeat over HTTP: the heartbeat and the figures."""
    return {
        "heartbeat": {"instance_id": instance_id, "timestamp": now(), "uptime_seconds": 100},
        "metrics": figures(instance_id, cpu),
    }


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def wait_for(what: str, look: Callable[[], Any], *, timeout_s: float = 30, every_s: float = 0.2) -> Any:
    """What `look` answers once it is truthy; fails with `what` after the time."""
    end = time.monotonic() + timeout_s
    while True:
        if found := look():
            return found
        assert time.monotonic() < end, f"waited {timeout_s} s in vain for {what}"
        time.sleep(every_s)
