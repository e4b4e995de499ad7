"""The labels of an alert: what silences, groupings and policies ask about. Written down when it fires."""

from collections.abc import Mapping

from alerts.incidents.models import Alert

MOST, LONGEST = 64, 300


def labels_of(alert: Alert, given: Mapping[str, str]) -> dict[str, str]:
    """Labels of an alert that is about to fire, the given ones among them.

    `alertname` (the rule or monitor), `severity`, `source`, `type`, `instance`, `monitor`, `team`, `provider`,
    `region`, `tag.<name>` and the rule's own, which replace none of these.
    """
    rule, instance, monitor = alert.rule, alert.instance, alert.monitor
    about = instance or monitor
    found = {
        "alertname": rule.name if rule else about.name if about else alert.title,
        "severity": alert.severity,
        "source": alert.source,
        "type": alert.type,
    }
    if instance:
        team = instance.team.name if instance.team else ""
        found |= {
            "instance": instance.name,
            "team": team,
            "provider": instance.provider,
            "region": instance.region or "",
        }
        found |= {f"tag.{name}": value for name, value in (instance.tags or {}).items()}
    if monitor:
        found |= {"monitor": monitor.name} | {f"tag.{name}": "yes" for name in monitor.tags or []}
    whole = {**(rule.labels if rule else {}), **given, **found}
    named = sorted(whole.items(), key=lambda item: (item[0] not in found, item[0]))
    return {name: str(value)[:LONGEST] for name, value in named[:MOST] if value not in (None, "")}
