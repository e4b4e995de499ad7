"""The `k6` tool: the program runs a script under limits; its summary and points are read (contract: monitors §8.2)."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import msgspec
from django.conf import settings

from monitors.tools import k6_result
from monitors.tools.base import Control, Job, Outcome
from monitors.tools.process import run
from monitors.tools.samples import Samples
from monitors.tools.workspace import CannotDrop, Workspace, workspace

MEMORY = 2 << 30
TREND_STATS = "avg,min,med,max,p(50),p(90),p(95),p(99),count"
METADATA = ("169.254.0.0/16", "fd00:ec2::254/128")  # addresses that hand out a machine's credentials
LONGEST_LINE = 1 << 18
_POINT = b'{"metric":"http_req_duration","type":"Point"'


class K6:
    name = "k6"
    needs_script = True

    def version(self) -> str | None:
        return _version()

    def measure(self, job: Job, control: Control) -> Outcome:
        if (program := find()) is None:
            return Outcome(error=("tool_unavailable", "The program k6 is not installed on this agent."))
        try:
            with workspace(job.slot) as where:
                return _measure(program, job, control, where)
        except CannotDrop as error:
            return Outcome(error=("tool_unavailable", str(error)))


def find() -> str | None:
    """The program: in PATH, else beside our Python, where the package of that name puts it."""
    return shutil.which("k6") or shutil.which("k6", path=str(Path(sys.executable).parent))


@cache
def _version() -> str | None:
    if (program := find()) is None:
        return None
    try:
        said = subprocess.run([program, "version"], capture_output=True, text=True, timeout=10, env={}).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = said.split()
    return words[1].removeprefix("v") if len(words) > 1 else None


def command(program: str) -> list[str]:
    denied = [*METADATA, *map(str, settings.MONITOR_TARGET_DENY)]
    return [
        *(program, "run", "--quiet", "--no-color", "--no-usage-report", "--address=", "--log-format=json"),
        *(f"--summary-trend-stats={TREND_STATS}", "--summary-export=summary.json", "--out", "json=points.fifo"),
        *(f"--blacklist-ip={network}" for network in denied),
        "script.js",
    ]


def _measure(program: str, job: Job, control: Control, where: Workspace) -> Outcome:
    where.write("script.js", job.script)
    points, messages = Points(job.apdex_t_ms), Messages(control.log, folder=where.folder)
    order = command(program)
    control.note(f"{' '.join(['k6', *order[1:]])} (limit {job.timeout_s} s)")
    pipe = where.fifo("points.fifo")
    try:
        ended = run(
            order,
            where=where,
            environment=where.environment | job.parameters,
            timeout_s=job.timeout_s,
            memory_bytes=MEMORY,
            control=control,
            on_output=messages.take,
            streams={pipe: points.take},
        )
    finally:
        os.close(pipe)
    messages.finish()
    control.note(f"exit code {ended.code}")
    return k6_result.outcome(ended=ended, summary=where.read("summary.json"), samples=points.samples, messages=messages)


class Lines:
    """Cuts a stream of bytes into lines; a line beyond the limit comes in pieces."""

    def __init__(self, on_line: Callable[[bytes], None]) -> None:
        self._rest, self._on_line = b"", on_line

    def take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._on_line(line)
        if len(self._rest) > LONGEST_LINE:
            self.finish()

    def finish(self) -> None:
        if self._rest:
            rest, self._rest = self._rest, b""
            self._on_line(rest)


class _Tags(msgspec.Struct):
    expected_response: str = ""


class _Data(msgspec.Struct):
    value: float
    tags: _Tags


class _Point(msgspec.Struct):
    data: _Data


class Points(Lines):
    """Reads the stream of points and keeps the times of HTTP requests."""

    def __init__(self, t_ms: float) -> None:
        super().__init__(self._line)
        self.samples = Samples(t_ms)
        self._decode = msgspec.json.Decoder(_Point).decode

    def _line(self, line: bytes) -> None:
        if line.startswith(_POINT):
            try:
                data = self._decode(line).data
            except msgspec.DecodeError:  # the last line of a killed program
                return
            self.samples.add(data.value, data.tags.expected_response == "true")


class _Message(msgspec.Struct):
    msg: str
    level: str = ""
    source: str = ""
    error: str = ""


class Messages(Lines):
    """Turns k6's log lines, JSON so that uncaught exceptions can be told apart, back into the text of the log."""

    def __init__(self, write: Callable[[bytes], None], *, folder: Path) -> None:
        super().__init__(self._line)
        self._write = write
        self._prefix = f"file://{folder}/"
        self._decode = msgspec.json.Decoder(_Message).decode
        self.exceptions = 0
        self.last_error = ""
        self.said = ""  # why the script itself failed or ended the test

    def _line(self, line: bytes) -> None:
        if not line.startswith(b'{"'):
            self._write(line + b"\n")
            return
        try:
            message = self._decode(line)
        except msgspec.DecodeError:
            self._write(line + b"\n")
            return
        text = message.msg.rstrip("\n") + (f": {message.error}" if message.error else "")
        text = text.replace(self._prefix, "")
        self.exceptions += message.source == "stacktrace"
        if message.level in ("error", "fatal"):
            self.last_error = text[:1000]
        for opening in ("test aborted: ", "test marked as failed: "):
            if message.source != "console" and text.startswith(opening):
                self.said = text[:1000]
        self._write(text.encode() + b"\n")
