"""What agents send, as types, by the names of both dialects (contract: fleet console §31.4, §31.5)."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, field

Size = int | float | None
Number = int | float | None
Moment = datetime | int | float | None
MOST_PACKAGES, MOST_PARTS = 20_000, 32
# One line of text; control characters, which some readers obey, are refused.
_PLAIN = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*"
Plain = Annotated[str, Meta(max_length=256, pattern=f"^{_PLAIN}\\Z")]
_WORDS = f"^{_PLAIN}[^\\s\\x00-\\x1f]{_PLAIN}\\Z"
Text = Annotated[str, Meta(max_length=256, pattern=_WORDS)]
Notes = Annotated[list[Annotated[str, Meta(max_length=500)]], Meta(max_length=50)]
Label = Annotated[str, Meta(max_length=64)] | None
Names = Annotated[list[Annotated[str, Meta(min_length=1, max_length=128)]], Meta(max_length=200)] | None


class Cpu(msgspec.Struct):
    usage_percent: Number = None
    steal_percent: Number = None
    load_avg_1: Number = None
    load_avg_5: Number = None
    load_avg_15: Number = None
    core_count: Size = None


class Memory(msgspec.Struct):
    total_bytes: Size = None
    used_bytes: Size = None
    cached_bytes: Size = None
    swap_total_bytes: Size = None
    swap_used_bytes: Size = None


class Disk(msgspec.Struct):
    mount_point: str | None = None
    device: str | None = None
    total_bytes: Size = None
    used_bytes: Size = None


class Network(msgspec.Struct):
    bytes_sent: Size = None
    bytes_recv: Size = None
    packets_sent: Size = None
    packets_recv: Size = None


class Report(msgspec.Struct, kw_only=True, rename="camel"):
    """A heartbeat, a sample, or both at once; whatever a report may hold, by the names of both dialects."""

    instance_id: str | None = field(default=None, name="instance_id")
    speaks_for: str | None = field(default=None, name="instanceId")
    timestamp: Moment = None
    ts: Moment = None
    uptime_seconds: Number = field(default=None, name="uptime_seconds")
    uptime: Number = None
    replayed: bool = False
    process_count: Size = None
    process_count_snake: Size = field(default=None, name="process_count")

    # agent dialect
    cpu: Cpu | None = None
    memory: Memory | None = None
    disk: list[Disk] | None = None
    network: Network | None = None

    # console dialect, flat
    cpu_percent: Number = None
    mem_used: Size = None
    memory_used: Size = None
    mem_total: Size = None
    memory_total: Size = None
    disk_used: Size = None
    disk_total: Size = None
    load_avg: list[int | float | None] | None = None
    load_avg1: Number = field(default=None, name="loadAvg1")
    load_avg5: Number = field(default=None, name="loadAvg5")
    load_avg15: Number = field(default=None, name="loadAvg15")
    net_bytes_sent: Size = None
    network_bytes_out: Size = None
    net_bytes_recv: Size = None
    network_bytes_in: Size = None

    # facts about the machine
    agent_version: Label = None
    agent_version_snake: Label = field(default=None, name="agent_version")
    sindri_version: Label = field(default=None, name="sindri_version")
    cli_target: Label = field(default=None, name="cli_target")
    distro: str | None = None
    extensions: Names = None

    @property
    def named(self) -> str | None:
        """The instance that it speaks for."""
        return self.instance_id or self.speaks_for


class Process(msgspec.Struct):
    """One process (contract: fleet console §7)."""

    pid: int
    name: Annotated[str, Meta(max_length=256)]
    cpu_percent: Number = None
    memory_bytes: int | None = None
    memory_percent: Number = None
    status: Annotated[str, Meta(max_length=32)] | None = None
    user: Annotated[str, Meta(max_length=128)] | None = None


class Extension(msgspec.Struct):
    name: Annotated[str, Meta(min_length=1, max_length=128)]
    version: Label = None
    status: Label = None


class Package(msgspec.Struct, gc=False):
    """A package of some ecosystem (contract: fleet console §22, §31.5), with the source package it was built from."""

    name: Text
    version: Text
    ecosystem: Annotated[str, Meta(max_length=64, pattern=_WORDS)]
    license: Plain | None = None
    source_name: Plain | None = None
    source_version: Plain | None = None


class AuthorisedKey(msgspec.Struct):
    """A public key that opens accounts of the machine; the key itself stays there."""

    fingerprint: Text
    key_type: Annotated[str, Meta(min_length=1, max_length=32)]
    key_bits: Annotated[int, Meta(ge=1, le=65536)] | None = None
    comment: Annotated[str, Meta(max_length=256)] | None = None
    accounts: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=50)] = []


class Part(msgspec.Struct):
    """Which part of a list of packages this is that is too long for one frame."""

    number: Annotated[int, Meta(ge=1, le=MOST_PARTS)]
    count: Annotated[int, Meta(ge=1, le=MOST_PARTS)]


class Installed(msgspec.Struct, kw_only=True):
    """What is installed, and which keys open the machine. A list that is absent was not looked at.

    `notes`: what could not be listed, and why.
    """

    packages: Annotated[list[Package], Meta(max_length=MOST_PACKAGES)] | None = None
    ssh_keys: Annotated[list[AuthorisedKey], Meta(max_length=1000)] | None = None
    notes: Notes = []


class Inventory(Installed, kw_only=True):
    """What the agent lists of its machine. A list that is absent was not looked at."""

    instance_id: str | None = None
    speaks_for: str | None = field(default=None, name="instanceId")
    processes: Annotated[list[Process], Meta(max_length=1000)] | None = None
    extensions: Annotated[list[Extension], Meta(max_length=200)] | None = None
    part: Part | None = None


class Happening(msgspec.Struct, kw_only=True):
    """Something that the agent says has happened."""

    instance_id: str | None = None
    speaks_for: str | None = field(default=None, name="instanceId")
    event_type: str | None = None
    camel_type: str | None = field(default=None, name="eventType")
    message: Annotated[str, Meta(max_length=4096)] | None = None
    metadata: dict[str, Any] | None = None
    timestamp: Moment = None


class LogLine(msgspec.Struct, kw_only=True):
    """One line of a log."""

    instance_id: str | None = None
    speaks_for: str | None = field(default=None, name="instanceId")
    level: str | None = None
    message: str | None = None
    line: str | None = None
    source: str | None = None
    path: str | None = None
    ts: Moment = None
    timestamp: Moment = None
    metadata: dict[str, Any] | None = None
    deployment_id: Annotated[str, Meta(max_length=128)] | None = field(default=None, name="deploymentId")


class LogLines(msgspec.Struct, kw_only=True):
    """Several lines, of one file when `path` is given."""

    instance_id: str | None = None
    speaks_for: str | None = field(default=None, name="instanceId")
    path: str | None = None
    lines: Annotated[list[LogLine | str], Meta(max_length=1000)] = []


class Delivery(Report, kw_only=True):
    """The body of an ingest request: one report, or a heartbeat, a sample and lists of the machine side by side."""

    heartbeat: Report | None = None
    metrics: Report | None = None
    processes: Annotated[list[Process], Meta(max_length=1000)] | None = None
    packages: Annotated[list[Package], Meta(max_length=MOST_PACKAGES)] | None = None
    ssh_keys: Annotated[list[AuthorisedKey], Meta(max_length=1000)] | None = field(default=None, name="ssh_keys")
    notes: Notes = []

    @property
    def installed(self) -> Installed:
        return Installed(packages=self.packages, ssh_keys=self.ssh_keys, notes=self.notes)
