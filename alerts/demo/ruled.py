"""Demo rules: one whose condition holds, two whose does not. Each looks at one demo machine and at nothing else."""

from alerts.demo.names import FULL, HEAVY, HOT, Names
from alerts.incidents.models import Severity
from alerts.rules.models import Rule, RuleType

# Name, machine, severity, metric, limit in percent.
RULES = (
    ("CPU above 90 %", HOT, Severity.CRITICAL, "cpu_percent", 90),
    ("Disk above 97 %", FULL, Severity.HIGH, "disk_percent", 97),
    ("Memory above 96 %", HEAVY, Severity.MEDIUM, "mem_percent", 96),
)


def make(names: Names) -> None:
    """The rules, without channels; the next evaluation finds what holds."""
    by_name = {one.name: one.id for one in names.machines}
    for key, (name, machine, severity, metric, limit) in zip(names.rules, RULES, strict=True):
        Rule.objects.update_or_create(
            pk=key,
            defaults={
                "name": name,
                "description": "Part of the demo data.",
                "type": RuleType.THRESHOLD,
                "severity": severity,
                "instance_id": by_name[machine],
                "conditions": {"metric": metric, "operator": "gt", "threshold": limit},
            },
        )
