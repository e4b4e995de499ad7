"""The one interface of drivers: what each can do with a machine, and how it says that it failed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import msgspec

SUSPEND, RESUME, DESTROY, BACKUP = ACTIONS = ("suspend", "resume", "destroy", "backup")
ACTION_TIMEOUT_S = 60.0  # for one stop, start or removal


class DriverFailed(Exception):
    """The machine could not be acted upon. The text is one sentence for a person and holds no secret."""


@dataclass(frozen=True)
class Machine:
    """What a driver needs to know of an instance. `target` is what the provider calls the machine."""

    instance_id: str
    name: str
    provider: str
    region: str | None = None
    distro: str | None = None
    target: str = ""
    options: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Order:
    """A backup to be made. `compression` is none, gzip or zstd; `timeout_s` bounds the whole of it."""

    backup_id: str
    label: str
    compression: str
    timeout_s: float

    @property
    def file_name(self) -> str:
        """A name that is the backup's own, whatever the label holds."""
        plain = re.sub(r"[^A-Za-z0-9._-]", "_", self.label).lstrip(".-")
        return f"{plain[:80] or 'backup'}-{self.backup_id[:8]}.tar{SUFFIXES[self.compression]}"


SUFFIXES = {"none": "", "gzip": ".gz", "zstd": ".zst"}


@dataclass(frozen=True)
class Archive:
    """A backup that was made: where it lies, in words that the provider understands; None for what is not known."""

    place: str
    size_bytes: int | None = None
    sha256: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Plan:
    """What to deploy. `force` replaces what is there.

    `environment` holds variables of the configuration that are secret: a program gets them that way and no other.
    """

    configuration: str = field(repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    force: bool = False


class Driver:
    """Acts on one machine. A method returns when the provider says that it is done, and raises DriverFailed.

    `touches` tells whether anything outside Pharos is changed at all, `deploys` whether it can deploy. `can` holds
    the actions that are possible with this machine as it is set up; none while `lacking` names what is not set up.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    touches: ClassVar[bool] = True
    deploys: ClassVar[bool] = False
    target_label: ClassVar[str | None] = None  # what a target is called; None: this driver takes none
    Options: ClassVar[type[msgspec.Struct]] = msgspec.defstruct("Options", [], forbid_unknown_fields=True)

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.options: Any = msgspec.convert(machine.options, self.Options)

    @classmethod
    def check_target(cls, target: str) -> None:
        """Raises ValueError with a sentence when the text cannot name a machine."""
        if target and cls.target_label is None:
            raise ValueError("This driver takes no target.")

    @property
    def lacking(self) -> str | None:
        """What has to be set up before anything is possible, in one sentence; None when nothing is missing."""
        return None

    @property
    def can(self) -> frozenset[str]:
        return frozenset() if self.lacking else self.possible()

    def possible(self) -> frozenset[str]:
        raise NotImplementedError

    def suspend(self) -> None:
        """Stop the machine, or what it is for; nothing is lost."""
        raise DriverFailed(f"{self.title} cannot stop '{self.machine.name}'")

    def resume(self) -> None:
        """Start it again; that it runs already is no failure."""
        raise DriverFailed(f"{self.title} cannot start '{self.machine.name}'")

    def destroy(self) -> None:
        """Remove it for good; that it has gone already is no failure."""
        raise DriverFailed(f"{self.title} cannot remove '{self.machine.name}'")

    def deploy(self, plan: Plan) -> None:
        """Make the machine as the configuration says."""
        raise DriverFailed(f"{self.title} cannot deploy '{self.machine.name}'")

    def backup(self, order: Order) -> Archive:
        """Copy its data to a place that outlives it."""
        raise DriverFailed(f"{self.title} cannot back up '{self.machine.name}'")
