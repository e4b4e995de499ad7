"""What tests of the handling of alerts share: something wrong, time that passes, a receiver that is counted."""

from datetime import datetime, timedelta
from typing import Any

from alerts.channels.models import Channel
from alerts.incidents.models import Alert
from alerts.incidents.services import fire, resolve
from alerts.tending.services import tend
from tests.alerts.conftest import later, make_rule, send_all


class Story:
    """Alerts that come and go, second by second after NOW; `bodies` is what the receiver got, in its order."""

    def __init__(self, server: Any, channel: Channel) -> None:
        self.server, self.channel = server, channel
        self.rule = make_rule(name="Silent", channels=[channel])

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [request.json() for request in self.server.requests]

    def fire(self, second: float, instance: Any = None, **fields: Any) -> Alert:
        subject = instance.pk if instance else "fleet"
        facts = {
            "source": "rule", "type": "LIFECYCLE", "severity": "HIGH", "title": f"{instance or 'Fleet'} is silent",
            "message": "No heartbeat.", "rule": self.rule, "instance": instance,
            "dedupe_key": f"{self.rule.pk}:{subject}", "channels": self.rule.channels.all(),
        }  # fmt: skip
        return fire(now=later(second), **facts | fields)

    def resolve(self, second: float, alert: Alert) -> None:
        assert resolve(alert=alert, now=later(second))

    def at(self, second: float) -> int:
        """Let the platform do what is due at that second; how many messages have arrived since the beginning."""
        tend(now=later(second))
        send_all(later(second))
        return len(self.server.requests)

    def through(self, since: float, until: float, step: float = 1) -> int:
        second = since
        while second <= until:
            self.at(second)
            second += step
        return len(self.server.requests)


def soon(moment: datetime, seconds: float) -> datetime:
    return moment + timedelta(seconds=seconds)
