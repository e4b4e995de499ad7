"""What remains of a monitor's day: how many of its checks counted, and how many of them passed."""

from django.db import models
from django.db.models import F, Q


class MonitorDay(models.Model):
    """One UTC day of one monitor. Days without a counted run have no row."""

    monitor = models.ForeignKey("monitors.Monitor", on_delete=models.CASCADE, related_name="days", db_index=False)
    date = models.DateField(db_index=True)
    counted = models.PositiveIntegerField()
    passed = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["monitor", "date"], name="monitor_day_once"),
            models.CheckConstraint(condition=Q(passed__lte=F("counted"), counted__gt=0), name="monitor_day_counts"),
        )

    def __str__(self) -> str:
        return f"{self.monitor_id} on {self.date}"
