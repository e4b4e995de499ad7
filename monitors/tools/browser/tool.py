"""The `browser` tool: one run of a script that drives a page."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from monitors.tools import programs
from monitors.tools.base import Control, Faults, Job, Outcome
from monitors.tools.browser import chromium, result, script
from monitors.tools.browser.events import Events
from monitors.tools.lines import Said
from monitors.tools.process import run
from monitors.tools.workspace import Workspace

SCRIPT, SCREENSHOT = "script.py", "screenshot.jpg"
MOST_SCREENSHOT = 512 * 1024
UNBUFFERED = {"PYTHONUNBUFFERED": "1"}  # what a script prints is in the log at once
_JPEG = b"\xff\xd8\xff"
_OURS = ("driver.py", "vitals.js")


class Browser:
    name, label = "browser", "Browser script"
    script_name = SCRIPT
    about_script = (
        "A Python file with async def run(page, params); page is a Playwright page. ITERATIONS tells how often it runs."
    )
    unsandboxed = True
    install = chromium.INSTALL

    def faults(self, text: str, parameters: Mapping[str, str]) -> Faults:
        fault = script.fault_of(text) if text else None
        return script.faults_of(parameters) | ({"script": [fault]} if fault else {})

    def version(self) -> str | None:
        program = chromium.find()
        return programs.version_of(program, "--version") if program else None

    def measure(self, job: Job, control: Control) -> Outcome:
        program = chromium.find()
        if program is None:
            return programs.missing(self.name, self.install)
        return programs.in_workspace(job, lambda where: _measure(program, job, control, where))


def _measure(program: str, job: Job, control: Control, where: Workspace) -> Outcome:
    where.write(SCRIPT, job.script)
    for name in _OURS:
        where.write(name, Path(__file__).with_name(name).read_text(encoding="utf-8"))
    where.write("settings.json", json.dumps(_settings(program, job, where)))
    events, said = Events(job.apdex_t_ms), Said(control.log)
    control.note(f"script.py in {program} (limit {job.timeout_s} s)")
    pipe = where.fifo("events.fifo")
    try:
        ended = run(
            [sys.executable, "driver.py"],
            where=where,
            environment=where.environment | job.parameters | UNBUFFERED,
            timeout_s=job.timeout_s,
            memory_bytes=None,
            control=control,
            on_output=said.take,
            reads=[*programs.folders_of(sys.executable), *programs.folders_of(program)],
            streams={pipe: events.take},
        )
    finally:
        os.close(pipe)
    said.finish()
    control.note(f"exit code {ended.code}")
    return result.outcome(ended=ended, events=events, last_words=said.last, screenshot=_screenshot(where))


def _settings(program: str, job: Job, where: Workspace) -> dict[str, object]:
    return {
        "parameters": job.parameters,
        "iterations": int(job.parameters.get("ITERATIONS", "1")),
        "chromium": program,
        "arguments": chromium.arguments(),
        "environment": where.environment,  # Chromium needs no parameters
    }


def _screenshot(where: Workspace) -> bytes | None:
    """What the driver left, if it is a JPEG of bearable size."""
    image = where.read(SCREENSHOT, MOST_SCREENSHOT)
    return image if image and image.startswith(_JPEG) else None
