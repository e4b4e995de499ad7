"""Sessions and what belongs to one (contract: traffic replay §4). Rows are the truth; caches go by the revision."""

import secrets
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q

from config.api.authentication import Principal
from loadtest.replay.json_text import JsonText

RANDOM_BYTES = 16
MOST_ID = 64


class Mode(models.TextChoices):
    CAPTURE = "capture", "Capture"
    REPLAY = "replay", "Replay"
    GENERATE = "generate", "Generate"


class State(models.TextChoices):
    """`created` → `configured` with the first successful change → `closed`, which is final."""

    CREATED = "created", "Created"
    CONFIGURED = "configured", "Configured"
    CLOSED = "closed", "Closed"


def new_session_id() -> str:
    """A capability: nobody can guess it."""
    return f"sess_{secrets.token_urlsafe(RANDOM_BYTES)}"


def is_id(text: str) -> bool:
    """Whether a row can have that id: what no database stores need not be asked for."""
    return 0 < len(text) <= MOST_ID and text.isascii() and text.isprintable()


def no_rules() -> dict[str, Any]:
    return {"version": 1, "rules": []}


class OwnedQuerySet(models.QuerySet[Any]):
    """Rows that belong to a team, or to everybody."""

    def visible_to(self, principal: Principal | None) -> Self:
        """Those without a team and those of the caller's teams; administrators see all, agents' keys nothing."""
        if principal is None or principal.is_agent:
            return self.none()
        if principal.sees_all:
            return self
        return self.filter(Q(team_id=None) | Q(team_id__in=list(principal.teams)))


class SessionQuerySet(OwnedQuerySet):
    def open(self) -> Self:
        return self.exclude(state=State.CLOSED)

    def untouched(self, since: datetime) -> Self:
        """Open ones that nothing has used since that moment."""
        return self.open().filter(touched_at__lt=since)


class Session(models.Model):
    """One session. `revision` is the documented number: 1 when new, one more with each change of its documents.

    `rules_revision` and `case_revision` are the revisions at which those documents came; uses of their rules are
    counted under them. `touched_at` is moved on by changes and hits, and at most once an hour by misses. Closing
    drops the documents and leaves the row as a tombstone.
    """

    id = models.CharField(primary_key=True, max_length=64, default=new_session_id, editable=False)
    team = models.ForeignKey("security.Team", null=True, on_delete=models.SET_NULL, related_name="replay_sessions")
    made_by = models.CharField(max_length=254, blank=True)
    mode = models.CharField(max_length=8, choices=Mode)
    state = models.CharField(max_length=10, choices=State, default=State.CREATED)
    revision = models.PositiveIntegerField(default=1)
    rules_revision = models.PositiveIntegerField(default=1)
    case_revision = models.PositiveIntegerField(default=1)
    policy = JsonText(default=dict)
    rules = JsonText(default=no_rules)
    rule_count = models.PositiveIntegerField(default=0)
    sealed_fixtures = models.TextField(blank=True, editable=False)
    fixture_names = JsonText(default=list)
    injected_spans = models.PositiveBigIntegerField(default=0)
    extracted_spans = models.PositiveBigIntegerField(default=0)
    strict_misses = models.PositiveBigIntegerField(default=0)
    last_strict_miss = JsonText(null=True)
    created_at = models.DateTimeField()
    touched_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="replay_mode_known"),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False)
                | Q(state__in=["created", "configured"], closed_at=None),
                name="replay_closed_when_over",
            ),
        )
        indexes = (
            models.Index(fields=["-created_at", "-id"], name="replay_session_newest"),
            models.Index(fields=["touched_at"], condition=Q(closed_at=None), name="replay_session_untouched"),
            models.Index(fields=["closed_at"], condition=Q(closed_at__isnull=False), name="replay_session_tombstone"),
        )

    def __str__(self) -> str:
        return self.id

    @property
    def is_open(self) -> bool:
        return self.state != State.CLOSED

    @property
    def fixtures_context(self) -> str:
        """The place that the fixtures are bound to."""
        return f"replay.session.fixtures:{self.pk}"


class LoadedCase(models.Model):
    """The case that a session replays: its document, compressed, and what lists show of it."""

    session = models.OneToOneField(Session, primary_key=True, on_delete=models.CASCADE, related_name="loaded_case")
    case_id = JsonText()
    trace_count = models.PositiveIntegerField()
    rule_count = models.PositiveIntegerField()
    fixture_names = JsonText(default=list)
    packed = models.BinaryField()

    def __str__(self) -> str:
        return f"case of {self.session_id}"


class RuleUse(models.Model):
    """How often one rule answered. A rule that answers once has its row from the start; `spent_at` claims it.

    `key` is that of `matching.compiled.Rule`, "session:3"; `revision` the one at which its document came.
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="rule_uses")
    key = models.CharField(max_length=32)
    revision = models.PositiveIntegerField()
    once = models.BooleanField(default=False)
    hits = models.PositiveBigIntegerField(default=0)
    spent_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["session", "key", "revision"], name="replay_rule_use_once"),
            models.CheckConstraint(condition=Q(spent_at=None) | Q(once=True), name="replay_only_once_is_spent"),
        )

    def __str__(self) -> str:
        return f"{self.key}: {self.hits}"


class Cursor(models.Model):
    """Which captured response comes next for requests of one identity; a new case starts over."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="cursors")
    identity = models.CharField(max_length=64)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["session", "identity"], name="replay_cursor_once"),)

    def __str__(self) -> str:
        return f"{self.identity[:8]}: {self.position}"


class Result(models.TextChoices):
    HIT = "hit", "Hit"
    MISS = "miss", "Miss"
    REFUSED = "refused", "Refused"
    ERROR = "error", "Error rule"


class Entry(models.Model):
    """One line of a session's journal: a request and who answered it. Written shortly after the answer.

    `request` holds method, authority, target, headers (secret ones masked) and the begin of the body, so that rules
    can be tried on it again. `rule` is its key and revision, "" where the policy decided.
    """

    id = models.BigAutoField(primary_key=True)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="journal")
    at = models.DateTimeField()
    result = models.CharField(max_length=8, choices=Result)
    status = models.PositiveSmallIntegerField(null=True)
    rule = models.CharField(max_length=32, blank=True)
    rule_revision = models.PositiveIntegerField(default=0)
    label = JsonText(default=str)
    action = models.CharField(max_length=16, blank=True)
    request = JsonText()

    class Meta:
        indexes = (models.Index(fields=["session", "-id"], name="replay_journal_newest"),)

    def __str__(self) -> str:
        return f"{self.result} {self.session_id}"
