"""The `locust` tool: one run of a Python file."""

import os
from collections.abc import Mapping
from pathlib import Path

from monitors.tools import programs
from monitors.tools.base import Control, Faults, Job, Outcome
from monitors.tools.lines import Said
from monitors.tools.locust import result, script
from monitors.tools.locust.command import RECORDER, SAMPLES, SCRIPT, command, run_time_s
from monitors.tools.locust.streams import Recorded
from monitors.tools.process import run
from monitors.tools.workspace import Workspace

MEMORY = 2 << 30
UNBUFFERED = {"PYTHONUNBUFFERED": "1"}  # what a script prints is in the log at once
_RECORDER = Path(__file__).with_name("recorder.py")


class Locust:
    name, label = "locust", "Locust script"
    script_name = SCRIPT
    about_script = (
        "A Python file with a class such as HttpUser. Parameters are in os.environ; "
        "USERS, SPAWN_RATE and RUN_TIME steer the run."
    )
    unsandboxed = True
    install = "pip install locust"

    def faults(self, text: str, parameters: Mapping[str, str]) -> Faults:
        fault = script.fault_of(text) if text else None
        return script.faults_of(parameters) | ({"script": [fault]} if fault else {})

    def version(self) -> str | None:
        program = programs.find("locust")
        return programs.version_of(program, "--version") if program else None

    def measure(self, job: Job, control: Control) -> Outcome:
        program = programs.find("locust")
        if program is None:
            return programs.missing(self.name, self.install)
        return programs.in_workspace(job, lambda where: _measure(program, job, control, where))


def _measure(program: str, job: Job, control: Control, where: Workspace) -> Outcome:
    where.write(SCRIPT, job.script)
    where.write(RECORDER, _RECORDER.read_text(encoding="utf-8"))
    recorded, said = Recorded(job.apdex_t_ms), Said(control.log)
    order = command(program, job.parameters, job.timeout_s)
    control.note(f"{' '.join(['locust', *order[1:]])} (limit {job.timeout_s} s)")
    if job.parameters.get("RUN_TIME") and run_time_s(job.parameters, job.timeout_s) != script.seconds(
        job.parameters["RUN_TIME"]
    ):
        control.note("RUN_TIME is shortened: ten seconds of the run's time are kept for start and end")
    pipe = where.fifo(SAMPLES)
    try:
        ended = run(
            order,
            where=where,
            environment=where.environment | job.parameters | UNBUFFERED,
            timeout_s=job.timeout_s,
            memory_bytes=MEMORY,
            control=control,
            on_output=said.take,
            reads=programs.folders_of(program),
            streams={pipe: recorded.take},
        )
    finally:
        os.close(pipe)
    said.finish()
    if recorded.untimed:
        control.note(f"{recorded.untimed} requests were told without a time and are not counted")
    control.note(f"exit code {ended.code}")
    return result.outcome(ended=ended, recorded=recorded, said=said)
