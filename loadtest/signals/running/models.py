"""Scenarios that run or have run, and what can be scraped of them (contract: signals §3, §6, §7)."""

from datetime import datetime, timedelta
from typing import Any, Self
from uuid import uuid4

from django.db import models
from django.db.models import Q

from config.api.authentication import Principal


class State(models.TextChoices):
    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    HELD = "held", "Held"
    UNRESOLVED = "unresolved", "Unresolved"
    FINISHED = "finished", "Finished"


def new_id() -> str:
    return str(uuid4())


class ScenarioQuerySet(models.QuerySet["Scenario"]):
    def visible_to(self, principal: Principal | None) -> Self:
        """Scenarios without a team and those of the caller's teams; administrators see all."""
        if principal is None or principal.instance_id:
            return self.none()
        if principal.sees_all:
            return self
        return self.filter(Q(team_id=None) | Q(team_id__in=list(principal.teams)))

    def open(self) -> Self:
        return self.filter(finished_at=None)

    def unclaimed(self) -> Self:
        """Those that no runner has, and that shall run."""
        return self.open().filter(runner=None, stop_requested_at=None)

    def abandoned(self, now: datetime) -> Self:
        """Those whose runner has stopped renewing its lease."""
        return self.open().filter(lease_until__lt=now)

    def light(self) -> Self:
        """Without the column that only a runner needs."""
        return self.defer("plan")


class Scenario(models.Model):
    """One scenario. `batch` names the body that it came in, `place` its place there.

    `config` is the entry without secrets, as people see it; `plan` the whole entry, sealed, and empty once the scenario
    is over. `runner` has it until `lease_until`; an update by another runner changes nothing. `began_at` is when a
    runner first took it: the entry's own start, and with it its end, are counted from there, also after a restart.
    `span_s` is how many seconds later it ends; null: when it is deleted.
    `figures` is what the runner counted (`loadtest.signals.runner.wire.Figures`). `instance` is the machine that the
    sink `platform` writes to; with `own_instance` it was made for this scenario.
    """

    id = models.CharField(primary_key=True, max_length=36, default=new_id, editable=False)
    batch = models.CharField(max_length=36, db_index=True)
    place = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=255)
    scenario_name = models.CharField(max_length=255, blank=True, default="")
    signal_type = models.CharField(max_length=16)
    rate = models.FloatField()
    labels = models.JSONField(default=dict)
    config = models.JSONField()
    plan = models.TextField(blank=True, default="")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    state_since = models.DateTimeField()
    runner = models.CharField(max_length=36, null=True)
    lease_until = models.DateTimeField(null=True)
    restarts = models.PositiveIntegerField(default=0)
    figures = models.JSONField(default=dict)
    instance = models.ForeignKey("fleet.Instance", null=True, on_delete=models.SET_NULL, related_name="+")
    own_instance = models.BooleanField(default=False)
    team = models.ForeignKey("security.Team", null=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.CharField(max_length=254, blank=True, default="")
    created_at = models.DateTimeField()
    began_at = models.DateTimeField(null=True)
    span_s = models.FloatField(null=True)
    stop_requested_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = ScenarioQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(state__in=State.values), name="signal_state_known"),
            models.CheckConstraint(
                condition=Q(state="finished", finished_at__isnull=False, plan="", runner=None)
                | (~Q(state="finished") & Q(finished_at=None)),
                name="signal_finished_is_final",
            ),
            models.CheckConstraint(
                condition=Q(runner=None, lease_until=None) | Q(runner__isnull=False, lease_until__isnull=False),
                name="signal_runner_has_lease",
            ),
            models.UniqueConstraint(
                fields=["scenario_name"],
                condition=Q(finished_at=None, place=0) & ~Q(scenario_name=""),
                name="signal_name_runs_once",
            ),
        )
        indexes = (
            models.Index(fields=["-created_at", "place", "id"], name="signal_newest"),
            models.Index(fields=["runner"], condition=Q(finished_at=None), name="signal_open"),
            models.Index(fields=["scenario_name"], condition=Q(finished_at=None), name="signal_open_name"),
            models.Index(fields=["finished_at"], name="signal_finished"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_over(self) -> bool:
        return self.finished_at is not None

    @property
    def status(self) -> str:
        """The word of the classic server."""
        return "stopped" if self.is_over else "running"

    @property
    def ends_at(self) -> datetime | None:
        """When its time is over; None without a duration, and before it began."""
        if self.span_s is None or self.began_at is None:
            return None
        return self.began_at + timedelta(seconds=self.span_s)

    def count(self, name: str) -> Any:
        """A figure; 0 before the runner told any."""
        return self.figures.get(name, 0)


class Chunk(models.Model):
    """Metric lines that wait for a scraper, as one flush of the runner brought them: `count` lines, oldest first."""

    id = models.BigAutoField(primary_key=True)
    scenario = models.ForeignKey(Scenario, on_delete=models.CASCADE, related_name="chunks")
    lines = models.TextField()
    count = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.count} lines of {self.scenario_id}"


class Snapshot(models.Model):
    """What a scenario sent last: `series` is the latest value of each series as JSON text, `tail` the last events."""

    scenario = models.OneToOneField(Scenario, primary_key=True, on_delete=models.CASCADE, related_name="snapshot")
    series = models.TextField(default="")
    tail = models.TextField(default="")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"latest of {self.scenario_id}"
