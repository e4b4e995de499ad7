"""When the rules are looked at next, and what they found (contract: fleet console §10)."""

from django.db import models

from config.timeseries import Table

FLEET = "fleet"  # the subject of a rule that is about all instances together


class EvaluationPass(models.Model):
    """Whoever moves `next_at` on does the pass, so any number of workers make one (contract: fleet console §10)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    next_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="evaluation_pass_single"),)

    def __str__(self) -> str:
        return f"next pass {self.next_at}"


class Verdict(models.TextChoices):
    """What a rule says of an instance. PENDING: the limit is broken, but not for long or not often enough yet."""

    TRUE = "true", "True"
    PENDING = "pending", "Pending"
    FALSE = "false", "Not true"
    STALE = "stale", "Stale"
    NO_DATA = "no_data", "No data"


class RuleState(models.Model):
    """What a rule last found for one instance (or FLEET); written when that changes, and by storms of changes at once.

    Without a row a rule has never found anything but FALSE there. `history` holds the last samples (or looks, where
    there are no samples) of a rule that wants several, newest last: 1 true, 0 not. `sample_at` is the newest counted.
    """

    pk = models.CompositePrimaryKey("rule_id", "subject_id")
    rule = models.ForeignKey("alerts.Rule", on_delete=models.CASCADE, related_name="states", db_index=False)
    subject_id = models.CharField(max_length=32)
    verdict = models.CharField(max_length=8, choices=Verdict)
    since_at = models.DateTimeField()
    value = models.FloatField(null=True)
    history = models.CharField(max_length=60, blank=True)
    sample_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "alerts_rulestate"
        indexes = (models.Index(fields=["rule", "verdict", "-since_at"], name="rule_state_newest"),)

    def __str__(self) -> str:
        return f"{self.rule_id} {self.subject_id}: {self.verdict}"


STATES = Table(
    "alerts_rulestate",
    {
        "rule_id": "text", "subject_id": "text", "verdict": "text", "since_at": "time", "value": "double",
        "history": "text", "sample_at": "time",
    },
    key=("rule_id", "subject_id"),
)  # fmt: skip
