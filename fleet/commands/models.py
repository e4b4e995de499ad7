"""Commands for machines, what became of them and what they printed (contract: fleet console §12)."""

import shlex
import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.api.authentication import Principal
from config.ids import cuid
from fleet.instances.models import Instance

RESEND_AFTER = timedelta(seconds=3)
SEND_WITHIN = timedelta(seconds=60)


class Status(models.TextChoices):
    PENDING = "PENDING", "Waiting"
    RUNNING = "RUNNING", "Running"
    SUCCEEDED = "SUCCEEDED", "Succeeded"
    FAILED = "FAILED", "Failed"
    TIMEOUT = "TIMEOUT", "Timed out"


OPEN = (Status.PENDING, Status.RUNNING)
FINAL = (Status.SUCCEEDED, Status.FAILED, Status.TIMEOUT)


class Approval(models.TextChoices):
    NOT_NEEDED = "", "Not needed"
    WAITING = "WAITING", "Waiting for approval"
    APPROVED = "APPROVED", "Approved"
    REJECTED = "REJECTED", "Rejected"
    EXPIRED = "EXPIRED", "Not approved in time"


class Batch(models.Model):
    """What one person asked for in one go, of one instance or several.

    `env` is for people to read, with secrets masked; the true values and the script are in `sealed`, encrypted.
    `approval_rule` is the word of the configuration that asks for a second person.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_by = models.CharField(max_length=254)
    command = models.TextField()
    args = models.JSONField(default=list)
    env = models.JSONField(default=dict)
    sealed = models.TextField(blank=True, editable=False)
    has_script = models.BooleanField(default=False)
    working_dir = models.CharField(max_length=512, null=True)
    timeout_ms = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_index=True)

    approval = models.CharField(max_length=8, choices=Approval, default=Approval.NOT_NEEDED, blank=True)
    approval_rule = models.CharField(max_length=200, blank=True)
    approval_until = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=254, blank=True)
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(approval__in=Approval.values), name="command_approval_known"),
            models.CheckConstraint(
                condition=~Q(approval="WAITING") | Q(approval_until__isnull=False), name="command_approval_ends"
            ),
        )
        indexes = (
            models.Index(fields=["approval_until"], condition=Q(approval="WAITING"), name="command_approval_waits"),
        )

    def __str__(self) -> str:
        return f"{self.command[:60]} ({self.pk})"

    @property
    def line(self) -> str:
        """The command as a person would type it, for reading only."""
        words = shlex.join([self.command, *self.args])
        return f"Script for {words}" if self.has_script else words


class ExecutionQuerySet(models.QuerySet["Execution"]):
    def visible_to(self, principal: Principal | None) -> Self:
        """Those on instances that the caller may see."""
        if principal is not None and principal.sees_all and not principal.instance_id:
            return self
        return self.filter(instance__in=Instance.objects.visible_to(principal))

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")

    def unsent(self, now: datetime) -> Self:
        """Ready ones that nobody has sent, although it was their turn."""
        return self.filter(status=Status.PENDING, ready_at__lte=now - RESEND_AFTER)

    def overdue(self, now: datetime) -> Self:
        """Running ones whose result should have come by now."""
        return self.filter(status=Status.RUNNING, deadline_at__lte=now)


class Execution(models.Model):
    """One command on one instance: `PENDING → RUNNING (deadline_at) → final`, each step one conditional update.

    `ready_at` is null while a second person has to agree. `fault` is what the platform says of it; what the command
    itself printed is in `output`, whose bytes by stream `stdout_bytes` and `stderr_bytes` count.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="executions")
    instance = models.ForeignKey("fleet.Instance", on_delete=models.CASCADE, related_name="executions")
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING)
    exit_code = models.IntegerField(null=True)
    duration_ms = models.PositiveBigIntegerField(null=True)
    fault = models.CharField(max_length=500, blank=True)
    correlation_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    cancelled_by = models.CharField(max_length=254, blank=True)
    completed_at = models.DateTimeField(null=True)
    stdout_bytes = models.PositiveIntegerField(default=0)
    stderr_bytes = models.PositiveIntegerField(default=0)
    is_cut = models.BooleanField(default=False)

    objects = ExecutionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(status__in=Status.values), name="command_status_known"),
            models.CheckConstraint(
                condition=Q(status__in=OPEN, completed_at=None) | Q(status__in=FINAL, completed_at__isnull=False),
                name="command_completed_when_final",
            ),
            models.CheckConstraint(
                condition=~Q(status="RUNNING") | Q(started_at__isnull=False, deadline_at__isnull=False),
                name="command_running_has_deadline",
            ),
            models.UniqueConstraint(fields=["batch", "instance"], name="command_once_an_instance"),
        )
        indexes = (
            models.Index(fields=["-created_at", "-id"], name="command_newest"),
            models.Index(fields=["instance", "-created_at", "-id"], name="command_of_instance"),
            models.Index(fields=["status", "-created_at", "-id"], name="command_by_status"),
            models.Index(fields=["deadline_at"], condition=Q(completed_at=None), name="command_open"),
        )

    def __str__(self) -> str:
        return f"execution {self.pk}"

    @property
    def is_over(self) -> bool:
        return self.status in FINAL

    @property
    def was_run(self) -> bool:
        """Whether the command ended by itself, so that it has an exit code to believe."""
        return self.status in (Status.SUCCEEDED, Status.FAILED) and self.exit_code is not None


class Stream(models.IntegerChoices):
    STDOUT = 1, "stdout"
    STDERR = 2, "stderr"


class Output(models.Model):
    """A piece of what a command printed, in the order of `sequence`."""

    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="output")
    sequence = models.PositiveIntegerField()
    stream = models.PositiveSmallIntegerField(choices=Stream)
    text = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["execution", "sequence"], name="command_output_once"),)

    def __str__(self) -> str:
        return f"output {self.sequence} of {self.execution_id}"
