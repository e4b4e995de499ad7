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
        tick(10, "fleet.lifecycle.tasks.tend"),
        tick(3600, "fleet.lifecycle.tasks.prune"),
        tick(60, "fleet.metrics.tasks.roll_up"),
        tick(3600, "fleet.metrics.tasks.upkeep"),
        tick(3600, "fleet.logs.tasks.upkeep"),
        tick(10, "fleet.deployments.tasks.tend"),
        tick(5, "fleet.commands.tasks.tend"),
        tick(3600, "fleet.commands.tasks.forget"),
        tick(2, "fleet.collectors.tasks.derive"),
        tick(3600, "fleet.collectors.tasks.upkeep"),
        tick(5, "fleet.terminals.tasks.look_after"),
        tick(3600, "fleet.terminals.tasks.prune"),
        tick(1, "monitors.runs.tasks.dispatch"),
        tick(60, "monitors.agents.tasks.sample"),
        tick(3600, "monitors.runs.tasks.prune"),
        tick(5, "monitors.trials.tasks.look_after"),
        tick(900, "monitors.uptime.tasks.roll_up"),
        tick(5, "loadtest.workspace.tasks.remember_configuration"),
        tick(2, "loadtest.runs.tasks.tend"),
        tick(3600, "loadtest.runs.tasks.prune"),
        tick(2, "loadtest.signals.running.tasks.tend"),
        tick(60, "loadtest.replay.sessions.tasks.tend"),
        tick(3600, "loadtest.replay.sessions.tasks.forget"),
        tick(1, "alerts.evaluation.tasks.evaluate"),
        tick(3600, "alerts.evaluation.tasks.prune"),
        tick(1, "alerts.monitors.tasks.count_runs"),
        tick(1, "alerts.tending.tasks.tend"),
        tick(5, "alerts.objectives.tasks.look"),
        tick(3600, "alerts.objectives.tasks.forget"),
        tick(30, "alerts.budgets.tasks.look"),
        tick(300, "alerts.secrets.tasks.look"),
        tick(60, "alerts.fixes.tasks.look"),
        tick(2, "alerts.channels.tasks.send_due"),
        tick(10, "alerts.demo.tasks.tend"),
        tick(30, "costs.ledger.tasks.tend"),
        tick(3600, "costs.ledger.tasks.prune"),
        tick(60, "security.vulnerabilities.tasks.tend"),
        tick(3600, "security.bom.tasks.forget"),
        tick(3600, "security.audit.tasks.prune"),
        tick(3600, "security.accounts.tasks.clear_sessions"),
    ]
)
