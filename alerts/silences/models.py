"""Silences: for a time, nobody is told of some alerts."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models

from alerts.silences.windows import Weekly, current, upcoming
from config.ids import cuid


class SilenceQuerySet(models.QuerySet["Silence"]):
    def running(self, now: datetime) -> Self:
        """Those whose time frame includes the moment; one that repeats may still pause at it."""
        unended = models.Q(ends_at=None) | models.Q(ends_at__gt=now)
        return self.filter(unended, starts_at__lte=now, ended_at=None)

    def unfinished(self, now: datetime) -> Self:
        """Those that hide something now or may do so later."""
        return self.filter(models.Q(ends_at=None) | models.Q(ends_at__gt=now), ended_at=None)


class Silence(models.Model):
    """Alerts that match are SILENCED from `starts_at` to `ends_at`, or each week in a window in between.

    `days` are weekdays (0 is Monday), `from_time` the wall clock in `time_zone`, `minutes` the length. `next_at` is
    when something begins or ends; `active` is what held at the last look. `ended_at`: somebody ended it early.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    reason = models.CharField(max_length=500)
    matchers = models.JSONField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    days = models.JSONField(default=list, blank=True)
    from_time = models.TimeField(null=True, blank=True)
    minutes = models.PositiveIntegerField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    active = models.BooleanField(default=False)
    next_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = SilenceQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(ends_at=None) | models.Q(ends_at__gt=models.F("starts_at")),
                name="silence_ends_after_start",
            ),
            models.CheckConstraint(
                condition=models.Q(from_time=None, minutes=None, ends_at__isnull=False)
                | models.Q(from_time__isnull=False, minutes__gte=1, minutes__lte=10_080),
                name="silence_once_or_weekly",
            ),
        )
        indexes = (
            models.Index(fields=["next_at"], condition=models.Q(next_at__isnull=False), name="silence_due"),
            models.Index(fields=["active"], condition=models.Q(active=True), name="silence_active"),
        )

    def __str__(self) -> str:
        return self.reason

    @property
    def repeats(self) -> bool:
        return self.from_time is not None

    @property
    def weekly(self) -> Weekly | None:
        """The window of one that repeats."""
        if self.from_time is None or self.minutes is None:
            return None
        return Weekly(tuple(self.days), self.from_time, self.minutes, self.time_zone)

    def span(self, now: datetime) -> tuple[datetime, datetime | None] | None:
        """From when to when it hides alerts: the span that holds now, else the next one; None when there is none."""
        if self.ended_at is not None or (self.ends_at and self.ends_at <= now):
            return None
        whole = (self.starts_at, self.ends_at)
        if self.weekly is None:
            return whole
        later = max(now, self.starts_at)
        found = current(self.weekly, later) or upcoming(self.weekly, later)
        if found is None or (self.ends_at and found[0] >= self.ends_at):
            return None
        return max(found[0], self.starts_at), min(found[1], self.ends_at) if self.ends_at else found[1]

    def covers(self, now: datetime) -> bool:
        """Whether it hides alerts at that moment."""
        span = self.span(now)
        return span is not None and span[0] <= now
