"""The five checks of compliance, each with its evidence (contract: fleet console §22)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet

from security.posture.scope import Scope
from security.rotations.models import Rotation
from security.ssh_keys.models import SshKey
from security.ssh_keys.models import Status as KeyStatus
from security.vulnerabilities.models import Finding, Severity, Status

NAMED = 5  # pieces of evidence that a check names


@dataclass(frozen=True)
class Control:
    """A check by what speaks against it, as rows in the order of urgency; `things` is what these rows are called."""

    id: str
    name: str
    things: tuple[str, str]  # one, several
    against: Callable[[Scope, datetime], QuerySet[Any]]


@dataclass(frozen=True)
class Check:
    """A control at a moment: how many things speak against it, and the first of them."""

    control: Control
    count: int
    evidence: list[Any]

    @property
    def id(self) -> str:
        return self.control.id

    @property
    def name(self) -> str:
        return self.control.name

    @property
    def passed(self) -> bool:
        return not self.count

    @property
    def more(self) -> int:
        """How many things `evidence` does not name."""
        return self.count - len(self.evidence)

    @property
    def sentence(self) -> str:
        """How many things speak against it."""
        one, several = self.control.things
        return f"{self.count or 'No'} {one if self.count == 1 else several}"

    @property
    def details(self) -> str:
        """The sentence with the evidence in words."""
        named = [f"{in_words(piece)} on {piece.instance.name}" for piece in self.evidence]
        if self.more:
            named.append(f"and {self.more} more")
        return f"{self.sentence}: {'; '.join(named)}" if named else self.sentence


def in_words(piece: Finding | Rotation | SshKey) -> str:
    """What a piece of evidence is called. Of a secret and of a key there is only the name."""
    match piece:
        case Finding():
            return f"{piece.cve_id} in {piece.package_name} {piece.package_version}"
        case Rotation():
            return piece.secret_name
        case _:
            bits = f" {piece.key_bits} bit" if piece.key_bits else ""
            return f"{piece.comment or piece.fingerprint} ({piece.key_type}{bits})"


def _open(severity: Severity) -> Callable[[Scope, datetime], QuerySet[Any]]:
    def against(scope: Scope, now: datetime) -> QuerySet[Any]:
        found = scope.findings().filter(status=Status.OPEN, severity=severity)
        return found.order_by(F("due_at").asc(nulls_last=True), "detected_at", "pk")

    return against


def _overdue(scope: Scope, now: datetime) -> QuerySet[Any]:
    return scope.rotations().overdue(now).most_urgent_first()


def _weak(scope: Scope, now: datetime) -> QuerySet[Any]:
    return scope.keys().in_status(KeyStatus.ACTIVE, now).weak().order_by("created_at", "pk")


def _expired(scope: Scope, now: datetime) -> QuerySet[Any]:
    return scope.keys().in_status(KeyStatus.EXPIRED, now).order_by("expires_at", "pk")


CONTROLS = (
    Control(
        "no-critical-vulns",
        "No open critical vulnerabilities",
        ("open critical vulnerability", "open critical vulnerabilities"),
        _open(Severity.CRITICAL),
    ),
    Control(
        "no-high-vulns",
        "No open high vulnerabilities",
        ("open high vulnerability", "open high vulnerabilities"),
        _open(Severity.HIGH),
    ),
    Control("secrets-rotated", "Secrets are rotated in time", ("overdue rotation", "overdue rotations"), _overdue),
    Control("no-weak-ssh", "No weak SSH key opens a machine", ("weak active SSH key", "weak active SSH keys"), _weak),
    Control("ssh-keys-current", "No SSH key is expired", ("expired SSH key", "expired SSH keys"), _expired),
)


def checks(scope: Scope, now: datetime, named: int = NAMED) -> list[Check]:
    """All controls in the order of the contract, each with at most so many pieces of evidence."""
    return [_checked(control, scope, now, named) for control in CONTROLS]


def _checked(control: Control, scope: Scope, now: datetime, named: int) -> Check:
    rows = control.against(scope, now).select_related("instance")
    first = list(rows[: named + 1])
    if len(first) <= named:
        return Check(control, len(first), first)
    return Check(control, rows.count(), first[:named])
