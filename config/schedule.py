"""The ticks that beat sends: short, fixed, all in one place. What a person schedules is a row, never an entry here."""

from typing import Any


def tick(seconds: float, task: str, **options: Any) -> tuple[str, dict[str, Any]]:
    """Send `task` each `seconds`; a message that waited longer is dropped, since the next one does its work."""
    seconds = float(seconds)
    return task, {"task": task, "schedule": seconds, "options": {"expires": max(2.0, seconds), **options}}


TICKS = dict(
    [
        tick(10, "config.tasks.pulse"),
        tick(5, "fleet.instances.tasks.detect_silence"),
        tick(3600, "fleet.instances.tasks.retain"),
        tick(60, "fleet.metrics.tasks.roll_up"),
        tick(3600, "fleet.metrics.tasks.upkeep"),
        tick(1, "monitors.runs.tasks.dispatch"),
        tick(60, "monitors.agents.tasks.sample"),
        tick(3600, "monitors.runs.tasks.prune"),
        tick(2, "alerts.evaluation.tasks.evaluate"),
        tick(1, "alerts.monitors.tasks.count_runs"),
        tick(2, "alerts.channels.tasks.send_due"),
        tick(3600, "security.audit.tasks.prune"),
        tick(3600, "security.accounts.tasks.clear_sessions"),
    ]
)
