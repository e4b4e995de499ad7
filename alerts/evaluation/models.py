"""The one row that says when the rules are looked at next."""

from django.db import models


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
