"""Which series are figures of the machine: names of the collector's hostmetrics, node_exporter and Vector.

Each gives a figure (`cpu_s`, `memory`, …), whose parts are told by a member (which CPU, disk or interface) and an
aspect (idle, used, receive, …).
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

MEMBERS = ("device", "cpu", "system.device", "network.interface.name", "cpu.logical_number")
ASPECTS = (
    *("state", "direction", "cpu.mode", "system.memory.state", "system.paging.state", "system.filesystem.state"),
    *("network.io.direction", "disk.io.direction", "status", "process.status", "mode"),
)
KINDS = ("type", "fstype", "filesystem", "system.filesystem.type")
NO_DISK = {
    *("tmpfs", "devtmpfs", "ramfs", "overlay", "squashfs", "iso9660", "udf", "erofs", "cramfs", "nsfs", "autofs"),
    *("proc", "sysfs", "cgroup", "cgroup2", "fuse.lxcfs", "efivarfs", "rpc_pipefs", "nfs", "nfs4", "cifs", "tracefs"),
}
INNER_INTERFACES = re.compile(r"(lo\d*$|Loopback|veth|docker|br-|virbr|vnet|cni|cali|flannel|ifb|dummy)")
INNER_DISKS = re.compile(r"(dm-|md|loop|ram|zram|sr|fd)\d")


class Rule(NamedTuple):
    figure: str
    aspect: str = ""  # empty: a label tells


class Part(NamedTuple):
    figure: str
    member: str
    aspect: str


RULES: dict[str, Rule] = {
    "system.cpu.time": Rule("cpu_s"),
    "system.cpu.utilization": Rule("cpu_share"),
    "system.cpu.load_average.1m": Rule("load1", "value"),
    "system.cpu.load_average.5m": Rule("load5", "value"),
    "system.cpu.load_average.15m": Rule("load15", "value"),
    "system.cpu.logical.count": Rule("cores", "value"),
    "system.memory.usage": Rule("memory"),
    "system.memory.limit": Rule("memory", "total"),
    "system.paging.usage": Rule("swap"),
    "system.filesystem.usage": Rule("disk"),
    "system.network.io": Rule("bytes"),
    "system.network.packets": Rule("packets"),
    "system.network.packet.count": Rule("packets"),
    "system.disk.io": Rule("io"),
    "system.processes.count": Rule("processes"),
    "system.process.count": Rule("processes"),
    "system.uptime": Rule("uptime", "value"),
    "node_boot_time_seconds": Rule("boot", "value"),
    "host_boot_time": Rule("boot", "value"),
    "host_uptime": Rule("uptime", "value"),
}
for prefix in ("node_", "host_"):
    RULES |= {
        f"{prefix}cpu_seconds_total": Rule("cpu_s"),
        f"{prefix}load1": Rule("load1", "value"),
        f"{prefix}load5": Rule("load5", "value"),
        f"{prefix}load15": Rule("load15", "value"),
        f"{prefix}filesystem_free_bytes": Rule("disk", "free"),
        f"{prefix}network_receive_bytes_total": Rule("bytes", "receive"),
        f"{prefix}network_transmit_bytes_total": Rule("bytes", "transmit"),
        f"{prefix}network_receive_packets_total": Rule("packets", "receive"),
        f"{prefix}network_transmit_packets_total": Rule("packets", "transmit"),
        f"{prefix}disk_read_bytes_total": Rule("io", "read"),
        f"{prefix}disk_written_bytes_total": Rule("io", "write"),
    }
for name, aspect in (("Total", "total"), ("Available", "available"), ("Free", "free"), ("Cached", "cached")):
    RULES[f"host_memory_{name.lower()}_bytes"] = Rule("memory", aspect)
    RULES[f"node_memory_{name if name == 'Cached' else f'Mem{name}'}_bytes"] = Rule("memory", aspect)
RULES |= {
    "node_memory_Buffers_bytes": Rule("memory", "buffered"),
    "host_memory_buffers_bytes": Rule("memory", "buffered"),
    "node_memory_SwapTotal_bytes": Rule("swap", "total"),
    "node_memory_SwapFree_bytes": Rule("swap", "free"),
    "host_memory_swap_total_bytes": Rule("swap", "total"),
    "host_memory_swap_free_bytes": Rule("swap", "free"),
    "node_filesystem_size_bytes": Rule("disk", "total"),
    "host_filesystem_total_bytes": Rule("disk", "total"),
}


def part_of(name: str, labels: Mapping[str, str]) -> Part | None:
    """What the series tells; None for what is no figure, or of a part that is not the machine's own."""
    rule = RULES.get(name)
    if rule is None:
        return None
    member = next((labels[one] for one in MEMBERS if one in labels), "")
    if rule.figure == "disk" and NO_DISK & {labels.get(one) for one in KINDS}:
        return None
    if rule.figure in ("bytes", "packets") and INNER_INTERFACES.match(member):
        return None
    if rule.figure == "io" and INNER_DISKS.match(member):
        return None
    aspect = rule.aspect or next((labels[one] for one in ASPECTS if one in labels), "")
    return Part(rule.figure, member, aspect) if aspect else None
