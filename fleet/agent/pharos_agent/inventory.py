"""What the server may ask about the machine at any time (contract: fleet console §31.5)."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from typing import Any

import psutil
from pharos_agent.frames import clean, compact

LIST_BYTES = 16 * 1024  # of each list, so that the whole stays far below a frame's limit


def describe(processes: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Hostname, listening ports and names of environment variables (never values), with `processes`."""
    return {
        "hostname": hostname(),
        "processes": processes,
        "ports": ports(),
        "env_names": _within(sorted(clean(name, 128) for name in os.environ)),
    }


def hostname() -> str:
    return clean(socket.gethostname())


def ports() -> list[dict[str, Any]] | None:
    """Listening TCP and bound UDP ports; null where the system tells them only to an administrator.

    `pid` and `process` are null for processes of other users.
    """
    try:
        connections = psutil.net_connections(kind="inet")
    except (psutil.Error, OSError):
        return None
    found = {}
    for connection in connections:
        udp = connection.type == socket.SOCK_DGRAM
        if not connection.laddr or (connection.raddr if udp else connection.status != psutil.CONN_LISTEN):
            continue
        address, port = connection.laddr[:2]
        found[(port, "udp" if udp else "tcp", address)] = connection.pid
    return _within(
        {"port": port, "protocol": protocol, "address": address, "pid": pid, "process": _name(pid)}
        for (port, protocol, address), pid in sorted(found.items())
    )


def _name(pid: int | None) -> str | None:
    if pid is None:
        return None
    try:
        return clean(psutil.Process(pid).name(), 128)
    except psutil.Error:
        return None


def _within(items: Iterable[Any], limit: int = LIST_BYTES) -> list[Any]:
    """As many of the items as fit in `limit` bytes of JSON."""
    kept, size = [], 0
    for item in items:
        size += len(compact(item).encode()) + 1
        if size > limit:
            break
        kept.append(item)
    return kept
