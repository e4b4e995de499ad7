"""From what an agent sends to heartbeats and samples (contract: fleet console §31.4)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from config.api.errors import Invalid
from fleet.agents.shapes import Disk, Moment, Report, Size
from fleet.instances.models import Distro
from fleet.metrics.services import Beat, Sample


def reader(kind: type) -> Callable[[Any], Any]:
    """A decoder of JSON into `kind` that raises Invalid with a sentence."""
    decode = msgspec.json.Decoder(kind).decode

    def read(body: Any) -> Any:
        try:
            return decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise Invalid(f"The payload is not valid: {error}"[:300]) from None

    return read


def beat_of(report: Report, *, instance_id: str, now: datetime) -> Beat:
    """The sign of life in a report, with a sample when it holds figures. Raises Invalid."""
    uptime = report.uptime_seconds if report.uptime_seconds is not None else report.uptime
    return Beat(
        instance_id=instance_id,
        at=moment(report.timestamp if report.timestamp is not None else report.ts) or now,
        sample=sample_of(report),
        uptime_s=_whole(uptime),
        replayed=report.replayed,
    )


def sample_of(report: Report) -> Sample | None:
    """The figures in a report; None when it holds none."""
    sample = Sample()
    if report.cpu:
        cpu = report.cpu
        sample.cpu_pct, sample.cpu_steal_pct = cpu.usage_percent, cpu.steal_percent
        sample.core_count = _whole(cpu.core_count)
        sample.load1, sample.load5, sample.load15 = cpu.load_avg_1, cpu.load_avg_5, cpu.load_avg_15
    if report.memory:
        memory = report.memory
        sample.mem_used, sample.mem_total = _whole(memory.used_bytes), _whole(memory.total_bytes)
        sample.mem_cached = _whole(memory.cached_bytes)
        sample.swap_used, sample.swap_total = _whole(memory.swap_used_bytes), _whole(memory.swap_total_bytes)
    if report.disk:
        sample.disk_used, sample.disk_total = _disks(report.disk)
    if report.network:
        network = report.network
        sample.net_tx, sample.net_rx = _whole(network.bytes_sent), _whole(network.bytes_recv)
        sample.net_tx_packets, sample.net_rx_packets = _whole(network.packets_sent), _whole(network.packets_recv)
    _add_flat(report, sample)
    if sample == _NOTHING:
        return None
    for name in ("cpu_pct", "cpu_steal_pct", "load1", "load5", "load15"):
        if (value := getattr(sample, name)) is not None:
            try:
                setattr(sample, name, float(value))
            except OverflowError:  # an integer of hundreds of digits
                raise Invalid(f"{name} is out of range") from None
    return sample


_NOTHING = Sample()


def _add_flat(report: Report, sample: Sample) -> None:
    """Fill in what the console dialect says; the agent dialect's figures win."""
    loads = [*(report.load_avg or ())[:3], None, None, None]
    flat = {
        "cpu_pct": report.cpu_percent,
        "mem_used": _whole(_first(report.mem_used, report.memory_used)),
        "mem_total": _whole(_first(report.mem_total, report.memory_total)),
        "disk_used": _whole(report.disk_used),
        "disk_total": _whole(report.disk_total),
        "load1": _first(report.load_avg1, loads[0]),
        "load5": _first(report.load_avg5, loads[1]),
        "load15": _first(report.load_avg15, loads[2]),
        "net_tx": _whole(_first(report.net_bytes_sent, report.network_bytes_out)),
        "net_rx": _whole(_first(report.net_bytes_recv, report.network_bytes_in)),
        "process_count": _whole(_first(report.process_count, report.process_count_snake)),
    }
    for name, value in flat.items():
        if value is not None and getattr(sample, name) is None:
            setattr(sample, name, value)


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _whole(value: Size) -> int | None:
    return None if value is None else int(value)


def _disks(disks: list[Disk]) -> tuple[int | None, int | None]:
    """Bytes used and in all over the mounts, each device once."""
    devices = {disk.device or disk.mount_point or index: disk for index, disk in reversed(list(enumerate(disks)))}
    known = [
        (int(disk.used_bytes), int(disk.total_bytes))
        for disk in devices.values()
        if disk.used_bytes is not None and disk.total_bytes is not None
    ]
    if any(used < 0 or total < 0 for used, total in known):
        raise Invalid("disk sizes must not be negative")
    if not known:
        return None, None
    return sum(used for used, _ in known), sum(total for _, total in known)


def moment(value: Moment) -> datetime | None:
    """A time that an agent gives: ISO 8601, or Unix milliseconds. Without a zone it is UTC. Raises Invalid."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        return datetime.fromtimestamp(value / 1000 if abs(value) > 1e11 else value, UTC)
    except (ValueError, OverflowError, OSError):
        raise Invalid("timestamp is out of range") from None


def facts_of(report: Report) -> dict[str, Any]:
    """What the report says of the instance itself, by the fields of its record; only what it carries."""
    said = {
        "agent_version": _first(report.agent_version, report.agent_version_snake),
        "sindri_version": report.sindri_version,
        "cli_target": report.cli_target,
        "distro": report.distro if report.distro in Distro.values else None,
        "extensions": report.extensions,
    }
    return {name: cleaned(value) for name, value in said.items() if value}


def cleaned(value: Any) -> Any:
    """The value without NUL characters, which PostgreSQL cannot store."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if isinstance(value, dict):
        return {cleaned(name): cleaned(item) for name, item in value.items()}
    return value
