"""People, their teams and their roles (contract: fleet console §1.3, §33.2)."""

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Lower

from config.api.authentication import Principal
from config.ids import cuid


class Role(models.TextChoices):
    VIEWER = "VIEWER", "Viewer"
    DEVELOPER = "DEVELOPER", "Developer"
    OPERATOR = "OPERATOR", "Operator"
    ADMIN = "ADMIN", "Administrator"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user; without a password nobody can sign in as it (service users)."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str, **fields: Any) -> "User":
        return self.create_user(email, password, role=Role.ADMIN, **fields)


class User(AbstractBaseUser):
    """A person, or a service that holds a key. The role is global; a team may raise it for its own objects."""

    class Kind(models.TextChoices):
        PERSON = "person", "Person"
        SERVICE = "service", "Service"

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=128, blank=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PERSON)
    is_active = models.BooleanField(default=True)
    time_zone = models.CharField(max_length=64, blank=True)
    theme = models.CharField(max_length=6, default="system", choices=[(t, t) for t in ("system", "light", "dark")])
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = UserManager()
    EMAIL_FIELD = USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = (
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
        )

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def label(self) -> str:
        """What tells this user apart for people: the address of a service user is made up, its name is not."""
        return self.name if self.kind == self.Kind.SERVICE and self.name else self.email

    # What Django's admin asks. Support staff are administrators; the admin has no finer rights.
    @property
    def is_staff(self) -> bool:
        return self.is_active and self.role == Role.ADMIN

    is_superuser = is_staff

    @property
    def is_person(self) -> bool:
        return self.kind == self.Kind.PERSON

    def has_perm(self, permission: str, obj: Any = None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff

    def principal(self, **about_key: Any) -> Principal:
        """The user as a caller, with its roles in teams."""
        teams = dict(self.memberships.values_list("team_id", "role"))
        return Principal(user=self, role=about_key.pop("role", self.role), teams=teams, **about_key)


class Team(models.Model):
    """A group of people that owns instances."""

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    name = models.CharField(max_length=128, unique=True)
    description = models.CharField(max_length=512, blank=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="teams")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="created_teams"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person in a team, with the role there."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.DEVELOPER)
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["team", "user"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        )

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


# The first mark that a browser's own description holds names it: Edge also says Chrome, Chrome also says Safari.
BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


def program(user_agent: str) -> str:
    """What a caller's program calls itself, in words: "Firefox on Linux"; the begin of its own text if no browser."""
    names = [words for mark, words in BROWSERS if mark in user_agent]
    systems = [words for mark, words in SYSTEMS if mark in user_agent]
    if not names:
        return user_agent[:40]
    return f"{names[0]} on {systems[0]}" if systems else names[0]


class SessionQuerySet(models.QuerySet["Session"]):
    def alive(self, now: datetime) -> "SessionQuerySet":
        """Sessions that open doors: not over, of an active user."""
        return self.filter(expire_date__gt=now, user__is_active=True)


class Session(AbstractBaseSession):
    """A signed-in browser. `session_key` is the cookie and is never shown; `public_id` names the session."""

    public_id = models.CharField(max_length=32, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="sessions")
    ip_address = models.CharField(max_length=64, blank=True)
    user_agent = models.CharField(max_length=256, blank=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    objects = SessionQuerySet.as_manager()  # type: ignore[misc, assignment]

    def __str__(self) -> str:
        return f"session {self.public_id}"

    @property
    def browser(self) -> str:
        """What the browser calls itself, in words."""
        return program(self.user_agent) or "Unknown"
