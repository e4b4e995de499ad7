"""How this machine does. Knows no rows: workers and remote agents tell the same figures."""

import os
import platform
import socket
from typing import Any

import psutil

MEBIBYTE = 1024 * 1024


def host() -> str:
    return socket.gethostname() or platform.node()


def figures() -> dict[str, Any]:
    """CPU and memory in percent, memory in MiB, load of the last 1, 5 and 15 minutes. CPU is since the last call."""
    memory = psutil.virtual_memory()
    return {
        "cpu_percent": psutil.cpu_percent(interval=None),
        "memory_percent": memory.percent,
        "memory_used_mb": round((memory.total - memory.available) / MEBIBYTE, 1),
        "load_average": [round(value, 2) for value in os.getloadavg()],
    }
