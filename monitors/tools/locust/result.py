"""What a finished Locust means (contract: monitors §8.4)."""

from monitors.runs.judge import by_script
from monitors.tools.base import Outcome
from monitors.tools.lines import Said
from monitors.tools.locust.streams import Recorded
from monitors.tools.process import Exit
from monitors.tools.programs import never_measured


def outcome(*, ended: Exit, recorded: Recorded, said: Said) -> Outcome:
    """Figures from every single request. Another exit code than 0 comes from the script: failed requests give 0."""
    if unmeasured := never_measured(ended, said.last):
        return unmeasured
    samples = recorded.samples
    figures = samples.metrics(recorded.elapsed_s) if samples.count else None
    if ended.timed_out:
        return Outcome(metrics=figures, exit_code=ended.code, timed_out=True)
    if ended.code < 0:
        why = f"Locust was ended by signal {-ended.code}. {said.last}".strip()
        return Outcome(metrics=figures, exit_code=ended.code, error=("internal", why))
    if ended.code and figures is None:
        return Outcome(exit_code=ended.code, error=("script_error", said.last or "Locust could not use the script."))
    if figures is None:
        return Outcome(
            exit_code=ended.code,
            error=("no_samples", "No request was made. Exceptions in tasks are in the log of the run."),
        )
    breaches = [by_script(f"the script ended Locust with exit code {ended.code}")] if ended.code else []
    return Outcome(metrics=figures, breaches=breaches, exit_code=ended.code)
