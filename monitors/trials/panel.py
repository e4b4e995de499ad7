"""What the panel of a trial shows, on its own and beside the form."""

from typing import Any

from monitors.trials.models import Trial

LINES_SHOWN = 500


def about(trial: Trial) -> dict[str, Any]:
    """What `monitors/trial_panel.html` reads."""
    metrics, lines = trial.metrics or {}, trial.log.splitlines()
    return {
        "trial": trial,
        "metrics": metrics,
        "error_percent": None if metrics.get("errorRate") is None else metrics["errorRate"] * 100,
        "log": "\n".join(lines[-LINES_SHOWN:]),
        "log_left_out": max(0, len(lines) - LINES_SHOWN),
    }
