"""The public status page: off by default, and it shows only what was chosen and written for it."""

import uuid

from django.db import models
from django.db.models import Q


class StatusPage(models.Model):
    """The one page. Made when its settings are first opened."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    enabled = models.BooleanField(default=False)
    title = models.CharField(max_length=100, default="Status")
    about = models.CharField(max_length=500, blank=True)
    noindex = models.BooleanField(default=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="status_page_one"),)

    def __str__(self) -> str:
        return self.title


class PublicMonitor(models.Model):
    """A monitor on the page, under the name that the public reads. The id is the public's too."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    monitor = models.OneToOneField("monitors.Monitor", on_delete=models.CASCADE, related_name="shown")
    name = models.CharField(max_length=100)
    about = models.CharField(max_length=300, blank=True)
    place = models.PositiveSmallIntegerField()

    class Meta:
        indexes = (models.Index(fields=["place", "id"], name="status_shown_in_order"),)

    def __str__(self) -> str:
        return self.name


class StatusNote(models.Model):
    """What people are told, such as planned work or what is known of a problem."""

    class Kind(models.TextChoices):
        INFO = "info", "Information"
        PROBLEM = "problem", "Problem"
        MAINTENANCE = "maintenance", "Maintenance"
        SOLVED = "solved", "Solved"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.INFO)
    text = models.CharField(max_length=1000)
    posted_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(kind__in=("info", "problem", "maintenance", "solved")), name="status_note_kind_known"
            ),
        )

    def __str__(self) -> str:
        return self.text[:50]
