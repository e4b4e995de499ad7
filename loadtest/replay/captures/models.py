"""Captured and imported cases, in pieces so that no size of theirs needs memory (contract: traffic replay §9)."""

import secrets

from django.db import models
from django.db.models import Q

from loadtest.replay.json_text import JsonText
from loadtest.replay.sessions.models import Mode, OwnedQuerySet

RANDOM_BYTES = 16


class Origin(models.TextChoices):
    SESSION = "session", "Session"
    STANDALONE = "standalone", "Stand-alone"
    IMPORTED = "imported", "Imported"


def new_capture_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_urlsafe(RANDOM_BYTES)}"


class Capture(models.Model):
    """A case. That of a capture session has the session's id; it is `open` as long as the session is.

    `head` holds what the case document says beside its traces. `byte_count` is the size of the traces as JSON.
    `team_id` and counts are those of the moment; `file_name` is set when a copy lies in REPLAY_CAPTURE_DIR.
    """

    id = models.CharField(primary_key=True, max_length=64, editable=False)
    team = models.ForeignKey("security.Team", null=True, on_delete=models.SET_NULL, related_name="replay_captures")
    made_by = models.CharField(max_length=254, blank=True)
    origin = models.CharField(max_length=10, choices=Origin)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.CAPTURE)
    head = JsonText(default=dict)
    trace_count = models.PositiveIntegerField(default=0)
    exchange_count = models.PositiveIntegerField(default=0)
    byte_count = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    file_name = models.CharField(max_length=255, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="replay_capture_origin_known"),
        )
        indexes = (
            models.Index(fields=["-created_at", "-id"], name="replay_capture_newest"),
            models.Index(fields=["closed_at"], name="replay_capture_closed"),
        )

    def __str__(self) -> str:
        return self.id


class Piece(models.Model):
    """Some traces of a capture, in the order in which they came: JSON documents joined by commas, compressed."""

    id = models.BigAutoField(primary_key=True)
    capture = models.ForeignKey(Capture, on_delete=models.CASCADE, related_name="pieces")
    trace_count = models.PositiveIntegerField()
    packed = models.BinaryField()

    class Meta:
        indexes = (models.Index(fields=["capture", "id"], name="replay_piece_in_order"),)

    def __str__(self) -> str:
        return f"{self.trace_count} traces of {self.capture_id}"
