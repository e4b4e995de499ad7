"""The security score: what is open, overdue and weak, as points (contract: fleet console §22)."""

from collections.abc import Mapping
from dataclasses import dataclass

# The points of each part, and what is taken off for one open vulnerability, overdue rotation, weak active key.
VULNERABILITIES, PER_SEVERITY = 60, {"CRITICAL": 20, "HIGH": 10, "MEDIUM": 5, "LOW": 2}
SECRET_ROTATION, PER_OVERDUE = 25, 5
SSH_KEYS, PER_WEAK = 15, 5
GRADES = ((90, "A"), (75, "B"), (60, "C"), (40, "D"))


@dataclass(frozen=True)
class Score:
    """Points by part; at most 60, 25 and 15."""

    vulnerabilities: int
    secret_rotation: int
    ssh_keys: int

    @property
    def total(self) -> int:
        """From 0 to 100."""
        return self.vulnerabilities + self.secret_rotation + self.ssh_keys

    @property
    def grade(self) -> str:
        """From A to F."""
        return next((grade for least, grade in GRADES if self.total >= least), "F")

    @property
    def parts(self) -> tuple[tuple[str, int, int], ...]:
        """What it is made of: `(name, points, highest)`."""
        return (
            ("Vulnerabilities", self.vulnerabilities, VULNERABILITIES),
            ("Rotations", self.secret_rotation, SECRET_ROTATION),
            ("SSH keys", self.ssh_keys, SSH_KEYS),
        )


def score(*, by_severity: Mapping[str, int], overdue: int, weak_active: int) -> Score:
    """Points for open vulnerabilities by severity, overdue rotations, and weak keys that still open something.

    One HIGH, one MEDIUM and one overdue rotation make 45 + 20 + 15 = 80, a B.
    """
    taken = sum(points * by_severity.get(severity, 0) for severity, points in PER_SEVERITY.items())
    return Score(
        vulnerabilities=max(0, VULNERABILITIES - taken),
        secret_rotation=max(0, SECRET_ROTATION - PER_OVERDUE * overdue),
        ssh_keys=max(0, SSH_KEYS - PER_WEAK * weak_active),
    )
