"""The `http` tool: one run. It needs nothing installed and no script."""

import time
from collections.abc import Mapping

from config.version import VERSION
from monitors.tools.base import Control, Faults, Job, Outcome
from monitors.tools.http.expectations import parts
from monitors.tools.http.sampling import Call, all_of
from monitors.tools.samples import Samples

DEFAULTS = {
    "method": "GET",
    "samples": 5,
    "concurrency": 1,
    "timeoutMs": 10_000,
    "followRedirects": True,
    "verifyTls": True,
}


class Http:
    name, label = "http", "HTTP request"
    script_name = about_script = None
    unsandboxed = False
    install = ""

    def faults(self, script: str, parameters: Mapping[str, str]) -> Faults:
        return {}

    def version(self) -> str | None:
        return VERSION

    def measure(self, job: Job, control: Control) -> Outcome:
        request = DEFAULTS | job.request
        began = time.monotonic()
        deadline = began + job.timeout_s
        call = Call(request, job.parameters, deadline)
        control.note(f"{request['method']} {call.url}, {call.count} samples, {call.concurrency} at once")
        samples, first, ended = Samples(job.apdex_t_ms), None, began
        for sample in all_of(call, control, deadline):
            samples.add(sample.ms, sample.fault is None)
            ended = time.monotonic()
            first = first or sample.reply
            said = sample.fault or f"status {sample.reply.status if sample.reply else 'unknown'}"
            control.log(f"sample {samples.count} of {call.count}: {said} in {sample.ms:.1f} ms\n".encode())
            if sample.impossible:
                return Outcome(error=("script_error", sample.fault or ""))
        timed_out = samples.count < call.count
        if not samples.count:
            return Outcome(timed_out=timed_out, error=None if timed_out else ("no_samples", "No request was made."))
        return Outcome(metrics=samples.metrics(ended - began) | parts(first), timed_out=timed_out)
