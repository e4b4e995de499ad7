"""The command line of Locust (contract: monitors §8.4)."""

from collections.abc import Mapping

from monitors.tools.locust.script import seconds

SCRIPT, RECORDER, SAMPLES = "script.py", "pharos_recorder.py", "samples.fifo"
RESERVE_S = 10  # for the start, and for requests that are still under way at the end


def run_time_s(parameters: Mapping[str, str], timeout_s: int) -> int:
    """How long users are active: RUN_TIME (30 s), but so that Locust ends before the run's time is over."""
    asked = seconds(parameters.get("RUN_TIME", "")) or 30
    return max(1, min(asked, timeout_s - RESERVE_S))


def command(program: str, parameters: Mapping[str, str], timeout_s: int) -> list[str]:
    return [
        *(program, "-f", f"{SCRIPT},{RECORDER}", "--headless", "--only-summary"),
        *("-u", parameters.get("USERS", "1"), "-r", parameters.get("SPAWN_RATE", "1")),
        *("-t", f"{run_time_s(parameters, timeout_s)}s", "--stop-timeout", "5"),
        *("--exit-code-on-error", "0", "--loglevel", "INFO"),
    ]
