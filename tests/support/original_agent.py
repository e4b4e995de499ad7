"""The fleet console's own agent, version 1.1.0, as it looks from the wire: what it sends, recorded, with fresh times.

Its marks: it registers once over HTTP, opens its socket with nothing but the key, sends an empty protocol version and
times with nanoseconds, and hears no answer.
"""

import base64
import json
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import requests
from websockets.sync.client import connect


class OriginalAgent:
    """One host's agent; `with OriginalAgent(...) as agent` registers and connects it."""

    def __init__(self, url: str, key: str, instance_id: str, *, live_url: str | None = None) -> None:
        self.url, self.live_url, self.key, self.instance_id = url, live_url or url, key, instance_id

    def __enter__(self) -> "OriginalAgent":
        headers = {"Authorization": f"Bearer {self.key}", "X-Agent-Version": "1.1.0"}
        answer = requests.post(
            f"{self.url}/api/v1/instances", data=json.dumps(self.registration()), timeout=15,
            headers=headers | {"Content-Type": "application/json"},
        )  # fmt: skip
        assert 200 <= answer.status_code < 300 or answer.status_code == 409, answer.text
        self._stack = ExitStack()
        opening = connect(
            self.live_url.replace("http", "ws", 1) + "/ws/agent",
            additional_headers={"Authorization": f"Bearer {self.key}"}, max_size=64 * 1024, ping_interval=None,
        )  # fmt: skip
        self.socket = self._stack.enter_context(opening)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def send(self, kind: str, payload: dict[str, Any], *, session_id: str | None = None) -> None:
        envelope = {"protocol_version": "", "type": kind, "payload": payload}
        self.socket.send(json.dumps(envelope | ({"session_id": session_id} if session_id else {})))

    def registration(self) -> dict[str, Any]:
        return {
            "instance_id": self.instance_id,
            "hostname": self.instance_id,
            "provider": "docker",
            "region": "",
            "agent_version": "1.1.0",
            "os": "linux",
            "arch": "amd64",
            "tags": {"env": "dev"},
            "timestamp": nanoseconds(),
        }

    def heartbeat(self, **changed: Any) -> None:
        self.send(
            "heartbeat", {"instance_id": self.instance_id, "timestamp": nanoseconds(), "uptime_seconds": 61} | changed
        )

    def metrics(self, cpu: float, **changed: Any) -> None:
        payload = {
            "instance_id": self.instance_id,
            "timestamp": nanoseconds(),
            "cpu": {
                "usage_percent": cpu, "load_avg_1": 0.42, "load_avg_5": 0.36, "load_avg_15": 0.31, "core_count": 2,
                "per_core": [cpu - 0.25, cpu + 0.25],
            },
            "memory": {
                "total_bytes": 8326434816, "used_bytes": 3142156288, "free_bytes": 401838080,
                "cached_bytes": 4436779008, "usage_percent": 37.737, "swap_total_bytes": 0, "swap_used_bytes": 0,
            },
            "disk": [
                {
                    "mount_point": place, "device": "/dev/vda1", "fs_type": "ext4", "total_bytes": 105089261568,
                    "used_bytes": 41876152320, "free_bytes": 63196331936, "usage_percent": 39.855,
                }
                for place in ("/", "/etc/hosts")
            ],
            "network": {
                "bytes_sent": 1845637, "bytes_recv": 90211843, "packets_sent": 14402, "packets_recv": 62113,
            },
        }  # fmt: skip
        self.send("metrics", payload | changed)

    def event(self, kind: str, **metadata: str) -> None:
        self.send(
            "event",
            {"instance_id": self.instance_id, "event_type": kind, "metadata": metadata, "timestamp": nanoseconds()},
        )

    def log_batch(self, *lines: str) -> None:
        entries = [{"line": line, "timestamp": int(time.time() * 1000), "level": "warning"} for line in lines]
        self.send("log:batch", {"path": "install.log", "lines": entries})

    def terminal_output(self, session_id: str, text: str) -> None:
        data = base64.b64encode(text.encode()).decode()
        self.send("terminal:output", {"session_id": session_id, "data": data}, session_id=session_id)

    def llm_usage(self) -> None:
        record = {
            "provider": "anthropic", "model": "claude", "operation": "chat", "inputTokens": 1200, "outputTokens": 340,
            "costUsd": 0.0087, "captureTier": "proxy", "ts": int(time.time() * 1000),
        }  # fmt: skip
        self.send("llm_usage:batch", {"records": [record]})


def nanoseconds() -> str:
    """Now, as Go writes it."""
    now = time.time_ns()
    return datetime.fromtimestamp(now // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{now % 10**9:09d}Z"
