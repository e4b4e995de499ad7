"""What a finished JMeter means; its exit code is 0 for a missing plan too (contract: monitors §8.3)."""

import io
import os
from collections.abc import Callable

from monitors.tools.base import Outcome
from monitors.tools.jmeter import jtl
from monitors.tools.jmeter.command import RESULT
from monitors.tools.process import FILE_BYTES, Exit
from monitors.tools.programs import never_measured
from monitors.tools.workspace import Workspace


def outcome(*, ended: Exit, where: Workspace, t_ms: float, last_words: str, poll: Callable[[], None]) -> Outcome:
    """Figures from the result file; without one row of it, JMeter's last words."""
    if unmeasured := never_measured(ended, last_words):
        return unmeasured
    try:
        table = _table(where, t_ms, cut_off=ended.timed_out or ended.code != 0, poll=poll)
    except jtl.BadResult as fault:
        error = None if ended.timed_out else ("bad_result", str(fault))
        return Outcome(exit_code=ended.code, timed_out=ended.timed_out, error=error)
    figures = table.samples.metrics(table.elapsed_s) if table and table.samples.count else None
    if ended.timed_out:
        return Outcome(metrics=figures, exit_code=ended.code, timed_out=True)
    if ended.code < 0:
        return Outcome(
            metrics=figures,
            exit_code=ended.code,
            error=("internal", f"JMeter was ended by signal {-ended.code}. {last_words}".strip()),
        )
    if figures is None:
        said = f" It said: {last_words}" if last_words else ""
        return Outcome(exit_code=ended.code, error=("no_samples", f"JMeter measured no sample.{said}"))
    return Outcome(metrics=figures, exit_code=ended.code)


def _table(where: Workspace, t_ms: float, *, cut_off: bool, poll: Callable[[], None]) -> jtl.Table | None:
    file = where.open(RESULT)
    if file is None:
        return None
    with file, io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="") as text:
        if os.fstat(file.fileno()).st_size >= FILE_BYTES:
            raise jtl.BadResult(f"The result file was cut off at {FILE_BYTES >> 20} MiB.")
        return jtl.read(text, t_ms, cut_off=cut_off, poll=poll)
