"""What people find in the product itself: a row for each person that a channel of type IN_APP tells."""

from django.conf import settings
from django.db import models


class InboxEntry(models.Model):
    """One message to one person. `key` is that of the message, so that a repeated delivery adds nothing."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="inbox")
    alert = models.ForeignKey("alerts.Alert", null=True, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    title = models.CharField(max_length=400)
    text = models.CharField(max_length=4000)
    severity = models.CharField(max_length=8)
    resolved = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "key"], name="inbox_entry_once"),)
        indexes = (
            models.Index(fields=["user", "-created_at"], name="inbox_newest"),
            models.Index(fields=["user"], condition=models.Q(read_at=None), name="inbox_unread"),
        )

    def __str__(self) -> str:
        return self.title
