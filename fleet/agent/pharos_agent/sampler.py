"""Measures the machine: the payload of a `metrics` frame (contract: fleet console §31.4).

Only measured values. What a platform cannot tell is null.
"""

from __future__ import annotations

import os
import re
import time
from typing import Any

import psutil
from pharos_agent.frames import clean, timestamp

MAX_DISKS = 64
# Interfaces that carry only what another interface carries too, or nothing that leaves the machine.
INNER_INTERFACES = re.compile(r"(lo\d*$|Loopback|veth|docker|br-|virbr|vnet|cni|cali|flannel|ifb|dummy)")
IMAGE_FILE_SYSTEMS = {"squashfs", "iso9660", "udf", "erofs", "cramfs"}


class Sampler:
    """Takes samples. CPU figures are those of the time between two samples."""

    def __init__(self) -> None:
        self._cores = psutil.cpu_times(percpu=True)

    def sample(self) -> dict[str, Any]:
        """One sample; sizes in bytes, shares in percent, network counters since the machine started."""
        return {
            "timestamp": timestamp(),
            "cpu": self._cpu(),
            "memory": memory(),
            "disk": disks(),
            "network": network(),
            "process_count": len(psutil.pids()),
        }

    def _cpu(self) -> dict[str, Any]:
        before, after = self._cores, psutil.cpu_times(percpu=True)
        self._cores = after
        # When a core has come or gone there is nothing to compare: all shares are null.
        spent = list(map(_spent, before, after)) if len(before) == len(after) else []
        busy, stolen, total = ([core[index] for core in spent] for index in range(3))
        load = os.getloadavg() if hasattr(os, "getloadavg") else (None, None, None)
        return {
            "usage_percent": _percent(sum(busy), sum(total)),
            "steal_percent": _percent(sum(stolen), sum(total)) if hasattr(after[0], "steal") else None,
            "load_avg_1": load[0],
            "load_avg_5": load[1],
            "load_avg_15": load[2],
            "core_count": len(after),
            "per_core": [_percent(*core) for core in zip(busy, total)],
        }


def _spent(before: Any, after: Any) -> tuple[float, float, float]:
    """Busy, stolen and total seconds of one core between two readings."""
    spent = {name: max(0.0, getattr(after, name) - getattr(before, name)) for name in after._fields}
    # Linux counts guest time in user time as well.
    total = sum(spent.values()) - spent.get("guest", 0.0) - spent.get("guest_nice", 0.0)
    return total - spent["idle"] - spent.get("iowait", 0.0), spent.get("steal", 0.0), total


def _percent(part: float, whole: float) -> float | None:
    return round(min(100.0, max(0.0, 100.0 * part / whole)), 2) if whole > 0 else None


def memory() -> dict[str, Any]:
    """Memory and swap. `used_bytes` is what cannot be given to a new program, so cache does not count."""
    main, swap = psutil.virtual_memory(), psutil.swap_memory()
    return {
        "total_bytes": main.total,
        "used_bytes": main.total - main.available,
        "free_bytes": main.free,
        "cached_bytes": getattr(main, "cached", None),
        "usage_percent": _percent(main.total - main.available, main.total),
        "swap_total_bytes": swap.total,
        "swap_used_bytes": swap.used,
    }


def disks() -> list[dict[str, Any]]:
    """File systems on real devices, each device once; in a container the one below `/`."""
    found: dict[str, dict[str, Any]] = {}
    for partition in psutil.disk_partitions(all=False):
        # Containers see files such as /etc/hosts mounted from the host's disk.
        if partition.fstype in IMAGE_FILE_SYSTEMS or not os.path.isdir(partition.mountpoint):
            continue
        entry = _disk(partition.mountpoint, partition.device, partition.fstype)
        pool = _pool(partition)
        if entry and (pool not in found or entry["used_bytes"] > found[pool]["used_bytes"]):
            found[pool] = entry
    entries = list(found.values())
    if os.name == "posix" and not any(entry["mount_point"] == "/" for entry in entries):
        root = _disk("/", "root", "")
        same = {(entry["total_bytes"], entry["free_bytes"]) for entry in entries}
        if root and (root["total_bytes"], root["free_bytes"]) not in same:
            entries.append(root)
    return sorted(entries, key=lambda entry: entry["mount_point"])[:MAX_DISKS]


def _pool(partition: Any) -> str:
    """What shares one space: a ZFS pool, an APFS container, else the device."""
    if partition.fstype == "zfs":
        return partition.device.partition("/")[0]
    container = re.match(r"/dev/disk\d+", partition.device) if partition.fstype == "apfs" else None
    return container.group() if container else partition.device


def _disk(mount_point: str, device: str, fs_type: str) -> dict[str, Any] | None:
    try:
        usage = psutil.disk_usage(mount_point)
    except OSError:  # no permission, or gone since it was listed
        return None
    if not usage.total:
        return None
    return {
        "mount_point": clean(mount_point),
        "device": clean(device),
        "fs_type": fs_type,
        "total_bytes": usage.total,
        "used_bytes": usage.used,
        "free_bytes": usage.free,
        "usage_percent": usage.percent,
    }


def network() -> dict[str, int]:
    """Bytes and packets since the machine started, over interfaces that lead out of it."""
    counters = psutil.net_io_counters(pernic=True)
    outer = [count for name, count in counters.items() if not INNER_INTERFACES.match(name)]
    fields = ("bytes_sent", "bytes_recv", "packets_sent", "packets_recv")
    return {field: sum(getattr(count, field) for count in outer) for field in fields}


def uptime_s() -> int:
    """Seconds since the machine started."""
    return max(0, int(time.time() - psutil.boot_time()))
