"""What a demo machine measures at a moment: a figure for each second, the same each time it is asked."""

import math
from datetime import datetime
from functools import lru_cache
from random import Random

from alerts.demo.names import FULL, HEAVY, HOT, Machine
from fleet.metrics.services import Sample

GIB, DAY_S = 2**30, 86_400
# By role: usual CPU %, how far the day swings it, memory %, disk %, cores, memory GiB, network bytes/s.
USUAL = {
    "web": (26.0, 16.0, 44.0, 31.0, 4, 8, 2_400_000.0),
    "api": (34.0, 14.0, 57.0, 38.0, 8, 16, 1_500_000.0),
    "db": (22.0, 10.0, 71.0, 62.0, 8, 32, 900_000.0),
}
HOT_FOR_S = 900  # how long before it is loaded the busy database became busy
ALWAYS_FULL = {FULL: 91.0, HEAVY: 47.0}


@lru_cache(maxsize=256)
def _own(seed: int, name: str) -> tuple[float, float, float]:
    """How this machine differs from its kind: a factor of CPU, a phase of the day, a share of memory."""
    random = Random(f"{seed}:{name}")  # noqa: S311 - pictures, not secrets
    return random.uniform(0.7, 1.3), random.uniform(-0.6, 0.6), random.uniform(-8, 8)


def sample(seed: int, machine: Machine, at: datetime, *, hot_since: datetime) -> Sample:
    """Figures that follow the time of day, with noise; one database is busy since `hot_since`."""
    cpu, swing, memory, disk, cores, memory_gib, network = USUAL[machine.role]
    factor, phase, more_memory = _own(seed, machine.name)
    seconds = at.timestamp()
    noise = Random(f"{seed}:{machine.name}:{int(seconds)}")  # noqa: S311
    wave = math.sin(2 * math.pi * seconds / DAY_S + phase - 1.9)
    burst = 18 * max(0.0, math.sin(seconds / 517 + machine.order)) ** 8
    cpu_pct = factor * (cpu + swing * wave) + burst + noise.gauss(0, 2.2)
    if machine.name == HOT and at >= hot_since:
        cpu_pct = 94.5 + noise.gauss(0, 1.2)
    cpu_pct = min(max(cpu_pct, 0.8), 99.5)
    mem_pct = (88.0 if machine.name == HEAVY else memory + more_memory + 4 * wave) + noise.gauss(0, 0.5)
    disk_pct = ALWAYS_FULL.get(machine.name, disk + 5 * phase) + (seconds % DAY_S) / DAY_S * 0.8
    whole_memory, whole_disk = memory_gib * GIB, (400 if machine.role == "db" else 80) * GIB
    return Sample(
        cpu_pct=round(cpu_pct, 2),
        core_count=cores,
        load1=round(cpu_pct / 100 * cores * noise.uniform(0.9, 1.15), 2),
        load5=round(cpu_pct / 100 * cores, 2),
        load15=round(cpu_pct / 100 * cores * 0.95, 2),
        mem_used=int(whole_memory * mem_pct / 100),
        mem_total=whole_memory,
        disk_used=int(whole_disk * disk_pct / 100),
        disk_total=whole_disk,
        net_rx=_carried(seconds, network * factor, phase),
        net_tx=_carried(seconds, network * factor * 2.2, phase),
        process_count=110 + machine.order * 3 + noise.randrange(12),
    )


def _carried(seconds: float, rate: float, phase: float) -> int:
    """A counter whose growth follows the time of day: the integral of `rate * (1 + 0.6 sin)`."""
    turn = 2 * math.pi / DAY_S
    since = seconds % (400 * DAY_S)
    return int(rate * (since - 0.6 / turn * math.cos(turn * since + phase - 1.9)) + rate * DAY_S)


PROCESSES = {
    "web": (("nginx", "www-data", 0.5), ("node", "app", 0.3), ("pharos-agent", "pharos", 0.02), ("sshd", "root", 0.01)),
    "api": (("uvicorn", "app", 0.6), ("celery", "app", 0.25), ("pharos-agent", "pharos", 0.02), ("sshd", "root", 0.01)),
    "db": (("postgres", "postgres", 0.7), ("postgres", "postgres", 0.2), ("pharos-agent", "pharos", 0.02)),
}


def processes(machine: Machine, now: Sample) -> list[dict]:
    """The busiest processes, in shares of what the machine does."""
    whole = (now.cpu_pct or 0) * (now.core_count or 1)
    memory = now.mem_used or 0
    return [
        {
            "pid": 400 + 37 * place + machine.order,
            "name": name,
            "cpu_percent": round(whole * share, 1),
            "memory_bytes": int(memory * share),
            "memory_percent": round(100 * memory * share / (now.mem_total or 1), 1),
            "status": "running" if share > 0.1 else "sleeping",
            "user": user,
        }
        for place, (name, user, share) in enumerate(PROCESSES[machine.role])
    ]
