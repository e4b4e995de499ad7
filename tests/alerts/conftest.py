"""What tests of alerts share: instances that report, rules, channels, finished runs."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.test import Client

from alerts.channels import outbox
from alerts.channels.models import Channel
from alerts.evaluation.services import evaluate
from alerts.incidents.models import Alert
from alerts.monitors.services import look
from alerts.rules.models import Rule
from fleet.instances.models import Instance, Status
from fleet.metrics.recording import record
from fleet.metrics.samples import Beat, Sample, checked
from monitors.agents.models import Agent
from monitors.monitors.models import Monitor
from monitors.runs.models import Run
from tests.factories import make_user

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_numbers = count(1)


def make_instance(**fields: Any) -> Instance:
    """A machine that runs and has just reported."""
    fields = {
        "name": f"web-{next(_numbers)}",
        "provider": "docker",
        "status": Status.RUNNING,
        "last_seen_at": NOW,
    } | fields
    return Instance.objects.create(**fields)


def report(instance: Instance, *, at: datetime = NOW, **figures: Any) -> None:
    """Store a sample as an agent's heartbeat does; `mem` and `disk` are shares in percent."""
    for name in ("mem", "disk"):
        if name in figures:
            figures |= {f"{name}_used": figures.pop(name), f"{name}_total": 100}
    record([checked(Beat(instance_id=instance.pk, at=at, sample=Sample(**figures)), now=at)], now=at)


def later(seconds: float) -> datetime:
    """So many seconds after NOW."""
    return NOW + timedelta(seconds=seconds)


def busy(instance: Instance, values: dict[int, float]) -> None:
    """CPU in percent by seconds after NOW."""
    for second, value in values.items():
        report(instance, at=later(second), cpu_pct=value)


def opened() -> list[Alert]:
    return list(Alert.objects.open().order_by("title"))


def make_rule(**fields: Any) -> Rule:
    """CPU above 90 % on every instance, without cooldown, unless told otherwise."""
    channels = fields.pop("channels", [])
    conditions = {"metric": "cpu_percent", "operator": "gt", "threshold": 90} | fields.pop("conditions", {})
    if fields.get("type") == "LIFECYCLE":
        conditions = {name: conditions[name] for name in conditions if name not in ("metric", "operator", "threshold")}
    fields = {"name": "Busy", "type": "THRESHOLD", "severity": "HIGH", "cooldown_s": 0} | fields
    rule = Rule.objects.create(conditions=conditions, **fields)
    rule.channels.set(channels)
    return rule


def make_channel(
    url: str = "http://127.0.0.1:9/", *, type: str = "WEBHOOK", config: Any = None, **fields: Any
) -> Channel:
    channel = Channel(name=f"Channel {next(_numbers)}", type=type, **fields)
    channel.config = config or {"url": url}
    channel.save()
    return channel


def fire_alert(instance: Instance | None = None, *, rule: Rule | None = None, now: datetime = NOW) -> Alert:
    """An alert that fired because an instance was too busy."""
    instance = instance or make_instance()
    rule = rule or make_rule(instance=instance)
    report(instance, at=now, cpu_pct=97.5)
    evaluate(now=now)
    return Alert.objects.open().get(rule=rule, instance=instance)


def send_all(now: datetime) -> list[bool]:
    """Deliver what is due at `now`; for each message whether it arrived."""
    return [arrived for channel in outbox.due_channels(now=now) for arrived in outbox.drain(channel, now=now)]


def make_monitor(**fields: Any) -> Monitor:
    agent, _ = Agent.objects.get_or_create(pk="default", defaults={"name": "Default"})
    fields = {"name": f"Front page {next(_numbers)}", "tool": "http", "schedule": "* * * * *", "enabled": True} | fields
    upcoming = NOW + timedelta(days=1)
    return Monitor.objects.create(agent=agent, shortest_gap_s=60, next_run_at=upcoming, **fields)


def finish_run(monitor: Monitor, status: str, *, at: datetime = NOW, **fields: Any) -> Run:
    """A run that ended with this status and waits to be counted."""
    error = {"error_code": "no_samples", "error_message": "No request was made"} if status == "error" else {}
    breach = {"threshold": "latencyMs", "actual": 1312.4, "limit": 900, "message": "p95 1312.4 ms is over 900 ms"}
    fields = {"breaches": [breach] if status == "fail" else [], "trigger": "schedule"} | error | fields
    times = dict.fromkeys(("queued_at", "ready_at", "take_until", "started_at", "completed_at"), at)
    return Run.objects.create(
        monitor=monitor, agent=monitor.agent, tool=monitor.tool, status=status, spec={}, timeout_s=30, **times, **fields
    )


def browser(role: str = "OPERATOR", user: Any = None) -> Client:
    client = Client()
    client.user = user or make_user(role=role)
    client.force_login(client.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(answer: Any) -> str:
    assert answer.status_code in (200, 422), answer.status_code
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def told(answer: Any) -> str:
    """The message on the page that follows."""
    assert answer.status_code == 200
    return " ".join(re.findall(r'<div class="message[^>]*>([^<]*)', answer.content.decode()))


@pytest.fixture
def runs(db: None) -> Callable[..., Alert | None]:
    """`runs(monitor, "ggb")` finishes and counts runs: good, bad (fail), `e`rror, `t`imeout, `c`ancelled.

    Returns the monitor's newest alert. Each run ends a minute after the one before.
    """
    words = {"g": "pass", "b": "fail", "e": "error", "t": "timeout", "c": "cancelled"}
    minutes = count()

    def play(monitor: Monitor, letters: str, **fields: Any) -> Alert | None:
        for letter in letters:
            at = NOW + timedelta(minutes=next(minutes))
            finish_run(monitor, words[letter], at=at, **fields)
            look(now=at + timedelta(seconds=1))
        return Alert.objects.filter(monitor=monitor).order_by("-fired_at").first()

    return play
