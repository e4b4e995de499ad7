"""Terminals that people opened on machines (contract: fleet console §32.5, §33.4, §35)."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models

from config.api.authentication import Principal
from fleet.instances.models import Instance


class TerminalSessionQuerySet(models.QuerySet["TerminalSession"]):
    def live(self) -> Self:
        """Those whose shell may be running."""
        return self.exclude(status=TerminalSession.Status.CLOSED)

    def active(self) -> Self:
        """Those with somebody in front."""
        return self.filter(status=TerminalSession.Status.ACTIVE)

    def visible_to(self, principal: Principal | None) -> Self:
        """Those on instances that the caller may see."""
        return self.filter(instance__in=Instance.objects.visible_to(principal))


class TerminalSession(models.Model):
    """One shell on one machine. It hangs on what its person came with last: a key or a signed-in browser.

    `attachment` names the socket that shows it; a newer one takes its place. `opened_at` is null until the first
    socket opens, which starts the shell. `seen_at` moves on while a socket shows it, so that one whose process died
    is noticed. `packed` means that its output has become a recording, or is gone.
    """

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", "Active"
        CLOSED = "CLOSED", "Closed"
        DISCONNECTED = "DISCONNECTED", "Disconnected"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    instance = models.ForeignKey("fleet.Instance", on_delete=models.CASCADE, related_name="terminals")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="terminals")
    user_name = models.CharField(max_length=254)
    key_id = models.CharField(max_length=32, blank=True)
    web_session_id = models.CharField(max_length=32, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE)
    attachment = models.CharField(max_length=32, blank=True)
    cols = models.PositiveSmallIntegerField(default=80)
    rows = models.PositiveSmallIntegerField(default=24)
    recorded = models.BooleanField(default=True)
    packed = models.BooleanField(default=False)
    output_bytes = models.BigIntegerField(default=0)
    exit_code = models.IntegerField(null=True)
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    last_input_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    disconnected_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = TerminalSessionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(status__in=["ACTIVE", "CLOSED", "DISCONNECTED"]), name="terminal_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(status="CLOSED", ended_at__isnull=False)
                | (~models.Q(status="CLOSED") & models.Q(ended_at=None)),
                name="terminal_closed_has_end",
            ),
        )
        indexes = (
            models.Index(fields=["-created_at", "-id"], name="terminal_newest"),
            models.Index(fields=["instance", "status"], name="terminal_of_instance"),
            models.Index(fields=["status"], condition=models.Q(packed=False), name="terminal_unpacked"),
        )

    def __str__(self) -> str:
        return f"terminal {self.id}"


class TerminalOutput(models.Model):
    """What a shell put out while the session lives, in order of `id`; a change of size stands between as `80x24`.

    `start` is the number of bytes of output before it.
    """

    class Kind(models.TextChoices):
        OUTPUT = "o", "Output"
        RESIZE = "r", "Resize"

    id = models.BigAutoField(primary_key=True)
    session = models.ForeignKey(TerminalSession, on_delete=models.CASCADE, related_name="output")
    kind = models.CharField(max_length=1, choices=Kind, default=Kind.OUTPUT)
    start = models.BigIntegerField()
    at = models.DateTimeField()
    data = models.BinaryField()

    class Meta:
        indexes = (models.Index(fields=["session", "start"], name="terminal_output_order"),)

    def __str__(self) -> str:
        return f"output of {self.session_id} from {self.start}"


class TerminalRecording(models.Model):
    """What a session showed, as an asciinema file of version 2, compressed."""

    session = models.OneToOneField(
        TerminalSession, primary_key=True, on_delete=models.CASCADE, related_name="recording"
    )
    content = models.BinaryField()
    duration_ms = models.BigIntegerField()
    truncated = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"recording of {self.session_id}"
