"""How bad an advisory is: its own word, else the base score, else unknown (contract: fleet console §22)."""

from collections.abc import Sequence
from typing import Any

from security.vulnerabilities.models import Severity

WORDS = {
    "CRITICAL": Severity.CRITICAL,
    "HIGH": Severity.HIGH,
    "IMPORTANT": Severity.HIGH,  # Red Hat, SUSE
    "MODERATE": Severity.MEDIUM,
    "MEDIUM": Severity.MEDIUM,
    "LOW": Severity.LOW,
    "NEGLIGIBLE": Severity.LOW,  # Ubuntu
}
FLOORS = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM))
RANKS = {severity: rank for rank, severity in enumerate(Severity)}  # worst first
LONGEST = 256  # characters of a vector


def by_word(word: Any) -> Severity | None:
    """The severity that a word stands for; None for any other thing."""
    return WORDS.get(word.strip().upper()) if isinstance(word, str) else None


def by_score(score: float | None) -> Severity:
    """The severity of a CVSS base score."""
    if score is None or score <= 0:
        return Severity.UNKNOWN
    return next((severity for floor, severity in FLOORS if score >= floor), Severity.LOW)


def scored(given: Sequence[tuple[str, Any]]) -> tuple[float | None, str]:
    """The base score of the newest CVSS version that is told and right, and its vector ("" for a bare score).

    `given` are pairs of OSV's type (`CVSS_V2`, `CVSS_V3`, `CVSS_V4`) and a vector or a number.
    """
    for kind, score in sorted(given, key=lambda pair: pair[0], reverse=True):
        if not kind.upper().startswith("CVSS"):
            continue
        if (number := _number(score)) is not None:
            return number, ""
        if isinstance(score, str) and (number := base_score(score)) is not None:
            return number, score
    return None, ""


def base_score(vector: str) -> float | None:
    """The base score of a vector of CVSS 2, 3.0, 3.1 or 4.0; None for one that breaks the rules."""
    from cvss import CVSS2, CVSS3, CVSS4

    if not 0 < len(vector) <= LONGEST:
        return None
    read = CVSS4 if vector.startswith("CVSS:4") else CVSS3 if vector.startswith("CVSS:3") else CVSS2
    try:
        found = read(vector)
        return float(found.base_score)
    except Exception:  # noqa: BLE001 - a vector that the library cannot read has no score, whatever it stumbled over
        return None


def _number(score: Any) -> float | None:
    try:
        number = float(score)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number <= 10 else None
