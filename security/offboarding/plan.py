"""What a person who leaves has in hand: access that ends, keys on machines, secrets that they know (journey J10)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from config.api.authentication import Principal
from security.accounts.models import Membership, Role, Session, User
from security.audit.models import AuditEntry
from security.keys.models import ApiKey
from security.keys.services import keys_of
from security.offboarding.duties import Duty, duties_of
from security.ssh_keys.models import SshKey, SshKeyQuerySet, Status
from security.vault.models import Secret

MOST = 500  # SSH keys, secrets; far beyond what one person has
MOST_FOUND = 50


@dataclass(frozen=True)
class Held:
    """An SSH key that may be the person's; `certain` when its comment is their address or name."""

    key: SshKey
    certain: bool


@dataclass(frozen=True)
class Known:
    """A secret whose value the person has seen or set, and when last. `rotated`: it has another value since."""

    secret: Secret
    how: str
    at: datetime
    rotated: bool


@dataclass
class Plan:
    """Everything to decide about. `obstacle` says why the person cannot be off-boarded; "" when nothing is in the way.

    `left_out`: more SSH keys or secrets fit than are listed.
    """

    user: User
    obstacle: str = ""
    api_keys: list[ApiKey] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    ssh_keys: list[Held] = field(default_factory=list)
    secrets: list[Known] = field(default_factory=list)
    teams: list[Membership] = field(default_factory=list)
    duties: list[Duty] = field(default_factory=list)
    left_out: bool = False

    @property
    def agent_keys(self) -> list[ApiKey]:
        """Keys that agents of machines use: without them the machines go silent until they are joined again."""
        return [key for key in self.api_keys if key.instance_id]

    @property
    def certain_ssh_ids(self) -> list[str]:
        return [held.key.pk for held in self.ssh_keys if held.certain]

    @property
    def known_secret_ids(self) -> list[str]:
        """Secrets whose value of now the person knows."""
        return [known.secret.pk for known in self.secrets if not known.rotated]


def plan(*, user: User, actor: Principal | None, now: datetime) -> Plan:
    """What there is to decide about a person."""
    ssh_keys, secrets = held_ssh_keys(user, now), known_secrets(user)
    alive = keys_of(user).filter(Q(expires_at=None) | Q(expires_at__gt=now))
    return Plan(
        user=user,
        obstacle=obstacle(user, actor),
        api_keys=list(alive),
        sessions=list(Session.objects.filter(user=user, expire_date__gt=now).order_by("-seen_at", "pk")),
        ssh_keys=ssh_keys[:MOST],
        secrets=secrets[:MOST],
        teams=list(user.memberships.select_related("team").order_by("team__name", "pk")),
        duties=duties_of(user),
        left_out=len(ssh_keys) > MOST or len(secrets) > MOST,
    )


def obstacle(user: User, actor: Principal | None) -> str:
    """Why this user cannot be off-boarded; "" when nothing is in the way."""
    if actor and actor.user.pk == user.pk:
        return "You cannot off-board yourself. Another administrator can."
    if not user.is_person:
        return "This is a service, not a person. Revoke its keys instead."
    administrators = User.objects.filter(kind=User.Kind.PERSON, role=Role.ADMIN, is_active=True)
    if user.is_active and user.role == Role.ADMIN and not administrators.exclude(pk=user.pk).exists():
        return "This is the last active administrator. Give somebody else the role first."
    return ""


def held_ssh_keys(user: User, now: datetime) -> list[Held]:
    """Keys that open machines and say that they are the person's, or might be: the certain ones first."""
    sure = Q(comment__iexact=user.email)
    if user.name:
        sure |= Q(comment__iexact=user.name)
    local = user.email.partition("@")[0]
    rows = opening(now).filter(sure | Q(comment__istartswith=f"{local}@")).order_by("instance__name", "pk")
    names = {user.email.casefold(), user.name.casefold()}
    found = [Held(key, (key.comment or "").casefold() in names) for key in rows[: MOST + 1]]
    return sorted(found, key=lambda held: not held.certain)


def find_ssh_keys(text: str, now: datetime, *, without: Iterable[str]) -> list[SshKey]:
    """Other keys, to choose by hand: by comment, fingerprint or machine; at most fifty."""
    wanted = Q(comment__icontains=text) | Q(fingerprint__icontains=text) | Q(instance__name__icontains=text)
    found = opening(now).filter(wanted).exclude(pk__in=list(without))
    return list(found.order_by("instance__name", "pk")[:MOST_FOUND])


def opening(now: datetime) -> SshKeyQuerySet:
    """Keys that are neither revoked nor expired nor gone, of machines that are still there."""
    return SshKey.objects.current().in_status(Status.ACTIVE, now).select_related("instance")


def known_secrets(user: User) -> list[Known]:
    """Secrets that the audit log says the person has seen or set, those not rotated since first."""
    acts = AuditEntry.objects.filter(user_id=user.pk, resource="secret", action__in=("EXECUTE", "CREATE", "UPDATE"))
    last: dict[str, tuple[str, datetime]] = {}
    rows = acts.order_by("-at", "-id").values_list("resource_id", "action", "metadata", "at")
    for secret_id, action, metadata, at in rows.iterator(chunk_size=1000):
        event = (metadata or {}).get("event")
        if action == "CREATE" or event in ("reveal", "rotate"):
            last.setdefault(secret_id or "", ("seen" if event == "reveal" else "set", at))
    found = []
    for secret in Secret.objects.filter(pk__in=sorted(last)[:5000]).select_related("instance"):
        how, at = last[secret.pk]
        found.append(Known(secret, how, at, rotated=secret.last_rotated_at is not None and secret.last_rotated_at > at))
    return sorted(found, key=lambda known: (known.rotated, known.secret.name, known.secret.pk))
