"""From the figures of a machine at one moment, and the ones before, to a sample.

A figure of which fewer parts came than the time before is incomplete, and counts as not measured: half of the disks
must not look like a small disk.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from fleet.collectors.hosts.names import Part
from fleet.metrics.samples import MAX_NUMBER, MAX_SIZE, Sample

Snapshot = dict[str, dict[tuple[str, str], float]]  # values by figure, then by member and aspect
IDLE = ("idle", "iowait", "wait")
PARTITION = re.compile(r"p?\d+\Z")


def snapshot(parts: Iterable[tuple[Part, float]]) -> Snapshot:
    """Values by figure; of a part that comes twice the last."""
    found: Snapshot = defaultdict(dict)
    for part, value in parts:
        found[part.figure][part.member, part.aspect] = value
    return found


def sample_of(after: Snapshot, before: Snapshot, passed_s: float) -> Sample | None:
    """The sample; None when it would hold nothing. `before` may be empty, and is `passed_s` seconds older."""
    whole = {name: parts for name, parts in after.items() if not before.get(name, {}).keys() > parts.keys()}
    sample = Sample()
    _cpu(sample, whole, before)
    for name in ("load1", "load5", "load15"):
        setattr(sample, name, _bounded(whole.get(name, {}).get(("", "value"))))
    sample.mem_used, sample.mem_total, sample.mem_cached = _memory(_summed(whole.get("memory", {})))
    sample.swap_used, sample.swap_total, _ = _memory(_summed(whole.get("swap", {})))
    sample.disk_used, sample.disk_total = _disks(whole.get("disk", {}))
    network, packets = _summed(whole.get("bytes", {})), _summed(whole.get("packets", {}))
    sample.net_rx, sample.net_tx = _size(network.get("receive")), _size(network.get("transmit"))
    sample.net_rx_packets, sample.net_tx_packets = _size(packets.get("receive")), _size(packets.get("transmit"))
    sample.disk_read_bps = _rate("read", whole, before, passed_s)
    sample.disk_write_bps = _rate("write", whole, before, passed_s)
    if processes := whole.get("processes"):
        sample.process_count = _size(sum(processes.values()))
    return None if sample == Sample() else sample


def uptime_of(after: Snapshot, at_s: float) -> int | None:
    """Seconds since the machine started; None when nothing tells."""
    told = after.get("uptime", {}).get(("", "value"))
    boot = after.get("boot", {}).get(("", "value"))
    if told is None and boot is not None:
        told = at_s - boot
    return _size(told)


def _cpu(sample: Sample, after: Snapshot, before: Snapshot) -> None:
    """Share of time that the CPUs were busy: told, or worked out from the seconds that they counted."""
    shares = _by_cpu(after.get("cpu_share", {}))
    if not shares:
        earlier = _by_cpu(before.get("cpu_s", {}))
        shares = {}
        for cpu, modes in _by_cpu(after.get("cpu_s", {})).items():
            grown = {mode: value - earlier.get(cpu, {}).get(mode, value) for mode, value in modes.items()}
            spent = sum(grown.values())
            if "idle" in modes and spent > 0 and min(grown.values()) >= 0:
                shares[cpu] = {mode: value / spent for mode, value in grown.items()}
    if shares:
        idle = sum(share for modes in shares.values() for mode, share in modes.items() if mode in IDLE)
        steal = [modes["steal"] for modes in shares.values() if "steal" in modes]
        sample.cpu_pct = min(100.0, max(0.0, 100.0 * (1 - idle / len(shares))))
        sample.cpu_steal_pct = min(100.0, max(0.0, 100.0 * sum(steal) / len(shares))) if steal else None
    cores = after.get("cores", {}).get(("", "value")) or len(_by_cpu(after.get("cpu_s", {}))) or len(shares)
    sample.core_count = _size(cores) if cores else None


def _by_cpu(parts: dict[tuple[str, str], float]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for (cpu, mode), value in parts.items():
        found[cpu][mode] = value
    return found


def _summed(parts: dict[tuple[str, str], float]) -> dict[str, float]:
    """Sums over the members, by aspect."""
    sums: dict[str, float] = defaultdict(float)
    for (_, aspect), value in parts.items():
        sums[aspect] += value
    return dict(sums)


def _memory(by: dict[str, float]) -> tuple[int | None, int | None, int | None]:
    """Bytes used, in all, and cached. What a kernel may give back at any time counts as free."""
    total = by.get("total")
    if total is None and {"used", "free"} <= by.keys():
        total = sum(value for state, value in by.items() if not state.startswith("slab"))
    used = by.get("used")
    if used is None and total is not None:
        free = by.get("available")
        if free is None and "free" in by:
            free = by["free"] + by.get("buffered", 0) + by.get("cached", 0)
        used = None if free is None else total - free
    return _size(used), _size(total), _size(by.get("cached"))


def _disks(parts: dict[tuple[str, str], float]) -> tuple[int | None, int | None]:
    """Bytes used and in all, each device once."""
    used = total = 0.0
    known = False
    for by in _by_cpu(parts).values():
        size = by.get("total")
        if size is None and {"used", "free"} <= by.keys():
            size = by["used"] + by["free"] + by.get("reserved", 0)
        taken = by.get("used", None if size is None or "free" not in by else size - by["free"])
        if size is not None and taken is not None:
            used, total, known = used + taken, total + size, True
    return (_size(used), _size(total)) if known else (None, None)


def _rate(direction: str, after: Snapshot, before: Snapshot, passed_s: float) -> float | None:
    """Bytes a second over whole disks; None without the figures before, or when a counter began anew."""
    disks = {device: value for (device, aspect), value in after.get("io", {}).items() if aspect == direction}
    whole = [one for one in disks if not any(one.startswith(d) and PARTITION.fullmatch(one, len(d)) for d in disks)]
    grown = [disks[one] - before.get("io", {}).get((one, direction), float("inf")) for one in whole]
    if not grown or min(grown) < 0 or passed_s <= 0:
        return None
    return _bounded(sum(grown) / passed_s)


def _bounded(value: float | None) -> float | None:
    return value if value is not None and 0 <= value <= MAX_NUMBER else None


def _size(value: float | None) -> int | None:
    return int(value) if value is not None and 0 <= value < MAX_SIZE else None
