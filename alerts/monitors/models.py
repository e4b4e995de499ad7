"""What has been counted of each monitor's runs (contract: monitors §6)."""

from django.db import models


class MonitorState(models.Model):
    """The newest counted outcomes of a monitor, oldest first: `g` good, `b` bad, at most ten.

    `flapping` holds from the fifth change among them until three good runs in a row.
    """

    monitor = models.OneToOneField(
        "monitors.Monitor", primary_key=True, on_delete=models.CASCADE, related_name="alert_state"
    )
    outcomes = models.CharField(max_length=10, blank=True)
    bad_in_row = models.PositiveIntegerField(default=0)
    good_in_row = models.PositiveIntegerField(default=0)
    flapping = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.monitor_id}: {self.outcomes}"
