"""What every tool gets and gives. A tool knows no rows: it measures, and tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from monitors.runs.judge import APDEX_T, DEFAULT_T_MS

Faults = dict[str, list[str]]  # field of a monitor, as on the wire -> what is wrong with it


@dataclass(frozen=True)
class Job:
    """One run to make. `parameters` are plain values, secrets included, so a job is never logged."""

    run_id: str
    timeout_s: int
    slot: int = 0  # which of the concurrent runs of this process it is
    script: str = field(default="", repr=False)
    script_name: str = "script"
    request: dict[str, Any] = field(default_factory=dict, repr=False)
    parameters: dict[str, str] = field(default_factory=dict, repr=False)
    thresholds: dict[str, float] = field(default_factory=dict)

    @property
    def apdex_t_ms(self) -> float:
        return float(self.thresholds.get(APDEX_T) or DEFAULT_T_MS)


@dataclass
class Outcome:
    """What came of a job: figures (not rounded), breaches of limits in the script, or why there is nothing.

    `timed_out` goes with figures when they could be read. An `error` is a code of the contract and a sentence.
    `screenshot` is a JPEG of what a browser showed when something failed.
    """

    metrics: dict[str, Any] | None = None
    breaches: list[dict[str, Any]] = field(default_factory=list)
    exit_code: int | None = None
    timed_out: bool = False
    error: tuple[str, str] | None = None
    screenshot: bytes | None = None


class Stopped(Exception):
    """The run must end now: cancelled, its lease is lost, or this process stops."""


class Control(Protocol):
    """The thread of a run calls `poll` at least each 0.2 s; it raises Stopped. `log` is safe from any thread."""

    def poll(self) -> None: ...

    def log(self, data: bytes) -> None: ...

    def note(self, text: str) -> None:
        """A line of ours in the log."""


class Tool(Protocol):
    """A way to measure. `unsandboxed` ones run whatever code a script holds, with all that their user may do."""

    @property
    def name(self) -> str: ...

    @property
    def label(self) -> str: ...

    @property
    def unsandboxed(self) -> bool: ...

    @property
    def script_name(self) -> str | None:
        """What a script is called that came without a name; None for a tool without scripts."""

    @property
    def about_script(self) -> str | None:
        """What a script is and how it gets parameters, for the form."""

    @property
    def install(self) -> str:
        """The line that installs the tool."""

    def faults(self, script: str, parameters: Mapping[str, str]) -> Faults:
        """What is wrong with a script ("" when none came) and with parameters that steer the tool."""

    def version(self) -> str | None:
        """The installed version; None when the tool is missing here."""

    def measure(self, job: Job, control: Control) -> Outcome:
        """Make the run. Leaves no process and no file behind, whatever happens."""
