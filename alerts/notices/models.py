"""What is to be told to whom: written with the change of an alert that it tells of."""

from django.conf import settings
from django.db import models

from alerts.channels.models import Kind


class Notice(models.Model):
    """One channel is to be told of one change of one alert. `message` carries it once the alert's group has spoken.

    The database lets nobody be told twice: alert, channel, kind and step are unique together. `step` tells a repeat
    from the first time: a step of a policy, a reminder, the end of a silence.
    """

    alert = models.ForeignKey("alerts.Alert", on_delete=models.CASCADE, related_name="notices")
    channel = models.ForeignKey("alerts.Channel", on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=12, choices=Kind)
    step = models.CharField(max_length=48, blank=True)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey("alerts.Notification", null=True, on_delete=models.CASCADE, related_name="notices")
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["alert", "channel", "kind", "step"], name="notice_once"),)
        indexes = (models.Index(fields=["alert"], condition=models.Q(message=None), name="notice_untold"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.step} {self.alert_id} to {self.channel_id}"
