"""What a finished browser run means."""

from typing import Any

from monitors.runs.judge import by_script
from monitors.tools.base import Outcome
from monitors.tools.browser.events import Events
from monitors.tools.process import Exit
from monitors.tools.programs import never_measured

FAULTS = ("script_error", "tool_unavailable")


def outcome(*, ended: Exit, events: Events, last_words: str, screenshot: bytes | None) -> Outcome:
    """Figures of the page loads. An iteration whose script raised breaks a limit; without a page it is an error."""
    if unmeasured := never_measured(ended, last_words):
        return unmeasured
    figures = _figures(events)
    known: dict[str, Any] = {"metrics": figures, "exit_code": ended.code, "screenshot": screenshot}
    if ended.timed_out:
        return Outcome(**known, timed_out=True)
    if events.fault and events.fault[0] in FAULTS:
        return Outcome(**known, error=events.fault)
    if ended.code:
        why = f"ended by signal {-ended.code}" if ended.code < 0 else f"failed with exit code {ended.code}"
        return Outcome(**known, error=("internal", f"The browser's driver {why}. {last_words}".strip()))
    if figures is None and events.first_error:
        return Outcome(**known, error=("script_error", events.first_error))
    if figures is None:
        return Outcome(**known, error=("no_samples", "The script opened no page."))
    return Outcome(**known, breaches=[by_script(events.first_error)] if events.first_error else [])


def _figures(events: Events) -> dict[str, Any] | None:
    if not events.samples.count:
        return None
    return events.samples.metrics(events.elapsed_s) | events.vitals() | {"checksFailed": events.failed_iterations}
