"""The `jmeter` tool: one run of a plan."""

import os
from collections.abc import Mapping

from monitors.tools import programs
from monitors.tools.base import Control, Faults, Job, Outcome
from monitors.tools.jmeter import plan, result, selftest
from monitors.tools.jmeter.command import LOG, PLAN, PROPERTIES, command, environment, properties
from monitors.tools.jmeter.words import Words
from monitors.tools.process import run
from monitors.tools.workspace import Workspace


class JMeter:
    name, label = "jmeter", "JMeter plan"
    script_name = PLAN
    about_script = "A JMeter plan (.jmx). Parameters are properties: ${__P(NAME)}."
    unsandboxed = True
    install = (
        "unpack apache-jmeter-5.6.3.tgz into /opt, install Java, "
        "ln -s /opt/apache-jmeter-5.6.3/bin/jmeter /usr/local/bin/jmeter"
    )

    def faults(self, script: str, parameters: Mapping[str, str]) -> Faults:
        fault = plan.fault_of(script) if script else None
        return {"script": [fault]} if fault else {}

    def version(self) -> str | None:
        """Of a JMeter that works: some are installed and cannot load any plan."""
        program = programs.find("jmeter")
        return selftest.known_version(program, measure) if program else None

    def measure(self, job: Job, control: Control) -> Outcome:
        program = programs.find("jmeter")
        if program is None:
            return programs.missing(self.name, self.install)
        if fault := selftest.verdict(program, measure, poll=control.poll).fault:
            return Outcome(error=("tool_unavailable", f"{fault} Install one that works: {self.install}"))
        return programs.in_workspace(job, lambda where: measure(program, job, control, where))


def measure(program: str, job: Job, control: Control, where: Workspace) -> Outcome:
    """Run the plan in this folder. Its log is a pipe, so that its lines arrive while it is written."""
    where.write(PLAN, job.script)
    where.write(PROPERTIES, properties(job.parameters))
    words = Words(control.log)
    order = command(program)
    control.note(f"{' '.join(['jmeter', *order[1:]])} (limit {job.timeout_s} s)")
    pipe = where.fifo(LOG)
    try:
        ended = run(
            order,
            where=where,
            environment=environment(where.environment, where.folder),
            timeout_s=job.timeout_s,
            memory_bytes=None,
            control=control,
            on_output=words.output.take,
            reads=programs.folders_of(program),
            streams={pipe: words.log.take},
            counted={pipe},
        )
    finally:
        os.close(pipe)
    said = words.finish()
    control.note(f"exit code {ended.code}")
    return result.outcome(ended=ended, where=where, t_ms=job.apdex_t_ms, last_words=said, poll=control.poll)
